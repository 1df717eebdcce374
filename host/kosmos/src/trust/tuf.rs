//! Signed metadata (TUF) for our own releases: which files there are, how long, with which digest, of which version.
//!
//! Online, the library checks everything: roots in a chain, thresholds, expiry, and that no version goes back. What it trusts is kept on
//! disk. At every start a file is compared with what is kept, signatures included, without network and without writing anything: a full
//! disk or a silent server must not keep a version from starting that was verified.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use futures::{StreamExt as _, stream};
use jiff::Timestamp;
use reqwest::Client;
use serde_json::Value;
use tough::schema::{Root, Signed, Targets};
use tough::{
    ExpirationEnforcement, FilesystemTransport, IntoVec as _, Repository, RepositoryLoader, TargetName, Transport,
    TransportError, TransportErrorKind, TransportStream,
};
use url::Url;

use super::{Untrusted, digest};
use crate::config::{self, Download};
use crate::download::{self, OnItsWay, Progress};
use crate::http::{HttpError, download_client, told};

/// Time for the metadata, all of them.
const METADATA: Duration = Duration::from_mins(2);

/// What the metadata say about a file.
#[derive(Debug, Clone, PartialEq)]
pub struct Listed {
    /// Bytes.
    pub length: u64,
    /// SHA-256.
    pub sha256: Vec<u8>,
    /// Which version it is.
    pub version: Option<String>,
    /// The version of the database's schema.
    pub schema: Option<u32>,
    /// Seconds since 1970.
    pub released: Option<u64>,
}

impl Listed {
    fn new(target: &tough::schema::Target) -> Self {
        let custom = |name: &str| target.custom.get(name);
        let released = custom("released").and_then(|at| match at {
            Value::String(text) => text
                .parse::<Timestamp>()
                .ok()
                .and_then(|at| u64::try_from(at.as_second()).ok()),
            other => other.as_u64(),
        });
        Self {
            length: target.length,
            sha256: target.hashes.sha256.as_ref().to_vec(),
            version: custom("version").and_then(Value::as_str).map(ToOwned::to_owned),
            schema: custom("schema")
                .and_then(Value::as_u64)
                .and_then(|schema| u32::try_from(schema).ok()),
            released,
        }
    }

    /// Whether a file is the one that is listed.
    pub fn check(&self, file: &Path) -> Result<(), Untrusted> {
        let failed = |error: std::io::Error| Untrusted::new(format!("{} cannot be read: {error}", file.display()));
        let length = fs::metadata(file).map_err(failed)?.len();
        if length != self.length || !digest::same(&digest::sha256(file).map_err(failed)?, &self.sha256) {
            return Err(Untrusted::new(format!(
                "{} is not the file that the signed metadata list",
                file.display()
            )));
        }
        Ok(())
    }
}

/// A repository, and what is trusted of it.
#[derive(Debug)]
pub struct Releases {
    settings: config::Repository,
    download: Download,
    /// What is trusted: root, timestamp, snapshot, targets, and the latest known time.
    trusted: PathBuf,
    client: Client,
}

/// The newest metadata.
pub struct Newest {
    repository: Repository,
}

impl Releases {
    /// `state`: a folder of our own.
    pub fn new(settings: &config::Repository, download: &Download, state: &Path) -> Result<Self, HttpError> {
        let trusted = state.join("trusted");
        fs::create_dir_all(&trusted).map_err(|error| HttpError(format!("{}: {error}", trusted.display())))?;
        Ok(Self {
            settings: settings.clone(),
            download: download.clone(),
            trusted,
            client: download_client(download)?,
        })
    }

    /// The root to begin with: the newer of the one that the operator brought and the one that was trusted last. Beginning with an old
    /// one each time would let a server hide that a key was taken back.
    fn root(&self) -> Result<Vec<u8>, Untrusted> {
        let brought = fs::read(&self.settings.root)
            .map_err(|error| Untrusted::new(format!("{}: {error}", self.settings.root.display())))?;
        let version = |bytes: &[u8]| {
            serde_json::from_slice::<Signed<Root>>(bytes)
                .ok()
                .map(|root| root.signed.version)
        };
        match fs::read(self.trusted.join("root.json")) {
            Ok(kept) if version(&kept) > version(&brought) => Ok(kept),
            _ => Ok(brought),
        }
    }

    /// Asks for the newest metadata and checks them.
    pub async fn newest(&self) -> Result<Newest, Untrusted> {
        let root = self.root()?;
        let url = |text: &str| Url::parse(text).map_err(|error| Untrusted::new(format!("{text}: {error}")));
        let loader = RepositoryLoader::new(
            &root,
            url(&self.settings.metadata_url)?,
            url(&self.settings.targets_url)?,
        )
        .transport(Bounded {
            client: self.client.clone(),
        })
        .datastore(&self.trusted)
        .expiration_enforcement(ExpirationEnforcement::Safe);
        match tokio::time::timeout(METADATA, loader.load()).await {
            Ok(Ok(repository)) => Ok(Newest { repository }),
            Ok(Err(error)) => Err(Untrusted::new(format!(
                "the signed metadata are refused: {}",
                told(&error)
            ))),
            Err(_) => Err(Untrusted::new(format!(
                "the signed metadata were not whole after {} s",
                METADATA.as_secs()
            ))),
        }
    }

