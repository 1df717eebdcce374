//! `budstikke kosmos`

use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use budstikke_kosmos::config::Config;
use budstikke_kosmos::control;
use budstikke_kosmos::journal::{Journal, Stage};
use budstikke_kosmos::judge::{Record, Said};
use budstikke_kosmos::supervisor::{self, Alive, Supervisor};
use clap::Subcommand;
use futures::StreamExt as _;
use jiff::Timestamp;
use tokio_util::sync::CancellationToken;

use super::{serve, start, stop};

/// What can be asked.
#[derive(clap::Args)]
pub(super) struct Arguments {
    /// The TOML file, or a Java KOSMOS' kosmos-local.properties; examples/kosmos.toml explains every key.
    #[arg(long)]
    config: PathBuf,
    /// Where the components of policies are, when the file does not say.
    #[arg(long)]
    policies: Option<PathBuf>,
    #[command(subcommand)]
    command: Option<Question>,
}

#[derive(Subcommand)]
enum Question {
    /// Runs now: in the supervisor when one runs, else here.
    RunNow,
    /// Says what a run would do and why. Changes nothing.
    Plan,
    /// Says what runs, what is being changed, and how the last changes ended.
    Status,
    /// Shows an old decision again, and asks the present policies the same.
    Replay {
        /// Its name; none: the last one. `all` lists them.
        id: Option<String>,
    },
    /// Reads the file and loads the policies, and says what is wrong.
    Check,
}

/// Does what the command line says.
pub(super) fn run(arguments: Arguments) -> ExitCode {
    start::log();
    let mut config = match Config::read(&arguments.config, &mut |warning| tracing::warn!("{warning}")) {
        Ok(config) => config,
        Err(problems) => {
            for problem in &problems.0 {
                tracing::error!("{problem}");
            }
            return ExitCode::FAILURE;
        }
    };
    if let Some(folder) = arguments.policies {
        config.policy_folder = Some(folder);
    }
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            tracing::error!(%error, "no threads can be started");
            return ExitCode::FAILURE;
        }
    };
    let done = runtime.block_on(async {
        match arguments.command {
            None => supervise(config).await,
            Some(Question::RunNow) => run_now(config).await,
            Some(Question::Plan) => plan(&config).await,
            Some(Question::Status) => status(&config),
            Some(Question::Replay { id }) => replay(&config, id.as_deref()).await,
            Some(Question::Check) => check(&config).await,
        }
    });
    runtime.shutdown_timeout(serve::THREADS);
    match done {
        Ok(Ended::Well) => ExitCode::SUCCESS,
        Ok(Ended::Badly) => ExitCode::FAILURE,
        Ok(Ended::As(program)) => become_successor(&program),
        Err(error) => {
            tracing::error!("{error:#}");
            ExitCode::FAILURE
        }
    }
}

/// How a command ended.
enum Ended {
    Well,
    Badly,
    /// It goes on as this program.
    As(PathBuf),
}

fn well(good: bool) -> Ended {
    if good { Ended::Well } else { Ended::Badly }
}

/// The same process as another program, so that what we have started stays ours. One that cannot read our file is not taken.
fn become_successor(program: &Path) -> ExitCode {
    let arguments: Vec<_> = std::env::args_os().skip(1).collect();
    let able = Command::new(program).args(&arguments).arg("check").status();
    if able.is_ok_and(|ended| ended.success()) {
        tracing::info!(program = %program.display(), "going on as the new version");
        let error = Command::new(program).args(&arguments).exec();
        tracing::error!(%error, program = %program.display(), "cannot be run");
    } else {
        tracing::error!(program = %program.display(), "cannot read our configuration, or does not run; going on as we are");
    }
    let Ok(own) = std::env::current_exe() else {
        return ExitCode::FAILURE;
    };
    let error = Command::new(own).args(&arguments).exec();
    tracing::error!(%error, "we cannot be run again");
    ExitCode::FAILURE
}

async fn supervise(config: Config) -> anyhow::Result<Ended> {
    let stop = CancellationToken::new();
    let mut signals = stop::signals()?;
    let supervisor = Supervisor::new(config).await?;
    let told = stop.clone();
    tokio::spawn(async move {
        signals.next().await;
        told.cancel();
    });
    Ok(match supervisor.supervise(stop).await? {
        None => Ended::Well,
        Some(program) => Ended::As(program),
    })
}

async fn run_now(config: Config) -> anyhow::Result<Ended> {
    let tell = |line: &str| println!("{line}");
    if let Some(good) = control::run_now(&config.state, tell).await? {
        return Ok(well(good));
    }
    Ok(well(Supervisor::new(config).await?.run_once(tell).await))
}

async fn plan(config: &Config) -> anyhow::Result<Ended> {
    let mut good = true;
    for (name, planned) in supervisor::plan(config).await? {
        match planned {
            Ok(record) => show(&record),
            Err(reason) => {
                good = false;
                println!("{name}: {reason}");
            }
        }
    }
    Ok(well(good))
}

