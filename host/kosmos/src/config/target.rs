//! `[[targets]]`: what is kept current.

use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::parts::{Blocklist, Download, Launch, Management, Repository, Shutdown, Soak, blocking, soaking};

/// `[[targets]]`: a name, and one of the kinds.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Target {
    /// For log lines, commands and the folder of its state.
    pub name: String,
    /// The Java integrasjonspunkt.
    pub java: Option<Java>,
    /// Our own program.
    pub budstikke: Option<Budstikke>,
    /// One component in the plugin folder of a running integrasjonspunkt.
    pub plugin: Option<Plugin>,
}

/// `[targets.java]`. Spec: KOSMOS, 3.2 and 10.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Java {
    /// Folder of jars and marker files; the integrasjonspunkt runs in it.
    pub home: PathBuf,
    /// Where it answers.
    #[serde(default)]
    pub management: Management,
    /// The program that runs jars.
    #[serde(default = "java")]
    pub java: PathBuf,
    /// Arguments after ours.
    #[serde(default)]
    pub arguments: Vec<String>,
    /// The list of versions.
    #[serde(default = "versions_url")]
    pub versions_url: String,
    /// Off: no list of versions is asked for; what runs, stays.
    #[serde(default = "yes")]
    pub auto_refresh: bool,
    /// What releases' addresses begin with: root, group and artifact.
    #[serde(default = "repository")]
    pub repository: String,
    /// OpenPGP public keys that releases may be signed with.
    pub keys: Vec<PathBuf>,
    /// Beginnings of names of environment variables that the integrasjonspunkt does not get; capital letters do not count.
    #[serde(default = "prefixes")]
    pub removed_environment: Vec<String>,
    /// How fetching is limited.
    #[serde(default)]
    pub download: Download,
    /// How a start is judged.
    #[serde(default)]
    pub launch: Launch,
    /// How it is stopped.
    #[serde(default)]
    pub shutdown: Shutdown,
    /// Versions that failed.
    #[serde(default)]
    pub blocklist: Blocklist,
    /// What happens after a start.
    #[serde(default)]
    pub soak: Soak,
    /// Started again as soon as it has ended by itself.
    #[serde(default)]
    pub keep_alive: bool,
    /// Jars that stay; older ones are removed. 0: all.
    #[serde(default)]
    pub keep_versions: usize,
}

pub(super) fn java() -> PathBuf {
    PathBuf::from("java")
}

fn yes() -> bool {
    true
}

pub(super) fn versions_url() -> String {
    "https://raw.githubusercontent.com/felleslosninger/efm-integrasjonspunkt/refs/heads/main/latest-versions.yml".into()
}

fn repository() -> String {
    "https://github.com/felleslosninger/efm-integrasjonspunkt/".into()
}

pub(super) fn prefixes() -> Vec<String> {
    vec!["spring".into(), "kosmos".into()]
}

/// `[targets.budstikke]`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Budstikke {
    /// Folder of releases: `<home>/releases/<version>/budstikke`; the program runs in `<home>`.
    pub home: PathBuf,
    /// Its TOML file.
    pub config: PathBuf,
    /// Where it answers.
    #[serde(default)]
    pub management: Management,
    /// Signed metadata.
    pub repository: Repository,
    /// Its name in the list of versions.
    #[serde(default = "budstikke")]
    pub product: String,
    /// Its name among the targets; `{version}` and `{arch}` are replaced.
    #[serde(default = "budstikke_file")]
    pub file: String,
    /// Where a copy of the store goes before a version that changes its schema; none: `<home>/backups`.
    pub backups: Option<PathBuf>,
    /// Beginnings of names of environment variables that the program does not get.
    #[serde(default)]
    pub removed_environment: Vec<String>,
    /// How fetching is limited.
    #[serde(default)]
    pub download: Download,
    /// How a start is judged.
    #[serde(default)]
    pub launch: Launch,
    /// How it is stopped.
    #[serde(default)]
    pub shutdown: Shutdown,
    /// Versions that failed.
    #[serde(default = "blocking")]
    pub blocklist: Blocklist,
    /// What happens after a start.
    #[serde(default = "soaking")]
    pub soak: Soak,
    /// Started again as soon as it has ended by itself.
    #[serde(default = "yes")]
    pub keep_alive: bool,
    /// The supervisor goes on as the new version of itself.
    #[serde(default)]
    pub self_update: bool,
    /// Releases that stay; older ones are removed. 0: all.
    #[serde(default = "three")]
    pub keep_versions: usize,
}

fn budstikke() -> String {
    "budstikke".into()
}

fn budstikke_file() -> String {
    "budstikke-{version}-{arch}".into()
}

fn three() -> usize {
    3
}

/// `[targets.plugin]`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Plugin {
    /// The plugin folder.
    pub folder: PathBuf,
    /// The file in it.
    pub component: String,
    /// The name of the adapter in the integrasjonspunkt's TOML file.
    pub adapter: String,
    /// Where the integrasjonspunkt answers.
    #[serde(default)]
    pub management: Management,
    /// Signed metadata.
    pub repository: Repository,
    /// Its name in the list of versions.
    pub product: String,
    /// Its name among the targets; `{version}` is replaced. None: `<product>-{version}.wasm`.
    pub file: Option<String>,
    /// How fetching is limited.
    #[serde(default)]
    pub download: Download,
    /// How a swap is judged.
    #[serde(default)]
    pub launch: Launch,
    /// Versions that failed.
    #[serde(default = "blocking")]
    pub blocklist: Blocklist,
    /// What happens after a swap.
    #[serde(default = "soaking")]
    pub soak: Soak,
}

impl Target {
    pub(super) fn resolve_paths(&mut self, base: &Path) {
        let fix = |path: &mut PathBuf| *path = base.join(&*path);
        if let Some(java) = &mut self.java {
            fix(&mut java.home);
            java.keys.iter_mut().for_each(fix);
            // A bare name is looked for where programs are.
            if java.java.components().count() > 1 {
                fix(&mut java.java);
            }
            java.management.resolve_paths(base);
            java.soak.resolve_paths(base);
        }
        if let Some(own) = &mut self.budstikke {
            [&mut own.home, &mut own.config, &mut own.repository.root]
                .into_iter()
                .for_each(fix);
            own.backups.as_mut().map(fix);
            own.management.resolve_paths(base);
            own.soak.resolve_paths(base);
        }
        if let Some(plugin) = &mut self.plugin {
            [&mut plugin.folder, &mut plugin.repository.root]
                .into_iter()
                .for_each(fix);
            plugin.management.resolve_paths(base);
            plugin.soak.resolve_paths(base);
        }
    }
}
