//! Ends the processes of a test whose own process was killed before it could: a shell knows them all, and finds the end of
//! its input.

use std::io::Write as _;
use std::process::{ChildStdin, Command, Stdio};
use std::sync::{Mutex, PoisonError};

use anyhow::Context as _;

const SCRIPT: &str = include_str!("guard.sh");

static GUARD: Mutex<Option<ChildStdin>> = Mutex::new(None);

/// A process is to end with this one.
pub(crate) fn began(process: u32) -> anyhow::Result<()> {
    let mut guard = GUARD.lock().unwrap_or_else(PoisonError::into_inner);
    let told = match &mut *guard {
        Some(told) => told,
        none => none.insert(start()?),
    };
    writeln!(told, "new {process}").context("the guard of processes")
}

/// It has ended, and its number can be another's soon.
pub(crate) fn ended(process: u32) {
    let mut guard = GUARD.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(told) = &mut *guard
        && let Err(error) = writeln!(told, "gone {process}")
    {
        eprintln!("the guard of processes is gone: {error}");
    }
}

fn start() -> anyhow::Result<ChildStdin> {
    let mut shell = Command::new("sh")
        .args(["-c", SCRIPT, "guard"])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()
        .context("a shell")?;
    shell.stdin.take().context("the input of a shell")
}
