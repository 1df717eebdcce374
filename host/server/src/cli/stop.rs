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

/// Does the work until it is finished. After the first signal and `drain`, `stop` is cancelled; a second signal, or the end of the grace, drops the work.
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
    async fn work_that_stops_when_told_is_finished() {
        let stop = CancellationToken::new();
        let work = stop.clone().cancelled_owned();
        assert_eq!(until_told(work, told(1), &stop, ready(()), LONG).await, Ended::Whole);
    }
}
