//! Registers that cannot be asked, and certificates that are missing. Spec: service registry, 3.9 and 10.

use super::ask;
use super::world::{CITIZEN, RECEIVER, World, about, contact, process};
use crate::lookup::LookupError;

const LETTERS: &str = "arkivmelding:administrasjon";

fn down(register: &'static str) -> World {
    let mut world = World::default();
    world.outside.down.insert(register);
    world
}

#[tokio::test]
async fn a_register_that_is_down_never_re_routes() {
    for (register, receiver, name) in [
        ("BRREG", RECEIVER, LETTERS),
        ("ELMA", RECEIVER, LETTERS),
        ("ELMA", RECEIVER, "einnsyn:innsynskrav"),
        ("ELMA", RECEIVER, "avtalt:avtalt"),
        ("SvarUt", RECEIVER, LETTERS),
        ("KRR", CITIZEN, "digitalpost:info"),
        ("KRR", CITIZEN, "digitalpost:vedtak"),
        ("FREG", CITIZEN, "digitalpost:vedtak"),
        ("printer", CITIZEN, "digitalpost:vedtak"),
        ("NHN", "her-id:1234567", "helse:helse"),
        ("FREG", "fastlege-for:05839012391", "helse:helse"),
        ("catalogue", super::world::ACCOUNT, "no.ks.fiks.arkiv.v1"),
    ] {
        let asked = down(register).open();
        let mut query = about(receiver);
        query.beta = true;
        let name = if name.contains('.') {
            name.parse().unwrap()
        } else {
            process(name)
        };
        let error = asked
            .directory
            .process(&query, &name, &asked.caller)
            .await
            .err()
            .unwrap();
        assert!(error.is_temporary(), "{register}, {receiver}: {error}");
        assert_eq!(
            error.to_string(),
            format!("{register} cannot be asked: no answer in 5 s")
        );
    }
}

#[tokio::test]
async fn virksert_that_is_down_is_not_a_missing_certificate() {
    let mut world = down("virksert");
    world.outside.register(LETTERS);
    let asked = world.open();
    assert_eq!(ask(&asked, &about(RECEIVER), LETTERS).await.outcome, "virksert is down");

    let mut world = World::default();
    world.outside.register(LETTERS);
    world.outside.certificates.clear();
    let asked = world.open();
    let error = asked
        .directory
        .process(&about(RECEIVER), &process(LETTERS), &asked.caller)
        .await
        .err()
        .unwrap();
    assert_eq!(error.to_string(), "Unable to find DPO certificate for: 910076787");
}

#[tokio::test]
async fn one_missing_certificate_leaves_the_other_records() {
    let mut world = World::default();
    world.outside.register(LETTERS);
    world.outside.register("einnsyn:innsynskrav");
    world.outside.certificates.remove("DPO");
    let asked = world.open();
    let answer = asked
        .directory
        .identifier(&about(RECEIVER), &asked.caller)
        .await
        .unwrap();
    let services: Vec<_> = answer
        .records
        .iter()
        .map(|record| record.service.identifier.as_str())
        .collect();
    assert_eq!(services.iter().filter(|service| **service == "DPE").count(), 1);
    assert!(services.contains(&"DPV") && !services.contains(&"DPO"));
    let [left_out] = answer.left_out.as_slice() else {
        panic!()
    };
    assert_eq!(
        (left_out.process.clone(), left_out.service.as_deref()),
        (process(LETTERS), Some("DPO"))
    );
    assert!(matches!(left_out.error, LookupError::CertificateMissing { .. }));
    assert!(!answer.is_incomplete());
    let told = serde_json::to_value(left_out).unwrap();
    assert_eq!(told["error"], "Unable to find DPO certificate for: 910076787");
}

#[tokio::test]
async fn a_refused_level_leaves_the_other_records() {
    let mut world = World::default();
    world.outside.register("einnsyn:innsynskrav");
    let asked = world.open();
    let mut query = about(RECEIVER);
    query.level = Some(4);
    let answer = asked.directory.identifier(&query, &asked.caller).await.unwrap();
    assert_eq!(answer.records.len(), 1);
    assert!(
        answer
            .left_out
            .iter()
            .all(|left_out| matches!(left_out.error, LookupError::LevelNotAvailable { .. }))
    );
    assert_eq!(answer.left_out.len(), 12);
}

