//! The keys that answers are verified with. Spec: service registry, 3.6 and 8.3.
//!
//! Keys are kept by their `kid`, and asked for again when an answer names another one or they have been kept for an hour.
//! Spec: service registry, 10 (14).

use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use budstikke_message::jws::{Compact, JwsError, KeySet};
use reqwest::Url;
use tokio::sync::Mutex;
use tokio::time::Instant;

use super::request;
use crate::registry::RegistryError;

/// How long keys are used before they are asked for again.
const LIFE: Duration = Duration::from_hours(1);
/// Between two questions for keys: an answer with a made-up `kid` must not cause one each time.
const PAUSE: Duration = Duration::from_secs(2);
/// Largest key set that is read, bytes.
const KEY_SET: usize = 256 * 1024;

/// Verifies answers.
pub(super) struct Signatures {
    url: Url,
    client: reqwest::Client,
    keys: ArcSwap<Keys>,
    asking: Mutex<()>,
}

#[derive(Default)]
struct Keys {
    /// When they were asked for: they can have changed from then on.
    of: Option<Instant>,
    /// When the last question for keys was over, answered or not.
    over: Option<Instant>,
    /// Why there was no answer then.
    failed: Option<RegistryError>,
    all: KeySet,
}

impl Keys {
    fn are_fresh(&self) -> bool {
        self.of.is_some_and(|of| of.elapsed() < LIFE)
    }

    fn were_just_asked_for(&self) -> bool {
        self.over.is_some_and(|over| over.elapsed() < PAUSE)
    }

    fn has(&self, kid: Option<&str>) -> bool {
        self.all.get(kid).is_some()
    }
}

impl Signatures {
    /// `url`: where the keys are.
    pub(super) fn new(url: Url, client: reqwest::Client) -> Self {
        Self {
            url,
            client,
            keys: ArcSwap::default(),
            asking: Mutex::default(),
        }
    }

    /// The payload of a compact JWS whose signature holds.
    pub(super) async fn verified(&self, jws: &[u8]) -> Result<Vec<u8>, RegistryError> {
        let jws = Compact::cut(jws).map_err(bad)?;
        let kid = jws.key_id();
        let known = self.keys.load_full();
        let keys = if known.are_fresh() && known.has(kid) {
            known
        } else {
            self.asked_again(&known, kid).await?
        };
        let key = keys.all.get(kid);
        let key = key.ok_or_else(|| RegistryError::BadSignature(UNKNOWN_KEY.to_owned()))?;
        jws.verified(key).map_err(bad)
    }

    /// Asks for the keys, unless somebody just did.
    async fn asked_again(&self, known: &Arc<Keys>, kid: Option<&str>) -> Result<Arc<Keys>, RegistryError> {
        let _turn = self.asking.lock().await;
        let now = self.keys.load_full();
        let changed = !Arc::ptr_eq(&now, known) && now.has(kid);
        let keys = if now.were_just_asked_for() || changed {
            now
        } else {
            let keys = Arc::new(self.next(&now).await);
            self.keys.store(Arc::clone(&keys));
            keys
        };
        match &keys.failed {
            None => Ok(keys),
            Some(error) if keys.has(kid) => {
                tracing::warn!(%error, "the keys of the registry cannot be had; those that are known are used");
                Ok(keys)
            }
            Some(error) => Err(error.clone()),
        }
    }

    /// The keys of now; those that are known where they cannot be had.
    async fn next(&self, known: &Keys) -> Keys {
        let begun = Instant::now();
        let asked = self.ask().await;
        let over = Some(Instant::now());
        match asked {
            Ok(all) => Keys {
                of: Some(begun),
                over,
                failed: None,
                all,
            },
            Err(error) => Keys {
                of: known.of,
                over,
                failed: Some(error),
                all: known.all.clone(),
            },
        }
    }

    async fn ask(&self) -> Result<KeySet, RegistryError> {
        let response = self.client.get(self.url.clone()).send().await;
        let response = response.map_err(|error| request::unreachable("its keys", error))?;
        let status = response.status();
        let body = request::body(response, KEY_SET).await?;
        if !status.is_success() {
            // Without keys nothing that it says can be believed, and nothing is known about any receiver.
            let text = format!("its keys: it answered {}", status.as_u16());
            return Err(RegistryError::Unreachable(text));
        }
        KeySet::read(&body).map_err(|error| RegistryError::Unusable(format!("what it publishes as keys {error}")))
    }
}

const UNKNOWN_KEY: &str = "it names a key that the registry does not publish";

fn bad(error: JwsError) -> RegistryError {
    RegistryError::BadSignature(error.to_string())
}
