//! Date-times that keep the text the client wrote.

use std::fmt;
use std::str::FromStr;
use std::sync::LazyLock;

use jiff::Timestamp;
use jiff::civil;
use jiff::tz::{Offset, TimeZone};

/// Norwegian time as a rule instead of a look-up in the machine's tz database: UTC+1, and UTC+2 from the last Sunday of
/// March to the last Sunday of October. The rule holds for all dates since 1996.
const OSLO_RULE: &str = "CET-1CEST,M3.5.0,M10.5.0/3";

static OSLO: LazyLock<TimeZone> =
    LazyLock::new(|| TimeZone::posix(OSLO_RULE).unwrap_or_else(|_| TimeZone::fixed(Offset::constant(1))));

/// Longest date-time that is read: nine decimals and an offset.
const MAX_BYTES: usize = 35;

/// A point in time together with the text it was given as.
///
/// The text is ISO 8601 with seconds optional, at most nine decimals and an offset (`Z` or `+hh:mm`). Text without offset
/// gets the Norwegian offset *valid at that date* appended. Deviation from spec: documents and packaging, 1.1, where it
/// is the offset of the day the text is read, an hour wrong across a change of summer time (17, sharp edge 12).
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct DateTime {
    text: String,
    instant: Timestamp,
}

/// The text is no ISO 8601 date-time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a date-time such as 2026-03-02T09:15:00+01:00")]
pub struct NotADateTime;

impl DateTime {
    /// A point in time in Norwegian local time, to the millisecond.
    pub fn in_oslo(instant: Timestamp) -> Self {
        let millis = instant.as_millisecond();
        let instant = Timestamp::from_millisecond(millis).unwrap_or(instant);
        let zoned = instant.to_zoned(OSLO.clone());
        Self {
            text: zoned.strftime("%Y-%m-%dT%H:%M:%S%.f%:z").to_string(),
            instant,
        }
    }

    /// The text as the client wrote it, with an offset.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The point in time.
    pub fn instant(&self) -> Timestamp {
        self.instant
    }
}

impl FromStr for DateTime {
    type Err = NotADateTime;

    fn from_str(text: &str) -> Result<Self, NotADateTime> {
        if text.len() > MAX_BYTES || !text.is_ascii() {
            return Err(NotADateTime);
        }
        let (local, offset) = split_offset(text)?;
        let local = parse_local(local)?;
        if let Some(offset) = offset {
            let instant = offset.to_timestamp(local).map_err(|_| NotADateTime)?;
            return Ok(Self {
                text: text.to_owned(),
                instant,
            });
        }
        let instant = OSLO.to_timestamp(local).map_err(|_| NotADateTime)?;
        // In the hour that summer time skips, the instant is right only together with the offset before the change.
        let as_utc = Offset::UTC.to_timestamp(local).map_err(|_| NotADateTime)?;
        let minutes = (as_utc.as_second() - instant.as_second()) / 60;
        Ok(Self {
            text: format!("{text}+{:02}:{:02}", minutes / 60, minutes % 60),
            instant,
        })
    }
}

impl fmt::Display for DateTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

fn split_offset(text: &str) -> Result<(&str, Option<Offset>), NotADateTime> {
    if let Some(local) = text.strip_suffix(['Z', 'z']) {
        return Ok((local, Some(Offset::UTC)));
    }
    let Some(at) = text.rfind(['+', '-']).filter(|at| *at > "yyyy-mm-dd".len()) else {
        return Ok((text, None));
    };
    let (local, offset) = text.split_at_checked(at).ok_or(NotADateTime)?;
    let (hours, minutes) = offset
        .get(1..)
        .and_then(|hhmm| hhmm.split_once(':'))
        .ok_or(NotADateTime)?;
    let (hours, minutes) = (two_digits(hours)?, two_digits(minutes)?);
    if minutes > 59 {
        return Err(NotADateTime);
    }
    let seconds = (hours * 60 + minutes) * 60;
    let seconds = if offset.starts_with('-') { -seconds } else { seconds };
    Ok((local, Some(Offset::from_seconds(seconds).map_err(|_| NotADateTime)?)))
}

fn two_digits(text: &str) -> Result<i32, NotADateTime> {
    let two = text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_digit());
    if two {
        text.parse().map_err(|_| NotADateTime)
    } else {
        Err(NotADateTime)
    }
}

