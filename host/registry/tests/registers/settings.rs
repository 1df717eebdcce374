//! Settings that do not work are refused before anything is asked, each by its name.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use budstikke_doubles::{Content, Fault, Route};
use budstikke_registry::registers::settings::RegisterSettings;
use budstikke_registry::registers::token::TokenSource;
use budstikke_registry::registers::{OpenError, Registers};
use tokio::net::{TcpListener, TcpSocket, TcpStream};

use crate::world::{BARE, ORGANISATION, World, organisation};

fn open(world: &World, settings: &RegisterSettings) -> Result<Registers, OpenError> {
    let tokens: Arc<dyn TokenSource> = world.tokens.clone();
    Registers::from_settings(settings, &tokens, &world.check)
}

fn refused(world: &World, text: &str) -> String {
    let settings = toml::from_str(text).unwrap();
    open(world, &settings).map(|_| ()).unwrap_err().to_string()
}

#[tokio::test]
async fn a_register_that_is_left_out_is_not_there() {
    let world = World::start().await;
    let none = open(&world, &RegisterSettings::default()).unwrap();
    assert!(none.organisations.is_none() && none.registrations.is_none() && none.certificates.is_none());
    assert!(none.receiver_systems.is_none() && none.contacts.is_none() && none.residents.is_none());
    assert!(none.health_units.is_none() && none.accounts.is_none());
    let all = world.registers("");
    assert!(all.organisations.is_some() && all.registrations.is_some() && all.certificates.is_some());
    assert!(all.receiver_systems.is_some() && all.contacts.is_some() && all.residents.is_some());
    assert!(all.health_units.is_some() && all.accounts.is_some());
}

#[tokio::test]
async fn what_does_not_work_is_named() {
    let world = World::start().await;
    for (text, named) in [
        ("[brreg]\nurl = \"data.brreg.no\"", "Enhetsregisteret"),
        ("[nhn]\nurl = \"https://nhn.example.no/\"", "{identifier}"),
        ("[brreg]\nlimits = { answer-ms = 0 }", "answer-ms"),
        ("[brreg]\nlimits = { whole-ms = 0 }", "whole-ms"),
        ("[krr]\nurl = \"https://krr.example.no/\"", "trust-anchors"),
        (
            "[krr]\nurl = \"https://x\"\ntrust-anchors = [\"/nonexistent.pem\"]",
            "/nonexistent.pem",
        ),
        (
            "[krr]\nurl = \"https://x\"\ntrust-any-certificate = true\ntrust-anchors = [\"/nonexistent.pem\"]",
            "beside",
        ),
    ] {
        let error = refused(&world, text);
        assert!(error.contains(named), "{error}");
    }
    let empty = world.file("empty.pem", "no certificate");
    let error = refused(
        &world,
        &format!("[krr]\nurl = \"https://x\"\npinned-certificates = [\"{empty}\"]"),
    );
    assert!(error.contains("empty.pem"), "{error}");
}

#[tokio::test]
async fn an_answer_larger_than_the_limit_is_not_read() {
    let world = World::start().await;
    world.put(Content::unit(ORGANISATION, "EKSEMPELETATEN", "ORGL"));
    let organisations = world.registers("answer-bytes = 100").organisations.unwrap();
    let error = organisations.organisation(&organisation()).await.unwrap_err();
    assert!(error.to_string().contains("longer than 100 bytes"), "{error}");
}

/// A listener that takes no connection: what waits before it fills all the room, and whoever comes next gets no answer.
async fn full() -> (TcpListener, Vec<TcpStream>) {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind(SocketAddr::from(([127, 0, 0, 1], 0))).unwrap();
    let listener = socket.listen(1).unwrap();
    let address = listener.local_addr().unwrap();
    let mut waiting = Vec::new();
    while let Ok(stream) = tokio::time::timeout(Duration::from_millis(500), TcpStream::connect(address)).await {
        waiting.push(stream.unwrap());
        assert!(waiting.len() < 1000, "the listener has room for everybody");
    }
    (listener, waiting)
}

#[tokio::test]
async fn a_connection_is_not_waited_for_longer_than_its_limit() {
    let world = World::start().await;
    let (listener, _waiting) = full().await;
    let mut settings = world.settings("connect-ms = 200, answer-ms = 60000, retries = 0");
    settings.brreg.as_mut().unwrap().url = format!("http://{}/", listener.local_addr().unwrap());
    let organisations = world.open(&settings).organisations.unwrap();
    let started = Instant::now();
    assert!(organisations.organisation(&organisation()).await.is_err());
    let waited = started.elapsed();
    assert!(
        waited >= Duration::from_millis(200) && waited < Duration::from_secs(10),
        "{waited:?}"
    );
}

#[tokio::test]
async fn the_icd_of_organisations_is_a_setting() {
    let world = World::start().await;
    let mut settings = world.settings(BARE);
    settings.elma.as_mut().unwrap().icd = "9908".to_owned();
    settings.virksert.as_mut().unwrap().icd = "9908".to_owned();
    let of = world.open(&settings);
    of.registrations
        .unwrap()
        .by_document_type(&organisation(), &[])
        .await
        .unwrap();
    of.certificates
        .unwrap()
        .certificate(&organisation(), "DPO")
        .await
        .unwrap();
    for request in world.doubles.requests() {
        assert!(request.path.contains("9908%3A910076787"), "{}", request.path);
    }
    assert_eq!(world.doubles.requests().len(), 2);
}

#[tokio::test]
async fn how_often_and_after_what_time_is_asked_again_are_settings() {
    let world = World::start().await;
    world.put(Content::unit(ORGANISATION, "EKSEMPELETATEN", "ORGL"));
    world.doubles.faults().times(2, Route::Unit, Fault::Status(503));
    let organisations = world
        .registers("retries = 2, retry-pause-ms = 50")
        .organisations
        .unwrap();
    let started = Instant::now();
    assert!(organisations.organisation(&organisation()).await.unwrap().is_some());
    assert!(started.elapsed() >= Duration::from_millis(100));
    assert_eq!(world.doubles.count(Route::Unit), 3);
}

#[tokio::test]
async fn how_many_answers_are_kept_is_a_setting() {
    let world = World::start().await;
    let organisations = world.registers("kept-answers = 0").organisations.unwrap();
    for _ in 0..2 {
        assert_eq!(organisations.organisation(&organisation()).await, Ok(None));
    }
    assert_eq!(world.doubles.count(Route::Unit), 2);
}
