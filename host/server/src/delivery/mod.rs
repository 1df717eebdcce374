//! Everything that happens without the fagsystem asking: sending, fetching, tracking, ending lives, tidying.
//!
//! One task for each service that sends, one for each adapter that fetches, one for each adapter that tracks, one that
//! keeps house. All stop when told; what they had in hand is either committed or taken up again after the next start.

pub mod answer;
mod housekeeping;
mod incoming;
mod lanes;
mod outgoing_call;
mod poller;
pub mod retry;
mod sender;
mod tracker;

use std::sync::Arc;

use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::node::Node;

pub use incoming::{Handover, Origin, deliver};
#[cfg(test)]
pub(crate) use outgoing_call::OutgoingCall;
pub(crate) use outgoing_call::{asked_again, is_of};

/// Starts every task; they end when `stop` is cancelled.
pub fn start(node: &Arc<Node>, stop: &CancellationToken) -> JoinSet<()> {
    let mut tasks = JoinSet::new();
    for adapter in node.adapters.iter() {
        for service in &adapter.services {
            tasks.spawn(sender::run(
                node.clone(),
                adapter.clone(),
                service.clone(),
                stop.clone(),
            ));
        }
        tasks.spawn(poller::run(node.clone(), adapter.clone(), stop.clone()));
        tasks.spawn(tracker::run(node.clone(), adapter.clone(), stop.clone()));
    }
    tasks.spawn(housekeeping::run(node.clone(), stop.clone()));
    tasks
}

/// A text that was meant for people, cut to a length that a column and a log can bear.
fn bounded(mut text: String, limit: usize) -> String {
    if text.len() > limit {
        let end = (0..=limit).rev().find(|end| text.is_char_boundary(*end)).unwrap_or(0);
        text.truncate(end);
    }
    text
}
