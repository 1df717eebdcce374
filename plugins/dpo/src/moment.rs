//! Points in time as Altinn writes them.

/// A point in time: seconds since 1970-01-01T00:00:00Z, and nanoseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Moment {
    seconds: i64,
    nanoseconds: u32,
}

impl Moment {
    /// `2026-03-25T11:30:00Z`, with or without fractions (any number of digits), with `Z`, an offset, or neither, which
    /// means UTC. None for anything else.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (date, rest) = text.trim().split_once(['T', 't', ' '])?;
        let [year, month, day] = numbers(date, '-', [4, 2, 2])?;
        let time_end = rest
            .find(|char: char| !char.is_ascii_digit() && char != ':')
            .unwrap_or(rest.len());
        let (time, rest) = rest.split_at(time_end);
        // `+01:00` begins with a sign, so the time before it is whole.
        let [hour, minute, second] = numbers(time, ':', [2, 2, 2])?;
        let (fraction, zone) = match rest.strip_prefix('.') {
            None => ("", rest),
            Some(rest) => rest.split_at(rest.find(|char: char| !char.is_ascii_digit()).unwrap_or(rest.len())),
        };
        let in_range = (1..=12).contains(&month) && (1..=31).contains(&day) && hour < 24 && minute < 60 && second <= 60;
        if !in_range {
            return None;
        }
        let local = days_before(year, month, day) * 86_400 + hour * 3600 + minute * 60 + second;
        let mut nanoseconds = 0;
        for place in 0..9 {
            let digit = fraction.as_bytes().get(place).map_or(0, |byte| u32::from(byte - b'0'));
            nanoseconds = nanoseconds * 10 + digit;
        }
        Some(Self {
            seconds: local - offset(zone)?,
            nanoseconds,
        })
    }

    /// Seconds from here to `now` (since 1970); 0 when it lies ahead.
    pub(crate) fn age(self, now: u64) -> u64 {
        i64::try_from(now)
            .ok()
            .and_then(|now| u64::try_from(now - self.seconds).ok())
            .unwrap_or(0)
    }
}

/// Three numbers of fixed widths.
fn numbers(text: &str, separator: char, widths: [usize; 3]) -> Option<[i64; 3]> {
    let mut parts = text.split(separator);
    let mut values = [0; 3];
    for (value, width) in values.iter_mut().zip(widths) {
        let part = parts.next()?;
        if part.len() != width || !part.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        *value = part.parse().ok()?;
    }
    parts.next().is_none().then_some(values)
}

/// Seconds east of Greenwich.
fn offset(zone: &str) -> Option<i64> {
    let (sign, rest) = match zone {
        "" | "Z" | "z" => return Some(0),
        zone => (
            if zone.starts_with('-') { -1 } else { 1 },
            zone.strip_prefix(['+', '-'])?,
        ),
    };
    let (hours, minutes) = rest.split_once(':')?;
    let [hours, minutes, _] = numbers(&format!("{hours}:{minutes}:00"), ':', [2, 2, 2])?;
    Some(sign * (hours * 3600 + minutes * 60))
}

/// Days from 1970-01-01 to a date of the Gregorian calendar. The year is counted from March, so that the leap day comes
/// last in it.
fn days_before(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seconds(text: &str) -> i64 {
        Moment::parse(text)
            .unwrap_or_else(|| panic!("{text} is a time"))
            .seconds
    }

    #[test]
    fn times_are_read_in_every_form_that_altinn_writes() {
        assert_eq!(seconds("1970-01-01T00:00:00Z"), 0);
        assert_eq!(seconds("2026-03-25T11:30:00Z"), 1_774_438_200);
        assert_eq!(seconds("2026-03-25T12:30:00+01:00"), 1_774_438_200);
        assert_eq!(seconds("2026-03-25T11:30:00.2978891"), 1_774_438_200);
        assert_eq!(seconds("2026-03-25T06:00:00.5-05:30"), 1_774_438_200);
        assert_eq!(seconds("2024-02-29T00:00:00Z"), 1_709_164_800);
        assert_eq!(seconds("2000-03-01T00:00:00Z"), 951_868_800);
    }

    #[test]
    fn fractions_of_any_length_order_rightly() {
        let times = [
            "2026-03-25T11:30:00Z",
            "2026-03-25T11:30:00.05Z",
            "2026-03-25T11:30:00.2978891Z",
            "2026-03-25T11:30:00.5Z",
        ];
        assert!(times.map(Moment::parse).is_sorted());
    }

    #[test]
    fn what_is_no_time_is_not_taken_for_one() {
        for text in [
            "",
            "2026-03-25",
            "2026-13-25T11:30:00Z",
            "2026-3-25T11:30:00Z",
            "T",
            "2026-03-25T11:30Z",
            "2026-03-25T11:30:00+1",
            "2026-03-25T11:30:00Å",
            "20å6-03-25T11:30:00Z",
        ] {
            assert_eq!(Moment::parse(text), None, "{text}");
        }
    }

    #[test]
    fn age_is_never_negative() {
        let moment = Moment::parse("1970-01-01T00:01:40Z").unwrap();
        assert_eq!((moment.age(150), moment.age(50)), (50, 0));
    }
}
