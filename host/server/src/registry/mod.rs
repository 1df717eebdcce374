//! Who can receive what, over which service. Spec: messaging API, 4; service registry, 8.
//!
//! [`TomlRegistry`] is the operator's own list, [`remote`] asks an address service, [`embedded`] is one, [`OwnListFirst`] has the list
//! and an address service.

pub mod embedded;
mod from_toml;
mod own_list_first;
mod record;
pub mod remote;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};

use async_trait::async_trait;
use budstikke_message::body::PostalAddress;
use budstikke_message::identifier::OrganisationNumber;
use budstikke_message::x509::Certificate;
use serde_json::Value;

pub use from_toml::TomlRegistry;
pub use own_list_first::OwnListFirst;
pub use record::{Record, WrittenAddress};

/// What a receiver takes in one process over one service.
#[derive(Debug, Clone, Default)]
pub struct Capability {
    /// Process.
    pub process: String,
    /// Service.
    pub service: String,
    /// The SBD's `standard`, any of these.
    pub document_types: Vec<String>,
    /// DER; what messages are sealed to. Bytes that are no certificate when the registry's text was none: nothing is sealed to it.
    pub certificate: Option<Vec<u8>>,
    /// What else the service must know, by name.
    pub address: BTreeMap<String, String>,
    /// Where post to the receiver goes.
    pub addresses: Addresses,
}

/// Addresses of a receiver of post. Without its content in `Debug`: it says where a person lives.
#[derive(Clone, Default)]
pub struct Addresses {
    /// Where the receiver lives.
    pub post: Option<PostalAddress>,
    /// Where post goes back to.
    pub back: Option<PostalAddress>,
    /// The digital mailbox.
    pub digital: Option<DigitalAddress>,
}

impl Addresses {
    /// No address at all.
    pub fn is_empty(&self) -> bool {
        self.post.is_none() && self.back.is_none() && self.digital.is_none()
    }
}

impl std::fmt::Debug for Addresses {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Addresses").finish_non_exhaustive()
    }
}

/// A digital mailbox, or the supplier that prints.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct DigitalAddress {
    /// Organisation number of the supplier.
    pub supplier: Option<String>,
    /// The mailbox.
    pub address: Option<String>,
}

/// What is asked about a receiver. Without the receiver in `Debug`: it can be a person.
#[derive(Clone, Copy)]
pub struct Question<'a> {
    /// Bare organisation number, person number, or another bare identifier.
    pub receiver: &'a str,
    /// In this process only; none: in all.
    pub process: Option<&'a str>,
    /// `sikkerhetsnivaa` of the message, if it has one.
    pub security_level: Option<u8>,
    /// For the log of the address service; changes no answer.
    pub conversation_id: Option<&'a str>,
    /// Only who it is, and not what it takes.
    pub who: bool,
}

impl<'a> Question<'a> {
    /// Everything about a receiver.
    pub fn about(receiver: &'a str) -> Self {
        Self {
            receiver,
            process: None,
            security_level: None,
            conversation_id: None,
            who: false,
        }
    }

    /// Who a receiver is.
    pub fn who(receiver: &'a str) -> Self {
        Self {
            who: true,
            ..Self::about(receiver)
        }
    }

    /// What it takes in one process.
    #[must_use]
    pub fn in_process(self, process: &'a str) -> Self {
        Self {
            process: Some(process),
            ..self
        }
    }
}

impl std::fmt::Debug for Question<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Question")
            .field("process", &self.process)
            .field("security_level", &self.security_level)
            .field("who", &self.who)
            .finish_non_exhaustive()
    }
}

/// One more, for operators.
fn count(counter: &AtomicU64) {
    counter.fetch_add(1, Ordering::Relaxed);
}

/// What a receiver takes, and how that is known.
#[derive(Debug, Clone)]
pub struct Answer {
    /// Best first.
    pub capabilities: Vec<Capability>,
    /// Who says so.
    pub source: Source,
}

/// How an answer is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// The operator's list says so.
    OwnList,
    /// The operator's list of messages that name no receiver says so.
    WithoutReceiver,
    /// The address service says so.
    AddressService,
    /// It could not be asked; this is what it said at that time, ms.
    LastAnswer(i64),
}

