//! One target, kept current: the seven steps, and the way back.
//!
//! A change of version is a row of stages, each written down before it begins. Whoever finds a change in the journal goes on with its
//! stage, however the one before was interrupted: every stage can be taken again ([`change`]). [`watch`] looks in between.

mod change;
mod watch;

use std::path::{Path, PathBuf};
use std::time::Duration;

use budstikke_runtime::policy::{Candidate, Cause, Decision, Situation};
use jiff::{SignedDuration, Timestamp};
use tokio::sync::broadcast;
use tokio::time::sleep;

use crate::actuator::Health;
use crate::config::Config;
use crate::fail_point;
use crate::journal::{Journal, Stage, State};
use crate::judge::{Judge, Record, Records};
use crate::notify::{Event, Notice, Notices};
use crate::target::{Target, Way};
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
        let change = self.journal.state().change.as_ref()?;
        self.say(&format!(
            "going on with the change to {}, which was interrupted",
            change.to
        ));
        Some(self.drive_on().await)
    }

    async fn drive_on(&mut self) -> Report {
        let report = self.drive().await;
        self.say(&report.text);
        report
    }

    /// It was tried, and is not done.
    fn is_going_back(&self) -> bool {
        let change = self.journal.state().change.as_ref();
        change.is_some_and(|change| change.stage == Stage::GoingBack)
    }

    /// One run.
    pub async fn run(&mut self, judge: &Judge, config: &Config, cause: Cause) -> Report {
        if let Some(change) = self.journal.state().change.clone() {
            if self.is_going_back() && cause == Cause::Start {
                return Report::bad(format!("going back from {} has just failed", change.to));
            }
            if change.stage != Stage::Soaking {
                return self.drive_on().await;
            }
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
        if self.target.common().blocklist.enabled {
            self.target.common().markers.lift(Timestamp::now());
        }
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
                if error.forged {
                    self.block(version);
                }
                error.to_string()
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
}

/// What a look has found.
#[derive(Debug)]
pub enum Due {
    /// Run for this reason.
    Run(Cause),
    /// This was done.
    Done(Report),
}
