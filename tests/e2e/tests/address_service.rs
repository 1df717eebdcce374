//! Two installations that ask an address service, which asks the stand-ins of the outside registers.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use budstikke_doubles::Content;
use budstikke_e2e::{
    AddressService, Answer, Fagsystem, Letter, PATIENCE, Pair, World, message_id, nothing_more_comes,
    register_everybody,
};
use serde_json::Value;

/// Tasks that send, and what each sends.
const SENDERS: usize = 4;
const EACH: usize = 8;
/// Messages that were taken in before the address service is killed.
const BEFORE: usize = 6;
/// In no register.
const NOBODY: &str = "974760673";
/// In Enhetsregisteret, and registered nowhere.
const BUSINESS: &str = "938801363";

/// The address service runs, and both installations ask it about every message anew.
async fn scene() -> anyhow::Result<(Pair, AddressService)> {
    let world = World::new(&[Pair::SENDER, Pair::RECEIVER]).await?;
    register_everybody(&world);
    world
        .doubles
        .registers()
        .put(Content::unit(BUSINESS, "EKSEMPEL AS", "AS"));
    let mut service = world.address_service(Pair::SENDER)?;
    service.start().await?;
    let (ours, theirs) = (
        world.installation_asking(Pair::SENDER, &service.url())?,
        world.installation_asking(Pair::RECEIVER, &service.url())?,
    );
    ours.hurry(&world)?;
    theirs.hurry(&world)?;
    let pair = Pair {
        world: Arc::new(world),
        ours,
        theirs,
        stores: Vec::new(),
    };
    Ok((pair, service))
}

async fn registry(fagsystem: &Fagsystem) -> anyhow::Result<Value> {
    let health = fagsystem.get("/manage/health").await?.ok()?.json();
    Ok(health["components"]["registry"]["details"].clone())
}

async fn refused(fagsystem: &Fagsystem, receiver: &str) -> anyhow::Result<Answer> {
    let id = uuid::Uuid::new_v4().to_string();
    fagsystem
        .create(&Fagsystem::arkivmelding(Pair::SENDER, receiver, &id))
        .await
}

/// Which exception an error is about, and everything that it says.
fn told(answer: &Answer) -> (u16, String, String) {
    let body = answer.json();
    let exception = body["exception"].as_str().unwrap_or_default();
    let exception = exception.rsplit('.').next().unwrap_or_default().to_owned();
    (answer.status.as_u16(), exception, body.to_string())
}

/// Messages one after the other, each of which must be taken in.
async fn send(fagsystem: Fagsystem, accepted: Arc<AtomicUsize>) -> anyhow::Result<Vec<Letter>> {
    let mut sent = Vec::new();
    for _ in 0..EACH {
        let mut letter = Letter::new(Pair::SENDER, Pair::RECEIVER)?;
        letter.go_on(&fagsystem).await?;
        accepted.fetch_add(1, Ordering::SeqCst);
        sent.push(letter);
    }
    Ok(sent)
}

/// Takes so many messages from the incoming queue.
async fn take(fagsystem: &Fagsystem, count: usize) -> anyhow::Result<BTreeSet<String>> {
    let mut taken = BTreeSet::new();
    while taken.len() < count {
        let sbd = fagsystem.wait_and_peek("", PATIENCE).await?;
        let id = message_id(&sbd).context("a message without id")?.to_owned();
        fagsystem.pop(&id).await?.ok()?;
        fagsystem.take(&id).await?.ok()?;
        ensure!(taken.insert(id.clone()), "{id} came twice");
    }
    Ok(taken)
}

async fn arrives(sender: &Fagsystem, receiver: &Fagsystem) -> anyhow::Result<()> {
    let mut letter = Letter::new(Pair::SENDER, Pair::RECEIVER)?;
    letter.go_on(sender).await?;
    take(receiver, 1).await?;
    letter.has_arrived_once(sender, receiver).await
}

