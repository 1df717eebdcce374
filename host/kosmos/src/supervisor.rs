//! The process beside the integrasjonspunkt: looks at its start, by schedule and on demand, one target after the other.

use std::fs::{self, File, TryLockError};
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use budstikke_runtime::policy::Cause;
use budstikke_runtime::{CompileLimits, Compiler, CompilerCommand};
use jiff::Timestamp;
use tokio::sync::{broadcast, mpsc};
use tokio_util::sync::CancellationToken;

use crate::config::Config;
use crate::control::{self, RunNow};
use crate::judge::{Judge, Records};
use crate::keeper::{Due, Keeper, Report};
use crate::notify::{self, Notices};
use crate::schedule::Schedule;
use crate::target;

/// Between two looks at the clock and at what runs.
const TICK: Duration = Duration::from_millis(500);
/// Lines that a listener may be behind.
const LINES: usize = 1000;
/// How long notices are still sent when everything else has ended.
const LAST_NOTICES: Duration = Duration::from_secs(15);

/// It cannot start. Says why.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct SupervisorError(pub String);

/// See the module.
pub struct Supervisor {
    config: Config,
    judge: Judge,
    keepers: Vec<Keeper>,
    schedule: Schedule,
    notices: Notices,
    voice: broadcast::Sender<String>,
    next: Option<Timestamp>,
    _lock: File,
}

/// What the supervisor tells about itself.
#[derive(Debug, serde::Serialize, serde::Deserialize)]
pub struct Alive {
    /// Its process.
    pub pid: u32,
    /// When it runs next.
    pub next: Option<Timestamp>,
}

/// Where it tells.
pub fn alive_file(state: &Path) -> PathBuf {
    state.join("supervisor.json")
}

/// Where decisions are kept.
pub fn records(state: &Path) -> Result<Records, SupervisorError> {
    let folder = state.join("decisions");
    Records::open(&folder).map_err(|error| SupervisorError(format!("{}: {error}", folder.display())))
}

/// The folder of policies: as configured, or `plugins` beside the program.
fn policy_folder(config: &Config) -> Result<PathBuf, SupervisorError> {
    if let Some(folder) = &config.policy_folder {
        return Ok(folder.clone());
    }
    let program = std::env::current_exe().map_err(|error| SupervisorError(error.to_string()))?;
    let beside = program.parent().unwrap_or(Path::new("/"));
    let known = [
        beside.join("plugins"),
        beside.join("../plugins"),
        beside.join("../lib/budstikke/plugins"),
    ];
    known.iter().find(|folder| folder.is_dir()).cloned().ok_or_else(|| {
        SupervisorError(format!(
            "there is no folder of policies beside {}; write policy-folder, or give --policies",
            program.display()
        ))
    })
}

/// Makes the folder of the supervisor's memory: nobody else's.
fn private(state: &Path) -> Result<(), SupervisorError> {
    let failed = |error: std::io::Error| SupervisorError(format!("{}: {error}", state.display()));
    if let Some(parent) = state.parent() {
        fs::create_dir_all(parent).map_err(failed)?;
    }
    match fs::DirBuilder::new().mode(0o700).create(state) {
        Err(error) if error.kind() != std::io::ErrorKind::AlreadyExists => return Err(failed(error)),
        _ => {}
    }
    let found = fs::metadata(state).map_err(failed)?;
    if found.uid() != rustix::process::geteuid().as_raw() || found.mode() & 0o022 != 0 {
        return Err(SupervisorError(format!(
            "{} belongs to another user or can be written by others: what it says could not be trusted",
            state.display()
        )));
    }
    Ok(())
}

/// Loads the policies.
pub async fn judge(config: &Config) -> Result<Judge, SupervisorError> {
    private(&config.state)?;
    let program = std::env::current_exe().map_err(|error| SupervisorError(error.to_string()))?;
    let command = CompilerCommand {
        program,
        args: vec!["plugin".into(), "compile".into()],
    };
    let compiler = Compiler::Child(command, CompileLimits::default());
    let folder = policy_folder(config)?;
    Judge::new(&config.policies, &folder, &config.state.join("compiled"), compiler)
        .await
        .map_err(|error| SupervisorError(error.to_string()))
}

