//! Twenty consumers that take from one queue at the same time.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail, ensure};
use budstikke_doubles::DoublesConfig;
use budstikke_e2e::{Fagsystem, Profile, World};
use reqwest::{Method, StatusCode};

use crate::figure::{Figure, quantile};
use crate::letters::{Way, arkivmelding, hand_over_all};
use crate::{RECEIVER, SENDER};

const MESSAGES: usize = 2000;
const CONSUMERS: usize = 20;
const PATIENCE: Duration = Duration::from_mins(5);

pub(crate) async fn measure() -> anyhow::Result<Vec<Figure>> {
    println!("peek: {CONSUMERS} consumers take {MESSAGES} messages");
    let world = World::with(&[SENDER, RECEIVER], Profile::Release, None, DoublesConfig::default()).await?;
    let (mut sending, mut receiving) = (world.installation(SENDER)?, world.installation(RECEIVER)?);
    let sender = sending.start_with(&[("RUST_LOG", "warn")]).await?;
    hand_over_all(&sender, Way::OneShot, &arkivmelding()?, MESSAGES).await?;
    let receiver = receiving.start_with(&[("RUST_LOG", "warn")]).await?;
    waiting(&receiver).await?;
    sending.terminate().await?;

    let started = Instant::now();
    let consumers: Vec<_> = (0..CONSUMERS)
        .map(|_| tokio::spawn(consume(receiver.clone())))
        .collect();
    let (mut taken, mut asked) = (Vec::new(), Vec::new());
    for consumer in consumers {
        let (ids, waits) = consumer.await??;
        taken.extend(ids);
        asked.extend(waits);
    }
    let elapsed = started.elapsed();
    let different: HashSet<&Arc<str>> = taken.iter().collect();
    ensure!(
        taken.len() == MESSAGES && different.len() == MESSAGES,
        "{} messages were handed out, {} different ones, of {MESSAGES}",
        taken.len(),
        different.len()
    );
    asked.sort();
    let count = f64::from(u32::try_from(MESSAGES)?);
    Ok(vec![
        Figure::plain("peek: taken by exactly one of 20 consumers", count, "messages").at_least(count),
        Figure::plain("peek: peeked and deleted", count / elapsed.as_secs_f64(), "/s"),
        Figure::plain(
            "peek: one peek, median",
            quantile(&asked, 500).as_secs_f64() * 1e3,
            "ms",
        ),
        Figure::plain("… 99 of 100", quantile(&asked, 990).as_secs_f64() * 1e3, "ms"),
    ])
}

/// Until every message is on the queue.
async fn waiting(receiver: &Fagsystem) -> anyhow::Result<()> {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let page = receiver.get("/api/messages/in?size=1").await?.ok()?.json();
        if page.get("totalElements").and_then(serde_json::Value::as_u64) == Some(MESSAGES as u64) {
            return Ok(());
        }
        ensure!(Instant::now() < deadline, "the messages did not arrive: {page}");
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

async fn consume(receiver: Fagsystem) -> anyhow::Result<(Vec<Arc<str>>, Vec<Duration>)> {
    let (mut ids, mut waits) = (Vec::new(), Vec::new());
    loop {
        let started = Instant::now();
        let peeked = receiver.get("/api/messages/in/peek").await?;
        waits.push(started.elapsed());
        match peeked.status {
            StatusCode::NO_CONTENT => return Ok((ids, waits)),
            StatusCode::OK => {}
            other => bail!("peek answered {other}"),
        }
        let sbd = peeked.json();
        let id = sbd
            .pointer("/standardBusinessDocumentHeader/documentIdentification/instanceIdentifier")
            .and_then(serde_json::Value::as_str)
            .context("a message without an id")?;
        let request = receiver.request(Method::DELETE, &format!("/api/messages/in/{id}"));
        receiver.ask(request).await?.ok()?;
        ids.push(Arc::from(id));
    }
}
