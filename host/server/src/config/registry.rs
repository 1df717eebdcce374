//! `[registry]`: who can receive what.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use serde::Deserialize;

use budstikke_settings::quantity;

/// `[registry]`
#[derive(Debug, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Registry {
    /// Base URL of the address service; none: only the own list is asked.
    pub url: Option<String>,
    /// The TOML file of an address service that is part of this process, in place of one at a URL.
    pub embedded: Option<PathBuf>,
    /// `[tokens.<profile>]` that its tokens come from; none: it is asked without a token. An embedded one shows them to registers.
    pub token_profile: Option<String>,
    /// Scopes of these tokens.
    pub scopes: Vec<String>,
    /// Whether its answers must be signed.
    pub verify: bool,
    /// Where the keys of the signatures are; default: `jwk` below the base URL.
    pub jwk_url: Option<String>,
    /// Whether postal addresses of persons are asked for.
    pub print: bool,
    /// Whether its beta features are asked for.
    pub beta: bool,
    /// Seconds that an answer is used without asking again; 0: it is asked each time.
    pub cache_seconds: u32,
    /// Hours that the last good answer is used while the service cannot be asked; 0: never.
    pub stale_hours: u32,
    /// Time to connect, TLS included.
    #[serde(deserialize_with = "quantity::time")]
    pub connect_time: Duration,
    /// Time from the start of a request to its answer.
    #[serde(deserialize_with = "quantity::time")]
    pub read_time: Duration,
    /// `[[registry.receivers]]`
    pub receivers: Vec<Receiver>,
    /// `[[registry.without-receiver]]`
    pub without_receiver: Vec<WithoutReceiver>,
}

impl Default for Registry {
    fn default() -> Self {
        Self {
            url: None,
            embedded: None,
            token_profile: None,
            scopes: Vec::new(),
            verify: true,
            jwk_url: None,
            print: true,
            beta: false,
            cache_seconds: 300,
            stale_hours: 72,
            connect_time: Duration::from_secs(5),
            read_time: Duration::from_secs(30),
            receivers: Vec::new(),
            without_receiver: Vec::new(),
        }
    }
}

/// Somebody who can receive.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Receiver {
    /// Organisation or person number without prefix.
    pub identifier: String,
    /// Name of the organisation, for people.
    pub name: Option<String>,
    /// What it takes, in the order of preference.
    pub capabilities: Vec<Capability>,
}

/// What a receiver takes over one service.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Capability {
    /// Processes.
    pub processes: Vec<String>,
    /// Service.
    pub service: String,
    /// The SBD's `standard`, any of these.
    pub document_types: Vec<String>,
    /// PEM file: what messages are sealed to.
    pub certificate: Option<PathBuf>,
    /// Levels of `sikkerhetsnivaa` that it takes; empty: all.
    #[serde(default)]
    pub security_levels: Vec<u8>,
    /// What else the service must know, by name.
    #[serde(default)]
    pub address: BTreeMap<String, String>,
    /// Where the receiver lives.
    pub post_address: Option<PostalAddress>,
    /// Where post goes back to.
    pub return_address: Option<PostalAddress>,
    /// The receiver's digital mailbox.
    pub digital_post_address: Option<DigitalPostAddress>,
}

/// A postal address.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct PostalAddress {
    /// Who lives there.
    pub name: String,
    /// Lines, with `;` between them.
    pub street: String,
    /// Postnummer.
    #[serde(default)]
    pub postal_code: String,
    /// Poststed.
    #[serde(default)]
    pub postal_area: String,
    /// Country.
    #[serde(default)]
    pub country: String,
}

/// A digital mailbox.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct DigitalPostAddress {
    /// Organisation number of the mailbox supplier.
    pub supplier: String,
    /// The mailbox.
    pub address: String,
}

/// The service that takes messages without a receiver.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct WithoutReceiver {
    /// Processes.
    pub processes: Vec<String>,
    /// Service.
    pub service: String,
    /// The SBD's `standard`, any of these.
    pub document_types: Vec<String>,
    /// PEM file: what messages are sealed to.
    pub certificate: Option<PathBuf>,
    /// What else the service must know, by name.
    #[serde(default)]
    pub address: BTreeMap<String, String>,
}

// Where somebody lives stays out of logs.
impl std::fmt::Debug for PostalAddress {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("PostalAddress")
    }
}

impl std::fmt::Debug for DigitalPostAddress {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("DigitalPostAddress")
    }
}

impl Registry {
    /// Every file that is named, with the place of its entry: the list, the number in it, and the key.
    pub(super) fn files(&self) -> impl Iterator<Item = (&'static str, usize, &PathBuf)> {
        let receivers = self.receivers.iter().enumerate().flat_map(|(number, receiver)| {
            let certificates = receiver.capabilities.iter();
            certificates.filter_map(move |capability| Some(("receivers", number, capability.certificate.as_ref()?)))
        });
        let without = self.without_receiver.iter().enumerate();
        receivers
            .chain(without.filter_map(|(number, row)| Some(("without-receiver", number, row.certificate.as_ref()?))))
    }

    pub(super) fn files_mut(&mut self) -> impl Iterator<Item = &mut PathBuf> {
        let receivers = self.receivers.iter_mut();
        let capabilities = receivers.flat_map(|receiver| &mut receiver.capabilities);
        let without = self.without_receiver.iter_mut();
        capabilities
            .filter_map(|capability| capability.certificate.as_mut())
            .chain(without.filter_map(|row| row.certificate.as_mut()))
            .chain(self.embedded.as_mut())
    }
}
