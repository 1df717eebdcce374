//! The TOML file of the address service. Every key is described in `examples/registry.toml`.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use budstikke_registry::config::Clients;
use budstikke_registry::registers::settings::RegisterSettings;
use budstikke_settings::without_values;
use budstikke_store::Place;
use serde::Deserialize;

use super::{
    Certificates, Keystore, Problems, Secret, Server, ServerLimits, Tls, TokenProfile, User, problem, settings,
};
use budstikke_settings::quantity::time;

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
    /// What signs answers; an embedded one has none.
    pub signing: Option<Signing>,
    /// What `/sastoken` hands out.
    pub sas_token: Option<SasToken>,
    /// What decides which service reaches whom.
    #[serde(default)]
    pub rules: RuleSettings,
    /// What is the same for all receivers of a service.
    #[serde(default)]
    pub services: BTreeMap<String, ServiceSettings>,
    /// The outside registers, by name; secrets may stand anywhere in it. One that is left out is not asked.
    #[serde(default)]
    pub registers: toml::Table,
    /// Our own token for registers that want one.
    pub token: Option<OwnToken>,
    /// How certificates of receivers are checked before they are handed out.
    #[serde(default)]
    pub certificates: Certificates,
}

/// `[rules]`
#[derive(Debug, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct RuleSettings {
    /// A table of rules in place of the one that is built in.
    pub file: Option<PathBuf>,
    /// Functions that are off, by the names that the rules have for them.
    pub off: Vec<String>,
    /// The process whose codes and resource letters to citizens' general mailbox have.
    pub default_process: String,
    /// Processes to citizens whose messages need not be notified.
    pub information: Vec<String>,
    /// Processes to citizens whose messages must be notified.
    pub decisions: Vec<String>,
}

impl Default for RuleSettings {
    fn default() -> Self {
        Self {
            file: None,
            off: Vec::new(),
            default_process: "urn:no:difi:profile:arkivmelding:administrasjon:ver1.0".into(),
            information: vec!["urn:no:difi:profile:digitalpost:info:ver1.0".into()],
            decisions: vec!["urn:no:difi:profile:digitalpost:vedtak:ver1.0".into()],
        }
    }
}

/// `[token]`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct OwnToken {
    /// Where the signed grant goes.
    pub url: String,
    /// `aud` of the grant.
    pub audience: String,
    /// `iss` of the grant.
    pub client_id: String,
    /// What is asked for.
    pub scopes: Vec<String>,
    /// Signs the grant with a key of its own; default: that of `[signing]`.
    pub keystore: Option<Keystore>,
    /// Signs the grant with a JWK.
    pub jwk: Option<PathBuf>,
}

impl OwnToken {
    /// The same as a profile.
    pub fn profile(&self) -> TokenProfile {
        TokenProfile {
            url: self.url.clone(),
            audience: self.audience.clone(),
            client_id: self.client_id.clone(),
            scopes: self.scopes.clone(),
            exchange_url: None,
            keystore: self.keystore.clone(),
            jwk: self.jwk.clone(),
            system_users: BTreeMap::new(),
            own_system_user: None,
            consumer_orgs: Vec::new(),
        }
    }
}

/// `[services.<name>]`. Spec: service registry, 5.2.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct ServiceSettings {
    /// `endpointUrl` of records.
    pub endpoint_url: Option<String>,
    /// `serviceCode`.
    pub service_code: Option<String>,
    /// `serviceEditionCode`.
    pub service_edition_code: Option<String>,
    /// `resource`.
    pub resource: Option<String>,
    /// PEM file with the certificate that all receivers share.
    pub certificate: Option<PathBuf>,
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
    pub postgres: Option<AddressPostgres>,
}

/// `[store.postgres]`. Changes take turns: one connection writes.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct AddressPostgres {
    /// `postgres://user:password@host/database?sslmode=verify-full`
    pub url: Secret,
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
                writers: 1,
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
    /// Reads the file of one that clients can ask; relative paths in it count from its folder.
    pub fn read(path: &Path) -> Result<Self, Problems> {
        budstikke_settings::read(path)
    }

    /// Reads the file of one that nobody asks from outside: what is about clients need not be there, and means nothing.
    pub fn read_embedded(path: &Path) -> Result<Self, Problems> {
        budstikke_settings::read::<Embedded>(path).map(|Embedded(config)| config)
    }

    /// Reads the text of the file at `path`.
    pub fn parse(text: &str, path: &Path) -> Result<Self, Problems> {
        budstikke_settings::parse(text, path)
    }

    /// The registers with their secrets. An error names the key below `[registers]`.
    pub fn registers(&self) -> Result<RegisterSettings, (Vec<String>, String)> {
        let below = |key: &str| key.split('.').map(str::to_owned).collect::<Vec<_>>();
        let table = settings::resolved(&self.registers).map_err(|(key, what)| (below(&key), what))?;
        // One after the other, so that an error says which.
        for (name, register) in table.as_object().into_iter().flatten() {
            let alone = serde_json::json!({ name: register });
            if let Err(error) = serde_json::from_value::<RegisterSettings>(alone) {
                return Err((vec![name.clone()], without_values(&error.to_string())));
            }
        }
        serde_json::from_value(table).map_err(|error| (Vec::new(), without_values(&error.to_string())))
    }
}

impl budstikke_settings::File for AddressService {
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
        if let Some(signing) = &mut self.signing {
            signing.keystore.resolve_paths(base);
        }
        if let Some(token) = &mut self.sas_token {
            token.value.resolve_path(base);
        }
        self.rules.file.as_mut().map(fix);
        let shared = self
            .services
            .values_mut()
            .filter_map(|service| service.certificate.as_mut());
        shared.chain(self.certificates.files_mut()).for_each(fix);
        if let Some(token) = &mut self.token {
            token.jwk.as_mut().map(fix);
            if let Some(keystore) = &mut token.keystore {
                keystore.resolve_paths(base);
            }
        }
        settings::resolve_paths(&mut self.registers, base);
    }

    fn sense(&self, file: &Path, text: &str) -> Problems {
        problem::sense_of_address_service(self, file, text)
    }
}

/// The same file, read for an address service that is part of an integrasjonspunkt.
#[derive(Deserialize)]
#[serde(transparent)]
struct Embedded(AddressService);

impl budstikke_settings::File for Embedded {
    fn resolve_paths(&mut self, base: &Path) {
        self.0.resolve_paths(base);
    }

    fn sense(&self, file: &Path, text: &str) -> Problems {
        problem::sense_of_embedded(&self.0, file, text)
    }
}
