//! Decisions and look-ups against registers in memory.

mod certificates;
mod explained;
mod failures;
mod full;
mod health_and_accounts;
mod identifiers;
mod matrix;
mod organisations;
mod overrides;
mod persons;
mod post_to_citizens;
mod world;

use std::collections::BTreeSet;

use budstikke_message::identifier::ProcessId;

use super::{LookupError, Query};
use crate::model::ServiceRecord;
use crate::rules::Rules;
use world::Asked;

/// What came of a row of a decision table.
pub(super) struct Came {
    /// The services, or why there is none.
    outcome: String,
    /// The rule that decided.
    rule: Option<String>,
}

/// The same for a process in short.
async fn ask(asked: &Asked, query: &Query, process: &str) -> Came {
    ask_in(asked, query, &world::process(process)).await
}

/// Asks for one process, by the road that `explain` and look-ups share, and checks that both say the same.
async fn ask_in(asked: &Asked, query: &Query, process: &ProcessId) -> Came {
    let directory = &asked.directory;
    let looked_up = directory.process(query, process, &asked.caller).await;
    let explained = directory.explain(query, Some(process), &asked.caller).await;
    let explained = match (explained, &looked_up) {
        (Ok(explained), _) => explained,
        (Err(error), Err(same)) => {
            assert_eq!(error, *same);
            return Came {
                outcome: short(same),
                rule: None,
            };
        }
        (Err(error), Ok(_)) => panic!("explain fails and the look-up does not: {error}"),
    };
    let rule = explained.processes.first().and_then(|trail| trail.decided_by.clone());
    assert_eq!(explained.error, looked_up.as_ref().err().map(ToString::to_string));
    let outcome = match looked_up {
        Ok(answer) => {
            assert!(answer.left_out.is_empty());
            let records = answer.records.iter().map(sketch).collect::<Vec<_>>();
            let told = explained.answer.unwrap().service_records;
            assert_eq!(told.iter().map(sketch).collect::<Vec<_>>(), records);
            records.join(" + ")
        }
        Err(error) => short(&error),
    };
    Came { outcome, rule }
}

/// A record in a few words.
fn sketch(record: &ServiceRecord) -> String {
    let mut words = vec![record.service.identifier.clone()];
    words.extend(record.service.security_level.map(|level| level.to_string()));
    if record.process.contains(":digitalpost:") && record.organisation_number == world::CITIZEN {
        let types = record.document_types.iter().filter_map(|of| of.rsplit("::").next());
        words.extend(types.map(str::to_owned));
    }
    words.join(" ")
}

/// An error in a few words.
fn short(error: &LookupError) -> String {
    match error {
        LookupError::UnknownReceiver { .. } => "unknown receiver".to_owned(),
        LookupError::UnknownProcess { .. } => "unknown process".to_owned(),
        LookupError::NotAccepted { .. } => "not accepted".to_owned(),
        LookupError::CertificateMissing { .. } => "no certificate".to_owned(),
        LookupError::LevelNotAvailable { .. } => "level refused".to_owned(),
        LookupError::ScopeMissing { .. } => "scope refused".to_owned(),
        LookupError::RegisterUnavailable { register, .. } => format!("{register} is down"),
        other => other.to_string(),
    }
}

#[tokio::test]
async fn every_rule_decides_in_a_decision_table() {
    let mut decided = BTreeSet::new();
    decided.extend(organisations::table().await);
    decided.extend(persons::table().await);
    decided.extend(health_and_accounts::table().await);
    let rules = Rules::built_in().unwrap();
    let all: BTreeSet<_> = rules.names().map(str::to_owned).collect();
    assert_eq!(decided, all);
}
