//! Who can receive what, over which service. Spec: messaging API, 4; service registry.

mod from_toml;

use std::collections::BTreeMap;

use async_trait::async_trait;

pub use from_toml::TomlRegistry;

/// What a receiver takes in one process over one service.
#[derive(Debug, Clone)]
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
}