/// Why there is no answer. Texts never hold a person number.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RegistryError {
    /// The registry knows no such receiver, or nothing for it in the process that was asked for.
    #[error("the registry does not know the receiver{}", said(.0.as_deref()))]
    UnknownReceiver(Option<String>),
    /// Nothing for the process at this security level.
    #[error("the receiver does not take the process {process}{}", level.map(|level| format!(" at security level {level}")).unwrap_or_default())]
    NotAccepted {
        /// Process.
        process: String,
        /// Level, if one was asked for.
        level: Option<u8>,
    },
    /// No service takes messages without a receiver in the process.
    #[error("no service takes messages without a receiver in the process {0}")]
    NeedsReceiver(String),
    /// The address service did not accept the question (400), or does not let us ask (401, 403, …).
    #[error("the registry refused the question with {status}{}", said(.description.as_deref()))]
    Refused {
        /// HTTP status, 4xx.
        status: u16,
        /// What it said.
        description: Option<String>,
    },
    /// The signature of the answer does not hold.
    #[error("the answer of the registry is not what the registry signed: {0}")]
    BadSignature(String),
    /// The answer cannot be read.
    #[error("the answer of the registry cannot be used: {0}")]
    Unusable(String),
    /// It answered, and said nothing about the receiver.
    #[error("the registry did not say what the receiver takes: {0}")]
    Untold(String),
    /// The registry could not be asked; says nothing about the receiver.
    #[error("the registry cannot be asked: {0}")]
    Unreachable(String),
}

fn said(text: Option<&str>) -> String {
    text.map(|text| format!(": {text}")).unwrap_or_default()
}

impl RegistryError {
    /// The same for an answer to this question: a refusal (400) can be the registry's word that nothing is there at the security level
    /// that was asked for. Spec: service registry, 3.9.
    pub fn is_fault_about(&self, question: Question<'_>) -> bool {
        let of_level = matches!(self, Self::Refused { status: 400, .. })
            && question.process.is_some()
            && question.security_level.is_some();
        self.is_fault() && !of_level
    }

    /// True when this says nothing about the receiver: the same question can have another answer when the fault is mended.
    /// Spec: service registry, 10 (19).
    pub fn is_fault(&self) -> bool {
        match self {
            Self::Untold(_)
            | Self::Unreachable(_)
            | Self::BadSignature(_)
            | Self::Unusable(_)
            | Self::Refused { .. } => true,
            Self::UnknownReceiver(_) | Self::NotAccepted { .. } | Self::NeedsReceiver(_) => false,
        }
    }
}

/// What others find as the certificate of an organisation, and seal to. Spec: service registry, 3.5.
#[derive(Clone, PartialEq, Eq)]
pub enum Published {
    /// There is nobody who could say.
    Untold,
    /// None.
    Nothing,
    /// This one.
    Certificate(Box<Certificate>),
}

/// Where capabilities come from.
#[async_trait]
pub trait Registry: Send + Sync {
    /// What a receiver takes, best first. Never an empty list in one process; in all processes a receiver can be known and take
    /// nothing.
    async fn capabilities(&self, question: Question<'_>) -> Result<Answer, RegistryError>;

    /// Which services take messages that name no receiver, in a process, best first. Never an empty list.
    async fn without_receiver(&self, process: &str) -> Result<Answer, RegistryError>;

    /// Everything about a receiver in the registry's own JSON.
    async fn record(&self, receiver: &str) -> Result<Record, RegistryError>;

    /// Who somebody is, in the registry's own JSON: its `infoRecord`. Spec: service registry, 3.4.
    async fn info(&self, receiver: &str) -> Result<Value, RegistryError>;

    /// Each step by which an address service came to its answer, in words that do not say who the receiver is; none when it does
    /// not tell.
    async fn steps(&self, _question: Question<'_>) -> Option<Vec<String>> {
        None
    }

    /// The certificate that is published for an organisation.
    async fn published(&self, _organisation: &OrganisationNumber) -> Result<Published, RegistryError> {
        Ok(Published::Untold)
    }

    /// The key that an address service hands out for its message queues. A secret. None: it hands out none.
    async fn queue_key(&self) -> Result<Option<String>, RegistryError> {
        Ok(None)
    }

    /// The service refused the key: it is asked for anew.
    async fn queue_key_was_refused(&self, _key: &str) {}

    /// How it goes with an address service, as JSON for operators; none when there is none.
    fn report(&self) -> Option<Value> {
        None
    }

    /// Forgets in the store what is too old to be used. One node does it for all.
    async fn tidy(&self) {}

    /// Forgets in memory what is too old to be used. Each node does it for itself.
    fn sweep(&self) {}
}
