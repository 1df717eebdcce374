//! Backup while messages flow, the way back, and erasure beside a running node: with the program that an operator has.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use anyhow::{Context as _, ensure};
use budstikke_e2e::{Fagsystem, Installation, Letter, PATIENCE, Pair, Reader, nothing_more_comes};
use reqwest::{Method, StatusCode};
use serde_json::Value;

const LOAD: usize = 16;

/// Runs a command of the program; gives what it printed.
async fn run(installation: &Installation, command: &str, more: &[&str]) -> anyhow::Result<String> {
    let output = installation.command(command, more).await?;
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    ensure!(
        output.status.success(),
        "{command}: {said}{}",
        String::from_utf8_lossy(&output.stderr)
    );
    Ok(said)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_backup_under_load_is_restored_after_a_kill_and_everything_goes_on() -> anyhow::Result<()> {
    let mut pair = Pair::new().await?;
    pair.ours.ask_for_passwords()?;
    let result = restored(&mut pair).await;
    pair.told(result)
}

async fn restored(pair: &mut Pair) -> anyhow::Result<()> {
    let (ours, theirs) = pair.start().await?;
    let letters: Vec<Letter> = (0..LOAD)
        .map(|_| Letter::new(Pair::SENDER, Pair::RECEIVER))
        .collect::<anyhow::Result<_>>()?;
    let sent = Arc::new(AtomicUsize::new(0));
    let load = tokio::spawn({
        let (letters, ours, sent) = (letters.clone(), ours.clone(), sent.clone());
        async move {
            for mut letter in letters {
                // The one that the kill cuts off, and those after it, are sent again later.
                if letter.go_on(&ours).await.is_err() {
                    return;
                }
                sent.fetch_add(1, Ordering::Relaxed);
            }
        }
    });
    while sent.load(Ordering::Relaxed) < LOAD / 4 {
        tokio::task::yield_now().await;
    }
    let backup = pair.ours.folder.join("backup");
    let backup = backup.to_str().context("a path")?;
    let said = run(&pair.ours, "backup", &["--to", backup, "--progress"]).await?;
    ensure!(said.contains("the database ("), "{said}");
    pair.ours.kill();
    load.await?;

    let refused = pair.ours.command("restore", &["--from", backup]).await?;
    let why = String::from_utf8_lossy(&refused.stderr).into_owned();
    ensure!(
        !refused.status.success() && why.contains("needs an empty place"),
        "{why}"
    );
    pair.ours
        .edit(|text| text.replace("folder = \"data\"", "folder = \"restored\""))?;
    let said = run(&pair.ours, "restore", &["--from", backup]).await?;
    ensure!(said.starts_with("restored the backup of "), "{said}");
    let ours = pair.ours.start().await?;

    // What the fagsystem has sent since the backup is not known any more: it sends that again.
    let mut unknown = Vec::new();
    for letter in &letters {
        let known = ours.get(&format!("/api/conversations/messageId/{}", letter.id)).await?;
        let draft = ours.get(&format!("/api/messages/out/{}", letter.id)).await?;
        if known.status == StatusCode::NOT_FOUND || draft.status == StatusCode::OK {
            unknown.push(letter);
        }
    }
    for message in given_up(&ours).await? {
        ensure!(message["uncertain"] == true, "{message}");
        let id = message["messageId"].as_str().context("an id")?;
        let resent = ours.request(Method::POST, &format!("/manage/given-up/{id}"));
        ours.ask(resent).await?.ok()?;
    }
    ensure!(given_up(&ours).await?.is_empty(), "some are still held back");
    for letter in unknown {
        letter.clone().go_on(&ours).await?;
    }
    let mut taken = BTreeMap::new();
    while taken.len() < LOAD {
        let (id, package) = Reader::default().go_on(&theirs).await?;
        ensure!(taken.insert(id.clone(), package).is_none(), "{id} came twice");
    }
    for letter in &letters {
        letter.is_in(taken.get(&letter.id).context("one was lost")?)?;
    }
    nothing_more_comes(&theirs).await
}

async fn given_up(fagsystem: &Fagsystem) -> anyhow::Result<Vec<Value>> {
    let listed = fagsystem.get("/manage/given-up").await?.ok()?.json();
    Ok(listed["content"].as_array().cloned().unwrap_or_default())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_erasure_beside_a_running_node_leaves_nothing_to_find() -> anyhow::Result<()> {
    let mut pair = Pair::new().await?;
    let result = erased(&mut pair).await;
    pair.told(result)
}

async fn erased(pair: &mut Pair) -> anyhow::Result<()> {
    let (ours, theirs) = pair.start().await?;
    let mut letters = [
        Letter::new(Pair::SENDER, Pair::RECEIVER)?,
        Letter::new(Pair::SENDER, Pair::RECEIVER)?,
    ];
    let mut again = letters[0].clone();
    for letter in &mut letters {
        letter.go_on(&ours).await?;
        Reader::default().go_on(&theirs).await?;
        letter.has_arrived_once(&ours, &theirs).await?;
    }
    let [one, other] = &letters;
    let counted = run(&pair.ours, "erase", &["--message-id", &one.id]).await?;
    ensure!(counted.starts_with("1 conversations with 4 statuses"), "{counted}");
    ensure!(counted.contains("nothing was erased"), "{counted}");
    ensure!(ours.statuses(&one.id).await?.len() == 4, "it was only counted");
    let said = run(&pair.ours, "erase", &["--message-id", &one.id, "--yes"]).await?;
    ensure!(said.contains("\nerased;"), "{said}");
    ensure!(ours.statuses(&one.id).await?.is_empty(), "a status is left");
    ensure!(ours.statuses(&other.id).await?.len() == 4, "the other one must stay");

    // The other end, by who it was from.
    let said = run(&pair.theirs, "erase", &["--identifier", Pair::SENDER, "--yes"]).await?;
    ensure!(said.starts_with("2 conversations"), "{said}");
    let left = theirs.get("/api/conversations").await?.ok()?.json();
    ensure!(left["totalElements"] == 0, "{left}");
    let own = pair
        .ours
        .command("erase", &["--identifier", Pair::SENDER, "--yes"])
        .await?;
    ensure!(!own.status.success(), "it would have been everything");

    // The id is taken for good, and the node goes on.
    ensure!(
        again.go_on(&ours).await.is_err(),
        "a message under the same id was taken"
    );
    let mut next = Letter::new(Pair::SENDER, Pair::RECEIVER)?;
    next.go_on(&ours).await?;
    ours.wait_for(&next.id, "SENDT", PATIENCE).await?;
    Ok(())
}
