//! One organisation as its fagsystem finds it: some of its nodes are up.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use crate::fagsystem::Fagsystem;

/// How long a fagsystem waits for an answer: a node can be frozen.
const PATIENCE: Duration = Duration::from_secs(15);

/// See the module.
pub struct Side {
    /// Organisation number.
    pub number: &'static str,
    nodes: Mutex<Vec<Option<Fagsystem>>>,
    turn: AtomicUsize,
}

impl Side {
    /// None of its nodes is up.
    pub fn new(number: &'static str, nodes: usize) -> Self {
        Self {
            number,
            nodes: Mutex::new(vec![None; nodes]),
            turn: AtomicUsize::new(0),
        }
    }

    /// A node is up, or down.
    pub fn put(&self, node: usize, client: Option<Fagsystem>) {
        let mut nodes = self.nodes.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(place) = nodes.get_mut(node) {
            *place = client.map(|client| client.impatient(PATIENCE));
        }
    }

    /// One that is up, as a load balancer chooses: each in turn.
    pub(super) fn one(&self) -> Option<Fagsystem> {
        let nodes = self.nodes.lock().unwrap_or_else(PoisonError::into_inner);
        let up: Vec<&Fagsystem> = nodes.iter().flatten().collect();
        let turn = self.turn.fetch_add(1, Ordering::Relaxed);
        up.get(turn.checked_rem(up.len())?).map(|client| (*client).clone())
    }

    /// The same, and waits for it.
    pub(super) async fn any(&self) -> Fagsystem {
        loop {
            if let Some(client) = self.one() {
                return client;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}
