//! A message type that the operators have agreed on travels like those of eFormidling.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

use std::path::Path;
use std::time::Duration;

use budstikke_e2e::{File, Pair};
use serde_json::{Value, json};

const PATIENCE: Duration = Duration::from_secs(30);

fn examples() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/types")
}

/// What the operator of an installation writes: the type, its process, and that both parties take it.
fn with_the_type(text: &str) -> String {
    let schema = examples().join("byggesak.schema.json");
    let types = format!(
        r#"
[[messages.types]]
type = "byggesak"
standard = "urn:no:eksempel:byggesak:xsd::byggesak"
files = "required"
needs-primary = true
schema = "{}"

[[messages.processes]]
id = "urn:no:eksempel:profile:byggesak:soknad:ver1.0"
response = "urn:no:eksempel:profile:byggesak:svar:ver1.0"
"#,
        schema.display()
    );
    let with_the_process = text.replace(
        "urn:no:difi:profile:avtalt:avtalt:ver1.0",
        "urn:no:eksempel:profile:byggesak:soknad:ver1.0",
    );
    assert_ne!(with_the_process, text);
    let registered = with_the_process.replace(
        "urn:no:difi:avtalt:xsd::avtalt",
        "urn:no:eksempel:byggesak:xsd::byggesak",
    );
    assert_ne!(registered, with_the_process);
    registered + &types
}

#[tokio::test]
async fn a_message_of_a_type_of_our_own_travels_and_its_statuses_come_back() {
    let mut pair = Pair::new().await.unwrap();
    for installation in [&pair.ours, &pair.theirs] {
        installation.edit(|text| with_the_type(&text)).unwrap();
    }
    let (sender, receiver) = pair.start().await.unwrap();
    let mut sbd: Value = serde_json::from_slice(&std::fs::read(examples().join("sbd.json")).unwrap()).unwrap();
    let id = uuid::Uuid::new_v4().to_string();
    sbd["standardBusinessDocumentHeader"]["documentIdentification"]["instanceIdentifier"] = json!(id);
    let file = File::new("soknad.pdf", "application/pdf", "%PDF-1.4");
    sender.send_message(&sbd, &[file]).await.unwrap();

    let received = receiver.wait_and_peek("", PATIENCE).await.unwrap();
    assert_eq!(received["byggesak"], sbd["byggesak"]);
    assert!(!receiver.pop(&id).await.unwrap().ok().unwrap().body.is_empty());
    receiver.take(&id).await.unwrap().ok().unwrap();
    let statuses = sender.wait_for(&id, "LEVERT", PATIENCE).await;
    assert_eq!(
        pair.told(statuses).unwrap(),
        ["OPPRETTET", "SENDT", "MOTTATT", "LEVERT"]
    );

    let wrong = {
        let mut wrong = sbd.clone();
        wrong["standardBusinessDocumentHeader"]["documentIdentification"]["instanceIdentifier"] = Value::Null;
        wrong["byggesak"]["eiendom"]["bruksnummer"] = json!(-1);
        wrong
    };
    let refused = sender.create(&wrong).await.unwrap();
    assert_eq!(refused.status, 400);
    assert_eq!(refused.json()["errors"][0]["field"], "byggesak.eiendom.bruksnummer");
    assert_eq!(refused.json()["errors"][0]["code"], "minimum");
}
