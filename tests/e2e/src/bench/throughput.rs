//! Many small messages: from the first request of the fagsystem to the last one published at Altinn's stand-in.
//!
//! Every message is one arkivmelding.xml of 5 kB. It is on disk before its fagsystem gets its answer; then it is signed,
//! sealed, uploaded, and its outcome stored. Clients, stand-ins and the integrasjonspunkt share the machine.

use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use budstikke_doubles::{Transfer, TransferStatus};
use jiff::Timestamp;

use crate::figure::{Figure, quantile};
use crate::ground::{Ground, Kind, on_each};
use crate::letters::{CLIENTS, SIZE, Way, hand_over_all};
use crate::machine::peak_mib;
use crate::running::{PATIENCE, Running};

const MESSAGES: usize = 4000;
/// Messages per second.
const TARGET: f64 = 500.0;

pub(crate) async fn measure(kinds: &[Kind]) -> anyhow::Result<Vec<Figure>> {
    let mut figures = Vec::new();
    for (way, name) in [(Way::ThreeCalls, "three calls"), (Way::OneShot, "one request")] {
        figures.extend(on_each(kinds, async |ground| run(way, name, ground).await).await?);
    }
    Ok(figures)
}

async fn run(way: Way, name: &str, ground: &Ground) -> anyhow::Result<Vec<Figure>> {
    let name = format!("{name}, {}", ground.name());
    println!("throughput: {MESSAGES} messages of {SIZE} bytes from {CLIENTS} clients, {name} each");
    let running = Running::warm(ground).await?;

    let cpu = running.cpu()?;
    let (began, started) = (Timestamp::now(), Instant::now());
    let answered = hand_over_all(&running.fagsystem, way, &running.file, MESSAGES).await?;
    let accepted = started.elapsed();
    let published = last_published(&running, began).await?;
    let cpu = (running.cpu()?.0 - cpu.0, running.cpu()?.1 - cpu.1);

    let count = f64::from(u32::try_from(MESSAGES)?);
    let figure = |what: &str, value, unit| Figure::plain(format!("throughput, {name}: {what}"), value, unit);
    let wait = |thousandths| quantile(&answered, thousandths).as_secs_f64() * 1e3;
    let judged = |figure: Figure| match way {
        Way::OneShot => figure.at_least(TARGET),
        Way::ThreeCalls => figure,
    };
    Ok(vec![
        judged(figure("durable to published", count / published.as_secs_f64(), "/s")),
        figure("accepted", count / accepted.as_secs_f64(), "/s"),
        figure("client's wait, median", wait(500), "ms"),
        figure("client's wait, 99 of 100", wait(990), "ms"),
        figure("processor time of ours", cpu.0 / count * 1e3, "ms/message"),
        figure("… of clients and stand-ins", cpu.1 / count * 1e3, "ms/message"),
        figure("peak memory of ours", peak_mib(running.pid)?, "MiB"),
    ])
}

/// From a moment to the publication of the last message.
async fn last_published(running: &Running, began: Timestamp) -> anyhow::Result<Duration> {
    let deadline = Instant::now() + PATIENCE;
    let expected = MESSAGES + 1;
    while running.uploads() < expected as u64 {
        ensure!(
            Instant::now() < deadline,
            "{} of {expected} uploads after {PATIENCE:?}",
            running.uploads()
        );
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let published = |transfer: &&Transfer| transfer.status == TransferStatus::Published;
    let all = |transfers: &[Transfer]| transfers.iter().filter(published).count() == expected;
    let doubles = &running.world.doubles;
    ensure!(doubles.wait_for(PATIENCE, all).await, "not every message was published");
    let transfers = doubles.transfers();
    let last = transfers
        .iter()
        .map(|transfer| transfer.status_changed)
        .max()
        .context("no transfers")?;
    Ok(last.duration_since(began).unsigned_abs())
}
