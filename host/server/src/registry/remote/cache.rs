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
const MOST: usize = 10_000;

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
                if inner.swept.elapsed() >= self.life || inner.entries.len() >= MOST {
                    self.sweep_out(&mut inner);
                }
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

    /// Answers about persons do not stay longer than they are used, also when nobody asks any more.
    pub(super) fn sweep(&self) {
        self.sweep_out(&mut self.inner());
    }

    fn sweep_out(&self, inner: &mut Inner<K, T>) {
        let kept = |entry: &Entry<T>, all: bool| match entry {
            Entry::Known { since, .. } => !all && since.elapsed() < self.life,
            Entry::Asking(_) => true,
        };
        inner.entries.retain(|_, entry| kept(entry, false));
        if inner.entries.len() >= MOST {
            inner.entries.retain(|_, entry| kept(entry, true));
        }
        inner.swept = Instant::now();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(cache: &Cache<usize, usize>, key: usize) {
        let outcome = Ok(Held { found: key, last: None });
        cache.ended(&key, &outcome);
    }

    fn kept(cache: &Cache<usize, usize>) -> usize {
        cache.inner().entries.len()
    }

    #[tokio::test]
    async fn what_is_too_old_goes_when_nobody_asks_any_more() {
        let cache = Cache::new(Duration::from_millis(50));
        asked(&cache, 1);
        cache.sweep();
        assert_eq!(kept(&cache), 1);
        tokio::time::sleep(Duration::from_millis(60)).await;
        cache.sweep();
        assert_eq!(kept(&cache), 0);
    }

    #[test]
    fn no_more_than_ten_thousand_are_kept() {
        let cache = Cache::new(Duration::from_hours(1));
        for key in 0..25_000 {
            asked(&cache, key);
            assert!(kept(&cache) <= 10_000);
        }
        assert!(cache.known(&24_999).is_some());
    }
}
