//! Where messages go, and what the registry tells of a receiver.

use serde_json::json;

use super::*;

const REGISTRY: &str = r#"
    [[receivers]]
    identifier = "910076787"
    name = "Eksempeletaten"
    [[receivers.capabilities]]
    processes = ["urn:no:difi:profile:arkivmelding:administrasjon:ver1.0"]
    service = "POST"
    document-types = ["urn:no:difi:print:xsd::print", "urn:no:difi:arkivmelding:xsd::arkivmelding"]

    [[receivers]]
    identifier = "17912099997"
    [[receivers.capabilities]]
    processes = ["urn:no:difi:profile:arkivmelding:administrasjon:ver1.0"]
    service = "POST"
    document-types = ["urn:no:difi:print:xsd::print"]
    post-address = { name = "Kari Test", street = "C/O X;Gata 1;b;c;d", postal-code = "0001", postal-area = "OSLO" }
    return-address = { name = "Etaten", street = "Postboks 1", postal-code = "0101", postal-area = "OSLO", country = "Norge" }

    [[without-receiver]]
    processes = ["urn:no:difi:profile:arkivmelding:administrasjon:ver1.0"]
    service = "POST"
    document-types = ["urn:no:difi:print:xsd::print"]
"#;

fn address() -> Value {
    json!({ "navn": "Kari", "adresselinje1": "Gata 1", "postnummer": "0001", "poststed": "Oslo", "land": "Norge" })
}

/// A print for a receiver, or for none.
fn print(receiver: Option<&str>, body: &Value) -> Value {
    let mut print = sbd("print", body);
    print["standardBusinessDocumentHeader"]["receiver"] = match receiver {
        None => json!([]),
        Some(value) => json!([{ "identifier": { "authority": "iso6523-actorid-upis", "value": value } }]),
    };
    print
}

#[tokio::test]
async fn a_print_for_a_person_gets_the_addresses_that_the_registry_has() {
    let house = House::with_post(REGISTRY).await;
    let (status, body) = answer(house.create(&print(Some("17912099997"), &json!({ "hoveddokument": "a.pdf" })))).await;
    assert_eq!(status, 200, "{body}");
    assert_eq!(
        body["print"],
        json!({ "hoveddokument": "a.pdf", "utskriftsfarge": "SORT_HVIT", "posttype": "B_OEKONOMI",
            "mottaker": { "navn": "Kari Test", "postnummer": "0001", "poststed": "OSLO", "adresselinje1": "C/O X",
                "adresselinje2": "Gata 1", "adresselinje3": "b", "adresselinje4": "c" },
            "retur": { "mottaker": { "navn": "Etaten", "postnummer": "0101", "poststed": "OSLO", "land": "Norge",
                "adresselinje1": "Postboks 1" }, "returhaandtering": "DIREKTE_RETUR" } })
    );
}

#[tokio::test]
async fn a_print_without_a_receiver_goes_where_the_registry_says() {
    let house = House::with_post(REGISTRY).await;
    let retur = json!({ "mottaker": address(), "returhaandtering": "DIREKTE_RETUR" });
    let body = json!({ "hoveddokument": "a.pdf", "mottaker": address(), "retur": retur });
    let (status, created) = answer(house.create(&print(None, &body))).await;
    assert_eq!(status, 200, "{created}");
    let (_, page) = answer(house.get("/api/conversations")).await;
    assert_eq!(page["content"][0]["serviceIdentifier"], "POST");
    assert!(page["content"][0].get("receiver").is_none());

    let mut elsewhere = print(None, &body);
    elsewhere["standardBusinessDocumentHeader"]["businessScope"]["scope"][0]["identifier"] = json!("urn:x:other");
    let (status, refused) = answer(house.create(&elsewhere)).await;
    assert_eq!(
        (status.as_u16(), exception(&refused)),
        (400, "ServiceNotEnabledException")
    );
    let mut arkivmelding = sbd("arkivmelding", &json!({}));
    arkivmelding["standardBusinessDocumentHeader"]["receiver"] = json!([]);
    let (_, refused) = answer(house.create(&arkivmelding)).await;
    assert_eq!(refused["errors"][0]["field"], "standardBusinessDocumentHeader.receiver");
}

