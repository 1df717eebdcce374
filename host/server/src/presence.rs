//! This node among others on the same database: it says that it is alive, takes over from the dead, and does alone what only
//! one node may do at a time.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use budstikke_store::{ALIVE, StoreError};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::node::Node;

/// Between two words.
const BEAT: Duration = Duration::from_millis(1500);
/// A node whose last word is older doubts that the others still count on it: it begins nothing new.
const SURE: Duration = Duration::from_secs(4);
/// Words in a row before a node says of others that they are dead: when the database itself was away, everybody was silent.
const BEFORE_BURYING: u32 = 3;

/// What this node knows about its own presence.
pub struct Presence {
    shared: bool,
    spoke: Mutex<Instant>,
    draining: AtomicBool,
}

impl Presence {
    /// `shared`: other nodes can be on the same database.
    pub fn new(shared: bool) -> Self {
        Self {
            shared,
            spoke: Mutex::new(Instant::now()),
            draining: AtomicBool::new(false),
        }
    }

    /// Whether the others count on this node: it may begin new work.
    pub fn is_here(&self) -> bool {
        let spoke = *self.spoke.lock().unwrap_or_else(PoisonError::into_inner);
        !self.shared || spoke.elapsed() < SURE
    }

    /// From now on this node wants no new calls; it is going to stop.
    pub fn drain(&self) {
        self.draining.store(true, Ordering::Release);
    }

    /// Whether it is going to stop.
    pub fn is_draining(&self) -> bool {
        self.draining.load(Ordering::Acquire)
    }

    fn spoke(&self, when: Instant) {
        *self.spoke.lock().unwrap_or_else(PoisonError::into_inner) = when;
    }
}

impl Node {
    /// Whether this node may do what only one does at a time. Asked again before each round.
    pub async fn holds(&self, duty: &str) -> bool {
        if !self.presence.shared {
            return true;
        }
        if !self.presence.is_here() {
            return false;
        }
        match self.store.hold_duty(duty).await {
            Ok(number) => number.is_some(),
            Err(error) => {
                tracing::warn!(%error, duty, "whose turn it is cannot be asked");
                false
            }
        }
    }
}

/// Speaks until told to stop: when nothing is in hand any more. Then it leaves, and others may take over at once. Nothing to do when
/// nobody else can be there.
pub async fn run(node: Arc<Node>, stop: CancellationToken) {
    if !node.presence.shared {
        return;
    }
    let mut in_a_row = 0_u32;
    while !stop.is_cancelled() {
        let began = Instant::now();
        match node.store.beat(ALIVE).await {
            Ok(known) => {
                if !known {
                    tracing::warn!("the others had given this node up; what it had in hand is theirs now");
                }
                node.presence.spoke(began);
                in_a_row = in_a_row.saturating_add(1);
            }
            Err(error) => {
                tracing::error!(%error, "this node cannot say that it is alive");
                in_a_row = 0;
            }
        }
        if in_a_row >= BEFORE_BURYING {
            take_over(&node).await;
        }
        tokio::select! {
            () = stop.cancelled() => {}
            () = tokio::time::sleep(BEAT.saturating_sub(began.elapsed())) => {}
        }
    }
    give_back(&node).await;
}

/// Wakes the senders when another node says that there is work.
pub async fn listen(node: Arc<Node>, stop: CancellationToken) {
    while !stop.is_cancelled() {
        let heard = async {
            let Some(mut hints) = node.store.hints().await? else {
                return std::future::pending().await;
            };
            loop {
                hints.next().await?;
                node.queued.notify_waiters();
            }
        };
        let broken: Result<(), StoreError> = tokio::select! {
            () = stop.cancelled() => return,
            broken = heard => broken,
        };
        if let Err(error) = broken {
            tracing::debug!(%error, "hints of other nodes are not heard for a moment");
        }
        tokio::select! {
            () = stop.cancelled() => {}
            () = tokio::time::sleep(ALIVE) => {}
        }
    }
}

/// Gives back what this node has in hand, since it stops, or since nobody knows how a claim or an outcome of it ended. With its next
/// word, if there is one, it begins anew.
pub async fn give_back(node: &Node) {
    if node.presence.shared
        && let Err(error) = node.store.leave().await
    {
        tracing::warn!(%error, "what this node had in hand could not be given back; the others find out");
    }
}

async fn take_over(node: &Node) {
    match node.store.bury_the_dead().await {
        Ok(dead) => {
            for (name, messages) in dead {
                tracing::warn!(
                    name,
                    messages,
                    "a node has gone without a word; what it had in hand is taken over"
                );
                node.queued.notify_waiters();
            }
        }
        Err(error) => tracing::error!(%error, "whether other nodes are alive cannot be asked"),
    }
}
