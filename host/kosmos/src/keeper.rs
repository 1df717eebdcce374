//! One target, kept current: the seven steps, and the way back.
//!
//! A change of version is a row of stages, each written down before it begins. Whoever finds a change in the journal goes on with its
//! stage, however the one before was interrupted: every stage can be taken again.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use budstikke_runtime::policy::{Candidate, Cause, Decision, Outcome, Situation};
use jiff::{SignedDuration, Timestamp};
use tokio::sync::broadcast;
use tokio::time::sleep;

use crate::actuator::Health;
use crate::config::Config;
use crate::fail_point;
use crate::journal::{Change, Child, Journal, Stage, State};
use crate::judge::{Judge, Record, Records};
use crate::launch;
use crate::notify::{Event, Notice, Notices};
use crate::process::{self, Process};
use crate::soak;
use crate::target::{BACKUP, Backup, Target, Way};
use crate::trust::digest;
use crate::version::same;

/// Looks at a process that is not well, before it is started anew.
const SECOND_LOOKS: u32 = 3;
/// Bytes of a log file, and how many of them are kept.
const LOG: u64 = 10 << 20;
const LOGS: usize = 8;
/// Pauses between starts of something that ends by itself.
const FIRST_PAUSE: Duration = Duration::from_secs(5);
const LONGEST_PAUSE: Duration = Duration::from_mins(5);

/// See the module.
pub struct Keeper {
    target: Box<dyn Target>,
    journal: Journal,
    folder: PathBuf,
    records: Records,
    notices: Notices,
    voice: broadcast::Sender<String>,
    /// A decision says: not before.
    again: Option<Timestamp>,
    looked: Option<Timestamp>,
    pause: Duration,
    ended: Option<Timestamp>,
}

/// How a run ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// Whether the run went as it should.
    pub good: bool,
    /// What came of it.
    pub text: String,
    /// The supervisor is to go on as this program.
    pub successor: Option<PathBuf>,
}

impl Report {
    fn good(text: impl Into<String>) -> Self {
        Self {
            good: true,
            text: text.into(),
            successor: None,
        }
    }

    fn bad(text: impl Into<String>) -> Self {
        Self {
            good: false,
            ..Self::good(text)
        }
    }
}

fn seconds(at: Timestamp) -> u64 {
    u64::try_from(at.as_second()).unwrap_or_default()
}

fn moment(seconds: u64) -> Timestamp {
    i64::try_from(seconds)
        .ok()
        .and_then(|seconds| Timestamp::from_second(seconds).ok())
        .unwrap_or(Timestamp::MAX)
}

/// What was found in the first two steps.
struct Found {
    current: Option<String>,
    health: Health,
    approved: Result<Vec<Candidate>, String>,
}

impl Keeper {
    /// `folder`: a folder of its own.
    pub fn new(
        target: Box<dyn Target>,
        folder: &Path,
        records: Records,
        notices: Notices,
        voice: broadcast::Sender<String>,
    ) -> Result<Self, crate::journal::JournalError> {
        Ok(Self {
            journal: Journal::open(&folder.join("journal.json"))?,
            target,
            folder: folder.to_owned(),
            records,
            notices,
            voice,
            again: None,
            looked: None,
            pause: FIRST_PAUSE,
            ended: None,
        })
    }

    /// As the operator named it.
    pub fn name(&self) -> &str {
        &self.target.common().name
    }

    /// What it must not forget.
    pub fn state(&self) -> &State {
        self.journal.state()
    }

    /// Tells everybody who listens.
    fn say(&self, text: &str) {
        tracing::info!(target_name = self.name(), "{text}");
        // Nobody listens as a rule.
        let _nobody = self.voice.send(format!("{}: {text}", self.name()));
        let status = serde_json::json!({ "at": Timestamp::now(), "doing": text });
        let written = crate::journal::write(&self.folder.join("status.json"), status.to_string().as_bytes());
        if let Err(error) = written {
            tracing::debug!(%error, "the status cannot be written");
        }
    }

    /// What runs, and what could.
    async fn find(&mut self) -> Found {
        self.say("step 1 of 7: finding the current version");
        let answered = self.target.current().await;
        let state = self.journal.state();
        let current = answered
            .or_else(|| state.installed.clone())
            .or_else(|| state.good.clone());
        // As it is written on disk, `v` included.
        let known = [&state.installed, &state.good].into_iter().flatten();
        let current = current.map(|version| {
            known
                .clone()
                .find(|known| same(known, &version))
                .cloned()
                .unwrap_or(version)
        });
        let health = self.target.common().actuator.health().await;
        self.say(&format!(
            "the current version is {}, and {health}",
            current.as_deref().unwrap_or("not known")
        ));
        self.say("step 2 of 7: finding the newest approved version");
        let approved = self.target.approved().await;
        Found {
            current,
            health,
            approved,
        }
    }

