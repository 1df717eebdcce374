//! An address service that is asked over HTTP: Digdir's, or another installation of ours. Spec: service registry, 8.
//!
//! [`place`] says where a question goes, [`request`] asks it, [`signature`] verifies the answer, [`reading`] makes capabilities of it.
//! [`cache`] keeps it for minutes, [`last_answers`] for days. The service is asked when somebody wants to know, never at the start.

mod cache;
mod last_answers;
mod place;
mod primary;
mod reading;
mod request;
mod signature;
#[cfg(test)]
pub(crate) mod tests;

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::Context as _;
use async_trait::async_trait;
use futures::FutureExt as _;
use reqwest::Url;
use serde_json::{Value, json};
use tokio::time::Instant;

use crate::abilities::tokens::Tokens;
use crate::config;
use crate::registry::{Answer, Question, Record, Registry, RegistryError, Source};
use cache::{Cache, Held, Outcome};
pub use last_answers::LastAnswers;
use place::Resource;
pub(super) use primary::Primary;
pub(super) use reading::{Found, read};
pub(crate) use request::without_person_numbers;
use request::{Asker, TokenSource};
use signature::Signatures;

/// After a question that led nowhere, the last answer is used at once for so long: a service that hangs costs one time-out, not one
/// for each message.
const PAUSE: Duration = Duration::from_secs(5);
/// Between two lines of the log that say the same.
const TELL: Duration = Duration::from_mins(1);

/// An address service.
pub struct RemoteRegistry(Arc<Inner>);

struct Inner {
    base: String,
    print: bool,
    asker: Asker,
    primary: Primary,
    cache: Cache<Key, Arc<Found>>,
    last_answers: Option<LastAnswers>,
    state: Mutex<State>,
    counts: Counts,
}

/// What makes a question another one. Spec: service registry, 8.5.
#[derive(Clone, PartialEq, Eq, Hash)]
struct Key {
    resource: Resource,
    receiver: String,
    process: Option<String>,
    level: Option<u8>,
}

impl Key {
    fn question(&self) -> Question<'_> {
        Question {
            receiver: &self.receiver,
            process: self.process.as_deref(),
            security_level: self.level,
            conversation_id: None,
        }
    }
}

#[derive(Default)]
struct State {
    /// Since when it cannot be asked.
    silent: Option<jiff::Timestamp>,
    /// The last question that led nowhere.
    failed: Option<Instant>,
    /// When the log was told.
    told: Option<Instant>,
}

#[derive(Default)]
struct Counts {
    requests: AtomicU64,
    from_cache: AtomicU64,
    last_answers: AtomicU64,
    failures: AtomicU64,
}

fn count(counter: &AtomicU64) {
    counter.fetch_add(1, Ordering::Relaxed);
}

impl RemoteRegistry {
    /// The service at `url`, by the rest of the settings. Asks nobody yet. `last_answers`: where good answers are kept for the time
    /// when it cannot be asked.
    pub fn new(
        url: &str,
        settings: &config::Registry,
        tokens: &Arc<Tokens>,
        last_answers: Option<LastAnswers>,
    ) -> anyhow::Result<Self> {
        let base = format!("{}/", url.trim_end_matches('/'));
        let client = reqwest::Client::builder()
            .connect_timeout(settings.connect_time)
            .timeout(settings.read_time)
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .build()
            .context("the HTTP client for the registry")?;
        let keys = settings.jwk_url.clone().unwrap_or_else(|| format!("{base}jwk"));
        let signatures = if settings.verify {
            let keys = Url::parse(&keys).context("[registry] jwk-url")?;
            Some(Signatures::new(keys, client.clone()))
        } else {
            None
        };
        Url::parse(&base).context("[registry] url")?;
        let token = settings.token_profile.as_ref().map(|profile| TokenSource {
            tokens: Arc::clone(tokens),
            profile: profile.clone(),
            scopes: settings.scopes.clone(),
        });
        Ok(Self(Arc::new(Inner {
            base,
            print: settings.print,
            asker: Asker {
                client,
                token,
                beta: settings.beta,
                signatures,
            },
            primary: Primary::new().context("the table of primary records")?,
            cache: Cache::new(Duration::from_secs(settings.cache_seconds.into())),
            last_answers,
            state: Mutex::default(),
            counts: Counts::default(),
        })))
    }

    /// Who a receiver is: `infoRecord` as it came. Spec: service registry, 3.4.
    pub async fn info(&self, receiver: &str) -> Result<Value, RegistryError> {
        let held = self.found(Resource::Info, Question::about(receiver)).await?;
        Ok(held.found.info.clone())
    }

