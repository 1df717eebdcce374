//! What a client, an operator or a peer can get wrong ends in an error that names it, and nothing is lost.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

use std::time::Duration;

use budstikke_e2e::{Answer, Fagsystem, File, World};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

const SENDER: &str = "991825827";
const RECEIVER: &str = "910076787";

fn new_id() -> String {
    uuid::Uuid::new_v4().to_string()
}

#[track_caller]
fn refused(answer: &Answer, status: u16, exception: &str) -> Value {
    let body = answer.json();
    assert_eq!(answer.status.as_u16(), status, "{body}");
    assert_eq!(body["status"], status, "{body}");
    assert!(
        body["exception"].as_str().unwrap_or_default().ends_with(exception),
        "{body}"
    );
    for member in ["timestamp", "error", "message", "path"] {
        assert!(body[member].is_string(), "{member}: {body}");
    }
    body
}

#[tokio::test]
async fn what_a_client_gets_wrong_is_named_and_changes_nothing() {
    let world = World::new(&[SENDER, RECEIVER]).await.unwrap();
    let mut ours = world.installation(SENDER).unwrap();
    let api = ours.start().await.unwrap();
    let post = |body: &str| {
        api.request(Method::POST, "/api/messages/out")
            .header("content-type", "application/json")
            .body(body.to_owned())
    };

    refused(
        &api.ask(post("{")).await.unwrap(),
        400,
        "HttpMessageNotReadableException",
    );
    refused(
        &api.ask(post("[1,2]")).await.unwrap(),
        400,
        "HttpMessageNotReadableException",
    );
    let deep = "[".repeat(100_000);
    refused(
        &api.ask(post(&deep)).await.unwrap(),
        400,
        "HttpMessageNotReadableException",
    );
    let text = api
        .request(Method::POST, "/api/messages/out")
        .header("content-type", "text/plain")
        .body("x");
    assert_eq!(api.ask(text).await.unwrap().status, StatusCode::UNSUPPORTED_MEDIA_TYPE);

    let mut sbd = Fagsystem::arkivmelding(SENDER, RECEIVER, &new_id());
    sbd["standardBusinessDocumentHeader"]["documentIdentification"]["typeVersion"] = Value::Null;
    let body = refused(&api.create(&sbd).await.unwrap(), 400, "MethodArgumentNotValidException");
    assert!(
        body["errors"][0]["field"]
            .as_str()
            .unwrap()
            .ends_with("documentIdentification.typeVersion"),
        "{body}"
    );

    let mut sbd = Fagsystem::arkivmelding(SENDER, RECEIVER, &new_id());
    sbd["arkivmelding"]["dpv"] = json!({ "varselTransportType": "Brevdue" });
    let body = refused(&api.create(&sbd).await.unwrap(), 400, "ConstraintViolationException");
    assert!(
        body["errors"][0]["field"]
            .as_str()
            .unwrap()
            .contains("varselTransportType"),
        "{body}"
    );

    let mut sbd = Fagsystem::arkivmelding(SENDER, RECEIVER, &new_id());
    sbd["standardBusinessDocumentHeader"]["documentIdentification"]["standard"] = "foo::bar".into();
    let answer = api.create(&sbd).await.unwrap();
    assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{}", answer.json());

    let old = "2019-05-10T00:31:52+01:00";
    let mut sbd = Fagsystem::arkivmelding(SENDER, RECEIVER, &new_id());
    sbd["standardBusinessDocumentHeader"]["businessScope"]["scope"][0]["scopeInformation"] =
        json!([{ "expectedResponseDateTime": old }]);
    let body = refused(&api.create(&sbd).await.unwrap(), 400, "MethodArgumentNotValidException");
    assert_eq!(body["errors"][0]["code"], "Future", "{body}");

    let id = new_id();
    let sbd = Fagsystem::arkivmelding(SENDER, RECEIVER, &id);
    api.create(&sbd).await.unwrap().ok().unwrap();
    refused(&api.create(&sbd).await.unwrap(), 400, "MessageAlreadyExistsException");
    refused(&api.send(&id).await.unwrap(), 400, "MissingFileException");
    refused(
        &api.upload(&new_id(), &File::new("a", "text/plain", "x")).await.unwrap(),
        404,
        "MessageNotFoundException",
    );
    for name in ["../a", "a/b", "a\\\\b", "mimetype", ""] {
        let answer = api.upload(&id, &File::new(name, "text/plain", "x")).await.unwrap();
        assert_eq!(
            answer.status,
            StatusCode::BAD_REQUEST,
            "file name {name:?}: {}",
            answer.json()
        );
    }
    let broken = File::new("arkivmelding.xml", "application/xml", "<arkivmelding><mappe>");
    let answer = api.upload(&id, &broken).await.unwrap();
    assert!(answer.status.is_client_error(), "{}", answer.json());
    let files = File::examples().unwrap();
    api.upload(&id, &files[0]).await.unwrap().ok().unwrap();
    refused(
        &api.upload(&id, &files[0]).await.unwrap(),
        400,
        "DuplicateFilenameException",
    );
    let body = refused(&api.send(&id).await.unwrap(), 400, "MissingArkivmeldingFileException");
    assert!(body["message"].as_str().unwrap().contains("brev.pdf"), "{body}");
    api.upload(&id, &files[1]).await.unwrap().ok().unwrap();
    api.send(&id).await.unwrap().ok().unwrap();

    refused(
        &api.get("/api/conversations/abc").await.unwrap(),
        400,
        "MethodArgumentTypeMismatchException",
    );
    refused(
        &api.get("/api/conversations/99999999").await.unwrap(),
        404,
        "ConversationNotFoundException",
    );
    refused(&api.pop(&new_id()).await.unwrap(), 404, "MessageNotFoundException");
    assert_eq!(
        api.get("/api/conversations?sort=nonsense").await.unwrap().status,
        StatusCode::BAD_REQUEST
    );
    assert_eq!(api.get("/api/nothing").await.unwrap().status, StatusCode::NOT_FOUND);
    assert_eq!(
        api.get("/api/messages/out/").await.unwrap().status,
        StatusCode::NOT_FOUND
    );
    let log = ours.log();
    assert!(!log.contains("panicked"), "{log}");
}

