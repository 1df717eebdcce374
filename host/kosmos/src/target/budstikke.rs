//! Our own program: a folder for each release, signed metadata, a copy of the store before its schema changes.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use async_trait::async_trait;
use budstikke_runtime::policy::Candidate;

use super::release::Signed;
use super::{Backup, Common, Program, Target, Way};
use crate::config::{Budstikke, Config};
use crate::download::{self, Progress};
use crate::markers::Markers;
use crate::trust::Untrusted;
use crate::version::{is_harmless, parsed};

const FILE: &str = "budstikke";

pub(super) struct Own {
    common: Common,
    settings: Budstikke,
    signed: Signed,
}

impl Own {
    pub(super) fn new(config: &Config, name: &str, own: &Budstikke, state: &Path) -> Result<Self, String> {
        let failed = |error: std::io::Error| format!("{}: {error}", own.home.display());
        let releases = own.home.join("releases");
        fs::create_dir_all(&releases).map_err(failed)?;
        let mut settings = own.clone();
        settings.home = fs::canonicalize(&own.home).map_err(failed)?;
        settings.config = std::path::absolute(&own.config).map_err(failed)?;
        let file = own.file.replace("{arch}", std::env::consts::ARCH);
        Ok(Self {
            common: Common {
                shutdown: own.shutdown.clone(),
                keep_alive: own.keep_alive,
                ..Common::new(
                    name,
                    &own.management,
                    &own.launch,
                    &own.blocklist,
                    &own.soak,
                    Markers::new(&settings.home, &format!("{FILE}-")),
                )?
            },
            signed: Signed::new(
                &own.repository,
                &own.download,
                state,
                &own.product,
                file,
                config.environment,
            )?,
            settings,
        })
    }

    fn place(&self, version: &str) -> PathBuf {
        self.settings.home.join("releases").join(version).join(FILE)
    }

    async fn schema(&self) -> Option<u32> {
        let info = self.common.actuator.info().await.ok()?;
        u32::try_from(info["store"]["schema"].as_u64()?).ok()
    }
}

/// The releases in a home.
fn versions(home: &Path) -> Vec<String> {
    let entries = fs::read_dir(home.join("releases")).into_iter().flatten();
    entries
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .collect()
}

#[async_trait]
impl Target for Own {
    fn common(&self) -> &Common {
        &self.common
    }

    async fn current(&self) -> Option<String> {
        match self.common.actuator.version().await {
            Ok(version) => Some(version).filter(|version| is_harmless(version)),
            Err(_) => self.common.markers.allowed(),
        }
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
        self.signed.fetch(version, &self.place(version), progress).await?;
        let place = self.place(version);
        fs::set_permissions(&place, fs::Permissions::from_mode(0o755))
            .map_err(|error| Untrusted::new(format!("{}: {error}", place.display())))
    }

    async fn verify(&self, version: &str) -> Result<(), Untrusted> {
        if !self.has(version) {
            return Err(Untrusted::new(format!("there is no {}", self.place(version).display())));
        }
        self.signed.verify(version, &self.place(version)).await
    }

    fn way(&self, version: &str) -> Way {
        let program = self.place(version);
        Way::Program(Program {
            arguments: vec![
                "serve".to_owned(),
                "--config".to_owned(),
                self.settings.config.display().to_string(),
            ],
            folder: self.settings.home.clone(),
            removed: self
                .settings
                .removed_environment
                .iter()
                .map(|prefix| prefix.to_lowercase())
                .collect(),
            file: program.clone(),
            program,
        })
    }

    /// When the new version wants another schema than the one that runs has.
    async fn backup(&self, from: &str, to: &str) -> Option<Backup> {
        let wanted = self.signed.listed(to, &self.place(to))?.schema?;
        let before = match self.schema().await {
            Some(schema) => Some(schema),
            None => self
                .signed
                .listed(from, &self.place(from))
                .and_then(|listed| listed.schema),
        };
        if before == Some(wanted) || !self.has(from) {
            return None;
        }
        let backups = self.settings.backups.clone();
        let backups = backups.unwrap_or_else(|| self.settings.home.join("backups"));
        Some(Backup {
            program: self.place(from),
            config: self.settings.config.clone(),
            folder: backups.join(format!("before-{to}-{}", jiff::Timestamp::now().as_second())),
        })
    }

    fn sweep(&self) {
        for version in versions(&self.settings.home) {
            download::sweep(&self.settings.home.join("releases").join(version));
        }
    }

    fn tidy(&self, needed: &[&str]) {
        if self.settings.keep_versions == 0 {
            return;
        }
        let mut all = versions(&self.settings.home);
        all.retain(|version| !needed.contains(&version.as_str()) && is_harmless(version));
        all.sort_by_key(|version| std::cmp::Reverse(parsed(version)));
        for version in all
            .iter()
            .skip(self.settings.keep_versions.saturating_sub(needed.len()))
        {
            tracing::info!(version, "an old release is removed");
            drop(fs::remove_dir_all(self.settings.home.join("releases").join(version)));
        }
    }

    fn successor(&self, version: &str) -> Option<PathBuf> {
        self.settings.self_update.then(|| self.place(version))
    }
}