async fn killed_under_load(pair: &mut Pair, service: &mut AddressService) -> anyhow::Result<()> {
    let (sender, receiver) = pair.start().await?;
    arrives(&sender, &receiver).await.context("while all is well")?;
    let before = registry(&sender).await?;
    ensure!(
        before["silentSince"].is_null() && before["lastAnswersUsed"] == 0,
        "{before}"
    );

    let accepted = Arc::new(AtomicUsize::new(0));
    let senders: Vec<_> = (0..SENDERS)
        .map(|_| tokio::spawn(send(sender.clone(), accepted.clone())))
        .collect();
    let started = Instant::now();
    while accepted.load(Ordering::SeqCst) < BEFORE {
        ensure!(started.elapsed() < PATIENCE, "the load did not begin");
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    service.kill();
    let at_kill = accepted.load(Ordering::SeqCst);
    ensure!(at_kill < SENDERS * EACH, "it was killed too late to matter");
    let mut sent = Vec::new();
    for task in senders {
        sent.extend(
            task.await?
                .context("a message was refused although its route is known")?,
        );
    }
    let taken = take(&receiver, SENDERS * EACH).await?;
    let ids: BTreeSet<String> = sent.iter().map(|letter| letter.id.clone()).collect();
    ensure!(taken == ids, "not the messages that were sent");
    for letter in &sent {
        letter.has_arrived_under_trouble(&sender, &receiver).await?;
    }
    let during = registry(&sender).await?;
    let used = during["lastAnswersUsed"].as_u64().unwrap_or_default();
    ensure!(during["silentSince"].is_string() && used > 0, "{during}");

    // Nobody ever asked about this one, so nobody can say. It is told apart from a receiver that there is not.
    let (status, exception, said) = told(&refused(&sender, NOBODY).await?);
    ensure!(
        (status, exception.as_str()) == (503, "ServiceRegistryLookupException") && said.contains("cannot be asked"),
        "{status} {said}"
    );

    service.start().await?;
    let back = Instant::now();
    while !registry(&sender).await?["silentSince"].is_null() {
        ensure!(back.elapsed() < PATIENCE, "it was not asked again");
        refused(&sender, NOBODY).await?;
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let (status, exception, said) = told(&refused(&sender, NOBODY).await?);
    ensure!(
        (status, exception.as_str()) == (400, "ReceiverDoesNotAcceptProcessException")
            && said.contains("does not know the receiver"),
        "{status} {said}"
    );
    arrives(&sender, &receiver).await.context("when it is back")?;
    nothing_more_comes(&receiver).await
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_service_that_is_killed_under_load_fails_no_message_whose_route_is_known() {
    let (mut pair, mut service) = scene().await.unwrap();
    let result = killed_under_load(&mut pair, &mut service).await;
    let result = result.with_context(|| format!("--- log of the address service\n{}", service.log()));
    pair.told(result).unwrap();
}

async fn ways_of_letters(pair: &mut Pair) -> anyhow::Result<()> {
    let sender = pair.ours.start().await?;
    let of = async |receiver: &str| -> anyhow::Result<Value> {
        let process = "urn:no:difi:profile:arkivmelding:administrasjon:ver1.0";
        let path = format!("/api/capabilities/{receiver}?process={process}");
        Ok(sender.get(&path).await?.ok()?.json()["capabilities"].clone())
    };
    ensure!(of(Pair::RECEIVER).await?[0]["serviceIdentifier"] == "DPO");
    ensure!(of(BUSINESS).await?[0]["serviceIdentifier"] == "DPV");
    let (status, exception, said) = told(&refused(&sender, BUSINESS).await?);
    ensure!(
        (status, exception.as_str()) == (400, "ServiceNotEnabledException") && said.contains("DPV"),
        "{status} {said}"
    );
    pair.world
        .doubles
        .registers()
        .put(Content::receiver_system("987464291", 3));
    pair.world
        .doubles
        .registers()
        .put(Content::unit("987464291", "KOMMUNEN", "KOMM"));
    ensure!(of("987464291").await?[0]["serviceIdentifier"] == "DPF");
    let record = sender
        .get(&format!("/servicerecord/{}", Pair::RECEIVER))
        .await?
        .ok()?
        .json();
    ensure!(
        record["infoRecord"]["organizationName"] == format!("EKSEMPELETATEN {}", Pair::RECEIVER),
        "{record}"
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn registers_decide_which_way_letters_go() {
    let (mut pair, service) = scene().await.unwrap();
    let result = ways_of_letters(&mut pair).await;
    let result = result.with_context(|| format!("--- log of the address service\n{}", service.log()));
    pair.told(result).unwrap();
}
