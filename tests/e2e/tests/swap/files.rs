//! What an operator can do to the file of an adapter.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use budstikke_component_builder::build_component;
use budstikke_e2e::{Fagsystem, Letter, PATIENCE, Pair, Reader, newer_build, nothing_more_comes};
use serde_json::Value;

const LOAD: usize = 50;
const SWAPS: usize = 3;

#[tokio::test]
async fn three_swaps_under_load_lose_nothing() -> anyhow::Result<()> {
    let mut pair = Pair::new().await?;
    let result = swaps(&mut pair).await;
    pair.told(result)
}

async fn swaps(pair: &mut Pair) -> anyhow::Result<()> {
    let (sender, receiver) = pair.start().await?;
    let mut letters = Vec::new();
    let mut digests = BTreeSet::from([digest(&sender).await?]);
    let mut build = pair.world.programs.dpo.clone();
    let sending = async {
        for number in 0..LOAD {
            let mut letter = Letter::new(Pair::SENDER, Pair::RECEIVER)?;
            letter.go_on(&sender).await?;
            letters.push(letter);
            // On both sides: sending and receiving go on over the swap.
            if number % (LOAD / SWAPS) == 5 {
                build = newer_build(&build, &pair.world.folder().join(format!("build-{number}.wasm")))?;
                pair.ours.drop_plugin(&build)?;
                pair.theirs.drop_plugin(&build)?;
                let expected = digests.len() + 1;
                let started = Instant::now();
                while digests.len() < expected {
                    digests.insert(digest(&sender).await?);
                    ensure!(started.elapsed() < PATIENCE, "build {number} was not loaded");
                    tokio::time::sleep(Duration::from_millis(20)).await;
                }
            }
        }
        anyhow::Ok(())
    };
    let reading = async {
        let mut taken = BTreeSet::new();
        while taken.len() < LOAD {
            let (id, _) = Reader::default().go_on(&receiver).await?;
            ensure!(taken.insert(id), "a message came twice");
        }
        Ok(taken)
    };
    let ((), taken) = tokio::try_join!(sending, reading)?;
    ensure!(digests.len() == SWAPS + 1, "{} versions were in use", digests.len());
    for letter in &letters {
        ensure!(taken.contains(&letter.id), "{} was lost", letter.id);
        letter.has_arrived_once(&sender, &receiver).await?;
    }
    nothing_more_comes(&receiver).await?;
    let transfers = pair.announced(Pair::SENDER).len();
    ensure!(transfers == LOAD, "{transfers} transfers for {LOAD} messages");
    Ok(())
}

#[tokio::test]
async fn a_file_that_is_no_adapter_changes_nothing_and_is_told() -> anyhow::Result<()> {
    let mut pair = Pair::new().await?;
    let result = bad_files(&mut pair).await;
    pair.told(result)
}

async fn bad_files(pair: &mut Pair) -> anyhow::Result<()> {
    let (sender, receiver) = pair.start().await?;
    let running = digest(&sender).await?;
    let good = std::fs::read(&pair.world.programs.dpo)?;
    let stranger = tokio::task::spawn_blocking(|| build_component(&fixture("stranger"))).await??;
    let files: [(&str, Vec<u8>); 5] = [
        ("cut off", good[..good.len() / 2].to_vec()),
        ("garbage", b"not a component at all".repeat(100)),
        ("a core module", b"\0asm\x01\0\0\0".to_vec()),
        ("an import that nobody offers", std::fs::read(stranger)?),
        ("empty", Vec::new()),
    ];
    let mut reasons = BTreeSet::new();
    for (name, bytes) in files {
        let file = pair.world.folder().join("bad.wasm");
        std::fs::write(&file, bytes)?;
        pair.ours.drop_plugin(&file)?;
        let started = Instant::now();
        let told = loop {
            let adapter = health(&sender).await?;
            if let Some(reason) = adapter["refused"].as_str().filter(|reason| !reasons.contains(*reason)) {
                break reason.to_owned();
            }
            ensure!(started.elapsed() < PATIENCE, "{name}: not told: {adapter}");
            tokio::time::sleep(Duration::from_millis(50)).await;
        };
        ensure!(
            name != "an import that nobody offers" || told.contains("acme:gpu/compute"),
            "{told}"
        );
        reasons.insert(told);
        ensure!(digest(&sender).await? == running, "{name}: another version is in use");
        one_message(&sender, &receiver).await.with_context(|| name.to_owned())?;
    }
    // The right one again, and the complaint is gone.
    let right = newer_build(&pair.world.programs.dpo, &pair.world.folder().join("right.wasm"))?;
    pair.ours.drop_plugin(&right)?;
    let started = Instant::now();
    while !health(&sender).await?["refused"].is_null() {
        ensure!(started.elapsed() < PATIENCE, "the right file was not taken");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    one_message(&sender, &receiver).await
}

#[tokio::test]
async fn deleting_the_file_keeps_the_running_version() -> anyhow::Result<()> {
    let mut pair = Pair::new().await?;
    let result = deleted(&mut pair).await;
    pair.told(result)
}

async fn deleted(pair: &mut Pair) -> anyhow::Result<()> {
    let (sender, receiver) = pair.start().await?;
    let running = digest(&sender).await?;
    for installation in [&pair.ours, &pair.theirs] {
        std::fs::remove_file(installation.folder.join("plugins/dpo.wasm"))?;
    }
    let started = Instant::now();
    while !pair.ours.log().contains("plugin file is missing") {
        ensure!(started.elapsed() < PATIENCE, "nobody noticed");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    one_message(&sender, &receiver).await?;
    ensure!(digest(&sender).await? == running, "another version is in use");
    let adapter = health(&sender).await?;
    ensure!(adapter["status"] == "UP", "{adapter}");
    Ok(())
}

async fn one_message(sender: &Fagsystem, receiver: &Fagsystem) -> anyhow::Result<()> {
    let mut letter = Letter::new(Pair::SENDER, Pair::RECEIVER)?;
    letter.go_on(sender).await?;
    let (id, package) = Reader::default().go_on(receiver).await?;
    ensure!(id == letter.id, "another message");
    letter.is_in(&package)?;
    letter.has_arrived_once(sender, receiver).await
}

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures").join(name)
}

/// What `/manage/health` tells of the adapter.
async fn health(fagsystem: &Fagsystem) -> anyhow::Result<Value> {
    let mut health = fagsystem.get("/manage/health").await?.json();
    Ok(health["components"]["adapters"]["details"]["dpo"].take())
}

async fn digest(fagsystem: &Fagsystem) -> anyhow::Result<String> {
    let info = fagsystem.get("/manage/info").await?.ok()?.json();
    info["adapters"][0]["digest"]
        .as_str()
        .map(ToOwned::to_owned)
        .context("no digest")
}
