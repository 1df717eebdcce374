//! What was asked a short time ago. Many who ask the same at the same time cause one request. Spec: service registry, 8.5 and 9.3.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures::FutureExt as _;
use futures::future::{self, BoxFuture, Shared};
use tokio::time::Instant;

use crate::registry::RegistryError;

/// Most answers that are kept: then all of them go.
const MOST: usize = 100_000;

/// What a question leads to.
pub(super) type Outcome<T> = Result<Held<T>, RegistryError>;

/// An answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Held<T> {
    /// What it says.
    pub(super) found: T,
    /// When it was given, ms, when it could not be asked for now. Such an answer is not kept.
    pub(super) last: Option<i64>,
}

enum Entry<T> {
    Known { since: Instant, found: T },
    Asking(Shared<BoxFuture<'static, Outcome<T>>>),
}

/// Answers by question.
pub(super) struct Cache<K, T> {
    life: Duration,
    inner: Mutex<Inner<K, T>>,
}

struct Inner<K, T> {
    entries: HashMap<K, Entry<T>>,
    swept: Instant,
}

impl<K, T> Cache<K, T>
where
    K: Hash + Eq + Clone + Send + Sync + 'static,
    T: Clone + Send + Sync + 'static,
{
    /// Answers are used for so long.
    pub(super) fn new(life: Duration) -> Self {
        Self {
            life,
            inner: Mutex::new(Inner {
                entries: HashMap::new(),
                swept: Instant::now(),
            }),
        }
    }

    fn inner(&self) -> MutexGuard<'_, Inner<K, T>> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The answer that is kept.
    pub(super) fn known(&self, key: &K) -> Option<T> {
        match self.inner().entries.get(key) {
            Some(Entry::Known { since, found }) if since.elapsed() < self.life => Some(found.clone()),
            _ => None,
        }
    }

    /// What one question that is under way leads to, or a new one. `ask` runs to its end also when nobody waits any more.
    pub(super) fn joined(
        &self,
        key: &K,
        ask: impl FnOnce() -> BoxFuture<'static, Outcome<T>>,
    ) -> Shared<BoxFuture<'static, Outcome<T>>> {
        let mut inner = self.inner();
        match inner.entries.get(key) {
            Some(Entry::Asking(asking)) if asking.peek().is_none() => return asking.clone(),
            // It came since the caller looked.
            Some(Entry::Known { since, found }) if since.elapsed() < self.life => {
                let (found, last) = (found.clone(), None);
                return future::ready(Ok(Held { found, last })).boxed().shared();
            }
            _ => {}
        }
        let asking = tokio::spawn(ask())
            .map(|ended| {
                ended
                    .unwrap_or_else(|error| Err(RegistryError::Unreachable(format!("the question broke off: {error}"))))
            })
            .boxed()
            .shared();
        inner.entries.insert(key.clone(), Entry::Asking(asking.clone()));
        asking
    }

    /// The question is not under way any more. A failure is not kept.
    pub(super) fn ended(&self, key: &K, outcome: &Outcome<T>) {
        let mut inner = self.inner();
        match outcome {
            Ok(held) if held.last.is_none() && !self.life.is_zero() => {
                self.sweep(&mut inner);
                let known = Entry::Known {
                    since: Instant::now(),
                    found: held.found.clone(),
                };
                inner.entries.insert(key.clone(), known);
            }
            _ => {
                inner.entries.remove(key);
            }
        }
    }

    /// Answers about persons do not stay longer than they are used.
    fn sweep(&self, inner: &mut Inner<K, T>) {
        if inner.swept.elapsed() < self.life && inner.entries.len() < MOST {
            return;
        }
        let full = inner.entries.len() >= MOST;
        inner.entries.retain(|_, entry| match entry {
            Entry::Known { since, .. } => !full && since.elapsed() < self.life,
            Entry::Asking(_) => true,
        });
        inner.swept = Instant::now();
    }
}
