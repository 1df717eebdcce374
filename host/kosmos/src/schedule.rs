//! When to look: a cron expression at a place. Spec: KOSMOS, 2.

use croner::Cron;
use croner::parser::{CronParser, Seconds};
use jiff::Timestamp;
use jiff::tz::TimeZone;

/// See the module.
#[derive(Debug, Clone)]
pub struct Schedule {
    cron: Cron,
    zone: TimeZone,
}

impl Schedule {
    /// Six fields: seconds, minutes, hours, day of the month, month, day of the week; `?` is `*`. An error says what is wrong.
    pub fn new(cron: &str, zone: &str) -> Result<Self, String> {
        let fields = cron.split_whitespace().count();
        if fields != 6 {
            return Err(format!(
                "has {fields} fields; there must be six: second, minute, hour, day of the month, month, day of the week"
            ));
        }
        let parser = CronParser::builder()
            .seconds(Seconds::Required)
            .sloppy_ranges(true)
            .build();
        let cron = parser
            .parse(cron)
            .map_err(|error| format!("is no cron expression: {error}"))?;
        let zone = TimeZone::get(zone).map_err(|_| "its time zone is not known".to_owned())?;
        Ok(Self { cron, zone })
    }

    /// The next time after a moment; none when it never comes.
    pub fn next_after(&self, moment: Timestamp) -> Option<Timestamp> {
        let from = moment.to_zoned(self.zone.clone());
        let next = self.cron.find_next_occurrence(&from, false).ok()?;
        Some(next.timestamp())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn times(cron: &str, from: &str, count: usize) -> Vec<String> {
        let schedule = Schedule::new(cron, "Europe/Oslo").unwrap();
        let mut at: Timestamp = from.parse().unwrap();
        let mut found = Vec::new();
        while found.len() < count {
            at = schedule.next_after(at).unwrap();
            found.push(at.to_string());
        }
        found
    }

    const DEFAULT: &str = "0 30 5,19,21 * * MON-FRI";

    #[test]
    fn the_default_is_three_times_on_weekdays() {
        // A Friday in winter: 05:30 is 04:30 UTC.
        assert_eq!(
            times(DEFAULT, "2026-12-04T00:00:00Z", 4),
            [
                "2026-12-04T04:30:00Z",
                "2026-12-04T18:30:00Z",
                "2026-12-04T20:30:00Z",
                "2026-12-07T04:30:00Z"
            ]
        );
    }

    #[test]
    fn both_days_when_the_clock_changes_have_each_time_once() {
        let daily = "0 30 5,19 * * *";
        assert_eq!(
            times(daily, "2026-03-28T12:00:00Z", 3),
            ["2026-03-28T18:30:00Z", "2026-03-29T03:30:00Z", "2026-03-29T17:30:00Z"]
        );
        assert_eq!(
            times(daily, "2026-10-24T12:00:00Z", 3),
            ["2026-10-24T17:30:00Z", "2026-10-25T04:30:00Z", "2026-10-25T18:30:00Z"]
        );
        // Half past two does not exist in spring, and exists twice in autumn.
        let night = "0 30 2 * * *";
        assert_eq!(
            times(night, "2026-03-28T12:00:00Z", 2),
            ["2026-03-29T01:00:00Z", "2026-03-30T00:30:00Z"]
        );
        assert_eq!(
            times(night, "2026-10-24T12:00:00Z", 2),
            ["2026-10-25T00:30:00Z", "2026-10-26T01:30:00Z"]
        );
    }

    #[test]
    fn what_operators_were_told_to_write_is_read() {
        for (cron, first) in [
            ("0 0 6 * * ?", "2026-12-02T05:00:00Z"),
            ("0 15 23 ? * *", "2026-12-01T22:15:00Z"),
            ("0 0 12 ? * SAT,SUN", "2026-12-05T11:00:00Z"),
            ("0 0,3,6,9 * * * ?", "2026-12-01T12:03:00Z"),
            ("* 0/3 * * * ?", "2026-12-01T12:00:01Z"),
        ] {
            assert_eq!(times(cron, "2026-12-01T12:00:00Z", 1), [first], "{cron}");
        }
    }

    #[test]
    fn what_is_no_schedule_is_refused() {
        for bad in [
            "",
            "30 5 * * *",
            "0 61 5 * * *",
            "0 30 5 * * XYZ",
            "every day at five o clock",
        ] {
            assert!(Schedule::new(bad, "Europe/Oslo").is_err(), "{bad}");
        }
        assert!(Schedule::new(DEFAULT, "Europe/Trondheim").is_err());
    }
}
