//! The decision: a pure function over the rules and what is known so far.
//!
//! It either decides or names the next fact that it needs. So a register is asked only when a rule that is reached depends on it, and the
//! same function decides in tests, in `explain` and in look-ups.

use std::sync::Arc;

use super::fact::{Condition, Fact, Facts, Finding, Source};
use super::overruling::Overruling;
use super::table::{Chapter, Outcome, Refusal, Rule, Template};
use super::trail::{Fate, Seen, Tried};

/// The next step.
#[derive(Debug)]
pub enum Step {
    /// This must be found out first. The rules that were tried before it are of use when nobody can say.
    Ask(Fact, Vec<Tried>),
    /// It is decided.
    Decided(Verdict),
}

/// What was decided.
#[derive(Debug)]
pub struct Verdict {
    /// What the receiver is reached by.
    pub ruling: Ruling,
    /// The rule that decided; `None`: an operator, or nobody.
    pub rule: Option<String>,
    /// Why, in words.
    pub reason: String,
    /// All rules that were tried.
    pub tried: Vec<Tried>,
}

/// What comes of it.
#[derive(Debug)]
pub enum Ruling {
    /// These records; none: the receiver does not take the process.
    Records(Vec<Arc<Template>>),
    /// The question cannot be answered so.
    Refused(Refusal),
}

/// Applies the rules of a chapter. An operator's `Only` stands for the facts about the receiver; what the caller asks still counts.
pub fn decide(chapter: &Chapter, overruling: &Overruling, facts: &Facts) -> Step {
    let nothing = |reason: String, tried| {
        Step::Decided(Verdict {
            ruling: Ruling::Records(Vec::new()),
            rule: None,
            reason,
            tried,
        })
    };
    if let Some(reason) = &overruling.closed {
        return nothing(reason.clone(), Vec::new());
    }
    let mut tried = Vec::new();
    for rule in &chapter.rules {
        let mut conditions = Vec::new();
        let (ruling, fate) = match allowed(rule, overruling) {
            None => (None, Fate::PassedOver),
            Some(ruling) => {
                let given = overruling.only.is_some();
                match all_met(&rule.when, facts, given, &mut conditions) {
                    Err(fact) => return Step::Ask(fact, tried),
                    Ok(true) => (Some(ruling), Fate::Decided),
                    Ok(false) => (None, Fate::NotMet),
                }
            }
        };
        tried.push(Tried {
            rule: rule.name.clone(),
            fate,
            conditions,
        });
        if let Some(ruling) = ruling {
            let reason = if is_overruled(rule, &ruling, &tried) {
                overruling.left(&rule.reason)
            } else {
                rule.reason.clone()
            };
            return Step::Decided(Verdict {
                ruling,
                rule: Some(rule.name.clone()),
                reason,
                tried,
            });
        }
    }
    let reason = if overruling.heeded.is_empty() {
        "no rule applies"
    } else {
        "no rule is left after the operator's decision"
    };
    nothing(reason.to_owned(), tried)
}

/// Whether an operator's decision had a part in it that this rule decides, or in what it gives.
fn is_overruled(rule: &Rule, ruling: &Ruling, tried: &[Tried]) -> bool {
    let fewer = match ruling {
        Ruling::Records(left) => left.len() < rule.outcome.records().len(),
        Ruling::Refused(_) => false,
    };
    let given = |seen: &Seen| seen.source == Source::Override;
    fewer
        || tried
            .iter()
            .any(|tried| tried.fate == Fate::PassedOver || tried.conditions.iter().any(given))
}

/// What is left of a rule's outcome after the operator's decisions; `None`: the rule is passed over.
fn allowed(rule: &Rule, overruling: &Overruling) -> Option<Ruling> {
    match &rule.outcome {
        Outcome::Records(records) if !records.is_empty() => {
            let left: Vec<_> = records
                .iter()
                .filter(|record| overruling.allows(&record.service))
                .cloned()
                .collect();
            (!left.is_empty()).then_some(Ruling::Records(left))
        }
        // What the operator knows better about the receiver stops nothing.
        _ if overruling.only.is_some() && rule.when.iter().any(|condition| condition.fact.is_about_receiver()) => None,
        // The end of the road for those who are not registered; the operator says that this one is reached.
        _ if overruling.only.is_some() && rule.when.is_empty() => None,
        Outcome::Records(_) => Some(Ruling::Records(Vec::new())),
        Outcome::Refused(refusal) => Some(Ruling::Refused(*refusal)),
    }
}

/// Whether all conditions are met; an error names the fact that must be found out first. With `given`, those about the receiver are.
fn all_met(conditions: &[Condition], facts: &Facts, given: bool, seen: &mut Vec<Seen>) -> Result<bool, Fact> {
    for condition in conditions {
        let finding = if given && condition.fact.is_about_receiver() {
            Finding {
                holds: condition.wanted,
                source: Source::Override,
            }
        } else {
            facts.get(&condition.fact).ok_or_else(|| condition.fact.clone())?
        };
        seen.push(Seen::new(condition, finding));
        if finding.holds != condition.wanted {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Whether a record of the decision is made, and what was seen; an error names the fact that must be found out first.
pub fn wanted(template: &Template, facts: &Facts) -> Result<(bool, Vec<Seen>), Fact> {
    let mut seen = Vec::new();
    let met = all_met(&template.when, facts, false, &mut seen)?;
    Ok((met, seen))
}
