//! What must never stand in the log, at the most talkative level that an operator would choose.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

use std::time::Duration;

use budstikke_e2e::{Fagsystem, File, Pair};
use jiff::ToSpan as _;
use reqwest::Method;

/// A person number whose check digits are right, of nobody: a month above 80.
const PERSON: &str = "05839012391";
const CONTENT: &str = "Vedtak om hemmelig adresse";
const WRONG: &str = "feil-passord-9471";

#[tokio::test]
async fn no_person_number_no_password_and_no_content_is_logged() {
    let mut pair = Pair::new().await.unwrap();
    pair.ours.ask_for_passwords().unwrap();
    pair.ours
        .edit(|text| {
            // The person can be written to as the other organisation can.
            let receivers = text
                .split("[[registry.receivers]]")
                .nth(1)
                .unwrap_or_default()
                .to_owned();
            let number = receivers.split('"').nth(1).unwrap_or_default().to_owned();
            format!(
                "{text}\n[[registry.receivers]]{}",
                receivers.replacen(&number, PERSON, 1)
            )
        })
        .unwrap();
    let debug = [("RUST_LOG", "debug,wasmtime=info,cranelift=info,hyper=debug,h2=debug")];
    let ours = pair.ours.start_with(&debug).await.unwrap();
    let theirs = pair.theirs.start_with(&debug).await.unwrap();

    // A message that goes all the way, with its content in title, file and description.
    let id = uuid::Uuid::new_v4().to_string();
    let mut sbd = Fagsystem::arkivmelding(Pair::SENDER, Pair::RECEIVER, &id);
    sbd["arkivmelding"]["hoveddokument"] = format!("{CONTENT}.txt").into();
    let mut files = File::examples().unwrap();
    let xml = String::from_utf8(files[0].content.clone()).unwrap();
    files[0].content = xml.replace("brev.pdf", &format!("{CONTENT}.txt")).into_bytes();
    files[1] = File::new(&format!("{CONTENT}.txt"), "text/plain", CONTENT);
    ours.send_message(&sbd, &files).await.unwrap();
    theirs.wait_and_peek("", Duration::from_mins(1)).await.unwrap();
    theirs.pop(&id).await.unwrap().ok().unwrap();
    theirs.take(&id).await.unwrap().ok().unwrap();
    ours.wait_for(&id, "LEVERT", Duration::from_mins(1)).await.unwrap();

    // A person, wherever a number can stand: in the SBD, in paths, in filters, in a search; and a message that is refused.
    let to_person = Fagsystem::arkivmelding(Pair::SENDER, PERSON, &uuid::Uuid::new_v4().to_string());
    let mut to_person = to_person.to_string().replace(&format!("0192:{PERSON}"), PERSON);
    let create = |body: String| {
        ours.request(Method::POST, "/api/messages/out")
            .header("content-type", "application/json")
            .body(body)
    };
    ours.ask(create(to_person.clone())).await.unwrap().ok().unwrap();
    to_person = to_person.replace("arkivmelding:administrasjon", "ukjent");
    for refused in [to_person, format!("{{\"{PERSON}\": \"{CONTENT}\"")] {
        assert_eq!(ours.ask(create(refused)).await.unwrap().status, 400);
    }
    for (path, status) in [
        (format!("/api/capabilities/{PERSON}"), 200),
        (format!("/servicerecord/{PERSON}"), 200),
        (format!("/api/conversations?receiverIdentifier={PERSON}"), 200),
        (format!("/conversations?search={PERSON}"), 200),
        (format!("/api/messages/out/{PERSON}"), 404),
        (format!("/api/{PERSON}"), 404),
    ] {
        assert_eq!(ours.get(&path).await.unwrap().status, status, "{path}");
    }
    let wrong = reqwest::Client::new()
        .get(format!("{}/api/statuses", ours.base()))
        .basic_auth(PERSON, Some(WRONG));
    assert_eq!(wrong.send().await.unwrap().status(), 401);

    let soon = jiff::Timestamp::now() + 2.seconds();
    while jiff::Timestamp::now() < soon && !pair.ours.log().contains("wrong name or password") {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    for (whose, log) in [("sender", pair.ours.log()), ("receiver", pair.theirs.log())] {
        assert!(log.contains("DEBUG"), "the log of the {whose} is not talkative");
        for secret in [
            PERSON,
            WRONG,
            CONTENT,
            "hemmelig adresse",
            "Bearer ",
            "BEGIN PRIVATE KEY",
        ] {
            let line = log.lines().find(|line| line.contains(secret));
            assert!(line.is_none(), "the {whose} logs {secret}: {line:?}");
        }
    }
}
