//! A change of version, stage by stage, and the way back.

use std::process::Stdio;

use budstikke_runtime::policy::Outcome;
use jiff::Timestamp;

use super::{FIRST_PAUSE, Keeper, LOGS, LONGEST_PAUSE, Report, moment, seconds};
use crate::fail_point;
use crate::journal::{Change, Child, Stage};
use crate::launch;
use crate::notify::Event;
use crate::process::{self, Process};
use crate::soak;
use crate::target::{BACKUP, Backup, Way};
use crate::trust::digest;

impl Keeper {
    pub(super) async fn change_to(&mut self, from: Option<String>, to: String, reason: String) -> Report {
        let backup = match &from {
            Some(from) => self.target.backup(from, &to).await,
            None => None,
        };
        let error_rate = match &self.target.common().soak.errors {
            Some(errors) => soak::error_rate(&self.target.common().actuator, errors).await,
            None => None,
        };
        self.journal.change(|state| {
            state.change = Some(Change {
                mark: uuid::Uuid::new_v4().to_string(),
                from,
                to,
                reason,
                began: seconds(Timestamp::now()),
                stage: Stage::Stopping,
                failure: None,
                backup,
                started: false,
                restored: false,
                error_rate,
                until: 0,
                unwell: 0,
                looped_back: false,
            });
        });
        self.drive().await
    }

    /// Takes stage after stage.
    pub(super) async fn drive(&mut self) -> Report {
        loop {
            let Some(change) = self.journal.state().change.clone() else {
                return Report::good("done");
            };
            let ended = match change.stage {
                Stage::Stopping => self.stopping(&change).await,
                Stage::BackingUp => self.backing_up(&change).await,
                Stage::Starting => self.starting(&change).await,
                Stage::Soaking => Some(Report::good(format!(
                    "{} runs, and is watched until {}",
                    change.to,
                    moment(change.until)
                ))),
                Stage::GoingBack => Some(self.going_back(&change).await),
            };
            if let Some(report) = ended {
                return report;
            }
        }
    }

    fn stage(&mut self, stage: Stage) {
        self.journal.change(|state| {
            if let Some(change) = &mut state.change {
                change.stage = stage;
            }
        });
    }

    /// The new version is no good.
    pub(super) fn fail(&mut self, reason: &str) {
        self.journal.change(|state| {
            if let Some(change) = &mut state.change {
                change.failure = Some(reason.to_owned());
                change.stage = Stage::GoingBack;
            }
        });
    }

    /// What runs now, as far as it is a process that we know.
    fn process(&self, versions: &[Option<&String>]) -> Option<Process> {
        let state = self.journal.state();
        if let Some(child) = state.child.as_ref().filter(|child| child.process.is_alive()) {
            return Some(child.process);
        }
        // Started by somebody else, such as the Java KOSMOS before us.
        versions
            .iter()
            .flatten()
            .find_map(|version| match self.target.way(version) {
                Way::Program(program) => process::running(&program.file),
                Way::Component(_) => None,
            })
    }

    async fn stopping(&mut self, change: &Change) -> Option<Report> {
        fail_point::reached("stopping");
        if let Way::Component(_) = self.target.way(&change.to) {
            if let Some(from) = &change.from
                && let Err(error) = self.target.keep_present(from).await
            {
                return Some(self.give_up(change, &error));
            }
            self.stage(Stage::Starting);
            return None;
        }
        self.say("step 6 of 7: stopping what runs");
        let process = self.process(&[change.from.as_ref(), Some(&change.to)]);
        let common = self.target.common();
        if let Err(error) = launch::stop(&common.actuator, process, &common.shutdown).await {
            return Some(self.give_up(change, &error.0));
        }
        fail_point::reached("stopped");
        self.journal.change(|state| state.child = None);
        self.stage(if change.backup.is_some() {
            Stage::BackingUp
        } else {
            Stage::Starting
        });
        None
    }

    /// Nothing was changed, and nothing will be.
    fn give_up(&mut self, change: &Change, reason: &str) -> Report {
        let now = seconds(Timestamp::now());
        self.journal.change(|state| {
            state.change = None;
            state.attempted(&change.to, now, Outcome::Failed(reason.to_owned()));
        });
        self.tell(Event::Upgrade, false, &change.to, reason, reason.to_owned());
        Report::bad(format!("{}: {reason}", change.to))
    }

