//! An issuer of tokens, and how its keys are had.
//!
//! Keys are asked for when the first token comes, when a token names a key that is not known, and now and then. The last good keys
//! stay in use while the issuer is down. Unknown key ids cost it at most one question per [`PAUSE`], however many there are.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use arc_swap::ArcSwapOption;
use serde::Deserialize;
use tokio::sync::{Mutex, OwnedMutexGuard};

use super::keys::Keys;
use crate::config::{self, unfit_address};

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
    asked: Arc<Mutex<Option<Asked>>>,
}

/// See the module.
pub(super) struct Issuer {
    audience: Option<String>,
    inner: Arc<Inner>,
}

#[derive(Deserialize)]
struct Discovered {
    issuer: String,
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
                asked: Arc::default(),
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
        let well = self.renewed(known).await;
        let held = self.inner.held.load_full();
        match held.as_ref().and_then(|held| held.keys.get(key)) {
            Some(key) => Ok(key.verifies(signed, signature)),
            None if well => Err(Unknown::Key),
            None => Err(Unknown::Issuer),
        }
    }

    /// Whether the last question for keys was answered, after another one when it was time for it. To its end also when the caller
    /// goes away: others wait for the same answer.
    async fn renewed(&self, known: Option<Arc<Held>>) -> bool {
        let inner = Arc::clone(&self.inner);
        let asking = tokio::spawn(async move {
            let asked = Arc::clone(&inner.asked).lock_owned().await;
            inner.ask(asked, known.as_ref()).await
        });
        asking.await.unwrap_or(false)
    }

    /// Old keys are good enough until there are new ones. Nothing to do while somebody asks.
    fn renew_apart(&self) {
        let inner = Arc::clone(&self.inner);
        if let Ok(asked) = Arc::clone(&inner.asked).try_lock_owned() {
            tokio::spawn(async move {
                let known = inner.held.load_full();
                inner.ask(asked, known.as_ref()).await
            });
        }
    }
}

impl Inner {
    /// Asks for the keys, unless somebody just did. Returns whether the last question was answered. `known`: the keys that were not
    /// enough.
    async fn ask(&self, mut asked: OwnedMutexGuard<Option<Asked>>, known: Option<&Arc<Held>>) -> bool {
        if matches!(self.source, Source::File) {
            return true;
        }
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
        // Before the question: one that takes long does not put off the next, and keys are as old as the question for them.
        let at = Instant::now();
        let fetched = self.fetch().await;
        let well = fetched.is_ok();
        match fetched {
            Ok(keys) => self.held.store(Some(Arc::new(Held { keys, since: at }))),
            Err(error) => {
                tracing::warn!(
                    issuer = self.url,
                    error,
                    kept = current.is_some(),
                    "the keys of an issuer cannot be had"
                );
            }
        }
        *asked = Some(Asked { at, well });
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
                Ok(json) => self.discovered(&json).map_err(|reason| format!("{address}: {reason}")),
                Err(reason) => Err(reason),
            };
            match found {
                Ok(keys) => return Ok(keys),
                Err(reason) => reasons.push(reason),
            }
        }
        Err(reasons.join("; "))
    }

    /// Where a discovery document says that the keys are.
    fn discovered(&self, json: &[u8]) -> Result<String, &'static str> {
        let found: Discovered = serde_json::from_slice(json).map_err(|_| "has no issuer or no jwks_uri")?;
        // Spec: RFC 8414, 3.3.
        if found.issuer != self.url {
            return Err("is about another issuer");
        }
        match unfit_address(&found.jwks_uri) {
            Some(_) => Err("leads to keys that do not come by https"),
            None => Ok(found.jwks_uri),
        }
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

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use axum::routing::get;
    use axum::{Json, Router};
    use serde_json::{Value, json};

    use super::*;
    use crate::api::tests::keys;

    const SLOW: Duration = Duration::from_millis(400);

    /// An issuer whose discovery document is this one, with URL in the place of its address.
    /// And how often its slow keys were asked for.
    async fn with_document(document: Value) -> (Issuer, Arc<AtomicUsize>) {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let document: Value = serde_json::from_str(&document.to_string().replace("URL", &url)).unwrap();
        let set = json!({ "keys": [keys::jwk(&keys::issuing(), "first")] });
        let asked = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&asked);
        let slow = move || async move {
            counted.fetch_add(1, Ordering::SeqCst);
            tokio::time::sleep(SLOW).await;
            http::StatusCode::NOT_FOUND
        };
        let router = Router::new()
            .route(
                "/.well-known/openid-configuration",
                get(move || async { Json(document) }),
            )
            .route("/jwks", get(move || async { Json(set) }))
            .route("/slow", get(slow));
        tokio::spawn(async move { axum::serve(listener, router).await });
        let settings = config::Issuer {
            url,
            jwks_uri: None,
            jwks_file: None,
            audience: None,
        };
        (Issuer::new(&settings).unwrap(), asked)
    }

    #[tokio::test]
    async fn a_discovery_document_is_about_the_issuer_and_leads_to_keys_by_https() {
        for (document, wrong) in [
            (json!({ "issuer": "URL", "jwks_uri": "URL/jwks" }), None),
            (json!({ "jwks_uri": "URL/jwks" }), Some("has no issuer")),
            (json!({ "issuer": "URL" }), Some("has no issuer or no jwks_uri")),
            (
                json!({ "issuer": "URL/", "jwks_uri": "URL/jwks" }),
                Some("is about another issuer"),
            ),
            (
                json!({ "issuer": "URL", "jwks_uri": "http://issuer.example/jwks" }),
                Some("leads to keys that do not come by https"),
            ),
        ] {
            let (issuer, _) = with_document(document.clone()).await;
            let found = issuer.inner.fetch().await.err();
            assert_eq!(found.is_some(), wrong.is_some(), "{document}: {found:?}");
            let told = found.unwrap_or_default();
            assert!(told.contains(wrong.unwrap_or_default()), "{told}");
        }
    }

    #[tokio::test]
    async fn a_question_counts_from_its_beginning_and_goes_on_without_the_caller() {
        let (issuer, times) = with_document(json!({ "issuer": "URL", "jwks_uri": "URL/slow" })).await;
        let question = issuer.verifies(None, b"", b"");
        let begun = async {
            while times.load(Ordering::SeqCst) == 0 {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        tokio::select! {
            _ = question => panic!("the issuer is slow"),
            () = begun => {} // The caller goes away.
        }
        // Whoever comes next waits for the same answer, and asks no second time.
        assert_eq!(issuer.verifies(None, b"", b"").await, Err(Unknown::Issuer));
        assert_eq!(times.load(Ordering::SeqCst), 1);
        let asked = issuer.inner.asked.lock().await;
        let at = asked.as_ref().unwrap().at;
        assert!(at.elapsed() >= SLOW, "{:?}", at.elapsed());
    }

    #[tokio::test]
    async fn while_somebody_asks_nobody_waits_to_ask_again() {
        let (issuer, _) = with_document(json!({})).await;
        let asking = Arc::clone(&issuer.inner.asked).lock_owned().await;
        for _ in 0..100 {
            issuer.renew_apart();
        }
        assert_eq!(Arc::strong_count(&issuer.inner), 1, "no task holds it");
        drop(asking);
        issuer.renew_apart();
        assert_eq!(Arc::strong_count(&issuer.inner), 2);
    }
}
