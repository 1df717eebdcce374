//! The key that the address service hands out for its message queues. Spec: service registry, 3.7 and 8.5.
//!
//! It is kept for a day, and in the store for the time when the service cannot be asked; one from the store is used until the service can
//! be asked again, and not for a day. Spec: service registry, 10 (17).

use std::time::Duration;

use reqwest::Url;
use tokio::sync::Mutex;
use tokio::time::Instant;
use zeroize::Zeroizing;

use super::last_answers::LastAnswers;
use super::request::{Asker, Form};
use crate::registry::RegistryError;

/// How long a key is used before it is asked for again.
const LIFE: Duration = Duration::from_hours(24);
/// The same for one from the store.
const PAUSE: Duration = Duration::from_secs(30);
/// Whose last answer it is: nobody's, and no identifier.
const NOBODY: &str = "-";

/// The key, and where it comes from.
pub(super) struct QueueKey {
    url: String,
    held: Mutex<Option<Held>>,
}

struct Held {
    key: Zeroizing<String>,
    until: Instant,
}

impl QueueKey {
    /// The key of the service whose base URL ends in a slash.
    pub(super) fn of(base: &str) -> Self {
        Self {
            url: format!("{base}sastoken"),
            held: Mutex::default(),
        }
    }

    /// The key; none when the service says that it hands out none. Those who want it at the same time cause one request.
    pub(super) async fn get(&self, asker: &Asker, last: Option<&LastAnswers>) -> Result<Option<String>, RegistryError> {
        let mut held = self.held.lock().await;
        if let Some(held) = held.as_ref().filter(|held| Instant::now() < held.until) {
            return Ok(Some(held.key.as_str().to_owned()));
        }
        let (key, life) = match self.ask(asker).await {
            Ok(key) => {
                if let Some(last) = last {
                    last.keep(NOBODY, &self.url, key.as_bytes()).await;
                }
                (key, LIFE)
            }
            Err(RegistryError::UnknownReceiver(_)) => {
                *held = None;
                if let Some(last) = last {
                    last.forget(NOBODY, &self.url).await;
                }
                return Ok(None);
            }
            Err(error) => {
                let earlier = match last {
                    Some(last) => last.find(NOBODY, &self.url).await,
                    None => None,
                };
                let earlier = earlier.and_then(|earlier| String::from_utf8(earlier.text).ok());
                let Some(key) = earlier else { return Err(error) };
                tracing::warn!(%error, "the registry's key for message queues cannot be had; the last one is used");
                (Zeroizing::new(key), PAUSE)
            }
        };
        let told = key.as_str().to_owned();
        let until = Instant::now() + life;
        *held = Some(Held { key, until });
        Ok(Some(told))
    }

    /// A service does not take it any more.
    pub(super) async fn was_refused(&self, key: &str) {
        let mut held = self.held.lock().await;
        if held.as_ref().is_some_and(|held| held.key.as_str() == key) {
            *held = None;
        }
    }

    async fn ask(&self, asker: &Asker) -> Result<Zeroizing<String>, RegistryError> {
        let url = Url::parse(&self.url)
            .map_err(|_| RegistryError::Unreachable("the URL of the question cannot be written".into()))?;
        let text = asker.ask(&url, Form::Jose).await?;
        let key = String::from_utf8(text).map_err(|_| RegistryError::Unusable("its key is no text".into()))?;
        if key.trim().is_empty() {
            return Err(RegistryError::Unusable("its key is empty".into()));
        }
        Ok(Zeroizing::new(key))
    }
}
