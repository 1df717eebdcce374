//! The Java integrasjonspunkt: a jar with a detached signature beside it. Spec: KOSMOS, 5 to 10.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use budstikke_runtime::policy::Candidate;
use jiff::Timestamp;
use reqwest::Client;

use super::{Common, Program, Target, Way, candidates};
use crate::config::{Config, Environment, Java};
use crate::document::{self, Versions};
use crate::download::{self, Progress};
use crate::http::{download_client, get_small};
use crate::markers::Markers;
use crate::trust::openpgp::{self, Keys, Occasion};
use crate::trust::{Untrusted, digest, jar};
use crate::version::{bare, is_harmless, parsed};

const PRODUCT: &str = "integrasjonspunkt";
/// Time for a small file.
const SMALL: Duration = Duration::from_mins(1);

pub(super) struct Jar {
    common: Common,
    settings: Java,
    environment: Environment,
    client: Client,
    /// The last list of versions that could be read.
    last: Mutex<Option<Versions>>,
}

impl Jar {
    pub(super) fn new(config: &Config, name: &str, java: &Java) -> Result<Self, String> {
        fs::create_dir_all(&java.home).map_err(|error| format!("{}: {error}", java.home.display()))?;
        // The integrasjonspunkt gets the path, and is found again by it.
        let home = fs::canonicalize(&java.home).map_err(|error| format!("{}: {error}", java.home.display()))?;
        let mut settings = java.clone();
        settings.home.clone_from(&home);
        Ok(Self {
            common: Common {
                shutdown: java.shutdown.clone(),
                keep_alive: java.keep_alive,
                ..Common::new(
                    name,
                    &java.management,
                    &java.launch,
                    &java.blocklist,
                    &java.soak,
                    Markers::new(&home, &format!("{PRODUCT}-")),
                )?
            },
            settings,
            environment: config.environment,
            client: download_client(&java.download).map_err(|error| error.to_string())?,
            last: Mutex::default(),
        })
    }

    fn jar(&self, version: &str) -> PathBuf {
        self.settings.home.join(self.file_name(version))
    }

    fn beside(&self, version: &str, end: &str) -> PathBuf {
        self.settings.home.join(format!("{}.{end}", self.file_name(version)))
    }

    /// Spec: KOSMOS, 8.
    fn url(&self, version: &str) -> String {
        let root = self.settings.repository.trim_end_matches('/');
        format!("{root}/releases/download/{version}/{}", self.file_name(version))
    }

    async fn small(&self, url: &str, size: u64) -> Result<Vec<u8>, Untrusted> {
        let body = get_small(&self.client, url, size, SMALL).await;
        body.map(|body| body.to_vec()).map_err(|error| Untrusted::new(error.0))
    }

    /// Signature and version of a file.
    async fn check(&self, file: &Path, signature: Vec<u8>, version: &str, occasion: Occasion) -> Result<(), Untrusted> {
        let (keys, file, version) = (self.settings.keys.clone(), file.to_owned(), version.to_owned());
        // Foreign bytes in a library's hands: should it break down, it does so apart from us.
        let checked = tokio::task::spawn_blocking(move || {
            let signer = Keys::read(&keys)?.verify(&signature, &file, Timestamp::now(), occasion)?;
            jar::check_version(&file, &version)?;
            Ok(signer)
        });
        let signer = checked
            .await
            .map_err(|_| Untrusted::new("the signature cannot be read"))??;
        tracing::info!(signer, "signature verified");
        Ok(())
    }
}

#[async_trait]
impl Target for Jar {
    fn common(&self) -> &Common {
        &self.common
    }

    /// What answers; when nothing does, the marker of a Java KOSMOS that was here before.
    async fn current(&self) -> Option<String> {
        match self.common.actuator.version().await {
            // What answers without `v` can lie here under a name with one.
            Ok(version)
                if is_harmless(&version) && !self.has(&version) && self.has(&format!("v{}", bare(&version))) =>
            {
                Some(format!("v{}", bare(&version)))
            }
            Ok(version) => Some(version).filter(|version| is_harmless(version)),
            Err(_) => self.common.markers.allowed(),
        }
    }

    async fn approved(&self) -> Result<Vec<Candidate>, String> {
        if !self.settings.auto_refresh {
            return Err("the list of versions is switched off (auto-refresh)".into());
        }
        let text = get_small(&self.client, &self.settings.versions_url, document::SIZE, SMALL).await;
        let text = text.map_err(|error| format!("Error getting latest version: {error}"))?;
        let text = String::from_utf8_lossy(&text);
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        let versions = match document::versions(&text, PRODUCT, self.environment) {
            Ok(versions) => last.insert(versions),
            Err(error @ document::DocumentError::Unreadable(_)) => match &mut *last {
                Some(versions) => {
                    tracing::warn!(%error, "going on with the last list of versions that could be read");
                    versions
                }
                None => return Err(error.to_string()),
            },
            Err(error) => return Err(error.to_string()),
        };
        Ok(candidates(versions, |_| (None, None)))
    }

