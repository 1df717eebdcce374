//! Claims in front of a short queue and of a very long one.

use std::time::{Duration, Instant};

use anyhow::ensure;
use budstikke_store::{Store, Turn};

use crate::figure::{Figure, quantile};
use crate::ground::{Ground, Kind};

/// Messages that wait: what is compared.
const SHORT: u32 = 10_000;
const LONG: u32 = 1_000_000;
/// Claims of as many messages as a sender takes at a time, never more than the short queue has.
const CLAIMS: usize = 1000;
const BATCH: usize = 8;
const LANE: usize = 6;
/// Before the clock runs.
const WARM_UP: usize = 100;
/// A claim takes at most so much of its time in front of a short queue.
const TARGET: f64 = 1.2;
/// Not the time of anything.
const NOW: i64 = 1_780_000_000_000;

pub(crate) async fn measure(kinds: &[Kind]) -> anyhow::Result<Vec<Figure>> {
    let mut figures = Vec::new();
    for kind in kinds {
        let short = median(*kind, SHORT, &mut figures).await?;
        let long = median(*kind, LONG, &mut figures).await?;
        figures.push(Figure::plain("… as long", long / short, "times").at_most(TARGET));
    }
    Ok(figures)
}

/// Of claims while so many wait, ms.
async fn median(kind: Kind, waiting: u32, figures: &mut Vec<Figure>) -> anyhow::Result<f64> {
    let ground = Ground::new(kind).await?;
    let name = ground.name();
    println!("backlog: {CLAIMS} claims of {BATCH} messages while {waiting} wait, {name}");
    let claims = run(&ground, waiting).await?;
    let wait = |thousandths| quantile(&claims, thousandths).as_secs_f64() * 1e3;
    let figure =
        |what: &str, value| Figure::plain(format!("backlog, {name}, {waiting} wait: a claim, {what}"), value, "ms");
    figures.extend([figure("median", wait(500)), figure("99 of 100", wait(990))]);
    Ok(wait(500))
}

/// How long each claim took, shortest first.
async fn run(ground: &Ground, waiting: u32) -> anyhow::Result<Vec<Duration>> {
    let folder = tempfile::tempdir()?;
    let store = Store::open(ground.place(folder.path()), "bench").await?;
    ground.run_sql(folder.path(), fill(ground, waiting)).await?;
    ground.run_sql(folder.path(), ground.settled().to_owned()).await?;
    let (mut after, mut claims) = (String::new(), Vec::with_capacity(CLAIMS));
    for number in 0..WARM_UP + CLAIMS {
        let turn = Turn {
            rooms: Vec::new(),
            after: std::mem::take(&mut after),
            limit: BATCH,
            lane_limit: LANE,
        };
        let started = Instant::now();
        let claimed = store.claim("S", NOW, turn).await?;
        if number >= WARM_UP {
            claims.push(started.elapsed());
        }
        ensure!(claimed.len() == BATCH, "{} claimed", claimed.len());
        after = claimed.last().map(|one| one.lane.clone()).unwrap_or_default();
    }
    claims.sort();
    Ok(claims)
}

/// Messages to 400 receivers, each with one file and an SBD of common size. Both databases understand it.
fn fill(ground: &Ground, waiting: u32) -> String {
    let (bytes, key) = (ground.bytes(&"5a".repeat(1500)), ground.bytes(&"5a".repeat(64)));
    format!(
        "INSERT INTO outgoing (kind, message_id, conversation_id, process, document_type, message_type, sender, sender_identifier,
                receiver, receiver_identifier, sbd, data_key, expiry, last_updated)
            WITH RECURSIVE number (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM number WHERE n < {waiting})
            SELECT 'message', 'message-' || n, 'conversation-' || n, 'urn:no:difi:profile:arkivmelding:administrasjon:ver1.0',
                'urn:no:difi:arkivmelding:xsd::arkivmelding', 'arkivmelding', '0192:991825827', '991825827',
                '0192:' || (900000000 + n % 400), '' || (900000000 + n % 400), {bytes}, {key}, {NOW} + 3600000, {NOW} FROM number;
         INSERT INTO sending (outgoing, service, lane, state, due)
            SELECT id, 'S', receiver_identifier, 1, {NOW} FROM outgoing ORDER BY id;
         INSERT INTO attachment (outgoing, number, blob, filename, mime, size, is_primary)
            SELECT id, 1, 'blob-' || id, 'arkivmelding.xml', 'application/xml', 5000, 1 FROM outgoing;"
    )
}