#[tokio::test]
async fn a_print_whose_addresses_are_not_complete_is_refused_by_the_member() {
    let house = House::with_post(REGISTRY).await;
    let mut blank = address();
    blank["postnummer"] = json!("");
    blank["poststed"] = json!("");
    let abroad = json!({ "adresselinje1": "Gatan 1", "land": "Sverige" });
    let good = json!({ "mottaker": address(), "returhaandtering": "DIREKTE_RETUR" });
    for (receiver, mottaker, retur, fields) in [
        (
            Some("0192:910076787"),
            address(),
            json!({ "mottaker": blank, "returhaandtering": "DIREKTE_RETUR" }),
            vec!["print.retur.mottaker.postnummer", "print.retur.mottaker.poststed"],
        ),
        (
            None,
            json!({ "navn": "Kari", "land": "Norge" }),
            good.clone(),
            vec![
                "print.mottaker.adresselinje1",
                "print.mottaker.postnummer",
                "print.mottaker.poststed",
            ],
        ),
        (None, Value::Null, good.clone(), vec!["print.mottaker"]),
        (None, address(), Value::Null, vec!["print.retur"]),
        (None, address(), json!({}), vec!["print.retur.mottaker"]),
        (None, abroad, good, vec![]),
    ] {
        let body = json!({ "hoveddokument": "a.pdf", "mottaker": mottaker, "retur": retur });
        let (status, answered) = answer(house.create(&print(receiver, &body))).await;
        if fields.is_empty() {
            assert_eq!(status, 200, "{answered}");
            continue;
        }
        assert_eq!(
            (status.as_u16(), exception(&answered)),
            (400, "MissingAddressInformationException"),
            "{answered}"
        );
        let found: Vec<_> = answered["errors"]
            .as_array()
            .unwrap()
            .iter()
            .map(|error| &error["field"])
            .collect();
        assert_eq!(found, fields);
    }
}

#[tokio::test]
async fn the_service_record_of_a_receiver_is_as_the_registry_writes_it() {
    let house = House::with_post(REGISTRY).await;
    let (status, body) = answer(house.get("/servicerecord/910076787")).await;
    assert_eq!(status, 200);
    let service = json!({ "identifier": "POST", "endpointUrl": null, "serviceCode": null, "serviceEditionCode": null,
        "securityLevel": null, "resource": null });
    let record = json!({ "organisationNumber": "910076787", "pemCertificate": null, "process": PROCESS,
        "documentTypes": ["urn:no:difi:print:xsd::print", STANDARD], "service": service });
    assert_eq!(
        body,
        json!({ "infoRecord": { "identifier": "910076787", "organizationName": "Eksempeletaten" },
            "serviceRecord": record, "serviceRecords": [record] })
    );
    let (_, body) = answer(house.get("/servicerecord/17912099997")).await;
    assert_eq!(body["serviceRecord"]["postAddress"]["street"], "C/O X;Gata 1;b;c;d");
    assert_eq!(body["serviceRecord"]["fysiskPost"], true);
    let (_, body) = answer(house.get("/api/capabilities/17912099997")).await;
    assert_eq!(body["capabilities"][0]["returnAddress"]["name"], "Etaten");
}

#[tokio::test]
async fn a_receiver_that_is_unknown_has_no_record_and_no_body() {
    let house = House::with_post(REGISTRY).await;
    let response = house.get("/servicerecord/974720760").send().await.unwrap();
    assert_eq!(response.status(), 404);
    assert_eq!(response.text().await.unwrap(), "");
    let house = House::new().await;
    let (status, body) = answer(house.get("/servicerecord/999999999")).await;
    assert_eq!(
        (status.as_u16(), exception(&body)),
        (503, "ServiceRegistryLookupException")
    );
}
