//! An address service that is asked over HTTP: Digdir's, or another installation of ours. Spec: service registry, 8.
//!
//! [`place`] says where a question goes, [`request`] asks it, [`signature`] verifies the answer, [`reading`] makes capabilities of it.
//! [`cache`] keeps it for minutes, [`last_answers`] for days; [`silence`] says whether it is down. The service is asked when somebody
//! wants to know, never at the start.

mod cache;
mod last_answers;
mod place;
mod primary;
mod queue_key;
mod reading;
mod request;
mod signature;
mod silence;
#[cfg(test)]
pub(crate) mod tests;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use anyhow::Context as _;
use async_trait::async_trait;
use budstikke_message::identifier::{Identifier, OrganisationNumber};
use budstikke_message::x509::Certificate;
use futures::FutureExt as _;
use reqwest::Url;
use serde_json::{Value, json};

use crate::abilities::tokens::Tokens;
use crate::config;
use crate::registry::{Answer, Published, Question, Record, Registry, RegistryError, Source, count};
use cache::{Cache, Held, Outcome};
pub use last_answers::LastAnswers;
pub(super) use primary::Primary;
use queue_key::QueueKey;
pub(super) use reading::{Found, read};
use request::{Asker, Form, TokenSource};
use signature::Signatures;
use silence::Silence;

/// How long nobody is asked after a question that led nowhere, whose last answer is known.
const PAUSE: Duration = Duration::from_secs(5);

/// An address service.
pub struct RemoteRegistry(Arc<Inner>);

struct Inner {
    base: String,
    print: bool,
    asker: Asker,
    primary: Primary,
    queue_key: QueueKey,
    cache: Cache<Key, Arc<Found>>,
    last_answers: Option<LastAnswers>,
    silence: Silence,
    counts: Counts,
}

/// What makes a question another one. Spec: service registry, 8.5.
#[derive(Clone, PartialEq, Eq, Hash)]
struct Key {
    receiver: String,
    process: Option<String>,
    level: Option<u8>,
    who: bool,
}

impl Key {
    fn question(&self) -> Question<'_> {
        Question {
            receiver: &self.receiver,
            process: self.process.as_deref(),
            security_level: self.level,
            who: self.who,
            conversation_id: None,
        }
    }
}

#[derive(Default)]
struct Counts {
    requests: AtomicU64,
    fresh: AtomicU64,
    from_cache: AtomicU64,
    last_answers: AtomicU64,
    failures: AtomicU64,
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
            queue_key: QueueKey::of(&base),
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
            silence: Silence::new(PAUSE),
            counts: Counts::default(),
        })))
    }

    async fn found(&self, question: Question<'_>) -> Outcome<Arc<Found>> {
        let key = Key {
            receiver: question.receiver.to_owned(),
            process: question.process.map(str::to_owned),
            level: question.security_level,
            who: question.who,
        };
        let inner = &self.0;
        if let Some(found) = inner.cache.known(&key) {
            count(&inner.counts.from_cache);
            return Ok(Held { found, last: None });
        }
        let url = place::of_records(question, inner.print).ok_or(RegistryError::UnknownReceiver(None))?;
        let asking = inner.cache.joined(&key, || {
            let (inner, key) = (Arc::clone(inner), key.clone());
            async move {
                let outcome = inner.outcome(&key, &url).await;
                inner.cache.ended(&key, &outcome);
                outcome
            }
            .boxed()
        });
        asking.await.map_err(|error| of_receiver(question.receiver, error))
    }
}

/// What is no identifier is nobody's: a service that refuses to look for it is not at fault. Spec: service registry, 3.9.
fn of_receiver(receiver: &str, error: RegistryError) -> RegistryError {
    match error {
        RegistryError::Refused {
            status: 400,
            description,
        } if Identifier::parse_any(receiver).is_err() => RegistryError::UnknownReceiver(description),
        error => error,
    }
}

