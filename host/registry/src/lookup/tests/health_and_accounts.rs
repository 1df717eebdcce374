//! The health service and FIKS IO. Spec: service registry, 5.6, 5.8 and 9.11.

use std::collections::BTreeSet;

use super::ask;
use super::world::{ACCOUNT, World, about, certificate, process};
use crate::caller::CallerToken;

const DIALOG: &str = "helse:helse";
const PROTOCOL: &str = "no.ks.fiks.arkiv.v1";

type HealthRow = (bool, bool, &'static [&'static str], &'static str, &'static str);

/// Function on, trial header, scopes of the caller, what comes of it, by which rule.
const HEALTH: &[HealthRow] = &[
    (true, true, &["eformidling:dph"], "DPH", "health-unit"),
    (
        true,
        true,
        &["move/dph.read"],
        "scope refused",
        "health-scope-by-process",
    ),
    (true, true, &[], "scope refused", "health-scope-by-process"),
    (true, false, &["eformidling:dph"], "not accepted", "health-without-beta"),
    (false, true, &["eformidling:dph"], "not accepted", "health-is-off"),
    (false, false, &["eformidling:dph"], "not accepted", "health-is-off"),
];

fn health(on: bool, scopes: &[&str]) -> World {
    let mut world = World {
        scopes: Some(scopes.iter().map(|scope| (*scope).to_owned()).collect()),
        ..World::default()
    };
    if !on {
        world.settings.features_off.insert("healthcare".to_owned());
    }
    world
}

/// Runs all rows; the rules that decided.
pub(super) async fn table() -> BTreeSet<String> {
    let mut decided = BTreeSet::new();
    for (on, beta, scopes, outcome, rule) in HEALTH {
        for receiver in ["her-id:1234567", "fastlege-for:05839012391"] {
            let asked = health(*on, scopes).open();
            let mut query = about(receiver);
            query.beta = *beta;
            let came = ask(&asked, &query, DIALOG).await;
            let row = format!("{receiver}: on {on}, beta {beta}, scopes {scopes:?}");
            assert_eq!(
                (came.outcome.as_str(), came.rule.as_deref()),
                (*outcome, Some(*rule)),
                "{row}"
            );
            decided.extend(came.rule);
        }
    }
    decided.extend(all_processes_without_scope().await);
    for (receives, outcome, rule) in [(true, "DPFIO", "account"), (false, "not accepted", "account-is-closed")] {
        let mut world = World::default();
        world.outside.receives = receives;
        let asked = world.open();
        for name in [process("arkivmelding:administrasjon").to_string(), PROTOCOL.to_owned()] {
            let name = name.parse().unwrap();
            let explained = asked
                .directory
                .explain(&about(ACCOUNT), Some(&name), &asked.caller)
                .await
                .unwrap();
            let records = explained.answer.iter().flat_map(|answer| &answer.service_records);
            let services: Vec<_> = records.map(|record| record.service.identifier.as_str()).collect();
            let expected = if receives { vec![outcome] } else { Vec::new() };
            assert_eq!(services, expected);
            assert_eq!(explained.processes[0].decided_by.as_deref(), Some(rule));
        }
        decided.insert(rule.to_owned());
    }
    decided
}

async fn all_processes_without_scope() -> Option<String> {
    let asked = health(true, &[]).open();
    let mut query = about("her-id:1234567");
    query.beta = true;
    let explained = asked.directory.explain(&query, None, &asked.caller).await.unwrap();
    assert!(explained.error.unwrap().contains("eformidling:dph, move/dph.read"));
    explained.processes[0].decided_by.clone()
}

#[tokio::test]
async fn the_decision_table_of_the_health_service_and_of_accounts() {
    table().await;
}

#[tokio::test]
async fn a_look_up_of_all_processes_takes_the_older_scope_too_and_is_empty_without_the_trial() {
    let asked = health(true, &["move/dph.read"]).open();
    let mut query = about("her-id:1234567");
    assert!(
        asked
            .directory
            .identifier(&query, &asked.caller)
            .await
            .unwrap()
            .records
            .is_empty()
    );
    query.beta = true;
    let answer = asked.directory.identifier(&query, &asked.caller).await.unwrap();
    let [record] = answer.records.as_slice() else { panic!() };
    assert_eq!(record.process, process(DIALOG).as_str());
}

