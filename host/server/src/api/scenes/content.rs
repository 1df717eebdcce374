//! What message types ask of bodies and files.

use serde_json::json;

use super::*;

const REGISTRY: &str = r#"
    [[receivers]]
    identifier = "910076787"
    [[receivers.capabilities]]
    processes = ["urn:no:eksempel:profile:byggesak:soknad:ver1.0", "urn:no:difi:profile:arkivmelding:administrasjon:ver1.0"]
    service = "POST"
    document-types = ["urn:no:eksempel:byggesak:xsd::byggesak", "urn:no:difi:digital:xsd::digital",
        "urn:no:difi:dialogmelding:xsd::dialogmelding", "urn:no:difi:avtalt:xsd::avtalt"]
"#;

fn byggesak() -> Value {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/types");
    serde_json::from_slice(&std::fs::read(folder.join("sbd.json")).unwrap()).unwrap()
}

fn digital() -> Value {
    let info = json!({ "virkningsdato": "2026-03-02", "aapningskvittering": false });
    let body = json!({ "sikkerhetsnivaa": 3, "hoveddokument": "brev.pdf", "tittel": "Brev", "spraak": "nb",
        "digitalPostInfo": info, "metadataFiler": { "brev.pdf": "brev.xml" } });
    sbd("digital", &body)
}

fn dialogmelding() -> Value {
    let patient = json!({ "fnr": "17912099997", "fornavn": "Kari", "etternavn": "Test" });
    let body =
        json!({ "hoveddokument": "dialogmelding.xml", "pasient": patient, "metadataFiler": { "bilde.png": {} } });
    sbd("dialogmelding", &body)
}

/// Creates a message and gives its id.
async fn created(house: &House, sbd: &Value) -> String {
    let (status, body) = answer(house.create(sbd)).await;
    assert_eq!(status, 200, "{body}");
    let id = &body["standardBusinessDocumentHeader"]["documentIdentification"]["instanceIdentifier"];
    id.as_str().unwrap().to_owned()
}

async fn put(house: &House, id: &str, disposition: &str, mime: &str, content: Vec<u8>) -> (StatusCode, Value) {
    let request = house.client.put(house.url(&format!("/api/messages/out/{id}")));
    answer(
        request
            .header("content-type", mime)
            .header("content-disposition", disposition)
            .body(content),
    )
    .await
}

#[tokio::test]
async fn a_message_type_of_the_operators_goes_from_create_to_the_queue() {
    let house = House::with_post(REGISTRY).await;
    let id = created(&house, &byggesak()).await;
    let send = || answer(house.post(&format!("/api/messages/out/{id}")));
    assert_eq!(exception(&send().await.1), "MissingFileException");
    assert_eq!(answer(house.upload(&id, "vedlegg.pdf", "x")).await.0, 200);
    assert_eq!(exception(&send().await.1), "MissingPrimaryDocumentException");
    assert_eq!(answer(house.upload(&id, "soknad.pdf", "x")).await.0, 200);
    assert_eq!(send().await, (StatusCode::OK, Value::Null));
    let (_, body) = answer(house.get(&format!("/api/messages/out/{id}"))).await;
    assert_eq!(body["byggesak"], byggesak()["byggesak"]);
    let (_, body) = answer(house.get("/api/capabilities/910076787")).await;
    assert_eq!(body["capabilities"][0]["documentTypes"][0]["type"], "byggesak");
}

#[tokio::test]
async fn a_body_that_does_not_match_its_schema_is_refused_member_by_member() {
    let house = House::with_post(REGISTRY).await;
    let mut wrong = byggesak();
    wrong["byggesak"] = json!({ "saksnummer": "26-1", "eiendom": { "kommunenummer": "0301", "gardsnummer": "x" } });
    let (status, body) = answer(house.create(&wrong)).await;
    assert_eq!(
        (status.as_u16(), exception(&body)),
        (400, "ConstraintViolationException")
    );
    let mut found: Vec<_> = body["errors"]
        .as_array()
        .unwrap()
        .iter()
        .map(|error| (error["field"].as_str().unwrap(), error["code"].as_str().unwrap()))
        .collect();
    found.sort_unstable();
    assert_eq!(
        found,
        [
            ("byggesak.eiendom.bruksnummer", "NotNull"),
            ("byggesak.eiendom.gardsnummer", "typeMismatch"),
            ("byggesak.saksnummer", "Pattern")
        ]
    );
    assert_eq!(answer(house.get("/api/conversations")).await.1["totalElements"], 0);

    let form = reqwest::multipart::Form::new().text("sbd", wrong.to_string());
    let (_, body) = answer(house.post("/api/messages/out/multipart").multipart(form)).await;
    let fields = body["errors"].as_array().unwrap().iter();
    assert!(
        fields
            .map(|error| error["field"].as_str().unwrap())
            .all(|field| field.starts_with("createAndSendMessage.sbd.byggesak.")),
        "{body}"
    );
}

