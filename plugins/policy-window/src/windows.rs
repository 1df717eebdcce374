//! Maintenance windows, in the time of the place of the schedule.

use std::fmt;

use budstikke_policy_sdk::Calendar;
use budstikke_policy_sdk::time::{Day, read_time};
use serde::Deserialize;

/// How far ahead a window is looked for, days.
pub(crate) const AHEAD: i64 = 14;

/// A time of day in which updates may be made.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Window {
    /// The days on which it opens; none: every day.
    pub days: Option<Vec<Weekday>>,
    /// When it opens.
    pub from: TimeOfDay,
    /// When it closes. On the next day, when that is not after `from`.
    pub to: TimeOfDay,
}

/// A day of the week.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
#[allow(missing_docs, reason = "the names say it")]
pub enum Weekday {
    Mon = 1,
    Tue,
    Wed,
    Thu,
    Fri,
    Sat,
    Sun,
}

/// Minutes since midnight, written `HH:MM`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(try_from = "String")]
pub struct TimeOfDay(u16);

impl TryFrom<String> for TimeOfDay {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        read_time(&text)
            .map(Self)
            .ok_or_else(|| format!("`{text}` is no time of day; write one like `22:30` (midnight is `00:00`)"))
    }
}

/// Where a moment stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Standing {
    Inside,
    /// The next window opens then.
    Before(u64),
    /// None opens within [`AHEAD`].
    Never,
}

/// Looks at all windows; there is at least one.
pub(crate) fn standing(windows: &[Window], calendar: &dyn Calendar, moment: u64) -> Standing {
    let today = Day::of(calendar.civil(moment));
    let mut next = None;
    // From yesterday on: what opened then can still be open.
    for day in (-1..=AHEAD).map(|ahead| today.plus(ahead)) {
        for (opens, closes) in windows.iter().filter_map(|window| window.on(calendar, day)) {
            if (opens..closes).contains(&moment) {
                return Standing::Inside;
            }
            if opens > moment && next.is_none_or(|next| opens < next) {
                next = Some(opens);
            }
        }
        // Tomorrow's windows open after today's.
        if let Some(next) = next
            && day > today
        {
            return Standing::Before(next);
        }
    }
    next.map_or(Standing::Never, Standing::Before)
}

impl Window {
    /// When it opens and closes that day. None on other days, and when the clocks leave it out in spring.
    fn on(&self, calendar: &dyn Calendar, day: Day) -> Option<(u64, u64)> {
        if let Some(days) = &self.days
            && !days.iter().any(|known| *known as u8 == day.weekday())
        {
            return None;
        }
        let last = day.plus(i64::from(self.to <= self.from));
        let opens = calendar.moment(day.at(self.from.0))?;
        let closes = calendar.moment(last.at(self.to.0))?;
        (opens < closes).then_some((opens, closes))
    }
}

/// `mon, tue 22:00-05:00`
impl fmt::Display for Window {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.days {
            None => f.write_str("every day")?,
            Some(days) => {
                let names: Vec<String> = days.iter().map(|day| format!("{day:?}").to_lowercase()).collect();
                f.write_str(&names.join(", "))?;
            }
        }
        write!(f, " {}-{}", self.from, self.to)
    }
}

impl fmt::Display for TimeOfDay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:02}:{:02}", self.0 / 60, self.0 % 60)
    }
}
