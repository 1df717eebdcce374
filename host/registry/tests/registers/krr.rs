//! Kontakt- og reservasjonsregisteret. Spec: service registry, 6.5 and 9.11.

use budstikke_doubles::{Content, Fault, Route, Signature};
use budstikke_registry::registers::settings::RegisterSettings;
use budstikke_registry::registers::{Contact, RegisterError};
use serde_json::json;

use crate::world::{BARE, PERSON, World, certificate, pem, person, token};

const SUPPLIER: &str = "984661185";

async fn ask_by(world: &World, settings: &RegisterSettings) -> Result<Option<Contact>, RegisterError> {
    world
        .open(settings)
        .contacts
        .unwrap()
        .contact(&person(), &token())
        .await
}

async fn ask(world: &World) -> Result<Option<Contact>, RegisterError> {
    ask_by(world, &world.settings(BARE)).await
}

#[tokio::test]
async fn a_person_with_a_mailbox_has_all_that_is_known_of_them() {
    let world = World::start().await;
    let new = json!({ "member": [1] });
    world.put(Content::contact_with_mailbox(PERSON, SUPPLIER, "kari#1", pem()).with("somethingNew", new));
    let contact = ask(&world).await.unwrap().unwrap();
    assert!(contact.active && contact.notifiable && !contact.reserved);
    assert_eq!(contact.email.as_deref(), Some("kari@example.no"));
    assert_eq!(contact.mobile.as_deref(), Some("+4799999999"));
    assert_eq!(contact.language.as_deref(), Some("nb"));
    let mailbox = contact.mailbox.unwrap();
    assert_eq!(
        (mailbox.address.as_str(), mailbox.supplier.as_str()),
        ("kari#1", SUPPLIER)
    );
    assert_eq!(mailbox.certificate, certificate());
}

#[tokio::test]
async fn each_member_says_one_thing_about_the_person() {
    let world = World::start().await;
    let reads = async |content: Content| {
        world.put(content);
        let contact = ask(&world).await.unwrap().unwrap();
        (
            contact.reserved,
            contact.active,
            contact.notifiable,
            contact.mailbox.is_some(),
        )
    };
    let usual = || Content::contact_with_mailbox(PERSON, SUPPLIER, "kari#1", pem());
    assert_eq!(reads(usual()).await, (false, true, true, true));
    assert_eq!(
        reads(usual().with("reservasjon", json!("JA"))).await,
        (true, true, true, true)
    );
    assert_eq!(
        reads(usual().with("status", json!("SLETTET"))).await,
        (false, false, true, true)
    );
    assert_eq!(
        reads(usual().with("varslingsstatus", json!("KAN_IKKE_VARSLES"))).await,
        (false, true, false, true)
    );
    for member in ["sertifikat", "digital_post"] {
        assert_eq!(
            reads(usual().without(member)).await,
            (false, true, true, false),
            "{member}"
        );
        assert_eq!(
            reads(usual().with(member, json!(null))).await,
            (false, true, true, false),
            "{member}"
        );
    }
}

#[tokio::test]
async fn somebody_whom_krr_does_not_know_is_not_active() {
    let world = World::start().await;
    let contact = ask(&world).await.unwrap().unwrap();
    assert!(!contact.active && !contact.reserved && !contact.notifiable && contact.mailbox.is_none());
}

#[tokio::test]
async fn an_answer_without_anybody_is_nobody() {
    let world = World::start().await;
    answer_signed(&world, &json!({ "personer": [] }));
    assert_eq!(ask(&world).await, Ok(None));
}

fn answer_signed(world: &World, payload: &serde_json::Value) {
    let body = world.doubles.registers().signed(payload);
    let fault = Fault::Answer {
        status: 200,
        body,
        content_type: "application/jose".to_owned(),
        retry_after: None,
    };
    world.doubles.faults().once(Route::Contact, fault);
}