#[tokio::test]
async fn a_member_called_mottaker_is_an_address_only_where_there_is_post() {
    let house = House::with_post(REGISTRY).await;
    let schema = budstikke_message::body::schema::BodySchema::compile(br#"{ "required": ["mottaker"] }"#).unwrap();
    let house = House::furnished(|node| {
        node.registry = house.node.registry.clone();
        node.adapters.pretended.clone_from(&house.node.adapters.pretended);
        let standard = "urn:no:eksempel:byggesak:xsd::byggesak";
        let mut row = budstikke_message::document_type::MessageType::new("byggesak".into(), standard.into());
        row.schema = Some(schema);
        node.types.add(row).unwrap();
    })
    .await;
    let (_, body) = answer(house.create(&byggesak())).await;
    assert_eq!(exception(&body), "ConstraintViolationException");
    assert_eq!(body["errors"][0]["field"], "byggesak.mottaker");
}

#[tokio::test]
async fn digital_post_wants_titles_and_its_metadata_files() {
    let house = House::with_post(REGISTRY).await;
    let id = created(&house, &digital()).await;
    let pdf = "application/pdf";
    assert_eq!(
        put(&house, &id, "attachment; filename=brev.pdf", pdf, vec![1]).await.0,
        200
    );
    let (status, body) = put(&house, &id, "attachment; filename=vedlegg.pdf", pdf, vec![1]).await;
    assert_eq!((status.as_u16(), exception(&body)), (400, "MissingFileTitleException"));
    let titled = put(
        &house,
        &id,
        "attachment; name=Vedlegg; filename=vedlegg.pdf",
        pdf,
        vec![1],
    )
    .await;
    assert_eq!(titled.0, 200);
    let send = || answer(house.post(&format!("/api/messages/out/{id}")));
    let (status, body) = send().await;
    assert_eq!((status.as_u16(), exception(&body)), (404, "FileNotFoundException"));
    assert_eq!(
        put(&house, &id, "attachment; filename=brev.xml", "text/xml", vec![1])
            .await
            .0,
        200
    );
    assert_eq!(send().await.0, 200);
}

#[tokio::test]
async fn a_dialogmelding_describes_its_files_and_takes_three_kinds() {
    let house = House::with_post(REGISTRY).await;
    let id = created(&house, &dialogmelding()).await;
    for (filename, mime, expected) in [
        ("annet.png", "image/png", "MissingFileTitleException"),
        ("bilde.png", "image/gif", "InvalidContentTypeException"),
    ] {
        let (status, body) = put(
            &house,
            &id,
            &format!("attachment; name=x; filename={filename}"),
            mime,
            vec![1],
        )
        .await;
        assert_eq!((status.as_u16(), exception(&body)), (400, expected));
        assert!(body["message"].as_str().unwrap().contains(filename));
    }
    assert_eq!(
        put(&house, &id, "attachment; filename=bilde.png", "image/png", vec![1])
            .await
            .0,
        200
    );
    let (_, body) = answer(house.post(&format!("/api/messages/out/{id}"))).await;
    assert_eq!(exception(&body), "MissingPrimaryDocumentException");
    let main = async |content: &[u8]| {
        let disposition = "attachment; filename=dialogmelding.xml";
        put(&house, &id, disposition, "application/xml", content.to_vec()).await
    };
    let (status, body) = main(b"<a>").await;
    assert_eq!((status.as_u16(), exception(&body)), (400, "InvalidDocumentException"));
    assert_eq!(main(b"<a/>").await.0, 200);
    assert_eq!(answer(house.post(&format!("/api/messages/out/{id}"))).await.0, 200);
}

#[tokio::test]
async fn the_one_shot_call_asks_the_same_of_files() {
    let house = House::with_post(REGISTRY).await;
    let part = |content: Vec<u8>, name: &str, mime: &str| {
        let part = reqwest::multipart::Part::bytes(content).file_name(name.to_owned());
        part.mime_str(mime).unwrap()
    };
    let form = |sbd: Value| reqwest::multipart::Form::new().text("sbd", sbd.to_string());
    for (form, expected) in [
        (
            form(digital()).part("", part(vec![1], "vedlegg.pdf", "application/pdf")),
            "MissingFileTitleException",
        ),
        (
            form(dialogmelding()).part("t", part(vec![1], "bilde.png", "image/gif")),
            "InvalidContentTypeException",
        ),
        (
            form(dialogmelding()).part("t", part(vec![1], "annet.png", "image/png")),
            "MissingFileTitleException",
        ),
        (
            form(sbd("avtalt", &json!({})))
                .part("t", part(vec![1; 600_000], "a", "text/plain"))
                .part("t", part(vec![1; 600_000], "b", "text/plain")),
            "MaxFileSizeExceededException",
        ),
    ] {
        let (status, body) = answer(house.post("/api/messages/out/multipart").multipart(form)).await;
        assert_eq!((status.as_u16(), exception(&body)), (400, expected), "{body}");
    }
    assert_eq!(house.files(), 0);
    assert_eq!(answer(house.get("/api/conversations")).await.1["totalElements"], 0);
    let good = form(digital())
        .part("Brev", part(vec![1], "brev.pdf", "application/pdf"))
        .part("", part(vec![1], "brev.xml", "text/xml"));
    let (status, body) = answer(house.post("/api/messages/out/multipart").multipart(good)).await;
    assert_eq!(status, 200, "{body}");
}

#[tokio::test]
async fn files_may_be_as_large_together_as_the_service_takes() {
    let house = House::with_post(REGISTRY).await;
    let half = 500_000;
    for (first, second, fits) in [
        (half, half, true),
        (half, 1024 * 1024 - half, true),
        (half, 600_000, false),
    ] {
        let id = created(&house, &sbd("avtalt", &json!({}))).await;
        assert_eq!(answer(house.upload(&id, "a.txt", vec![1; first])).await.0, 200);
        let (status, body) = answer(house.upload(&id, "b.txt", vec![1; second])).await;
        assert_eq!(status == 200, fits, "{body}");
        if !fits {
            assert_eq!(exception(&body), "MaxFileSizeExceededException");
            let text = body["message"].as_str().unwrap();
            assert!(
                text.contains("POST takes 1 MB") && text.contains("1100000 bytes"),
                "{text}"
            );
        }
    }
}
