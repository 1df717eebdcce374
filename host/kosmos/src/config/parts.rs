//! What targets have in common: where one answers, how it is fetched, started, stopped and watched.

use std::path::{Path, PathBuf};
use std::time::Duration;

use budstikke_settings::Secret;
use budstikke_settings::quantity::{size, time};
use serde::Deserialize;

use super::resolve;

/// Where an integrasjonspunkt answers for itself. Spec: KOSMOS, 5.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Management {
    /// Root of the integrasjonspunkt.
    pub url: String,
    /// In place of `<url>/manage/info`.
    pub info_url: Option<String>,
    /// In place of `<url>/manage/health`.
    pub health_url: Option<String>,
    /// In place of `<url>/manage/shutdown`.
    pub shutdown_url: Option<String>,
    /// In place of `<url>/manage/prometheus`.
    pub metrics_url: Option<String>,
    /// An operator's name.
    pub user: Option<String>,
    /// And password.
    pub password: Option<Secret>,
    /// PEM file with more certificate authorities.
    pub extra_authorities: Option<PathBuf>,
    /// Time to connect.
    #[serde(deserialize_with = "time")]
    pub connect_time: Duration,
    /// Time from a request to its answer.
    #[serde(deserialize_with = "time")]
    pub read_time: Duration,
}

impl Default for Management {
    fn default() -> Self {
        Self {
            url: "http://localhost:9093".into(),
            info_url: None,
            health_url: None,
            shutdown_url: None,
            metrics_url: None,
            user: None,
            password: None,
            extra_authorities: None,
            connect_time: Duration::from_secs(5),
            read_time: Duration::from_secs(5),
        }
    }
}

/// A TUF repository.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Repository {
    /// `root.json` that was brought by a way that is trusted.
    pub root: PathBuf,
    /// Where metadata are; `http:`, `https:` or `file:`.
    pub metadata_url: String,
    /// Where targets are.
    pub targets_url: String,
    /// Name of the list of versions among the targets.
    #[serde(default = "versions_file")]
    pub versions: String,
}

fn versions_file() -> String {
    "versions.yml".into()
}

/// How fetching is limited.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Download {
    /// Time to connect.
    #[serde(deserialize_with = "time")]
    pub connect_time: Duration,
    /// Silence that is tolerated.
    #[serde(deserialize_with = "time")]
    pub silence_time: Duration,
    /// Time for the whole of a file.
    #[serde(deserialize_with = "time")]
    pub most_time: Duration,
    /// Bytes of a file.
    #[serde(deserialize_with = "size")]
    pub size: u64,
}

impl Default for Download {
    fn default() -> Self {
        Self {
            connect_time: Duration::from_secs(5),
            silence_time: Duration::from_mins(1),
            most_time: Duration::from_hours(1),
            size: 1 << 30,
        }
    }
}

/// How a start is judged.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Launch {
    /// Between two looks.
    #[serde(deserialize_with = "time")]
    pub poll: Duration,
    /// Until it must be ready.
    #[serde(deserialize_with = "time")]
    pub time: Duration,
    /// What it prints goes to our log as well.
    pub include_log: bool,
}

impl Default for Launch {
    fn default() -> Self {
        Self {
            poll: Duration::from_secs(1),
            time: Duration::from_secs(150),
            include_log: false,
        }
    }
}

/// How it is stopped.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Shutdown {
    /// Looks after the request.
    pub retries: u32,
    /// Before each of them.
    #[serde(deserialize_with = "time")]
    pub poll: Duration,
    /// How long a process may take to end: after the looks, and again after SIGTERM. Then it is killed.
    #[serde(deserialize_with = "time")]
    pub grace: Duration,
}

impl Default for Shutdown {
    fn default() -> Self {
        Self {
            retries: 3,
            poll: Duration::from_secs(5),
            grace: Duration::from_mins(1),
        }
    }
}

/// Versions that failed.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Blocklist {
    /// On: a version that failed is noted.
    pub enabled: bool,
    /// For how long.
    pub hours: u32,
}

impl Default for Blocklist {
    fn default() -> Self {
        Self {
            enabled: false,
            hours: 2,
        }
    }
}

pub(super) fn blocking() -> Blocklist {
    Blocklist {
        enabled: true,
        ..Blocklist::default()
    }
}

/// What happens after a start: how long a version is watched before it counts as good, and what for.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Soak {
    /// Nothing: it counts as good when it is ready.
    #[serde(deserialize_with = "time")]
    pub time: Duration,
    /// Between two looks.
    #[serde(deserialize_with = "time")]
    pub poll: Duration,
    /// Looks in a row at which it was not well, and no more.
    pub failures: u32,
    /// What its counters may say.
    pub errors: Option<ErrorRate>,
    /// A message that it must bring somewhere.
    pub loop_back: Option<LoopBack>,
}

impl Default for Soak {
    fn default() -> Self {
        Self {
            time: Duration::ZERO,
            poll: Duration::from_secs(10),
            failures: 3,
            errors: None,
            loop_back: None,
        }
    }
}

pub(super) fn soaking() -> Soak {
    Soak {
        time: Duration::from_mins(10),
        ..Soak::default()
    }
}

/// `[targets.….soak.errors]`: a share of calls that fail.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct ErrorRate {
    /// Name of the counter in the metrics.
    pub counter: String,
    /// Label whose value says how a call ended.
    pub label: String,
    /// What the value of a failure begins with.
    pub failure: String,
    /// Per cent that may fail. The version before may have been worse: then twice its share.
    pub at_most: u32,
    /// Calls below which nothing is said.
    pub least: u64,
}

impl Default for ErrorRate {
    fn default() -> Self {
        Self {
            counter: "budstikke_http_answers_total".into(),
            label: "status".into(),
            failure: "5".into(),
            at_most: 5,
            least: 20,
        }
    }
}

/// `[targets.….soak.loop-back]`: a message that is sent once, and what must become of it.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct LoopBack {
    /// File with an SBD. Its message and conversation ids are made anew.
    pub sbd: PathBuf,
    /// Files of the message.
    #[serde(default)]
    pub files: Vec<PathBuf>,
    /// The status that it must reach.
    #[serde(default = "sent")]
    pub status: String,
    /// In this time.
    #[serde(default = "minutes", deserialize_with = "time")]
    pub time: Duration,
    /// Also taken out of the incoming queue, when it comes back to us.
    #[serde(default)]
    pub take: bool,
    /// A fagsystem's name.
    pub user: Option<String>,
    /// And password.
    pub password: Option<Secret>,
}

fn sent() -> String {
    "SENDT".into()
}

fn minutes() -> Duration {
    Duration::from_mins(2)
}

impl Management {
    pub(super) fn resolve_paths(&mut self, base: &Path) {
        if let Some(path) = &mut self.extra_authorities {
            *path = base.join(&*path);
        }
        resolve(&mut self.password, base);
    }
}

impl Soak {
    pub(super) fn resolve_paths(&mut self, base: &Path) {
        if let Some(loop_back) = &mut self.loop_back {
            loop_back.sbd = base.join(&loop_back.sbd);
            loop_back.files.iter_mut().for_each(|file| *file = base.join(&*file));
            resolve(&mut loop_back.password, base);
        }
    }
}
