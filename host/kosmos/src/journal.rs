//! What the supervisor must not forget when it is killed: written before each step, whole or not at all.

use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use budstikke_runtime::policy::{Attempt, Outcome};
use serde::{Deserialize, Serialize};

use crate::download::sync_folder;
use crate::process::Process;
use crate::target::Backup;

/// Attempts that are remembered.
const ATTEMPTS: usize = 50;

/// The state of one target.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "kebab-case")]
pub struct State {
    /// What was started last and became ready.
    pub installed: Option<String>,
    /// What proved itself last.
    pub good: Option<String>,
    /// What ran before `installed`.
    pub previous: Option<String>,
    /// What we have started.
    pub child: Option<Child>,
    /// What is being changed.
    pub change: Option<Change>,
    /// Newest first.
    pub attempts: Vec<Attempt>,
    /// When a candidate was seen for the first time, seconds since 1970.
    pub seen: Vec<(String, u64)>,
}

/// Something that was started.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Child {
    /// Which version.
    pub version: String,
    /// The process.
    pub process: Process,
    /// Where it prints.
    pub log: PathBuf,
}

/// A change of version under way.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Change {
    /// Names it, and marks the process that it starts.
    pub mark: String,
    /// What ran.
    pub from: Option<String>,
    /// What is to run.
    pub to: String,
    /// Why.
    pub reason: String,
    /// When it began, seconds since 1970.
    pub began: u64,
    /// How far it has come.
    pub stage: Stage,
    /// Why it is taken back.
    pub failure: Option<String>,
    /// A copy of the store from before.
    pub backup: Option<Backup>,
    /// The new version was started: it may have changed the store.
    pub started: bool,
    /// The copy was put back.
    #[serde(default)]
    pub restored: bool,
    /// The share of calls that failed before, per cent.
    pub error_rate: Option<f64>,
    /// Until when it is watched, seconds since 1970.
    pub until: u64,
    /// Looks in a row at which it was not well.
    pub unwell: u32,
    /// The message that it had to bring was brought.
    pub looped_back: bool,
}

impl Change {
    /// The new version may have changed the store, and the copy from before was not put back yet.
    pub fn must_restore(&self) -> bool {
        self.backup.is_some() && self.started && !self.restored
    }
}

/// The step that is being taken: written before it begins, so that it can be taken again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Stage {
    /// The old one is stopped.
    Stopping,
    /// The store is copied.
    BackingUp,
    /// The new one is started.
    Starting,
    /// It runs and is watched.
    Soaking,
    /// The old one is put back.
    GoingBack,
}

impl State {
    /// Remembers how a change ended.
    pub fn attempted(&mut self, version: &str, at: u64, outcome: Outcome) {
        self.attempts.insert(
            0,
            Attempt {
                version: version.to_owned(),
                at,
                outcome,
            },
        );
        self.attempts.truncate(ATTEMPTS);
    }

    /// When a version was seen first; now, when it is new.
    pub fn first_seen(&mut self, version: &str, now: u64) -> u64 {
        if let Some((_, at)) = self.seen.iter().find(|(known, _)| known == version) {
            return *at;
        }
        self.seen.insert(0, (version.to_owned(), now));
        self.seen.truncate(ATTEMPTS);
        now
    }
}

/// The file.
#[derive(Debug)]
pub struct Journal {
    path: PathBuf,
    state: State,
}

/// It cannot be read or written.
#[derive(Debug, thiserror::Error)]
#[error("{}: {reason}", path.display())]
pub struct JournalError {
    path: PathBuf,
    reason: String,
}

impl Journal {
    /// Opens it; an absent one is empty.
    pub fn open(path: &Path) -> Result<Self, JournalError> {
        let failed = |reason: String| JournalError {
            path: path.to_owned(),
            reason,
        };
        let state = match fs::read(path) {
            Ok(bytes) => serde_json::from_slice(&bytes).map_err(|error| {
                failed(format!(
                    "is damaged ({error}); remove it when you know which version is good"
                ))
            })?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => State::default(),
            Err(error) => return Err(failed(error.to_string())),
        };
        Ok(Self {
            path: path.to_owned(),
            state,
        })
    }

    /// What it says.
    pub fn state(&self) -> &State {
        &self.state
    }

    /// Changes it. What cannot be written, as on a full disk, holds all the same until the process ends: going back must not wait for a disk.
    pub fn change(&mut self, change: impl FnOnce(&mut State)) {
        change(&mut self.state);
        let written = serde_json::to_vec_pretty(&self.state)
            .map_err(io::Error::other)
            .and_then(|bytes| write(&self.path, &bytes));
        if let Err(error) = written {
            tracing::error!(path = %self.path.display(), %error, "the journal cannot be written; going on without");
        }
    }
}

/// Writes a file whole or not at all, durably.
pub fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let fresh = path.with_extension("new");
    let mut file = fs::File::create(&fresh)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(&fresh, path)?;
    sync_folder(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_the_same_after_it_was_opened_again() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("journal.json");
        let mut journal = Journal::open(&path).unwrap();
        assert_eq!(journal.state(), &State::default());
        journal.change(|state| {
            state.good = Some("v4.0.8".into());
            for number in 0..60 {
                state.attempted(&format!("1.0.{number}"), number, Outcome::Good);
            }
            assert_eq!(state.first_seen("v4.0.9", 7), 7);
            assert_eq!(state.first_seen("v4.0.9", 9), 7);
        });
        let again = Journal::open(&path).unwrap();
        assert_eq!(again.state(), journal.state());
        assert_eq!(again.state().attempts.len(), ATTEMPTS);
        assert_eq!(again.state().attempts[0].version, "1.0.59");
    }

    #[test]
    fn a_damaged_one_is_not_taken_for_an_empty_one() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("journal.json");
        fs::write(&path, "{\"good\": \"v4").unwrap();
        assert!(Journal::open(&path).unwrap_err().to_string().contains("is damaged"));
    }

    #[test]
    fn it_goes_on_when_nothing_can_be_written() {
        let folder = tempfile::tempdir().unwrap();
        let mut journal = Journal::open(&folder.path().join("gone/journal.json")).unwrap();
        journal.change(|state| state.good = Some("1".into()));
        assert_eq!(journal.state().good.as_deref(), Some("1"));
    }
}