    /// Asks the policies.
    async fn decide(&mut self, judge: &Judge, config: &Config, cause: Cause, found: &Found) -> Record {
        let now = Timestamp::now();
        let mut candidates = found.approved.clone().unwrap_or_default();
        for candidate in &mut candidates {
            let mut first = seconds(now);
            self.journal
                .change(|state| first = state.first_seen(&candidate.version, first));
            candidate.released.get_or_insert(first);
        }
        let state = self.journal.state();
        for version in [&state.good, &state.previous, &state.installed].into_iter().flatten() {
            if self.target.has(version) && !candidates.iter().any(|candidate| candidate.version == *version) {
                candidates.push(Candidate {
                    version: version.clone(),
                    channel: "on-disk".into(),
                    released: None,
                    schema: None,
                });
            }
        }
        let common = self.target.common();
        let blocked = if common.blocklist.enabled {
            common.markers.blocked(now)
        } else {
            Vec::new()
        };
        let situation = Situation {
            target: common.name.clone(),
            organisation: config.organisation.number.clone(),
            environment: config.environment.name().into(),
            early_bird: config.early_bird,
            cause,
            now: seconds(now),
            zone: config.schedule.zone.clone(),
            current: found.current.clone(),
            healthy: found.health == Health::Up,
            last_good: state.good.clone().or_else(|| common.markers.allowed()),
            previous: state.previous.clone().filter(|version| self.target.has(version)),
            candidates,
            blocked,
            attempts: state.attempts.clone(),
            proposal: None,
            settings: serde_json::Map::new(),
        };
        judge.decide(situation, now).await
    }

    /// What would be done, and why; nothing is changed.
    pub async fn plan(&mut self, judge: &Judge, config: &Config) -> Result<Record, String> {
        let found = self.find().await;
        if let Err(reason) = &found.approved {
            return Err(reason.clone());
        }
        Ok(self.decide(judge, config, Cause::Demand, &found).await)
    }

    /// Goes on with a change that was interrupted.
    pub async fn resume(&mut self) -> Option<Report> {
        let change = self.journal.state().change.clone()?;
        self.say(&format!(
            "going on with the change to {}, which was interrupted",
            change.to
        ));
        Some(self.drive().await)
    }

    /// One run.
    pub async fn run(&mut self, judge: &Judge, config: &Config, cause: Cause) -> Report {
        if let Some(change) = self.journal.state().change.clone() {
            let text = format!("version {} is being watched until {}", change.to, moment(change.until));
            self.say(&text);
            return Report::good(text);
        }
        tracing::info!(target_name = self.name(), "Starting synchronization");
        self.again = None;
        let report = self.synchronise(judge, config, cause).await;
        self.say(&report.text);
        tracing::info!(target_name = self.name(), "Finished synchronization");
        report
    }

    async fn synchronise(&mut self, judge: &Judge, config: &Config, cause: Cause) -> Report {
        let found = self.find().await;
        if let Err(reason) = &found.approved {
            // What should run must run, whatever became of the list.
            let running = self.keep_running(&found).await;
            return Report::bad(format!("{reason}; {}", running.text));
        }
        self.say("step 3 of 7: asking whether it may run here");
        let record = self.decide(judge, config, cause, &found).await;
        self.records.keep(&record);
        self.say(&format!("decided: {} ({})", record.decision, record.id));
        fail_point::reached("decided");
        match record.decision {
            Decision::Stay(reason) | Decision::Pass(reason) => {
                let running = self.keep_running(&found).await;
                Report {
                    text: format!("{reason}; {}", running.text),
                    ..running
                }
            }
            Decision::GoBack(reason) => match self.journal.state().previous.clone() {
                Some(version) if self.target.has(&version) => self.change_to(found.current, version, reason).await,
                _ => Report::bad(format!("{reason}; but there is no version to go back to")),
            },
            Decision::Update {
                version,
                reason,
                not_before,
            } => {
                let now = Timestamp::now();
                if let Some(at) = not_before.map(moment).filter(|at| *at > now) {
                    self.again = Some(at);
                    let running = self.keep_running(&found).await;
                    return Report {
                        text: format!("{reason}; {version} is installed at {at}; {}", running.text),
                        ..running
                    };
                }
                if found.current.as_ref().is_some_and(|current| same(current, &version)) {
                    return self.keep_running(&found).await;
                }
                let offered = record
                    .situation
                    .candidates
                    .iter()
                    .any(|candidate| candidate.version == version);
                if !offered {
                    let running = self.keep_running(&found).await;
                    return Report::bad(format!(
                        "{version} was decided, and is not among the candidates; {}",
                        running.text
                    ));
                }
                let fetched = self.bring(&version).await;
                match fetched {
                    Ok(()) => self.change_to(found.current, version, reason).await,
                    Err(error) => {
                        let running = self.keep_running(&found).await;
                        Report::bad(format!("{version}: {error}; {}", running.text))
                    }
                }
            }
        }
    }

