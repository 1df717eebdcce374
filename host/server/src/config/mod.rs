//! The one TOML file. Every key is described in `examples/budstikke.toml`.
//!
//! Reading happens in three steps, each with errors that name file, line and key: TOML, shape (unknown keys are errors),
//! and sense (files that must exist, names that must fit together), see [`problem`].

mod keystore;
mod problem;
mod secret;
mod settings;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use budstikke_runtime::{Grants, Limits};
use serde::Deserialize;

use crate::delivery::retry;

pub use keystore::open_keystore;
pub use problem::{Problem, Problems};
pub use secret::Secret;
pub use settings::resolved;

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
    /// How tokens are had, by profile.
    #[serde(default)]
    pub tokens: BTreeMap<String, TokenProfile>,
    /// The adapters, by name.
    #[serde(default)]
    pub adapters: BTreeMap<String, Adapter>,
    /// Who can receive what.
    #[serde(default)]
    pub registry: Registry,
}

/// `[organisation]`
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Organisation {
    /// Nine digits.
    pub number: String,
    /// The virksomhetssertifikat with its key.
    pub keystore: Keystore,
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

/// `[server]`
#[derive(Debug, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Server {
    /// Address of the API. Port 0 takes a free one.
    pub listen: SocketAddr,
    /// Writes the address that was taken to this file, when the server is ready.
    pub address_file: Option<PathBuf>,
}

impl Default for Server {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 9093)),
            address_file: None,
        }
    }
}

/// `[store]`
#[derive(Debug, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Store {
    /// Database, files, key. One process at a time.
    pub folder: PathBuf,
}

impl Default for Store {
    fn default() -> Self {
        Self {
            folder: PathBuf::from("data"),
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
    /// Seconds until a message that did not leave is tried again: after the first attempt, the second, …; the last one
    /// repeats.
    pub retry_seconds: Vec<u64>,
}

impl Default for Messages {
    fn default() -> Self {
        Self {
            lifetime_hours: 24,
            lock_minutes: 5,
            concurrency: 10,
            retry_seconds: retry::SECONDS.to_vec(),
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

/// `[registry]`
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Registry {
    /// `[[registry.receivers]]`
    pub receivers: Vec<Receiver>,
}

/// Somebody who can receive.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Receiver {
    /// Organisation or person number without prefix.
    pub identifier: String,
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
}

impl Config {
    /// Reads the file; relative paths in it count from its folder.
    pub fn read(path: &Path) -> Result<Self, Problems> {
        let text = std::fs::read_to_string(path)
            .map_err(|error| Problems::one(path, None, "", format!("cannot be read: {error}")))?;
        let mut config: Self = toml::from_str(&text).map_err(|error| Problems::of_toml(path, &text, &error))?;
        config.resolve_paths(path.parent().unwrap_or(Path::new("")));
        let problems = problem::sense(&config, path, &text);
        if problems.is_empty() { Ok(config) } else { Err(problems) }
    }

    /// Where compiled code is kept.
    pub fn cache_folder(&self) -> PathBuf {
        self.plugins
            .cache
            .clone()
            .unwrap_or_else(|| self.store.folder.join("compiled"))
    }

    fn resolve_paths(&mut self, base: &Path) {
        let fix = |path: &mut PathBuf| *path = base.join(&*path);
        let fix_keystore = |keystore: &mut Keystore| {
            keystore.path = base.join(&keystore.path);
            if let Some(password) = &mut keystore.password {
                password.resolve_path(base);
            }
        };
        fix_keystore(&mut self.organisation.keystore);
        fix(&mut self.store.folder);
        fix(&mut self.plugins.folder);
        self.plugins.cache.as_mut().map(fix);
        self.server.address_file.as_mut().map(fix);
        for profile in self.tokens.values_mut() {
            profile.keystore.as_mut().map(fix_keystore);
            profile.jwk.as_mut().map(fix);
        }
        for adapter in self.adapters.values_mut() {
            adapter.extra_authorities.as_mut().map(fix);
            settings::resolve_paths(&mut adapter.settings, base);
        }
        for capability in self
            .registry
            .receivers
            .iter_mut()
            .flat_map(|receiver| &mut receiver.capabilities)
        {
            capability.certificate.as_mut().map(fix);
        }
    }
}
