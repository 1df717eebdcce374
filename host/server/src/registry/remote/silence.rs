//! A registry that cannot be asked: since when, who asks next, and what the log is told.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use tokio::time::Instant;

/// Between two lines of the log that say the same.
const TELL: Duration = Duration::from_mins(1);

/// Whether it can be asked, as far as is known.
pub(super) struct Silence {
    /// After a question that led nowhere, none is asked for so long whose last answer is known: a service that hangs costs one
    /// time-out, not one for each message.
    pause: Duration,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// Since when it cannot be asked.
    since: Option<Timestamp>,
    /// The last question that led nowhere.
    failed: Option<Instant>,
    /// Somebody finds out whether it can be asked again.
    probing: bool,
    /// When the log was told.
    told: Option<Instant>,
}

/// Leave to ask. While it is down, one at a time has it.
pub(super) struct Turn<'a>(Option<&'a Silence>);

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        if let Some(silence) = self.0 {
            silence.state().probing = false;
        }
    }
}

impl Silence {
    pub(super) fn new(pause: Duration) -> Self {
        Self {
            pause,
            state: Mutex::default(),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether to ask now. None: it is down, and the last answer is better, where there is one.
    pub(super) fn turn(&self) -> Option<Turn<'_>> {
        let mut state = self.state();
        let Some(failed) = state.failed else {
            return Some(Turn(None));
        };
        if state.probing || failed.elapsed() < self.pause {
            return None;
        }
        state.probing = true;
        Some(Turn(Some(self)))
    }

    /// Since when it cannot be asked.
    pub(super) fn since(&self) -> Option<Timestamp> {
        self.state().since
    }

    /// It has answered.
    pub(super) fn ends(&self) {
        let mut state = self.state();
        if let Some(since) = state.since.take() {
            tracing::info!(%since, "the registry can be asked again");
        }
        state.failed = None;
        state.told = None;
    }

    /// It could not be asked. `used`: how many last answers were used so far.
    pub(super) fn goes_on(&self, why: &str, used: u64) {
        let mut state = self.state();
        state.failed = Some(Instant::now());
        state.since.get_or_insert_with(Timestamp::now);
        if state.told.is_none_or(|told| told.elapsed() >= TELL) {
            state.told = Some(Instant::now());
            tracing::warn!(
                why,
                last_answers_used = used,
                "the registry cannot be asked; its last good answers are used where there are any"
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn while_it_answers_everybody_asks() {
        let silence = Silence::new(Duration::from_hours(1));
        let (first, second) = (silence.turn(), silence.turn());
        assert!(first.is_some() && second.is_some());
    }

    #[test]
    fn after_the_pause_one_asks_at_a_time() {
        let silence = Silence::new(Duration::from_millis(20));
        silence.goes_on("down", 0);
        assert!(silence.turn().is_none(), "in the pause nobody asks");
        std::thread::sleep(Duration::from_millis(30));
        let probe = silence.turn();
        assert!(probe.is_some());
        assert!(silence.turn().is_none(), "one asks already");
        drop(probe);
        assert!(silence.turn().is_some(), "the one before broke off");
        silence.ends();
        let (first, second) = (silence.turn(), silence.turn());
        assert!(first.is_some() && second.is_some());
        assert!(silence.since().is_none());
    }
}