    /// What is kept about a file, its signatures checked again. `beside`: metadata that were kept when the file was fetched, for a file
    /// that the newest do not list any more; their keys must still be good.
    pub fn kept(&self, name: &str, beside: Option<&Path>) -> Result<Listed, Untrusted> {
        let unread =
            |error: String| Untrusted::new(format!("the signed metadata that were kept cannot be used: {error}"));
        let root: Signed<Root> = serde_json::from_slice(&self.root()?).map_err(|error| unread(error.to_string()))?;
        root.signed.verify_role(&root).map_err(|error| unread(told(&error)))?;
        let name = TargetName::new(name).map_err(|error| unread(told(&error)))?;
        let mut reason = String::from("nothing was kept");
        for path in [Some(self.trusted.join("targets.json")), beside.map(Path::to_owned)]
            .into_iter()
            .flatten()
        {
            let listed = fs::read(&path).map_err(|error| error.to_string()).and_then(|bytes| {
                let targets: Signed<Targets> = serde_json::from_slice(&bytes).map_err(|error| error.to_string())?;
                root.signed.verify_role(&targets).map_err(|error| told(&error))?;
                let target = targets.signed.find_target(&name, false).map_err(|error| told(&error))?;
                Ok(Listed::new(target))
            });
            match listed {
                Ok(listed) => return Ok(listed),
                Err(error) => reason = error,
            }
        }
        Err(unread(reason))
    }

    /// Keeps the present metadata beside a file that was fetched.
    pub fn keep_beside(&self, path: &Path) -> std::io::Result<()> {
        crate::journal::write(path, &fs::read(self.trusted.join("targets.json"))?)
    }

    /// How fetching is limited.
    pub fn limits(&self) -> &Download {
        &self.download
    }
}

impl Newest {
    /// What is listed under a name.
    pub fn listed(&self, name: &str) -> Option<Listed> {
        let name = TargetName::new(name).ok()?;
        let target = self.repository.targets().signed.find_target(&name, false).ok()?;
        Some(Listed::new(target))
    }

    /// A small file, whole and checked.
    pub async fn text(&self, name: &str) -> Result<String, Untrusted> {
        let refused = |words: String| Untrusted::new(format!("{name}: {words}"));
        let listed = self
            .listed(name)
            .ok_or_else(|| refused("is not in the signed metadata".into()))?;
        if listed.length > crate::document::SIZE {
            return Err(refused(format!("is longer than {} bytes", crate::document::SIZE)));
        }
        let target = TargetName::new(name).map_err(|error| refused(told(&error)))?;
        let whole = async {
            let stream = self
                .repository
                .read_target(&target)
                .await
                .map_err(|error| refused(told(&error)))?;
            let stream = stream.ok_or_else(|| refused("is not in the signed metadata".into()))?;
            stream.into_vec().await.map_err(|error| refused(told(&error)))
        };
        let bytes = tokio::time::timeout(METADATA, whole)
            .await
            .unwrap_or_else(|_| Err(refused(format!("was not whole after {} s", METADATA.as_secs()))))?;
        String::from_utf8(bytes).map_err(|_| refused("is no text".into()))
    }

    /// Fetches a file beside `place`; it is the one that is listed.
    pub async fn fetch(
        &self,
        name: &str,
        place: &Path,
        limits: &Download,
        progress: &Progress<'_>,
    ) -> Result<OnItsWay, Untrusted> {
        let refused = |words: String| Untrusted::new(format!("{name}: {words}"));
        let listed = self
            .listed(name)
            .ok_or_else(|| refused("is not in the signed metadata".into()))?;
        let target = TargetName::new(name).map_err(|error| refused(told(&error)))?;
        let stream = self
            .repository
            .read_target(&target)
            .await
            .map_err(|error| refused(told(&error)))?;
        let stream = stream.ok_or_else(|| refused("is not in the signed metadata".into()))?;
        let chunks = stream.map(|chunk| chunk.map_err(|error| HttpError(told(&error))));
        let file = download::write(Box::pin(chunks), Some(listed.length), place, limits, progress)
            .await
            .map_err(|error| refused(error.0))?;
        listed.check(file.path())?;
        Ok(file)
    }
}

/// Files over HTTP, or from a folder for closed networks.
#[derive(Debug, Clone)]
struct Bounded {
    client: Client,
}

#[async_trait]
impl Transport for Bounded {
    async fn fetch(&self, url: Url) -> Result<TransportStream, TransportError> {
        if url.scheme() == "file" {
            return FilesystemTransport.fetch(url).await;
        }
        let failed = |words: String| TransportError::new_with_cause(TransportErrorKind::Other, &url, words);
        let response = self.client.get(url.clone()).send().await;
        let response = response.map_err(|error| failed(told(&error.without_url())))?;
        let status = response.status();
        if status == reqwest::StatusCode::NOT_FOUND || status == reqwest::StatusCode::FORBIDDEN {
            return Err(TransportError::new(TransportErrorKind::FileNotFound, &url));
        }
        if !status.is_success() {
            return Err(failed(format!("answered {status}")));
        }
        // The library wants a stream that can be shared between threads, which a response is not.
        let (sender, mut chunks) = tokio::sync::mpsc::channel(4);
        tokio::spawn(async move {
            let mut response = response;
            while let Some(chunk) = response.chunk().await.transpose() {
                let chunk: Result<Bytes, TransportError> = chunk.map_err(|error| {
                    let words = told(&error.without_url());
                    TransportError::new_with_cause(TransportErrorKind::Other, &url, words)
                });
                let last = chunk.is_err();
                if sender.send(chunk).await.is_err() || last {
                    return;
                }
            }
        });
        Ok(Box::pin(stream::poll_fn(move |context| chunks.poll_recv(context))))
    }
}