#[tokio::test]
async fn a_signed_answer_that_is_odd_is_not_used_and_shows_nobody() {
    let world = World::start().await;
    for (payload, named) in [
        (
            json!({ "personer": [{ "personidentifikator": "17912099997" }] }),
            "personidentifikator",
        ),
        (
            json!({ "personer": [{ "personidentifikator": PERSON, "reservasjon": "KANSKJE" }] }),
            "reservasjon",
        ),
        (json!({ "personer": [{ "reservasjon": "JA" }] }), "personidentifikator"),
        (json!({ "persons": [] }), "personer"),
        (
            json!({ "personer": [{ "personidentifikator": PERSON, "sertifikat": "bm8=",
                "digital_post": { "postkasseadresse": "a", "postkasseleverandoeradresse": "b" } }] }),
            "sertifikat",
        ),
    ] {
        answer_signed(&world, &payload);
        let error = ask(&world).await.unwrap_err();
        let text = error.to_string();
        assert!(
            matches!(error, RegisterError::Unusable { .. }) && text.contains(named),
            "{text}"
        );
        assert!(
            !text.contains("17912099997") && !text.contains(PERSON) && !text.contains("KANSKJE"),
            "{text}"
        );
    }
}

/// Sharp edge 12: upstream believes any certificate that comes with an answer.
#[tokio::test]
async fn only_an_answer_that_somebody_trusted_signed_is_believed() {
    let world = World::start().await;
    world.put(Content::contact(PERSON));
    assert!(ask(&world).await.is_ok());
    for (signature, named) in [
        (Signature::Stranger, "nobody that is trusted"),
        (Signature::Changed, "does not hold"),
        (Signature::None, "RS256"),
    ] {
        world.doubles.registers().sign_with(signature);
        let error = ask(&world).await.unwrap_err();
        assert!(matches!(error, RegisterError::Unusable { .. }), "{error}");
        assert!(error.to_string().contains(named), "{error}");
    }
}

#[tokio::test]
async fn a_pinned_certificate_is_believed_and_no_other() {
    let world = World::start().await;
    let path = world.file("krr.pem", world.doubles.registers().krr_certificate());
    let settings = world.settings_with(BARE, &format!("pinned-certificates = [\"{path}\"]"));
    assert!(ask_by(&world, &settings).await.is_ok());
    world.doubles.registers().sign_with(Signature::Stranger);
    assert!(ask_by(&world, &settings).await.is_err());
}

#[tokio::test]
async fn where_anybody_is_believed_damage_still_shows() {
    let world = World::start().await;
    let settings = world.settings_with(BARE, "trust-any-certificate = true");
    world.doubles.registers().sign_with(Signature::Stranger);
    assert!(ask_by(&world, &settings).await.is_ok());
    world.doubles.registers().sign_with(Signature::Changed);
    assert!(ask_by(&world, &settings).await.is_err());
}

/// Spec: service registry, 9.11.
#[tokio::test]
async fn krr_that_fails_twice_and_then_answers_is_one_look_up_of_three_calls() {
    let world = World::start().await;
    world.put(Content::contact(PERSON));
    world.doubles.faults().times(2, Route::Contact, Fault::Status(500));
    let registers = world.registers("retry-pause-ms = 1");
    let contacts = registers.contacts.unwrap();
    assert!(contacts.contact(&person(), &token()).await.unwrap().unwrap().active);
    assert_eq!(world.doubles.count(Route::Contact), 3);
}

#[tokio::test]
async fn the_printer_is_asked_for_with_more_patience() {
    let world = World::start().await;
    world.put(Content::printer(SUPPLIER, pem()));
    world.doubles.faults().times(10, Route::Printer, Fault::Status(503));
    let contacts = world.registers("retry-pause-ms = 1").contacts.unwrap();
    let printer = contacts.printer().await.unwrap();
    assert_eq!(
        (printer.supplier.as_str(), printer.certificate),
        (SUPPLIER, certificate())
    );
    assert_eq!(world.doubles.count(Route::Printer), 11);
    contacts.printer().await.unwrap();
    assert_eq!(world.doubles.count(Route::Printer), 11);
}

#[tokio::test]
async fn the_patience_with_the_printer_ends() {
    let world = World::start().await;
    world.doubles.faults().always(Route::Printer, Fault::Status(503));
    let contacts = world
        .registers("retry-pause-ms = 100, whole-ms = 250")
        .contacts
        .unwrap();
    let error = contacts.printer().await.unwrap_err();
    assert!(error.to_string().contains("no answer within 250ms"), "{error}");
}

#[tokio::test]
async fn without_an_address_of_the_printer_nothing_is_printed() {
    let world = World::start().await;
    let mut settings = world.settings(BARE);
    settings.krr.as_mut().unwrap().print_url = None;
    let error = world.open(&settings).contacts.unwrap().printer().await.unwrap_err();
    assert!(matches!(error, RegisterError::NotSetUp { .. }) && error.to_string().contains("print-url"));
}
