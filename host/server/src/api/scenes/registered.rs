//! What the API tells of the records of an address service. Spec: service registry, 8.8 and 9.6.

use super::address_service::{PERSON, house};
use super::*;
use crate::registry::remote::tests::organisation;
use crate::registry::remote::tests::stand_in::{Says, StandIn};

/// An answer of the address service, and what the API makes of it. Spec: service registry, 9.6.
const VECTOR: &str = include_str!("capabilities_vector.json");

#[tokio::test]
async fn capabilities_are_mapped_record_by_record() {
    let vector: Value = serde_json::from_str(VECTOR).unwrap();
    let stand_in = StandIn::new(Says::Good(vector["registry"].clone()));
    let house = house(&stand_in, true, |_| {}).await;
    let (status, body) = answer(house.get("/api/capabilities/0192:910076787")).await;
    assert_eq!(status, 200);
    assert_eq!(body, vector["api"]);
    let (status, _) = answer(house.get("/api/capabilities/910076787?securityLevel=4&process=x")).await;
    assert_eq!(status, 200);
    assert_eq!(
        stand_in.places(),
        ["identifier/910076787", "identifier/910076787/process/x?securityLevel=4"]
    );
}

#[tokio::test]
async fn a_record_of_post_has_addresses_empty_or_none_and_the_mailbox() {
    let record = |post: Value| {
        let mut record = json!({ "organisationNumber": PERSON, "process": "p", "documentTypes": ["d"],
            "service": { "identifier": "POST" }, "orgnrPostkasse": "987464291", "postkasseAdresse": "kari#1" });
        record
            .as_object_mut()
            .unwrap()
            .extend(post.as_object().unwrap().clone());
        record
    };
    let nulls = json!({ "postAddress": null, "returnAddress": null, "postkasseAdresse": null });
    let stand_in = StandIn::new(Says::Good(
        json!({ "infoRecord": {}, "serviceRecords": [record(json!({})), record(nulls)] }),
    ));
    let house = house(&stand_in, true, |_| {}).await;
    let (_, body) = answer(house.get(&format!("/api/capabilities/{PERSON}"))).await;
    let empty = json!({ "name": "", "street": "", "postalCode": "", "postalArea": "", "country": "" });
    let types = json!([{ "standard": "d" }]);
    assert_eq!(
        body["capabilities"],
        json!([
            { "process": "p", "serviceIdentifier": "POST", "documentTypes": types, "postAddress": empty, "returnAddress": empty,
                "digitalPostAddress": { "supplier": "987464291", "address": "kari#1" } },
            { "process": "p", "serviceIdentifier": "POST", "documentTypes": types,
                "digitalPostAddress": { "supplier": "987464291" } },
        ])
    );
}

#[tokio::test]
async fn a_person_that_is_not_found_is_not_repeated() {
    let said = json!({ "message": format!("No service record found for citizen: {PERSON}") });
    let stand_in = StandIn::new(Says::Error(404, said));
    let house = house(&stand_in, true, |_| {}).await;
    let (status, body) = answer(house.get(&format!("/api/capabilities/{PERSON}"))).await;
    assert_eq!(
        (status.as_u16(), exception(&body)),
        (404, "IdentifierNotFoundException")
    );
    assert!(!body["message"].as_str().unwrap().contains(PERSON), "{body}");
    let response = house.get(&format!("/servicerecord/{PERSON}")).send().await.unwrap();
    assert_eq!(
        (response.status().as_u16(), response.text().await.unwrap()),
        (404, String::new())
    );
}

#[tokio::test]
async fn a_receiver_with_a_record_that_has_no_certificate_has_a_service_record() {
    let stand_in = StandIn::new(Says::Good(organisation("ONE")));
    let house = house(&stand_in, true, |_| {}).await;
    let (status, body) = answer(house.get("/servicerecord/910076787")).await;
    assert_eq!(status, 200);
    let registered = organisation("ONE");
    assert_eq!(
        body,
        json!({ "infoRecord": registered["infoRecord"], "serviceRecord": registered["serviceRecords"][0],
            "serviceRecords": registered["serviceRecords"] })
    );
}
