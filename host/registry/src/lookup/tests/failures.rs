//! Registers that cannot be asked, and certificates that are missing. Spec: service registry, 3.9 and 10.

use super::ask;
use super::world::{CITIZEN, RECEIVER, World, about, contact, process};
use crate::lookup::LookupError;
use crate::registers::{Asker, RegisterError};

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
    assert!(answer.unanswered().is_empty());
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
    assert_eq!(answer.unanswered(), ["SvarUt"].into());
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

fn denied(asker: Asker) -> RegisterError {
    RegisterError::Denied {
        register: "X",
        asker,
        detail: "status 401".to_owned(),
    }
}

fn rejected(asker: Asker) -> RegisterError {
    RegisterError::Rejected {
        register: "X",
        asker,
        detail: "status 400".to_owned(),
    }
}

#[tokio::test]
async fn a_register_that_gave_no_answer_is_never_an_empty_list() {
    let unusable = || RegisterError::Unusable {
        register: "X",
        detail: "no XML".to_owned(),
    };
    let missing = || RegisterError::NotSetUp {
        register: "X",
        detail: "no use".to_owned(),
    };
    for (register, receiver, error) in [
        ("ELMA", RECEIVER, denied(Asker::Us)),
        ("ELMA", RECEIVER, rejected(Asker::Us)),
        ("ELMA", RECEIVER, unusable()),
        ("ELMA", RECEIVER, missing()),
        ("KRR", CITIZEN, denied(Asker::Caller)),
        ("KRR", CITIZEN, unusable()),
        ("KRR", CITIZEN, missing()),
    ] {
        let mut world = World::default();
        world.outside.failing.insert(register, error.clone());
        let asked = world.open();
        let found = asked.directory.identifier(&about(receiver), &asked.caller).await;
        assert_eq!(found.err(), Some(error.into()), "{register}");
    }
}

#[tokio::test]
async fn a_key_of_ours_that_folkeregisteret_refuses_is_not_a_patient_that_cannot_be_retrieved() {
    let mut query = about("fastlege-for:05839012391");
    query.beta = true;
    for (error, expected) in [
        (denied(Asker::Us), LookupError::from(denied(Asker::Us))),
        (rejected(Asker::Us), LookupError::PatientNotRetrievable),
    ] {
        let mut world = World::default();
        world.outside.failing.insert("FREG", error);
        let asked = world.open();
        let found = asked
            .directory
            .process(&query, &process("helse:helse"), &asked.caller)
            .await;
        assert_eq!(found.err(), Some(expected));
    }
}

#[tokio::test]
async fn what_krr_does_not_accept_is_a_citizen_without_records() {
    let mut world = World::default();
    world.outside.failing.insert("KRR", rejected(Asker::Caller));
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
        LookupError::RegisterRejected {
            asker: Asker::Caller,
            ..
        }
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
    assert_eq!(answer.unanswered(), ["FREG"].into());
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
async fn a_record_without_an_address_or_without_codes_is_not_made() {
    let settings = |change: fn(&mut crate::lookup::ServiceSettings)| {
        let mut world = World::default();
        world.outside.register(LETTERS);
        let mut asked = world.open();
        asked.directory.services.values_mut().for_each(change);
        asked
    };
    let set_up = "the address service is not set up for this: ";
    for (asked, name, missing) in [
        (
            settings(|of| of.endpoint_url = None),
            LETTERS,
            "the settings of the service DPO have no endpoint-url",
        ),
        (
            settings(|of| (of.resource, of.service_edition_code) = (None, None)),
            LETTERS,
            "[services.DPO] has neither a resource nor a service code with its edition",
        ),
        (
            without_codes("arkivmelding:skatterOgAvgifter"),
            "arkivmelding:skatterOgAvgifter",
            "the process urn:no:difi:profile:arkivmelding:skatterOgAvgifter:ver1.0 has neither a resource nor a service \
             code with its edition",
        ),
        (
            without_codes("einnsyn:innsynskrav"),
            "einnsyn:innsynskrav",
            "the process urn:no:difi:profile:einnsyn:innsynskrav:ver1.0 has no service code",
        ),
    ] {
        let outcome = ask(&asked, &about(RECEIVER), name).await.outcome;
        assert_eq!(outcome, format!("{set_up}{missing}"));
    }
    // Either will do: Altinn 3 knows the resource, Altinn 2 the codes.
    for asked in [
        settings(|of| (of.service_code, of.service_edition_code) = (None, None)),
        settings(|of| of.resource = None),
    ] {
        assert_eq!(ask(&asked, &about(RECEIVER), LETTERS).await.outcome, "DPO");
    }
}

/// The receiver is registered for einnsyn, and a row of the process table has lost its codes.
fn without_codes(short: &str) -> super::world::Asked {
    let mut world = World::default();
    world.outside.register("einnsyn:innsynskrav");
    let asked = world.open();
    let mut data = asked.directory.data.load().as_ref().clone();
    let row = data.processes.get_mut(&process(short)).unwrap();
    (row.service_code, row.resource) = (None, None);
    asked.directory.data.store(std::sync::Arc::new(data));
    asked
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
