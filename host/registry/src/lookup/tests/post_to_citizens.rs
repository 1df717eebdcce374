//! What records of post to citizens hold. Spec: service registry, 4.2 and 5.5.

use super::ask;
use super::persons::{INFORMASJON, VEDTAK, citizen};
use super::world::{CITIZEN, SENDER, World, about, certificate, process};

#[tokio::test]
async fn a_letter_on_paper_tells_where_it_goes_and_where_it_comes_back_to() {
    let asked = citizen(&["reserved", "notifiable", "active", "mailbox"]).open();
    let answer = asked
        .directory
        .process(&about(CITIZEN), &process(VEDTAK), &asked.caller)
        .await
        .unwrap();
    let record = serde_json::to_value(&answer.records[0]).unwrap();
    let expected = serde_json::json!({
        "organisationNumber": CITIZEN,
        "pemCertificate": certificate("printer").to_pem(),
        "process": process(VEDTAK).as_str(),
        "documentTypes": ["urn:no:difi:digitalpost:xsd:fysisk::print"],
        "service": { "identifier": "DPI", "endpointUrl": "https://dpi.example.no", "serviceCode": null,
            "serviceEditionCode": null, "securityLevel": null, "resource": null },
        "orgnrPostkasse": "987464291", "postkasseAdresse": null, "mobilnummer": "+4799999999", "kanVarsles": true,
        "epostAdresse": "kari@example.no", "fysiskPost": true, "spraak": "nb",
        "postAddress": { "name": "Kari Test Prøve", "street": "Testveien 1;Bakgården", "postalCode": "0001",
            "postalArea": "OSLO", "country": "NO" },
        "returnAddress": { "name": "EKSEMPELETATEN", "street": "Postboks 1 Sentrum;Bakgården", "postalCode": "0001",
            "postalArea": "OSLO", "country": "NO" },
    });
    assert_eq!(record, expected);
}

#[tokio::test]
async fn digital_post_is_sealed_to_the_mailbox_also_beside_a_letter() {
    // Spec: service registry, 10.4: the printer's certificate once leaked into the record of the mailbox.
    let asked = citizen(&["reserved", "notifiable", "active", "mailbox"]).open();
    let answer = asked
        .directory
        .identifier(&about(CITIZEN), &asked.caller)
        .await
        .unwrap();
    let [digital, print] = answer.records.as_slice() else {
        panic!()
    };
    assert_eq!(digital.pem_certificate, Some(certificate("mailbox").to_pem()));
    assert_eq!(print.pem_certificate, Some(certificate("printer").to_pem()));
    let post = digital.post.as_ref().unwrap();
    assert_eq!(post.postkasse_adresse.as_deref(), Some("kari.prove#1234"));
    assert_eq!(post.orgnr_postkasse.as_deref(), Some("984661185"));
    assert!(post.post_address.is_none() && post.return_address.is_none() && !post.fysisk_post);
    assert_eq!(asked.outside.asked("KRR"), 1);
}

#[tokio::test]
async fn the_general_mailbox_of_a_citizen_has_the_codes_of_the_default_process() {
    let mut query = about(CITIZEN);
    query.print = false;
    let asked = World::default().open();
    let answer = asked
        .directory
        .process(&query, &process(INFORMASJON), &asked.caller)
        .await
        .unwrap();
    let [record] = answer.records.as_slice() else { panic!() };
    assert_eq!(
        record.service.resource.as_deref(),
        Some("eformidling-dpv-administrasjon")
    );
    assert_eq!(record.service.endpoint_url.as_deref(), Some("https://dpv.example.no"));
    assert!(record.post.is_none());
}

#[tokio::test]
async fn without_a_return_address_there_is_no_letter() {
    let mut world = citizen(&["reserved", "notifiable", "active", "mailbox"]);
    world.outside.organisations.remove(SENDER);
    let asked = world.open();
    let outcome = ask(&asked, &about(CITIZEN), VEDTAK).await.outcome;
    assert_eq!(
        outcome,
        "the sender 0192:991825827 is not known, so there is no return address"
    );
}

#[tokio::test]
async fn a_person_that_folkeregisteret_does_not_have_is_not_a_person_with_a_secret_address() {
    let mut world = citizen(&["reserved", "notifiable", "active", "mailbox"]);
    world.outside.resident = None;
    let asked = world.open();
    assert_eq!(
        ask(&asked, &about(CITIZEN), VEDTAK).await.outcome,
        "Folkeregisteret does not have the person"
    );
    let mut world = citizen(&["notifiable"]);
    world.outside.resident = None;
    let asked = world.open();
    let answer = asked
        .directory
        .identifier(&about(CITIZEN), &asked.caller)
        .await
        .unwrap();
    assert_eq!((answer.records.len(), answer.left_out.len()), (2, 2));
}
