//! Taking turns: how much of one receiver, and of a whole service, is in hand, and when to leave it alone for a while.
//!
//! A lane is the queue of one receiver. A receiver that is slow or fails must not delay the others: it has few messages in hand, and
//! after failures in a row none, until one attempt has shown that it works again. The same holds for a service as a whole when
//! several receivers fail and none succeeds. What waits meanwhile loses none of its attempts.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use budstikke_store::Turn;

/// Failures in a row of one receiver until it is left alone.
const LANE_FAILURES: u32 = 3;
/// Receivers that fail, with none that succeeds in between, until the whole service is left alone.
const FAILING_LANES: usize = 3;
/// The first pause; each further one is twice as long.
const PAUSE: Duration = Duration::from_secs(10);
/// The longest pause.
const LONGEST: Duration = Duration::from_mins(5);

/// Stops attempts for a while after failures in a row.
#[derive(Debug, Default)]
struct Breaker {
    pauses: u32,
    until: Option<Instant>,
    /// One attempt is under way to see whether it works again.
    trying: bool,
}

impl Breaker {
    /// How many attempts may begin.
    fn allows(&self, now: Instant) -> usize {
        match self.until {
            None => usize::MAX,
            Some(until) if until > now || self.trying => 0,
            Some(_) => 1,
        }
    }

    fn begin(&mut self) {
        self.trying = self.until.is_some();
    }

    /// An attempt failed; `enough`: it was not the first. True: it is left alone from now on. Attempts that were under way when that
    /// began say nothing new.
    fn failed(&mut self, enough: bool, now: Instant) -> bool {
        let trying = std::mem::take(&mut self.trying);
        if self.until.is_some_and(|until| until > now) || !(enough || trying) {
            return false;
        }
        let pause = PAUSE.saturating_mul(1 << self.pauses.min(8)).min(LONGEST);
        self.pauses += 1;
        self.until = Some(now + pause);
        true
    }
}

#[derive(Debug, Default)]
struct Lane {
    in_hand: usize,
    slow: usize,
    failures: u32,
    breaker: Breaker,
}

#[derive(Default)]
struct State {
    lanes: HashMap<String, Lane>,
    /// The lane that was served last.
    last: String,
    /// Lanes that failed since the last success of any.
    failing: Vec<String>,
    service: Breaker,
}

/// The lanes of one service.
pub(super) struct Lanes {
    state: Mutex<State>,
    concurrency: usize,
}

/// How an attempt ended, as far as turns are concerned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ending {
    /// The service took it, or said what is wrong with the message: it works.
    Works,
    /// It did not work this time.
    Fails,
    /// It says nothing about the service.
    Neither,
}

