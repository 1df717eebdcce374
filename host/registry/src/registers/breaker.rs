//! A register that fails again and again is left in peace for a while: its callers have their error at once, and it is not
//! pressed while it gets up. Then one question is let through, and its answer decides.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Counts failures in a row.
pub(super) struct Breaker {
    /// How many it takes. 0: it never breaks.
    failures: u32,
    peace: Duration,
    state: Mutex<State>,
}

#[derive(Clone, Copy)]
enum State {
    /// Questions pass; so many have failed in a row.
    Passing(u32),
    /// None passes before this instant.
    Peace(Instant),
    /// One passes, to see.
    Trying,
}

/// Leave to ask once. Dropped without a word, it says nothing of the register.
pub(super) struct Leave<'a> {
    breaker: &'a Breaker,
    /// Since when it is the one that is let through to see.
    trying: Option<Instant>,
}

impl Breaker {
    pub(super) fn new(failures: u32, peace: Duration) -> Self {
        Self {
            failures,
            peace,
            state: Mutex::new(State::Passing(0)),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Leave to ask, if the register is not left in peace now.
    pub(super) fn pass(&self, now: Instant) -> Option<Leave<'_>> {
        let mut state = self.state();
        let trying = match *state {
            State::Passing(_) => None,
            State::Peace(until) if now >= until => {
                *state = State::Trying;
                Some(now)
            }
            State::Peace(_) | State::Trying => return None,
        };
        Some(Leave { breaker: self, trying })
    }
}

impl Leave<'_> {
    /// The register answered.
    pub(super) fn answered(mut self) {
        self.trying = None;
        *self.breaker.state() = State::Passing(0);
    }

    /// It did not.
    pub(super) fn failed(mut self, now: Instant) {
        let tried = self.trying.take().is_some();
        let breaker = self.breaker;
        let mut state = breaker.state();
        *state = match *state {
            State::Passing(before) if breaker.failures == 0 || before + 1 < breaker.failures => {
                State::Passing(before.saturating_add(1))
            }
            State::Trying if !tried => State::Trying,
            // Of those that were under way when it broke: the peace is not made longer.
            State::Peace(until) => State::Peace(until),
            State::Passing(_) | State::Trying => State::Peace(now + breaker.peace),
        };
    }
}

impl Drop for Leave<'_> {
    fn drop(&mut self) {
        // The one that was to see was given up by its caller: the next one may.
        if let Some(since) = self.trying {
            *self.breaker.state() = State::Peace(since);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PEACE: Duration = Duration::from_secs(10);

    fn fail(breaker: &Breaker, times: u32, now: Instant) {
        for _ in 0..times {
            breaker.pass(now).unwrap().failed(now);
        }
    }

    #[test]
    fn so_many_failures_in_a_row_leave_the_register_in_peace() {
        let (breaker, now) = (Breaker::new(5, PEACE), Instant::now());
        fail(&breaker, 4, now);
        breaker.pass(now).unwrap().answered();
        fail(&breaker, 5, now);
        assert!(breaker.pass(now).is_none());
        let nearly = PEACE.checked_sub(Duration::from_millis(1)).unwrap();
        assert!(breaker.pass(now + nearly).is_none());
    }

    #[test]
    fn after_the_peace_one_is_let_through_and_decides() {
        let (breaker, now) = (Breaker::new(1, PEACE), Instant::now());
        fail(&breaker, 1, now);
        let later = now + PEACE;
        let first = breaker.pass(later).unwrap();
        assert!(breaker.pass(later).is_none());
        first.failed(later);
        assert!(breaker.pass(later).is_none());
        breaker.pass(later + PEACE).unwrap().answered();
        assert!(breaker.pass(later + PEACE).is_some());
    }

    #[test]
    fn a_trial_that_its_caller_gave_up_does_not_close_the_register_for_ever() {
        let (breaker, now) = (Breaker::new(1, PEACE), Instant::now());
        fail(&breaker, 1, now);
        drop(breaker.pass(now + PEACE).unwrap());
        assert!(breaker.pass(now + PEACE).is_some());
    }

    #[test]
    fn failures_that_were_under_way_do_not_lengthen_the_peace() {
        let (breaker, now) = (Breaker::new(1, PEACE), Instant::now());
        let (first, second) = (breaker.pass(now).unwrap(), breaker.pass(now).unwrap());
        first.failed(now);
        second.failed(now + PEACE);
        assert!(breaker.pass(now + PEACE).is_some());
    }

    #[test]
    fn zero_failures_means_never() {
        let (breaker, now) = (Breaker::new(0, PEACE), Instant::now());
        fail(&breaker, 1000, now);
        assert!(breaker.pass(now).is_some());
    }
}
