//! The main job, from the fagsystem's call to the other fagsystem's. Openssl and unzip are the referees: they open what
//! travelled and what arrived.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use budstikke_doubles::{DoublesConfig, SystemUser};
use budstikke_e2e::{Fagsystem, File, Installation, Profile, World, message_id};
use reqwest::StatusCode;
use serde_json::{Value, json};

const SENDER: &str = "991825827";
const RECEIVER: &str = "910076787";
const CUSTOMER: &str = "987464291";
const PATIENCE: Duration = Duration::from_secs(30);

/// Two installations that are running.
struct Both {
    ours: Installation,
    theirs: Installation,
    _world: World,
}

impl Both {
    async fn start() -> Self {
        let world = World::new(&[SENDER, RECEIVER]).await.unwrap();
        let (mut ours, mut theirs) = (
            world.installation(SENDER).unwrap(),
            world.installation(RECEIVER).unwrap(),
        );
        ours.start().await.unwrap();
        theirs.start().await.unwrap();
        Self {
            ours,
            theirs,
            _world: world,
        }
    }

    fn fagsystems(&self) -> (Fagsystem, Fagsystem) {
        (self.ours.fagsystem(), self.theirs.fagsystem())
    }
}

fn new_id() -> String {
    uuid::Uuid::new_v4().to_string()
}

