//! Many consumers at one queue: every message is handed to exactly one, and none is lost.
//!
//! That a lock ends by itself, and that its message is then handed to another, is tested where the clock can be set: beside the
//! store. The shortest lock of the TOML is a minute.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use budstikke_e2e::{Fagsystem, PATIENCE, Pair, message_id};
use serde_json::{Value, json};

const MESSAGES: usize = 500;
const CONSUMERS: usize = 20;
const SENDERS: usize = 10;

/// The smallest message there is: no files.
fn avtalt(id: &str) -> Value {
    let mut sbd = Fagsystem::arkivmelding(Pair::SENDER, Pair::RECEIVER, id);
    let header = &mut sbd["standardBusinessDocumentHeader"];
    header["documentIdentification"]["standard"] = "urn:no:difi:avtalt:xsd::avtalt".into();
    header["documentIdentification"]["type"] = "avtalt".into();
    header["businessScope"]["scope"][0]["identifier"] = "urn:no:difi:profile:avtalt:avtalt:ver1.0".into();
    let members = sbd.as_object_mut().unwrap();
    members.remove("arkivmelding");
    members.insert("avtalt".into(), json!({ "identifier": "x", "content": id }));
    sbd
}

/// Sends its share; gives the ids.
async fn send(fagsystem: Fagsystem, share: usize) -> Vec<String> {
    let mut ids = Vec::new();
    for _ in 0..share {
        let id = uuid::Uuid::new_v4().to_string();
        fagsystem.send_message(&avtalt(&id), &[]).await.unwrap();
        ids.push(id);
    }
    ids
}

/// A consumer with its own connections. Takes messages until all of them are taken; gives the ids that it was handed.
async fn consume(base: String, taken: Arc<AtomicUsize>) -> Vec<String> {
    let fagsystem = Fagsystem::new(&base);
    let (mut ids, mut latest) = (Vec::new(), Instant::now());
    while taken.load(Ordering::Relaxed) < MESSAGES {
        let Some(sbd) = fagsystem.peek("").await.unwrap() else {
            assert!(
                latest.elapsed() < PATIENCE,
                "{} are missing",
                MESSAGES - taken.load(Ordering::Relaxed)
            );
            tokio::time::sleep(std::time::Duration::from_millis(100)).await;
            continue;
        };
        let id = message_id(&sbd).unwrap().to_owned();
        assert_eq!(sbd["avtalt"]["content"], id.as_str());
        assert_eq!(fagsystem.pop(&id).await.unwrap().status, 204);
        fagsystem.take(&id).await.unwrap().ok().unwrap();
        ids.push(id);
        taken.fetch_add(1, Ordering::Relaxed);
        latest = Instant::now();
    }
    ids
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn twenty_consumers_are_handed_every_message_once() {
    let mut pair = Pair::new().await.unwrap();
    let (sender, receiver) = pair.start().await.unwrap();
    let taken = Arc::new(AtomicUsize::new(0));
    let consumers: Vec<_> = (0..CONSUMERS)
        .map(|_| tokio::spawn(consume(receiver.base().to_owned(), Arc::clone(&taken))))
        .collect();
    let senders: Vec<_> = (0..SENDERS)
        .map(|_| tokio::spawn(send(sender.clone(), MESSAGES / SENDERS)))
        .collect();
    let mut sent = BTreeSet::new();
    for one in senders {
        sent.extend(one.await.unwrap());
    }
    let mut handed = Vec::new();
    for consumer in consumers {
        handed.extend(consumer.await.unwrap());
    }
    assert_eq!(handed.len(), MESSAGES, "one was handed out twice");
    assert_eq!(handed.into_iter().collect::<BTreeSet<_>>(), sent);
    assert!(receiver.peek("").await.unwrap().is_none());
    let waiting = receiver.get("/api/messages/in").await.unwrap().ok().unwrap().json();
    assert_eq!(waiting["totalElements"], 0);
}