    async fn backing_up(&mut self, change: &Change) -> Option<Report> {
        if let Some(backup) = &change.backup {
            self.say(&format!("copying the store to {}", backup.folder.display()));
            // Half of one, when we were interrupted.
            drop(std::fs::remove_dir_all(&backup.folder));
            if let Err(error) = host(backup, "backup", &["--to"]).await {
                self.fail(&format!("the store could not be copied before: {error}"));
                return None;
            }
        }
        fail_point::reached("backed-up");
        self.stage(Stage::Starting);
        None
    }

    async fn starting(&mut self, change: &Change) -> Option<Report> {
        self.say(&format!("step 7 of 7: starting {}", change.to));
        if let Err(error) = self.target.verify(&change.to).await {
            self.fail(&error.to_string());
            return None;
        }
        self.journal.change(|state| {
            if let Some(change) = &mut state.change {
                change.started = true;
            }
        });
        let judged = self.start(&change.to, &change.mark).await;
        let log = self.log_of(&change.to, &judged);
        match judged {
            Ok(()) => {
                fail_point::reached("ready");
                let time = self.target.common().soak.time;
                let until = seconds(Timestamp::now()).saturating_add(time.as_secs());
                self.journal.change(|state| {
                    if state.installed.as_ref() != Some(&change.to) {
                        state.previous = change.from.clone().or_else(|| state.installed.clone());
                    }
                    state.installed = Some(change.to.clone());
                    if let Some(change) = &mut state.change {
                        change.stage = Stage::Soaking;
                        change.until = until;
                    }
                });
                self.tell(Event::Upgrade, true, &change.to, &change.reason, log);
                if time.is_zero() {
                    return Some(self.commit(change));
                }
                fail_point::reached("soaking");
            }
            Err(reason) => {
                self.say(&format!("{} does not start: {reason}", change.to));
                self.block(&change.to);
                self.fail(&reason);
                self.tell(Event::Upgrade, false, &change.to, &reason, log);
            }
        }
        None
    }

    /// Starts a verified version, or finds it started, and waits until it is ready. What is not is ended.
    async fn start(&mut self, version: &str, mark: &str) -> Result<(), String> {
        match self.target.way(version) {
            Way::Program(program) => {
                let log = launch::log_file(&self.folder, version);
                let process = if let Some(process) = process::marked(mark) {
                    process
                } else {
                    fail_point::reached("before-spawn");
                    // What it prints until the verdict is what is told.
                    if let Err(error) = process::rotate(&log, 0, LOGS) {
                        tracing::warn!(%error, "an old log cannot be put aside");
                    }
                    launch::spawn(&program, mark, &log).map_err(|error| error.to_string())?
                };
                self.journal.change(|state| {
                    state.child = Some(Child {
                        version: version.to_owned(),
                        process,
                        log,
                    });
                });
                fail_point::reached("spawn-noted");
                let common = self.target.common();
                let judged = launch::judge(&common.actuator, version, process, &common.launch).await;
                if judged.is_err() && process.is_alive() {
                    process.end(common.shutdown.grace).await;
                }
                judged.map_err(|error| error.0)
            }
            Way::Component(component) => {
                fail_point::reached("before-spawn");
                let sum = hex::encode(digest::sha256(&component.file).map_err(|error| error.to_string())?);
                launch::put(&component).map_err(|error| format!("{}: {error}", component.place.display()))?;
                fail_point::reached("after-spawn");
                let common = self.target.common();
                let judged = launch::judge_component(&common.actuator, &component.adapter, &sum, &common.launch).await;
                judged.map_err(|error| error.0)
            }
        }
    }

    /// What a start has printed; without a process, what there is to say.
    pub(super) fn log_of(&self, version: &str, judged: &Result<(), String>) -> String {
        let started = self
            .journal
            .state()
            .child
            .as_ref()
            .filter(|child| child.version == version);
        let said = || judged.as_ref().err().cloned().unwrap_or_default();
        let Some(child) = started else { return said() };
        let printed = launch::printed(&child.log);
        if self.target.common().launch.include_log {
            for line in printed.lines() {
                tracing::info!("[INCLUDED] {line}");
            }
        }
        if printed.is_empty() { said() } else { printed }
    }

    pub(super) fn commit(&mut self, change: &Change) -> Report {
        let now = Timestamp::now();
        self.target.common().markers.allow(&change.to, now);
        self.journal.change(|state| {
            state.good = Some(change.to.clone());
            state.change = None;
            state.attempted(&change.to, seconds(now), Outcome::Good);
        });
        fail_point::reached("committed");
        self.pause = FIRST_PAUSE;
        let state = self.journal.state();
        let needed: Vec<&str> = [&state.good, &state.previous, &state.installed]
            .into_iter()
            .flatten()
            .map(String::as_str)
            .collect();
        self.target.tidy(&needed);
        Report {
            successor: self.target.successor(&change.to),
            ..Report::good(format!("{} runs, and is good", change.to))
        }
    }

