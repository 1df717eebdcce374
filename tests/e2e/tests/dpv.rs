//! Letters to the inbox of Altinn, from the fagsystem's call to the statuses that come back.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

use std::time::Duration;

use budstikke_doubles::{Correspondence, CorrespondenceStatus, Fault, RecipientState, Route};
use budstikke_e2e::{Fagsystem, File, Installation, World};
use serde_json::{Value, json};

const SENDER: &str = "991825827";
const RECEIVER: &str = "910076787";
const PATIENCE: Duration = Duration::from_secs(90);

/// An installation whose receivers are reached over DPV.
struct Scene {
    world: World,
    installation: Installation,
}

impl Scene {
    async fn new() -> Self {
        let world = World::new(&[SENDER, RECEIVER]).await.unwrap();
        let installation = world.installation(SENDER).unwrap();
        installation.hurry(&world).unwrap();
        let receipts = "generate-arkivmelding-receipts = true";
        installation.serves_dpv(&world, receipts).await.unwrap();
        installation.names(&[SENDER]).unwrap();
        let resource = "address = { resource = \"eformidling-dpv-administrasjon\" }";
        installation.reaches_all_over("DPV", None, resource).unwrap();
        Self { world, installation }
    }

    async fn start(&mut self) -> Fagsystem {
        let started = self.installation.start().await;
        started.unwrap_or_else(|error| panic!("{error:#}\n{}", self.installation.end_of_log()))
    }

    fn letters(&self) -> Vec<Correspondence> {
        self.world.doubles.correspondences().all()
    }

    /// Waits for a status of a message; what the log says when it does not come.
    async fn told(&self, fagsystem: &Fagsystem, id: &str, status: &str) -> Vec<String> {
        let told = fagsystem.wait_for(id, status, PATIENCE).await;
        told.unwrap_or_else(|error| panic!("{error:#}\n{}", self.installation.end_of_log()))
    }
}

fn message() -> (Value, String) {
    let id = uuid::Uuid::new_v4().to_string();
    (Fagsystem::arkivmelding(SENDER, RECEIVER, &id), id)
}

#[tokio::test]
async fn an_arkivmelding_reaches_the_inbox_and_its_reading_comes_back_with_a_receipt() {
    let mut scene = Scene::new().await;
    let fagsystem = scene.start().await;
    let (sbd, id) = message();
    let files = File::examples().unwrap();
    fagsystem.send_message(&sbd, &files).await.unwrap();
    scene.told(&fagsystem, &id, "SENDT").await;
    let [letter] = scene.letters().try_into().expect("one letter");
    assert!(
        scene
            .world
            .doubles
            .correspondences()
            .change(letter.id, CorrespondenceStatus::Read)
    );

    let title = "Svar på søknad om nye vinduer";
    for (field, value) in [
        ("correspondence.sendersReference", id.as_str()),
        ("correspondence.messageSender", "Organisasjon 991825827"),
        ("correspondence.content.messageTitle", title),
        ("correspondence.content.messageBody", title),
        ("correspondence.content.attachments[0].fileName", "brev.pdf"),
        ("correspondence.propertyList.senderOrgNumber", SENDER),
        ("recipients[0]", "urn:altinn:organization:identifier-no:910076787"),
        ("idempotentKey", id.as_str()),
    ] {
        assert_eq!(letter.field(field), Some(value), "{field}");
    }
    let [file] = letter.files.as_slice() else {
        panic!("arkivmelding.xml stays here")
    };
    assert_eq!(file.read().unwrap(), files[1].content);

    let statuses = scene.told(&fagsystem, &id, "LEST").await;
    assert_eq!(statuses, ["OPPRETTET", "SENDT", "LEVERT", "LEST"]);
    let receipt = fagsystem
        .wait_and_peek("?serviceIdentifier=DPV", PATIENCE)
        .await
        .unwrap();
    let body = &receipt["arkivmelding_kvittering"];
    assert_eq!(
        (body["receiptType"].as_str(), body["relatedToMessageId"].as_str()),
        (Some("OK"), Some(id.as_str()))
    );
    let conversation = fagsystem
        .get(&format!("/api/conversations/messageId/{id}"))
        .await
        .unwrap()
        .ok()
        .unwrap();
    assert_eq!(conversation.json()["externalSystemReference"], letter.id.to_string());
}

