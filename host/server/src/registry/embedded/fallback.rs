//! What was said when registers could be asked: kept in the store, and used while they cannot.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use crate::registry::remote::{Found, LastAnswers, read};

/// The same answer is not written again for so long: there is a look-up for each message.
const FRESH: Duration = Duration::from_hours(1);
/// Most answers of which it is known when they were written: then all of that is forgotten.
const MOST: usize = 100_000;
/// Between two lines of the log that say the same.
const TELL: Duration = Duration::from_mins(1);

/// Answers to fall back on.
pub struct Fallback {
    answers: LastAnswers,
    written: Mutex<HashMap<u64, Written>>,
    told: Mutex<Option<Instant>>,
}

/// An answer that is in the store.
struct Written {
    text: u64,
    since: Instant,
}

fn hash(parts: &[&[u8]]) -> u64 {
    let mut hasher = DefaultHasher::new();
    parts.hash(&mut hasher);
    hasher.finish()
}

impl Fallback {
    /// Answers that are kept here.
    pub fn new(answers: LastAnswers) -> Self {
        Self {
            answers,
            written: Mutex::default(),
            told: Mutex::default(),
        }
    }

    fn written(&self) -> MutexGuard<'_, HashMap<u64, Written>> {
        self.written.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Keeps a good answer, unless it is there already.
    pub(super) async fn keep(&self, receiver: &str, question: &str, text: &[u8]) {
        let (key, text_hash) = (hash(&[receiver.as_bytes(), question.as_bytes()]), hash(&[text]));
        {
            let mut written = self.written();
            let known = written.get(&key);
            if known.is_some_and(|known| known.text == text_hash && known.since.elapsed() < FRESH) {
                return;
            }
            if written.len() >= MOST {
                written.clear();
            }
            let since = Instant::now();
            written.insert(key, Written { text: text_hash, since });
        }
        self.answers.keep(receiver, question, text).await;
    }

    /// The address service says now that there is nothing.
    pub(super) async fn forget(&self, receiver: &str, question: &str) {
        self.written()
            .remove(&hash(&[receiver.as_bytes(), question.as_bytes()]));
        self.answers.forget(receiver, question).await;
    }

    /// The last good answer with its time, ms. `why` there is none now.
    pub(super) async fn find(&self, receiver: &str, question: &str, why: &str) -> Option<(Found, i64)> {
        let earlier = self.answers.find(receiver, question).await?;
        let found = read(&earlier.text).ok()?;
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        if told.is_none_or(|told| told.elapsed() >= TELL) {
            *told = Some(Instant::now());
            tracing::warn!(
                why,
                "the embedded address service cannot answer; its last good answers are used"
            );
        }
        Some((found, earlier.at))
    }

    pub(super) async fn tidy(&self) {
        self.answers.tidy().await;
    }
}
