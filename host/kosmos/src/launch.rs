//! Stopping, starting, and whether what was started is what answers. Spec: KOSMOS, 5 and 10; sharp edges 2 to 4.

use std::fs;
use std::io;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use serde_json::Value;
use tokio::time::{Instant, sleep};

use crate::actuator::{Actuator, Health};
use crate::config::{Launch, Shutdown};
use crate::fail_point;
use crate::process::{self, Ended, MARK, Process};
use crate::target::{Component, Program};
use crate::version::same;

/// How long an integrasjonspunkt may take to look at a file that was put into its folder.
const REFUSED: Duration = Duration::from_secs(12);
/// Bytes that must be free for a log.
const ROOM: u64 = 1 << 20;
/// Bytes of a log that are shown.
const SHOWN: u64 = 256 << 10;

/// It does not stop, or does not start. Says why, and what was seen.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct LaunchError(pub String);

/// Stops what runs. `process`: what it is, when that is known. An error says that it still runs: nothing may be started on top of it.
pub async fn stop(actuator: &Actuator, process: Option<Process>, settings: &Shutdown) -> Result<(), LaunchError> {
    let alive = || process.is_some_and(Process::is_alive);
    if !alive() && actuator.health().await == Health::Gone {
        return Ok(());
    }
    let accepted = actuator.shut_down().await;
    match &accepted {
        Ok(()) => {
            for _ in 0..settings.retries {
                sleep(settings.poll).await;
                if is_away(&actuator.health().await) {
                    break;
                }
            }
        }
        Err(error) => tracing::warn!(%error, "the request to stop was not accepted"),
    }
    if let Some(process) = process {
        // It answers no more long before it has let go of its database. One that was not asked is not waited for.
        if accepted.is_ok() && process.ends_within(settings.grace).await {
            return Ok(());
        }
        tracing::warn!(pid = process.pid, "still runs after the request to stop");
        return match process.end(settings.grace).await {
            Ended::Yes | Ended::Killed => Ok(()),
            Ended::No => Err(LaunchError(format!("process {} cannot be ended", process.pid))),
        };
    }
    let health = actuator.health().await;
    if is_away(&health) {
        Ok(())
    } else {
        Err(LaunchError(format!(
            "Shutdown failed! What answers at {} {health}, and was not started by us: stop it, and see that nothing else starts it",
            actuator.root()
        )))
    }
}

/// Nobody answers any more; whoever is there and is only slow does.
fn is_away(health: &Health) -> bool {
    matches!(health, Health::Gone | Health::Broken(_))
}

/// Makes the folder of a log; an error when its disk is full.
fn room_for(log: &Path) -> io::Result<()> {
    let folder = log.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(folder)?;
    let disk = rustix::fs::statvfs(folder)?;
    if disk.f_bavail.saturating_mul(disk.f_frsize) < ROOM {
        return Err(io::ErrorKind::StorageFull.into());
    }
    Ok(())
}

/// Starts a program that outlives us, with a mark in its environment. What it prints goes to a file.
pub fn spawn(program: &Program, mark: &str, log: &Path) -> io::Result<Process> {
    // On a full disk it must start all the same; and some programs end when they cannot print.
    let printed = room_for(log).and_then(|()| fs::OpenOptions::new().create(true).append(true).open(log));
    let printed = printed.or_else(|error| {
        tracing::warn!(log = %log.display(), %error, "what it prints cannot be kept");
        fs::OpenOptions::new().append(true).open("/dev/null")
    })?;
    let mut command = Command::new(&program.program);
    command
        .args(&program.arguments)
        .current_dir(&program.folder)
        .stdin(Stdio::null())
        .stdout(printed.try_clone()?)
        .stderr(printed)
        // What is sent to our group, as Ctrl-C is, is not meant for it.
        .process_group(0);
    for (name, _) in std::env::vars_os() {
        let small = name.to_string_lossy().to_lowercase();
        if program.removed.iter().any(|prefix| small.starts_with(prefix)) || small.starts_with("budstikke_fail_") {
            command.env_remove(name);
        }
    }
    command.env(MARK, mark);
    let child = command
        .spawn()
        .map_err(|error| io::Error::new(error.kind(), format!("{}: {error}", program.program.display())))?;
    fail_point::reached("after-spawn");
    let pid = i32::try_from(child.id()).map_err(io::Error::other)?;
    // When it has ended already there is nothing to find, and the judgement says so.
    Ok(Process::of(pid).unwrap_or(Process { pid, began: 0 }))
}

