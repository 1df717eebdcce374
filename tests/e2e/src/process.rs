//! A process of the program that serves until it is told to stop, in a folder with its TOML file and its log.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};

use crate::guard;

/// How long a start may take before it counts as failed. Generous: compilation on a busy machine.
const START: Duration = Duration::from_mins(1);
const ADDRESS: &str = "address";

/// See the module. It ends with the value.
pub(crate) struct Process {
    program: PathBuf,
    /// `serve`, or another command that does.
    command: &'static str,
    config: PathBuf,
    folder: PathBuf,
    child: Option<Child>,
    address: String,
}

impl Process {
    /// Not started yet. Its TOML file says `address-file = "address"`.
    pub(crate) fn new(program: &Path, command: &'static str, config: PathBuf, folder: &Path) -> Self {
        Self {
            program: program.to_owned(),
            command,
            config,
            folder: folder.to_owned(),
            child: None,
            address: "127.0.0.1:0".into(),
        }
    }

    /// Starts it and waits for nothing.
    pub(crate) fn spawn(&mut self, environment: &[(&str, &str)]) -> anyhow::Result<()> {
        self.stop();
        let _absent = fs::remove_file(self.folder.join(ADDRESS));
        let log = fs::File::options()
            .create(true)
            .append(true)
            .open(self.folder.join("log.txt"))?;
        let child = Command::new(&self.program)
            .arg(self.command)
            .arg("--config")
            .arg(&self.config)
            .envs(environment.iter().copied())
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .spawn()
            .with_context(|| self.program.display().to_string())?;
        guard::began(child.id())?;
        self.child = Some(child);
        Ok(())
    }

    /// Waits until it is ready.
    pub(crate) async fn ready(&mut self) -> anyhow::Result<()> {
        let started = Instant::now();
        loop {
            if let Ok(address) = fs::read_to_string(self.folder.join(ADDRESS))
                && address.ends_with('\n')
            {
                address.trim().clone_into(&mut self.address);
                return Ok(());
            }
            if let Some(status) = self.ended() {
                bail!("`{}` ended with {status}; its log:\n{}", self.command, self.log());
            }
            if started.elapsed() > START {
                bail!(
                    "`{}` was not ready after {START:?}; its log:\n{}",
                    self.command,
                    self.log()
                );
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    /// Where it listens, since it was ready.
    pub(crate) fn address(&self) -> &str {
        &self.address
    }

    /// What it has logged so far.
    pub(crate) fn log(&self) -> String {
        fs::read_to_string(self.folder.join("log.txt")).unwrap_or_default()
    }

    /// How it ended by itself.
    pub(crate) fn ended(&mut self) -> Option<ExitStatus> {
        self.child.as_mut()?.try_wait().ok().flatten()
    }

    /// The process id.
    pub(crate) fn pid(&self) -> Option<u32> {
        self.child.as_ref().map(Child::id)
    }

    /// SIGTERM, and waits for the end.
    pub(crate) async fn terminate(&mut self) -> anyhow::Result<ExitStatus> {
        self.signal("TERM")?;
        let mut child = self.child.take().context("not running")?;
        Ok(tokio::task::spawn_blocking(move || {
            let ended = child.wait();
            guard::ended(child.id());
            ended
        })
        .await??)
    }

    /// Any signal.
    pub(crate) fn signal(&self, name: &str) -> anyhow::Result<()> {
        let pid = self.pid().context("not running")?;
        let sent = Command::new("kill")
            .arg(format!("-{name}"))
            .arg(pid.to_string())
            .status()?;
        if !sent.success() {
            bail!("SIG{name} could not be sent");
        }
        Ok(())
    }

    /// SIGKILL, at once.
    pub(crate) fn stop(&mut self) {
        if let Some(mut child) = self.child.take() {
            // It may have ended by itself.
            let _ended = child.kill();
            guard::ended(child.id());
            let _reaped = child.wait();
        }
    }

    /// Runs a command of the program, and waits for its end.
    pub(crate) async fn run(&self, arguments: &[&str]) -> anyhow::Result<std::process::Output> {
        let mut process = Command::new(&self.program);
        process.args(arguments);
        Ok(tokio::task::spawn_blocking(move || process.output()).await??)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.stop();
    }
}
