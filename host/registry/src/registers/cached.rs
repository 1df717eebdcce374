//! What every register has around it: answers are kept for a while, many who ask the same at the same time cause one question,
//! a question that failed is asked again, and a register that fails and fails is left in peace.
//!
//! Only answers are kept, never failures, so that an outage is not taken for absence (sharp edge 3). Everybody gets a
//! copy of what is kept and nobody can change it (sharp edge 4). Spec: service registry, 6.8.

use std::collections::BTreeSet;
use std::future::Future;
use std::hash::Hash;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use aws_lc_rs::digest;
use budstikke_message::identifier::{DocumentType, Nhn, OrganisationNumber, Person};
use budstikke_message::x509::Certificate;
use moka::future::Cache;

use super::breaker::Breaker;
use super::settings::Pace;
use super::virksert::Lists;
use super::{
    Account, Accounts, Asker, Contact, Contacts, HealthUnit, HealthUnits, Organisation, Organisations, Printer,
    ReceiverSystem, ReceiverSystems, RegisterError, Registered, Registrations, Resident, Residents,
};
use crate::caller::CallerToken;

/// A warning about old answers comes no more often than this.
const WARNED: Duration = Duration::from_mins(1);

/// A register and what is kept of its answers to one kind of question.
pub(super) struct Cached<R, K, V> {
    inner: R,
    answers: Answers<K, V>,
}

impl<R, K: Key, V: Value> Cached<R, K, V> {
    pub(super) fn new(register: &'static str, inner: R, pace: &Pace) -> Self {
        Self {
            inner,
            answers: Answers::new(register, pace),
        }
    }
}

/// What a question is known by.
pub(super) trait Key: Clone + Eq + Hash + Send + Sync + 'static {}
impl<K: Clone + Eq + Hash + Send + Sync + 'static> Key for K {}

/// An answer that can be kept.
pub(super) trait Value: Clone + Send + Sync + 'static {
    /// Whether it says that nothing is there.
    fn is_absence(&self) -> bool;
}

impl<T: Clone + Send + Sync + 'static> Value for Option<T> {
    fn is_absence(&self) -> bool {
        self.is_none()
    }
}

impl<T: Clone + Send + Sync + 'static> Value for Vec<T> {
    fn is_absence(&self) -> bool {
        self.is_empty()
    }
}

impl Value for Registered {
    fn is_absence(&self) -> bool {
        self.is_empty()
    }
}

impl Value for Printer {
    fn is_absence(&self) -> bool {
        false
    }
}

/// How long an answer is kept.
struct Lives {
    kept: Duration,
    absent_kept: Duration,
}

impl<K, V: Value> moka::Expiry<K, V> for Lives {
    fn expire_after_create(&self, _: &K, value: &V, _: Instant) -> Option<Duration> {
        Some(if value.is_absence() {
            self.absent_kept
        } else {
            self.kept
        })
    }
}

/// The answers of one register to one kind of question.
pub(super) struct Answers<K, V> {
    register: &'static str,
    kept: Cache<K, V>,
    /// Answers that something is there, for when the register is down.
    last_good: Option<Cache<K, V>>,
    warned: Mutex<Option<Instant>>,
    breaker: Breaker,
    /// Whether the last question was refused because it was ours.
    denied: AtomicBool,
    whole: Duration,
    retries: u32,
    retry_pause: Duration,
    peace: Duration,
}

impl<K: Key, V: Value> Answers<K, V> {
    pub(super) fn new(register: &'static str, pace: &Pace) -> Self {
        let lives = Lives {
            kept: pace.kept,
            absent_kept: pace.absent_kept,
        };
        let last_good = (!pace.last_good.is_zero()).then(|| {
            Cache::builder()
                .max_capacity(pace.kept_answers)
                .time_to_live(pace.last_good)
                .build()
        });
        Self {
            register,
            kept: Cache::builder()
                .max_capacity(pace.kept_answers)
                .expire_after(lives)
                .build(),
            last_good,
            warned: Mutex::new(None),
            breaker: Breaker::new(pace.failures, pace.answer, pace.peace),
            denied: AtomicBool::new(false),
            whole: pace.whole,
            retries: pace.retries,
            retry_pause: pace.retry_pause,
            peace: pace.peace,
        }
    }

