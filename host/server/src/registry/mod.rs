//! Who can receive what, over which service. Spec: messaging API, 4; service registry.

mod from_toml;
mod record;

use std::collections::BTreeMap;

use async_trait::async_trait;
use budstikke_message::body::PostalAddress;

pub use from_toml::TomlRegistry;
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
    /// DER; what messages are sealed to.
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

/// A digital mailbox.
#[derive(Clone)]
pub struct DigitalAddress {
    /// Organisation number of the mailbox supplier.
    pub supplier: String,
    /// The mailbox.
    pub address: String,
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum RegistryError {
    /// The registry knows no such receiver.
    #[error("the registry has no receiver {0}")]
    UnknownReceiver(String),
    /// Nothing for the process at this security level.
    #[error("the receiver {receiver} does not take the process {process}{}", level.map(|level| format!(" at security level {level}")).unwrap_or_default())]
    NotAccepted {
        /// Receiver.
        receiver: String,
        /// Process.
        process: String,
        /// Level, if one was asked for.
        level: Option<u8>,
    },
    /// No service takes messages without a receiver in the process.
    #[error("no service takes messages without a receiver in the process {0}")]
    NeedsReceiver(String),
    /// The registry could not be asked; says nothing about the receiver.
    #[error("the registry cannot be asked: {0}")]
    Unreachable(String),
}

/// Where capabilities come from.
#[async_trait]
pub trait Registry: Send + Sync {
    /// What a receiver takes, best first; for one process when given. Never an empty list.
    async fn capabilities(
        &self,
        receiver: &str,
        process: Option<&str>,
        security_level: Option<u8>,
    ) -> Result<Vec<Capability>, RegistryError>;

    /// Which services take messages that name no receiver, in a process, best first. Never an empty list.
    async fn without_receiver(&self, process: &str) -> Result<Vec<Capability>, RegistryError>;

    /// Everything about a receiver in the registry's own JSON.
    async fn record(&self, receiver: &str) -> Result<Record, RegistryError>;
}