#[tokio::test]
async fn a_register_that_is_down_leaves_what_does_not_depend_on_it_and_the_answer_says_so() {
    let mut world = down("SvarUt");
    world.outside.register("einnsyn:innsynskrav");
    let asked = world.open();
    let answer = asked
        .directory
        .identifier(&about(RECEIVER), &asked.caller)
        .await
        .unwrap();
    let services: Vec<_> = answer
        .records
        .iter()
        .map(|record| record.service.identifier.as_str())
        .collect();
    assert_eq!(services, ["DPE"]);
    assert!(answer.is_incomplete());
    assert_eq!(
        asked.outside.asked("SvarUt"),
        1,
        "one that is down is not asked for each process"
    );
}

#[tokio::test]
async fn when_nothing_could_be_found_out_the_list_is_not_empty_but_an_error() {
    for (register, receiver) in [("ELMA", RECEIVER), ("KRR", CITIZEN)] {
        let asked = down(register).open();
        let error = asked
            .directory
            .identifier(&about(receiver), &asked.caller)
            .await
            .err()
            .unwrap();
        assert!(error.is_temporary(), "{error}");
        assert_eq!(asked.outside.asked(register), 1);
    }
}

#[tokio::test]
async fn what_krr_does_not_accept_is_a_citizen_without_records() {
    let mut world = World::default();
    world.outside.rejecting.insert("KRR");
    let asked = world.open();
    let error = asked
        .directory
        .identifier(&about(CITIZEN), &asked.caller)
        .await
        .err()
        .unwrap();
    assert_eq!(error, LookupError::NoRecordForCitizen);
    let one = asked
        .directory
        .process(&about(CITIZEN), &process("digitalpost:info"), &asked.caller)
        .await;
    assert!(matches!(
        one.err().unwrap(),
        LookupError::RegisterRejected { register: "KRR", .. }
    ));
}

#[tokio::test]
async fn folkeregisteret_that_is_down_costs_the_letter_and_not_the_mailbox() {
    let mut world = down("FREG");
    world.outside.contact = Some(contact(&["notifiable"]));
    let asked = world.open();
    let answer = asked
        .directory
        .identifier(&about(CITIZEN), &asked.caller)
        .await
        .unwrap();
    let services: Vec<_> = answer
        .records
        .iter()
        .map(|record| record.service.identifier.as_str())
        .collect();
    assert_eq!(services, ["DPV", "DPV"]);
    assert!(answer.is_incomplete());
    let one = ask(&asked, &about(CITIZEN), "digitalpost:info").await;
    assert_eq!(one.outcome, "FREG is down");
}

#[tokio::test]
async fn a_service_without_settings_is_the_operators_fault_and_says_so() {
    let mut asked = World::default().open();
    asked.directory.services.clear();
    let outcome = ask(&asked, &about(RECEIVER), LETTERS).await.outcome;
    assert_eq!(
        outcome,
        "the address service is not set up for this: there are no settings of the service DPV"
    );
}

#[tokio::test]
async fn no_error_shows_a_person_number() {
    let mut world = World::default();
    world.outside.down.extend(["KRR", "FREG"]);
    let asked = world.open();
    for (receiver, name) in [
        (CITIZEN, "arkivmelding:administrasjon"),
        (CITIZEN, "digitalpost:vedtak"),
        (CITIZEN, "finnes:ikke"),
        ("fastlege-for:05839012391", "helse:helse"),
        ("0192:05839012391", "arkivmelding:administrasjon"),
    ] {
        let error = asked
            .directory
            .process(&about(receiver), &process(name), &asked.caller)
            .await
            .err()
            .unwrap();
        assert!(!format!("{error} {error:?}").contains(CITIZEN), "{error:?}");
    }
}
