//! Days on which nothing is changed.

use budstikke_policy_sdk::Calendar;
use budstikke_policy_sdk::time::Day;
use serde::Deserialize;

/// Whole days at the place of the schedule, the last one included.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Freeze {
    /// The first day.
    pub from: Day,
    /// The last day.
    pub to: Day,
    /// Why, for the operators of later.
    pub reason: Option<String>,
}

/// The freeze that a moment lies in, and its end.
pub(crate) fn frozen<'a>(freezes: &'a [Freeze], calendar: &dyn Calendar, moment: u64) -> Option<(&'a Freeze, u64)> {
    let today = Day::of(calendar.civil(moment));
    let freeze = freezes
        .iter()
        .find(|freeze| freeze.from <= today && today <= freeze.to)?;
    let end = calendar.moment(freeze.to.plus(1).at(0))?;
    (end > moment).then_some((freeze, end))
}

/// `nothing is changed from 2026-12-20 to 2027-01-03 (Christmas)`
impl std::fmt::Display for Freeze {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "nothing is changed from {} to {}", self.from, self.to)?;
        match &self.reason {
            Some(reason) => write!(f, " ({reason})"),
            None => Ok(()),
        }
    }
}
