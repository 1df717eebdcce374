//! One process of a question: the decision, the records, and how it came about.

use std::sync::Arc;

use budstikke_message::identifier::ProcessId;

use super::error::LookupError;
use super::inquiry::Inquiry;
use super::{facts, record};
use crate::data::Process;
use crate::model::ServiceRecord;
use crate::rules::{
    Chapter, Facts, Overruling, RecordTrail, Refusal, Ruling, Step, Template, Trail, Verdict, decide, wanted,
};

/// What came of one process.
pub(super) struct Decision {
    pub(super) process: ProcessId,
    pub(super) records: Vec<ServiceRecord>,
    /// What could not be decided or made, with the service when one was chosen.
    pub(super) failures: Vec<(Option<String>, LookupError)>,
    pub(super) trail: Trail,
}

/// Decides for one process. Without a chapter, such receivers do not take it. A failure stays with the record that it concerns.
pub(super) async fn make(inquiry: &Inquiry<'_>, chapter: Option<&Chapter>, process: &Process) -> Decision {
    let overrides = inquiry.own().map(|own| own.overrides.as_slice()).unwrap_or_default();
    let overruling = Overruling::of(overrides, &process.identifier);
    let mut decision = Decision {
        process: process.identifier.clone(),
        records: Vec::new(),
        failures: Vec::new(),
        trail: Trail {
            process: process.identifier.to_string(),
            category: Some(process.category.clone()).filter(|name| !name.is_empty()),
            overrides: overruling.heeded.clone(),
            ..Trail::default()
        },
    };
    let Some(chapter) = chapter else {
        "no chapter of the rules is about such receivers and this category".clone_into(&mut decision.trail.reason);
        return decision;
    };
    let mut known = Facts::default();
    let Some(verdict) = decision
        .verdict(inquiry, chapter, &overruling, process, &mut known)
        .await
    else {
        return decision;
    };
    decision.trail.rules = verdict.tried;
    decision.trail.reason = verdict.reason;
    match verdict.ruling {
        Ruling::Records(templates) => {
            for template in templates {
                decision.add(inquiry, &template, process, &mut known).await;
            }
        }
        Ruling::Refused(Refusal::Level) => decision.failures.push((
            None,
            LookupError::LevelNotAvailable {
                level: inquiry.query.level,
                process: process.identifier.clone(),
            },
        )),
        Ruling::Refused(Refusal::Scope) => {
            let rule = verdict.rule.as_deref().unwrap_or_default();
            let scopes = inquiry.directory.rules.scopes_of(rule);
            decision.failures.push((None, LookupError::ScopeMissing { scopes }));
        }
    }
    decision.trail.decided_by = verdict.rule;
    decision
}

impl Decision {
    /// Asks until it is decided. `None`: something could not be found out, and is kept as a failure.
    async fn verdict(
        &mut self,
        inquiry: &Inquiry<'_>,
        chapter: &Chapter,
        overruling: &Overruling,
        process: &Process,
        known: &mut Facts,
    ) -> Option<Verdict> {
        loop {
            match decide(chapter, overruling, known) {
                Step::Decided(verdict) => return Some(verdict),
                Step::Ask(fact, tried) => match facts::find(inquiry, &fact, process).await {
                    Ok(finding) => known.add(fact, finding),
                    Err(error) => {
                        self.trail.rules = tried;
                        self.trail.reason = format!("whether {fact} could not be found out: {error}");
                        self.failures.push((None, error));
                        return None;
                    }
                },
            }
        }
    }

    async fn add(&mut self, inquiry: &Inquiry<'_>, template: &Arc<Template>, process: &Process, known: &mut Facts) {
        let mut trail = RecordTrail {
            record: template.name.clone(),
            service: template.service.to_string(),
            conditions: Vec::new(),
            made: false,
            failure: None,
        };
        let made = loop {
            match wanted(template, known) {
                Ok((is_wanted, seen)) => {
                    trail.conditions = seen;
                    break if is_wanted {
                        record::make(inquiry, template, process).await.map(Some)
                    } else {
                        Ok(None)
                    };
                }
                Err(fact) => match facts::find(inquiry, &fact, process).await {
                    Ok(finding) => known.add(fact, finding),
                    Err(error) => break Err(error),
                },
            }
        };
        match made {
            Ok(record) => {
                trail.made = record.is_some();
                self.records.extend(record);
            }
            Err(error) => {
                trail.failure = Some(error.to_string());
                self.failures.push((Some(template.service.to_string()), error));
            }
        }
        self.trail.records.push(trail);
    }
}
