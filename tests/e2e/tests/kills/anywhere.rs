//! Kills at moments that nobody chose, while messages go both ways.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail, ensure};
use budstikke_e2e::{Fagsystem, Letter, PATIENCE, Pair, nothing_more_comes};
use tokio::task::JoinSet;

/// Messages in each direction.
const LOAD: usize = 30;
const KILLS: u32 = 3;
/// Everything must be over by then.
const LONG: Duration = Duration::from_mins(3);

/// Where a fagsystem finds its integrasjonspunkt; another port after each start.
type Place = Arc<Mutex<Fagsystem>>;

fn at(place: &Place) -> Fagsystem {
    place.lock().unwrap().clone()
}

/// True when there was no answer because nobody was there to give it.
fn unanswered(error: &anyhow::Error) -> bool {
    error
        .chain()
        .any(|cause| cause.downcast_ref::<reqwest::Error>().is_some())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn three_kills_under_load_lose_nothing_and_double_nothing() -> anyhow::Result<()> {
    let mut pair = Pair::new().await?;
    let result = under_load(&mut pair).await;
    pair.told(result)
}

async fn under_load(pair: &mut Pair) -> anyhow::Result<()> {
    let (ours, theirs) = pair.start().await?;
    let (ours, theirs): (Place, Place) = (Arc::new(Mutex::new(ours)), Arc::new(Mutex::new(theirs)));
    let mut letters = Vec::new();
    let mut clients = JoinSet::new();
    for (from, to, place) in [
        (Pair::SENDER, Pair::RECEIVER, &ours),
        (Pair::RECEIVER, Pair::SENDER, &theirs),
    ] {
        let mut own = Vec::new();
        for _ in 0..LOAD {
            own.push(Letter::new(from, to)?);
        }
        letters.push(own.clone());
        clients.spawn(send_all(own, place.clone()));
    }
    let mut readers = JoinSet::new();
    readers.spawn(read_all("theirs", theirs.clone()));
    readers.spawn(read_all("ours", ours.clone()));

    let mut moments = Vec::new();
    for kill in 0..KILLS {
        let moment = Duration::from_millis(500 + u64::from(uuid::Uuid::new_v4().as_bytes()[0]) * 10);
        moments.push(moment);
        tokio::time::sleep(moment).await;
        let (victim, place) = if kill % 2 == 0 {
            (&mut pair.ours, &ours)
        } else {
            (&mut pair.theirs, &theirs)
        };
        victim.kill();
        *place.lock().unwrap() = victim.start().await?;
    }
    let told = || format!("killed after {moments:?}");

    while let Some(sent) = clients.join_next().await {
        sent?.with_context(told)?;
    }
    let mut taken = BTreeMap::new();
    while let Some(read) = readers.join_next().await {
        let (name, packages) = read?.with_context(told)?;
        taken.insert(name, packages);
    }
    for (letters, reader, sender, receiver) in [
        (&letters[0], "theirs", &ours, &theirs),
        (&letters[1], "ours", &theirs, &ours),
    ] {
        for letter in letters {
            let package = taken[reader]
                .get(&letter.id)
                .with_context(|| format!("{} was lost; {}", letter.id, told()))?;
            letter.is_in(package)?;
            letter
                .has_arrived_under_trouble(&at(sender), &at(receiver))
                .await
                .with_context(told)?;
        }
    }
    nothing_more_comes(&at(&ours)).await.with_context(told)?;
    nothing_more_comes(&at(&theirs)).await.with_context(told)?;
    // A kill between an announcement and its checkpoint leaves an announced transfer without a file behind, which nobody
    // ever sees. Of those with a file there is one for each message and its two statuses.
    for organisation in [Pair::SENDER, Pair::RECEIVER] {
        let uploaded = pair.uploaded(organisation).len();
        ensure!(
            uploaded == 3 * LOAD,
            "{uploaded} transfers of {organisation}; {}",
            told()
        );
    }
    Ok(())
}

async fn send_all(letters: Vec<Letter>, place: Place) -> anyhow::Result<()> {
    for mut letter in letters {
        let started = Instant::now();
        while let Err(error) = letter.go_on(&at(&place)).await {
            if !unanswered(&error) || started.elapsed() > PATIENCE {
                return Err(error);
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    Ok(())
}

/// Takes messages until there have been enough. What a kill left half done is found in the list of the queue: a lost
/// answer to a peek leaves a message locked.
async fn read_all(name: &'static str, place: Place) -> anyhow::Result<(&'static str, BTreeMap<String, Vec<u8>>)> {
    let mut taken = BTreeMap::new();
    let mut hand = None;
    let started = Instant::now();
    while taken.len() < LOAD {
        match read_one(&at(&place), &mut hand, &mut taken).await {
            Ok(true) => {}
            Ok(false) => tokio::time::sleep(Duration::from_millis(50)).await,
            Err(error) if unanswered(&error) => tokio::time::sleep(Duration::from_millis(50)).await,
            Err(error) => return Err(error),
        }
        if started.elapsed() > LONG {
            bail!("{name} took only {} of {LOAD} messages", taken.len());
        }
    }
    Ok((name, taken))
}

/// The message in hand: peeked, and popped or not.
type Hand = Option<(String, Option<Vec<u8>>)>;

async fn read_one(
    fagsystem: &Fagsystem,
    hand: &mut Hand,
    taken: &mut BTreeMap<String, Vec<u8>>,
) -> anyhow::Result<bool> {
    if hand.is_none() {
        let next = match fagsystem.peek("").await? {
            Some(sbd) => budstikke_e2e::message_id(&sbd).map(ToOwned::to_owned),
            None => locked(fagsystem).await?,
        };
        let Some(id) = next else { return Ok(false) };
        ensure!(!taken.contains_key(&id), "{id} came twice");
        *hand = Some((id, None));
    }
    if let Some((id, package)) = hand {
        if package.is_none() {
            let answer = fagsystem.pop(id).await?;
            if answer.json().to_string().contains("MessageNotLockedException") {
                // It was not a locked one that the list showed, but one that had just come.
                *hand = None;
                return Ok(false);
            }
            *package = Some(answer.ok()?.body);
        }
        let answer = fagsystem.take(id).await?;
        let repeated = answer.json().to_string().contains("MessageNotFoundException");
        ensure!(
            repeated || answer.status == reqwest::StatusCode::OK,
            "taking {id}: {answer:?}"
        );
    }
    if let Some((id, package)) = hand.take() {
        taken.insert(id, package.unwrap_or_default());
    }
    Ok(true)
}

/// A message that was peeked by a call which was never answered.
async fn locked(fagsystem: &Fagsystem) -> anyhow::Result<Option<String>> {
    let queue = fagsystem.get("/api/messages/in?size=1").await?.ok()?.json();
    Ok(queue["content"]
        .get(0)
        .and_then(budstikke_e2e::message_id)
        .map(ToOwned::to_owned))
}
