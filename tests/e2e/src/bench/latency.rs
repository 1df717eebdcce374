//! How soon an accepted message begins to leave, when there is nothing else to do.

use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use jiff::Timestamp;

use crate::figure::{Figure, quantile};
use crate::ground::Ground;
use crate::letters::{Way, hand_over};
use crate::running::{PATIENCE, Running};

const MESSAGES: usize = 300;
/// Between two messages, so that each finds the installation idle.
const PAUSE: Duration = Duration::from_millis(100);
/// Milliseconds, 99 of 100.
const TARGET: f64 = 100.0;

pub(crate) async fn measure(ground: &Ground) -> anyhow::Result<Vec<Figure>> {
    let name = ground.name();
    println!("latency: {MESSAGES} messages one after the other, {name}");
    let running = Running::warm(ground).await?;
    let mut began = Vec::with_capacity(MESSAGES);
    for number in 0..MESSAGES {
        tokio::time::sleep(PAUSE).await;
        let id = uuid::Uuid::new_v4().to_string();
        hand_over(&running.fagsystem, Way::OneShot, &id, &running.file).await?;
        let accepted = Timestamp::now();
        // One left before the clock ran.
        all_uploaded(&running, number + 2).await?;
        let transfer = running.world.doubles.transfers().pop().context("no transfer")?;
        let wait = transfer.created.duration_since(accepted);
        // Its first request can come before the client has read the answer.
        began.push(Duration::try_from(wait).unwrap_or_default());
    }
    began.sort();
    let figure = |what: &str, thousandths| {
        let milliseconds = quantile(&began, thousandths).as_secs_f64() * 1e3;
        Figure::plain(
            format!("latency, {name}: accepted to first request, {what}"),
            milliseconds,
            "ms",
        )
    };
    Ok(vec![
        figure("median", 500),
        figure("99 of 100", 990).at_most(TARGET),
        figure("slowest", 999),
    ])
}

async fn all_uploaded(running: &Running, messages: usize) -> anyhow::Result<()> {
    let deadline = Instant::now() + PATIENCE;
    while running.uploads() < messages as u64 {
        ensure!(Instant::now() < deadline, "a message did not leave");
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    Ok(())
}