    /// Fetches and verifies.
    async fn bring(&mut self, version: &str) -> Result<(), String> {
        if self.target.has(version) {
            self.say("step 4 of 7: nothing to download, the file is here");
        } else {
            self.say(&format!("step 4 of 7: downloading {}", self.target.file_name(version)));
            let said = std::sync::Mutex::new(0);
            let progress = |done: u64, all: Option<u64>| {
                let percent = all.filter(|all| *all > 0).map(|all| done * 100 / all);
                let mut said = said.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
                if percent.is_none_or(|percent| percent > *said) && done > 0 {
                    *said = percent.unwrap_or_default();
                    let of = percent.map(|percent| format!(", {percent} %")).unwrap_or_default();
                    self.say(&format!("downloading {version}: {done} bytes{of}"));
                }
            };
            let fetched = self.target.fetch(version, &progress).await;
            fetched.map_err(|error| {
                let error = error.to_string();
                if error.contains("Invalid artifact signature") {
                    self.block(version);
                }
                error
            })?;
            fail_point::reached("fetched");
        }
        self.say("step 5 of 7: verifying");
        self.target.verify(version).await.map_err(|error| error.to_string())?;
        fail_point::reached("verified");
        Ok(())
    }

    fn block(&self, version: &str) {
        let common = self.target.common();
        if common.blocklist.enabled {
            let until = Timestamp::now() + SignedDuration::from_hours(common.blocklist.hours.into());
            common.markers.block(version, until);
        }
    }

    /// Sees to it that something good runs.
    async fn keep_running(&mut self, found: &Found) -> Report {
        if found.health == Health::Up {
            return Report::good(format!(
                "{} goes on running",
                found.current.as_deref().unwrap_or("what answers")
            ));
        }
        for _ in 0..SECOND_LOOKS {
            if found.health == Health::Gone {
                break;
            }
            sleep(self.target.common().shutdown.poll).await;
            if self.target.common().actuator.health().await == Health::Up {
                return Report::good("it was not well, and is again");
            }
        }
        let state = self.journal.state();
        let marker = self.target.common().markers.allowed();
        let known = [&found.current, &state.good, &marker, &state.previous];
        let version = known
            .into_iter()
            .flatten()
            .find(|version| self.target.has(version))
            .cloned();
        match version {
            Some(version) if matches!(self.target.way(&version), Way::Program(_)) => {
                let from = self.journal.state().good.clone().filter(|good| !same(good, &version));
                self.change_to(from, version, format!("it {}", found.health)).await
            }
            Some(_) => Report::bad(format!("the integrasjonspunkt {}", found.health)),
            None => Report::bad(format!("it {}, and there is no version here to start", found.health)),
        }
    }

