//! Lists from a million conversations.
//!
//! The rows are written into the database of an installation that stands still, then it is started and asked.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::ensure;
use budstikke_doubles::DoublesConfig;
use budstikke_e2e::{Fagsystem, Profile, World};
use rusqlite::Connection;

use crate::figure::{Figure, quantile};
use crate::{RECEIVER, SENDER};

const CONVERSATIONS: u32 = 1_000_000;
/// Requests for each list.
const REQUESTS: usize = 200;
/// Milliseconds, median.
const TARGET: f64 = 20.0;
/// What is asked, and whether the target is meant for it.
const LISTS: [(&str, &str, bool); 6] = [
    ("newest 50", "/api/conversations?size=50", true),
    (
        "50 of those not finished",
        "/api/conversations?size=50&direction=OUTGOING&finished=false",
        true,
    ),
    (
        "50 of one receiver",
        "/api/conversations?size=50&receiverIdentifier=900000007",
        true,
    ),
    ("50 from the middle", "/api/conversations?size=50&page=10000", false),
    ("50 statuses of one value", "/api/statuses?size=50&status=LEVERT", true),
    ("50 found by search", "/conversations?search=900000007", false),
];

pub(crate) async fn measure() -> anyhow::Result<Vec<Figure>> {
    println!("lists: {CONVERSATIONS} conversations with three to four statuses each");
    let world = World::with(&[SENDER, RECEIVER], Profile::Release, None, DoublesConfig::default()).await?;
    let mut installation = world.installation(SENDER)?;
    installation.start().await?;
    installation.terminate().await?;
    let database = installation.folder.join("data/budstikke.db");
    tokio::task::spawn_blocking(move || fill(&database)).await??;
    let fagsystem = installation.start_with(&[("RUST_LOG", "warn")]).await?;
    let mut figures = Vec::new();
    for (name, path, judged) in LISTS {
        let asked = ask(&fagsystem, path).await?;
        let median = Figure::plain(
            format!("lists, {name}: median"),
            quantile(&asked, 500).as_secs_f64() * 1e3,
            "ms",
        );
        figures.push(if judged { median.at_most(TARGET) } else { median });
        figures.push(Figure::plain(
            "… 99 of 100",
            quantile(&asked, 990).as_secs_f64() * 1e3,
            "ms",
        ));
    }
    Ok(figures)
}

async fn ask(fagsystem: &Fagsystem, path: &str) -> anyhow::Result<Vec<Duration>> {
    let mut asked = Vec::with_capacity(REQUESTS);
    for _ in 0..REQUESTS {
        let started = Instant::now();
        let answer = fagsystem.get(path).await?.ok()?;
        asked.push(started.elapsed());
        ensure!(!answer.body.is_empty(), "{path} is empty");
    }
    asked.sort();
    Ok(asked)
}

/// Half a year of a large organisation: most sent and read, some under way, some received.
fn fill(database: &Path) -> anyhow::Result<()> {
    let connection = Connection::open(database)?;
    connection.execute_batch(&format!(
        "PRAGMA synchronous = OFF;
         BEGIN;
         CREATE TEMP TABLE number AS
            WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < {CONVERSATIONS})
            SELECT n, n % 5 = 0 AS received, printf('9%08d', n * 7919 % 400) AS other FROM numbers;
         INSERT INTO conversation (id, message_id, direction, conversation_id, sender, sender_identifier, receiver,
                receiver_identifier, process, document_type, message_reference, message_title, service, last_update, expiry,
                finished, track_at)
            SELECT n, lower(hex(randomblob(16))), CASE WHEN received THEN 'INCOMING' ELSE 'OUTGOING' END,
                lower(hex(randomblob(16))), '0192:' || CASE WHEN received THEN other ELSE '{SENDER}' END,
                CASE WHEN received THEN other ELSE '{SENDER}' END, '0192:' || CASE WHEN received THEN '{SENDER}' ELSE other END,
                CASE WHEN received THEN '{SENDER}' ELSE other END, 'urn:no:difi:profile:arkivmelding:administrasjon:ver1.0',
                'urn:no:difi:arkivmelding:xsd::arkivmelding', '2026/' || n, 'Svar på søknad ' || n, 'DPO',
                1760000000000 + n * 15000, 1790000000000 + n * 15000, n % 50 <> 0, NULL
            FROM number;
         INSERT INTO status (conversation, status, at)
            SELECT n, 'OPPRETTET', 1760000000000 + n * 15000 FROM number
            UNION ALL SELECT n, CASE WHEN received THEN 'INNKOMMENDE_MOTTATT' ELSE 'SENDT' END, 1760000001000 + n * 15000
                FROM number
            UNION ALL SELECT n, 'LEVERT', 1760000002000 + n * 15000 FROM number WHERE NOT received AND n % 50 <> 0
            UNION ALL SELECT n, 'LEST', 1760000003000 + n * 15000 FROM number WHERE NOT received AND n % 3 = 0;
         COMMIT;"
    ))?;
    Ok(())
}
