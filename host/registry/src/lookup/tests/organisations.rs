//! Letters between organisations, eInnsyn and avtalt. Spec: service registry, 5.3, 5.4, 9.9 and 9.10.

use std::collections::BTreeSet;

use super::ask;
use super::world::{RECEIVER, World, about, certificate, process};

/// Every process of Saksbehandling.
pub(super) const SAKSBEHANDLING: &[&str] = &[
    "arkivmelding:administrasjon",
    "arkivmelding:helseSosialOgOmsorg",
    "arkivmelding:kulturIdrettOgFritid",
    "arkivmelding:naturOgMiljoe",
    "arkivmelding:naeringsutvikling",
    "arkivmelding:oppvekstOgUtdanning",
    "arkivmelding:planByggOgGeodata",
    "arkivmelding:skatterOgAvgifter",
    "arkivmelding:tekniskeTjenester",
    "arkivmelding:trafikkReiserOgSamferdsel",
];
/// They go to no mailbox.
const RECEIPTS: &[&str] = &["arkivmelding:response"];
const TAUSHETSBELAGT: &[&str] = &["arkivmelding:taushetsbelagt"];
const INNSYNSKRAV: &[&str] = &["einnsyn:innsynskrav"];
const POSTJOURNAL: &[&str] = &["einnsyn:journalpost"];
const MOETEKALENDER: &[&str] = &["einnsyn:meeting"];
const AVTALT: &[&str] = &["avtalt:avtalt", "avtalt:response"];

/// How the receiver stands in ELMA, with a document type of the process.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Elma {
    /// For the process.
    This,
    /// For another one, which no table here lists.
    Another,
    /// Not at all.
    Not,
}
use Elma::{Another, Not, This};