    /// The kept answer, or else the one that `question` gets, or else, when the register cannot be asked, the last good one.
    pub(super) async fn ask<Q, F>(&self, key: K, question: Q) -> Result<V, RegisterError>
    where
        Q: Fn() -> F + Send + Sync,
        F: Future<Output = Result<V, RegisterError>> + Send,
    {
        let asked = self
            .kept
            .try_get_with(key.clone(), self.patiently(&key, question))
            .await;
        match asked {
            Ok(answer) => Ok(answer),
            Err(error) => match self.instead(&key, &error).await {
                Some(old) => Ok(old),
                None => Err((*error).clone()),
            },
        }
    }

    async fn patiently<Q, F>(&self, key: &K, question: Q) -> Result<V, RegisterError>
    where
        Q: Fn() -> F + Send + Sync,
        F: Future<Output = Result<V, RegisterError>> + Send,
    {
        let Some(leave) = self.breaker.pass(Instant::now()) else {
            return Err(self.in_peace());
        };
        let answer = tokio::time::timeout(self.whole, self.again_and_again(question)).await;
        let answer = answer.unwrap_or_else(|_| Err(self.unavailable(format!("no answer within {:?}", self.whole))));
        self.denied.store(is_denial_of_us(&answer), Ordering::Relaxed);
        match &answer {
            Err(RegisterError::Unavailable { .. }) => leave.failed(Instant::now()),
            // It would say the same to everybody, and accounts are locked for less.
            answer if is_denial_of_us(answer) => leave.failed(Instant::now()),
            Err(RegisterError::NotSetUp { .. }) => leave.unused(),
            // It may have said something odd, but it is there.
            _ => leave.answered(),
        }
        if let (Some(last_good), Ok(answer)) = (&self.last_good, &answer) {
            if answer.is_absence() {
                // What is gone must not come back when the register goes down.
                last_good.invalidate(key).await;
            } else {
                last_good.insert(key.clone(), answer.clone()).await;
            }
        }
        answer
    }

    /// Why it is left in peace: a refusal stays one, which no old answer stands in for.
    fn in_peace(&self) -> RegisterError {
        if self.denied.load(Ordering::Relaxed) {
            return RegisterError::Denied {
                register: self.register,
                asker: Asker::Us,
                detail: format!("it did so again and again and is left in peace for {:?}", self.peace),
            };
        }
        self.unavailable(format!(
            "it failed again and again and is left in peace for {:?}",
            self.peace
        ))
    }

    async fn again_and_again<Q, F>(&self, question: Q) -> Result<V, RegisterError>
    where
        Q: Fn() -> F + Send + Sync,
        F: Future<Output = Result<V, RegisterError>> + Send,
    {
        let mut left = self.retries;
        loop {
            match question().await {
                Err(RegisterError::Unavailable { .. }) if left > 0 => left -= 1,
                answer => return answer,
            }
            tokio::time::sleep(self.retry_pause).await;
        }
    }

    async fn instead(&self, key: &K, error: &RegisterError) -> Option<V> {
        if !matches!(error, RegisterError::Unavailable { .. }) {
            return None;
        }
        let old = self.last_good.as_ref()?.get(key).await?;
        if self.may_warn() {
            tracing::warn!(register = self.register, %error, "the last good answers are used instead");
        }
        Some(old)
    }

    fn may_warn(&self) -> bool {
        let mut warned = self.warned.lock().unwrap_or_else(PoisonError::into_inner);
        let may = warned.is_none_or(|at| at.elapsed() >= WARNED);
        if may {
            *warned = Some(Instant::now());
        }
        may
    }

    fn unavailable(&self, detail: String) -> RegisterError {
        RegisterError::Unavailable {
            register: self.register,
            detail,
        }
    }
}

fn is_denial_of_us<V>(answer: &Result<V, RegisterError>) -> bool {
    let ours = |error: &RegisterError| matches!(error, RegisterError::Denied { asker: Asker::Us, .. });
    answer.as_ref().err().is_some_and(ours)
}

