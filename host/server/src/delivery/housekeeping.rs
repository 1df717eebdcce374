//! Ends the lives of messages whose time has passed, and removes what nobody needs any more.

use std::sync::Arc;
use std::time::Duration;

use budstikke_message::status::Status;
use tokio_util::sync::CancellationToken;

use crate::abilities::documents::blocking;
use crate::node::Node;
use budstikke_store::{NewStatus, StoreError};

const TICK: Duration = Duration::from_secs(2);
/// Ticks between looks for messages whose life has ended. Spec: documents and packaging, 11.2 (every 30 s).
const EXPIRY_TICKS: u64 = 15;
/// Ticks between sweeps for forgotten files and old memories; the first soon after the start.
const SWEEP_TICKS: u64 = 1800;
/// Files without a row are left alone for so long: their row may be on its way.
const SWEEP_AGE: Duration = Duration::from_hours(24);
/// How long the content of a message that could not be sent is kept, ms.
const GIVEN_UP_AGE: i64 = 30 * 24 * 60 * 60 * 1000;
/// How long what was set aside is kept, ms.
const SET_ASIDE_AGE: i64 = 90 * 24 * 60 * 60 * 1000;
const ROUND: u32 = 500;

/// Keeps house until told to stop.
pub(super) async fn run(node: Arc<Node>, stop: CancellationToken) {
    let mut tick = 0_u64;
    while !stop.is_cancelled() {
        if node.holds("housekeeping").await
            && let Err(error) = round(&node, tick).await
        {
            tracing::error!(%error, "housekeeping failed; it is tried again");
        }
        tick += 1;
        tokio::select! {
            () = stop.cancelled() => {}
            () = tokio::time::sleep(TICK) => {}
        }
    }
}

async fn round(node: &Node, tick: u64) -> Result<(), StoreError> {
    remove_garbage(node).await?;
    if tick.is_multiple_of(EXPIRY_TICKS) {
        let now = Node::now();
        while node
            .store
            .expire(now, NewStatus::plain(Status::LevetidUtlopt, now))
            .await?
            > 0
        {}
        while node.store.purge_given_up(now - GIVEN_UP_AGE).await? > 0 {}
        node.store.purge_set_aside(now - SET_ASIDE_AGE).await?;
    }
    if tick.is_multiple_of(SWEEP_TICKS) {
        node.store.forget_old(Node::now()).await?;
        let vault = node.vault.clone();
        match blocking(move || vault.sweep(SWEEP_AGE)).await {
            Ok(0) => {}
            Ok(files) => tracing::info!(files, "files that a crash had left were removed"),
            Err(error) => tracing::warn!(%error, "the vault could not be swept"),
        }
    }
    Ok(())
}

async fn remove_garbage(node: &Node) -> Result<(), StoreError> {
    loop {
        let garbage = node.store.garbage(ROUND).await?;
        if garbage.is_empty() {
            return Ok(());
        }
        let vault = node.vault.clone();
        let removed = blocking(move || vault.remove(&garbage).map(|()| garbage)).await;
        match removed {
            Ok(removed) => node.store.garbage_removed(removed).await?,
            Err(error) => {
                tracing::warn!(%error, "files that are not needed could not be removed; it is tried again");
                return Ok(());
            }
        }
    }
}
