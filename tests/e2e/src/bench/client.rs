//! How soon an installation knows who can receive what, when it was asked before: by `/api/capabilities`, one question after the
//! other.

use std::time::{Duration, Instant};

use budstikke_doubles::DoublesConfig;
use budstikke_e2e::{Installation, Profile, World, register_everybody};

use crate::ask::Connection;
use crate::figure::{Figure, quantile};
use crate::{RECEIVER, SENDER};

const QUESTIONS: usize = 10_000;
/// Before the clock starts.
const WARM_UP: usize = 500;
const PROCESS: &str = "urn:no:difi:profile:arkivmelding:administrasjon:ver1.0";
/// Milliseconds, 99 of 100.
const TARGET: f64 = 1.0;

pub(crate) async fn measure() -> anyhow::Result<Vec<Figure>> {
    println!("client: {QUESTIONS} questions about a receiver that was asked for before");
    let world = World::with(&[SENDER, RECEIVER], Profile::Release, None, DoublesConfig::default()).await?;
    register_everybody(&world);
    let mut service = world.address_service(SENDER)?;
    service.start_with(&[("RUST_LOG", "error")]).await?;
    let asking = world.installation_asking(SENDER, &service.url())?;
    // Tests ask anew each time; operators do not.
    asking.edit(|text| text.replace("cache-seconds = 0\n", ""))?;
    let mut figures = of("of an address service", asking).await?;
    let embedded = world
        .installation_with_address_service(SENDER, &[SENDER, RECEIVER])
        .await?;
    figures.extend(of("embedded", embedded).await?);
    Ok(figures)
}

async fn of(name: &str, mut installation: Installation) -> anyhow::Result<Vec<Figure>> {
    let fagsystem = installation.start_with(&[("RUST_LOG", "error")]).await?;
    let mut connection = Connection::open(fagsystem.base()).await?;
    let path = format!("/api/capabilities/{RECEIVER}?process={PROCESS}");
    let mut waits: Vec<Duration> = Vec::with_capacity(QUESTIONS);
    for question in 0..WARM_UP + QUESTIONS {
        let asked = Instant::now();
        connection.get(&path, "application/json").await?;
        if question >= WARM_UP {
            waits.push(asked.elapsed());
        }
    }
    installation.terminate().await?;
    waits.sort();
    let figure = |what: &str, thousandths| {
        let milliseconds = quantile(&waits, thousandths).as_secs_f64() * 1e3;
        Figure::plain(format!("client, {name}: look-up, {what}"), milliseconds, "ms")
    };
    Ok(vec![figure("median", 500), figure("99 of 100", 990).at_most(TARGET)])
}
