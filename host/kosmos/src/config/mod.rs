//! `kosmos.toml`. Every key is described in `examples/kosmos.toml`; a Java KOSMOS' `kosmos-local.properties` is read into the same
//! ([`properties`]).

mod parts;
pub mod properties;
mod sense;
mod target;

pub use parts::{Blocklist, Download, ErrorRate, Launch, LoopBack, Management, Repository, Shutdown, Soak};
pub(crate) use sense::is_file_name;
pub use target::{Budstikke, Java, Plugin, Target};

use std::path::{Path, PathBuf};
use std::time::Duration;

use budstikke_settings::quantity::time;
use budstikke_settings::{File, Problems, Secret};
use serde::Deserialize;
use serde_json::{Map, Value};

/// The whole file.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Config {
    /// Which versions are meant for us.
    pub environment: Environment,
    /// Versions early.
    #[serde(default)]
    pub early_bird: bool,
    /// Where the supervisor keeps what it must not forget.
    #[serde(default = "state")]
    pub state: PathBuf,
    /// Who we are.
    pub organisation: Organisation,
    /// When to look.
    #[serde(default)]
    pub schedule: Schedule,
    /// Where the components of policies are; none: `plugins` beside the program.
    #[serde(default)]
    pub policy_folder: Option<PathBuf>,
    /// Who decides, first to last.
    #[serde(default = "policies")]
    pub policies: Vec<Policy>,
    /// What is kept current, first to last.
    #[serde(default)]
    pub targets: Vec<Target>,
    /// Who is told.
    #[serde(default)]
    pub notify: Notify,
}

fn state() -> PathBuf {
    PathBuf::from("kosmos")
}

/// A branch of the list of versions. Spec: KOSMOS, 3.2.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[allow(missing_docs, reason = "the names say it")]
pub enum Environment {
    Dev,
    Itest,
    Staging,
    Production,
}

impl Environment {
    /// As it stands in the list of versions.
    pub fn name(self) -> &'static str {
        match self {
            Self::Dev => "dev",
            Self::Itest => "itest",
            Self::Staging => "staging",
            Self::Production => "production",
        }
    }
}

/// `[organisation]`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Organisation {
    /// Nine digits.
    pub number: String,
}

/// `[schedule]`
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Schedule {
    /// Seconds, minutes, hours, day of the month, month, day of the week.
    pub cron: String,
    /// IANA name of the place whose clock counts.
    pub zone: String,
    /// Off: only at the start and on demand.
    pub enabled: bool,
}

impl Default for Schedule {
    fn default() -> Self {
        Self {
            cron: "0 30 5,19,21 * * MON-FRI".into(),
            zone: "Europe/Oslo".into(),
            enabled: true,
        }
    }
}

/// `[[policies]]`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Policy {
    /// For log lines and decisions.
    pub name: String,
    /// File in the folder of policies.
    pub component: String,
    /// Its own settings.
    #[serde(default)]
    pub settings: Map<String, Value>,
}

fn policies() -> Vec<Policy> {
    vec![Policy::standard(Map::new())]
}

impl Policy {
    /// What the Java KOSMOS decides.
    pub fn standard(settings: Map<String, Value>) -> Self {
        Self {
            name: "standard".into(),
            component: "policy-standard.wasm".into(),
            settings,
        }
    }
}

/// `[notify]`
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Notify {
    /// By mail.
    pub mail: Option<Mail>,
    /// By HTTP.
    pub webhook: Option<Webhook>,
}

/// `[notify.mail]`. Spec: KOSMOS, 12.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Mail {
    /// The server.
    pub host: String,
    /// Its port; none: what goes with `tls`.
    pub port: Option<u16>,
    /// How the connection is protected.
    #[serde(default)]
    pub tls: MailTls,
    /// PEM file with more certificate authorities.
    pub extra_authorities: Option<PathBuf>,
    /// Name at the server.
    pub user: Option<String>,
    /// And password.
    pub password: Option<Secret>,
    /// Sender.
    pub from: String,
    /// Receiver.
    pub to: String,
    /// Stands after each subject.
    pub append_subject: Option<String>,
    /// Time for each step of the conversation.
    #[serde(default = "five", deserialize_with = "time")]
    pub time: Duration,
}

