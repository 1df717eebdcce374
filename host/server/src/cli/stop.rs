//! The end of `serve`: what is under way is finished, but not for ever.

use std::io;
use std::time::Duration;

use futures::{Stream, StreamExt as _, stream};
use tokio::signal::unix::{SignalKind, signal};
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

/// How long what is under way may take after the signal to stop. Service managers wait 90 s as a rule.
pub(super) const GRACE: Duration = Duration::from_mins(1);

/// How the work ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ended {
    /// All was finished.
    Whole,
    /// The grace was over.
    Late,
    /// A second signal came.
    AtOnce,
}

/// SIGTERM and Ctrl-C, from now on.
pub(super) fn signals() -> io::Result<impl Stream<Item = ()> + Unpin> {
    let both = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    Ok(Box::pin(stream::unfold(both, |(mut terminate, mut interrupt)| async {
        tokio::select! {
            told = terminate.recv() => told,
            told = interrupt.recv() => told,
        }
        .map(|()| ((), (terminate, interrupt)))
    })))
}

/// The same signals, where a call that asks for the end stands for the first of them. It never stands for the second: it asks
/// for an end in order, also when one is under way.
pub(super) fn or_asked(
    signals: impl Stream<Item = ()> + Unpin,
    asked: Option<CancellationToken>,
) -> impl Stream<Item = ()> + Unpin {
    Box::pin(stream::unfold((signals, asked), |(mut signals, asked)| async move {
        let told = match asked {
            Some(asked) => tokio::select! {
                told = signals.next() => told,
                () = asked.cancelled() => Some(()),
            },
            None => signals.next().await,
        };
        told.map(|()| ((), (signals, None)))
    }))
}

/// Does the work until it is finished. After the first signal and `drain`, `stop` is cancelled; a second signal, or the end of
/// the grace, drops the work.
pub(super) async fn until_told(
    work: impl Future<Output = ()>,
    mut signals: impl Stream<Item = ()> + Unpin,
    stop: &CancellationToken,
    drain: impl Future<Output = ()>,
    grace: Duration,
) -> Ended {
    let limit = async {
        next(&mut signals).await;
        tracing::info!(
            seconds = grace.as_secs(),
            "stopping; what is under way is finished first"
        );
        tokio::select! {
            () = next(&mut signals) => return Ended::AtOnce,
            () = drain => stop.cancel(),
        }
        tokio::select! {
            () = next(&mut signals) => Ended::AtOnce,
            () = sleep(grace) => Ended::Late,
        }
    };
    tokio::select! {
        () = work => Ended::Whole,
        ended = limit => ended,
    }
}

async fn next(signals: &mut (impl Stream<Item = ()> + Unpin)) {
    if signals.next().await.is_none() {
        std::future::pending::<()>().await;
    }
}

#[cfg(test)]
mod tests {
    use std::future::{pending, ready};

    use super::*;

    const SHORT: Duration = Duration::from_millis(10);
    const LONG: Duration = Duration::from_hours(1);

    /// So many signals, all there at once.
    fn told(times: usize) -> impl Stream<Item = ()> + Unpin {
        stream::iter(vec![(); times]).chain(stream::pending())
    }

    #[tokio::test]
    async fn work_that_does_not_end_is_dropped_after_the_grace() {
        let stop = CancellationToken::new();
        assert_eq!(
            until_told(pending(), told(1), &stop, ready(()), SHORT).await,
            Ended::Late
        );
        assert!(stop.is_cancelled());
    }

    #[tokio::test]
    async fn a_second_signal_waits_for_nothing() {
        let stop = CancellationToken::new();
        assert_eq!(
            until_told(pending(), told(2), &stop, ready(()), LONG).await,
            Ended::AtOnce
        );
    }

    #[tokio::test]
    async fn a_call_that_asks_for_the_end_is_as_good_as_a_signal() {
        let (stop, asked) = (CancellationToken::new(), CancellationToken::new());
        let signals = or_asked(told(0), Some(asked.clone()));
        let work = async {
            asked.cancel();
            stop.cancelled().await;
        };
        let ended = until_told(work, signals, &stop, ready(()), LONG).await;
        assert_eq!(ended, Ended::Whole);
        let later = Box::pin(stream::once(sleep(SHORT)).chain(stream::pending()));
        let signals = or_asked(later, Some(asked));
        let stop = CancellationToken::new();
        let ended = until_told(pending(), signals, &stop, ready(()), LONG).await;
        assert_eq!(ended, Ended::AtOnce, "a signal after it waits for nothing");
    }

    #[tokio::test]
    async fn a_call_that_asks_for_the_end_after_a_signal_hurries_nobody() {
        let (stop, asked) = (CancellationToken::new(), CancellationToken::new());
        let signals = or_asked(told(1), Some(asked.clone()));
        let work = async {
            stop.cancelled().await;
            asked.cancel();
            sleep(SHORT).await;
        };
        let ended = until_told(work, signals, &stop, ready(()), LONG).await;
        assert_eq!(ended, Ended::Whole);
    }

    #[tokio::test]
    async fn work_that_stops_when_told_is_finished() {
        let stop = CancellationToken::new();
        let work = stop.clone().cancelled_owned();
        assert_eq!(until_told(work, told(1), &stop, ready(()), LONG).await, Ended::Whole);
    }
}