/// Waits until what was started is ready: it runs, is well, and answers with its version.
pub async fn judge(actuator: &Actuator, version: &str, process: Process, settings: &Launch) -> Result<(), LaunchError> {
    let deadline = Instant::now() + settings.time;
    let mut seen;
    loop {
        sleep(settings.poll).await;
        let health = actuator.health().await;
        seen = health.to_string();
        if health == Health::Up {
            match actuator.version().await {
                Ok(answers) if same(&answers, version) && process.is_alive() => return Ok(()),
                Ok(answers) if same(&answers, version) => {}
                Ok(answers) => seen = format!("version {answers} answers at {}, not {version}", actuator.root()),
                Err(error) => seen = error.to_string(),
            }
        }
        if !process.is_alive() {
            return Err(LaunchError(format!(
                "Application failed during startup! It has ended ({seen})"
            )));
        }
        if Instant::now() >= deadline {
            return Err(LaunchError(format!(
                "was not ready after {} s: {seen}",
                settings.time.as_secs_f32()
            )));
        }
    }
}

/// Puts a component in its place, whole: beside it, synced, then renamed over it.
pub fn put(component: &Component) -> io::Result<()> {
    let name = component.place.file_name().unwrap_or_default().to_string_lossy();
    let fresh = component.place.with_file_name(format!(".{name}.new"));
    fs::copy(&component.file, &fresh)?;
    fs::File::open(&fresh)?.sync_all()?;
    fs::rename(&fresh, &component.place)?;
    crate::download::sync_folder(&component.place)
}

/// The component that an adapter runs from: its digest. An error says why it runs from none.
pub async fn adapter(actuator: &Actuator, name: &str) -> Result<String, LaunchError> {
    let health = actuator.health_in_full().await.unwrap_or_default();
    let state = &health["components"]["adapters"]["details"][name];
    if state["status"] != "UP" {
        let why = refusal(&health, name).or_else(|| state["state"].as_str().map(ToOwned::to_owned));
        return Err(LaunchError(format!(
            "adapter {name} is {}",
            why.as_deref().unwrap_or("not there")
        )));
    }
    let info = actuator.info().await.map_err(|error| LaunchError(error.to_string()))?;
    let adapters = info["adapters"].as_array().into_iter().flatten();
    let digest = adapters
        .filter(|adapter| adapter["name"] == name)
        .find_map(|adapter| adapter["digest"].as_str());
    let digest = digest.ok_or_else(|| LaunchError(format!("adapter {name} is not there")))?;
    Ok(digest.trim_start_matches("sha256:").to_owned())
}

/// Why the file that lies in an adapter's place was not taken.
fn refusal(health: &Value, name: &str) -> Option<String> {
    let refused = health["components"]["adapters"]["details"][name]["refused"].as_str()?;
    Some(format!("refused: {refused}"))
}

/// Waits until an adapter runs from a component with this digest.
pub async fn judge_component(
    actuator: &Actuator,
    name: &str,
    digest: &str,
    settings: &Launch,
) -> Result<(), LaunchError> {
    let deadline = Instant::now() + settings.time;
    // What is refused stays refused; but a refusal that is seen at first can be that of the file before.
    let settled = Instant::now() + settings.time.min(REFUSED);
    loop {
        sleep(settings.poll).await;
        let seen = match adapter(actuator, name).await {
            Ok(found) if found == digest => return Ok(()),
            Ok(_) => {
                let health = actuator.health_in_full().await.unwrap_or_default();
                match refusal(&health, name) {
                    Some(why) if Instant::now() >= settled => {
                        return Err(LaunchError(format!("adapter {name} is {why}")));
                    }
                    Some(why) => why,
                    None => format!("adapter {name} still runs from another file"),
                }
            }
            Err(error) => error.0,
        };
        if Instant::now() >= deadline {
            return Err(LaunchError(format!(
                "was not ready after {} s: {seen}",
                settings.time.as_secs_f32()
            )));
        }
    }
}

/// What a start has printed, without numbers of persons.
pub fn printed(log: &Path) -> String {
    process::tail(log, SHOWN).map_or_else(
        |error| error.to_string(),
        |text| crate::organisation::without_persons(&text),
    )
}

/// The file that a start prints into.
pub fn log_file(state: &Path, version: &str) -> PathBuf {
    state.join("logs").join(format!("{version}.log"))
}
