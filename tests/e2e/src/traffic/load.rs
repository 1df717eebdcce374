//! The fagsystems: they send, read, and look at statuses.

use std::sync::Arc;
use std::time::Duration;

use reqwest::StatusCode;
use tokio_util::sync::CancellationToken;

use super::chance::Chance;
use super::ledger::{Ledger, Way, Wrong};
use super::side::Side;
use crate::fagsystem::{Answer, Fagsystem, File, is_passing, message_id};
use crate::letter::Letter;

/// Messages of one way that have not been taken; with more, nothing new is sent.
const UNDER_WAY: usize = 60;
/// Before a call is repeated, and between looks at a queue that was empty.
const PAUSE: Duration = Duration::from_millis(50);
/// Between looks at statuses.
const LOOK: Duration = Duration::from_secs(1);

/// Sends one message after the other until told to stop, and brings the last one to its end.
pub(super) async fn send(
    way: Way,
    sides: Arc<[Side; 2]>,
    ledger: Arc<Ledger>,
    mut chance: Chance,
    stop: CancellationToken,
) {
    let (from, to) = (&sides[way], &sides[1 - way]);
    while !stop.is_cancelled() {
        if ledger.under_way(way) >= UNDER_WAY {
            tokio::time::sleep(PAUSE).await;
            continue;
        }
        let mut letter = Letter::with(from.number, to.number, files(&mut chance));
        ledger.begun(way, &letter);
        loop {
            match letter.go_on(&from.any().await).await {
                Ok(()) => break ledger.accepted(&letter.id),
                Err(error) if is_passing(&error) => tokio::time::sleep(PAUSE).await,
                Err(error) => break ledger.lost(&letter.id, &format!("{error:#}")),
            }
        }
    }
}

/// Sizes on both sides of every limit that a store has for small files.
fn files(chance: &mut Chance) -> Vec<File> {
    let size = match chance.of(0..10) {
        0..6 => chance.of(1..8_000),
        6..9 => chance.of(8_000..80_000),
        _ => chance.of(80_000..800_000),
    };
    let mut files = File::examples().unwrap_or_default();
    for file in files.iter_mut().filter(|file| file.name != "arkivmelding.xml") {
        file.content = chance.bytes(usize::try_from(size).unwrap_or(0));
    }
    files
}

/// A message in the hand of a fagsystem.
struct Hand {
    id: String,
    package: Option<Vec<u8>>,
    /// A take was tried whose answer did not come.
    tried: bool,
}

/// Takes what comes, for ever.
pub(super) async fn read(way: Way, sides: Arc<[Side; 2]>, ledger: Arc<Ledger>) {
    let to = &sides[1 - way];
    let mut hand = None;
    loop {
        match go_on(way, &to.any().await, &mut hand, &ledger).await {
            Ok(true) => {}
            Ok(false) => tokio::time::sleep(PAUSE).await,
            Err(error) if is_passing(&error) => tokio::time::sleep(PAUSE).await,
            Err(error) => {
                hand = None;
                ledger.wrong(Wrong::Other, format!("reading at {}: {error:#}", to.number));
                tokio::time::sleep(LOOK).await;
            }
        }
    }
}

async fn go_on(way: Way, api: &Fagsystem, hand: &mut Option<Hand>, ledger: &Ledger) -> anyhow::Result<bool> {
    if hand.is_none() {
        *hand = match api.peek("").await? {
            Some(sbd) => message_id(&sbd).map(|id| Hand {
                id: id.to_owned(),
                package: None,
                tried: false,
            }),
            None => locked(api).await?,
        };
    }
    let Some(held) = hand else { return Ok(false) };
    let id = held.id.clone();
    let letter = match ledger.expected(way, &id) {
        Ok(letter) => letter,
        Err(why) => {
            ledger.wrong(Wrong::Duplicated, format!("{id} came, though {why}"));
            // Out of the way; the answer changes nothing about that.
            let _answer = api.take(&id).await;
            *hand = None;
            return Ok(true);
        }
    };
    if held.package.is_none() {
        let answer = api.pop(&id).await?;
        if says(&answer, "MessageNotLockedException") {
            *hand = None;
            return Ok(false);
        }
        let package = answer.ok()?.body;
        let whole = tokio::task::spawn_blocking(move || letter.is_in(&package).map(|()| package)).await?;
        match whole {
            Ok(package) => held.package = Some(package),
            Err(error) => {
                ledger.lost(&id, &format!("it came otherwise than it was sent: {error:#}"));
                held.package = Some(Vec::new());
            }
        }
    }
    let first = !std::mem::replace(&mut held.tried, true);
    let answer = api.take(&id).await?;
    if says(&answer, "MessageNotLockedException") {
        *hand = None;
        return Ok(false);
    }
    if says(&answer, "MessageNotFoundException") {
        if first {
            ledger.wrong(Wrong::Other, format!("{id} was locked, and gone before it was taken"));
        }
    } else {
        answer.ok()?;
    }
    ledger.taken(&id);
    *hand = None;
    Ok(true)
}

/// A message that was peeked by a call which was never answered shows in the list of the queue, and can be popped.
async fn locked(api: &Fagsystem) -> anyhow::Result<Option<Hand>> {
    let queue = api.get("/api/messages/in?size=1").await?.ok()?.json();
    let Some(id) = queue["content"].get(0).and_then(message_id) else {
        return Ok(None);
    };
    let answer = api.pop(id).await?;
    if answer.status == StatusCode::OK {
        return Ok(Some(Hand {
            id: id.to_owned(),
            package: None,
            tried: false,
        }));
    }
    // It was not a locked one that the list showed, but one that had just come, or just gone.
    if says(&answer, "MessageNotLockedException") || says(&answer, "MessageNotFoundException") {
        return Ok(None);
    }
    Err(answer.into())
}

fn says(answer: &Answer, exception: &str) -> bool {
    answer.status != StatusCode::OK && answer.json().to_string().contains(exception)
}

/// Looks again and again at the statuses of what was taken, for ever.
pub(super) async fn watch(way: Way, sides: Arc<[Side; 2]>, ledger: Arc<Ledger>) {
    loop {
        look(way, &sides, &ledger, false).await;
        tokio::time::sleep(LOOK).await;
    }
}

/// Looks once at the statuses of the messages that were taken; `again`: of those whose statuses were all there before, and then
/// nobody is let off.
pub(super) async fn look(way: Way, sides: &[Side; 2], ledger: &Ledger, again: bool) {
    for id in ledger.to_look_at(way, again) {
        while let Err(error) = look_at(&id, way, sides, ledger).await {
            if !is_passing(&error) {
                ledger.wrong(Wrong::Other, format!("the statuses of {id}: {error:#}"));
                break;
            }
            tokio::time::sleep(PAUSE).await;
            if !again {
                break;
            }
        }
    }
}

async fn look_at(id: &str, way: Way, sides: &[Side; 2], ledger: &Ledger) -> anyhow::Result<()> {
    let at_sender = sides[way].any().await.statuses(id).await?;
    let at_receiver = sides[1 - way].any().await.statuses(id).await?;
    ledger.statuses(id, &at_sender, &at_receiver);
    Ok(())
}
