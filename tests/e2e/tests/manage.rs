//! What an updater does with a running installation: it asks for the version, stops it by a call, and starts it again.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

use std::process::ExitStatus;
use std::time::{Duration, Instant};

use anyhow::ensure;
use budstikke_doubles::{Fault, Route};
use budstikke_e2e::{Fagsystem, Installation, Letter, PATIENCE, Pair, Reader, nothing_more_comes};
use reqwest::{Client, Method, StatusCode};
use serde_json::{Value, json};

/// Waits until the process has ended by itself.
async fn ended(installation: &mut Installation) -> anyhow::Result<ExitStatus> {
    let started = Instant::now();
    loop {
        if let Some(status) = installation.ended() {
            return Ok(status);
        }
        ensure!(started.elapsed() < PATIENCE, "still there after {PATIENCE:?}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// As the updaters ask: without a password.
async fn told(method: Method, url: &str) -> anyhow::Result<Value> {
    let request = Client::new().request(method, url).header("accept", "application/json");
    Ok(request.send().await?.error_for_status()?.json().await?)
}

#[tokio::test]
async fn an_updater_stops_an_installation_by_a_call_and_no_message_is_lost() {
    let mut pair = Pair::new().await.unwrap();
    pair.ours
        .edit(|text| {
            text.replace(
                "manage-open = [\"health\", \"info\"]\n",
                "shutdown = true\nmanage-open = [\"health\", \"info\", \"shutdown\"]\n",
            )
        })
        .unwrap();
    let scene = stopped_by_a_call(&mut pair).await;
    pair.told(scene).unwrap();
}

async fn stopped_by_a_call(pair: &mut Pair) -> anyhow::Result<()> {
    let (sender, receiver) = pair.start().await?;
    let base = sender.base().to_owned();
    let info = told(Method::GET, &format!("{base}/manage/info")).await?;
    ensure!(info["build"]["version"] == env!("CARGO_PKG_VERSION"), "{info}");

    // Nothing leaves, so that the message is in hand when the end comes.
    pair.world
        .doubles
        .faults()
        .always(Route::Initialise, Fault::Status(503));
    let mut letter = Letter::new(Pair::SENDER, Pair::RECEIVER)?;
    letter.go_on(&sender).await?;
    let bye = told(Method::POST, &format!("{base}/manage/shutdown")).await?;
    ensure!(bye == json!({ "message": "Shutting down, bye..." }), "{bye}");
    let status = ended(&mut pair.ours).await?;
    ensure!(status.success(), "it ended with {status}");
    ensure!(told(Method::GET, &format!("{base}/manage/health")).await.is_err());

    let sender = pair.ours.start().await?;
    let statuses = sender.statuses(&letter.id).await?;
    ensure!(statuses == ["OPPRETTET"], "after the next start: {statuses:?}");
    pair.world.doubles.faults().clear();
    let (id, package) = Reader::default().go_on(&receiver).await?;
    ensure!(id == letter.id, "another message came: {id}");
    letter.is_in(&package)?;
    letter.has_arrived_once(&sender, &receiver).await?;
    nothing_more_comes(&receiver).await
}

#[tokio::test]
async fn an_installation_that_does_not_allow_it_is_not_stopped_and_counts_its_answers() {
    let mut pair = Pair::new().await.unwrap();
    pair.ours.ask_for_passwords().unwrap();
    let api = pair.ours.start().await.unwrap();
    let stop = |api: &Fagsystem| api.request(Method::POST, "/manage/shutdown");
    let answer = api.ask(stop(&api)).await.unwrap();
    assert_eq!(answer.status, StatusCode::NOT_FOUND, "{answer}");
    let stranger = Client::new().post(format!("{}/manage/shutdown", api.base()));
    assert_eq!(stranger.send().await.unwrap().status(), StatusCode::UNAUTHORIZED);

    api.get("/api/statuses").await.unwrap().ok().unwrap();
    assert_eq!(api.get("/api/nowhere").await.unwrap().status, StatusCode::NOT_FOUND);
    let counters = api.get("/manage/prometheus").await.unwrap().ok().unwrap().body;
    let counters = String::from_utf8(counters).unwrap();
    for line in [
        "budstikke_up 1",
        "budstikke_http_answers_total{status=\"2xx\"} 1",
        "budstikke_http_answers_total{status=\"4xx\"} 1",
    ] {
        assert!(counters.lines().any(|told| told == line), "{line}\n{counters}");
    }
    assert!(pair.ours.ended().is_none());
}
