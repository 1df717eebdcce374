//! Points in time, as Altinn wants them and as it writes them.

/// Seconds of a day.
const DAY: i64 = 86_400;

/// Time in Norway with its offset: `2026-03-25T12:38:23+01:00`. Seconds since 1970-01-01T00:00:00Z.
pub(crate) fn in_oslo(seconds: u64) -> Stamp {
    let seconds = i64::try_from(seconds).unwrap_or(i64::MAX / 2);
    Stamp {
        seconds,
        offset: if is_summer(seconds) { 2 } else { 1 },
    }
}

/// A point in time with a fixed offset.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Stamp {
    seconds: i64,
    /// Hours east of Greenwich.
    offset: i64,
}

impl Stamp {
    /// So many seconds later, with the same offset, also when clocks change in between.
    ///
    /// Spec: DPO and DPV, 4.4.
    pub(crate) fn later(self, seconds: u64) -> Self {
        let seconds = i64::try_from(seconds).unwrap_or(i64::MAX / 4);
        Self {
            seconds: self.seconds.saturating_add(seconds),
            ..self
        }
    }

    /// ISO 8601, whole seconds.
    pub(crate) fn text(self) -> String {
        let local = self.seconds + self.offset * 3600;
        let (year, month, day) = date(local.div_euclid(DAY));
        let time = local.rem_euclid(DAY);
        format!(
            "{year:04}-{month:02}-{day:02}T{:02}:{:02}:{:02}+{:02}:00",
            time / 3600,
            time / 60 % 60,
            time % 60,
            self.offset
        )
    }
}

/// Summer time: from the last Sunday of March to that of October, both at 01:00 UTC (directive 2000/84/EC).
fn is_summer(seconds: i64) -> bool {
    let (year, ..) = date(seconds.div_euclid(DAY));
    let last_sunday = |month| {
        let last = days_before(year, month, 31);
        // 1970-01-01 was a Thursday.
        last - (last + 4).rem_euclid(7)
    };
    let change = |month| last_sunday(month) * DAY + 3600;
    (change(3)..change(10)).contains(&seconds)
}

/// Days from 1970-01-01 to a date of the Gregorian calendar. The year is counted from March, so that the leap day comes
/// last in it.
fn days_before(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let (era, year_of_era) = (year.div_euclid(400), year.rem_euclid(400));
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468
}

/// The date of a day, the other way round.
fn date(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let (era, day_of_era) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 {
        month_from_march + 3
    } else {
        month_from_march - 9
    };
    (era * 400 + year_of_era + i64::from(month <= 2), month, day)
}

/// A time as Altinn writes it, with `Z` where it left the offset out. What is no such time stays as it is.
///
/// Spec: DPO and DPV, 4.9.
pub(crate) fn with_offset(text: &str) -> String {
    let time = text.split_once('T').map(|(_, time)| time);
    match time {
        Some(time) if !time.contains(['Z', 'z', '+', '-']) => format!("{text}Z"),
        _ => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn norway_has_summer_time_between_the_last_sundays_of_march_and_october() {
        for (seconds, text) in [
            (1_774_438_703, "2026-03-25T12:38:23+01:00"),
            (1_774_745_999, "2026-03-29T01:59:59+01:00"),
            (1_774_746_000, "2026-03-29T03:00:00+02:00"),
            (1_792_889_999, "2026-10-25T02:59:59+02:00"),
            (1_792_890_000, "2026-10-25T02:00:00+01:00"),
            (1_709_164_800, "2024-02-29T01:00:00+01:00"),
            (1_735_686_000, "2025-01-01T00:00:00+01:00"),
            (4_107_538_800, "2100-03-01T00:00:00+01:00"),
        ] {
            assert_eq!(in_oslo(seconds).text(), text, "{seconds}");
        }
    }

    #[test]
    fn t15_days_are_added_without_a_change_of_clocks() {
        let now = in_oslo(1_774_438_703);
        assert_eq!(now.later(7 * 86_400).text(), "2026-04-01T12:38:23+01:00");
        assert_eq!(now.later(300).text(), "2026-03-25T12:43:23+01:00");
    }

    #[test]
    fn t22_a_time_without_an_offset_is_utc() {
        for (written, read) in [
            ("2025-10-06T08:04:49.2", "2025-10-06T08:04:49.2Z"),
            ("2025-10-06T08:04:49.297889", "2025-10-06T08:04:49.297889Z"),
            ("2025-10-06T08:04:49", "2025-10-06T08:04:49Z"),
            ("2025-10-06T08:04:49.2Z", "2025-10-06T08:04:49.2Z"),
            ("2025-10-06T08:04:49.297889+00:00", "2025-10-06T08:04:49.297889+00:00"),
            ("2025-10-06T08:04:49-05:00", "2025-10-06T08:04:49-05:00"),
            ("no time", "no time"),
        ] {
            assert_eq!(with_offset(written), read);
        }
    }
}
