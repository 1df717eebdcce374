//! A process that may be older than we are: found again by its number and the moment when it began, or by a mark in its environment.
//!
//! What we start must outlive us, so it is in a process group of its own, prints into a file, and is never killed with us.

use std::fs;
use std::io;
use std::path::Path;
use std::time::Duration;

use rustix::process::{Pid, Signal, WaitOptions, kill_process, waitpid};
use serde::{Deserialize, Serialize};
use tokio::time::{Instant, sleep};

/// The environment variable that marks what we start.
pub const MARK: &str = "BUDSTIKKE_KOSMOS_MARK";
/// Between two looks.
const LOOK: Duration = Duration::from_millis(50);

/// See the module.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Process {
    /// Its number.
    pub pid: i32,
    /// When it began, in ticks since the machine did: a number can be given to another process later.
    pub began: u64,
}

/// How waiting for the end of a process ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// It has ended.
    Yes,
    /// It had to be killed.
    Killed,
    /// Not even that.
    No,
}

impl Process {
    /// The process with this number, if there is one.
    pub fn of(pid: i32) -> Option<Self> {
        let (state, began) = stat(pid)?;
        (state != 'Z').then_some(Self { pid, began })
    }

    /// Whether it runs. One of our own that has ended is taken off the system's list.
    pub fn is_alive(self) -> bool {
        match stat(self.pid) {
            Some(('Z', began)) if began == self.began => {
                if let Some(pid) = Pid::from_raw(self.pid) {
                    // Another's child is for another to take.
                    let _not_ours = waitpid(Some(pid), WaitOptions::NOHANG);
                }
                false
            }
            Some((_, began)) => began == self.began,
            None => false,
        }
    }

    fn signal(self, signal: Signal) {
        if let Some(pid) = Pid::from_raw(self.pid)
            && self.is_alive()
            && let Err(error) = kill_process(pid, signal)
        {
            tracing::warn!(pid = self.pid, %error, "a signal could not be sent");
        }
    }

    /// Waits for its end.
    pub async fn ends_within(self, time: Duration) -> bool {
        let deadline = Instant::now() + time;
        while self.is_alive() {
            if Instant::now() >= deadline {
                return false;
            }
            sleep(LOOK).await;
        }
        true
    }

    /// SIGTERM, and SIGKILL when it takes longer than `grace`.
    pub async fn end(self, grace: Duration) -> Ended {
        self.signal(Signal::TERM);
        if self.ends_within(grace).await {
            return Ended::Yes;
        }
        tracing::warn!(pid = self.pid, "the process does not end when asked; it is killed");
        self.signal(Signal::KILL);
        if self.ends_within(Duration::from_secs(10)).await {
            Ended::Killed
        } else {
            Ended::No
        }
    }
}

/// State and beginning. The name in between may contain anything, so it is looked for from the end.
fn stat(pid: i32) -> Option<(char, u64)> {
    let text = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let mut fields = text.rsplit_once(')')?.1.split_whitespace();
    let state = fields.next()?.chars().next()?;
    // Field 22 of the whole line; the state is field 3.
    let began = fields.nth(18)?.parse().ok()?;
    Some((state, began))
}

fn all() -> impl Iterator<Item = i32> {
    let entries = fs::read_dir("/proc").into_iter().flatten();
    entries.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
}

/// What was started with a mark: so is found what we had no time to write down.
pub fn marked(mark: &str) -> Option<Process> {
    let wanted = format!("{MARK}={mark}");
    let is = |pid: &i32| {
        let environment = fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
        environment
            .split(|byte| *byte == 0)
            .any(|line| line == wanted.as_bytes())
    };
    // What it has started in turn has the mark too; the eldest is the one.
    all()
        .filter(is)
        .filter_map(Process::of)
        .min_by_key(|process| process.began)
}

/// A process that has a file among its arguments, or is it: an integrasjonspunkt that somebody else has started from it.
pub fn running(file: &Path) -> Option<Process> {
    let own = i32::try_from(std::process::id()).ok();
    let is = |pid: &i32| {
        let program = fs::read_link(format!("/proc/{pid}/exe"));
        let line = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        let mut arguments = line.split(|byte| *byte == 0);
        program.is_ok_and(|program| program == file)
            || (arguments.any(|argument| argument == b"-jar")
                && arguments
                    .next()
                    .is_some_and(|jar| jar == file.as_os_str().as_encoded_bytes()))
    };
    all()
        .filter(|pid| Some(*pid) != own)
        .filter(is)
        .filter_map(Process::of)
        .min_by_key(|process| process.began)
}

