//! Faults that trying again does not help against: the sender is told, with the reason, and nobody tries again.

use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use budstikke_doubles::{Fault, Route};
use budstikke_e2e::{Fagsystem, Letter, PATIENCE, Pair, nothing_more_comes};

/// The end of a message: what strikes it, its statuses, and a word of the reason.
struct End {
    route: Route,
    fault: Fault,
    statuses: &'static [&'static str],
    reason: &'static str,
}

const REFUSED: &[&str] = &["OPPRETTET", "FEIL"];
const FAILED_LATER: &[&str] = &["OPPRETTET", "SENDT", "FEIL"];

fn ends() -> Vec<End> {
    let end = |route, fault, statuses, reason| End {
        route,
        fault,
        statuses,
        reason,
    };
    vec![
        end(Route::Initialise, Fault::Status(400), REFUSED, "http-400"),
        end(Route::Initialise, Fault::Status(403), REFUSED, "http-403"),
        end(Route::Upload, Fault::Status(400), REFUSED, "http-400"),
        end(Route::Upload, Fault::Status(403), REFUSED, "http-403"),
        end(Route::Upload, Fault::WrongChecksum, REFUSED, "hecksum"),
        end(Route::Upload, Fault::VirusFound, FAILED_LATER, "virus scan"),
    ]
}

#[tokio::test]
async fn what_altinn_refuses_fails_with_altinns_reason() -> anyhow::Result<()> {
    let mut pair = Pair::new().await?;
    let result = refused(&mut pair).await;
    pair.told(result)
}

async fn refused(pair: &mut Pair) -> anyhow::Result<()> {
    let (sender, receiver) = pair.start().await?;
    for end in ends() {
        let what = format!("{:?} at {:?}", end.fault, end.route);
        let before = pair.world.doubles.count(end.route);
        pair.world.doubles.faults().once(end.route, end.fault);
        let mut letter = Letter::new(Pair::SENDER, Pair::RECEIVER)?;
        letter.go_on(&sender).await?;
        fails(&sender, &letter, end.statuses, end.reason)
            .await
            .with_context(|| what.clone())?;
        let calls = pair.world.doubles.count(end.route) - before;
        ensure!(calls == 1, "{what}: {calls} calls");
    }
    // Nothing of it blocks the next one.
    let mut letter = Letter::new(Pair::SENDER, Pair::RECEIVER)?;
    letter.go_on(&sender).await?;
    let sbd = receiver.wait_and_peek("", PATIENCE).await?;
    ensure!(
        budstikke_e2e::message_id(&sbd) == Some(&letter.id),
        "a message that was refused arrived"
    );
    receiver.take(&letter.id).await?.ok()?;
    letter.has_arrived_once(&sender, &receiver).await?;
    nothing_more_comes(&receiver).await
}

/// A token that is refused again right after it was renewed.
#[tokio::test]
async fn an_organisation_without_access_is_told_so() -> anyhow::Result<()> {
    let mut pair = Pair::new().await?;
    let (sender, _) = pair.start().await?;
    pair.world
        .doubles
        .faults()
        .times(2, Route::Initialise, Fault::Status(401));
    let mut letter = Letter::new(Pair::SENDER, Pair::RECEIVER)?;
    letter.go_on(&sender).await?;
    let failed = fails(&sender, &letter, REFUSED, "http-401").await;
    pair.told(failed)
}

async fn fails(sender: &Fagsystem, letter: &Letter, statuses: &[&str], reason: &str) -> anyhow::Result<()> {
    let started = Instant::now();
    let last = loop {
        let page = sender
            .get(&format!("/api/statuses/{}?size=100", letter.id))
            .await?
            .ok()?
            .json();
        let last = page["content"]
            .as_array()
            .and_then(|all| all.last())
            .cloned()
            .unwrap_or_default();
        if last["status"] == "FEIL" {
            break last;
        }
        ensure!(started.elapsed() < PATIENCE, "no FEIL: {page}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    };
    ensure!(
        last.to_string().contains(reason),
        "the reason does not say {reason}: {last}"
    );
    // Long enough for a second attempt.
    tokio::time::sleep(Duration::from_millis(1500)).await;
    let there = sender.statuses(&letter.id).await?;
    ensure!(there == statuses, "{there:?}");
    Ok(())
}
