//! From the start of the process to its first answer.

use std::time::{Duration, Instant};

use budstikke_doubles::DoublesConfig;
use budstikke_e2e::{Installation, Profile, World};

use crate::SENDER;
use crate::figure::{Figure, quantile};

const STARTS: usize = 5;

pub(crate) async fn measure() -> anyhow::Result<Vec<Figure>> {
    println!("start: once with an empty folder, {STARTS} times with compiled plugins");
    let world = World::with(&[SENDER], Profile::Release, None, DoublesConfig::default()).await?;
    let mut installation = world.installation(SENDER)?;
    let first = start(&mut installation).await?;
    let mut warm = Vec::new();
    for _ in 0..STARTS {
        installation.terminate().await?;
        warm.push(start(&mut installation).await?);
    }
    warm.sort();
    Ok(vec![
        Figure::plain(
            "start: to ready, plugins compiled, median",
            quantile(&warm, 500).as_secs_f64(),
            "s",
        )
        .at_most(0.5),
        Figure::plain("start: the slowest of them", quantile(&warm, 999).as_secs_f64(), "s"),
        Figure::plain("start: the very first, plugins are compiled", first.as_secs_f64(), "s"),
    ])
}

/// An answer is asked for too: a file with an address is not yet a service.
async fn start(installation: &mut Installation) -> anyhow::Result<Duration> {
    let started = Instant::now();
    installation.start().await?.get("/manage/health").await?.ok()?;
    Ok(started.elapsed())
}
