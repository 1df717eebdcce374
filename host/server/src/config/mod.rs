//! The one TOML file. Every key is described in `examples/budstikke.toml`.
//!
//! Reading happens in three steps, each with errors that name file, line and key: TOML, shape (unknown keys are errors),
//! and sense (files that must exist, names that must fit together), see [`problem`].

mod address_service;
mod certificates;
mod content;
mod keystore;
mod problem;
mod registry;
pub mod retention;
mod routing;
mod server;
mod settings;
mod store;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use budstikke_runtime::{Grants, HostGrant, Limits};
use budstikke_settings::quantity;
pub use budstikke_settings::{Problem, Problems, Secret};
use serde::Deserialize;

use crate::delivery::retry;

pub use address_service::{
    AddressPostgres, AddressServer, AddressService, AddressStore, Management, OwnToken, RuleSettings, SasToken,
    ServiceSettings, Signing,
};
pub use certificates::{Certificates, Revocation};
pub use content::{FileUse, OwnProcess, OwnType, RowFault};
pub use keystore::open_keystore;
pub use registry::{Capability, DigitalPostAddress, PostalAddress, Receiver, Registry, WithoutReceiver};
pub use retention::{Remove, Retention, Way};
pub use routing::RoutingRule;
pub use server::{ManagePart, Role, Server, ServerLimits, Tls, User};
pub use settings::resolved;
pub use store::{Bucket, Postgres, Store};

/// The whole file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Config {
    /// Who we are.
    pub organisation: Organisation,
    /// The API.
    #[serde(default)]
    pub server: Server,
    /// Where messages are kept.
    #[serde(default)]
    pub store: Store,
    /// Where components are.
    #[serde(default)]
    pub plugins: Plugins,
    /// How messages live and queue.
    #[serde(default)]
    pub messages: Messages,
    /// How long what is over is kept.
    #[serde(default)]
    pub retention: Vec<Retention>,
    /// How subscribers are told.
    #[serde(default)]
    pub webhooks: Webhooks,
    /// How tokens are had, by profile.
    #[serde(default)]
    pub tokens: BTreeMap<String, TokenProfile>,
    /// The adapters, by name.
    #[serde(default)]
    pub adapters: BTreeMap<String, Adapter>,
    /// Who can receive what.
    #[serde(default)]
    pub registry: Registry,
    /// What the operator has decided beside the registry, first to last.
    #[serde(default)]
    pub routing: Vec<RoutingRule>,
    /// How certificates of receivers are checked.
    #[serde(default)]
    pub certificates: Certificates,
}

/// `[organisation]`
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Organisation {
    /// Nine digits.
    pub number: String,
    /// The virksomhetssertifikat with its key.
    pub keystore: Keystore,
    /// Earlier ones: the store's key may still be sealed to one of them.
    #[serde(default)]
    pub former_keystores: Vec<Keystore>,
}

/// A key with its certificate.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Keystore {
    /// PKCS#12 (`.p12`, `.pfx`) or PEM (`.pem`: key and certificates).
    pub path: PathBuf,
    /// For PKCS#12.
    pub password: Option<Secret>,
    /// Which key, when there are several.
    pub alias: Option<String>,
}

impl Keystore {
    fn resolve_paths(&mut self, base: &Path) {
        self.path = base.join(&self.path);
        if let Some(password) = &mut self.password {
            password.resolve_path(base);
        }
    }
}

/// `[plugins]`
#[derive(Debug, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Plugins {
    /// Where operators drop components.
    pub folder: PathBuf,
    /// Compiled code; default `compiled` in the store's folder.
    pub cache: Option<PathBuf>,
    /// Seconds between looks at the folder, beside the system's own notices.
    pub poll_seconds: u64,
}

impl Default for Plugins {
    fn default() -> Self {
        Self {
            folder: PathBuf::from("plugins"),
            cache: None,
            poll_seconds: 5,
        }
    }
}

/// `[messages]`
#[derive(Debug, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Messages {
    /// Hours that a message lives when neither its sender nor its service says.
    pub lifetime_hours: u32,
    /// Minutes that a peek locks a message.
    pub lock_minutes: u32,
    /// Messages of one service under way at the same time.
    pub concurrency: usize,
    /// The same for single services, by name.
    pub service_concurrency: BTreeMap<String, usize>,
    /// Seconds until a message that did not leave is tried again: after the first attempt, the second, …; the last one
    /// repeats.
    pub retry_seconds: Vec<u64>,
    /// Services whose statuses go on the status queue.
    pub status_queue: Vec<String>,
    /// `[[messages.types]]`
    pub types: Vec<OwnType>,
    /// `[[messages.processes]]`
    pub processes: Vec<OwnProcess>,
}

impl Default for Messages {
    fn default() -> Self {
        Self {
            lifetime_hours: 24,
            lock_minutes: 5,
            concurrency: 32,
            service_concurrency: BTreeMap::new(),
            retry_seconds: retry::SECONDS.to_vec(),
            status_queue: Vec::new(),
            types: Vec::new(),
            processes: Vec::new(),
        }
    }
}

