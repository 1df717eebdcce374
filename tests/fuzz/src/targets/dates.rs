//! Dates and times of clients, in SBDs and in queries.

use budstikke::api::fuzzing::{day, time_read, time_written};
use budstikke_message::datetime::{DateTime, parse_date};

const HOUR: i64 = 3_600_000;

pub(super) fn check(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else { return };
    if let Ok(time) = text.parse::<DateTime>() {
        assert_eq!(time.as_str().parse().as_ref(), Ok(&time), "{text}");
        assert!(time.as_str().starts_with(text));
        let millis = time.instant().as_millisecond();
        assert_eq!(time_read(text), Some(millis));
        let written = time_written(millis);
        assert_eq!(time_read(&written), Some(millis), "{text} was written as {written}");
    }
    if let Ok(date) = parse_date(text) {
        assert_eq!(date.to_string(), text);
        if let Some((start, end)) = day(text) {
            assert!(
                (23 * HOUR..=25 * HOUR).contains(&(end - start)),
                "{text} has {} ms",
                end - start
            );
            assert!(time_written(start).starts_with(text), "{text}");
        }
    }
}
