//! The TOML file of the address service. Every key is described in `examples/registry.toml`.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use budstikke_registry::config::Clients;
use budstikke_store::Place;
use serde::Deserialize;

use super::quantity::time;
use super::{Keystore, Postgres, Problems, Secret, Server, ServerLimits, Tls, User, problem};

/// The whole file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct AddressService {
    /// The API.
    #[serde(default)]
    pub server: AddressServer,
    /// Health and metrics on an address of their own.
    pub management: Option<Management>,
    /// Where own data is kept.
    #[serde(default)]
    pub store: AddressStore,
    /// Who may ask.
    #[serde(default)]
    pub clients: Clients,
    /// What signs answers.
    pub signing: Signing,
    /// What `/sastoken` hands out.
    pub sas_token: Option<SasToken>,
}

/// `[server]`
#[derive(Debug, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct AddressServer {
    /// Address of the API. Port 0 takes a free one.
    pub listen: SocketAddr,
    /// Writes the address that was taken to this file, when the server is ready.
    pub address_file: Option<PathBuf>,
    /// What all paths begin with; empty: nothing.
    pub context_path: String,
    /// After the signal to stop: how long calls are still answered while the readiness says that no more are wanted.
    #[serde(deserialize_with = "time")]
    pub drain_time: Duration,
    /// `[[server.users]]`: who may administer. Nobody: there is no administration.
    pub users: Vec<User>,
    /// `[server.tls]`: HTTPS instead of HTTP.
    pub tls: Option<Tls>,
    /// `[server.limits]`
    pub limits: ServerLimits,
}

impl Default for AddressServer {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 8080)),
            address_file: None,
            context_path: budstikke_registry::api::CONTEXT_PATH.to_owned(),
            drain_time: Duration::ZERO,
            users: Vec::new(),
            tls: None,
            limits: ServerLimits::default(),
        }
    }
}

impl AddressServer {
    /// The same for the front, which asks nobody for a password here: clients show a token, and the administration asks by itself.
    pub fn front(&self) -> Server {
        Server {
            listen: self.listen,
            open: true,
            tls: self.tls.clone(),
            limits: self.limits.clone(),
            ..Server::default()
        }
    }
}

/// `[management]`
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Management {
    /// Address of health and metrics.
    pub listen: SocketAddr,
}

/// `[store]`
#[derive(Debug, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct AddressStore {
    /// The database, unless it is on a server. One process at a time.
    pub folder: PathBuf,
    /// The database on a server.
    pub postgres: Option<Postgres>,
}

impl Default for AddressStore {
    fn default() -> Self {
        Self {
            folder: PathBuf::from("data"),
            postgres: None,
        }
    }
}

impl AddressStore {
    /// Where the database is. An error says which secret cannot be had.
    pub fn place(&self) -> Result<Place, String> {
        Ok(match &self.postgres {
            None => Place::File(self.folder.join("registry.db")),
            Some(postgres) => Place::Server {
                url: postgres.url.value()?,
                writers: postgres.writers,
            },
        })
    }
}

/// `[signing]`
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Signing {
    /// The key that signs answers, with its certificate.
    pub keystore: Keystore,
}

/// `[sas-token]`
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct SasToken {
    /// The key that is handed out.
    pub value: Secret,
    /// Scopes of which one is enough.
    pub scopes: Vec<String>,
}

impl AddressService {
    /// Reads the file; relative paths in it count from its folder.
    pub fn read(path: &Path) -> Result<Self, Problems> {
        let text = std::fs::read_to_string(path)
            .map_err(|error| Problems::one(path, None, "", format!("cannot be read: {error}")))?;
        Self::parse(&text, path)
    }

    /// Reads the text of the file at `path`.
    pub fn parse(text: &str, path: &Path) -> Result<Self, Problems> {
        let mut config: Self = toml::from_str(text).map_err(|error| Problems::of_toml(path, text, &error))?;
        config.resolve_paths(path.parent().unwrap_or(Path::new("")));
        let problems = problem::sense_of_address_service(&config, path, text);
        if problems.is_empty() { Ok(config) } else { Err(problems) }
    }

    fn resolve_paths(&mut self, base: &Path) {
        let fix = |path: &mut PathBuf| *path = base.join(&*path);
        let server = &mut self.server;
        server.address_file.as_mut().map(fix);
        for user in &mut server.users {
            user.password_hash.resolve_path(base);
        }
        if let Some(tls) = &mut server.tls {
            tls.resolve_paths(base);
        }
        fix(&mut self.store.folder);
        if let Some(postgres) = &mut self.store.postgres {
            postgres.url.resolve_path(base);
        }
        self.clients.resolve_paths(base);
        self.signing.keystore.resolve_paths(base);
        if let Some(token) = &mut self.sas_token {
            token.value.resolve_path(base);
        }
    }
}
