//! Where messages are kept.

use std::path::{Path, PathBuf};

use budstikke_store::Place;
use budstikke_store::files::BucketSettings;
use serde::Deserialize;

use super::Secret;

/// `[store]`
#[derive(Debug, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Store {
    /// Database and files, unless they stand elsewhere; compiled plugins. One process at a time.
    pub folder: PathBuf,
    /// What this node is called; default: the name of the machine.
    pub node: Option<String>,
    /// The database on a server.
    pub postgres: Option<Postgres>,
    /// Files in a bucket.
    pub bucket: Option<Bucket>,
}

impl Default for Store {
    fn default() -> Self {
        Self {
            folder: PathBuf::from("data"),
            node: None,
            postgres: None,
            bucket: None,
        }
    }
}

impl Store {
    pub(super) fn resolve_paths(&mut self, base: &Path) {
        self.folder = base.join(&self.folder);
        if let Some(postgres) = &mut self.postgres {
            postgres.url.resolve_path(base);
        }
        if let Some(bucket) = &mut self.bucket {
            for secret in [&mut bucket.access_key, &mut bucket.secret].into_iter().flatten() {
                secret.resolve_path(base);
            }
        }
    }

    /// Where the database is. An error says which secret cannot be had.
    pub fn place(&self) -> Result<Place, String> {
        Ok(match &self.postgres {
            None => Place::File(self.folder.join("budstikke.db")),
            Some(postgres) => Place::Server {
                url: postgres.url.value()?,
                writers: postgres.writers,
            },
        })
    }

    /// What this node is called.
    pub fn node_name(&self) -> String {
        self.node
            .clone()
            .unwrap_or_else(|| rustix::system::uname().nodename().to_string_lossy().into_owned())
    }
}

/// `[store.postgres]`
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Postgres {
    /// `postgres://user:password@host/database?sslmode=verify-full`
    pub url: Secret,
    /// Connections of this node that write; up to eight more read.
    #[serde(default = "writers")]
    pub writers: usize,
}

fn writers() -> usize {
    4
}

/// `[store.bucket]`
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Bucket {
    /// Its name.
    pub name: String,
    /// `https://host[:port]` of the service; default: Amazon's, for the region.
    pub endpoint: Option<String>,
    /// Region.
    #[serde(default = "region")]
    pub region: String,
    /// What the names of all objects begin with.
    #[serde(default)]
    pub prefix: String,
    /// Access key; default: what the environment or the machine gives.
    pub access_key: Option<Secret>,
    /// Its secret.
    pub secret: Option<Secret>,
    /// `https://host/bucket/…` instead of `https://bucket.host/…`.
    #[serde(default)]
    pub path_style: bool,
    /// Allows `http://`, for tests and closed networks.
    #[serde(default)]
    pub allow_http: bool,
}

fn region() -> String {
    "us-east-1".to_owned()
}

impl Bucket {
    /// For the file store. An error says which secret cannot be had.
    pub fn settings(&self) -> Result<BucketSettings, String> {
        let value = |secret: &Option<Secret>| secret.as_ref().map(Secret::value).transpose();
        Ok(BucketSettings {
            endpoint: self.endpoint.clone(),
            region: self.region.clone(),
            bucket: self.name.clone(),
            prefix: self.prefix.clone(),
            access_key: value(&self.access_key)?,
            secret: value(&self.secret)?,
            path_style: self.path_style,
            allow_http: self.allow_http,
        })
    }
}