fn parse_local(text: &str) -> Result<civil::DateTime, NotADateTime> {
    let (date, time) = text.split_once(['T', 't']).ok_or(NotADateTime)?;
    let date = parse_date(date)?;
    let (clock, fraction) = match time.split_once('.') {
        Some((clock, fraction)) => (clock, Some(fraction)),
        None => (time, None),
    };
    let mut parts = clock.split(':');
    let hour = two_digits(parts.next().unwrap_or_default())?;
    let minute = two_digits(parts.next().unwrap_or_default())?;
    let second = parts.next().map(two_digits).transpose()?;
    if parts.next().is_some() || (second.is_none() && fraction.is_some()) {
        return Err(NotADateTime);
    }
    let nanos = fraction.map_or(Ok(0), nanoseconds)?;
    let small = |number: i32| i8::try_from(number).map_err(|_| NotADateTime);
    let time = civil::Time::new(small(hour)?, small(minute)?, small(second.unwrap_or(0))?, nanos);
    Ok(date.to_datetime(time.map_err(|_| NotADateTime)?))
}

fn nanoseconds(fraction: &str) -> Result<i32, NotADateTime> {
    if !(1..=9).contains(&fraction.len()) || !fraction.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(NotADateTime);
    }
    format!("{fraction:0<9}").parse().map_err(|_| NotADateTime)
}

/// Reads a date of the form `yyyy-mm-dd`.
pub fn parse_date(text: &str) -> Result<civil::Date, NotADateTime> {
    let shape = text.len() == 10
        && text.bytes().enumerate().all(|(at, byte)| {
            if at == 4 || at == 7 {
                byte == b'-'
            } else {
                byte.is_ascii_digit()
            }
        });
    if shape {
        text.parse().map_err(|_| NotADateTime)
    } else {
        Err(NotADateTime)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> DateTime {
        text.parse().unwrap()
    }

    #[test]
    fn a_given_offset_is_kept_as_written() {
        for text in [
            "2026-01-15T10:00:00Z",
            "2019-03-25T12:38:23+01:00",
            "2026-03-02T09:15:00.123456789-03:30",
            "2026-03-02T09:15+01:00",
        ] {
            assert_eq!(read(text).as_str(), text);
        }
        assert_eq!(
            read("2026-01-15T10:00:00+02:00").instant(),
            read("2026-01-15T08:00:00Z").instant()
        );
    }

    #[test]
    fn a_time_without_offset_gets_the_norwegian_one_of_that_date() {
        assert_eq!(read("2026-01-15T10:00:00").as_str(), "2026-01-15T10:00:00+01:00");
        assert_eq!(read("2026-07-15T10:00:00").as_str(), "2026-07-15T10:00:00+02:00");
        assert_eq!(read("2019-03-25T11:38:23").as_str(), "2019-03-25T11:38:23+01:00");
        assert_eq!(read("2019-05-01T11:38:23").as_str(), "2019-05-01T11:38:23+02:00");
    }

    #[test]
    fn the_changes_of_summer_time_are_on_the_right_sundays() {
        assert_eq!(read("2026-03-29T01:59:59").as_str(), "2026-03-29T01:59:59+01:00");
        assert_eq!(read("2026-03-29T03:00:00").as_str(), "2026-03-29T03:00:00+02:00");
        assert_eq!(read("2026-10-25T01:59:59").as_str(), "2026-10-25T01:59:59+02:00");
        assert_eq!(read("2026-10-25T03:00:00").as_str(), "2026-10-25T03:00:00+01:00");
    }

    #[test]
    fn an_hour_that_does_not_exist_reads_back_as_the_same_instant() {
        let skipped = read("2026-03-29T02:30:00");
        assert_eq!(read(skipped.as_str()).instant(), skipped.instant());
    }

    #[test]
    fn the_clock_is_written_in_norwegian_time() {
        let winter = read("2026-01-15T10:00:00.250Z").instant();
        assert_eq!(DateTime::in_oslo(winter).as_str(), "2026-01-15T11:00:00.25+01:00");
        let summer = read("2026-07-15T10:00:00Z").instant();
        assert_eq!(DateTime::in_oslo(summer).as_str(), "2026-07-15T12:00:00+02:00");
        assert_eq!(read("2026-07-15T12:00:00+02:00"), DateTime::in_oslo(summer));
    }

    #[test]
    fn other_shapes_are_refused() {
        for text in [
            "",
            "2026-01-15",
            "2026-01-15 10:00:00",
            "2026-13-15T10:00:00Z",
            "2026-02-30T10:00:00Z",
            "2026-01-15T24:00:00Z",
            "2026-01-15T10:00:00+1:00",
            "2026-01-15T10:00:00+01",
            "2026-01-15T10:00:00.Z",
            "2026-01-15T10:00:00[Europe/Oslo]",
            "2026-01-15T10:00:00.1234567890Z",
            "1768471200",
            "2026-01-15T10:00:00+99:00",
            "æ026-01-15T10:00:00Z",
        ] {
            assert_eq!(text.parse::<DateTime>(), Err(NotADateTime), "{text}");
        }
    }
}
