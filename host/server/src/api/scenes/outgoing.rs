//! Creating, uploading, sending.

use std::io;
use std::time::Duration;

use bytes::Bytes;
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use super::*;
use crate::api::error::kind;

#[tokio::test]
async fn create_refuses_in_the_order_of_the_spec() {
    let house = House::new().await;
    let good = sbd("arkivmelding", &json!({ "sikkerhetsnivaa": 3 }));
    let with = |path: &str, value: Value| {
        let mut changed = good.clone();
        *changed.pointer_mut(path).unwrap() = value;
        changed
    };
    let receiver = "/standardBusinessDocumentHeader/receiver/0/identifier/value";
    let kind = "/standardBusinessDocumentHeader/documentIdentification/type";
    let standard = "/standardBusinessDocumentHeader/documentIdentification/standard";
    let mut melding = good.clone();
    melding["melding"] = melding.as_object_mut().unwrap().remove("arkivmelding").unwrap();
    let mut extra = good.clone();
    extra["avtalt"] = json!({});
    for (sbd, status, expected) in [
        (melding, 400, "UnknownMessageTypeException"),
        (extra, 400, "HttpMessageNotReadableException"),
        (with(kind, json!("avtalt")), 400, "MethodArgumentNotValidException"),
        (
            with("/standardBusinessDocumentHeader/headerVersion", Value::Null),
            400,
            "MethodArgumentNotValidException",
        ),
        (
            with(receiver, json!("not an identifier")),
            400,
            "MethodArgumentNotValidException",
        ),
        (
            with(receiver, json!("0192:974720760")),
            400,
            "ReceiverDoesNotAcceptProcessException",
        ),
        (
            with(receiver, json!("0192:999999999")),
            503,
            "ServiceRegistryLookupException",
        ),
        (
            with(standard, json!("foo::bar")),
            400,
            "MessageTypeDoesNotFitDocumentTypeException",
        ),
        (
            with(standard, json!("urn:other::arkivmelding")),
            400,
            "ReceiverDoesNotAcceptProcessException",
        ),
        (good.clone(), 400, "ServiceNotEnabledException"),
    ] {
        let (got, body) = answer(house.create(&sbd)).await;
        assert_eq!((got.as_u16(), exception(&body)), (status, expected), "{body}");
        assert!(!body["hint"].as_str().unwrap().is_empty());
    }
    let (status, body) = answer(
        house
            .post("/api/messages/out")
            .header("content-type", "application/json")
            .body("{"),
    )
    .await;
    assert_eq!(
        (status.as_u16(), exception(&body)),
        (400, "HttpMessageNotReadableException")
    );
    assert_eq!(answer(house.post("/api/messages/out").body("{}")).await.0, 415);
    let draft = house.draft(good.clone()).await;
    let id = "/standardBusinessDocumentHeader/documentIdentification";
    let mut again = good.clone();
    again.pointer_mut(id).unwrap()["instanceIdentifier"] = json!(draft);
    let refused = async |sbd: &Value| exception(&answer(house.create(sbd)).await.1).to_owned();
    assert_eq!(refused(&again).await, "MessageAlreadyExistsException");
    // That comes before what is wrong with the rest.
    again["arkivmelding"]["hoveddokument"] = json!(7);
    assert_eq!(refused(&again).await, "MessageAlreadyExistsException");
    again.pointer_mut(id).unwrap()["instanceIdentifier"] = Value::Null;
    assert_ne!(refused(&again).await, "MessageAlreadyExistsException");
}

