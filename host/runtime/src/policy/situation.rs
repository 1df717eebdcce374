//! What a policy can know, as data: kept, and shown to policies again.

use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use jiff::{Timestamp, Zoned};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::bindings::budstikke::plugin::situation as contract;
use crate::host::cut;

/// Bytes of a reason.
const REASON: usize = 2 << 10;

/// `situation.update` of the contract, which documents its parts. Moments are seconds since 1970.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[allow(missing_docs, reason = "documented in wit/policy.wit")]
pub struct Situation {
    pub target: String,
    pub organisation: String,
    pub environment: String,
    pub early_bird: bool,
    pub cause: Cause,
    pub now: u64,
    /// IANA name of the place of the schedule.
    pub zone: String,
    pub current: Option<String>,
    pub healthy: bool,
    pub last_good: Option<String>,
    pub previous: Option<String>,
    pub candidates: Vec<Candidate>,
    pub blocked: Vec<Blocked>,
    pub attempts: Vec<Attempt>,
    pub proposal: Option<Decision>,
    pub settings: Map<String, Value>,
}

/// `situation.cause`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[allow(missing_docs, reason = "documented in wit/policy.wit")]
pub enum Cause {
    #[default]
    Start,
    Schedule,
    Demand,
    Ended,
}

/// `situation.candidate`, with what else is known of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[allow(missing_docs, reason = "documented in wit/policy.wit")]
pub struct Candidate {
    pub version: String,
    pub channel: String,
    pub released: Option<u64>,
    pub schema: Option<u32>,
}

/// `situation.blocked`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs, reason = "documented in wit/policy.wit")]
pub struct Blocked {
    pub version: String,
    pub until: u64,
}

/// `situation.attempt`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs, reason = "documented in wit/policy.wit")]
pub struct Attempt {
    pub version: String,
    pub at: u64,
    pub outcome: Outcome,
}

/// `situation.outcome`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[allow(missing_docs, reason = "documented in wit/policy.wit")]
pub enum Outcome {
    Good,
    Failed(String),
}

/// `situation.decision`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[allow(missing_docs, reason = "documented in wit/policy.wit")]
pub enum Decision {
    Stay(String),
    #[serde(rename_all = "kebab-case")]
    Update {
        version: String,
        reason: String,
        not_before: Option<u64>,
    },
    GoBack(String),
    Pass(String),
}

impl Decision {
    /// Its reason in plain words.
    pub fn reason(&self) -> &str {
        match self {
            Self::Stay(reason) | Self::GoBack(reason) | Self::Pass(reason) | Self::Update { reason, .. } => reason,
        }
    }
}

impl std::fmt::Display for Decision {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Stay(reason) => write!(f, "stay: {reason}"),
            Self::GoBack(reason) => write!(f, "go back: {reason}"),
            Self::Pass(reason) => write!(f, "nothing to say: {reason}"),
            Self::Update {
                version,
                reason,
                not_before: None,
            } => write!(f, "update to {version}: {reason}"),
            Self::Update {
                version,
                reason,
                not_before: Some(moment),
            } => {
                let at = i64::try_from(*moment)
                    .ok()
                    .and_then(|at| Timestamp::from_second(at).ok());
                let at = at.map_or_else(|| moment.to_string(), |at| at.to_string());
                write!(f, "update to {version}, not before {at}: {reason}")
            }
        }
    }
}

impl From<contract::Decision> for Decision {
    fn from(decision: contract::Decision) -> Self {
        match decision {
            contract::Decision::Stay(reason) => Self::Stay(cut(reason, REASON)),
            contract::Decision::GoBack(reason) => Self::GoBack(cut(reason, REASON)),
            contract::Decision::Pass(reason) | contract::Decision::Other(reason) => Self::Pass(cut(reason, REASON)),
            contract::Decision::Update(choice) => Self::Update {
                version: choice.version,
                reason: cut(choice.reason, REASON),
                not_before: choice.not_before,
            },
        }
    }
}

