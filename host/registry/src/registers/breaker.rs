//! A register that fails again and again is left in peace for a while: its callers have their error at once, and it is not
//! pressed while it gets up. Then one question is let through, and its answer decides.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Counts failures in a row.
pub(super) struct Breaker {
    /// How many it takes. 0: it never breaks.
    failures: u32,
    /// How long the register has to answer. Who gave up sooner can say nothing of it.
    answer: Duration,
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

/// Leave to ask once. Dropped without a word (the caller went away), it is a failure when the register had had its time to answer,
/// and else says nothing of it.
pub(super) struct Leave<'a> {
    breaker: &'a Breaker,
    since: Instant,
    /// Whether it is the one that is let through to see.
    trying: bool,
    told: bool,
}

impl Breaker {
    pub(super) fn new(failures: u32, answer: Duration, peace: Duration) -> Self {
        Self {
            failures,
            answer,
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
            State::Passing(_) => false,
            State::Peace(until) if now >= until => {
                *state = State::Trying;
                true
            }
            State::Peace(_) | State::Trying => return None,
        };
        Some(Leave {
            breaker: self,
            since: now,
            trying,
            told: false,
        })
    }

    fn failed(&self, tried: bool, now: Instant) {
        let mut state = self.state();
        *state = match *state {
            State::Passing(before) if self.failures == 0 || before + 1 < self.failures => {
                State::Passing(before.saturating_add(1))
            }
            State::Trying if !tried => State::Trying,
            // Of those that were under way when it broke: the peace is not made longer.
            State::Peace(until) => State::Peace(until),
            State::Passing(_) | State::Trying => State::Peace(now + self.peace),
        };
    }
}

impl Leave<'_> {
    /// The register answered.
    pub(super) fn answered(mut self) {
        self.told = true;
        *self.breaker.state() = State::Passing(0);
    }

    /// It did not.
    pub(super) fn failed(mut self, now: Instant) {
        self.told = true;
        self.breaker.failed(self.trying, now);
    }

    /// It was not asked.
    pub(super) fn unused(mut self) {
        self.told = true;
        self.next_may();
    }

    /// The one that was to see has seen nothing: the next one may.
    fn next_may(&self) {
        if self.trying {
            *self.breaker.state() = State::Peace(self.since);
        }
    }
}

impl Drop for Leave<'_> {
    fn drop(&mut self) {
        if self.told {
            return;
        }
        let now = Instant::now();
        if now.saturating_duration_since(self.since) >= self.breaker.answer {
            self.breaker.failed(self.trying, now);
        } else {
            self.next_may();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ANSWER: Duration = Duration::from_secs(30);
    const PEACE: Duration = Duration::from_secs(10);

    fn breaker(failures: u32) -> Breaker {
        Breaker::new(failures, ANSWER, PEACE)
    }

    fn fail(breaker: &Breaker, times: u32, now: Instant) {
        for _ in 0..times {
            breaker.pass(now).unwrap().failed(now);
        }
    }

    #[test]
    fn so_many_failures_in_a_row_leave_the_register_in_peace() {
        let (breaker, now) = (breaker(5), Instant::now());
        fail(&breaker, 4, now);
        breaker.pass(now).unwrap().answered();
        fail(&breaker, 5, now);
        assert!(breaker.pass(now).is_none());
        let nearly = PEACE.checked_sub(Duration::from_millis(1)).unwrap();
        assert!(breaker.pass(now + nearly).is_none());
    }

    #[test]
    fn after_the_peace_one_is_let_through_and_decides() {
        let (breaker, now) = (breaker(1), Instant::now());
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
        let (breaker, now) = (breaker(1), Instant::now());
        fail(&breaker, 1, now);
        drop(breaker.pass(now + PEACE).unwrap());
        assert!(breaker.pass(now + PEACE).is_some());
    }

    #[test]
    fn who_goes_away_when_the_register_had_its_time_has_seen_it_fail() {
        let (breaker, now) = (breaker(2), Instant::now());
        let long_ago = now.checked_sub(ANSWER).unwrap();
        drop(breaker.pass(now).unwrap());
        drop(breaker.pass(long_ago).unwrap());
        drop(breaker.pass(now).unwrap());
        assert!(breaker.pass(now).is_some());
        drop(breaker.pass(long_ago).unwrap());
        assert!(breaker.pass(now).is_none());
    }

    #[test]
    fn a_trial_that_was_given_up_too_late_is_followed_by_a_new_peace() {
        let (breaker, now) = (breaker(1), Instant::now());
        let long_ago = now.checked_sub(ANSWER + PEACE).unwrap();
        fail(&breaker, 1, long_ago);
        drop(breaker.pass(long_ago + PEACE).unwrap());
        assert!(breaker.pass(now).is_none());
    }

    #[test]
    fn leave_that_was_not_used_says_nothing() {
        let (breaker, now) = (breaker(1), Instant::now());
        breaker.pass(now.checked_sub(ANSWER).unwrap()).unwrap().unused();
        fail(&breaker, 1, now);
        breaker.pass(now + PEACE).unwrap().unused();
        assert!(breaker.pass(now + PEACE).is_some());
    }

    #[test]
    fn failures_that_were_under_way_do_not_lengthen_the_peace() {
        let (breaker, now) = (breaker(1), Instant::now());
        let (first, second) = (breaker.pass(now).unwrap(), breaker.pass(now).unwrap());
        first.failed(now);
        second.failed(now + PEACE);
        assert!(breaker.pass(now + PEACE).is_some());
    }

    #[test]
    fn zero_failures_means_never() {
        let (breaker, now) = (breaker(0), Instant::now());
        fail(&breaker, 1000, now);
        assert!(breaker.pass(now).is_some());
    }
}
