//! What operators have decided for one receiver and one process. It comes before all rules.

use std::collections::BTreeSet;

use budstikke_message::identifier::{ProcessId, ServiceId};

use super::trail::Heeded;
use crate::data::{Override, OverrideDecision};

/// The decisions that count for a process: those for it come before those for all processes, and the first that leaves no choice ends
/// the list.
#[derive(Debug, Clone, Default)]
pub struct Overruling {
    /// This service and no other.
    pub(super) only: Option<ServiceId>,
    /// None of these.
    pub(super) never: BTreeSet<ServiceId>,
    /// Why nothing at all is taken.
    pub(super) closed: Option<String>,
    /// The decisions in words.
    pub heeded: Vec<Heeded>,
}

impl Overruling {
    /// What counts of a receiver's decisions.
    pub fn of(overrides: &[Override], process: &ProcessId) -> Self {
        let mut overruling = Self::default();
        let own = overrides
            .iter()
            .filter(|decision| decision.process.as_ref() == Some(process));
        let general = overrides.iter().filter(|decision| decision.process.is_none());
        for Override { decision, reason, .. } in own.chain(general) {
            let words = match decision {
                OverrideDecision::Only(service) => format!("only {service}"),
                OverrideDecision::Never(service) => format!("never {service}"),
                OverrideDecision::Closed => "closed".to_owned(),
            };
            overruling.heeded.push(Heeded {
                decision: words,
                reason: reason.clone(),
            });
            match decision {
                OverrideDecision::Only(service) => overruling.only = Some(service.clone()),
                OverrideDecision::Closed => overruling.closed = Some(reason.clone()),
                OverrideDecision::Never(service) => {
                    overruling.never.insert(service.clone());
                    continue;
                }
            }
            break;
        }
        overruling
    }

    /// The reason of a rule that decides because of these decisions.
    pub(super) fn left(&self, reason: &str) -> String {
        let decisions: Vec<_> = self.heeded.iter().map(|heeded| heeded.decision.as_str()).collect();
        format!(
            "the operator's decision ({}) left this rule: {reason}",
            decisions.join(", ")
        )
    }

    pub(super) fn allows(&self, service: &ServiceId) -> bool {
        self.only.as_ref().is_none_or(|only| only == service) && !self.never.contains(service)
    }
}
