//! An issuer of tokens, and how its keys are had.
//!
//! Keys are asked for when the first token comes, when a token names a key that is not known, and now and then. The last good keys
//! stay in use while the issuer is down. Unknown key ids cost it at most one question per [`PAUSE`], however many there are.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use arc_swap::ArcSwapOption;
use serde::Deserialize;
use tokio::sync::Mutex;

use super::keys::Keys;
use crate::config;

/// Between two questions.
const PAUSE: Duration = Duration::from_secs(10);
/// Age from which keys are asked for again.
const AGE: Duration = Duration::from_hours(1);
/// To connect, TLS included.
const CONNECT: Duration = Duration::from_secs(5);
/// For one whole answer.
const ANSWER: Duration = Duration::from_secs(10);
/// Largest answer, bytes.
const LARGEST: usize = 256 << 10;
/// Where an issuer says where its keys are. Spec: RFC 8414, 3; OpenID Connect Discovery 1.0, 4.
const DISCOVERY: [&str; 2] = [
    ".well-known/oauth-authorization-server",
    ".well-known/openid-configuration",
];

/// An issuer that cannot be taken into service.
#[derive(Debug, thiserror::Error)]
pub enum IssuerError {
    /// The HTTP client could not be made.
    #[error("the HTTP client for issuers: {0}")]
    Client(String),
    /// The file with its keys.
    #[error("{file}: {why}", file = .0.display(), why = .1)]
    File(PathBuf, String),
}

/// What kept a signature from being looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unknown {
    /// The issuer has no key with this id.
    Key,
    /// It could not be asked.
    Issuer,
}

enum Source {
    File,
    Address(String),
    Discovery,
}

struct Held {
    keys: Keys,
    since: Instant,
}

/// When it was asked last, and whether it answered.
struct Asked {
    at: Instant,
    well: bool,
}

struct Inner {
    url: String,
    source: Source,
    client: reqwest::Client,
    held: ArcSwapOption<Held>,
    asked: Mutex<Option<Asked>>,
}

/// See the module.
pub(super) struct Issuer {
    audience: Option<String>,
    inner: Arc<Inner>,
}

#[derive(Deserialize)]
struct Discovered {
    issuer: Option<String>,
    jwks_uri: String,
}

impl Issuer {
    pub(super) fn new(settings: &config::Issuer) -> Result<Self, IssuerError> {
        let client = reqwest::Client::builder()
            .connect_timeout(CONNECT)
            .timeout(ANSWER)
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .build()
            .map_err(|error| IssuerError::Client(error.to_string()))?;
        let held = ArcSwapOption::empty();
        let source = match (&settings.jwks_file, &settings.jwks_uri) {
            (Some(file), _) => {
                let json = std::fs::read(file).map_err(|error| IssuerError::File(file.clone(), error.to_string()))?;
                let keys = Keys::read(&json).map_err(|why| IssuerError::File(file.clone(), why))?;
                held.store(Some(Arc::new(Held {
                    keys,
                    since: Instant::now(),
                })));
                Source::File
            }
            (None, Some(address)) => Source::Address(address.clone()),
            (None, None) => Source::Discovery,
        };
        Ok(Self {
            audience: settings.audience.clone(),
            inner: Arc::new(Inner {
                url: settings.url.clone(),
                source,
                client,
                held,
                asked: Mutex::new(None),
            }),
        })
    }

    /// `iss` of its tokens.
    pub(super) fn name(&self) -> &str {
        &self.inner.url
    }

    /// `aud` that its tokens must have.
    pub(super) fn audience(&self) -> Option<&str> {
        self.audience.as_deref()
    }

    /// Whether a signature is one of its keys'.
    pub(super) async fn verifies(&self, key: Option<&str>, signed: &[u8], signature: &[u8]) -> Result<bool, Unknown> {
        let known = self.inner.held.load_full();
        if let Some(held) = known.as_ref()
            && let Some(key) = held.keys.get(key)
        {
            if held.since.elapsed() > AGE {
                self.renew_apart();
            }
            return Ok(key.verifies(signed, signature));
        }
        let well = self.inner.renewed(known.as_ref()).await;
        let held = self.inner.held.load_full();
        match held.as_ref().and_then(|held| held.keys.get(key)) {
            Some(key) => Ok(key.verifies(signed, signature)),
            None if well => Err(Unknown::Key),
            None => Err(Unknown::Issuer),
        }
    }

    /// Old keys are good enough until there are new ones.
    fn renew_apart(&self) {
        let inner = Arc::clone(&self.inner);
        tokio::spawn(async move {
            let known = inner.held.load_full();
            inner.renewed(known.as_ref()).await
        });
    }
}

impl Inner {
    /// Asks for the keys, unless somebody just did. Returns whether the last question was answered. `known`: the keys that were not
    /// enough.
    async fn renewed(&self, known: Option<&Arc<Held>>) -> bool {
        if matches!(self.source, Source::File) {
            return true;
        }
        let mut asked = self.asked.lock().await;
        let current = self.held.load_full();
        let changed = match (&current, known) {
            (Some(current), Some(known)) => !Arc::ptr_eq(current, known),
            (current, known) => current.is_some() != known.is_some(),
        };
        if changed {
            return true;
        }
        if let Some(asked) = asked.as_ref().filter(|asked| asked.at.elapsed() < PAUSE) {
            return asked.well;
        }
        let fetched = self.fetch().await;
        let well = fetched.is_ok();
        match fetched {
            Ok(keys) => self.held.store(Some(Arc::new(Held {
                keys,
                since: Instant::now(),
            }))),
            Err(error) => {
                tracing::warn!(
                    issuer = self.url,
                    error,
                    kept = current.is_some(),
                    "the keys of an issuer cannot be had"
                );
            }
        }
        *asked = Some(Asked {
            at: Instant::now(),
            well,
        });
        well
    }

    async fn fetch(&self) -> Result<Keys, String> {
        let address = match &self.source {
            Source::Address(address) => address.clone(),
            Source::File | Source::Discovery => self.discover().await?,
        };
        Keys::read(&self.get(&address).await?).map_err(|why| format!("{address}: {why}"))
    }

    async fn discover(&self) -> Result<String, String> {
        let base = self.url.trim_end_matches('/');
        let mut reasons = Vec::new();
        for document in DISCOVERY {
            let address = format!("{base}/{document}");
            let found = match self.get(&address).await {
                Ok(json) => {
                    serde_json::from_slice::<Discovered>(&json).map_err(|_| format!("{address}: has no jwks_uri"))
                }
                Err(reason) => Err(reason),
            };
            match found {
                // Spec: RFC 8414, 3.3.
                Ok(found) if found.issuer.as_ref().is_some_and(|issuer| *issuer != self.url) => {
                    reasons.push(format!("{address}: is about another issuer"));
                }
                Ok(found) => return Ok(found.jwks_uri),
                Err(reason) => reasons.push(reason),
            }
        }
        Err(reasons.join("; "))
    }

    async fn get(&self, address: &str) -> Result<Vec<u8>, String> {
        let failed = |error: reqwest::Error| format!("{address}: {}", error.without_url());
        let mut response = self.client.get(address).send().await.map_err(failed)?;
        if !response.status().is_success() {
            return Err(format!("{address}: answered {}", response.status().as_u16()));
        }
        let mut body = Vec::new();
        while let Some(piece) = response.chunk().await.map_err(failed)? {
            body.extend_from_slice(&piece);
            if body.len() > LARGEST {
                return Err(format!("{address}: answered more than {LARGEST} bytes"));
            }
        }
        Ok(body)
    }
}