type Row = (Elma, &'static [u8], Option<u8>, &'static str, &'static str);

/// ELMA, SvarUt's levels, level that is asked for, what comes of it, by which rule.
#[rustfmt::skip]
const LETTERS: &[Row] = &[
    (This, &[], None, "DPO", "arkivmelding-registered"),
    (This, &[3, 4], Some(3), "DPO", "arkivmelding-registered"),
    (This, &[], Some(4), "DPO", "arkivmelding-registered"),
    (Another, &[], None, "DPV", "arkivmelding-other-process"),
    (Another, &[4], None, "DPV", "arkivmelding-other-process"),
    (Another, &[3], Some(3), "DPV", "arkivmelding-other-process"),
    (Another, &[4], Some(4), "not accepted", "arkivmelding-other-process-level-4"),
    (Not, &[3], None, "DPF 3", "arkivmelding-receiver-system"),
    (Not, &[4], None, "DPF 4", "arkivmelding-receiver-system"),
    (Not, &[3, 4], None, "DPF 4", "arkivmelding-receiver-system"),
    (Not, &[3], Some(3), "DPF 3", "arkivmelding-receiver-system"),
    (Not, &[4], Some(4), "DPF 4", "arkivmelding-receiver-system"),
    (Not, &[4], Some(3), "DPV", "arkivmelding-everybody-else"),
    (Not, &[3], Some(4), "level refused", "arkivmelding-no-level-4"),
    (Not, &[], None, "DPV", "arkivmelding-everybody-else"),
    (Not, &[], Some(3), "DPV", "arkivmelding-everybody-else"),
    (Not, &[], Some(4), "level refused", "arkivmelding-no-level-4"),
];

const EINNSYN: &[Row] = &[
    (This, &[], None, "DPE", "einnsyn-registered"),
    (This, &[3], Some(4), "DPE", "einnsyn-registered"),
    (Another, &[3], None, "not accepted", "einnsyn-not-registered"),
    (Not, &[3], None, "not accepted", "einnsyn-not-registered"),
    (Not, &[4], Some(4), "not accepted", "einnsyn-not-registered"),
];

const AGREED: &[Row] = &[
    (This, &[], None, "DPO", "avtalt-registered"),
    (This, &[], Some(4), "DPO", "avtalt-registered"),
    (Another, &[3], None, "not accepted", "avtalt-not-registered"),
    (Not, &[3], None, "not accepted", "avtalt-not-registered"),
];

fn world(short: &str, elma: Elma, levels: &[u8]) -> World {
    let mut world = World::default();
    world.outside.levels = levels.to_vec();
    match elma {
        This => world.outside.register(short),
        Another => {
            world.outside.register(short);
            let strange = process("arkivmelding:noeNytt");
            world
                .outside
                .registrations
                .iter_mut()
                .for_each(|(_, name)| *name = strange.clone());
        }
        Not => {}
    }
    world
}

/// Runs all rows; the rules that decided.
pub(super) async fn table() -> BTreeSet<String> {
    let mut decided = BTreeSet::new();
    for (processes, rows) in [
        (SAKSBEHANDLING, LETTERS),
        (TAUSHETSBELAGT, LETTERS),
        (RECEIPTS, LETTERS),
        (INNSYNSKRAV, EINNSYN),
        (POSTJOURNAL, EINNSYN),
        (MOETEKALENDER, EINNSYN),
        (AVTALT, AGREED),
    ] {
        for short in processes {
            for (elma, levels, level, outcome, rule) in rows {
                let asked = world(short, *elma, levels).open();
                let mut query = about(RECEIVER);
                query.level = *level;
                let came = ask(&asked, &query, short).await;
                let no_mailbox = processes == RECEIPTS && *outcome == "DPV";
                let outcome = if no_mailbox { &"not accepted" } else { outcome };
                let row = format!("{short}: ELMA {elma:?}, SvarUt {levels:?}, level {level:?}");
                assert_eq!(
                    (came.outcome.as_str(), came.rule.as_deref()),
                    (*outcome, Some(*rule)),
                    "{row}"
                );
                // The question is asked twice, as a look-up and to be explained.
                assert_eq!(asked.outside.asked("ELMA"), 2, "{row}");
                let asks_svarut = rule.starts_with("arkivmelding") && *elma == Not;
                assert_eq!(asked.outside.asked("SvarUt"), if asks_svarut { 2 } else { 0 }, "{row}");
                decided.extend(came.rule);
            }
        }
    }
    decided.extend(outside_is_off().await);
    decided
}

async fn outside_is_off() -> Option<String> {
    let mut world = world("arkivmelding:administrasjon", Not, &[4]);
    world.settings.features_off.insert("enable-dpf-dpv".to_owned());
    let asked = world.open();
    let came = ask(&asked, &about(RECEIVER), "arkivmelding:administrasjon").await;
    assert_eq!(came.outcome, "not accepted");
    assert_eq!(asked.outside.asked("SvarUt"), 0);
    came.rule
}

#[tokio::test]
async fn the_decision_table_of_organisations() {
    table().await;
}

#[tokio::test]
async fn a_record_between_registered_organisations_has_codes_of_the_service_and_the_receivers_certificate() {
    let asked = world("arkivmelding:administrasjon", This, &[]).open();
    let name = process("arkivmelding:administrasjon");
    let answer = asked
        .directory
        .process(&about(RECEIVER), &name, &asked.caller)
        .await
        .unwrap();
    let record = serde_json::to_value(&answer.records[0]).unwrap();
    let expected = serde_json::json!({
        "organisationNumber": RECEIVER,
        "pemCertificate": certificate("receiver").to_pem(),
        "process": name.as_str(),
        "documentTypes": ["urn:no:difi:arkivmelding:xsd::arkivmelding"],
        "service": { "identifier": "DPO", "endpointUrl": "https://dpo.example.no", "serviceCode": "4192",
            "serviceEditionCode": "270815", "securityLevel": null, "resource": "eformidling-dpo-meldingsutveksling" },
    });
    assert_eq!(record, expected);
    let info = serde_json::to_value(&answer.info).unwrap();
    assert_eq!(info["postadresse"]["adresse"], "Postboks 1 Sentrum Bakgården");
    assert_eq!(info["entityType"]["name"], "ORGL");
}

#[tokio::test]
async fn confidential_letters_go_to_a_mailbox_of_their_own() {
    for (short, resource) in [
        ("arkivmelding:administrasjon", "eformidling-dpv-administrasjon"),
        ("arkivmelding:taushetsbelagt", "eformidling-dpv-taushetsbelagt"),
    ] {
        let asked = world(short, Not, &[]).open();
        let answer = asked
            .directory
            .process(&about(RECEIVER), &process(short), &asked.caller)
            .await
            .unwrap();
        let record = &answer.records[0];
        assert_eq!(record.service.resource.as_deref(), Some(resource));
        assert_eq!(record.service.service_code.as_deref(), Some("4255"));
        assert_eq!(record.pem_certificate, None);
    }
}

#[tokio::test]
async fn letters_to_a_receiver_system_are_sealed_to_its_operator() {
    let asked = world("arkivmelding:administrasjon", Not, &[3]).open();
    let name = process("arkivmelding:administrasjon");
    let answer = asked
        .directory
        .process(&about(RECEIVER), &name, &asked.caller)
        .await
        .unwrap();
    assert_eq!(answer.records[0].pem_certificate, Some(certificate("svarut").to_pem()));
    assert_eq!(asked.outside.asked("virksert"), 0);
}

#[tokio::test]
async fn each_process_of_einnsyn_has_its_queue() {
    for (short, queue) in [
        ("einnsyn:innsynskrav", "innsyn"),
        ("einnsyn:journalpost", "data"),
        ("einnsyn:meeting", "meeting"),
    ] {
        let asked = world(short, This, &[]).open();
        let answer = asked
            .directory
            .process(&about(RECEIVER), &process(short), &asked.caller)
            .await
            .unwrap();
        let service = &answer.records[0].service;
        assert_eq!(service.endpoint_url.as_deref(), Some(queue));
        assert_eq!((&service.service_code, &service.resource), (&None, &None));
    }
}

#[tokio::test]
async fn what_is_not_known_is_not_found_and_nobody_is_asked_about_it() {
    let asked = World::default().open();
    let name = "arkivmelding:administrasjon";
    for receiver in ["974760673", "0007:000000-0000", "0192:12345"] {
        assert_eq!(ask(&asked, &about(receiver), name).await.outcome, "unknown receiver");
    }
    assert_eq!(
        ask(&asked, &about(RECEIVER), "arkivmelding:finnesIkke").await.outcome,
        "unknown process"
    );
    assert_eq!((asked.outside.asked("ELMA"), asked.outside.asked("SvarUt")), (0, 0));
    let unknown = asked
        .directory
        .process(&about("974760673"), &process(name), &asked.caller)
        .await;
    let text = unknown.err().unwrap().to_string();
    assert_eq!(text, "Entity with identifier '0192:974760673' not found.");
}

#[tokio::test]
async fn a_part_of_an_organisation_is_the_organisation() {
    let asked = world("arkivmelding:administrasjon", This, &[]).open();
    let query = about("0192:910076787:enhet");
    assert_eq!(ask(&asked, &query, "arkivmelding:administrasjon").await.outcome, "DPO");
}
