//! An address service in this process: the same rules, data and registers as behind `budstikke registry`, without HTTP in between.
//!
//! [`caller`] says as whom it is asked, [`refusal`] what its errors mean here, [`fallback`] what it said when its registers could be
//! asked.

mod caller;
mod fallback;
mod refusal;
#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use anyhow::Context as _;
use async_trait::async_trait;
use budstikke_message::identifier::{Identifier, ProcessId};
use budstikke_registry::caller::Caller;
use budstikke_registry::lookup::{self, Directory, LookupError, Query};
use budstikke_registry::registers;
use budstikke_registry::rules::Trail;
use budstikke_registry::store::OwnData;
use serde_json::{Value, json};
use tokio_util::sync::DropGuard;
use zeroize::Zeroizing;

use super::remote::{Found, Primary, read};
use super::{Answer, Question, Record, Registry, RegistryError, Source, count};
use crate::config;

pub use caller::{Asker, ShownToken};
pub use fallback::Fallback;

/// An address service, and as whom it is asked.
pub struct EmbeddedRegistry {
    directory: Arc<Directory>,
    own: Arc<OwnData>,
    asker: Asker,
    print: bool,
    beta: bool,
    primary: Primary,
    fallback: Option<Fallback>,
    /// Handed out for message queues.
    queue_key: Option<Zeroizing<String>>,
    counts: Counts,
    /// Ends what keeps own data fresh.
    _following: DropGuard,
}

#[derive(Default)]
struct Counts {
    fresh: AtomicU64,
    failures: AtomicU64,
    last_answers: AtomicU64,
}

/// A question that the address service understands.
struct Asked {
    query: Query,
    process: Option<ProcessId>,
    who: bool,
}

/// What it found, now or earlier.
struct Held {
    found: Found,
    source: Source,
}

impl EmbeddedRegistry {
    /// `following` keeps `directory` in step with `own`, and ends with the value. `fallback`: where good answers are kept for the time
    /// when registers cannot be asked.
    pub fn new(
        directory: Arc<Directory>,
        own: Arc<OwnData>,
        asker: Asker,
        settings: &config::Registry,
        fallback: Option<Fallback>,
        following: DropGuard,
    ) -> anyhow::Result<Self> {
        Ok(Self {
            directory,
            own,
            asker,
            print: settings.print,
            beta: settings.beta,
            primary: Primary::new().context("the table of primary records")?,
            fallback,
            queue_key: None,
            counts: Counts::default(),
            _following: following,
        })
    }

    /// With a key that is handed out for message queues.
    #[must_use]
    pub fn handing_out(mut self, key: Option<Zeroizing<String>>) -> Self {
        self.queue_key = key;
        self
    }

    /// What cannot be an identifier names nobody, and what cannot be a process is taken by nobody.
    fn asked(&self, question: Question<'_>) -> Result<Asked, RegistryError> {
        let receiver = Identifier::parse_any(question.receiver);
        let receiver = receiver.map_err(|_| RegistryError::UnknownReceiver(None))?;
        let process = question.process.map(|process| {
            let parsed = process.parse::<ProcessId>();
            parsed.map_err(|_| not_accepted(process, question.security_level))
        });
        Ok(Asked {
            query: Query {
                level: question.security_level,
                print: self.print,
                beta: self.beta,
                ..Query::about(receiver)
            },
            process: process.transpose()?,
            who: question.who,
        })
    }

    async fn found(&self, question: Question<'_>) -> Result<Held, RegistryError> {
        let asked = self.asked(question)?;
        let error = match self.looked_up(&asked).await {
            Ok(answer) => {
                count(&self.counts.fresh);
                let whole = !answer.left_out.iter().any(|left_out| left_out.error.is_temporary());
                let text = serde_json::to_vec(&answer.into_lookup()).map_err(|error| unwritten(&error))?;
                if let Some(fallback) = self.fallback.as_ref().filter(|_| whole) {
                    fallback.keep(question.receiver, &self.kept_as(&asked), &text).await;
                }
                return Ok(Held {
                    found: read(&text)?,
                    source: Source::AddressService,
                });
            }
            Err(error) => error,
        };
        count(if error.is_fault() {
            &self.counts.failures
        } else {
            &self.counts.fresh
        });
        if let Some(fallback) = &self.fallback {
            let kept_as = self.kept_as(&asked);
            match &error {
                RegistryError::UnknownReceiver(_) | RegistryError::NotAccepted { .. } => {
                    fallback.forget(question.receiver, &kept_as).await;
                }
                RegistryError::Unreachable(why) => {
                    if let Some((found, at)) = fallback.find(question.receiver, &kept_as, why).await {
                        count(&self.counts.last_answers);
                        let source = Source::LastAnswer(at);
                        return Ok(Held { found, source });
                    }
                }
                _ => {}
            }
        }
        Err(error)
    }

