//! A component that misbehaves, beside one that does its work.

use std::fmt::Write as _;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use budstikke_component_builder::build_component;
use budstikke_e2e::{Fagsystem, File, Letter, PATIENCE, Pair, Reader};

/// The one that the hostile adapter reaches.
const VICTIM: &str = "974720760";
/// How long the API may take for an answer while a component rages.
const QUICK: Duration = Duration::from_secs(1);
/// Behaviour before the operator replaces it.
const MARK: &str = "behaviour = ";

#[tokio::test]
async fn a_component_that_loops_for_ever_is_stopped_and_its_message_waits() -> anyhow::Result<()> {
    waits_for("send-loop", "out-of-cpu").await
}

#[tokio::test]
async fn a_component_that_eats_memory_is_stopped_and_its_message_waits() -> anyhow::Result<()> {
    waits_for("send-memory", "memory").await
}

#[tokio::test]
async fn a_component_that_traps_is_stopped_and_its_message_waits() -> anyhow::Result<()> {
    waits_for("send-trap", "trap").await
}

/// The messages of the bad component wait until it behaves; those of the good one arrive meanwhile.
async fn waits_for(behaviour: &str, log: &str) -> anyhow::Result<()> {
    let mut pair = with_hostile(behaviour).await?;
    let result = rages(&mut pair, behaviour, log)
        .await
        .with_context(|| behaviour.to_owned());
    pair.told(result)
}

async fn rages(pair: &mut Pair, behaviour: &str, log: &str) -> anyhow::Result<()> {
    let (sender, receiver) = pair.start().await?;
    let waiting = to_victim(&sender).await?;
    let pid = pair.ours.pid();

    let started = Instant::now();
    while pair.ours.log().matches("the message did not leave").count() < 3 {
        let asked = Instant::now();
        sender.get("/api/conversations?size=1").await?.ok()?;
        sender.get("/manage/health/liveness").await?.ok()?;
        ensure!(asked.elapsed() < QUICK, "two answers took {:?}", asked.elapsed());
        ensure!(started.elapsed() < PATIENCE, "it was not called three times");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    ensure!(pair.ours.log().contains(log), "the log does not say {log}");
    let mut letter = Letter::new(Pair::SENDER, Pair::RECEIVER)?;
    letter.go_on(&sender).await?;
    let (id, _) = Reader::default().go_on(&receiver).await?;
    ensure!(id == letter.id, "another message");
    letter.has_arrived_once(&sender, &receiver).await?;
    let statuses = sender.statuses(&waiting).await?;
    ensure!(statuses == ["OPPRETTET"], "the message that waits has {statuses:?}");
    ensure!(pair.ours.pid() == pid && pid.is_some(), "another process");

    pair.ours.terminate().await?;
    pair.ours
        .edit(|text| text.replace(&format!("{MARK}\"{behaviour}\""), &format!("{MARK}\"echo\"")))?;
    let sender = pair.ours.start().await?;
    let statuses = sender.wait_for(&waiting, "SENDT", PATIENCE).await?;
    ensure!(statuses[..2] == ["OPPRETTET", "SENDT"], "{statuses:?}");
    Ok(())
}

#[tokio::test]
async fn a_call_to_a_host_that_was_not_granted_is_refused() -> anyhow::Result<()> {
    let mut pair = with_hostile("send-get").await?;
    let result = calls_out(&mut pair).await;
    pair.told(result)
}

async fn calls_out(pair: &mut Pair) -> anyhow::Result<()> {
    let (sender, _) = pair.start().await?;
    let id = to_victim(&sender).await?;
    let statuses = sender.wait_for(&id, "FEIL", PATIENCE).await?;
    ensure!(statuses == ["OPPRETTET", "FEIL"], "{statuses:?}");
    let page = sender.get(&format!("/api/statuses/{id}")).await?.ok()?.json();
    ensure!(page.to_string().contains("refused: "), "{page}");
    let reached = pair
        .world
        .doubles
        .requests()
        .iter()
        .any(|request| request.path.contains("exfiltrate"));
    ensure!(!reached, "the request went out");
    Ok(())
}

async fn with_hostile(behaviour: &str) -> anyhow::Result<Pair> {
    let pair = Pair::new().await?;
    let fixture = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures/hostile");
    let component = tokio::task::spawn_blocking(move || build_component(&fixture)).await??;
    std::fs::copy(component, pair.ours.folder.join("plugins/hostile.wasm"))?;
    let url = format!("{}/exfiltrate", pair.world.doubles.url());
    let first = pair.world.organisations.first().context("an organisation")?;
    let (certificate, supplier) = (first.identity.certificate_path(), first.number.clone());
    pair.ours.edit(|mut text| {
        let _written = write!(
            text,
            r#"
[adapters.hostile]
component = "hostile.wasm"
services = ["ECHO"]
[adapters.hostile.grants]
interfaces = ["*"]
[adapters.hostile.limits]
cpu-time = "500ms"
memory = "16MiB"
[adapters.hostile.settings]
{MARK}"{behaviour}"
url = "{url}"

[certificates]
suppliers = ["{supplier}"]

[[registry.receivers]]
identifier = "{VICTIM}"
[[registry.receivers.capabilities]]
processes = ["urn:no:difi:profile:arkivmelding:administrasjon:ver1.0"]
service = "ECHO"
document-types = ["urn:no:difi:arkivmelding:xsd::arkivmelding"]
certificate = "{}"
"#,
            certificate.display()
        );
        text
    })?;
    Ok(pair)
}

async fn to_victim(sender: &Fagsystem) -> anyhow::Result<String> {
    let id = uuid::Uuid::new_v4().to_string();
    sender
        .send_message(&Fagsystem::arkivmelding(Pair::SENDER, VICTIM, &id), &File::examples()?)
        .await
}