#[tokio::test]
async fn an_upload_that_breaks_off_leaves_no_file_and_can_be_repeated() {
    let world = World::new(&[SENDER, RECEIVER]).await.unwrap();
    let mut ours = world.installation(SENDER).unwrap();
    let api = ours.start().await.unwrap();
    let id = new_id();
    api.create(&Fagsystem::arkivmelding(SENDER, RECEIVER, &id))
        .await
        .unwrap()
        .ok()
        .unwrap();

    let mut connection = tokio::net::TcpStream::connect(api.base().strip_prefix("http://").unwrap())
        .await
        .unwrap();
    let head = format!(
        "PUT /api/messages/out/{id} HTTP/1.1\r\nHost: x\r\nContent-Type: application/pdf\r\n\
         Content-Disposition: attachment; filename=\"brev.pdf\"\r\nContent-Length: 1000000\r\n\r\n"
    );
    connection.write_all(head.as_bytes()).await.unwrap();
    connection.write_all(&vec![7; 300_000]).await.unwrap();
    tokio::time::sleep(Duration::from_millis(200)).await;
    drop(connection);
    tokio::time::sleep(Duration::from_millis(500)).await;
    let writing: Vec<_> = std::fs::read_dir(ours.folder.join("data/files/writing"))
        .unwrap()
        .collect();
    assert!(writing.is_empty(), "{writing:?}");

    for file in File::examples().unwrap() {
        api.upload(&id, &file).await.unwrap().ok().unwrap();
    }
    api.send(&id).await.unwrap().ok().unwrap();
    api.wait_for(&id, "SENDT", Duration::from_secs(30)).await.unwrap();
}