impl Messages {
    /// Messages of a service under way at the same time.
    pub fn concurrency_of(&self, service: &str) -> usize {
        self.service_concurrency
            .get(service)
            .copied()
            .unwrap_or(self.concurrency)
    }
}

/// `[webhooks]`
#[derive(Debug, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Webhooks {
    /// Hosts that subscribers may be told at; none: every host.
    pub allow: Option<Vec<HostGrant>>,
    /// Time to connect, TLS included.
    #[serde(deserialize_with = "quantity::time")]
    pub connect_time: Duration,
    /// Time from the start of a request to its answer.
    #[serde(deserialize_with = "quantity::time")]
    pub read_time: Duration,
    /// Seconds until an event that was not taken is tried again: after the first attempt, the second, …; the last one
    /// repeats.
    pub retry_seconds: Vec<u64>,
    /// Hours that an event is kept for a subscriber that does not take it.
    pub keep_hours: u32,
}

impl Default for Webhooks {
    fn default() -> Self {
        Self {
            allow: None,
            connect_time: Duration::from_secs(10),
            read_time: Duration::from_secs(10),
            retry_seconds: vec![10, 30, 60, 300, 900, 3600],
            keep_hours: 72,
        }
    }
}

/// `[tokens.<name>]`: JWT grant to an OAuth issuer such as Maskinporten, then an optional exchange.
/// Spec: DPO and DPV, 1.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct TokenProfile {
    /// Where the signed grant goes.
    pub url: String,
    /// `aud` of the grant.
    pub audience: String,
    /// `iss` of the grant.
    pub client_id: String,
    /// Scopes that adapters may ask for.
    pub scopes: Vec<String>,
    /// Where the token is exchanged for another one.
    pub exchange_url: Option<String>,
    /// Signs the grant with a key of its own; default: the organisation's.
    pub keystore: Option<Keystore>,
    /// Signs the grant with a JWK (for organisations without a virksomhetssertifikat).
    pub jwk: Option<PathBuf>,
    /// Parties that the profile acts for: identifier to the name of their system user.
    #[serde(default)]
    pub system_users: BTreeMap<String, String>,
    /// Which of them is our own, and comes first; default: the organisation.
    pub own_system_user: Option<String>,
    /// Parties that the profile acts for by name alone, beside the organisation itself: `consumer_org` of the grant.
    /// Spec: DPF and DPFIO, 6.1.
    #[serde(default)]
    pub consumer_orgs: Vec<String>,
}

/// `[adapters.<name>]`
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Adapter {
    /// File in the plugin folder.
    pub component: String,
    /// Off: not loaded, its services are not enabled.
    #[serde(default = "yes")]
    pub enabled: bool,
    /// Which of the component's services are used here.
    pub services: Vec<String>,
    /// What it may.
    #[serde(default)]
    pub grants: Grants,
    /// How much it may take.
    #[serde(default)]
    pub limits: Limits,
    /// PEM file with more certificate authorities for its HTTP.
    pub extra_authorities: Option<PathBuf>,
    /// Its own settings; secrets may stand anywhere in them.
    #[serde(default)]
    pub settings: toml::Table,
}

fn yes() -> bool {
    true
}

impl Config {
    /// Reads the file; relative paths in it count from its folder.
    pub fn read(path: &Path) -> Result<Self, Problems> {
        budstikke_settings::read(path)
    }

    /// Reads the text of the file at `path`.
    pub fn parse(text: &str, path: &Path) -> Result<Self, Problems> {
        budstikke_settings::parse(text, path)
    }

    /// Where compiled code is kept.
    pub fn cache_folder(&self) -> PathBuf {
        self.plugins
            .cache
            .clone()
            .unwrap_or_else(|| self.store.folder.join("compiled"))
    }
}

impl budstikke_settings::File for Config {
    fn resolve_paths(&mut self, base: &Path) {
        let fix = |path: &mut PathBuf| *path = base.join(&*path);
        self.organisation.keystore.resolve_paths(base);
        for former in &mut self.organisation.former_keystores {
            former.resolve_paths(base);
        }
        self.server.resolve_paths(base);
        self.store.resolve_paths(base);
        fix(&mut self.plugins.folder);
        self.plugins.cache.as_mut().map(fix);
        for profile in self.tokens.values_mut() {
            if let Some(keystore) = &mut profile.keystore {
                keystore.resolve_paths(base);
            }
            profile.jwk.as_mut().map(fix);
        }
        for adapter in self.adapters.values_mut() {
            adapter.extra_authorities.as_mut().map(fix);
            settings::resolve_paths(&mut adapter.settings, base);
        }
        self.registry.files_mut().for_each(fix);
        self.certificates.files_mut().for_each(fix);
        self.messages
            .types
            .iter_mut()
            .filter_map(|own| own.schema.as_mut())
            .for_each(fix);
    }

    fn sense(&self, file: &Path, text: &str) -> Problems {
        problem::sense(self, file, text)
    }
}