    async fn going_back(&mut self, change: &Change) -> Report {
        fail_point::reached("going-back");
        let failure = change
            .failure
            .clone()
            .unwrap_or_else(|| "it was to be taken back".into());
        self.say(&format!("going back from {}: {failure}", change.to));
        let came_back = self.put_back(change).await;
        let now = seconds(Timestamp::now());
        self.journal.change(|state| {
            // What is not restored stays to be done.
            let ended = state
                .change
                .take_if(|change| came_back.is_ok() || !change.must_restore());
            if ended.is_some() {
                state.attempted(&change.to, now, Outcome::Failed(failure.clone()));
            }
            if let (Some(from), Ok(_)) = (&change.from, &came_back) {
                state.installed = Some(from.clone());
                state.previous = None;
            }
        });
        if self.is_going_back() {
            // Nothing runs until it has succeeded.
            self.again = Timestamp::now().checked_add(self.pause).ok();
            self.pause = (self.pause * 2).min(LONGEST_PAUSE);
        }
        fail_point::reached("gone-back");
        match came_back {
            Ok(None) => Report::bad(format!("{}: {failure}; there is no version to go back to", change.to)),
            Ok(Some(log)) => {
                let from = change.from.clone().unwrap_or_default();
                self.tell(Event::Rollback, true, &from, &failure, log);
                Report::bad(format!("{}: {failure}; {from} runs again", change.to))
            }
            Err((reason, log)) => {
                let from = change.from.clone().unwrap_or_default();
                self.tell(Event::Rollback, false, &from, &reason, log);
                Report::bad(format!(
                    "{}: {failure}; and {from} does not come back: {reason}",
                    change.to
                ))
            }
        }
    }

    /// The old version, as it was. `Ok(None)`: there was none.
    async fn put_back(&mut self, change: &Change) -> Result<Option<String>, (String, String)> {
        let bare = |reason: String| (reason.clone(), reason);
        let mark = format!("{}-back", change.mark);
        // Started before we were interrupted: it is neither stopped nor robbed of what it has stored since.
        let runs_already = process::marked(&mark).is_some();
        if change.started && !runs_already && matches!(self.target.way(&change.to), Way::Program(_)) {
            let new = self.process(&[Some(&change.to)]);
            let common = self.target.common();
            launch::stop(&common.actuator, new, &common.shutdown)
                .await
                .map_err(|error| bare(error.0))?;
        }
        let Some(from) = change
            .from
            .clone()
            .filter(|from| self.target.has(from) && *from != change.to)
        else {
            return Ok(None);
        };
        if let Some(backup) = change.backup.as_ref().filter(|_| change.must_restore()) {
            self.say("putting back the copy of the store; what there is now is kept beside it");
            // Without its store the old version must not start: it would begin with an empty one.
            host(backup, "restore", &["--aside", "--from"]).await.map_err(|error| {
                bare(format!(
                    "the copy of the store cannot be put back ({error}); it is tried again soon. To go on by hand, put back {} and remove {}",
                    backup.folder.display(),
                    self.folder.join("journal.json").display()
                ))
            })?;
            self.journal.change(|state| {
                if let Some(change) = &mut state.change {
                    change.restored = true;
                }
            });
        }
        self.target
            .verify(&from)
            .await
            .map_err(|error| bare(error.to_string()))?;
        let judged = self.start(&from, &mark).await;
        let log = self.log_of(&from, &judged);
        judged.map(|()| Some(log.clone())).map_err(|reason| (reason, log))
    }
}

/// Calls a command of the host.
async fn host(backup: &Backup, command: &str, options: &[&str]) -> Result<(), String> {
    let run = tokio::process::Command::new(&backup.program)
        .arg(command)
        .arg("--config")
        .arg(&backup.config)
        .args(options)
        .arg(&backup.folder)
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output();
    let ended = tokio::time::timeout(BACKUP, run).await;
    let ended = ended.map_err(|_| format!("`{command}` took longer than {} s", BACKUP.as_secs()))?;
    let ended = ended.map_err(|error| format!("{}: {error}", backup.program.display()))?;
    if ended.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&ended.stderr);
    let last = said.lines().last().unwrap_or_default();
    Err(format!("`{command}` ended with {}: {last}", ended.status))
}
