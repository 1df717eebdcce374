//! Webhooks: tells subscribers of statuses, after the commit and in their order. Spec: messaging API, 9.
//!
//! The store has the outbox. One task looks which subscribers have something due, and each of those gets a task of its own
//! until its events are told or one of them is not taken: nobody waits for another's endpoint. [`endpoint`] says which URLs
//! may be called, [`post`] is one request, [`event`] what stands in it, [`signature`] how it is signed.

mod endpoint;
mod event;
mod post;
mod signature;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use budstikke_store::{Delivery, StoreError};
use tokio_util::sync::CancellationToken;

use crate::fail_point;
use crate::node::Node;

pub use endpoint::Endpoint;
pub use post::{Failed, Webhooks};
pub use signature::SigningSecret;

/// Most events that wait for one subscription; of more, the oldest are given up.
pub const BACKLOG: u64 = 100_000;
/// Between looks at the outbox.
const TICK: Duration = Duration::from_millis(250);
/// After an error of the store.
const PAUSE: Duration = Duration::from_secs(10);
/// Ticks between counts of the outbox.
const TRIM_TICKS: u64 = 40;

/// Tells subscribers until told to stop. Requests under way are finished first.
pub async fn run(node: Arc<Node>, stop: CancellationToken) {
    let mut under_way: HashMap<i64, tokio::task::JoinHandle<()>> = HashMap::new();
    let mut tick = 0_u64;
    while !stop.is_cancelled() {
        under_way.retain(|_, task| !task.is_finished());
        let due = if node.holds("webhooks").await {
            node.store.due_webhooks(Node::now()).await
        } else {
            Ok(Vec::new())
        };
        match due {
            Ok(due) => {
                for subscription in due {
                    under_way
                        .entry(subscription)
                        .or_insert_with(|| tokio::spawn(tell(node.clone(), subscription, stop.clone())));
                }
            }
            Err(error) => tracing::error!(%error, "the store cannot say which webhooks are due"),
        }
        if tick.is_multiple_of(TRIM_TICKS) && node.holds("webhooks").await {
            trim(&node).await;
        }
        tick += 1;
        tokio::select! {
            () = stop.cancelled() => {}
            () = tokio::time::sleep(TICK) => {}
        }
    }
    for task in under_way.into_values() {
        if let Err(error) = task.await {
            tracing::error!(%error, "telling a subscriber broke off");
        }
    }
}

async fn trim(node: &Node) {
    match node.store.trim_deliveries(BACKLOG).await {
        Ok(trimmed) => {
            for (subscription, dropped) in trimmed {
                tracing::error!(
                    subscription,
                    dropped,
                    "more than {BACKLOG} events wait for a webhook; the oldest were given up"
                );
            }
        }
        Err(error) => tracing::error!(%error, "the events that wait for webhooks cannot be counted"),
    }
}

/// Tells one subscriber what is due, oldest first.
async fn tell(node: Arc<Node>, subscription: i64, stop: CancellationToken) {
    while !stop.is_cancelled() {
        match tell_next(&node, subscription).await {
            Ok(true) => {}
            Ok(false) => return,
            Err(error) => {
                tracing::error!(%error, subscription, "what a webhook is to be told cannot be read or marked");
                // An event that was told and cannot be marked, on a full disk say, would be told again and again.
                tokio::select! {
                    () = stop.cancelled() => {}
                    () = tokio::time::sleep(PAUSE) => {}
                }
                return;
            }
        }
    }
}

/// Tells a subscriber of its oldest event. False: nothing more can be done now.
async fn tell_next(node: &Node, subscription: i64) -> Result<bool, StoreError> {
    let now = Node::now();
    let Some(next) = node.store.next_delivery(subscription).await? else {
        return Ok(false);
    };
    let oldest = now.saturating_sub(node.webhooks.keep_millis());
    if next.queued < oldest {
        let dropped = node.store.give_up_deliveries(subscription, oldest).await?;
        tracing::error!(
            subscription,
            dropped,
            "events were given up: their webhook did not take them in time"
        );
        return Ok(true);
    }
    if next.due > now {
        return Ok(false);
    }
    match attempt(node, &next).await {
        Ok(()) => {
            fail_point::reached("webhook.after-post");
            node.store.delivered(next.id).await?;
            Ok(true)
        }
        Err(failed) => {
            let due = Node::now().saturating_add(node.webhooks.retry_millis(next.attempts));
            tracing::warn!(
                subscription,
                delivery = %next.key,
                attempt = next.attempts.saturating_add(1),
                %failed,
                "a webhook did not take an event; it is tried again"
            );
            node.store
                .not_delivered(&next, due, failed.to_string(), Node::now())
                .await?;
            Ok(false)
        }
    }
}

async fn attempt(node: &Node, delivery: &Delivery) -> Result<(), Failed> {
    let secret = SigningSecret::unseal(&node.vault, &delivery.secret).map_err(|error| {
        tracing::error!(%error, "the signing secret of a webhook cannot be opened");
        Failed::Secret
    })?;
    let body = event::status(&delivery.event);
    let attempt = delivery.attempts.saturating_add(1);
    node.webhooks
        .post(&delivery.push_endpoint, &secret, delivery.key, attempt, body)
        .await
        .map(drop)
}

/// Tells an endpoint that it has been subscribed. The HTTP status that it answered with, or why it did not take it.
pub async fn ping(node: &Node, push_endpoint: &str, secret: &SigningSecret) -> Result<u16, Failed> {
    let key = uuid::Uuid::new_v4();
    node.webhooks
        .post(push_endpoint, secret, key, 1, event::ping(Node::now()))
        .await
}
