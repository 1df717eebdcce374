//! Times at the edge: milliseconds inside, Norwegian local time with offset outside. Spec: messaging API, 1.

use budstikke_message::datetime::{DateTime, parse_date};
use jiff::Timestamp;

/// A time of the store as the API writes it: `2026-03-02T09:15:04+01:00`.
pub(crate) fn written(millis: i64) -> String {
    DateTime::in_oslo(Timestamp::from_millisecond(millis).unwrap_or_default())
        .as_str()
        .to_owned()
}

/// Now, as the API writes it.
pub(crate) fn now() -> String {
    DateTime::in_oslo(Timestamp::now()).as_str().to_owned()
}

/// A time of the client's. A `+` that was not encoded in a query arrives as a blank and is taken for what it was meant as.
pub(crate) fn read(text: &str) -> Option<i64> {
    let time: DateTime = text.replace(' ', "+").parse().ok()?;
    Some(time.instant().as_millisecond())
}

/// The first millisecond of a day, `yyyy-MM-dd`, in Norway.
pub(crate) fn start_of_day(text: &str) -> Option<i64> {
    let date = parse_date(text).ok()?;
    read(&format!("{date}T00:00:00"))
}

/// The first millisecond after a day.
pub(crate) fn end_of_day(text: &str) -> Option<i64> {
    let next = parse_date(text).ok()?.tomorrow().ok()?;
    read(&format!("{next}T00:00:00"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_written_in_norwegian_time_with_offset() {
        assert_eq!(written(1_772_439_304_000), "2026-03-02T09:15:04+01:00");
        assert_eq!(written(1_783_585_811_482), "2026-07-09T10:30:11.482+02:00");
    }

    #[test]
    fn an_unencoded_plus_is_understood() {
        assert_eq!(read("2026-03-02T09:15:04 01:00"), Some(1_772_439_304_000));
        assert_eq!(read("2026-03-02T08:15:04Z"), Some(1_772_439_304_000));
        assert_eq!(read("yesterday"), None);
    }

    #[test]
    fn a_day_is_a_norwegian_day_also_when_the_clock_changes() {
        let hours = |day| (end_of_day(day).unwrap() - start_of_day(day).unwrap()) / 3_600_000;
        assert_eq!(hours("2026-03-02"), 24);
        assert_eq!(hours("2026-03-29"), 23);
        assert_eq!(hours("2026-10-25"), 25);
        assert_eq!(start_of_day("2026-03-02"), read("2026-03-01T23:00:00Z"));
        assert_eq!(start_of_day("2026-3-2"), None);
    }
}