fn run(program: &str, arguments: &[&str], folder: &Path) -> Vec<u8> {
    let output = Command::new(program)
        .args(arguments)
        .current_dir(folder)
        .output()
        .unwrap_or_else(|error| panic!("{program} is needed for this test: install it ({error})"));
    assert!(
        output.status.success(),
        "{program} {arguments:?}: {}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    output.stdout
}

/// The statuses of one side, in order.
async fn statuses(fagsystem: &Fagsystem, id: &str) -> Vec<String> {
    fagsystem.statuses(id).await.unwrap()
}

/// Peeks, pops and takes the message with an id; gives its package.
async fn fetch(receiver: &Fagsystem, id: &str) -> Vec<u8> {
    let sbd = receiver
        .wait_and_peek(&format!("?messageId={id}"), PATIENCE)
        .await
        .unwrap();
    assert_eq!(message_id(&sbd), Some(id));
    let package = receiver.pop(id).await.unwrap().ok().unwrap().body;
    receiver.take(id).await.unwrap().ok().unwrap();
    package
}

/// Opens an ASiC-E with unzip and verifies its signature and digests with openssl.
fn verify_asic(package: &[u8], files: &[File]) {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    std::fs::write(at.join("asic.zip"), package).unwrap();
    run("unzip", &["-q", "asic.zip", "-d", "content"], at);
    let content = at.join("content");
    for file in files {
        assert_eq!(
            std::fs::read(content.join(&file.name)).unwrap(),
            file.content,
            "{}",
            file.name
        );
    }
    let manifest = std::fs::read_to_string(content.join("META-INF/ASiCManifest.xml")).unwrap();
    for file in files {
        let digest = run("openssl", &["dgst", "-sha256", "-binary", &file.name], &content);
        std::fs::write(at.join("digest"), digest).unwrap();
        let encoded = run("openssl", &["base64", "-A", "-in", "digest"], at);
        assert!(
            manifest.contains(&String::from_utf8(encoded).unwrap()),
            "the manifest lacks the digest of {}",
            file.name
        );
    }
    let signature = std::fs::read_dir(content.join("META-INF"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .find(|path| path.extension().is_some_and(|extension| extension == "p7s"))
        .expect("no signature in the package");
    run(
        "openssl",
        &[
            "cms",
            "-verify",
            "-binary",
            "-noverify",
            "-inform",
            "DER",
            "-in",
            signature.to_str().unwrap(),
            "-content",
            "META-INF/ASiCManifest.xml",
            "-out",
            "/dev/null",
        ],
        &content,
    );
}

#[tokio::test]
async fn an_arkivmelding_travels_and_its_statuses_travel_back() {
    let both = Both::start().await;
    let (sender, receiver) = both.fagsystems();
    let files = File::examples().unwrap();
    let id = new_id();
    let sbd = Fagsystem::arkivmelding(SENDER, RECEIVER, &id);
    sender.send_message(&sbd, &files).await.unwrap();
    sender.wait_for(&id, "MOTTATT", PATIENCE).await.unwrap();
    let conversation = sender
        .get(&format!("/api/conversations/messageId/{id}"))
        .await
        .unwrap()
        .ok()
        .unwrap()
        .json();
    assert_eq!(conversation["messageTitle"], "Svar på søknad om nye vinduer");
    assert_eq!(
        conversation["messageReference"],
        "43fbe161-7aac-4c9f-a888-d8167aab4144-13"
    );
    assert_eq!(conversation["serviceIdentifier"], "DPO");

    let package = fetch(&receiver, &id).await;
    verify_asic(&package, &files);
    sender.wait_for(&id, "LEVERT", PATIENCE).await.unwrap();
    assert_eq!(
        statuses(&sender, &id).await,
        ["OPPRETTET", "SENDT", "MOTTATT", "LEVERT"]
    );
    assert_eq!(
        statuses(&receiver, &id).await,
        ["OPPRETTET", "INNKOMMENDE_MOTTATT", "INNKOMMENDE_LEVERT"]
    );
    assert_eq!(
        sender.get(&format!("/api/messages/out/{id}")).await.unwrap().status,
        StatusCode::NOT_FOUND
    );
    assert!(receiver.peek("").await.unwrap().is_none());
}

#[tokio::test]
async fn what_travels_is_sealed_so_that_openssl_opens_it_with_the_receivers_key() {
    let world = World::new(&[SENDER, RECEIVER]).await.unwrap();
    let mut ours = world.installation(SENDER).unwrap();
    let sender = ours.start().await.unwrap();
    let files = File::examples().unwrap();
    let id = new_id();
    sender
        .send_message(&Fagsystem::arkivmelding(SENDER, RECEIVER, &id), &files)
        .await
        .unwrap();
    sender.wait_for(&id, "SENDT", PATIENCE).await.unwrap();

    let transfer = world.doubles.transfers().remove(0);
    assert_eq!(transfer.recipients.len(), 1);
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    std::fs::write(at.join("sbd.zip"), transfer.read().unwrap()).unwrap();
    run("unzip", &["-q", "sbd.zip"], at);
    let mut names: Vec<_> = std::fs::read_dir(at)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    assert_eq!(names, ["asic.zip", "sbd.json", "sbd.zip"]);

    let receiver = world
        .organisations
        .iter()
        .find(|organisation| organisation.number == RECEIVER)
        .unwrap();
    let key = receiver.identity.key_path().display().to_string();
    run(
        "openssl",
        &[
            "cms",
            "-decrypt",
            "-inform",
            "DER",
            "-in",
            "asic.zip",
            "-inkey",
            &key,
            "-out",
            "plain.zip",
        ],
        at,
    );
    verify_asic(&std::fs::read(at.join("plain.zip")).unwrap(), &files);
    let manifest = String::from_utf8(run("unzip", &["-p", "plain.zip", "manifest.xml"], at)).unwrap();
    assert!(manifest.contains("0192:910076787") && manifest.contains("0192:991825827"));
    assert!(manifest.contains(r#"href="brev.pdf""#), "{manifest}");

    let wire: Value = serde_json::from_slice(&std::fs::read(at.join("sbd.json")).unwrap()).unwrap();
    assert_eq!(message_id(&wire), Some(id.as_str()));
    assert_eq!(wire["arkivmelding"]["sikkerhetsnivaa"], 3);
}

fn avtalt(sender: &str, id: &str) -> Value {
    let mut sbd = Fagsystem::arkivmelding(sender, RECEIVER, id);
    let header = &mut sbd["standardBusinessDocumentHeader"];
    header["documentIdentification"]["standard"] = "urn:no:difi:avtalt:xsd::avtalt".into();
    header["documentIdentification"]["type"] = "avtalt".into();
    header["businessScope"]["scope"][0]["identifier"] = "urn:no:difi:profile:avtalt:avtalt:ver1.0".into();
    let members = sbd.as_object_mut().unwrap();
    members.remove("arkivmelding");
    members.insert(
        "avtalt".into(),
        json!({ "identifier": "x", "content": { "fri": ["form", 1, null, 2.5] } }),
    );
    sbd
}

#[tokio::test]
async fn an_avtalt_without_files_arrives_with_its_free_content_and_pops_as_204() {
    let both = Both::start().await;
    let (sender, receiver) = both.fagsystems();
    let id = new_id();
    sender.send_message(&avtalt(SENDER, &id), &[]).await.unwrap();
    let received = receiver.wait_and_peek("", PATIENCE).await.unwrap();
    assert_eq!(received["avtalt"]["content"], json!({ "fri": ["form", 1, null, 2.5] }));
    assert_eq!(receiver.pop(&id).await.unwrap().status, StatusCode::NO_CONTENT);
    receiver.take(&id).await.unwrap().ok().unwrap();
    sender.wait_for(&id, "LEVERT", PATIENCE).await.unwrap();
}

#[tokio::test]
async fn a_message_on_behalf_of_a_customer_leaves_with_the_customers_system_user_and_its_answers_come_back() {
    let customer = format!("{CUSTOMER}_system");
    let doubles = DoublesConfig {
        system_users: vec![SystemUser::new(CUSTOMER, &customer).unwrap()],
        ..DoublesConfig::default()
    };
    let world = World::with(&[SENDER, RECEIVER], Profile::Debug, None, doubles)
        .await
        .unwrap();
    let (mut ours, mut theirs) = (
        world.installation(SENDER).unwrap(),
        world.installation(RECEIVER).unwrap(),
    );
    ours.edit(|text| {
        let own = format!("\"0192:{SENDER}\" = ");
        text.replace(&own, &format!("\"0192:{CUSTOMER}\" = \"{customer}\"\n{own}"))
    })
    .unwrap();
    let (sender, receiver) = (ours.start().await.unwrap(), theirs.start().await.unwrap());
    let id = new_id();
    let created = sender
        .create(&avtalt(CUSTOMER, &id))
        .await
        .unwrap()
        .ok()
        .unwrap()
        .json();
    let written = &created["standardBusinessDocumentHeader"]["sender"][0]["identifier"]["value"];
    assert_eq!(written, &json!(format!("0192:{SENDER}:{CUSTOMER}")));
    sender.send(&id).await.unwrap().ok().unwrap();

    let received = receiver.wait_and_peek("", PATIENCE).await.unwrap();
    let from = &received["standardBusinessDocumentHeader"]["sender"][0]["identifier"]["value"];
    assert_eq!(from, &json!(format!("0192:{CUSTOMER}")));
    receiver.take(&id).await.unwrap().ok().unwrap();
    sender.wait_for(&id, "LEVERT", PATIENCE).await.unwrap();
    let conversation = sender
        .get(&format!("/api/conversations/messageId/{id}"))
        .await
        .unwrap()
        .json();
    assert_eq!(conversation["senderIdentifier"], CUSTOMER);
}

#[tokio::test]
async fn with_a_message_channel_the_answers_find_the_installation_that_sent() {
    let world = World::new(&[SENDER, RECEIVER]).await.unwrap();
    let (mut ours, mut theirs) = (
        world.installation(SENDER).unwrap(),
        world.installation(RECEIVER).unwrap(),
    );
    ours.edit(|text| {
        text.replace(
            "[adapters.dpo.settings]",
            "[adapters.dpo.settings]\nmessage-channel = \"fag-1\"",
        )
    })
    .unwrap();
    let (sender, receiver) = (ours.start().await.unwrap(), theirs.start().await.unwrap());
    let id = new_id();
    let created = sender.create(&avtalt(SENDER, &id)).await.unwrap().ok().unwrap().json();
    let scopes = created["standardBusinessDocumentHeader"]["businessScope"]["scope"]
        .as_array()
        .unwrap();
    assert!(
        scopes
            .iter()
            .any(|scope| scope["type"] == "MessageChannel" && scope["identifier"] == "fag-1")
    );
    sender.send(&id).await.unwrap().ok().unwrap();
    receiver.wait_and_peek("", PATIENCE).await.unwrap();
    receiver.take(&id).await.unwrap().ok().unwrap();
    sender.wait_for(&id, "LEVERT", PATIENCE).await.unwrap();
    let references: Vec<_> = world
        .doubles
        .transfers()
        .into_iter()
        .filter(|transfer| transfer.sender.number() == RECEIVER)
        .map(|transfer| transfer.reference.unwrap_or_default())
        .collect();
    assert_eq!(
        references,
        ["fag-1", "fag-1"],
        "MOTTATT and LEVERT go back with the channel of the message"
    );

    let mut other = avtalt(SENDER, &new_id());
    other["standardBusinessDocumentHeader"]["businessScope"]["scope"]
        .as_array_mut()
        .unwrap()
        .push(json!({ "type": "MessageChannel", "identifier": "fag-2" }));
    let refused = sender.create(&other).await.unwrap();
    assert_eq!(refused.status, StatusCode::BAD_REQUEST);
    let exception = refused.json()["exception"].as_str().unwrap_or_default().to_owned();
    assert!(exception.ends_with("MessageChannelInvalidException"), "{exception}");
}

#[tokio::test]
async fn what_waits_on_the_queue_survives_an_orderly_restart() {
    let mut both = Both::start().await;
    let (sender, receiver) = both.fagsystems();
    let files = File::examples().unwrap();
    let id = new_id();
    sender
        .send_message(&Fagsystem::arkivmelding(SENDER, RECEIVER, &id), &files)
        .await
        .unwrap();
    receiver.wait_and_peek("", PATIENCE).await.unwrap();
    assert!(both.theirs.terminate().await.unwrap().success());
    let receiver = both.theirs.start().await.unwrap();
    let package = receiver.pop(&id).await.unwrap().ok().unwrap().body;
    verify_asic(&package, &files);
    receiver.take(&id).await.unwrap().ok().unwrap();
    sender.wait_for(&id, "LEVERT", PATIENCE).await.unwrap();
}

#[tokio::test]
async fn an_answer_about_the_capabilities_of_a_receiver_and_an_unknown_one() {
    let world = World::new(&[SENDER, RECEIVER]).await.unwrap();
    let mut ours = world.installation(SENDER).unwrap();
    let sender = ours.start().await.unwrap();
    let capabilities = sender
        .get(&format!("/api/capabilities/{RECEIVER}"))
        .await
        .unwrap()
        .ok()
        .unwrap()
        .json();
    let first = &capabilities["capabilities"][0];
    assert_eq!(first["serviceIdentifier"], "DPO");
    assert_eq!(
        first["documentTypes"][0],
        json!({ "type": "arkivmelding", "standard": "urn:no:difi:arkivmelding:xsd::arkivmelding" })
    );
    let unknown = sender.get("/api/capabilities/999999999").await.unwrap();
    assert_eq!(unknown.status, StatusCode::NOT_FOUND);
    let exception = unknown.json()["exception"].as_str().unwrap_or_default().to_owned();
    assert!(exception.ends_with("IdentifierNotFoundException"), "{exception}");
    let refused = sender
        .create(&Fagsystem::arkivmelding(SENDER, "999999999", &new_id()))
        .await
        .unwrap();
    assert_eq!(refused.status, StatusCode::BAD_REQUEST);
    let body = refused.json();
    assert!(
        body["exception"]
            .as_str()
            .unwrap()
            .ends_with("ReceiverDoesNotAcceptProcessException"),
        "{body}"
    );
    assert!(body["hint"].is_string(), "{body}");
}