#[tokio::test]
async fn what_altinn_would_refuse_is_refused_before_it_is_accepted() {
    let mut scene = Scene::new().await;
    let fagsystem = scene.start().await;
    let (mut sbd, _) = message();
    let scope = &mut sbd["standardBusinessDocumentHeader"]["businessScope"]["scope"][0];
    scope["identifier"] = json!("urn:no:difi:profile:avtalt:avtalt:ver1.0");
    let document = &mut sbd["standardBusinessDocumentHeader"]["documentIdentification"];
    document["standard"] = json!("urn:no:difi:avtalt:xsd::avtalt");
    document["type"] = json!("avtalt");
    sbd.as_object_mut().unwrap().remove("arkivmelding");
    sbd["avtalt"] = json!({ "identifier": "x", "content": {} });
    let refused = fagsystem.create(&sbd).await.unwrap();
    assert_eq!(refused.status, 400);
    let text = refused.json()["message"].as_str().unwrap().to_owned();
    assert!(text.starts_with("message-type: "), "{text}");

    let (sbd, id) = message();
    let mut files = File::examples().unwrap();
    let xml = String::from_utf8(files[0].content.clone()).unwrap();
    files[0].content = xml.replace("brev.pdf", "brev.pptx").into_bytes();
    files[1].name = "brev.pptx".to_owned();
    let refused = fagsystem.send_message(&sbd, &files).await.unwrap_err();
    assert!(
        format!("{refused:#}").contains("file-type: the file `brev.pptx`"),
        "{refused:#}"
    );
    assert_eq!(fagsystem.statuses(&id).await.unwrap(), ["OPPRETTET"]);
    assert!(scene.letters().is_empty());
}

#[tokio::test]
async fn a_lost_answer_leaves_one_letter_and_a_refusal_is_final() {
    let mut scene = Scene::new().await;
    let fagsystem = scene.start().await;
    let files = File::examples().unwrap();
    scene
        .world
        .doubles
        .faults()
        .once(Route::CorrespondenceUpload, Fault::AnswerLost);
    let (sbd, id) = message();
    fagsystem.send_message(&sbd, &files).await.unwrap();
    scene.told(&fagsystem, &id, "SENDT").await;
    assert_eq!(scene.letters().len(), 1);
    assert_eq!(scene.world.doubles.count(Route::CorrespondenceUpload), 1);

    scene
        .world
        .doubles
        .correspondences()
        .recipient(RECEIVER, RecipientState::Unknown);
    let (sbd, id) = message();
    fagsystem.send_message(&sbd, &files).await.unwrap();
    assert_eq!(scene.told(&fagsystem, &id, "FEIL").await, ["OPPRETTET", "FEIL"]);
    assert_eq!(scene.world.doubles.count(Route::CorrespondenceUpload), 2);
}

#[tokio::test]
async fn a_receipt_goes_nowhere_and_counts_as_read() {
    let mut scene = Scene::new().await;
    let fagsystem = scene.start().await;
    let (mut sbd, id) = message();
    let scope = &mut sbd["standardBusinessDocumentHeader"]["businessScope"]["scope"][0];
    scope["identifier"] = json!("urn:no:difi:profile:arkivmelding:response:ver1.0");
    let document = &mut sbd["standardBusinessDocumentHeader"]["documentIdentification"];
    document["standard"] = json!("urn:no:difi:arkivmelding:xsd::arkivmelding_kvittering");
    document["type"] = json!("arkivmelding_kvittering");
    sbd.as_object_mut().unwrap().remove("arkivmelding");
    sbd["arkivmelding_kvittering"] = json!({ "receiptType": "OK", "relatedToMessageId": uuid::Uuid::new_v4() });
    fagsystem.send_message(&sbd, &[]).await.unwrap();
    assert_eq!(
        scene.told(&fagsystem, &id, "LEST").await,
        ["OPPRETTET", "SENDT", "LEVERT", "LEST"]
    );
    assert!(scene.letters().is_empty());
}
