//! The server's process: started, stopped, killed. It cannot outlive the test process; `watchdog.sh` sees to that.

use std::fs::{self, File};
use std::io::Write as _;
use std::net::SocketAddr;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use crate::Durability;
use crate::error::Error;
use crate::folder::Folder;
use crate::programs::Account;

/// For starting, which repairs after a crash, and for stopping, which writes everything down.
const LIMIT: Duration = Duration::from_mins(2);
/// Between two looks at the server.
const LOOK: Duration = Duration::from_millis(5);
/// Some test processes run a test per core, each with a pool or two.
const CONNECTIONS: u32 = 300;
/// The line of `postmaster.pid` with the server's state, from 0.
const STATE_LINE: usize = 7;

pub(crate) struct Postmaster {
    child: Child,
    watchdog: ChildStdin,
}

impl Postmaster {
    /// Starts it, and returns when it takes connections.
    pub(crate) fn start(
        programs: &Path,
        account: &Account,
        folder: &Folder,
        address: SocketAddr,
        durability: Durability,
    ) -> Result<Self, Error> {
        let log = File::options().create(true).append(true).open(folder.log());
        let log = log.map_err(Error::system("opening the server's log"))?;
        let mut command = Command::new("sh");
        command
            .args(["-c", include_str!("watchdog.sh"), "watchdog"])
            .arg(folder.path())
            .args(account.prefix())
            .arg(programs.join("postgres"))
            .arg("-D")
            .arg(folder.data())
            .args(["-c", &format!("listen_addresses={}", address.ip())])
            .args(["-c", &format!("port={}", address.port())])
            .args(["-c", &format!("unix_socket_directories={}", folder.path().display())])
            .args(["-c", &format!("max_connections={CONNECTIONS}")])
            .args(["-c", durability.setting()])
            .current_dir(folder.path())
            // Not in the way of what ends the test process's group, as Ctrl-C does: there would be nobody left to clear up.
            .process_group(0)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(log);
        let mut child = command.spawn().map_err(Error::system("running sh"))?;
        let watchdog = child.stdin.take().ok_or(Error::Down)?;
        let mut postmaster = Self { child, watchdog };
        postmaster.wait_until_ready(folder)?;
        Ok(postmaster)
    }

    fn wait_until_ready(&mut self, folder: &Folder) -> Result<(), Error> {
        let ready = [self.child.id().to_string(), "ready".to_owned()];
        let until = Instant::now() + LIMIT;
        while Instant::now() < until {
            if self.has_ended()? {
                return Err(Error::NotStarted {
                    log: folder.end_of_log(),
                });
            }
            // Not there at first, and after a crash there from last time.
            let state = fs::read_to_string(folder.data().join("postmaster.pid")).unwrap_or_default();
            let mut lines = state.lines().map(str::trim);
            if [lines.next(), lines.nth(STATE_LINE - 1)] == ready.each_ref().map(|line| Some(line.as_str())) {
                return Ok(());
            }
            std::thread::sleep(LOOK);
        }
        Err(Error::Slow {
            what: "start",
            log: folder.end_of_log(),
        })
    }

    /// Ends connections, writes everything down, and ends.
    pub(crate) fn stop(mut self, folder: &Folder) -> Result<(), Error> {
        self.signal(Signal::INT)?;
        if self.ends_in_time()? {
            return Ok(());
        }
        Err(Error::Slow {
            what: "stop",
            log: folder.end_of_log(),
        })
    }

    /// Ends the server and all its processes as the machine's end would, except that the system keeps what it was given.
    pub(crate) fn kill(mut self) -> Result<(), Error> {
        // A server that stands still makes no new processes, and does not reap the old ones, so their numbers stay theirs.
        self.signal(Signal::STOP)?;
        let own = self.pid();
        wait_for_state(own, &["T", "Z"]);
        let children = children(own)?;
        for child in &children {
            signal(*child, Signal::KILL)?;
        }
        // Memory that one of them still holds would keep the next server from starting.
        for child in &children {
            wait_for_state(*child, &["Z"]);
        }
        self.signal(Signal::KILL)?;
        self.child.wait().map_err(Error::system("waiting for the server"))?;
        Ok(())
    }

    fn has_ended(&mut self) -> Result<bool, Error> {
        let ended = self.child.try_wait().map_err(Error::system("looking at the server"))?;
        Ok(ended.is_some())
    }

    fn ends_in_time(&mut self) -> Result<bool, Error> {
        let until = Instant::now() + LIMIT;
        while Instant::now() < until {
            if self.has_ended()? {
                return Ok(true);
            }
            std::thread::sleep(LOOK);
        }
        Ok(false)
    }

    fn pid(&self) -> Pid {
        Pid::from_child(&self.child)
    }

    /// Its number stays its own until we have waited for it.
    fn signal(&mut self, which: Signal) -> Result<(), Error> {
        if self.has_ended()? {
            return Err(Error::Down);
        }
        signal(self.pid(), which)
    }

    fn end(&mut self) -> Result<(), Error> {
        if !self.has_ended()? {
            // An immediate shutdown: nothing needs to be written down.
            self.signal(Signal::QUIT)?;
            if !self.ends_in_time()? {
                self.child.kill().map_err(Error::system("killing the server"))?;
                self.child.wait().map_err(Error::system("waiting for the server"))?;
            }
        }
        // Only now: without a server there is nothing left to watch.
        self.watchdog
            .write_all(b"stopped\n")
            .map_err(Error::system("sending the watchdog home"))
    }
}

impl Drop for Postmaster {
    fn drop(&mut self) {
        if let Err(error) = self.end() {
            eprintln!("the end of a test's PostgreSQL: {error}");
        }
    }
}

fn signal(process: Pid, which: Signal) -> Result<(), Error> {
    kill_process(process, which)
        .map_err(|error| Error::system(format!("sending {which:?} to process {process}"))(error.into()))
}

/// State and parent of a process.
fn look(process: &str) -> Option<(String, String)> {
    let line = fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    // The name before it is in brackets, and may itself have anything in it.
    let mut words = line.rsplit_once(')')?.1.split_whitespace().map(str::to_owned);
    Some((words.next()?, words.next()?))
}

/// Those that are gone by now are no children any more.
fn children(parent: Pid) -> Result<Vec<Pid>, Error> {
    let parent = parent.to_string();
    let processes = fs::read_dir("/proc").map_err(Error::system("reading /proc"))?;
    let names = processes
        .flatten()
        .map(|entry| entry.file_name().to_string_lossy().into_owned());
    let own = names.filter(|name| look(name).is_some_and(|(_, of)| of == parent));
    Ok(own.filter_map(|name| Pid::from_raw(name.parse().ok()?)).collect())
}

/// Also over when the process is gone.
fn wait_for_state(process: Pid, states: &[&str]) {
    while look(&process.to_string()).is_some_and(|(state, _)| !states.contains(&state.as_str())) {
        std::thread::sleep(LOOK);
    }
}
