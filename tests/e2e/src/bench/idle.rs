//! Memory of an installation that has nothing to do: just started, and after a busy time.

use std::time::Duration;

use anyhow::ensure;

use crate::figure::Figure;
use crate::ground::Ground;
use crate::letters::{Way, hand_over_all};
use crate::machine::{peak_mib, resident_mib};
use crate::running::{PATIENCE, Running};

const MESSAGES: usize = 2000;
/// Until what is cached for a while is given back.
const REST: Duration = Duration::from_secs(30);
/// MiB.
const TARGET: f64 = 64.0;

pub(crate) async fn measure(ground: &Ground) -> anyhow::Result<Vec<Figure>> {
    let name = ground.name();
    println!("idle: {REST:?} after the start, and {REST:?} after {MESSAGES} messages, {name}");
    let running = Running::start(ground).await?;
    tokio::time::sleep(REST).await;
    let fresh = resident_mib(running.pid)?;
    hand_over_all(&running.fagsystem, Way::OneShot, &running.file, MESSAGES).await?;
    let left = running.world.doubles.wait_for(PATIENCE, |all| all.len() == MESSAGES);
    ensure!(left.await, "not every message left");
    tokio::time::sleep(REST).await;
    let figure = |what: &str, value| Figure::plain(format!("idle, {name}: {what}"), value, "MiB");
    Ok(vec![
        figure("memory after the start", fresh).at_most(TARGET),
        figure("memory after a busy time", resident_mib(running.pid)?),
        figure("peak memory", peak_mib(running.pid)?),
    ])
}
