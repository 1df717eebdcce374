//! Many small messages: from the first request of the fagsystem to the last one published at Altinn's stand-in.
//!
//! Every message is one arkivmelding.xml of 5 kB. It is on disk before its fagsystem gets its answer; then it is signed,
//! sealed, uploaded, and its outcome stored. Clients, stand-ins and the integrasjonspunkt share the machine.

use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use budstikke_doubles::{DoublesConfig, Route, TransferStatus};
use budstikke_e2e::{Profile, World};
use jiff::Timestamp;

use crate::figure::{Figure, quantile};
use crate::ground::Ground;
use crate::letters::{CLIENTS, SIZE, Way, arkivmelding, hand_over, hand_over_all};
use crate::machine::{cpu_seconds, peak_mib};
use crate::{RECEIVER, SENDER};

const MESSAGES: usize = 4000;
/// Messages per second.
const TARGET: f64 = 200.0;
const PATIENCE: Duration = Duration::from_mins(5);

pub(crate) async fn measure() -> anyhow::Result<Vec<Figure>> {
    let mut figures = Vec::new();
    for (way, name) in [(Way::ThreeCalls, "three calls"), (Way::OneShot, "one request")] {
        for ground in [Ground::File, Ground::postgres().await?] {
            figures.extend(run(way, name, &ground).await?);
        }
    }
    Ok(figures)
}

async fn run(way: Way, name: &str, ground: &Ground) -> anyhow::Result<Vec<Figure>> {
    let name = format!("{name}, {}", ground.name());
    println!("throughput: {MESSAGES} messages of {SIZE} bytes from {CLIENTS} clients, {name} each");
    let world = World::with(&[SENDER, RECEIVER], Profile::Release, None, DoublesConfig::default()).await?;
    let mut installation = world.installation(SENDER)?;
    ground.lay(&installation)?;
    let fagsystem = installation.start_with(&[("RUST_LOG", "warn")]).await?;
    let pid = installation.pid().context("not running")?;
    let file = arkivmelding()?;
    // Tokens are fetched and the adapter is warm, as in an installation that has run for a minute.
    let id = uuid::Uuid::new_v4().to_string();
    hand_over(&fagsystem, way, &id, &file).await?;
    fagsystem.wait_for(&id, "SENDT", PATIENCE).await?;

    let cpu = (cpu_seconds(pid)?, cpu_seconds(std::process::id())?);
    let (began, started) = (Timestamp::now(), Instant::now());
    let answered = hand_over_all(&fagsystem, way, &file, MESSAGES).await?;
    let accepted = started.elapsed();
    let published = last_published(&world, began).await?;
    let cpu = (cpu_seconds(pid)? - cpu.0, cpu_seconds(std::process::id())? - cpu.1);

    let count = f64::from(u32::try_from(MESSAGES)?);
    let figure = |what: &str, value, unit| Figure::plain(format!("throughput, {name}: {what}"), value, unit);
    Ok(vec![
        figure("durable to published", count / published.as_secs_f64(), "/s").at_least(TARGET),
        figure("accepted", count / accepted.as_secs_f64(), "/s"),
        figure(
            "client's wait, median",
            quantile(&answered, 500).as_secs_f64() * 1e3,
            "ms",
        ),
        figure(
            "client's wait, 99 of 100",
            quantile(&answered, 990).as_secs_f64() * 1e3,
            "ms",
        ),
        figure("processor time of ours", cpu.0 / count * 1e3, "ms/message"),
        figure("… of clients and stand-ins", cpu.1 / count * 1e3, "ms/message"),
        figure("peak memory of ours", peak_mib(pid)?, "MiB"),
    ])
}

/// From a moment to the publication of the last message.
async fn last_published(world: &World, began: Timestamp) -> anyhow::Result<Duration> {
    // Counting is cheap; a look at every transfer is not, and would take processor time from what is measured.
    let deadline = Instant::now() + PATIENCE;
    let expected = MESSAGES as u64 + 1;
    while world.doubles.count(Route::Upload) < expected {
        ensure!(
            Instant::now() < deadline,
            "{} of {expected} uploads after {PATIENCE:?}",
            world.doubles.count(Route::Upload)
        );
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let all = |transfers: &[budstikke_doubles::Transfer]| {
        transfers
            .iter()
            .filter(|transfer| transfer.status == TransferStatus::Published)
            .count()
            == MESSAGES + 1
    };
    ensure!(
        world.doubles.wait_for(PATIENCE, all).await,
        "not every message was published"
    );
    let transfers = world.doubles.transfers();
    let last = transfers
        .iter()
        .map(|transfer| transfer.status_changed)
        .max()
        .context("no transfers")?;
    Ok(last.duration_since(began).unsigned_abs())
}
