//! Asks services what became of messages that left. Less often as a message gets older.

use std::sync::Arc;
use std::time::Duration;

use budstikke_store::{NewStatus, TrackItem};
use futures::StreamExt as _;
use tokio_util::sync::CancellationToken;

use super::sender::registered;
use crate::adapters::Adapter;
use crate::node::Node;

const TICK: Duration = Duration::from_secs(1);
/// Messages that are asked about in one round, and at the same time.
const ROUND: u32 = 200;
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
        Ok(items) => {
            let full = items.len() >= ROUND as usize;
            let looks = futures::stream::iter(items)
                .take_until(stop.cancelled())
                .map(|item| look(node, adapter, item))
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
async fn look(node: &Node, adapter: &Adapter, item: TrackItem) -> bool {
    let Some(plugin) = adapter.plugin() else { return false };
    let result = plugin.track(&item.message_id, &item.reference).await;
    let now = Node::now();
    let (statuses, next): (Vec<NewStatus>, Option<i64>) = match result {
        Ok(Ok(progress)) => (
            progress
                .reports
                .into_iter()
                .filter_map(|report| registered(report, now))
                .collect(),
            progress
                .track_after
                .map(|seconds| now + i64::from(seconds).saturating_mul(1000).max(SHORTEST)),
        ),
        Ok(Err(failure)) => {
            tracing::warn!(message_id = item.message_id, %failure, "a message could not be tracked this time");
            (Vec::new(), Some(now + interval(now - item.last_update)))
        }
        Err(error) => {
            tracing::warn!(message_id = item.message_id, %error, "a message could not be tracked this time");
            (Vec::new(), Some(now + interval(now - item.last_update)))
        }
    };
    match node.store.tracked(item.conversation, statuses, next).await {
        Ok(()) => true,
        Err(error) => {
            tracing::error!(message_id = item.message_id, %error, "what became of a message could not be stored");
            false
        }
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