impl Supervisor {
    /// Opens everything. Only one has a state folder at a time.
    pub async fn new(config: Config) -> Result<Self, SupervisorError> {
        private(&config.state)?;
        let lock = lock(&config.state)?;
        Self::with(config, lock).await
    }

    async fn with(config: Config, lock: File) -> Result<Self, SupervisorError> {
        let judge = judge(&config).await?;
        let folder = config.state.join("notices");
        let notices = Notices::open(&folder, &config.notify)
            .map_err(|error| SupervisorError(format!("{}: {error}", folder.display())))?;
        let records = records(&config.state)?;
        let (voice, _) = broadcast::channel(LINES);
        let mut keepers = Vec::new();
        for target in target::all(&config).map_err(SupervisorError)? {
            target.sweep();
            let folder = config.state.join(&target.common().name);
            let keeper = Keeper::new(target, &folder, records.clone(), notices.clone(), voice.clone());
            keepers.push(keeper.map_err(|error| SupervisorError(error.to_string()))?);
        }
        let schedule = Schedule::new(&config.schedule.cron, &config.schedule.zone).map_err(SupervisorError)?;
        Ok(Self {
            config,
            judge,
            keepers,
            schedule,
            notices,
            voice,
            next: None,
            _lock: lock,
        })
    }

    /// Runs until told to stop; what it started goes on. Some: go on as this program.
    pub async fn supervise(mut self, stop: CancellationToken) -> Result<Option<PathBuf>, SupervisorError> {
        let requests = control::listen(&self.config.state, stop.clone());
        let mut requests = requests.map_err(|error| SupervisorError(format!("the control socket: {error}")))?;
        let sending = CancellationToken::new();
        let sender = tokio::spawn(notify::run(
            self.notices.clone(),
            self.config.notify.clone(),
            sending.clone(),
        ));
        let successor = tokio::select! {
            // Broken off where it is: the journal knows.
            () = stop.cancelled() => None,
            successor = self.work(&mut requests) => Some(successor),
        };
        tracing::info!("stopped; what runs goes on running");
        drop(fs::remove_file(alive_file(&self.config.state)));
        self.last_notices().await;
        sending.cancel();
        drop(sender.await);
        Ok(successor)
    }

    async fn last_notices(&self) {
        let deadline = tokio::time::Instant::now() + LAST_NOTICES;
        while !self.notices.is_empty() && tokio::time::Instant::now() < deadline {
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    async fn work(&mut self, requests: &mut mpsc::Receiver<RunNow>) -> PathBuf {
        for number in 0..self.keepers.len() {
            if let Some(report) = self.keepers[number].resume().await
                && let Some(successor) = report.successor
            {
                return successor;
            }
        }
        self.plan_next();
        if let Some(successor) = self.run_all(Cause::Start).await {
            return successor;
        }
        let mut tick = tokio::time::interval(TICK);
        tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                _ = tick.tick() => {}
                Some(request) = requests.recv() => {
                    if let Some(successor) = self.on_demand(request).await {
                        return successor;
                    }
                    continue;
                }
            }
            if self.next.is_some_and(|at| at <= Timestamp::now()) {
                self.plan_next();
                if let Some(successor) = self.run_all(Cause::Schedule).await {
                    return successor;
                }
            }
            for number in 0..self.keepers.len() {
                let report = match self.keepers[number].look().await {
                    None => continue,
                    Some(Due::Done(report)) => report,
                    Some(Due::Run(cause)) => self.keepers[number].run(&self.judge, &self.config, cause).await,
                };
                if let Some(successor) = Self::told(report) {
                    return successor;
                }
            }
        }
    }

    fn told(report: Report) -> Option<PathBuf> {
        if !report.good {
            tracing::error!("{}", report.text);
        }
        report.successor
    }

