//! Fagsystemer that are told what happens instead of asking. The subscriber is a Python program, which checks every signature.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

use anyhow::{Context as _, ensure};
use budstikke_e2e::{AT_SENDER, Fagsystem, Letter, PATIENCE, Pair, Reader, Subscriber, message_id};
use reqwest::{Method, StatusCode};
use serde_json::Value;

/// Two installations that ask for passwords, whose statuses go on the status queue, and which tell again after a second.
async fn pair() -> anyhow::Result<Pair> {
    let pair = Pair::new().await?;
    for installation in [&pair.ours, &pair.theirs] {
        installation.ask_for_passwords()?;
        installation.edit(|text| {
            text.replace("[messages]", "[messages]\nstatus-queue = [\"DPO\"]") + "\n[webhooks]\nretry-seconds = [1]\n"
        })?;
    }
    Ok(pair)
}

fn statuses(heard: &[Value]) -> Vec<&str> {
    heard.iter().filter_map(|told| told["status"].as_str()).collect()
}

/// Takes the statuses of the queue one by one.
async fn emptied(fagsystem: &Fagsystem) -> anyhow::Result<Vec<String>> {
    let mut taken = Vec::new();
    loop {
        let oldest = fagsystem.get("/api/statuses/peek").await?;
        if oldest.status == StatusCode::NO_CONTENT {
            return Ok(taken);
        }
        let oldest = oldest.ok()?.json();
        let request = fagsystem.request(Method::DELETE, &format!("/api/statuses/{}", oldest["id"]));
        fagsystem.ask(request).await?.ok()?;
        taken.push(oldest["status"].as_str().context("a status")?.to_owned());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn both_fagsystems_are_told_and_the_receiver_fetches_what_it_was_told_of() -> anyhow::Result<()> {
    let mut pair = pair().await?;
    let result = told(&mut pair).await;
    pair.told(result)
}

async fn told(pair: &mut Pair) -> anyhow::Result<()> {
    let (sender, receiver) = pair.start().await?;
    let at_sender = Subscriber::start(&pair.world.folder().join("sender"))?;
    let at_receiver = Subscriber::start(&pair.world.folder().join("receiver"))?;
    at_sender.subscribe(&sender, None).await?;
    let arrivals = Some("status=INNKOMMENDE_MOTTATT&direction=INCOMING");
    at_receiver.subscribe(&receiver, arrivals).await?;
    let mut letter = Letter::new(Pair::SENDER, Pair::RECEIVER)?;
    letter.go_on(&sender).await?;

    let arrived = at_receiver.hears("INNKOMMENDE_MOTTATT").await?;
    let id = arrived
        .first()
        .and_then(|told| told["messageId"].as_str())
        .context("an id")?;
    ensure!(id == letter.id, "{arrived:?}");
    let sbd = receiver
        .peek(&format!("?messageId={id}"))
        .await?
        .context("nothing to peek")?;
    ensure!(message_id(&sbd) == Some(id), "{sbd}");
    letter.is_in(&receiver.pop(id).await?.ok()?.body)?;
    receiver.take(id).await?.ok()?;

    let heard = at_sender.hears("LEVERT").await?;
    ensure!(statuses(&heard) == AT_SENDER, "{heard:?}");
    ensure!(
        heard.iter().all(|told| told["direction"] == "OUTGOING"
            && told["serviceIdentifier"] == "DPO"
            && told["messageId"] == letter.id.as_str()),
        "{heard:?}"
    );
    ensure!(at_receiver.heard()?.len() == 1, "{:?}", at_receiver.heard()?);
    ensure!(emptied(&sender).await? == AT_SENDER, "the status queue");
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_waits_for_a_subscriber_survives_a_kill() -> anyhow::Result<()> {
    let mut pair = pair().await?;
    let result = told_later(&mut pair).await;
    pair.told(result)
}

async fn told_later(pair: &mut Pair) -> anyhow::Result<()> {
    let (sender, receiver) = pair.start().await?;
    let mut subscriber = Subscriber::start(&pair.world.folder().join("heard"))?;
    subscriber.subscribe(&sender, None).await?;
    subscriber.sleep();
    let mut letter = Letter::new(Pair::SENDER, Pair::RECEIVER)?;
    letter.go_on(&sender).await?;
    Reader::default().go_on(&receiver).await?;
    sender.wait_for(&letter.id, "LEVERT", PATIENCE).await?;
    pair.ours.kill();
    let sender = pair.ours.start().await?;
    let report = sender.get("/manage/webhooks").await?.ok()?.json();
    ensure!(report["content"][0]["pending"] == AT_SENDER.len(), "{report}");

    subscriber.wake()?;
    let heard = subscriber.hears("LEVERT").await?;
    ensure!(statuses(&heard) == AT_SENDER, "{heard:?}");
    Ok(())
}