/// The end of a file, at most so many bytes.
pub fn tail(file: &Path, bytes: u64) -> io::Result<String> {
    use std::io::{Read as _, Seek as _, SeekFrom};
    let mut file = fs::File::open(file)?;
    let length = file.metadata()?.len();
    let start = length.saturating_sub(bytes);
    file.seek(SeekFrom::Start(start))?;
    let mut text = Vec::new();
    file.take(bytes).read_to_end(&mut text)?;
    let text = String::from_utf8_lossy(&text);
    Ok(if start > 0 {
        format!("…{text}")
    } else {
        text.into_owned()
    })
}

/// Keeps the file that a process appends to from growing: what it has is copied aside, oldest first removed, and it begins anew.
pub fn rotate(file: &Path, longest: u64, kept: usize) -> io::Result<()> {
    if fs::metadata(file).map_or(0, |file| file.len()) <= longest {
        return Ok(());
    }
    let older = |number: usize| {
        let mut name = file.as_os_str().to_owned();
        name.push(format!(".{number}"));
        std::path::PathBuf::from(name)
    };
    for number in (1..kept).rev() {
        match fs::rename(older(number), older(number + 1)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
    }
    fs::copy(file, older(1))?;
    fs::OpenOptions::new().write(true).open(file)?.set_len(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::process::CommandExt as _;
    use std::process::{Command, Stdio};

    // Nobody waits: that is what is tested.
    #[allow(clippy::zombie_processes, reason = "`is_alive` takes it off the system's list")]
    fn sleeper(mark: &str) -> Process {
        let child = Command::new("sleep")
            .arg("60")
            .env(MARK, mark)
            .stdin(Stdio::null())
            .process_group(0)
            .spawn()
            .unwrap();
        Process::of(i32::try_from(child.id()).unwrap()).unwrap()
    }

    #[tokio::test]
    async fn a_process_is_found_by_its_mark_and_ends_when_asked() {
        let mark = uuid::Uuid::new_v4().to_string();
        let process = sleeper(&mark);
        assert_eq!(marked(&mark), Some(process));
        assert!(process.is_alive());
        let other = Process {
            began: process.began + 1,
            ..process
        };
        assert!(!other.is_alive(), "the number alone says nothing");
        assert_eq!(process.end(Duration::from_secs(5)).await, Ended::Yes);
        assert_eq!(marked(&mark), None);
        assert_eq!(marked("no such mark"), None);
    }

    #[tokio::test]
    async fn a_process_that_will_not_end_is_killed() {
        let child = Command::new("sh")
            .args(["-c", "trap '' TERM; while :; do sleep 1; done"])
            .stdin(Stdio::null())
            .spawn();
        let process = Process::of(i32::try_from(child.unwrap().id()).unwrap()).unwrap();
        sleep(Duration::from_millis(200)).await;
        assert_eq!(process.end(Duration::from_millis(200)).await, Ended::Killed);
    }

    #[test]
    fn a_long_log_begins_anew_and_the_oldest_goes() {
        let folder = tempfile::tempdir().unwrap();
        let log = folder.path().join("log");
        for round in 0..5 {
            fs::write(&log, format!("round {round} ").repeat(10)).unwrap();
            rotate(&log, 50, 3).unwrap();
        }
        assert_eq!(fs::metadata(&log).unwrap().len(), 0);
        let mut names: Vec<_> = fs::read_dir(folder.path())
            .unwrap()
            .map(|entry| entry.unwrap().file_name())
            .collect();
        names.sort();
        assert_eq!(names, ["log", "log.1", "log.2", "log.3"]);
        assert!(
            fs::read_to_string(folder.path().join("log.3"))
                .unwrap()
                .starts_with("round 2")
        );
        assert_eq!(tail(&folder.path().join("log.1"), 8).unwrap(), "…round 4 ");
    }
}
