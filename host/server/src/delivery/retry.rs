//! When a message that did not leave is tried again. Spec: documents and packaging, 13.

use std::time::Duration;

/// Seconds after the first attempts; then the last one, again and again. What `[messages] retry-seconds` is unless the
/// operator says otherwise.
pub const SECONDS: [u64; 6] = [20, 60, 180, 540, 1620, 3600];

/// Attempts after the first: five growing ones and a hundred hourly ones, about four days.
const REDELIVERIES: u32 = 105;

/// How long to wait after attempt number `attempt` (from 1), at least as long as the service asked for. None: it was the
/// last one. `seconds` is never empty.
pub fn delay(seconds: &[u64], attempt: u32, asked: Option<u32>) -> Option<Duration> {
    if attempt > REDELIVERIES {
        return None;
    }
    let index = usize::try_from(attempt.saturating_sub(1)).unwrap_or(usize::MAX);
    let own = seconds.get(index).or(seconds.last()).copied().unwrap_or(SECONDS[0]);
    Some(Duration::from_secs(own.max(u64::from(asked.unwrap_or(0)))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_delays_are_those_of_the_spec() {
        let seconds: Vec<u64> = (1..=8)
            .map(|attempt| delay(&SECONDS, attempt, None).unwrap().as_secs())
            .collect();
        assert_eq!(seconds, [20, 60, 180, 540, 1620, 3600, 3600, 3600]);
    }

    #[test]
    fn the_hundred_and_fifth_redelivery_is_the_last() {
        assert!(delay(&SECONDS, 105, None).is_some());
        assert!(delay(&SECONDS, 106, None).is_none());
    }

    #[test]
    fn a_service_that_asks_for_more_time_gets_it() {
        assert_eq!(delay(&SECONDS, 1, Some(90)), Some(Duration::from_secs(90)));
        assert_eq!(delay(&SECONDS, 1, Some(5)), Some(Duration::from_secs(20)));
    }
}
