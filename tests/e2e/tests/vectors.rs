//! Test vectors of the messaging API that need an adapter. Spec: messaging API, 13.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

use std::time::Duration;

use budstikke_e2e::{Fagsystem, File, Pair, message_id};
use reqwest::Method;
use reqwest::multipart::{Form, Part};
use serde_json::{Value, json};

const PATIENCE: Duration = Duration::from_mins(1);

fn arkivmelding() -> (String, Value) {
    let id = uuid::Uuid::new_v4().to_string();
    let sbd = Fagsystem::arkivmelding(Pair::SENDER, Pair::RECEIVER, &id);
    (id, sbd)
}

/// Names one file besides itself, and a korrespondanseparttype that no list has.
const ARKIVMELDING: &str = r#"<arkivmelding xmlns="http://www.arkivverket.no/standarder/noark5/arkivmelding"
        xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"><mappe xsi:type="saksmappe"><systemID>1</systemID>
        <basisregistrering xsi:type="journalpost"><dokumentbeskrivelse><dokumentobjekt>
        <referanseDokumentfil>test.txt</referanseDokumentfil></dokumentobjekt></dokumentbeskrivelse>
        <korrespondansepart><korrespondanseparttype>Ukjent</korrespondanseparttype></korrespondansepart>
        <tittel>Ja</tittel></basisregistrering></mappe></arkivmelding>"#;

/// A one-shot call with these files.
fn form(sbd: &Value, names: &[&'static str]) -> Form {
    let sbd = Part::text(sbd.to_string()).mime_str("application/json").unwrap();
    names.iter().fold(Form::new().part("sbd", sbd), |form, name| {
        let (mime, content) = if *name == "arkivmelding.xml" {
            ("application/xml", ARKIVMELDING)
        } else {
            ("text/plain", "hei")
        };
        form.part(*name, Part::text(content).file_name(*name).mime_str(mime).unwrap())
    })
}

/// The names of the files in a package.
fn names(package: &[u8]) -> Vec<String> {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("asic.zip"), package).unwrap();
    let listed = std::process::Command::new("unzip")
        .args(["-Z1", "asic.zip"])
        .current_dir(folder.path())
        .output()
        .expect("unzip is needed for this test: install it");
    String::from_utf8(listed.stdout)
        .unwrap()
        .lines()
        .map(str::to_owned)
        .collect()
}

#[tokio::test]
async fn two_messages_in_two_processes_and_a_third_with_an_id_again() {
    let mut pair = Pair::new().await.unwrap();
    let (ours, _) = pair.start().await.unwrap();
    let (first, one) = arkivmelding();
    let (_, mut two) = arkivmelding();
    let process = "/standardBusinessDocumentHeader/businessScope/scope/0/identifier";
    *two.pointer_mut(process).unwrap() = "urn:no:difi:profile:arkivmelding:response:ver1.0".into();
    for sbd in [&one, &two] {
        let answer = ours.create(sbd).await.unwrap();
        assert_eq!(answer.status, 200, "{}", answer.json());
    }
    let mut third = Fagsystem::arkivmelding(Pair::RECEIVER, Pair::RECEIVER, &first);
    third["arkivmelding"] = json!({});
    let answer = ours.create(&third).await.unwrap();
    assert_eq!(answer.status, 400);
    let exception = answer.json()["exception"].as_str().unwrap().to_owned();
    assert_eq!(
        exception,
        "no.difi.meldingsutveksling.exceptions.MessageAlreadyExistsException"
    );
}

#[tokio::test]
async fn the_content_of_an_avtalt_message_passes_untouched() {
    let mut pair = Pair::new().await.unwrap();
    let (ours, theirs) = pair.start().await.unwrap();
    let (id, mut sbd) = arkivmelding();
    let content = json!({ "z": [1, 2.5, null, { "æ": "\u{1F4EE}" }], "a": "", "tall": 12_345_678_901_i64 });
    let identification = &mut sbd["standardBusinessDocumentHeader"]["documentIdentification"];
    identification["standard"] = "urn:no:difi:avtalt:xsd::avtalt".into();
    identification["type"] = "avtalt".into();
    let process = "/standardBusinessDocumentHeader/businessScope/scope/0/identifier";
    *sbd.pointer_mut(process).unwrap() = "urn:no:difi:profile:avtalt:avtalt:ver1.0".into();
    sbd.as_object_mut().unwrap().remove("arkivmelding");
    sbd["avtalt"] = json!({ "identifier": "urn:x", "content": content });
    let file = File::new("test.txt", "text/plain", "hei");
    ours.send_message(&sbd, std::slice::from_ref(&file)).await.unwrap();
    let came = theirs
        .wait_and_peek(&format!("?messageId={id}"), PATIENCE)
        .await
        .unwrap();
    assert_eq!(came["avtalt"]["content"], content);
    assert!(names(&theirs.pop(&id).await.unwrap().ok().unwrap().body).contains(&file.name));
}

#[tokio::test]
async fn a_one_shot_call_sends_also_with_an_unknown_korrespondanseparttype() {
    let mut pair = Pair::new().await.unwrap();
    let (ours, theirs) = pair.start().await.unwrap();
    let (id, mut sbd) = arkivmelding();
    sbd["arkivmelding"] = json!({ "sikkerhetsnivaa": 3 });
    let form = form(&sbd, &["arkivmelding.xml", "test.txt"]);
    let request = ours
        .request(Method::POST, "/api/messages/out/multipart")
        .multipart(form);
    let answered = ours.ask(request).await.unwrap().ok().unwrap().json();
    assert_eq!(message_id(&answered), Some(id.as_str()));
    theirs
        .wait_and_peek(&format!("?messageId={id}"), PATIENCE)
        .await
        .unwrap();
    let names = names(&theirs.pop(&id).await.unwrap().ok().unwrap().body);
    for name in ["manifest.xml", "arkivmelding.xml", "test.txt"] {
        assert!(names.iter().any(|entry| entry == name), "{name} is not among {names:?}");
    }
}

#[tokio::test]
async fn what_a_one_shot_call_created_stays_when_its_sending_is_refused() {
    let mut pair = Pair::new().await.unwrap();
    let (ours, theirs) = pair.start().await.unwrap();
    let (id, mut sbd) = arkivmelding();
    sbd["arkivmelding"] = json!({});
    let post = || {
        ours.request(Method::POST, "/api/messages/out/multipart")
            .multipart(form(&sbd, &["arkivmelding.xml"]))
    };
    for expected in ["MissingArkivmeldingFileException", "MessageAlreadyExistsException"] {
        let answer = ours.ask(post()).await.unwrap();
        assert_eq!(answer.status, 400);
        let body = answer.json();
        assert!(body["exception"].as_str().unwrap().ends_with(expected), "{body}");
    }
    ours.upload(&id, &File::new("test.txt", "text/plain", "hei"))
        .await
        .unwrap()
        .ok()
        .unwrap();
    ours.send(&id).await.unwrap().ok().unwrap();
    theirs
        .wait_and_peek(&format!("?messageId={id}"), PATIENCE)
        .await
        .unwrap();
}