#[tokio::test]
async fn the_size_limit_holds_also_for_chunked_bodies() {
    let world = World::new(&[SENDER, RECEIVER]).await.unwrap();
    let mut ours = world.installation(SENDER).unwrap();
    ours.edit(|text| {
        text.replace(
            "[adapters.dpo.settings]",
            "[adapters.dpo.settings]\nupload-limit = 100000",
        )
    })
    .unwrap();
    let api = ours.start().await.unwrap();
    let id = new_id();
    api.create(&Fagsystem::arkivmelding(SENDER, RECEIVER, &id))
        .await
        .unwrap()
        .ok()
        .unwrap();
    let announced = api
        .upload(&id, &File::new("a.bin", "application/pdf", vec![0; 100_001]))
        .await
        .unwrap();
    refused(&announced, 400, "MaxFileSizeExceededException");

    let mut connection = tokio::net::TcpStream::connect(api.base().strip_prefix("http://").unwrap())
        .await
        .unwrap();
    let head = format!(
        "PUT /api/messages/out/{id} HTTP/1.1\r\nHost: x\r\nContent-Type: application/pdf\r\n\
         Content-Disposition: attachment; filename=\"b.bin\"\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n"
    );
    connection.write_all(head.as_bytes()).await.unwrap();
    for _ in 0..3 {
        connection.write_all(b"C350\r\n").await.unwrap();
        connection.write_all(&vec![1; 50_000]).await.unwrap();
        connection.write_all(b"\r\n").await.unwrap();
    }
    let _closed_early = connection.write_all(b"0\r\n\r\n").await;
    let mut answer = String::new();
    connection.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 400"), "{answer}");
    assert!(answer.contains("MaxFileSizeExceededException"), "{answer}");
    api.upload(&id, &File::new("c.bin", "application/pdf", vec![0; 100_000]))
        .await
        .unwrap()
        .ok()
        .unwrap();
}

#[tokio::test]
async fn a_second_process_on_the_same_folder_is_refused_by_name() {
    let world = World::new(&[SENDER]).await.unwrap();
    let mut first = world.installation(SENDER).unwrap();
    first.start().await.unwrap();
    let second = std::process::Command::new(&world.programs.budstikke)
        .args(["serve", "--config"])
        .arg(first.config())
        .output()
        .unwrap();
    assert!(!second.status.success());
    let text = String::from_utf8_lossy(&second.stderr).into_owned();
    assert!(text.contains("another process uses the data folder"), "{text}");
}

#[tokio::test]
async fn no_person_number_and_no_secret_reaches_the_log() {
    let world = World::new(&[SENDER, RECEIVER]).await.unwrap();
    let mut ours = world.installation(SENDER).unwrap();
    let api = ours
        .start_with(&[("RUST_LOG", "budstikke=trace,budstikke_runtime=trace,info")])
        .await
        .unwrap();
    let person = "17912099997";
    let mut sbd = Fagsystem::arkivmelding(SENDER, RECEIVER, &new_id());
    sbd["standardBusinessDocumentHeader"]["receiver"][0]["identifier"]["value"] = person.into();
    assert_eq!(api.create(&sbd).await.unwrap().status, StatusCode::BAD_REQUEST);
    api.get(&format!("/api/capabilities/{person}")).await.unwrap();
    let id = new_id();
    let files = [
        File::examples().unwrap().remove(0),
        File::new("brev.pdf", "application/pdf", "Kjære hemmelige innhold"),
    ];
    api.send_message(&Fagsystem::arkivmelding(SENDER, RECEIVER, &id), &files)
        .await
        .unwrap();
    api.wait_for(&id, "SENDT", Duration::from_secs(30)).await.unwrap();
    let log = ours.log();
    let password = world.organisations[0].identity.password();
    for secret in [person, "hemmelige innhold", password, "Bearer ", "eyJ"] {
        assert!(!log.contains(secret), "the log holds {secret:?}");
    }
    assert!(log.contains(&id), "the log names the message");
}