impl From<&Decision> for contract::Decision {
    fn from(decision: &Decision) -> Self {
        match decision {
            Decision::Stay(reason) => Self::Stay(reason.clone()),
            Decision::GoBack(reason) => Self::GoBack(reason.clone()),
            Decision::Pass(reason) => Self::Pass(reason.clone()),
            Decision::Update {
                version,
                reason,
                not_before,
            } => Self::Update(contract::Choice {
                version: version.clone(),
                reason: reason.clone(),
                not_before: *not_before,
            }),
        }
    }
}

impl Situation {
    fn zone(&self) -> TimeZone {
        TimeZone::get(&self.zone).unwrap_or(TimeZone::UTC)
    }

    pub(super) fn civil_time(&self, moment: u64) -> contract::Civil {
        let at = i64::try_from(moment)
            .ok()
            .and_then(|at| Timestamp::from_second(at).ok())
            .unwrap_or(Timestamp::MAX);
        let at: Zoned = at.to_zoned(self.zone());
        contract::Civil {
            year: at.year(),
            month: at.month().unsigned_abs(),
            day: at.day().unsigned_abs(),
            hour: at.hour().unsigned_abs(),
            minute: at.minute().unsigned_abs(),
            second: at.second().unsigned_abs(),
            weekday: at.weekday().to_monday_one_offset().unsigned_abs(),
        }
    }

    pub(super) fn moment(&self, civil: contract::Civil) -> Option<u64> {
        let part = |value: u8| i8::try_from(value).ok();
        let at = DateTime::new(
            civil.year,
            part(civil.month)?,
            part(civil.day)?,
            part(civil.hour)?,
            part(civil.minute)?,
            part(civil.second)?,
            0,
        );
        let at = at.ok()?.to_zoned(self.zone()).ok()?;
        u64::try_from(at.timestamp().as_second()).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn oslo() -> Situation {
        Situation {
            zone: "Europe/Oslo".into(),
            ..Situation::default()
        }
    }

    #[test]
    fn moments_and_times_of_day_agree_on_both_days_when_the_clock_changes() {
        let situation = oslo();
        for (text, hour) in [
            ("2026-03-29T00:59:59Z", 1),
            ("2026-03-29T01:00:00Z", 3),
            ("2026-10-25T00:30:00Z", 2),
            ("2026-10-25T01:00:00Z", 2),
            ("2026-10-25T02:00:00Z", 3),
        ] {
            let at: Timestamp = text.parse().unwrap();
            let moment = u64::try_from(at.as_second()).unwrap();
            let civil = situation.civil_time(moment);
            assert_eq!((civil.hour, civil.weekday), (hour, 7), "{text}");
        }
        let half_past_two = |day, month| contract::Civil {
            year: 2026,
            month,
            day,
            hour: 2,
            minute: 30,
            second: 0,
            weekday: 0,
        };
        let at = |text: &str| u64::try_from(text.parse::<Timestamp>().unwrap().as_second()).ok();
        assert_eq!(situation.moment(half_past_two(29, 3)), at("2026-03-29T01:30:00Z"));
        assert_eq!(situation.moment(half_past_two(25, 10)), at("2026-10-25T00:30:00Z"));
        assert_eq!(situation.moment(half_past_two(31, 2)), None);
    }

    #[test]
    fn a_situation_reads_as_it_was_written() {
        let situation = Situation {
            candidates: vec![Candidate {
                version: "v4.0.8".into(),
                channel: "latest".into(),
                released: Some(7),
                schema: None,
            }],
            attempts: vec![Attempt {
                version: "v4.0.7".into(),
                at: 5,
                outcome: Outcome::Failed("ended with 1".into()),
            }],
            proposal: Some(Decision::Update {
                version: "v4.0.8".into(),
                reason: "newest".into(),
                not_before: None,
            }),
            ..oslo()
        };
        let text = serde_json::to_string(&situation).unwrap();
        assert_eq!(serde_json::from_str::<Situation>(&text).unwrap(), situation);
    }
}
