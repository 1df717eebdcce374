//! What stays of a decision: it is kept with the conversation, so that "why did it go there?" has an answer.

use budstikke_store::ROUTE_BYTES;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::Decision;
use crate::registry::Source;

/// A decision as it is kept. Without person data.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Route)]
pub struct Kept {
    /// The message service that was chosen.
    pub service_identifier: String,
    /// The adapter that serves it; absent when none does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub adapter: Option<String>,
    /// When it was decided.
    #[schema(value_type = String, format = DateTime)]
    pub decided: Timestamp,
    /// Each step in words, in order.
    pub trail: Vec<String>,
}

impl Kept {
    /// Of a decision that found a way; none of one that did not.
    pub fn of(decision: &Decision, source: Source, decided: Timestamp) -> Option<Self> {
        let chosen = decision.capability.as_ref()?;
        let mut trail = vec![told(source)];
        trail.extend(decision.trail.iter().cloned());
        Some(Self {
            service_identifier: chosen.service.clone(),
            adapter: decision.adapter.clone(),
            decided,
            trail,
        })
    }

    /// For the store: at most [`ROUTE_BYTES`]. Steps in the middle give way to the last ones, which say what was chosen.
    pub fn to_json(&self) -> Option<String> {
        let mut kept = self.clone();
        loop {
            let json = serde_json::to_string(&kept).ok()?;
            if json.len() <= ROUTE_BYTES {
                return Some(json);
            }
            if kept.trail.len() < 3 {
                return None;
            }
            let middle = kept.trail.len() / 2;
            kept.trail.remove(middle);
        }
    }
}

/// How the answer was known, in words.
pub fn told(source: Source) -> String {
    match source {
        Source::OwnList => "The receiver stands in the list of this installation.".to_owned(),
        Source::WithoutReceiver => {
            "The message names no receiver; the list of this installation says which services take such.".to_owned()
        }
        Source::AddressService => "The address service was asked.".to_owned(),
        Source::LastAnswer(at) => {
            let at = Timestamp::from_millisecond(at)
                .map(|at| at.to_string())
                .unwrap_or_default();
            format!("The address service could not be asked; what it said at {at} was used.")
        }
    }
}