    async fn change_to(&mut self, from: Option<String>, to: String, reason: String) -> Report {
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
                error_rate,
                until: 0,
                unwell: 0,
                looped_back: false,
            });
        });
        self.drive().await
    }

    /// Takes stage after stage.
    async fn drive(&mut self) -> Report {
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
    fn fail(&mut self, reason: &str) {
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
    fn log_of(&self, version: &str, judged: &Result<(), String>) -> String {
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

    fn commit(&mut self, change: &Change) -> Report {
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
            state.change = None;
            state.attempted(&change.to, now, Outcome::Failed(failure.clone()));
            if let (Some(from), Ok(_)) = (&change.from, &came_back) {
                state.installed = Some(from.clone());
                state.previous = None;
            }
        });
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
        let program = matches!(self.target.way(&change.to), Way::Program(_));
        if program {
            let new = self.process(&[Some(&change.to)]);
            let common = self.target.common();
            if change.started {
                launch::stop(&common.actuator, new, &common.shutdown)
                    .await
                    .map_err(|error| bare(error.0))?;
            }
        }
        let Some(from) = change
            .from
            .clone()
            .filter(|from| self.target.has(from) && *from != change.to)
        else {
            return Ok(None);
        };
        if let Some(backup) = change.backup.as_ref().filter(|_| change.started) {
            self.say("putting back the copy of the store; what there is now is kept beside it");
            if let Err(error) = host(backup, "restore", &["--aside", "--from"]).await {
                tracing::error!(error, "the copy of the store cannot be put back");
            }
        }
        self.target
            .verify(&from)
            .await
            .map_err(|error| bare(error.to_string()))?;
        let judged = self.start(&from, &format!("{}-back", change.mark)).await;
        let log = self.log_of(&from, &judged);
        judged.map(|()| Some(log.clone())).map_err(|reason| (reason, log))
    }

    fn tell(&self, event: Event, success: bool, version: &str, reason: &str, log: String) {
        self.notices.tell(&Notice {
            event,
            success,
            target: self.name().to_owned(),
            version: version.to_owned(),
            file: self.target.file_name(version),
            at: Timestamp::now(),
            reason: reason.to_owned(),
            log,
        });
    }

    /// A look in between: at what is being watched, at what has ended, at what waits for its time. Some: a run is due, or was made.
    pub async fn look(&mut self) -> Option<Due> {
        let now = Timestamp::now();
        if let Some(change) = self.journal.state().change.clone() {
            let poll =
                SignedDuration::try_from(self.target.common().soak.poll).unwrap_or(SignedDuration::from_secs(10));
            // A clock that was set back must not stop the looks.
            let lately = self.looked.is_some_and(|at| now >= at && now.duration_since(at) < poll);
            if lately {
                return None;
            }
            self.looked = Some(now);
            return self.watch(&change, now).await.map(Due::Done);
        }
        if let Some(child) = &self.journal.state().child {
            if let Err(error) = process::rotate(&child.log, LOG, LOGS) {
                tracing::warn!(log = %child.log.display(), %error, "a long log cannot be put aside");
            }
            if self.target.common().keep_alive && !child.process.is_alive() {
                let ended = *self.ended.get_or_insert(now);
                let pause = SignedDuration::try_from(self.pause).unwrap_or(SignedDuration::ZERO);
                if now < ended || now.duration_since(ended) >= pause {
                    self.ended = None;
                    self.pause = (self.pause * 2).min(LONGEST_PAUSE);
                    return Some(Due::Run(Cause::Ended));
                }
                return None;
            }
        }
        if self.again.is_some_and(|at| at <= now) {
            self.again = None;
            return Some(Due::Run(Cause::Schedule));
        }
        None
    }

    async fn watch(&mut self, change: &Change, now: Timestamp) -> Option<Report> {
        if let Err(reason) = self.is_well(change).await {
            self.say(&format!("{} does not last: {reason}", change.to));
            self.block(&change.to);
            self.fail(&reason);
            let log = self.log_of(&change.to, &Err(reason.clone()));
            self.tell(Event::Upgrade, false, &change.to, &reason, log);
            return Some(self.drive().await);
        }
        let looped = self.target.common().soak.loop_back.is_none()
            || self
                .journal
                .state()
                .change
                .as_ref()
                .is_some_and(|change| change.looped_back);
        if seconds(now) >= change.until && looped {
            let report = self.commit(change);
            self.say(&report.text);
            return Some(report);
        }
        None
    }

    async fn is_well(&mut self, change: &Change) -> Result<(), String> {
        let common = self.target.common();
        let (actuator, settings) = (common.actuator.clone(), common.soak.clone());
        let well = match self.target.way(&change.to) {
            Way::Program(_) => {
                let alive = self
                    .journal
                    .state()
                    .child
                    .as_ref()
                    .is_some_and(|child| child.process.is_alive());
                if !alive {
                    return Err("it has ended".into());
                }
                soak::well(&actuator).await
            }
            Way::Component(component) => {
                let wanted = digest::sha256(&component.file)
                    .map(hex::encode)
                    .map_err(|error| error.to_string())?;
                match launch::adapter(&actuator, &component.adapter).await {
                    Ok(found) if found == wanted => Ok(()),
                    Ok(_) => return Err("the integrasjonspunkt went back to another file by itself".into()),
                    Err(error) => Err(error.0),
                }
            }
        };
        let unwell = match &well {
            Ok(()) => 0,
            Err(_) => change.unwell + 1,
        };
        if unwell != change.unwell {
            self.journal.change(|state| {
                if let Some(change) = &mut state.change {
                    change.unwell = unwell;
                }
            });
        }
        if let Err(reason) = well {
            return if unwell >= settings.failures {
                Err(reason)
            } else {
                Ok(())
            };
        }
        if let Some(errors) = &settings.errors
            && let Some(rate) = soak::error_rate(&actuator, errors).await
        {
            soak::judge_rate(rate, change.error_rate, errors)?;
        }
        if let Some(message) = settings.loop_back.as_ref().filter(|_| !change.looped_back) {
            self.say("sending a message to see whether it is brought");
            soak::loop_back(&actuator, message).await?;
            self.journal.change(|state| {
                if let Some(change) = &mut state.change {
                    change.looped_back = true;
                }
            });
        }
        Ok(())
    }
}

/// What a look has found.
#[derive(Debug)]
pub enum Due {
    /// Run for this reason.
    Run(Cause),
    /// This was done.
    Done(Report),
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
