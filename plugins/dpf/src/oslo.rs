//! Dates and times in Norway, without a table of time zones.
//!
//! Summer time is that of the law since 1996, and of 1980 to 1995, when it ended in September. What lies before is winter time.

/// A date as XML writes it: `2017-05-23`, `2017-05-23+02:00`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct XmlDate {
    date: Date,
    /// As written; none: a date of no particular zone.
    zone: Option<String>,
}

/// A day of the Gregorian calendar, from year 1 on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Date {
    year: i64,
    month: i64,
    day: i64,
}

/// Seconds of winter time, and of summer time, ahead of UTC.
const WINTER: i64 = 3600;
const SUMMER: i64 = 7200;

const DAY: i64 = 86_400;

/// 0001-01-01T00:00:00Z in milliseconds: XML Schema has no year before it. Spec: DPF and DPFIO, 9.6.
const FIRST: i64 = -62_135_596_800_000;
/// 9999-12-30, in milliseconds: what is later has five digits.
const LAST: i64 = 253_402_128_000_000;

impl XmlDate {
    /// None when it is no date. The time of an xs:dateTime, which lax writers put here, is passed over.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let (date, rest) = text.split_at_checked(10)?;
        let zone = match rest.strip_prefix('T') {
            Some(time) => time.find(['Z', '+', '-']).map_or("", |at| &time[at..]),
            None => rest,
        };
        let zone = match zone {
            "" => None,
            "Z" => Some(zone.to_owned()),
            _ => is_offset(zone).then(|| Some(zone.to_owned()))?,
        };
        Some(Self {
            date: Date::parse(date)?,
            zone,
        })
    }

    /// Midnight as xs:dateTime: the absence of a zone stays.
    pub(crate) fn xml_midnight(&self) -> String {
        format!(
            "{}T00:00:00{}",
            self.date.text(),
            self.zone.as_deref().unwrap_or_default()
        )
    }

    /// Midnight with an offset: a date of no zone is Norwegian.
    pub(crate) fn midnight(&self) -> String {
        let offset = || offset(self.date.midnight_offset());
        format!(
            "{}T00:00:00{}",
            self.date.text(),
            self.zone.clone().unwrap_or_else(offset)
        )
    }
}

/// The date in Norway at a point in time, as xs:date with its offset. Milliseconds since 1970, bounded to years of four digits.
pub(crate) fn date_of(milliseconds: i64) -> String {
    let seconds = milliseconds.clamp(FIRST, LAST).div_euclid(1000);
    let ahead = offset_at(seconds);
    let date = Date::of_days((seconds + ahead).div_euclid(DAY));
    format!("{}{}", date.text(), offset(ahead))
}

/// Midnight, in Norway, of the day of a point in time in milliseconds since 1970.
pub(crate) fn midnight_of(milliseconds: i64) -> String {
    let seconds = milliseconds.clamp(FIRST, LAST).div_euclid(1000);
    let date = Date::of_days((seconds + offset_at(seconds)).div_euclid(DAY));
    format!("{}T00:00:00{}", date.text(), offset(date.midnight_offset()))
}

/// A point in time, in seconds since 1970, as xs:dateTime with the Norwegian offset.
pub(crate) fn time_of(seconds: i64) -> String {
    let seconds = seconds.clamp(FIRST / 1000, LAST / 1000);
    let ahead = offset_at(seconds);
    let local = seconds + ahead;
    let of_day = local.rem_euclid(DAY);
    format!(
        "{}T{:02}:{:02}:{:02}{}",
        Date::of_days(local.div_euclid(DAY)).text(),
        of_day / 3600,
        of_day / 60 % 60,
        of_day % 60,
        offset(ahead)
    )
}

/// The year in Norway at a point in time, in seconds since 1970.
pub(crate) fn year_of(seconds: i64) -> i64 {
    Date::of_days((seconds + offset_at(seconds)).div_euclid(DAY)).year
}

impl Date {
    fn parse(text: &str) -> Option<Self> {
        let mut parts = text.split('-');
        let mut number = |width: usize| {
            let part = parts.next()?;
            let digits = part.len() == width && part.bytes().all(|byte| byte.is_ascii_digit());
            digits.then(|| part.parse::<i64>().ok())?
        };
        let date = Self {
            year: number(4)?,
            month: number(2)?,
            day: number(2)?,
        };
        // What comes back as another day is none: 2026-02-30.
        (parts.next().is_none() && date.year > 0 && Self::of_days(date.days()) == date).then_some(date)
    }

    fn text(self) -> String {
        format!("{:04}-{:02}-{:02}", self.year, self.month, self.day)
    }

    /// Days since 1970-01-01. The year is counted from March, so that the leap day comes last in it.
    fn days(self) -> i64 {
        let year = if self.month <= 2 { self.year - 1 } else { self.year };
        let era = year.div_euclid(400);
        let year_of_era = year.rem_euclid(400);
        let day_of_year = (153 * ((self.month + 9) % 12) + 2) / 5 + self.day - 1;
        era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468
    }

