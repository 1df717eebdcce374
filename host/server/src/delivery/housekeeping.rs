//! Ends the lives of messages whose time has passed, and removes what nobody needs any more.

use std::sync::Arc;
use std::time::Duration;

use budstikke_message::status::Status;
use budstikke_store::{NewStatus, RetentionRule, StoreError, Walk};
use tokio_util::sync::CancellationToken;

use crate::abilities::documents::blocking;
use crate::config::retention::told;
use crate::node::Node;

const TICK: Duration = Duration::from_secs(2);
/// Ticks between looks for what is too old. Spec: documents and packaging, 11.2 (every 30 s).
const EXPIRY_TICKS: u64 = 15;
/// Ticks between sweeps for forgotten files and old memories; the first soon after the start.
const SWEEP_TICKS: u64 = 1800;
/// Sweeps between purges that look at everything again.
const SWEEPS: u64 = 24;
/// Files without a row are left alone for so long: their row may be on its way.
const SWEEP_AGE: Duration = Duration::from_hours(24);
const ROUND: u32 = 500;
/// Steps of each kind in one round, so that the next tick comes soon.
const STEPS: usize = 20;

/// What is not finished in one round, and goes on in the next.
struct UnderWay {
    purges: Vec<Purge>,
    tidying: bool,
}

/// How far the purge of one rule has come.
struct Purge {
    rule: Arc<RetentionRule>,
    walk: Walk,
    /// Not all that is old enough was looked at.
    under_way: bool,
}

/// Keeps house until told to stop.
pub(super) async fn run(node: Arc<Node>, stop: CancellationToken) {
    let mut under_way = UnderWay {
        purges: node.retention.iter().map(Purge::new).collect(),
        tidying: false,
    };
    let mut tick = 0_u64;
    while !stop.is_cancelled() {
        if tick.is_multiple_of(EXPIRY_TICKS) {
            node.registry.sweep();
        }
        if node.holds("housekeeping").await
            && let Err(error) = round(&node, tick, &mut under_way).await
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

async fn round(node: &Node, tick: u64, UnderWay { purges, tidying }: &mut UnderWay) -> Result<(), StoreError> {
    remove_garbage(node).await?;
    if tick.is_multiple_of(EXPIRY_TICKS) {
        let now = Node::now();
        while node
            .store
            .expire(now, NewStatus::plain(Status::LevetidUtlopt, now))
            .await?
            > 0
        {}
        for purge in &mut *purges {
            purge.under_way = true;
        }
        *tidying = true;
    }
    if tick.is_multiple_of(SWEEP_TICKS * SWEEPS) {
        for purge in &mut *purges {
            purge.walk = Walk::default();
        }
    }
    for purge in purges.iter_mut().filter(|purge| purge.under_way) {
        purge.go_on(node).await?;
    }
    if *tidying {
        *tidying = tidy(node).await?;
    }
    if tick.is_multiple_of(SWEEP_TICKS) {
        node.store.forget_state(Node::now()).await?;
        node.registry.tidy().await;
        let vault = node.vault.clone();
        match blocking(move || vault.sweep(SWEEP_AGE)).await {
            Ok(0) => {}
            Ok(files) => tracing::info!(files, "files that a crash had left were removed"),
            Err(error) => tracing::warn!(%error, "the vault could not be swept"),
        }
    }
    Ok(())
}

impl Purge {
    fn new(rule: &Arc<RetentionRule>) -> Self {
        Self {
            rule: Arc::clone(rule),
            walk: Walk::default(),
            under_way: false,
        }
    }

    /// Takes some steps.
    async fn go_on(&mut self, node: &Node) -> Result<(), StoreError> {
        let mut removed = 0;
        for _ in 0..STEPS {
            let step = node.store.purge(&self.rule, self.walk, Node::now()).await?;
            removed += step.removed;
            (self.walk, self.under_way) = (step.walk, step.more);
            if !step.more {
                break;
            }
        }
        if removed > 0 {
            tracing::info!(removed, rule = told(&self.rule), "what was old enough was removed");
        }
        Ok(())
    }
}

/// Some steps of what keeps the database from growing. True: there is more to do.
async fn tidy(node: &Node) -> Result<bool, StoreError> {
    let now = Node::now();
    for _ in 0..STEPS {
        let folded = node.store.fold_ids(now).await?;
        let forgotten = node.store.forget_ids(now).await?;
        let more = node.store.tidy(now).await?;
        if folded == 0 && forgotten == 0 && !more {
            return Ok(false);
        }
    }
    Ok(true)
}

async fn remove_garbage(node: &Node) -> Result<(), StoreError> {
    loop {
        let garbage = node.store.garbage(ROUND).await?;
        // Asked after the list was read: a backup that begins now does not name what is on it.
        if garbage.is_empty() || node.store.files_are_held().await? {
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