/// What stands for a token in a key: two clients do not see each other's answers, and no token lies about.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(super) struct TokenDigest([u8; digest::SHA256_OUTPUT_LEN]);

impl TokenDigest {
    fn of(token: &CallerToken) -> Self {
        let mut bytes = [0; digest::SHA256_OUTPUT_LEN];
        bytes.copy_from_slice(digest::digest(&digest::SHA256, token.secret().as_bytes()).as_ref());
        Self(bytes)
    }
}

#[async_trait]
impl<R: Organisations> Organisations for Cached<R, OrganisationNumber, Option<Organisation>> {
    async fn organisation(&self, number: &OrganisationNumber) -> Result<Option<Organisation>, RegisterError> {
        self.answers
            .ask(number.clone(), || self.inner.organisation(number))
            .await
    }
}

#[async_trait]
impl<R: Registrations> Registrations for Cached<R, (OrganisationNumber, BTreeSet<DocumentType>), Registered> {
    async fn by_document_type(
        &self,
        number: &OrganisationNumber,
        document_types: &[DocumentType],
    ) -> Result<Registered, RegisterError> {
        let key = (number.clone(), document_types.iter().cloned().collect());
        self.answers
            .ask(key, || self.inner.by_document_type(number, document_types))
            .await
    }
}

#[async_trait]
impl<R: Lists> Lists for Cached<R, (OrganisationNumber, String), Vec<Certificate>> {
    async fn listed(&self, number: &OrganisationNumber, r#use: &str) -> Result<Vec<Certificate>, RegisterError> {
        let key = (number.clone(), r#use.to_owned());
        self.answers.ask(key, || self.inner.listed(number, r#use)).await
    }
}

#[async_trait]
impl<R: ReceiverSystems> ReceiverSystems for Cached<R, OrganisationNumber, Vec<ReceiverSystem>> {
    async fn receiver_systems(&self, number: &OrganisationNumber) -> Result<Vec<ReceiverSystem>, RegisterError> {
        self.answers
            .ask(number.clone(), || self.inner.receiver_systems(number))
            .await
    }
}

#[async_trait]
impl<R: Residents> Residents for Cached<R, Person, Option<Resident>> {
    async fn resident(&self, person: &Person) -> Result<Option<Resident>, RegisterError> {
        self.answers.ask(person.clone(), || self.inner.resident(person)).await
    }
}

#[async_trait]
impl<R: HealthUnits> HealthUnits for Cached<R, (Nhn, TokenDigest), Option<HealthUnit>> {
    async fn unit(&self, identifier: &Nhn, token: &CallerToken) -> Result<Option<HealthUnit>, RegisterError> {
        let key = (identifier.clone(), TokenDigest::of(token));
        self.answers.ask(key, || self.inner.unit(identifier, token)).await
    }
}

#[async_trait]
impl<R: Accounts> Accounts for Cached<R, String, Option<Account>> {
    async fn account(&self, id: &str) -> Result<Option<Account>, RegisterError> {
        self.answers.ask(id.to_owned(), || self.inner.account(id)).await
    }
}

/// KRR is asked two kinds of questions, at two places.
pub(super) struct CachedContacts<R> {
    inner: R,
    persons: Answers<(Person, TokenDigest), Option<Contact>>,
    printer: Answers<(), Printer>,
}

impl<R> CachedContacts<R> {
    pub(super) fn new(register: &'static str, inner: R, persons: &Pace, printer: &Pace) -> Self {
        Self {
            inner,
            persons: Answers::new(register, persons),
            printer: Answers::new(register, printer),
        }
    }
}

#[async_trait]
impl<R: Contacts> Contacts for CachedContacts<R> {
    async fn contact(&self, person: &Person, token: &CallerToken) -> Result<Option<Contact>, RegisterError> {
        let key = (person.clone(), TokenDigest::of(token));
        self.persons.ask(key, || self.inner.contact(person, token)).await
    }

    async fn printer(&self) -> Result<Printer, RegisterError> {
        self.printer.ask((), || self.inner.printer()).await
    }
}

#[cfg(test)]
mod tests;