#[tokio::test]
async fn somebodys_fastlege_comes_with_the_patient() {
    let mut query = about("fastlege-for:05839012391");
    query.beta = true;
    let asked = World::default().open();
    let answer = asked
        .directory
        .process(&query, &process(DIALOG), &asked.caller)
        .await
        .unwrap();
    let record = &answer.records[0];
    assert_eq!(record.organisation_number, "974754096");
    assert_eq!(record.pem_certificate, Some(certificate("unit").to_pem()));
    let health = serde_json::to_value(record).unwrap();
    assert_eq!(health["herId"], 1_234_567);
    let patient =
        serde_json::json!({ "fnr": "05839012391", "firstName": "Kari", "middleName": "Test", "lastName": "Prøve" });
    assert_eq!(health["patient"], patient);
    assert_eq!(asked.outside.asked("NHN"), 1);

    let mut world = World::default();
    world.outside.resident = None;
    let asked = world.open();
    assert_eq!(
        ask(&asked, &query, DIALOG).await.outcome,
        "the patient cannot be retrieved"
    );
}

#[tokio::test]
async fn a_unit_is_known_without_trial_and_an_unknown_unit_is_not_found() {
    let mut world = World::default();
    world.settings.features_off.insert("healthcare".to_owned());
    let asked = world.open();
    let token = CallerToken::new("the caller's".to_owned());
    let info = asked.directory.info(&about("her-id:1234567"), &token).await.unwrap();
    let expected = serde_json::json!({ "identifier": "her-id:1234567", "organizationName": "Legekontoret",
        "entityType": { "name": "NorskHelsenett" }, "parentHerId": 7, "herId": 1_234_567,
        "parentOrganizationName": "Kommunen", "organizationNumber": "974754096" });
    assert_eq!(serde_json::to_value(&info).unwrap(), expected);
    assert_eq!(
        ask(&asked, &about("her-id:404"), DIALOG).await.outcome,
        "unknown receiver"
    );
}

#[tokio::test]
async fn a_unit_without_a_certificate_gets_nothing() {
    let mut world = World::default();
    world.outside.unit_certificate = false;
    let asked = world.open();
    let mut query = about("her-id:1234567");
    query.beta = true;
    assert_eq!(ask(&asked, &query, DIALOG).await.outcome, "no certificate");
    let answer = asked.directory.identifier(&query, &asked.caller).await.unwrap();
    assert_eq!((answer.records.len(), answer.left_out.len()), (0, 1));
}

#[tokio::test]
async fn an_account_is_reached_in_any_protocol() {
    let asked = World::default().open();
    let protocol = PROTOCOL.parse().unwrap();
    let answer = asked
        .directory
        .process(&about(ACCOUNT), &protocol, &asked.caller)
        .await
        .unwrap();
    let record = serde_json::to_value(&answer.records[0]).unwrap();
    let expected = serde_json::json!({
        "organisationNumber": ACCOUNT, "pemCertificate": null, "process": PROTOCOL, "documentTypes": [PROTOCOL],
        "service": { "identifier": "DPFIO", "endpointUrl": ACCOUNT, "serviceCode": PROTOCOL, "serviceEditionCode": null,
            "securityLevel": null, "resource": null },
    });
    assert_eq!(record, expected);
    assert_eq!(answer.info.entity_type.unwrap().name, "FIKSIO");
    let all = asked
        .directory
        .identifier(&about(ACCOUNT), &asked.caller)
        .await
        .unwrap();
    assert!(all.records.is_empty() && all.left_out.is_empty());
    let other = about("5d9a7c1e-3b60-4a55-8f0e-6a1f7d2b9c11");
    assert_eq!(ask(&asked, &other, DIALOG).await.outcome, "unknown receiver");
}
