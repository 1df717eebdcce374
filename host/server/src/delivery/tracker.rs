//! Asks services what became of messages that left. Less often as a message gets older.

use std::sync::Arc;
use std::time::Duration;

use budstikke_runtime::Plugin;
use budstikke_runtime::services::{Progress, SentMessage};
use budstikke_store::{Conversation, Tracked};
use futures::StreamExt as _;
use tokio_util::sync::CancellationToken;

use super::sender::registered;
use crate::adapters::Adapter;
use crate::node::Node;

const TICK: Duration = Duration::from_secs(1);
/// Messages that are asked about in one round and in one call, and calls at the same time.
const ROUND: u32 = 200;
const TOGETHER: usize = 20;
const AT_ONCE: usize = 8;
/// The shortest and longest time between two looks, and the age at which the longest is reached.
/// Spec: documents and packaging, 11.3.
const SHORTEST: i64 = 1000;
const LONGEST: i64 = 60 * 60 * 1000;
const OLD: i64 = 30 * 24 * 60 * 60 * 1000;

/// When a failed look is repeated, by the time since the message's last status.
fn interval(age: i64) -> i64 {
    let grown = age.clamp(0, OLD).saturating_mul(LONGEST / 1000) / (OLD / 1000);
    (60_000 + grown).min(LONGEST)
}

/// Tracks until told to stop.
pub(super) async fn run(node: Arc<Node>, adapter: Arc<Adapter>, stop: CancellationToken) {
    let duty = format!("track {}", adapter.name);
    while !stop.is_cancelled() {
        if node.holds(&duty).await && round(&node, &adapter, &stop).await {
            continue;
        }
        tokio::select! {
            () = stop.cancelled() => {}
            () = tokio::time::sleep(TICK) => {}
        }
    }
}

/// True when more is due, and this round went well.
async fn round(node: &Node, adapter: &Adapter, stop: &CancellationToken) -> bool {
    if adapter.plugin().is_none() {
        return false;
    }
    let due = node
        .store
        .due_for_tracking(adapter.services.clone(), Node::now(), ROUND);
    match due.await {
        Ok(due) => {
            let full = due.len() >= ROUND as usize;
            let looks: Vec<_> = due.chunks(TOGETHER).map(|some| look(node, adapter, some)).collect();
            let looks = futures::stream::iter(looks)
                .take_until(stop.cancelled())
                .buffer_unordered(AT_ONCE);
            looks.fold(full, async |good, stored| good && stored).await
        }
        Err(error) => {
            tracing::error!(%error, "the store cannot say which messages are to be tracked");
            false
        }
    }
}

/// True when what came of it is stored.
async fn look(node: &Node, adapter: &Adapter, some: &[Conversation]) -> bool {
    let Some(plugin) = adapter.plugin() else { return false };
    let answers = ask(&plugin, some).await;
    let now = Node::now();
    let tracked = some.iter().zip(answers).map(|(conversation, answer)| {
        let (reports, next) = match answer {
            Ok(progress) => {
                let next = progress.track_after.map(|seconds| {
                    let wait = i64::from(seconds).saturating_mul(1000);
                    now + wait.max(SHORTEST)
                });
                (progress.reports, next)
            }
            Err(error) => {
                let message_id = &conversation.facts.message_id;
                tracing::warn!(message_id, %error, "a message could not be tracked this time");
                (Vec::new(), Some(now + interval(now - conversation.last_update)))
            }
        };
        Tracked {
            conversation: conversation.id,
            statuses: reports
                .into_iter()
                .filter_map(|report| registered(report, now))
                .collect(),
            next,
        }
    });
    match node.store.tracked(tracked.collect()).await {
        Ok(()) => true,
        Err(error) => {
            tracing::error!(%error, "what became of messages could not be stored");
            false
        }
    }
}

/// An answer for each, or why there is none.
async fn ask(plugin: &Plugin, some: &[Conversation]) -> Vec<Result<Progress, String>> {
    let none = |why: String| some.iter().map(|_| Err(why.clone())).collect();
    match plugin.track(some.iter().map(sent_message).collect()).await {
        Ok(answers) => {
            let told = answers
                .into_iter()
                .map(|answer| answer.map_err(|failure| failure.to_string()));
            let untold = std::iter::repeat_with(|| Err("the adapter gave no answer about it".to_owned()));
            told.chain(untold).take(some.len()).collect()
        }
        // One of them is to blame, and must not keep the others from being asked about.
        Err(error) if error.blames_plugin() && some.len() > 1 => {
            let mut answers = Vec::with_capacity(some.len());
            for one in some {
                answers.extend(Box::pin(ask(plugin, std::slice::from_ref(one))).await);
            }
            answers
        }
        Err(error) => none(error.to_string()),
    }
}

fn sent_message(conversation: &Conversation) -> SentMessage {
    let facts = &conversation.facts;
    SentMessage {
        message_id: facts.message_id.clone(),
        conversation_id: facts.conversation_id.clone(),
        process: facts.process.clone(),
        document_type: facts.document_type.clone(),
        service: facts.service.clone(),
        sender: facts.sender.clone(),
        receiver: facts.receiver.clone().unwrap_or_default(),
        reference: conversation.external_reference.clone(),
        last_update: (conversation.last_update / 1000).max(0).unsigned_abs(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_old_message_is_asked_about_once_an_hour() {
        assert_eq!(interval(0), 60_000);
        assert_eq!(interval(OLD), LONGEST);
        assert_eq!(interval(10 * OLD), LONGEST);
        assert!(interval(OLD / 2) > 60_000 && interval(OLD / 2) < LONGEST);
    }
}
