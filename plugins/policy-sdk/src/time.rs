//! Moments, days, and how to say them.
//!
//! What a moment is called at the place of the schedule, only the host knows: [`Calendar`]. Counting days needs no place.

use serde::Deserialize;

use crate::Civil;

/// Seconds of a day.
const DAY: i64 = 86_400;

/// Days and times at the place of the schedule.
pub trait Calendar {
    /// A moment there.
    fn civil(&self, moment: u64) -> Civil;

    /// The moment of a day and time there; what the clocks leave out in spring is moved on, of what comes twice in autumn the
    /// first is taken. None when there is no such day.
    fn moment(&self, civil: Civil) -> Option<u64>;
}

/// A moment in a reason: `Tuesday 2026-02-17 11:00`.
pub fn spoken(calendar: &dyn Calendar, moment: u64) -> String {
    let Civil {
        year,
        month,
        day,
        hour,
        minute,
        weekday,
        ..
    } = calendar.civil(moment);
    let names = [
        "Monday",
        "Tuesday",
        "Wednesday",
        "Thursday",
        "Friday",
        "Saturday",
        "Sunday",
    ];
    let name = names
        .get(usize::from(weekday).wrapping_sub(1))
        .copied()
        .unwrap_or("day");
    format!("{name} {year:04}-{month:02}-{day:02} {hour:02}:{minute:02}")
}

/// A moment as settings write it, RFC 3339: `2026-02-17T11:00:00Z`, also with `+01:00`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(try_from = "String")]
pub struct Moment(
    /// Seconds since 1970-01-01T00:00:00Z.
    pub u64,
);

impl TryFrom<String> for Moment {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        read_moment(&text)
            .map(Self)
            .ok_or_else(|| format!("`{text}` is no date and time; write one like `2026-02-17T11:00:00Z`"))
    }
}

fn read_moment(text: &str) -> Option<u64> {
    let (day, rest) = text.split_once(['T', 't', ' '])?;
    let day = Day::read(day)?;
    let (clock, zone) = rest.split_at_checked(8)?;
    let (minutes, seconds) = clock.rsplit_once(':')?;
    let seconds = two_digits(seconds, 60)?;
    let east = match zone {
        "Z" | "z" => 0,
        _ => match zone.split_at_checked(1)? {
            ("+", offset) => i64::from(read_time(offset)?),
            ("-", offset) => -i64::from(read_time(offset)?),
            _ => return None,
        },
    };
    let at = day.0 * DAY + (i64::from(read_time(minutes)?) - east) * 60 + i64::from(seconds);
    u64::try_from(at).ok()
}

/// Minutes since midnight of `HH:MM`.
pub fn read_time(text: &str) -> Option<u16> {
    let (hour, minute) = text.split_once(':')?;
    Some(two_digits(hour, 24)? * 60 + two_digits(minute, 60)?)
}

fn two_digits(text: &str, end: u16) -> Option<u16> {
    let number = digits(text, 2)?.try_into().ok()?;
    (number < end).then_some(number)
}

fn digits(text: &str, count: usize) -> Option<u32> {
    let good = text.len() == count && text.bytes().all(|digit| digit.is_ascii_digit());
    good.then(|| text.parse().ok())?
}

/// A day of the calendar, at no place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(try_from = "String")]
pub struct Day(
    /// Days since 1970-01-01.
    i64,
);

