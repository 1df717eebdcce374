//! The last good answers, in the store: used while the address service cannot be asked.

use std::sync::Arc;
use std::time::Duration;

use budstikke_store::files::StoreKey;
use budstikke_store::{Store, Vault};
use jiff::Timestamp;

/// Answers in the store, sealed: they can say where a person lives.
pub struct LastAnswers {
    store: Arc<Store>,
    key: StoreKey,
    life: Duration,
    /// They are only looked at.
    looking: bool,
}

/// An answer of an earlier time.
pub(in crate::registry) struct Earlier {
    /// The verified text.
    pub(in crate::registry) text: Vec<u8>,
    /// When it was given, ms.
    pub(in crate::registry) at: i64,
}

impl LastAnswers {
    /// Used until they are `life` old.
    pub fn new(store: Arc<Store>, vault: &Vault, life: Duration) -> Self {
        Self {
            looking: false,
            ..Self::looked_at(store, vault.store_key().clone(), life)
        }
    }

    /// Those that others keep: they are used, and never changed.
    pub fn looked_at(store: Arc<Store>, key: StoreKey, life: Duration) -> Self {
        Self {
            store,
            key,
            life,
            looking: true,
        }
    }

    fn oldest(&self) -> i64 {
        let life = i64::try_from(self.life.as_millis()).unwrap_or(i64::MAX);
        Timestamp::now().as_millisecond().saturating_sub(life)
    }

    /// Keeps a verified text. A store that is away does not stand in the way of an answer.
    pub(in crate::registry) async fn keep(&self, receiver: &str, question: &str, text: &[u8]) {
        if self.looking {
            return;
        }
        let now = Timestamp::now().as_millisecond();
        let sealed = match self.key.seal(&context(receiver, question), text) {
            Ok(sealed) => sealed,
            Err(error) => return tracing::warn!(%error, "an answer of the registry cannot be sealed; it is not kept"),
        };
        if let Err(error) = self.store.keep_answer(receiver, question, sealed, now).await {
            tracing::warn!(%error, "an answer of the registry cannot be kept");
        }
    }

    /// The last answer, unless it is too old.
    pub(in crate::registry) async fn find(&self, receiver: &str, question: &str) -> Option<Earlier> {
        let found = self.store.last_answer(receiver, question, self.oldest()).await;
        let found = found
            .inspect_err(|error| tracing::warn!(%error, "the last answer of the registry cannot be read"))
            .ok()??;
        let text = self.key.unseal(&context(receiver, question), &found.sealed);
        let text = text
            .inspect_err(|error| tracing::warn!(%error, "the last answer of the registry is damaged"))
            .ok()?;
        Some(Earlier {
            text: text.to_vec(),
            at: found.at,
        })
    }

    /// The address service says now that there is nothing.
    pub(in crate::registry) async fn forget(&self, receiver: &str, question: &str) {
        if !self.looking
            && let Err(error) = self.store.forget_answer(receiver, question).await
        {
            tracing::warn!(%error, "an answer that the registry took back cannot be forgotten");
        }
    }

    /// Forgets what is too old.
    pub(in crate::registry) async fn tidy(&self) {
        if self.looking {
            return;
        }
        let before = self.oldest();
        loop {
            match self.store.forget_old_answers(before).await {
                Ok(true) => {}
                Ok(false) => return,
                Err(error) => return tracing::warn!(%error, "old answers of the registry cannot be forgotten"),
            }
        }
    }
}

/// An answer cannot be read as one about somebody else.
fn context(receiver: &str, question: &str) -> String {
    format!("registry answer {receiver} {question}")
}