    async fn found(&self, resource: Resource, question: Question<'_>) -> Outcome<Arc<Found>> {
        let key = Key {
            resource,
            receiver: question.receiver.to_owned(),
            process: question.process.map(str::to_owned),
            level: question.security_level.filter(|_| resource == Resource::Records),
        };
        let inner = &self.0;
        if let Some(found) = inner.cache.known(&key) {
            count(&inner.counts.from_cache);
            return Ok(Held { found, last: None });
        }
        let url = place::relative(resource, question, inner.print).ok_or(RegistryError::UnknownReceiver(None))?;
        let asking = inner.cache.joined(&key, || {
            let (inner, key) = (Arc::clone(inner), key.clone());
            async move {
                let outcome = inner.outcome(&key, &url).await;
                inner.cache.ended(&key, &outcome);
                outcome
            }
            .boxed()
        });
        asking.await
    }
}

impl Inner {
    /// Asks, or uses the last answer where nobody can be asked.
    async fn outcome(&self, key: &Key, url: &str) -> Outcome<Arc<Found>> {
        let paused = self.state().failed.is_some_and(|failed| failed.elapsed() < PAUSE);
        if paused && let Some(held) = self.earlier(key).await {
            return Ok(held);
        }
        count(&self.counts.requests);
        let question = self.kept_as(key);
        let error = match self.asked(url).await {
            Ok((text, found)) => {
                self.answered();
                if let Some(last) = &self.last_answers {
                    last.keep(&key.receiver, &question, &text).await;
                }
                let found = Arc::new(found);
                return Ok(Held { found, last: None });
            }
            Err(error) => error,
        };
        count(&self.counts.failures);
        match &error {
            RegistryError::UnknownReceiver(_) => {
                self.answered();
                if let Some(last) = &self.last_answers {
                    last.forget(&key.receiver, &question).await;
                }
            }
            RegistryError::Unreachable(why) => {
                self.silent(why);
                if let Some(held) = self.earlier(key).await {
                    return Ok(held);
                }
            }
            _ => {}
        }
        Err(error)
    }

    async fn asked(&self, url: &str) -> Result<(Vec<u8>, Found), RegistryError> {
        let url = Url::parse(&format!("{}{url}", self.base)).map_err(|_| RegistryError::UnknownReceiver(None))?;
        let text = self.asker.ask(&url).await?;
        let found = read(&text)?;
        Ok((text, found))
    }

    /// The last good answer.
    async fn earlier(&self, key: &Key) -> Option<Held<Arc<Found>>> {
        let last = self.last_answers.as_ref()?;
        let earlier = last.find(&key.receiver, &self.kept_as(key)).await?;
        let found = Arc::new(read(&earlier.text).ok()?);
        count(&self.counts.last_answers);
        Some(Held {
            found,
            last: Some(earlier.at),
        })
    }

    /// What was asked, without the receiver: an answer of another service, or to another question, is not used.
    fn kept_as(&self, key: &Key) -> String {
        let url = place::relative(
            key.resource,
            Question {
                receiver: "-",
                ..key.question()
            },
            self.print,
        );
        format!("{}{} beta={}", self.base, url.unwrap_or_default(), self.asker.beta)
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn answered(&self) {
        let mut state = self.state();
        if let Some(since) = state.silent.take() {
            tracing::info!(%since, "the registry can be asked again");
        }
        state.failed = None;
        state.told = None;
    }

    fn silent(&self, why: &str) {
        let mut state = self.state();
        state.failed = Some(Instant::now());
        state.silent.get_or_insert_with(jiff::Timestamp::now);
        if state.told.is_none_or(|told| told.elapsed() >= TELL) {
            state.told = Some(Instant::now());
            let used = self.counts.last_answers.load(Ordering::Relaxed);
            tracing::warn!(
                why,
                last_answers_used = used,
                "the registry cannot be asked; its last good answers are used where there are any"
            );
        }
    }
}

#[async_trait]
impl Registry for RemoteRegistry {
    async fn capabilities(&self, question: Question<'_>) -> Result<Answer, RegistryError> {
        let held = self.found(Resource::Records, question).await?;
        let capabilities = held.found.capabilities.clone();
        if let Some(process) = question.process.filter(|_| capabilities.is_empty()) {
            return Err(RegistryError::NotAccepted {
                process: process.to_owned(),
                level: question.security_level,
            });
        }
        Ok(Answer {
            capabilities,
            source: held.last.map_or(Source::AddressService, Source::LastAnswer),
        })
    }

    async fn without_receiver(&self, process: &str) -> Result<Answer, RegistryError> {
        Err(RegistryError::NeedsReceiver(process.to_owned()))
    }

    async fn record(&self, receiver: &str) -> Result<Record, RegistryError> {
        let held = self.found(Resource::Records, Question::about(receiver)).await?;
        self.0.primary.record(&held.found)
    }

    fn report(&self) -> Option<Value> {
        let counts = &self.0.counts;
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        Some(json!({
            "silentSince": self.0.state().silent.map(|since| since.to_string()),
            "requests": read(&counts.requests),
            "failures": read(&counts.failures),
            "fromCache": read(&counts.from_cache),
            "lastAnswersUsed": read(&counts.last_answers),
        }))
    }

    async fn tidy(&self) {
        if let Some(last) = &self.0.last_answers {
            last.tidy().await;
        }
    }
}
