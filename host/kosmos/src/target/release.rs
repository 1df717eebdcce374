//! What our own program and adapters share: releases in signed metadata.

use std::path::{Path, PathBuf};

use budstikke_runtime::policy::Candidate;
use tokio::sync::Mutex;

use super::candidates;
use crate::config::{Download, Environment, Repository};
use crate::document;
use crate::download::Progress;
use crate::trust::Untrusted;
use crate::trust::tuf::{Listed, Newest, Releases};
use crate::version::{is_harmless, same};

/// See the module.
pub(super) struct Signed {
    pub(super) releases: Releases,
    versions: String,
    product: String,
    /// Name among the targets; `{version}` is replaced.
    file: String,
    environment: Environment,
    /// The newest metadata that were had.
    newest: Mutex<Option<Newest>>,
}

impl Signed {
    pub(super) fn new(
        repository: &Repository,
        download: &Download,
        state: &Path,
        product: &str,
        file: String,
        environment: Environment,
    ) -> Result<Self, String> {
        Ok(Self {
            releases: Releases::new(repository, download, state).map_err(|error| error.to_string())?,
            versions: repository.versions.clone(),
            product: product.to_owned(),
            file,
            environment,
            newest: Mutex::default(),
        })
    }

    pub(super) fn name(&self, version: &str) -> String {
        self.file.replace("{version}", version)
    }

    pub(super) async fn approved(&self) -> Result<Vec<Candidate>, String> {
        let newest = self.releases.newest().await.map_err(|error| error.to_string())?;
        let text = newest.text(&self.versions).await.map_err(|error| error.to_string())?;
        let versions = document::versions(&text, &self.product, self.environment).map_err(|error| error.to_string())?;
        let found = candidates(&versions, |version| {
            let listed = newest.listed(&self.name(version));
            listed.map_or((None, None), |listed| (listed.released, listed.schema))
        });
        *self.newest.lock().await = Some(newest);
        Ok(found)
    }

    /// Brings a version's file to `place`. Beside it the metadata are kept that list it.
    pub(super) async fn fetch(&self, version: &str, place: &Path, progress: &Progress<'_>) -> Result<(), Untrusted> {
        if !is_harmless(version) {
            return Err(Untrusted::new("is no version"));
        }
        let name = self.name(version);
        let mut newest = self.newest.lock().await;
        let newest = match &mut *newest {
            Some(newest) => newest,
            none => none.insert(self.releases.newest().await?),
        };
        let listed = newest.listed(&name);
        is_of(&name, listed.as_ref(), version)?;
        let disk = |error: std::io::Error| Untrusted::new(format!("{} cannot be written: {error}", place.display()));
        if let Some(folder) = place.parent() {
            std::fs::create_dir_all(folder).map_err(disk)?;
        }
        let file = newest.fetch(&name, place, self.releases.limits(), progress).await?;
        self.releases.keep_beside(&beside(place)).map_err(disk)?;
        file.keep(place).map_err(disk)
    }

    /// Checks a version's file.
    pub(super) async fn verify(&self, version: &str, place: &Path) -> Result<(), Untrusted> {
        let name = self.name(version);
        let listed = self.releases.kept(&name, Some(&beside(place)))?;
        is_of(&name, Some(&listed), version)?;
        let place = place.to_owned();
        tokio::task::spawn_blocking(move || listed.check(&place))
            .await
            .map_err(|error| Untrusted::new(error.to_string()))?
    }

    /// What the metadata that were kept say of a version.
    pub(super) fn listed(&self, version: &str, place: &Path) -> Option<Listed> {
        self.releases.kept(&self.name(version), Some(&beside(place))).ok()
    }

    /// The version in the name of a file.
    pub(super) fn version_in(&self, name: &str) -> Option<String> {
        let (before, after) = self.file.split_once("{version}")?;
        let version = name.strip_prefix(before)?.strip_suffix(after)?;
        is_harmless(version).then(|| version.to_owned())
    }
}

fn beside(place: &Path) -> PathBuf {
    let mut name = place.as_os_str().to_owned();
    name.push(".targets.json");
    PathBuf::from(name)
}

/// The metadata say which version a file is: a name is no proof.
fn is_of(name: &str, listed: Option<&Listed>, version: &str) -> Result<(), Untrusted> {
    let listed = listed.ok_or_else(|| Untrusted::new(format!("{name}: is not in the signed metadata")))?;
    match &listed.version {
        Some(said) if same(said, version) => Ok(()),
        Some(said) => Err(Untrusted::new(format!(
            "{name}: is version {said} in the signed metadata"
        ))),
        None => Err(Untrusted::new(format!(
            "{name}: the signed metadata do not say which version it is"
        ))),
    }
}