fn five() -> Duration {
    Duration::from_secs(5)
}

/// How a connection to a mail server is protected.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum MailTls {
    /// Not at all.
    None,
    /// STARTTLS, or no mail.
    #[default]
    Starttls,
    /// From the first byte.
    Wrapped,
}

/// `[notify.webhook]`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Webhook {
    /// Where to.
    pub url: String,
    /// What the body is signed with: `Budstikke-Signature`, HMAC-SHA256.
    pub secret: Option<Secret>,
    /// Time for a request.
    #[serde(default = "five", deserialize_with = "time")]
    pub time: Duration,
}

impl Config {
    /// Reads a file: TOML, or a Java KOSMOS' properties when its name ends in `.properties`. Relative paths count from the folder of
    /// the TOML file, and as Java counts them in properties. What is odd but no error goes to `warn`.
    pub fn read(path: &Path, warn: &mut dyn FnMut(String)) -> Result<Self, Problems> {
        if path.extension().is_some_and(|end| end == "properties") {
            properties::read(path, warn)
        } else {
            budstikke_settings::read(path)
        }
    }
}

impl File for Config {
    fn resolve_paths(&mut self, base: &Path) {
        let fix = |path: &mut PathBuf| *path = base.join(&*path);
        fix(&mut self.state);
        self.policy_folder.as_mut().map(fix);
        for target in &mut self.targets {
            target.resolve_paths(base);
        }
        if let Some(mail) = &mut self.notify.mail {
            mail.extra_authorities.as_mut().map(fix);
            resolve(&mut mail.password, base);
        }
        if let Some(webhook) = &mut self.notify.webhook {
            resolve(&mut webhook.secret, base);
        }
    }

    fn sense(&self, file: &Path, text: &str) -> Problems {
        let mut problems = Problems::default();
        sense::sense(self, &mut |key, what| problems.add(file, text, key, what));
        problems
    }
}

fn resolve(secret: &mut Option<Secret>, base: &Path) {
    if let Some(secret) = secret {
        secret.resolve_path(base);
    }
}

/// Secrets of a Java file stand in it.
pub(crate) fn plain(secret: String) -> Secret {
    Secret::Plain(secret)
}

#[cfg(test)]
mod tests {
    use super::*;

    const EXAMPLE: &str = include_str!("../../../../examples/kosmos.toml");

    /// What is wrong with a text, but for files that are not there.
    fn wrong(text: &str) -> Vec<String> {
        let read = budstikke_settings::parse::<Config>(text, Path::new("/etc/budstikke/kosmos.toml"));
        let problems = read.err().map(|problems| problems.0).unwrap_or_default();
        let told = problems.iter().map(ToString::to_string);
        told.filter(|told| !told.contains("no such file") && !told.contains("No such file"))
            .collect()
    }

    #[test]
    fn the_annotated_example_makes_sense_as_it_stands_and_with_everything_in_it() {
        assert_eq!(wrong(EXAMPLE), Vec::<String>::new());
        // What is commented out and is TOML; keys of tables that are commented out twice.
        let is_toml = |line: &str| {
            line.starts_with('[')
                || line
                    .split_once(" = ")
                    .is_some_and(|(key, _)| !key.is_empty() && key.chars().all(|c| c.is_ascii_lowercase() || c == '-'))
        };
        let mut lines: Vec<String> = EXAMPLE.lines().map(ToOwned::to_owned).collect();
        for _ in 0..2 {
            for line in &mut lines {
                if let Some(rest) = line.strip_prefix("# ")
                    && (is_toml(rest) || rest.starts_with("# "))
                {
                    *line = rest.to_owned();
                }
            }
        }
        let all = lines.join("\n");
        assert!(
            all.contains("\n[targets.plugin.repository]\n") && all.contains("\nself-update = false\n"),
            "{all}"
        );
        assert_eq!(wrong(&all), Vec::<String>::new());
    }
}