    fn file_name(&self, version: &str) -> String {
        format!("{PRODUCT}-{version}.jar")
    }

    fn has(&self, version: &str) -> bool {
        is_harmless(version) && self.jar(version).is_file()
    }

    async fn fetch(&self, version: &str, progress: &Progress<'_>) -> Result<(), Untrusted> {
        if !is_harmless(version) {
            return Err(Untrusted::new("is no version"));
        }
        let (jar, url) = (self.jar(version), self.url(version));
        let download = &self.settings.download;
        let file = download::fetch(&self.client, &url, &jar, download, progress).await;
        let file =
            file.map_err(|error| Untrusted::new(format!("Error occurred when downloading latest version: {error}")))?;
        let failed = |error: Untrusted| error.after("Error validating jar");
        let published = self.small(&format!("{url}.sha1"), digest::SIZE).await.map_err(failed)?;
        let path = file.path().to_owned();
        tokio::task::spawn_blocking(move || digest::check_sha1(&path, &published))
            .await
            .map_err(|error| failed(Untrusted::new(error.to_string())))?
            .map_err(failed)?;
        let signature = self.small(&format!("{url}.asc"), openpgp::SIZE).await.map_err(failed)?;
        self.check(file.path(), signature.clone(), version, Occasion::New)
            .await
            .map_err(failed)?;
        let disk = |error: std::io::Error| {
            Untrusted::new(format!("{} cannot be written: {error}", self.settings.home.display()))
        };
        // The signature first: a jar is never there without it.
        crate::journal::write(&self.beside(version, "asc"), &signature).map_err(disk)?;
        file.keep(&jar).map_err(disk)
    }

    /// A jar that somebody put here has its signature beside it, or gets it from where its vendor publishes it.
    async fn verify(&self, version: &str) -> Result<(), Untrusted> {
        let (jar, place) = (self.jar(version), self.beside(version, "asc"));
        if !self.has(version) {
            return Err(Untrusted::new(format!("there is no {}", jar.display())));
        }
        let kept = fs::read(&place).ok();
        let (signature, fresh) = if let Some(signature) = kept {
            (signature, false)
        } else {
            let url = format!("{}.asc", self.url(version));
            let signature = self.small(&url, openpgp::SIZE).await.map_err(|error| {
                Untrusted::new(format!(
                    "has no signature, and none can be had ({error}); put the vendor's signature at {}",
                    place.display()
                ))
            })?;
            (signature, true)
        };
        let occasion = if fresh { Occasion::New } else { Occasion::Again };
        self.check(&jar, signature.clone(), version, occasion).await?;
        if fresh && let Err(error) = crate::journal::write(&place, &signature) {
            tracing::warn!(place = %place.display(), %error, "a signature cannot be kept");
        }
        Ok(())
    }

    /// Spec: KOSMOS, 10; sharp edge 11.
    fn way(&self, version: &str) -> Way {
        let jar = self.jar(version);
        let own = fs::read_to_string(self.settings.home.join("integrasjonspunkt-local.properties")).unwrap_or_default();
        let mut arguments = vec!["-jar".to_owned(), jar.display().to_string()];
        // The framework refuses both at once.
        if !own.contains("management.endpoint.shutdown.access") {
            arguments.push("--management.endpoint.shutdown.enabled=true".to_owned());
        }
        arguments.push("--app.logger.enableSSL=false".to_owned());
        arguments.push(format!("--spring.profiles.active={}", self.environment.name()));
        arguments.extend(self.settings.arguments.iter().cloned());
        Way::Program(Program {
            program: self.settings.java.clone(),
            arguments,
            folder: self.settings.home.clone(),
            removed: self
                .settings
                .removed_environment
                .iter()
                .map(|prefix| prefix.to_lowercase())
                .collect(),
            file: jar,
        })
    }

    fn sweep(&self) {
        download::sweep(&self.settings.home);
    }

    fn tidy(&self, needed: &[&str]) {
        if self.settings.keep_versions == 0 {
            return;
        }
        let entries = fs::read_dir(&self.settings.home).into_iter().flatten();
        let mut versions: Vec<String> = entries
            .filter_map(|entry| {
                let name = entry.ok()?.file_name().into_string().ok()?;
                let version = name.strip_prefix("integrasjonspunkt-")?.strip_suffix(".jar")?;
                Some(version.to_owned())
            })
            .filter(|version| !needed.contains(&version.as_str()))
            .collect();
        versions.sort_by_key(|version| std::cmp::Reverse(parsed(version)));
        for version in versions
            .iter()
            .skip(self.settings.keep_versions.saturating_sub(needed.len()))
        {
            tracing::info!(version, "an old jar is removed");
            for file in [self.jar(version), self.beside(version, "asc")] {
                drop(fs::remove_file(file));
            }
        }
    }
}