#[tokio::test]
async fn a_message_goes_from_draft_to_queue_and_sending_twice_is_sending_once() {
    let house = House::new().await;
    let id = house
        .draft(sbd("arkivmelding", &json!({ "hoveddokument": "brev.pdf" })))
        .await;
    let send = || answer(house.post(&format!("/api/messages/out/{id}")));
    assert_eq!(exception(&send().await.1), "MissingFileException");
    assert_eq!(answer(house.upload(&id, "brev.pdf", "innhold")).await.0, 200);
    assert_eq!(exception(&send().await.1), "MissingArkivmeldingException");
    let xml = arkivmelding_xml(&["brev.pdf", "vedlegg.txt"]);
    assert_eq!(
        answer(house.upload(&id, "arkivmelding.xml", xml)).await,
        (StatusCode::OK, Value::Null)
    );
    let (status, body) = send().await;
    assert_eq!(
        (status.as_u16(), exception(&body)),
        (400, "MissingArkivmeldingFileException")
    );
    assert!(body["message"].as_str().unwrap().contains("vedlegg.txt"));
    assert_eq!(answer(house.upload(&id, "vedlegg.txt", "")).await.0, 200);
    assert_eq!(
        exception(&answer(house.upload(&id, "vedlegg.txt", "x")).await.1),
        "DuplicateFilenameException"
    );
    for _ in 0..2 {
        assert_eq!(send().await, (StatusCode::OK, Value::Null));
    }
    assert_eq!(
        exception(&answer(house.upload(&id, "for sent.txt", "x")).await.1),
        "MessageAlreadyQueuedException"
    );
    assert_eq!(house.node.store.queue_lengths().await.unwrap(), [("S".to_owned(), 1)]);

    let (message, files) = house.node.store.outgoing_with_files(&id).await.unwrap().unwrap();
    assert!(message.queued);
    let names: Vec<_> = files
        .iter()
        .map(|file| (file.filename.as_str(), file.number, file.primary))
        .collect();
    assert_eq!(
        names,
        [
            ("brev.pdf", 1, true),
            ("arkivmelding.xml", 2, false),
            ("vedlegg.txt", 3, false)
        ]
    );
    assert_eq!(files[0].title.as_deref(), Some("tittel"));
    let (_, conversation) = answer(house.get(&format!("/api/conversations/messageId/{id}"))).await;
    assert_eq!(conversation["messageTitle"], "Svar på søknad");
    assert_eq!(conversation["messageReference"], "sak-1-7");
    assert_eq!(conversation["messageStatuses"][0]["status"], "OPPRETTET");
    let (_, page) = answer(house.get("/api/messages/out?serviceIdentifier=S&receiverIdentifier=910076787")).await;
    assert_eq!(page["totalElements"], 1);
    assert_eq!(page["content"][0]["arkivmelding"]["hoveddokument"], "brev.pdf");
    let (_, page) = answer(house.get(&format!("/api/statuses/{id}"))).await;
    assert_eq!(page["content"][0]["messageId"], id.as_str());
}

#[tokio::test]
async fn files_that_are_refused_leave_nothing_in_the_vault() {
    let house = House::new().await;
    let id = house.draft(sbd("avtalt", &json!({}))).await;
    let put = |disposition: &str, content: &'static str| {
        let request = house.client.put(house.url(&format!("/api/messages/out/{id}")));
        answer(
            request
                .header("content-type", "text/plain")
                .header("content-disposition", disposition)
                .body(content),
        )
    };
    for (disposition, expected) in [
        ("attachment; name=x", "MissingHttpHeaderException"),
        ("attachment; filename=\"x", "ConstraintViolationException"),
        ("attachment; filename=../x", "ConstraintViolationException"),
        ("attachment; filename*=UTF-8x", "ConstraintViolationException"),
        ("attachment; filename=arkivmelding.xml", "InvalidDocumentException"),
    ] {
        let (status, body) = put(disposition, "no xml").await;
        assert_eq!((status.as_u16(), exception(&body)), (400, expected), "{disposition}");
    }
    let bare = house
        .client
        .put(house.url(&format!("/api/messages/out/{id}")))
        .body("x");
    assert_eq!(exception(&answer(bare).await.1), "MissingRequestHeaderException");
    assert_eq!(answer(house.upload("unknown", "a.txt", "x")).await.0, 404);
    assert_eq!(house.files(), 0);
}

#[tokio::test]
async fn a_chunked_upload_over_the_limit_is_stopped_and_not_kept() {
    let house = House::new().await;
    let id = house.draft(sbd("avtalt", &json!({}))).await;
    let admitted = super::super::upload::tests::received(&house.node, &id, 1_000_000, 999_999);
    assert_eq!(admitted.await.unwrap_err().kind(), kind::TOO_LARGE);
    assert_eq!(house.files(), 0);
    super::super::upload::tests::received(&house.node, &id, 1_000_000, 1_000_000)
        .await
        .unwrap();
    assert_eq!(house.files(), 1);
}