    async fn looked_up(&self, asked: &Asked) -> Result<lookup::Answer, RegistryError> {
        let caller = self.asker.caller(&asked.query.receiver).await?;
        let mut answer = self.answer(asked, &caller).await;
        if let Err(LookupError::RegisterDenied {
            asker: registers::Asker::Caller,
            ..
        }) = &answer
            && self.asker.refused(&caller).await
        {
            // The token can have been called back before its time.
            let caller = self.asker.caller(&asked.query.receiver).await?;
            answer = self.answer(asked, &caller).await;
        }
        answer.map_err(|error| refusal::of(&error, asked.query.level))
    }

    async fn answer(&self, asked: &Asked, caller: &Caller) -> Result<lookup::Answer, LookupError> {
        match &asked.process {
            _ if asked.who => Ok(lookup::Answer {
                info: self.directory.info(&asked.query, &caller.token).await?,
                records: Vec::new(),
                left_out: Vec::new(),
            }),
            Some(process) => self.directory.process(&asked.query, process, caller).await,
            None => self.directory.identifier(&asked.query, caller).await,
        }
    }

    /// What was asked, without the receiver.
    fn kept_as(&self, asked: &Asked) -> String {
        if asked.who {
            return "embedded who".to_owned();
        }
        let process = asked.process.as_ref().map_or("", |process| process.as_str());
        let level = asked.query.level.map(|level| level.to_string()).unwrap_or_default();
        format!(
            "embedded {process} level={level} print={} beta={}",
            self.print, self.beta
        )
    }
}

fn not_accepted(process: &str, level: Option<u8>) -> RegistryError {
    RegistryError::NotAccepted {
        process: process.to_owned(),
        level,
    }
}

fn unwritten(error: &serde_json::Error) -> RegistryError {
    RegistryError::Unusable(format!("it cannot be written: {error}"))
}

#[async_trait]
impl Registry for EmbeddedRegistry {
    async fn capabilities(&self, question: Question<'_>) -> Result<Answer, RegistryError> {
        let held = self.found(question).await?;
        let capabilities = held.found.capabilities;
        match question.process.filter(|_| capabilities.is_empty()) {
            Some(process) => Err(not_accepted(process, question.security_level)),
            None => Ok(Answer {
                capabilities,
                source: held.source,
            }),
        }
    }

    async fn without_receiver(&self, process: &str) -> Result<Answer, RegistryError> {
        Err(RegistryError::NeedsReceiver(process.to_owned()))
    }

    async fn record(&self, receiver: &str) -> Result<Record, RegistryError> {
        self.primary.record(&self.found(Question::about(receiver)).await?.found)
    }

    async fn info(&self, receiver: &str) -> Result<Value, RegistryError> {
        Ok(self.found(Question::who(receiver)).await?.found.info().clone())
    }

    async fn steps(&self, question: Question<'_>) -> Option<Vec<String>> {
        let Asked { query, process, .. } = self.asked(question).ok()?;
        let caller = self.asker.caller(&query.receiver).await.ok()?;
        let explained = self.directory.explain(&query, process.as_ref(), &caller).await.ok()?;
        Some(explained.processes.iter().flat_map(Trail::words).collect())
    }

    async fn queue_key(&self) -> Result<Option<String>, RegistryError> {
        Ok(self.queue_key.as_ref().map(|key| key.as_str().to_owned()))
    }

    fn report(&self) -> Option<Value> {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        Some(json!({
            "embedded": true,
            "ownDataReachable": self.own.is_reachable(),
            "fresh": read(&self.counts.fresh),
            "failures": read(&self.counts.failures),
            "lastAnswersUsed": read(&self.counts.last_answers),
        }))
    }

    async fn tidy(&self) {
        if let Some(fallback) = &self.fallback {
            fallback.tidy().await;
        }
    }
}
