//! Calendars for tests, without a host.

use crate::time::{Calendar, Day, Moment};
use crate::{Civil, Decision};

/// The moment of an RFC 3339 text; 0 when it is none.
pub fn moment(text: &str) -> u64 {
    Moment::try_from(text.to_owned()).map_or(0, |moment| moment.0)
}

/// The version and the moment of a decision to update.
pub fn updates(decision: &Decision) -> Option<(&str, Option<u64>)> {
    match decision {
        Decision::Update(choice) => Some((&choice.version, choice.not_before)),
        _ => None,
    }
}

/// A place where it is always UTC.
#[derive(Debug, Clone, Copy)]
pub struct Utc;

/// Norway, by the rule that holds since 1996: summer is from the last Sunday of March to that of October, 01:00 UTC.
#[derive(Debug, Clone, Copy)]
pub struct Oslo;

impl Calendar for Utc {
    fn civil(&self, moment: u64) -> Civil {
        at_offset(moment, 0)
    }

    fn moment(&self, civil: Civil) -> Option<u64> {
        in_utc(civil, 0)
    }
}

impl Calendar for Oslo {
    fn civil(&self, moment: u64) -> Civil {
        at_offset(moment, offset(moment))
    }

    fn moment(&self, civil: Civil) -> Option<u64> {
        let (summer, winter) = (in_utc(civil, 2)?, in_utc(civil, 1)?);
        match (offset(summer), offset(winter)) {
            // Before a change and after it: what comes twice is the first of both.
            (2, _) => Some(summer),
            // Left out: the clock that was right before the gap, and now runs an hour late.
            _ => Some(winter),
        }
    }
}

fn at_offset(moment: u64, hours: i64) -> Civil {
    let local = i64::try_from(moment).unwrap_or(i64::MAX / 2) + hours * 3600;
    let seconds = u32::try_from(local.rem_euclid(86_400)).unwrap_or(0);
    let minutes = u16::try_from(seconds / 60).unwrap_or(0);
    Civil {
        second: u8::try_from(seconds % 60).unwrap_or(0),
        ..Day::of_utc(local).at(minutes)
    }
}

fn in_utc(civil: Civil, hours: i64) -> Option<u64> {
    let day = Day::of(civil);
    let found = day.at(0);
    if (found.month, found.day) != (civil.month, civil.day) || civil.hour > 23 || civil.minute > 59 || civil.second > 59
    {
        return None;
    }
    let of_day = i64::from(civil.hour) * 3600 + i64::from(civil.minute) * 60 + i64::from(civil.second);
    u64::try_from(day.number() * 86_400 + of_day - hours * 3600).ok()
}

fn offset(moment: u64) -> i64 {
    let year = at_offset(moment, 0).year;
    let change = |month| {
        let last = Day::of(Civil {
            year,
            month,
            day: 31,
            hour: 0,
            minute: 0,
            second: 0,
            weekday: 0,
        });
        let sunday = last.plus(-i64::from(last.weekday() % 7));
        in_utc(sunday.at(60), 0).unwrap_or(0)
    };
    if (change(3)..change(10)).contains(&moment) {
        2
    } else {
        1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn norway_changes_its_clocks_as_the_law_says() {
        for (text, hour) in [
            ("2026-03-29T00:59:59Z", 1),
            ("2026-03-29T01:00:00Z", 3),
            ("2026-10-25T00:30:00Z", 2),
            ("2026-10-25T01:00:00Z", 2),
            ("2026-10-25T02:00:00Z", 3),
        ] {
            let civil = Oslo.civil(moment(text));
            assert_eq!((civil.hour, civil.weekday), (hour, 7), "{text}");
        }
        let half_past_two = |month, day| Civil {
            year: 2026,
            month,
            day,
            hour: 2,
            minute: 30,
            second: 0,
            weekday: 0,
        };
        let at = |text: &str| Some(moment(text));
        assert_eq!(Oslo.moment(half_past_two(3, 29)), at("2026-03-29T01:30:00Z"));
        assert_eq!(Oslo.moment(half_past_two(10, 25)), at("2026-10-25T00:30:00Z"));
        assert_eq!(Oslo.moment(half_past_two(7, 1)), at("2026-07-01T00:30:00Z"));
        assert_eq!(Oslo.moment(half_past_two(2, 31)), None);
        assert_eq!(Utc.moment(half_past_two(2, 17)), at("2026-02-17T02:30:00Z"));
    }
}