fn or_unknown(version: Option<&String>) -> &str {
    version.map_or("not known", String::as_str)
}

fn show(record: &Record) {
    let situation = &record.situation;
    println!("{}", situation.target);
    println!(
        "  runs        {}{}",
        or_unknown(situation.current.as_ref()),
        if situation.healthy { "" } else { ", and is not well" }
    );
    println!("  last good   {}", or_unknown(situation.last_good.as_ref()));
    for candidate in &situation.candidates {
        println!("  candidate   {} ({})", candidate.version, candidate.channel);
    }
    for blocked in &situation.blocked {
        println!("  blocked     {}", blocked.version);
    }
    for said in &record.said {
        println!("  policy {}: {}", said.policy, words(said));
        for line in &said.log {
            println!("    {line}");
        }
    }
    println!("  decision    {}", record.decision);
}

fn words(said: &Said) -> String {
    match &said.decision {
        Ok(decision) => decision.to_string(),
        Err(reason) => format!("cannot decide: {reason}"),
    }
}

fn moment(seconds: u64) -> String {
    let at = i64::try_from(seconds)
        .ok()
        .and_then(|seconds| Timestamp::from_second(seconds).ok());
    at.map_or_else(|| "never".to_owned(), |at| at.to_string())
}

fn status(config: &Config) -> anyhow::Result<Ended> {
    let alive = std::fs::read(supervisor::alive_file(&config.state)).ok();
    let alive: Option<Alive> = alive.and_then(|bytes| serde_json::from_slice(&bytes).ok());
    match alive {
        None => println!("no supervisor runs"),
        Some(Alive { pid, next }) => {
            let next = next.map_or_else(|| "not planned".to_owned(), |next| next.to_string());
            println!("supervisor: process {pid}, next run {next}");
        }
    }
    for target in &config.targets {
        let folder = config.state.join(&target.name);
        let journal = Journal::open(&folder.join("journal.json"))?;
        let state = journal.state();
        println!("{}", target.name);
        println!("  installed   {}", or_unknown(state.installed.as_ref()));
        println!("  last good   {}", or_unknown(state.good.as_ref()));
        println!("  before      {}", or_unknown(state.previous.as_ref()));
        if let Some(child) = &state.child {
            let runs = if child.process.is_alive() { "runs" } else { "has ended" };
            println!("  process     {} {runs}; {}", child.process.pid, child.log.display());
        }
        if let Some(change) = &state.change {
            let stage = match change.stage {
                Stage::Stopping => "the old one is stopped".to_owned(),
                Stage::BackingUp => "the store is copied".to_owned(),
                Stage::Starting => "it is started".to_owned(),
                Stage::Soaking => format!("it is watched until {}", moment(change.until)),
                Stage::GoingBack => "it is taken back".to_owned(),
            };
            println!("  change      to {}: {stage}", change.to);
        }
        let doing = std::fs::read(folder.join("status.json")).ok();
        let doing: Option<serde_json::Value> = doing.and_then(|bytes| serde_json::from_slice(&bytes).ok());
        if let Some(doing) = doing {
            println!(
                "  last        {} ({})",
                doing["doing"].as_str().unwrap_or_default(),
                doing["at"].as_str().unwrap_or_default()
            );
        }
        for attempt in state.attempts.iter().take(5) {
            let outcome = match &attempt.outcome {
                budstikke_runtime::policy::Outcome::Good => "good".to_owned(),
                budstikke_runtime::policy::Outcome::Failed(reason) => format!("failed: {reason}"),
            };
            println!("  {}  {}  {outcome}", moment(attempt.at), attempt.version);
        }
    }
    Ok(Ended::Well)
}

async fn replay(config: &Config, id: Option<&str>) -> anyhow::Result<Ended> {
    let records = supervisor::records(&config.state)?;
    let ids = records.ids();
    if id == Some("all") {
        for id in ids {
            println!("{id}");
        }
        return Ok(Ended::Well);
    }
    let last = ids.last().map(String::as_str);
    let id = id
        .or(last)
        .ok_or_else(|| anyhow::anyhow!("no decision has been made yet"))?;
    let record = records.read(id).map_err(anyhow::Error::msg)?;
    println!("{id}, decided at {}", record.at);
    show(&record);
    let now = supervisor::judge(config).await?.again(&record).await;
    let mut same = true;
    for (then, now) in record.said.iter().zip(now) {
        let Some(now) = now else {
            same = false;
            println!("  policy {} is not there any more", then.policy);
            continue;
        };
        let file = if now.component == then.component {
            "the same component"
        } else {
            "another component"
        };
        if now.decision == then.decision {
            println!("  policy {} says the same again ({file})", then.policy);
        } else {
            same = false;
            println!(
                "  policy {} says something else now ({file}): {}",
                then.policy,
                words(&now)
            );
        }
    }
    Ok(well(same))
}

async fn check(config: &Config) -> anyhow::Result<Ended> {
    supervisor::judge(config).await?;
    println!("the configuration makes sense, and the policies can work with their settings");
    Ok(Ended::Well)
}