    fn plan_next(&mut self) {
        let planned = self.config.schedule.enabled;
        self.next = planned.then(|| self.schedule.next_after(Timestamp::now())).flatten();
        let alive = Alive {
            pid: std::process::id(),
            next: self.next,
        };
        let written = serde_json::to_vec(&alive).map_err(std::io::Error::other);
        let written = written.and_then(|bytes| crate::journal::write(&alive_file(&self.config.state), &bytes));
        if let Err(error) = written {
            tracing::warn!(%error, "when the next run is cannot be written");
        }
        if let Some(next) = self.next {
            tracing::info!(%next, "next run");
        } else {
            tracing::info!("no run is planned");
        }
    }

    async fn run_all(&mut self, cause: Cause) -> Option<PathBuf> {
        for number in 0..self.keepers.len() {
            let report = self.keepers[number].run(&self.judge, &self.config, cause).await;
            if let Some(successor) = Self::told(report) {
                return Some(successor);
            }
        }
        None
    }

    async fn on_demand(&mut self, request: RunNow) -> Option<PathBuf> {
        let mut lines = self.voice.subscribe();
        let (mut good, mut successor) = (true, None);
        for number in 0..self.keepers.len() {
            let run = self.keepers[number].run(&self.judge, &self.config, Cause::Demand);
            tokio::pin!(run);
            let report = loop {
                tokio::select! {
                    report = &mut run => break report,
                    Ok(line) = lines.recv() => request.say(&line).await,
                }
            };
            while let Ok(line) = lines.try_recv() {
                request.say(&line).await;
            }
            good &= report.good;
            successor = Self::told(report);
            if successor.is_some() {
                break;
            }
        }
        request.end(good).await;
        successor
    }

    /// One run, here and now, without staying. Lines go to `tell`. Whether all went well.
    pub async fn run_once(mut self, mut tell: impl FnMut(&str)) -> bool {
        let sending = CancellationToken::new();
        let sender = tokio::spawn(notify::run(
            self.notices.clone(),
            self.config.notify.clone(),
            sending.clone(),
        ));
        let mut lines = self.voice.subscribe();
        let mut good = true;
        for number in 0..self.keepers.len() {
            self.keepers[number].resume().await;
            let report = self.keepers[number].run(&self.judge, &self.config, Cause::Demand).await;
            while let Ok(line) = lines.try_recv() {
                tell(&line);
            }
            good &= report.good;
        }
        self.last_notices().await;
        sending.cancel();
        drop(sender.await);
        good
    }
}

/// What would be done, and why, for each target; nothing is changed, and a supervisor may run.
pub async fn plan(config: &Config) -> Result<Vec<(String, Result<crate::judge::Record, String>)>, SupervisorError> {
    let judge = judge(config).await?;
    let (voice, _) = broadcast::channel(LINES);
    let mut plans = Vec::new();
    // What is seen for the first time here must not be written into the journal of the one that runs.
    let scratch = tempfile::tempdir().map_err(|error| SupervisorError(error.to_string()))?;
    for target in target::all(config).map_err(SupervisorError)? {
        let name = target.common().name.clone();
        let folder = scratch.path().join(&name);
        fs::create_dir_all(&folder).map_err(|error| SupervisorError(error.to_string()))?;
        let journal = config.state.join(&name).join("journal.json");
        if journal.exists() {
            fs::copy(&journal, folder.join("journal.json")).map_err(|error| SupervisorError(error.to_string()))?;
        }
        let failed = |error: String| SupervisorError(error);
        let notices = Notices::open(&folder.join("notices"), &crate::config::Notify::default());
        let notices = notices.map_err(|error| failed(error.to_string()))?;
        let records = Records::open(&folder.join("decisions")).map_err(|error| failed(error.to_string()))?;
        let keeper = Keeper::new(target, &folder, records, notices, voice.clone());
        let mut keeper = keeper.map_err(|error| failed(error.to_string()))?;
        plans.push((name, keeper.plan(&judge, config).await));
    }
    Ok(plans)
}

fn lock(state: &Path) -> Result<File, SupervisorError> {
    let path = state.join("lock");
    let failed = |error: std::io::Error| SupervisorError(format!("{}: {error}", path.display()));
    let file = File::options()
        .create(true)
        .truncate(false)
        .write(true)
        .open(&path)
        .map_err(failed)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(SupervisorError(format!("another supervisor uses {}", state.display()))),
        Err(TryLockError::Error(error)) => Err(failed(error)),
    }
}