impl Inner {
    /// Asks, or uses the last answer where nobody can be asked.
    async fn outcome(&self, key: &Key, url: &str) -> Outcome<Arc<Found>> {
        let turn = self.silence.turn();
        if turn.is_none()
            && let Some(held) = self.earlier(key).await
        {
            return Ok(held);
        }
        count(&self.counts.requests);
        let question = self.kept_as(key);
        let error = match self.asked(key, url).await {
            Ok((text, found)) => {
                self.silence.ends();
                count(&self.counts.fresh);
                if let Some(last) = &self.last_answers {
                    last.keep(&key.receiver, &question, &text).await;
                }
                let found = Arc::new(found);
                return Ok(Held { found, last: None });
            }
            Err(error) => error,
        };
        if error.is_fault() {
            count(&self.counts.failures);
        }
        match &error {
            RegistryError::UnknownReceiver(_) => {
                self.silence.ends();
                count(&self.counts.fresh);
                if let Some(last) = &self.last_answers {
                    last.forget(&key.receiver, &question).await;
                }
            }
            RegistryError::Refused { .. } => self.silence.ends(),
            RegistryError::Untold(_) => {
                self.silence.ends();
                if let Some(held) = self.earlier(key).await {
                    return Ok(held);
                }
            }
            RegistryError::Unreachable(why) => {
                self.silence
                    .goes_on(why, self.counts.last_answers.load(Ordering::Relaxed));
                if let Some(held) = self.earlier(key).await {
                    return Ok(held);
                }
            }
            _ => {}
        }
        Err(error)
    }

    async fn asked(&self, key: &Key, url: &str) -> Result<(Vec<u8>, Found), RegistryError> {
        let url = Url::parse(&format!("{}{url}", self.base))
            .map_err(|_| RegistryError::Unreachable("the URL of the question cannot be written".into()))?;
        let form = if key.who { Form::Who } else { Form::Json };
        let text = self.asker.ask(&url, form).await?;
        let found = reading::read(&text)?;
        if found.is_about(&key.receiver) {
            Ok((text, found))
        } else {
            let why = "its answer is about another receiver";
            tracing::warn!(why, "an answer of the registry is not used");
            Err(RegistryError::Untold(why.into()))
        }
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
        let nobody = Question {
            receiver: "-",
            ..key.question()
        };
        let url = place::of_records(nobody, self.print).unwrap_or_default();
        format!("{}{url} beta={}", self.base, self.asker.beta)
    }
}

#[async_trait]
impl Registry for RemoteRegistry {
    async fn capabilities(&self, question: Question<'_>) -> Result<Answer, RegistryError> {
        let held = self.found(question).await?;
        let capabilities = held.found.capabilities.clone();
        if let Some(process) = question.process.filter(|_| capabilities.is_empty()) {
            if held.last.is_some() {
                // That nothing was there says nothing about now.
                let why = "it cannot be asked, and the receiver took nothing when it could be";
                return Err(RegistryError::Untold(why.into()));
            }
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
        let held = self.found(Question::about(receiver)).await?;
        self.0.primary.record(&held.found)
    }

    async fn info(&self, receiver: &str) -> Result<Value, RegistryError> {
        Ok(self.found(Question::who(receiver)).await?.found.info.clone())
    }

    async fn published(&self, organisation: &OrganisationNumber) -> Result<Published, RegistryError> {
        let inner = &self.0;
        let url = Url::parse(&format!("{}{}", inner.base, place::of_certificate(organisation)))
            .map_err(|_| RegistryError::Unreachable("the URL of the question cannot be written".into()))?;
        match inner.asker.ask(&url, Form::Text).await {
            Ok(pem) => Certificate::from_pem(&pem)
                .map(|certificate| Published::Certificate(Box::new(certificate)))
                .map_err(|error| RegistryError::Unusable(format!("it is no certificate: {error}"))),
            Err(RegistryError::UnknownReceiver(_)) => Ok(Published::Nothing),
            Err(error) => Err(error),
        }
    }

    async fn queue_key(&self) -> Result<Option<String>, RegistryError> {
        let inner = &self.0;
        inner.queue_key.get(&inner.asker, inner.last_answers.as_ref()).await
    }

    async fn queue_key_was_refused(&self, key: &str) {
        self.0.queue_key.was_refused(key).await;
    }

    fn report(&self) -> Option<Value> {
        let counts = &self.0.counts;
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        Some(json!({
            "silentSince": self.0.silence.since().map(|since| since.to_string()),
            "requests": read(&counts.requests),
            "fresh": read(&counts.fresh),
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

    fn sweep(&self) {
        self.0.cache.sweep();
    }
}
