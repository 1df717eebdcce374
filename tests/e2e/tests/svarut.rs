//! DPF, from the fagsystem's call to that of a municipality and back, over the stand-ins of SvarUt and SvarInn.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

use std::io::{Cursor, Read as _};
use std::time::Duration;

use budstikke_doubles::{Fault, Mottakersystem, Route};
use budstikke_e2e::{Fagsystem, File, Installation, World, message_id};
use reqwest::StatusCode;
use serde_json::{Value, json};

const SENDER: &str = "991825827";
const RECEIVER: &str = "910076787";
const PATIENCE: Duration = Duration::from_mins(1);

/// Two organisations that reach each other over KS alone.
struct Scene {
    world: World,
    ours: Installation,
    theirs: Installation,
}

impl Scene {
    async fn start(protocol: &str) -> Self {
        let world = World::new(&[SENDER, RECEIVER]).await.unwrap();
        let certificate = world.ks_certificate().unwrap();
        let (mut ours, mut theirs) = (
            world.installation(SENDER).unwrap(),
            world.installation(RECEIVER).unwrap(),
        );
        for (number, installation) in [(SENDER, &mut ours), (RECEIVER, &mut theirs)] {
            world.receives_over_ks(number).unwrap();
            installation.hurry(&world).unwrap();
            installation.ask_for_passwords().unwrap();
            installation.serves_dpf(&world, protocol).await.unwrap();
            installation.names(&[SENDER, RECEIVER]).unwrap();
            installation.reaches_all_over("DPF", Some(&certificate), "").unwrap();
            installation.start().await.unwrap();
        }
        Self { world, ours, theirs }
    }

    fn told(&self) -> String {
        format!(
            "--- ours\n{}\n--- theirs\n{}",
            self.ours.end_of_log(),
            self.theirs.end_of_log()
        )
    }
}

fn sbd(id: &str, kind: &str) -> Value {
    let mut sbd = Fagsystem::arkivmelding(SENDER, RECEIVER, id);
    sbd["arkivmelding"] = json!({ "sikkerhetsnivaa": 3, "dpf": { "forsendelseType": kind } });
    sbd
}

fn new_id() -> String {
    uuid::Uuid::new_v4().to_string()
}

/// The files of an ASiC-E that are no metadata, by name.
fn opened(package: &[u8]) -> Vec<(String, Vec<u8>)> {
    let mut zip = zip::ZipArchive::new(Cursor::new(package)).unwrap();
    let mut files = Vec::new();
    for place in 0..zip.len() {
        let mut entry = zip.by_index(place).unwrap();
        let name = entry.name().unwrap().into_owned();
        if name.starts_with("META-INF/") || name == "mimetype" || name == "manifest.xml" {
            continue;
        }
        let mut content = Vec::new();
        entry.read_to_end(&mut content).unwrap();
        files.push((name, content));
    }
    files
}

