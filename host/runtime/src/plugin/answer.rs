//! The contract's records as the house's types. What a guest may say is cut to what the contract keeps.

use crate::bindings::budstikke::plugin::types;
use crate::bindings::exports::budstikke::plugin::messaging;
use crate::host::cut;
use crate::services::{Description, Progress, Received, Sent, ServiceRules, StatusReport};

/// Bytes of a name, version, status or reference.
const SHORT: usize = 500;
/// Bytes of a text for people.
const TEXT: usize = 4 << 10;
/// Bytes of a raw receipt.
const RECEIPT: usize = 256 << 10;
/// Services, reports or problems in one answer.
const MANY: usize = 100;

pub(super) fn description(said: messaging::Description) -> Description {
    Description {
        name: cut(said.name, SHORT),
        version: cut(said.version, SHORT),
        services: said.services.into_iter().take(MANY).map(service).collect(),
        poll_interval: said.poll_interval,
    }
}

fn service(said: messaging::Service) -> ServiceRules {
    let mut rules = ServiceRules {
        id: cut(said.id, SHORT),
        ..ServiceRules::default()
    };
    for rule in said.rules {
        match rule {
            messaging::ServiceRule::UploadLimit(bytes) => rules.upload_limit = Some(bytes),
            messaging::ServiceRule::LifetimeHours(hours) => rules.lifetime_hours = Some(hours),
            messaging::ServiceRule::Channel(channel) => rules.channel = Some(cut(channel, SHORT)),
            messaging::ServiceRule::AnswersWithStatus => rules.answers_with_status = true,
            messaging::ServiceRule::TitleRequired => rules.title_required = true,
            messaging::ServiceRule::Checked => rules.checked = true,
            messaging::ServiceRule::Other(pair) => {
                tracing::debug!(
                    service = rules.id,
                    rule = cut(pair.name, SHORT),
                    "a rule of a later version is ignored"
                );
            }
        }
    }
    rules
}

pub(super) fn sent(said: messaging::Sent) -> Sent {
    Sent {
        reference: said.reference.map(|reference| cut(reference, SHORT)),
        reports: reports(said.reports),
        track_after: said.track_after,
    }
}

pub(super) fn progress(said: messaging::Progress) -> Progress {
    Progress {
        reports: reports(said.reports),
        track_after: said.track_after,
    }
}

pub(super) fn received(said: messaging::Received) -> Received {
    Received {
        handled: said.handled,
        problems: said
            .problems
            .into_iter()
            .take(MANY)
            .map(|problem| cut(problem, TEXT))
            .collect(),
        more: said.more,
    }
}

fn reports(said: Vec<types::StatusReport>) -> Vec<StatusReport> {
    said.into_iter()
        .take(MANY)
        .map(|report| StatusReport {
            status: cut(report.status, SHORT),
            description: report.description.map(|text| cut(text, TEXT)),
            raw_receipt: report.raw_receipt.map(|text| cut(text, RECEIPT)),
            at: report.at,
        })
        .collect()
}
