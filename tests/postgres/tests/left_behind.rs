//! Nothing stays behind a process that had a server, however it ends.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// How long a test waits for what must come.
const PATIENCE: Duration = Duration::from_mins(1);

/// A process with a server, and a temporary folder that is its own.
struct Holder {
    temporary: tempfile::TempDir,
    process: Child,
}

impl Holder {
    fn start() -> Self {
        let temporary = tempfile::tempdir().unwrap();
        // The server's user must be let in, when it is another one.
        std::fs::set_permissions(temporary.path(), std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
        let process = Command::new(env!("CARGO_BIN_EXE_test-postgres"))
            .env("TMPDIR", temporary.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        Self { temporary, process }
    }

    /// The address of its database, which works.
    fn address(&mut self) -> String {
        let mut line = String::new();
        let stdout = self.process.stdout.as_mut().unwrap();
        BufReader::new(stdout).read_line(&mut line).unwrap();
        let address = line.trim().to_owned();
        assert!(works(&address));
        address
    }

    fn kill(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }

    /// Servers and watchdogs name the folder in their command line.
    fn processes(&self) -> usize {
        processes_with(self.temporary.path())
    }

    fn folder_is_empty(&self) -> bool {
        std::fs::read_dir(self.temporary.path()).unwrap().next().is_none()
    }
}

fn processes_with(folder: &Path) -> usize {
    let folder = folder.to_str().unwrap();
    let processes = std::fs::read_dir("/proc").unwrap().flatten();
    let lines = processes.filter_map(|process| std::fs::read_to_string(process.path().join("cmdline")).ok());
    lines.filter(|line| line.contains(folder)).count()
}

fn works(address: &str) -> bool {
    let mut psql = Command::new("psql");
    psql.args(["--no-psqlrc", "--command", "select 1", address]);
    psql.stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .unwrap()
        .success()
}

fn comes_true(what: impl Fn() -> bool) {
    let started = Instant::now();
    while !what() {
        assert!(started.elapsed() < PATIENCE, "not within {PATIENCE:?}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

#[test]
fn a_process_that_ends_in_good_order_leaves_nothing() {
    let mut holder = Holder::start();
    let address = holder.address();
    drop(holder.process.stdin.take());
    assert!(holder.process.wait().unwrap().success());
    assert!(!works(&address));
    assert!(holder.folder_is_empty());
    comes_true(|| holder.processes() == 0);
}

#[test]
fn a_killed_process_leaves_neither_server_nor_folder() {
    let mut holder = Holder::start();
    let address = holder.address();
    assert!(holder.processes() > 0);
    holder.kill();
    comes_true(|| holder.processes() == 0);
    assert!(!works(&address));
    comes_true(|| holder.folder_is_empty());
}

#[test]
fn a_process_killed_while_its_server_starts_leaves_no_server() {
    // Before the folder, while it is filled, before the server's process, before it is ready, after.
    for milliseconds in (0..400).step_by(20) {
        let mut holder = Holder::start();
        std::thread::sleep(Duration::from_millis(milliseconds));
        holder.kill();
        comes_true(|| holder.processes() == 0);
    }
}
