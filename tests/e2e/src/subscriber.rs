//! Somebody who is told of statuses: a Python program, so that signatures are checked by other code than ours.

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Instant;

use anyhow::{Context as _, ensure};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::fagsystem::Fagsystem;
use crate::letter::PATIENCE;

const SECRET: &str = "hemmelig mellom to parter";

/// See the module.
pub struct Subscriber {
    heard: PathBuf,
    port: u16,
    process: Option<Child>,
}

impl Subscriber {
    /// Starts the program; what it hears goes to a file.
    pub fn start(heard: &Path) -> anyhow::Result<Self> {
        let mut subscriber = Self {
            heard: heard.to_owned(),
            port: 0,
            process: None,
        };
        subscriber.wake()?;
        Ok(subscriber)
    }

    /// Ends the program: nobody listens at its port any more.
    pub fn sleep(&mut self) {
        if let Some(mut process) = self.process.take() {
            // It may have ended by itself.
            let _ended = process.kill();
            let _reaped = process.wait();
        }
    }

    /// Starts the program again, at the same port.
    pub fn wake(&mut self) -> anyhow::Result<()> {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/subscriber.py");
        let mut process = Command::new("python3")
            .arg(script)
            .arg(SECRET)
            .arg(&self.heard)
            .arg(self.port.to_string())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .context("python3 is needed for this test: install it")?;
        let output = process.stdout.take().context("its output")?;
        self.process = Some(process);
        let mut line = String::new();
        BufReader::new(output).read_line(&mut line)?;
        self.port = line.trim().parse().context("the subscriber did not start")?;
        Ok(())
    }

    /// Subscribes to everything, or to what a filter asks for; the ping is heard.
    pub async fn subscribe(&self, fagsystem: &Fagsystem, filter: Option<&str>) -> anyhow::Result<()> {
        let subscription = json!({
            "name": "test", "pushEndpoint": format!("http://127.0.0.1:{}/hook", self.port), "resource": "messages",
            "event": "status", "filter": filter, "signingSecret": SECRET,
        });
        let request = fagsystem
            .request(Method::POST, "/api/subscriptions")
            .json(&subscription);
        let answer = fagsystem.ask(request).await?;
        ensure!(answer.status == StatusCode::OK, "subscribing: {answer:?}");
        ensure!(
            self.all()?.last().is_some_and(|told| told["event"] == "ping"),
            "no ping came"
        );
        Ok(())
    }

    /// The events of statuses that it has heard. Every request so far was signed with the right secret.
    pub fn heard(&self) -> anyhow::Result<Vec<Value>> {
        let all = self.all()?;
        for told in &all {
            ensure!(told["genuine"] == true, "not signed as it should be: {told}");
        }
        Ok(all.into_iter().filter(|told| told["event"] == "status").collect())
    }

    /// Waits until it has heard a status, and gives all that it has heard.
    pub async fn hears(&self, status: &str) -> anyhow::Result<Vec<Value>> {
        let started = Instant::now();
        loop {
            let heard = self.heard()?;
            if heard.iter().any(|told| told["status"] == status) {
                return Ok(heard);
            }
            ensure!(
                started.elapsed() < PATIENCE,
                "no {status} was told; there was {heard:?}"
            );
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
    }

    fn all(&self) -> anyhow::Result<Vec<Value>> {
        let text = std::fs::read_to_string(&self.heard).unwrap_or_default();
        // The last line may be half written.
        let whole = text.rsplit_once('\n').map_or("", |(whole, _)| whole);
        whole
            .lines()
            .map(|line| serde_json::from_str(line).context("what was heard"))
            .collect()
    }
}

impl Drop for Subscriber {
    fn drop(&mut self) {
        self.sleep();
    }
}