impl Day {
    /// The day of a time of day.
    pub fn of(civil: Civil) -> Self {
        // Years begin in March, so that the odd day of leap years is their last.
        let year = i64::from(civil.year) - i64::from(civil.month < 3);
        let month = (i64::from(civil.month) + 9) % 12;
        let days = (153 * month + 2) / 5 + i64::from(civil.day) - 1;
        Self(365 * year + year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400) + days - 719_468)
    }

    /// So many days later.
    #[must_use]
    pub fn plus(self, days: i64) -> Self {
        Self(self.0.saturating_add(days))
    }

    /// From 1, Monday, to 7, Sunday.
    pub fn weekday(self) -> u8 {
        // 1970-01-01 was a Thursday.
        u8::try_from((self.0 + 3).rem_euclid(7) + 1).unwrap_or(1)
    }

    /// So many minutes after its midnight, in the words of the contract.
    pub fn at(self, minutes: u16) -> Civil {
        let from_march = self.0 + 719_468;
        let era = from_march.div_euclid(146_097);
        let of_era = from_march.rem_euclid(146_097);
        let year_of_era = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
        let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let month = (5 * of_year + 2) / 153;
        let day = of_year - (153 * month + 2) / 5 + 1;
        let month = if month < 10 { month + 3 } else { month - 9 };
        let year = year_of_era + era * 400 + i64::from(month < 3);
        let small = |number: i64| u8::try_from(number).unwrap_or(0);
        Civil {
            year: i16::try_from(year).unwrap_or(i16::MAX),
            month: small(month),
            day: small(day),
            hour: small(i64::from(minutes / 60)),
            minute: small(i64::from(minutes % 60)),
            second: 0,
            weekday: self.weekday(),
        }
    }

    /// `YYYY-MM-DD`; none when there is no such day.
    fn read(text: &str) -> Option<Self> {
        let mut parts = text.split('-');
        let (year, month, day) = (parts.next()?, parts.next()?, parts.next()?);
        let civil = Civil {
            year: digits(year, 4)?.try_into().ok()?,
            month: digits(month, 2)?.try_into().ok()?,
            day: digits(day, 2)?.try_into().ok()?,
            hour: 0,
            minute: 0,
            second: 0,
            weekday: 0,
        };
        let found = Self::of(civil);
        let back = found.at(0);
        let same = (back.year, back.month, back.day) == (civil.year, civil.month, civil.day);
        (parts.next().is_none() && same).then_some(found)
    }

    /// Days since 1970-01-01.
    pub(crate) fn number(self) -> i64 {
        self.0
    }

    /// The day of a moment in UTC.
    pub(crate) fn of_utc(seconds: i64) -> Self {
        Self(seconds.div_euclid(DAY))
    }
}

impl TryFrom<String> for Day {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        Self::read(&text).ok_or_else(|| format!("`{text}` is no day; write one like `2026-12-24`"))
    }
}

impl std::fmt::Display for Day {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Civil { year, month, day, .. } = self.at(0);
        write!(f, "{year:04}-{month:02}-{day:02}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Oslo, moment};

    #[test]
    fn days_are_counted_as_the_calendar_does() {
        for (text, number, weekday) in [
            ("1970-01-01", 0, 4),
            ("2000-02-29", 11_016, 2),
            ("2024-02-29", 19_782, 4),
            ("2026-02-17", 20_501, 2),
            ("2026-12-31", 20_818, 4),
        ] {
            let day = Day::read(text).unwrap();
            assert_eq!(
                (day.number(), day.weekday(), day.to_string().as_str()),
                (number, weekday, text)
            );
        }
        for number in -200_000..200_000 {
            assert_eq!(Day::of(Day(number).at(0)), Day(number));
        }
    }

    #[test]
    fn days_that_do_not_exist_are_refused() {
        for text in [
            "2026-02-29",
            "2026-13-01",
            "2026-00-10",
            "2026-1-1",
            "2026-01-01-01",
            "26-01-01",
            "+026-01-01",
            "",
        ] {
            assert_eq!(Day::read(text), None, "{text}");
        }
    }

    #[test]
    fn moments_are_read_as_rfc_3339_writes_them() {
        assert_eq!(read_moment("1970-01-01T00:00:00Z"), Some(0));
        assert_eq!(read_moment("2026-02-17T11:00:00Z"), Some(1_771_326_000));
        assert_eq!(read_moment("2026-02-17T12:00:00+01:00"), Some(1_771_326_000));
        assert_eq!(read_moment("2026-02-17 05:30:00-05:30"), Some(1_771_326_000));
        for text in [
            "",
            "2026-02-17",
            "2026-02-17T11:00Z",
            "2026-02-17T11:00:00",
            "2026-02-17T24:00:00Z",
            "2026-02-17T11:60:00Z",
            "2026-02-17T11:00:00+1",
            "2026-02-30T11:00:00Z",
            "1969-12-31T23:59:59Z",
            "2026-02-17T11:00:0å",
        ] {
            assert_eq!(read_moment(text), None, "{text}");
        }
    }

    #[test]
    fn moments_are_said_as_clocks_at_the_place_show_them() {
        assert_eq!(
            spoken(&Oslo, moment("2026-02-17T10:05:00Z")),
            "Tuesday 2026-02-17 11:05"
        );
        assert_eq!(spoken(&Oslo, moment("2026-07-05T22:30:00Z")), "Monday 2026-07-06 00:30");
    }
}
