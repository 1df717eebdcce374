//! Signed answers and the keys that they are verified with. Spec: service registry, 3.6 and 8.3.
//!
//! Keys are kept by their `kid`, and asked for again when an answer names another one or they have been kept for an hour. Only RS256
//! is believed. Spec: service registry, 10 (14).

use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use aws_lc_rs::signature::{RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use reqwest::Url;
use serde::Deserialize;
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
    /// When they were had.
    had: Option<Instant>,
    /// When they were asked for last.
    asked: Option<Instant>,
    /// Why there was no answer then.
    failed: Option<RegistryError>,
    all: Vec<Key>,
}

#[derive(Clone)]
struct Key {
    kid: Option<String>,
    modulus: Vec<u8>,
    exponent: Vec<u8>,
}

#[derive(Deserialize)]
struct Header {
    alg: String,
    kid: Option<String>,
    /// Extensions that must be understood: none are.
    crit: Option<serde::de::IgnoredAny>,
}

#[derive(Deserialize)]
struct KeySet {
    keys: Vec<serde_json::Value>,
}

#[derive(Deserialize)]
struct Jwk {
    kty: String,
    n: String,
    e: String,
    kid: Option<String>,
    r#use: Option<String>,
    alg: Option<String>,
}

impl Keys {
    fn of(&self, kid: Option<&str>) -> Option<&Key> {
        match kid {
            Some(kid) => self.all.iter().find(|key| key.kid.as_deref() == Some(kid)),
            // Without a name there is no choice to be made.
            None => self.all.first().filter(|_| self.all.len() == 1),
        }
    }

    fn are_fresh(&self) -> bool {
        self.had.is_some_and(|had| had.elapsed() < LIFE)
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
        let parts = Parts::cut(jws)?;
        let kid = parts.header.kid.as_deref();
        let known = self.keys.load_full();
        let keys = if known.are_fresh() && known.of(kid).is_some() {
            known
        } else {
            self.asked_again(&known, kid).await?
        };
        let key = keys
            .of(kid)
            .ok_or_else(|| bad("it names a key that the registry does not publish"))?;
        parts.verify(key)
    }

    /// Asks for the keys, unless somebody just did.
    async fn asked_again(&self, known: &Arc<Keys>, kid: Option<&str>) -> Result<Arc<Keys>, RegistryError> {
        let _turn = self.asking.lock().await;
        let now = self.keys.load_full();
        let just_asked = now.asked.is_some_and(|asked| asked.elapsed() < PAUSE);
        let changed = !Arc::ptr_eq(&now, known) && now.of(kid).is_some();
        let keys = if just_asked || changed {
            now
        } else {
            let keys = Arc::new(self.next(&now).await);
            self.keys.store(Arc::clone(&keys));
            keys
        };
        match &keys.failed {
            None => Ok(keys),
            Some(error) if keys.of(kid).is_some() => {
                tracing::warn!(%error, "the keys of the registry cannot be had; those that are known are used");
                Ok(keys)
            }
            Some(error) => Err(error.clone()),
        }
    }

    /// The keys of now; those that are known where they cannot be had.
    async fn next(&self, known: &Keys) -> Keys {
        let asked = Some(Instant::now());
        match self.ask().await {
            Ok(all) => Keys {
                had: Some(Instant::now()),
                asked,
                failed: None,
                all,
            },
            Err(error) => Keys {
                had: known.had,
                asked,
                failed: Some(error),
                all: known.all.clone(),
            },
        }
    }

    async fn ask(&self) -> Result<Vec<Key>, RegistryError> {
        let response = self.client.get(self.url.clone()).send().await;
        let response = response.map_err(|error| request::unreachable("its keys", error))?;
        let status = response.status();
        let body = request::body(response, KEY_SET).await?;
        if !status.is_success() {
            // Without keys nothing that it says can be believed, and nothing is known about any receiver.
            let text = format!("its keys: it answered {}", status.as_u16());
            return Err(RegistryError::Unreachable(text));
        }
        let set: KeySet = serde_json::from_slice(&body)
            .map_err(|_| RegistryError::Unusable("what it publishes as keys is no JWK set".into()))?;
        Ok(set.keys.into_iter().filter_map(key).collect())
    }
}

/// A key that answers can be verified with; others may stand beside it.
fn key(jwk: serde_json::Value) -> Option<Key> {
    let jwk: Jwk = serde_json::from_value(jwk).ok()?;
    let signs = jwk.r#use.is_none_or(|purpose| purpose == "sig") && jwk.alg.is_none_or(|alg| alg == "RS256");
    let number = |text: &str| URL_SAFE_NO_PAD.decode(text.trim_end_matches('=')).ok();
    (jwk.kty == "RSA" && signs).then_some(())?;
    Some(Key {
        kid: jwk.kid,
        modulus: number(&jwk.n)?,
        exponent: number(&jwk.e)?,
    })
}

/// A compact JWS, cut up.
struct Parts<'a> {
    header: Header,
    /// Header and payload, as they are signed.
    signed: &'a str,
    payload: &'a str,
    signature: Vec<u8>,
}

impl<'a> Parts<'a> {
    fn cut(jws: &'a [u8]) -> Result<Self, RegistryError> {
        let unsigned = || bad("it is not signed");
        let text = std::str::from_utf8(jws).map_err(|_| unsigned())?.trim();
        let (signed, signature) = text.rsplit_once('.').ok_or_else(unsigned)?;
        let (header, payload) = signed.split_once('.').ok_or_else(unsigned)?;
        let header = URL_SAFE_NO_PAD.decode(header).map_err(|_| unsigned())?;
        let header: Header = serde_json::from_slice(&header).map_err(|_| unsigned())?;
        if header.alg != "RS256" {
            return Err(bad("it is not signed with RS256"));
        }
        if header.crit.is_some() {
            return Err(bad("it must be read in a way that is not known here"));
        }
        Ok(Self {
            header,
            signed,
            payload,
            signature: URL_SAFE_NO_PAD.decode(signature).map_err(|_| unsigned())?,
        })
    }

    fn verify(&self, key: &Key) -> Result<Vec<u8>, RegistryError> {
        let public = RsaPublicKeyComponents {
            n: key.modulus.as_slice(),
            e: key.exponent.as_slice(),
        };
        public
            .verify(&RSA_PKCS1_2048_8192_SHA256, self.signed.as_bytes(), &self.signature)
            .map_err(|_| bad("the signature does not fit"))?;
        URL_SAFE_NO_PAD
            .decode(self.payload)
            .map_err(|_| bad("what is signed is not base64url"))
    }
}

fn bad(why: &str) -> RegistryError {
    RegistryError::BadSignature(why.to_owned())
}