    fn of_days(days: i64) -> Self {
        let days = days + 719_468;
        let era = days.div_euclid(146_097);
        let day_of_era = days.rem_euclid(146_097);
        let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
        let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let month = (5 * day_of_year + 2) / 153;
        let day = day_of_year - (153 * month + 2) / 5 + 1;
        let month = if month < 10 { month + 3 } else { month - 9 };
        let year = year_of_era + era * 400 + i64::from(month <= 2);
        Self { year, month, day }
    }

    /// Seconds ahead of UTC at midnight. The clock is changed later in the night.
    fn midnight_offset(self) -> i64 {
        offset_at(self.days() * DAY - WINTER)
    }
}

/// Seconds ahead of UTC at a point in time. The clocks change at 01:00 UTC.
fn offset_at(seconds: i64) -> i64 {
    let year = Date::of_days(seconds.div_euclid(DAY)).year;
    let ends = if year >= 1996 { 10 } else { 9 };
    let change = |month| last_sunday(year, month) * DAY + 3600;
    if year >= 1980 && (change(3)..change(ends)).contains(&seconds) {
        SUMMER
    } else {
        WINTER
    }
}

/// Days since 1970-01-01, which was a Thursday.
fn last_sunday(year: i64, month: i64) -> i64 {
    let day = if month == 9 { 30 } else { 31 };
    let last = Date { year, month, day }.days();
    last - (last + 4).rem_euclid(7)
}

fn offset(seconds: i64) -> String {
    format!("+{:02}:{:02}", seconds / 3600, seconds / 60 % 60)
}

/// `+02:00`.
fn is_offset(text: &str) -> bool {
    let digits = |part: &str| part.len() == 2 && part.bytes().all(|byte| byte.is_ascii_digit());
    text.strip_prefix(['+', '-'])
        .and_then(|rest| rest.split_once(':'))
        .is_some_and(|(hours, minutes)| digits(hours) && digits(minutes) && hours <= "14" && minutes <= "59")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_date_becomes_midnight_and_keeps_or_gets_its_zone() {
        let both = |text| {
            let date = XmlDate::parse(text).unwrap();
            (date.xml_midnight(), date.midnight())
        };
        let pair = |xml: &str, rest: &str| (xml.to_owned(), rest.to_owned());
        assert_eq!(
            both("2017-05-23"),
            pair("2017-05-23T00:00:00", "2017-05-23T00:00:00+02:00")
        );
        assert_eq!(
            both("2017-05-23+02:00"),
            pair("2017-05-23T00:00:00+02:00", "2017-05-23T00:00:00+02:00")
        );
        assert_eq!(
            both(" 2026-03-02Z "),
            pair("2026-03-02T00:00:00Z", "2026-03-02T00:00:00Z")
        );
        assert_eq!(both("2026-01-02T10:11:12").1, "2026-01-02T00:00:00+01:00");
        assert_eq!(both("2026-01-02T10:11:12.5-05:00").0, "2026-01-02T00:00:00-05:00");
    }

    #[test]
    fn the_clock_changes_in_the_night_after_midnight() {
        let midnight = |text| XmlDate::parse(text).unwrap().midnight();
        for (date, offset) in [
            ("2026-03-29", "+01:00"),
            ("2026-03-30", "+02:00"),
            ("2026-10-25", "+02:00"),
            ("2026-10-26", "+01:00"),
            ("1990-09-30", "+02:00"),
            ("1990-10-01", "+01:00"),
            ("1979-07-01", "+01:00"),
        ] {
            assert_eq!(midnight(date), format!("{date}T00:00:00{offset}"));
        }
    }

    #[test]
    fn what_is_no_date_is_none() {
        for text in [
            "",
            "i går",
            "2026-13-01",
            "2026-02-30",
            "2026-1-01",
            "0000-01-01",
            "2026-01-01+1",
            "2026-01-01x",
            "å017-05-23",
            "2017-05-2å",
        ] {
            assert_eq!(XmlDate::parse(text), None, "{text}");
        }
    }

    #[test]
    fn points_in_time_are_told_in_norwegian_time() {
        assert_eq!(date_of(1_458_514_800_000), "2016-03-21+01:00");
        assert_eq!(midnight_of(1_458_514_800_000), "2016-03-21T00:00:00+01:00");
        assert_eq!(date_of(1_467_324_000_000), "2016-07-01+02:00");
        assert_eq!(time_of(1_774_438_200), "2026-03-25T12:30:00+01:00");
        assert_eq!(time_of(1_774_746_000), "2026-03-29T03:00:00+02:00");
        assert_eq!(year_of(1_767_222_000), 2026);
        assert_eq!(year_of(1_767_221_999), 2025);
    }

    #[test]
    fn dates_before_the_first_year_become_its_first_day() {
        assert_eq!(date_of(-62_135_596_800_001), "0001-01-01+01:00");
        assert_eq!(date_of(i64::MIN), "0001-01-01+01:00");
        assert_eq!(midnight_of(i64::MIN), "0001-01-01T00:00:00+01:00");
        assert_eq!(date_of(i64::MAX).len(), 16);
    }
}
