//! Repeated faults: the plugin is paused, longer each time, until it behaves.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use super::FolderSettings;

/// Remembers faults and pauses of one plugin.
#[derive(Debug)]
pub(super) struct Quarantine {
    limit: u32,
    window: Duration,
    first: Duration,
    longest: Duration,
    faults: VecDeque<Instant>,
    pauses: u32,
    until: Option<Instant>,
}

impl Quarantine {
    pub(super) fn new(settings: &FolderSettings) -> Self {
        Self {
            limit: settings.quarantine_faults.max(1),
            window: settings.quarantine_window,
            first: settings.first_pause,
            longest: settings.longest_pause,
            faults: VecDeque::new(),
            pauses: 0,
            until: None,
        }
    }

    /// How long the plugin is still paused.
    pub(super) fn left(&self, now: Instant) -> Option<Duration> {
        self.until
            .and_then(|until| until.checked_duration_since(now))
            .filter(|left| !left.is_zero())
    }

    /// Nothing to remember: calls that go well need not be counted.
    pub(super) fn is_calm(&self) -> bool {
        self.pauses == 0 && self.faults.is_empty()
    }

    /// Counts a call that went well. A window without fault after a pause, and the pauses are forgotten.
    pub(super) fn went_well(&mut self, now: Instant) {
        self.forget_old(now);
        let after_pause = self
            .until
            .is_none_or(|until| now.saturating_duration_since(until) > self.window);
        if self.faults.is_empty() && after_pause {
            self.pauses = 0;
            self.until = None;
        }
    }

    /// Counts a fault; the length of the pause that it brings. Right after a pause one fault is enough.
    pub(super) fn fault(&mut self, now: Instant) -> Option<Duration> {
        if self.left(now).is_some() {
            // A call from before the pause.
            return None;
        }
        self.forget_old(now);
        self.faults.push_back(now);
        let on_probation = self
            .until
            .is_some_and(|until| now.saturating_duration_since(until) <= self.window);
        let limit = if on_probation { 1 } else { self.limit };
        if u32::try_from(self.faults.len()).unwrap_or(u32::MAX) < limit {
            return None;
        }
        let pause = self
            .first
            .saturating_mul(2_u32.saturating_pow(self.pauses))
            .min(self.longest);
        self.pauses = self.pauses.saturating_add(1);
        self.until = Some(now + pause);
        self.faults.clear();
        Some(pause)
    }

    fn forget_old(&mut self, now: Instant) {
        while self
            .faults
            .front()
            .is_some_and(|fault| now.saturating_duration_since(*fault) > self.window)
        {
            self.faults.pop_front();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn quarantine() -> (Quarantine, Instant) {
        (Quarantine::new(&FolderSettings::default()), Instant::now())
    }

    fn at(start: Instant, seconds: u64) -> Instant {
        start + Duration::from_secs(seconds)
    }

    #[test]
    fn five_faults_within_a_minute_pause_the_plugin() {
        let (mut quarantine, start) = quarantine();
        for second in 0..4 {
            assert_eq!(quarantine.fault(at(start, second)), None);
        }
        assert_eq!(quarantine.fault(at(start, 4)), Some(Duration::from_secs(30)));
        assert_eq!(quarantine.left(at(start, 14)), Some(Duration::from_secs(20)));
        assert_eq!(quarantine.left(at(start, 35)), None);
    }

    #[test]
    fn faults_far_apart_do_not_add_up() {
        let (mut quarantine, start) = quarantine();
        for minute in 0..20 {
            assert_eq!(quarantine.fault(at(start, minute * 61)), None);
        }
    }

    #[test]
    fn a_fault_right_after_a_pause_brings_a_longer_one() {
        let (mut quarantine, start) = quarantine();
        for _ in 0..5 {
            quarantine.fault(start);
        }
        assert_eq!(quarantine.fault(at(start, 31)), Some(Duration::from_mins(1)));
        assert_eq!(quarantine.fault(at(start, 92)), Some(Duration::from_mins(2)));
    }

    #[test]
    fn pauses_have_an_end_to_their_growth() {
        let (mut quarantine, mut now) = quarantine();
        for _ in 0..5 {
            quarantine.fault(now);
        }
        for _ in 0..40 {
            now += Duration::from_secs(901);
            quarantine.fault(now);
            now = quarantine.until.unwrap();
        }
        assert_eq!(quarantine.fault(at(now, 1)), Some(Duration::from_mins(15)));
    }

    #[test]
    fn good_behaviour_is_remembered() {
        let (mut quarantine, start) = quarantine();
        for _ in 0..5 {
            quarantine.fault(start);
        }
        quarantine.went_well(at(start, 120));
        assert!(quarantine.is_calm());
        assert_eq!(quarantine.fault(at(start, 121)), None);
    }
}
