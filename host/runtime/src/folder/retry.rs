//! A file that could not be taken for a reason that passes is tried again, after longer and longer waits.

use std::time::{Duration, Instant};

use super::FolderSettings;

/// When a file is tried again.
#[derive(Debug, Clone, Copy)]
pub(super) struct Retry {
    at: Instant,
    wait: Duration,
}

impl Retry {
    /// The wait after one that was in vain, or the first one.
    pub(super) fn after(before: Option<Self>, settings: &FolderSettings, now: Instant) -> Self {
        let wait = before
            .map_or(settings.first_retry, |before| before.wait.saturating_mul(2))
            .min(settings.longest_retry);
        Self { at: now + wait, wait }
    }

    /// Whether the wait is over.
    pub(super) fn is_due(&self, now: Instant) -> bool {
        now >= self.at
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_and_have_an_end_to_their_growth() {
        let (settings, now) = (FolderSettings::default(), Instant::now());
        let mut retry = Retry::after(None, &settings, now);
        let mut waits = vec![retry.wait.as_secs()];
        for _ in 0..7 {
            retry = Retry::after(Some(retry), &settings, now);
            waits.push(retry.wait.as_secs());
        }
        assert_eq!(waits, [5, 10, 20, 40, 80, 160, 300, 300]);
    }

    #[test]
    fn nothing_is_tried_before_its_time() {
        let (settings, now) = (FolderSettings::default(), Instant::now());
        let retry = Retry::after(None, &settings, now);
        assert!(!retry.is_due(now + Duration::from_secs(4)));
        assert!(retry.is_due(now + Duration::from_secs(5)));
    }
}
