//! Telling people: last, apart, and never in the way. A notice is a file until it was taken. Spec: KOSMOS, 12; sharp edge 5.

mod mail;
mod webhook;

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use crate::config::{self, Notify};
use crate::journal;

/// After a failure: the first pause; each one is twice as long as the one before.
const PAUSE: Duration = Duration::from_secs(5);
/// The longest one.
const LONGEST: Duration = Duration::from_mins(10);
/// A notice that nobody took in this time is dropped, hours.
const LIFE: i64 = 24;
/// Between two looks for new ones.
const LOOK: Duration = Duration::from_millis(200);

/// What happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Event {
    /// A version was started.
    Upgrade,
    /// The one before was put back.
    Rollback,
}

/// Something to be told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Notice {
    /// What happened.
    pub event: Event,
    /// Whether it went well.
    pub success: bool,
    /// To what.
    pub target: String,
    /// Which version.
    pub version: String,
    /// Its file.
    pub file: String,
    /// When.
    pub at: Timestamp,
    /// Why, in plain words.
    pub reason: String,
    /// What it printed until the verdict.
    pub log: String,
}

impl Notice {
    /// The subject of a mail.
    pub fn subject(&self, appended: Option<&str>) -> String {
        let event = match self.event {
            Event::Upgrade => "Upgrade",
            Event::Rollback => "Rollback",
        };
        let outcome = if self.success { "SUCCESS" } else { "FAILED" };
        let end = appended.map(|text| format!(" - {text}")).unwrap_or_default();
        format!("{event} {outcome} {}{end}", self.file)
    }
}

/// Where notices wait.
#[derive(Debug, Clone)]
pub struct Notices {
    folder: PathBuf,
    wanted: Vec<&'static str>,
}

const MAIL: &str = "mail";
const WEBHOOK: &str = "webhook";

impl Notices {
    /// Makes the folder.
    pub fn open(folder: &Path, notify: &Notify) -> std::io::Result<Self> {
        fs::create_dir_all(folder)?;
        let wanted = [
            notify.mail.is_some().then_some(MAIL),
            notify.webhook.is_some().then_some(WEBHOOK),
        ];
        Ok(Self {
            folder: folder.to_owned(),
            wanted: wanted.into_iter().flatten().collect(),
        })
    }

    /// Keeps a notice for each way. What cannot be kept is only logged: it must not stop what it tells of.
    pub fn tell(&self, notice: &Notice) {
        tracing::info!(
            target_name = notice.target,
            reason = notice.reason,
            "{}",
            notice.subject(None)
        );
        for way in &self.wanted {
            let name = format!(
                "{}-{}.{way}.json",
                notice.at.as_millisecond(),
                uuid::Uuid::new_v4().simple()
            );
            let written = serde_json::to_vec(notice).map_err(std::io::Error::other);
            let written = written.and_then(|bytes| journal::write(&self.folder.join(name), &bytes));
            if let Err(error) = written {
                tracing::error!(%error, way, "a notice cannot be kept, and is not sent");
            }
        }
    }

    fn waiting(&self, way: &str) -> Vec<PathBuf> {
        let end = format!(".{way}.json");
        let entries = fs::read_dir(&self.folder).into_iter().flatten();
        let mut waiting: Vec<PathBuf> = entries
            .filter_map(|entry| Some(entry.ok()?.path()))
            .filter(|path| path.to_string_lossy().ends_with(&end))
            .collect();
        waiting.sort();
        waiting
    }

    /// Whether anything waits.
    pub fn is_empty(&self) -> bool {
        self.wanted.iter().all(|way| self.waiting(way).is_empty())
    }
}

/// A way to people.
enum To<'a> {
    Mail(&'a config::Mail),
    Webhook(&'a config::Webhook),
}

impl To<'_> {
    async fn send(&self, notice: &Notice) -> Result<(), String> {
        match self {
            Self::Mail(settings) => mail::send(settings, notice).await,
            Self::Webhook(settings) => webhook::post(settings, notice).await,
        }
    }
}

/// Sends what waits until told to stop.
pub async fn run(notices: Notices, notify: Notify, stop: CancellationToken) {
    let mail = async {
        if let Some(settings) = &notify.mail {
            one_way(&notices, MAIL, To::Mail(settings)).await;
        }
    };
    let webhook = async {
        if let Some(settings) = &notify.webhook {
            one_way(&notices, WEBHOOK, To::Webhook(settings)).await;
        }
    };
    tokio::select! {
        () = stop.cancelled() => {}
        _ = futures::future::join(mail, webhook) => {}
    }
}

async fn one_way(notices: &Notices, way: &str, to: To<'_>) {
    let mut pause = PAUSE;
    loop {
        let Some(path) = notices.waiting(way).into_iter().next() else {
            sleep(LOOK).await;
            continue;
        };
        let notice = fs::read(&path).map_err(|error| error.to_string());
        let notice =
            notice.and_then(|bytes| serde_json::from_slice::<Notice>(&bytes).map_err(|error| error.to_string()));
        let notice = match notice {
            Ok(notice) => notice,
            Err(error) => {
                tracing::error!(path = %path.display(), error, "a notice cannot be read, and is dropped");
                drop(fs::remove_file(&path));
                continue;
            }
        };
        let old = Timestamp::now().as_second() - notice.at.as_second() >= LIFE * 3600;
        match to.send(&notice).await {
            Ok(()) => pause = PAUSE,
            Err(error) if old => {
                tracing::error!(error, way, "a notice was not taken for a day, and is dropped");
            }
            Err(error) => {
                tracing::warn!(
                    error,
                    way,
                    seconds = pause.as_secs(),
                    "a notice was not taken; trying again"
                );
                sleep(pause).await;
                pause = (pause * 2).min(LONGEST);
                continue;
            }
        }
        if let Err(error) = fs::remove_file(&path) {
            tracing::error!(path = %path.display(), %error, "a notice that was sent cannot be removed; nothing more is sent this way");
            return;
        }
    }
}