/// A message arrives at the municipality as SvarInn brings it, and the sender sees that it was read.
async fn a_message_arrives(protocol: &str) {
    let scene = Scene::start(protocol).await;
    let (sender, receiver) = (scene.ours.fagsystem(), scene.theirs.fagsystem());
    let (id, files) = (new_id(), File::examples().unwrap());
    sender.send_message(&sbd(&id, "byggesak"), &files).await.unwrap();
    let read = sender.wait_for(&id, "LEST", PATIENCE).await;
    let statuses = read.unwrap_or_else(|error| panic!("{error:#}\n{}", scene.told()));
    assert_eq!(statuses, ["OPPRETTET", "SENDT", "LEVERT", "LEST"]);

    let forsendelser = scene.world.doubles.ks().forsendelser();
    assert_eq!(forsendelser.len(), 1);
    let forsendelse = &forsendelser[0];
    assert_eq!(forsendelse.external_reference.as_deref(), Some(id.as_str()));
    assert_eq!(forsendelse.came_by, protocol);
    assert_eq!(forsendelse.downloads, 1);
    let letter = files.iter().find(|file| file.name == "brev.pdf").unwrap();
    assert_eq!(forsendelse.documents.len(), 1);
    assert_eq!(forsendelse.documents[0].content, letter.content);

    let arrived = receiver.wait_and_peek("", PATIENCE).await.unwrap();
    let arrived_id = message_id(&arrived).unwrap().to_owned();
    assert_eq!(arrived_id, forsendelse.id.to_string());
    let header = &arrived["standardBusinessDocumentHeader"];
    assert_eq!(header["sender"][0]["identifier"]["value"], format!("0192:{SENDER}"));
    let package = receiver.pop(&arrived_id).await.unwrap().ok().unwrap().body;
    let opened = opened(&package);
    let names: Vec<&str> = opened.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["arkivmelding.xml", "brev.pdf"]);
    assert_eq!(opened[1].1, letter.content);
    let xml = String::from_utf8(opened[0].1.clone()).unwrap();
    assert!(
        xml.contains("<offentligTittel>Svar på søknad om nye vinduer</offentligTittel>"),
        "{xml}"
    );
    assert!(xml.contains("<journaldato>2026-03-02+01:00</journaldato>"), "{xml}");
    receiver.take(&arrived_id).await.unwrap().ok().unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_reaches_a_municipality_over_rest() {
    a_message_arrives("rest").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_reaches_a_municipality_over_soap() {
    a_message_arrives("soap").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_answer_does_not_send_a_message_twice_and_a_lost_confirmation_does_not_deliver_it_twice() {
    let scene = Scene::start("rest").await;
    let (sender, receiver) = (scene.ours.fagsystem(), scene.theirs.fagsystem());
    scene.world.doubles.faults().once(Route::SvarutSend, Fault::AnswerLost);
    scene
        .world
        .doubles
        .faults()
        .once(Route::SvarinnConfirm, Fault::Status(503));
    let id = new_id();
    sender
        .send_message(&sbd(&id, "byggesak"), &File::examples().unwrap())
        .await
        .unwrap();
    let taken = sender.wait_for(&id, "LEVERT", PATIENCE).await;
    taken.unwrap_or_else(|error| panic!("{error:#}\n{}", scene.told()));
    let confirmed = async || {
        while scene.world.doubles.ks().forsendelser()[0].status != "LEST" {
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    };
    let confirmed = tokio::time::timeout(PATIENCE, confirmed()).await;
    assert!(confirmed.is_ok(), "not confirmed\n{}", scene.told());
    assert_eq!(scene.world.doubles.count(Route::SvarutSend), 1);
    assert!(scene.world.doubles.count(Route::SvarutFind) >= 1);
    let forsendelse = scene.world.doubles.ks().forsendelser().remove(0);
    assert_eq!(forsendelse.downloads, 1);
    assert_eq!(scene.world.doubles.count(Route::SvarinnConfirm), 2);
    let arrived = receiver.wait_and_peek("", PATIENCE).await.unwrap();
    let arrived = message_id(&arrived).unwrap().to_owned();
    receiver.pop(&arrived).await.unwrap().ok().unwrap();
    receiver.take(&arrived).await.unwrap().ok().unwrap();
    assert!(receiver.peek("").await.unwrap().is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_svarut_would_refuse_is_refused_before_it_is_accepted() {
    let scene = Scene::start("rest").await;
    let sender = scene.ours.fagsystem();
    let refused = sender.create(&sbd(&new_id(), "nope")).await.unwrap();
    assert_eq!(refused.status, StatusCode::BAD_REQUEST);
    let exception = refused.json()["exception"].as_str().unwrap().to_owned();
    assert!(exception.ends_with("ForsendelseTypeNotFoundException"), "{exception}");
    let mut without_level = sbd(&new_id(), "byggesak");
    without_level["arkivmelding"] = json!({});
    assert_eq!(
        sender.create(&without_level).await.unwrap().status,
        StatusCode::BAD_REQUEST
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_forsendelse_that_cannot_be_opened_is_set_aside_and_waits() {
    let scene = Scene::start("rest").await;
    let theirs = scene.theirs.fagsystem();
    // Somebody forgot to upload the new certificate.
    let wrong = scene.world.organisations[0].identity.certificate_pem();
    scene
        .world
        .doubles
        .put_mottakersystem(Mottakersystem::new(RECEIVER, wrong));
    let id = scene
        .world
        .doubles
        .ks()
        .put_forsendelse(budstikke_doubles::Forsendelse::to(RECEIVER).with_document("a.txt", "text/plain", "Hei"));
    let deadline = std::time::Instant::now() + PATIENCE;
    loop {
        let aside = theirs
            .get("/manage/set-aside")
            .await
            .unwrap()
            .ok()
            .unwrap()
            .json()
            .to_string();
        if aside.contains(&format!("{id}:unreadable")) {
            break;
        }
        assert!(std::time::Instant::now() < deadline, "{aside}\n{}", scene.told());
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    let forsendelse = scene.world.doubles.ks().forsendelse(id).unwrap();
    assert!(forsendelse.waits && forsendelse.status != "LEST");
}