#[tokio::test]
async fn an_upload_that_breaks_off_is_not_kept() {
    let house = House::new().await;
    let id = house.draft(sbd("avtalt", &json!({}))).await;
    let mut connection = tokio::net::TcpStream::connect(house.address).await.unwrap();
    let head = format!(
        "PUT /api/messages/out/{id} HTTP/1.1\r\nhost: x\r\ncontent-type: text/plain\r\n\
         content-disposition: attachment; filename=a.txt\r\ncontent-length: 2000000\r\n\r\n"
    );
    connection.write_all(head.as_bytes()).await.unwrap();
    connection.write_all(&vec![b'x'; 1_500_000]).await.unwrap();
    while house.files() == 0 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    drop(connection);
    while house.files() > 0 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let (_, files) = house.node.store.outgoing_with_files(&id).await.unwrap().unwrap();
    assert!(files.is_empty());
}

#[tokio::test]
async fn twenty_uploads_at_once_lose_nothing() {
    let house = House::new().await;
    let id = house.draft(sbd("avtalt", &json!({}))).await;
    let uploads = (0..20).map(|number| answer(house.upload(&id, &format!("{number}.txt"), vec![b'x'; 300_000])));
    for (status, _) in futures::future::join_all(uploads).await {
        assert_eq!(status, 200);
    }
    let (_, files) = house.node.store.outgoing_with_files(&id).await.unwrap().unwrap();
    let mut numbers: Vec<u32> = files.iter().map(|file| file.number).collect();
    numbers.sort_unstable();
    assert_eq!(numbers, (1..=20).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_message_past_its_time_is_not_sent_and_says_so() {
    let house = House::new().await;
    let mut late = sbd("avtalt", &json!({}));
    let deadline = "2019-05-10T00:31:52+01:00";
    late["standardBusinessDocumentHeader"]["businessScope"]["scope"][0]["scopeInformation"] =
        json!([{ "expectedResponseDateTime": deadline }]);
    let id = house.draft_living(late, -1).await;
    let path = format!("/api/messages/out/{id}");
    let (status, body) = answer(house.post(&path)).await;
    assert_eq!((status.as_u16(), exception(&body)), (400, "TimeToLiveException"));
    assert!(body["message"].as_str().unwrap().contains(deadline), "{body}");
    assert_eq!(body["path"], path.as_str());
    let (_, page) = answer(house.get(&format!("/api/statuses?messageId={id}"))).await;
    assert_eq!(page["content"][1]["status"], "LEVETID_UTLOPT");
    assert!(page["content"][1]["description"].is_string());
    assert_eq!(answer(house.get(&format!("/api/messages/out/{id}"))).await.0, 404);
}

#[tokio::test]
async fn a_one_shot_call_that_is_refused_leaves_nothing_behind() {
    let house = House::new().await;
    let part = |content: Vec<u8>, name: &str| reqwest::multipart::Part::bytes(content).file_name(name.to_owned());
    let good = || reqwest::multipart::Part::text(sbd("avtalt", &json!({})).to_string());
    let post = |form| answer(house.post("/api/messages/out/multipart").multipart(form));
    let form = reqwest::multipart::Form::new;
    for (form, expected) in [
        (
            form().part("t", part(vec![1], "a.txt")),
            "MissingServletRequestPartException",
        ),
        (
            form().part("t", part(vec![1], "a.txt")).text("sbd", "{"),
            "HttpMessageNotReadableException",
        ),
        (
            form()
                .part("sbd", good())
                .part("t", part(vec![0; 5 * 1024 * 1024 + 1], "a")),
            "MultipartFileToLargeException",
        ),
        (
            form()
                .part("sbd", good())
                .part("t", part(vec![1], "a"))
                .part("u", part(vec![1], "a")),
            "DuplicateFilenameException",
        ),
        (form().part("sbd", good()).text("x", "no file"), "MultipartException"),
        (
            form().part("t", part(vec![1], "a")).part("sbd", good()),
            "ReceiverDoesNotAcceptProcessException",
        ),
    ] {
        let (status, body) = post(form).await;
        assert_eq!((status.as_u16(), exception(&body)), (400, expected), "{body}");
    }
    let mut bad = sbd("avtalt", &json!({}));
    bad["standardBusinessDocumentHeader"]["documentIdentification"]["type"] = json!("nonsense");
    let (_, body) = post(form().text("sbd", bad.to_string())).await;
    let field = "createAndSendMessage.sbd.standardBusinessDocumentHeader.documentIdentification.type";
    assert_eq!(body["errors"][0]["field"], field);
    assert_eq!(body["errors"][0]["codes"], json!(["MessageType"]));
    assert_eq!(answer(house.post("/api/messages/out/multipart").body("x")).await.0, 415);
    assert_eq!(house.files(), 0);
    assert_eq!(answer(house.get("/api/conversations")).await.1["totalElements"], 0);
}

/// Pieces that arrive without an announced length.
pub(in crate::api) fn chunked(size: usize) -> axum::body::Body {
    let piece = Bytes::from(vec![b'x'; 10_000]);
    let pieces = (0..size / piece.len()).map(move |_| Ok::<_, io::Error>(piece.clone()));
    axum::body::Body::from_stream(futures::stream::iter(pieces))
}

#[tokio::test]
async fn a_body_over_the_limit_of_json_is_too_large() {
    let house = House::new().await;
    let mut connection = tokio::net::TcpStream::connect(house.address).await.unwrap();
    let size = 17 * 1024 * 1024;
    let head = format!(
        "POST /api/messages/out HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: {size}\r\n\r\n"
    );
    connection.write_all(head.as_bytes()).await.unwrap();
    let (mut from, mut to) = connection.into_split();
    // The other half stays open: a client that closes it is not there any more.
    let _writing = tokio::spawn(async move { to.write_all(&vec![b' '; size]).await.map(|()| to) });
    let mut answer = vec![0; 12];
    from.read_exact(&mut answer).await.unwrap();
    assert_eq!(answer, b"HTTP/1.1 413");
}

#[tokio::test]
async fn a_message_id_is_taken_as_long_as_its_conversation_is_there() {
    let house = House::new().await;
    let id = house.draft(sbd("arkivmelding", &json!({}))).await;
    let mut again = sbd("arkivmelding", &json!({}));
    again["standardBusinessDocumentHeader"]["documentIdentification"]["instanceIdentifier"] = json!(id);
    assert_eq!(answer(house.delete(&format!("/api/messages/out/{id}"))).await.0, 200);
    assert_eq!(
        exception(&answer(house.create(&again)).await.1),
        "MessageAlreadyExistsException"
    );
    assert_eq!(
        answer(house.delete(&format!("/api/conversations/messageId/{id}")))
            .await
            .0,
        200
    );
    // As far as it comes without an adapter.
    assert_eq!(
        exception(&answer(house.create(&again)).await.1),
        "ServiceNotEnabledException"
    );
}

#[tokio::test]
async fn a_digital_message_without_its_metadata_files_is_not_found() {
    let house = House::new().await;
    let body = json!({ "hoveddokument": "brev.pdf", "sikkerhetsnivaa": 3, "tittel": "t", "spraak": "NO",
        "digitalPostInfo": { "virkningsdato": "2026-03-02", "aapningskvittering": false },
        "metadataFiler": { "brev.pdf": "brev.xml" } });
    let mut digital = sbd("digital", &body);
    digital["standardBusinessDocumentHeader"]["documentIdentification"]["standard"] =
        json!("urn:no:difi:digitalpost:xsd:digital::digital");
    let id = house.draft(digital).await;
    assert_eq!(answer(house.upload(&id, "brev.pdf", "x")).await.0, 200);
    let (status, body) = answer(house.post(&format!("/api/messages/out/{id}"))).await;
    assert_eq!((status.as_u16(), exception(&body)), (404, "FileNotFoundException"));
    assert_eq!(answer(house.upload(&id, "brev.xml", "<x/>")).await.0, 200);
    assert_eq!(answer(house.post(&format!("/api/messages/out/{id}"))).await.0, 200);
}