impl Lanes {
    /// `concurrency`: messages of the service under way at the same time.
    pub(super) fn new(concurrency: usize) -> Self {
        Self {
            state: Mutex::default(),
            concurrency,
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Of one receiver at the same time.
    fn of_one(&self) -> usize {
        (self.concurrency * 3).div_ceil(4)
    }

    /// Of one receiver that is slow.
    fn of_a_slow_one(&self) -> usize {
        (self.concurrency / 4).max(1)
    }

    /// What may be claimed when `free` messages more can be under way.
    pub(super) fn turn(&self, free: usize, now: Instant) -> Turn {
        let state = self.state();
        let room = |lane: &Lane| {
            let most = if lane.slow > 0 {
                self.of_a_slow_one()
            } else {
                self.of_one()
            };
            let of_both = most.saturating_sub(lane.in_hand);
            of_both.min(lane.breaker.allows(now))
        };
        Turn {
            rooms: state
                .lanes
                .iter()
                .map(|(name, lane)| (name.clone(), room(lane)))
                .collect(),
            after: state.last.clone(),
            limit: free.min(state.service.allows(now)),
            lane_limit: self.of_one(),
        }
    }

    /// How long the whole service is left alone from now on.
    pub(super) fn pause(&self, now: Instant) -> Option<Duration> {
        let until = self.state().service.until?;
        until.checked_duration_since(now)
    }

    /// A message of the lane is in hand.
    pub(super) fn begin(&self, name: &str) {
        let mut state = self.state();
        name.clone_into(&mut state.last);
        state.service.begin();
        let lane = state.lanes.entry(name.to_owned()).or_default();
        lane.in_hand += 1;
        lane.breaker.begin();
    }

    /// It takes long.
    pub(super) fn slow(&self, name: &str) {
        let mut state = self.state();
        // It says nothing about the service yet: another one may try.
        state.service.trying = false;
        if let Some(lane) = state.lanes.get_mut(name) {
            lane.slow += 1;
        }
    }

    /// It is done. Returns what was paused by it, for the log.
    pub(super) fn end(&self, name: &str, was_slow: bool, ending: Ending, now: Instant) -> Option<Paused> {
        let mut state = self.state();
        let state = &mut *state;
        let lane = state.lanes.entry(name.to_owned()).or_default();
        lane.in_hand = lane.in_hand.saturating_sub(1);
        lane.slow = lane.slow.saturating_sub(usize::from(was_slow));
        let mut paused = None;
        match ending {
            Ending::Works => {
                lane.failures = 0;
                lane.breaker = Breaker::default();
                state.failing.clear();
                state.service = Breaker::default();
            }
            Ending::Fails => {
                lane.failures += 1;
                if lane.breaker.failed(lane.failures >= LANE_FAILURES, now) {
                    paused = Some(Paused::Receiver);
                }
                if !state.failing.iter().any(|failing| failing == name) {
                    state.failing.push(name.to_owned());
                }
                if state.service.failed(state.failing.len() >= FAILING_LANES, now) {
                    paused = Some(Paused::Service);
                }
            }
            Ending::Neither => {
                lane.breaker.trying = false;
                state.service.trying = false;
            }
        }
        // A lane with nothing to remember is forgotten: there are as many receivers as there are inhabitants.
        state.lanes.retain(|_, lane| {
            lane.in_hand > 0 || lane.failures > 0 && lane.breaker.until.is_none_or(|until| until + LONGEST > now)
        });
        paused
    }
}

/// What is left alone for a while.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Paused {
    /// One receiver.
    Receiver,
    /// The whole service.
    Service,
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How many messages of a lane may be claimed.
    fn room(lanes: &Lanes, name: &str, now: Instant) -> usize {
        let turn = lanes.turn(8, now);
        let scarce = turn.rooms.iter().find(|(lane, _)| lane == name);
        scarce.map_or(turn.lane_limit, |(_, room)| *room)
    }

    fn failing(lanes: &Lanes, name: &str, times: u32, now: Instant) -> Option<Paused> {
        let mut paused = None;
        for _ in 0..times {
            lanes.begin(name);
            paused = lanes.end(name, false, Ending::Fails, now);
        }
        paused
    }

    #[test]
    fn one_receiver_never_has_everything() {
        let lanes = Lanes::new(8);
        let now = Instant::now();
        for _ in 0..6 {
            lanes.begin("a");
        }
        assert_eq!((room(&lanes, "a", now), room(&lanes, "b", now)), (0, 6));
        assert_eq!(lanes.turn(2, now).limit, 2);
        assert_eq!(lanes.end("a", false, Ending::Works, now), None);
        assert_eq!(room(&lanes, "a", now), 1);
    }

    #[test]
    fn a_slow_receiver_has_a_quarter() {
        let lanes = Lanes::new(8);
        let now = Instant::now();
        for _ in 0..2 {
            lanes.begin("a");
        }
        assert_eq!(room(&lanes, "a", now), 4);
        lanes.slow("a");
        assert_eq!(room(&lanes, "a", now), 0);
        lanes.end("a", true, Ending::Works, now);
        assert_eq!(room(&lanes, "a", now), 5);
    }

    #[test]
    fn a_receiver_that_fails_is_left_alone_and_tried_with_one() {
        let lanes = Lanes::new(8);
        let mut now = Instant::now();
        assert_eq!(failing(&lanes, "a", 2, now), None);
        assert_eq!(failing(&lanes, "a", 1, now), Some(Paused::Receiver));
        assert_eq!(room(&lanes, "a", now), 0);
        assert_eq!(lanes.turn(8, now).limit, 8, "the others go on");
        now += PAUSE;
        assert_eq!(room(&lanes, "a", now), 1);
        lanes.begin("a");
        assert_eq!(room(&lanes, "a", now), 0, "one is enough to see");
        assert_eq!(lanes.end("a", false, Ending::Fails, now), Some(Paused::Receiver));
        now += PAUSE;
        assert_eq!(room(&lanes, "a", now), 0, "the second pause is longer");
        now += PAUSE;
        lanes.begin("a");
        assert_eq!(lanes.end("a", false, Ending::Works, now), None);
        assert_eq!(room(&lanes, "a", now), 6);
    }

    #[test]
    fn what_was_under_way_when_the_pause_began_does_not_make_it_longer() {
        let lanes = Lanes::new(8);
        let mut now = Instant::now();
        for _ in 0..6 {
            lanes.begin("a");
        }
        let paused = [(); 6].map(|()| lanes.end("a", false, Ending::Fails, now));
        assert_eq!(paused.iter().flatten().count(), 1);
        now += PAUSE;
        assert_eq!(room(&lanes, "a", now), 1);
    }

    #[test]
    fn a_trial_that_takes_long_does_not_keep_the_service_waiting() {
        let lanes = Lanes::new(8);
        let mut now = Instant::now();
        for name in ["a", "b", "c"] {
            failing(&lanes, name, 1, now);
        }
        now += PAUSE;
        lanes.begin("d");
        assert_eq!(lanes.turn(8, now).limit, 0);
        lanes.slow("d");
        assert_eq!(lanes.turn(8, now).limit, 1);
    }

    #[test]
    fn a_service_is_left_alone_when_several_receivers_fail_and_none_succeeds() {
        let lanes = Lanes::new(8);
        let mut now = Instant::now();
        failing(&lanes, "a", 1, now);
        failing(&lanes, "b", 1, now);
        assert_eq!(failing(&lanes, "c", 1, now), Some(Paused::Service));
        assert_eq!(lanes.turn(8, now).limit, 0);
        assert_eq!(lanes.pause(now), Some(PAUSE));
        now += PAUSE;
        assert_eq!(lanes.turn(8, now).limit, 1);
        lanes.begin("d");
        assert_eq!(lanes.turn(7, now).limit, 0);
        lanes.end("d", false, Ending::Works, now);
        assert_eq!(lanes.turn(8, now).limit, 8);
    }

    #[test]
    fn receivers_that_fail_while_others_succeed_do_not_stop_the_service() {
        let lanes = Lanes::new(8);
        let now = Instant::now();
        for round in 0..10 {
            failing(&lanes, "a", 1, now);
            failing(&lanes, "b", 1, now);
            lanes.begin("c");
            lanes.end("c", false, Ending::Works, now);
            assert_eq!(lanes.turn(8, now).limit, 8, "{round}");
        }
    }

    #[test]
    fn an_attempt_that_says_nothing_lets_another_one_try() {
        let lanes = Lanes::new(8);
        let mut now = Instant::now();
        failing(&lanes, "a", 3, now);
        now += PAUSE;
        lanes.begin("a");
        lanes.end("a", false, Ending::Neither, now);
        assert_eq!(room(&lanes, "a", now), 1);
    }
}
