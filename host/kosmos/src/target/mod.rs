//! What can be kept current: one trait, three kinds.

mod budstikke;
mod component;
mod jar;
mod release;

use std::path::PathBuf;
use std::time::Duration;

use async_trait::async_trait;
use budstikke_runtime::policy::Candidate;
use serde::{Deserialize, Serialize};

use crate::actuator::Actuator;
use crate::config::{self, Blocklist, Config, Launch, Management, Shutdown, Soak};
use crate::download::Progress;
use crate::markers::Markers;
use crate::trust::Untrusted;

/// Something that is kept current.
#[async_trait]
pub trait Target: Send + Sync {
    /// What the supervisor needs to know of every kind.
    fn common(&self) -> &Common;

    /// What runs, when the journal does not know. None: nobody knows.
    async fn current(&self) -> Option<String>;

    /// What the vendor approves for this environment: `latest` and `earlybird`. An error says why nothing is known.
    async fn approved(&self) -> Result<Vec<Candidate>, String>;

    /// The name of a version's file, for mails and log lines.
    fn file_name(&self, version: &str) -> String;

    /// Whether a version's file is on disk under its name.
    fn has(&self, version: &str) -> bool;

    /// Brings a version onto disk. Its file gets its name only when it is what its vendor made; what is not is removed.
    async fn fetch(&self, version: &str, progress: &Progress<'_>) -> Result<(), Untrusted>;

    /// Checks a version's file on disk. Nothing is started without it.
    async fn verify(&self, version: &str) -> Result<(), Untrusted>;

    /// How a version is run.
    fn way(&self, version: &str) -> Way;

    /// Keeps what runs now, so that it can be put back.
    async fn keep_present(&self, _version: &str) -> Result<(), String> {
        Ok(())
    }

    /// How the store is copied before a version that changes its schema; none when there is no need.
    async fn backup(&self, _from: &str, _to: &str) -> Option<Backup> {
        None
    }

    /// Removes versions that nobody needs any more, but for these.
    fn tidy(&self, _needed: &[&str]) {}

    /// Removes what a supervisor that was killed left half done. Only for the one that has the state folder.
    fn sweep(&self);

    /// The program that the supervisor goes on as after this version proved itself.
    fn successor(&self, _version: &str) -> Option<PathBuf> {
        None
    }
}

/// What is the same for all kinds.
pub struct Common {
    /// As the operator named it.
    pub name: String,
    /// Where the integrasjonspunkt answers.
    pub actuator: Actuator,
    /// How a start is judged.
    pub launch: Launch,
    /// How it is stopped.
    pub shutdown: Shutdown,
    /// Versions that failed.
    pub blocklist: Blocklist,
    /// What happens after a start.
    pub soak: Soak,
    /// Started again when it has ended.
    pub keep_alive: bool,
    /// `.blocklisted` and `.allowlisted`.
    pub markers: Markers,
}

impl Common {
    fn new(
        name: &str,
        management: &Management,
        launch: &Launch,
        blocklist: &Blocklist,
        soak: &Soak,
        markers: Markers,
    ) -> Result<Self, String> {
        Ok(Self {
            name: name.to_owned(),
            actuator: Actuator::new(management).map_err(|error| error.to_string())?,
            launch: launch.clone(),
            shutdown: Shutdown::default(),
            blocklist: blocklist.clone(),
            soak: soak.clone(),
            keep_alive: false,
            markers,
        })
    }
}

/// How a version is run.
pub enum Way {
    /// As a process.
    Program(Program),
    /// As a component in a plugin folder.
    Component(Component),
}

/// A process to be started.
#[derive(Debug)]
pub struct Program {
    /// What to run.
    pub program: PathBuf,
    /// With what.
    pub arguments: Vec<String>,
    /// In which folder.
    pub folder: PathBuf,
    /// Beginnings of names of environment variables that it does not get, in small letters.
    pub removed: Vec<String>,
    /// The file whose version it is, by which one that somebody else started is recognised.
    pub file: PathBuf,
}

/// A component to be put in its place.
#[derive(Debug)]
pub struct Component {
    /// The verified file.
    pub file: PathBuf,
    /// Its place in the plugin folder.
    pub place: PathBuf,
    /// The adapter that it becomes.
    pub adapter: String,
}

/// A copy of a store.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Backup {
    /// The program that makes it and puts it back: the old version.
    pub program: PathBuf,
    /// Its TOML file.
    pub config: PathBuf,
    /// Where the copy goes.
    pub folder: PathBuf,
}

/// Time for a copy of a store.
pub const BACKUP: Duration = Duration::from_hours(2);

/// What is configured, as targets.
pub fn all(config: &Config) -> Result<Vec<Box<dyn Target>>, String> {
    config.targets.iter().map(|target| of(config, target)).collect()
}

fn of(config: &Config, target: &config::Target) -> Result<Box<dyn Target>, String> {
    let named = |error: String| format!("target {}: {error}", target.name);
    let state = config.state.join(&target.name);
    std::fs::create_dir_all(&state).map_err(|error| named(format!("{}: {error}", state.display())))?;
    Ok(match (&target.java, &target.budstikke, &target.plugin) {
        (Some(java), ..) => Box::new(jar::Jar::new(config, &target.name, java).map_err(named)?),
        (_, Some(own), _) => Box::new(budstikke::Own::new(config, &target.name, own, &state).map_err(named)?),
        (_, _, Some(plugin)) => Box::new(component::Adapter::new(config, &target.name, plugin, &state).map_err(named)?),
        (None, None, None) => return Err(named("is of no kind".into())),
    })
}

/// The candidates that a list of versions makes.
fn candidates(
    versions: &crate::document::Versions,
    about: impl Fn(&str) -> (Option<u64>, Option<u32>),
) -> Vec<Candidate> {
    let named = [("latest", &versions.latest), ("earlybird", &versions.earlybird)];
    named
        .into_iter()
        .filter_map(|(channel, version)| {
            let version = version.clone()?;
            let (released, schema) = about(&version);
            Some(Candidate {
                version,
                channel: channel.into(),
                released,
                schema,
            })
        })
        .collect()
}
