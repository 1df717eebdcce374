//! One adapter of a running integrasjonspunkt: a component that is put into its plugin folder.

use std::fs;
use std::path::{Path, PathBuf};

use async_trait::async_trait;
use budstikke_runtime::policy::Candidate;

use super::release::Signed;
use super::{Common, Component, Target, Way};
use crate::config::{Config, Plugin};
use crate::download::{self, Progress};
use crate::journal;
use crate::markers::Markers;
use crate::trust::{Untrusted, digest};
use crate::version::is_harmless;

pub(super) struct Adapter {
    common: Common,
    settings: Plugin,
    releases: PathBuf,
    signed: Signed,
}

impl Adapter {
    pub(super) fn new(config: &Config, name: &str, plugin: &Plugin, state: &Path) -> Result<Self, String> {
        let releases = state.join("releases");
        fs::create_dir_all(&releases).map_err(|error| format!("{}: {error}", releases.display()))?;
        let file = plugin
            .file
            .clone()
            .unwrap_or_else(|| format!("{}-{{version}}.wasm", plugin.product));
        Ok(Self {
            common: Common::new(
                name,
                &plugin.management,
                &plugin.launch,
                &plugin.blocklist,
                &plugin.soak,
                Markers::new(&releases, &format!("{}-", plugin.product)),
            )?,
            signed: Signed::new(
                &plugin.repository,
                &plugin.download,
                state,
                &plugin.product,
                file,
                config.environment,
            )?,
            settings: plugin.clone(),
            releases,
        })
    }

    fn place(&self, version: &str) -> PathBuf {
        self.releases.join(self.signed.name(version))
    }

    fn in_folder(&self) -> PathBuf {
        self.settings.folder.join(&self.settings.component)
    }

    /// Which of the releases that were brought here lies in the plugin folder.
    fn release_in_folder(&self) -> Option<String> {
        let present = digest::sha256(&self.in_folder()).ok()?;
        let entries = fs::read_dir(&self.releases).ok()?;
        entries.filter_map(Result::ok).find_map(|entry| {
            let version = self.signed.version_in(entry.file_name().to_str()?)?;
            let sum = digest::sha256(&entry.path()).ok()?;
            digest::same(&sum, &present).then_some(version)
        })
    }

    /// The digest of a file that was put into the folder by somebody else, and kept to be put back.
    fn kept(&self, version: &str) -> PathBuf {
        self.releases.join(format!("{}.kept", self.signed.name(version)))
    }
}

#[async_trait]
impl Target for Adapter {
    fn common(&self) -> &Common {
        &self.common
    }

    /// The version of the release that lies there; else what the adapter says of itself.
    async fn current(&self) -> Option<String> {
        if let Some(version) = self.release_in_folder() {
            return Some(version);
        }
        let info = self.common.actuator.info().await.ok()?;
        let adapters = info["adapters"].as_array()?;
        let adapter = adapters
            .iter()
            .find(|adapter| adapter["name"] == self.settings.adapter.as_str())?;
        let version = adapter["version"].as_str()?;
        is_harmless(version).then(|| version.to_owned())
    }

    async fn approved(&self) -> Result<Vec<Candidate>, String> {
        self.signed.approved().await
    }

    fn file_name(&self, version: &str) -> String {
        self.signed.name(version)
    }

    fn has(&self, version: &str) -> bool {
        is_harmless(version) && self.place(version).is_file()
    }

    async fn fetch(&self, version: &str, progress: &Progress<'_>) -> Result<(), Untrusted> {
        self.signed.fetch(version, &self.place(version), progress).await
    }

    async fn verify(&self, version: &str) -> Result<(), Untrusted> {
        let place = self.place(version);
        match fs::read_to_string(self.kept(version)) {
            Ok(kept) => {
                let sum =
                    digest::sha256(&place).map_err(|error| Untrusted::new(format!("{}: {error}", place.display())))?;
                if hex::decode(kept.trim()).is_ok_and(|kept| digest::same(&kept, &sum)) {
                    return Ok(());
                }
                Err(Untrusted::new(format!(
                    "{} is not the file that was kept",
                    place.display()
                )))
            }
            Err(_) => self.signed.verify(version, &place).await,
        }
    }

    fn way(&self, version: &str) -> Way {
        Way::Component(Component {
            file: self.place(version),
            place: self.in_folder(),
            adapter: self.settings.adapter.clone(),
        })
    }

    fn sweep(&self) {
        download::sweep(&self.releases);
    }

    /// What an operator put there was wanted: it is kept with its digest, and can be put back as it was.
    async fn keep_present(&self, version: &str) -> Result<(), String> {
        let (present, place) = (self.in_folder(), self.place(version));
        if self.has(version) && self.verify(version).await.is_ok() {
            return Ok(());
        }
        let failed = |error: std::io::Error| format!("{}: {error}", place.display());
        let bytes = fs::read(&present).map_err(|error| format!("{}: {error}", present.display()))?;
        journal::write(&place, &bytes).map_err(failed)?;
        let sum = digest::sha256(&place).map_err(failed)?;
        journal::write(&self.kept(version), hex::encode(sum).as_bytes()).map_err(failed)
    }
}
