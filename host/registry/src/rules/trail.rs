//! How an answer came about, for people and as JSON. Never holds who the receiver is.

use serde::Serialize;

use super::fact::{Condition, Finding, Source};

/// A condition, and what was found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Seen {
    /// The condition, as in the rules.
    pub condition: String,
    /// Whether it is met.
    pub met: bool,
    /// Who said so.
    pub source: Source,
}

impl Seen {
    pub(super) fn new(condition: &Condition, finding: Finding) -> Self {
        Self {
            condition: condition.to_string(),
            met: finding.holds == condition.wanted,
            source: finding.source,
        }
    }

    fn words(&self) -> String {
        let met = if self.met { "yes" } else { "no" };
        format!("{}: {met}, says {}", self.condition, self.source)
    }
}

/// What became of a rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Fate {
    /// It decided.
    Decided,
    /// A condition is not met.
    NotMet,
    /// An operator's decision leaves it out.
    PassedOver,
}

/// A rule that was tried.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Tried {
    /// Its name.
    pub rule: String,
    /// What became of it.
    pub fate: Fate,
    /// Its conditions, as far as they were asked.
    pub conditions: Vec<Seen>,
}

/// An operator's decision that was heeded.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Heeded {
    /// What it says.
    pub decision: String,
    /// Why, in the operator's words.
    pub reason: String,
}

/// A record of the rule that decided.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RecordTrail {
    /// Its name in the rules.
    pub record: String,
    /// Its service.
    pub service: String,
    /// Its own conditions, as far as they were asked.
    pub conditions: Vec<Seen>,
    /// Whether it is in the answer.
    pub made: bool,
    /// Why it could not be made.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failure: Option<String>,
}

/// How the answer for one process came about.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Trail {
    /// The process.
    pub process: String,
    /// Its category.
    pub category: Option<String>,
    /// Operators' decisions, which come before all rules.
    pub overrides: Vec<Heeded>,
    /// The rules, in the order in which they were tried.
    pub rules: Vec<Tried>,
    /// The rule that decided.
    pub decided_by: Option<String>,
    /// Its reason, or why nothing was decided.
    pub reason: String,
    /// What the rule gave.
    pub records: Vec<RecordTrail>,
}

impl Trail {
    /// The trail in words, one step a line.
    pub fn words(&self) -> Vec<String> {
        let category = self.category.as_deref().unwrap_or("none");
        let mut lines = vec![format!("process {}, category {category}", self.process)];
        for heeded in &self.overrides {
            lines.push(format!("an operator decided: {} ({})", heeded.decision, heeded.reason));
        }
        for tried in &self.rules {
            let fate = match tried.fate {
                Fate::Decided => "decides",
                Fate::NotMet => "does not apply",
                Fate::PassedOver => "is passed over, because of the operator's decision",
            };
            lines.push(format!("rule {} {fate}", tried.rule));
            lines.extend(tried.conditions.iter().map(|seen| format!("  {}", seen.words())));
        }
        lines.push(format!("because {}", self.reason));
        for record in &self.records {
            let outcome = match (&record.failure, record.made) {
                (Some(failure), _) => format!("could not be made: {failure}"),
                (None, true) => format!("made, service {}", record.service),
                (None, false) => "not made".to_owned(),
            };
            lines.push(format!("record {}: {outcome}", record.record));
            lines.extend(record.conditions.iter().map(|seen| format!("  {}", seen.words())));
        }
        lines
    }
}
