//! One message as its two fagsystems see it. Both know which of their calls were answered, and repeat the one that was
//! not when the integrasjonspunkt had gone away in the middle of it.

use std::io::{Cursor, Read as _};
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use budstikke_message::asic::{self, AsicLimits, ZipFiles, ZipLimits};
use reqwest::StatusCode;
use serde_json::Value;

use crate::fagsystem::{Answer, Fagsystem, File, message_id};

/// How long anything may take before it counts as lost.
pub const PATIENCE: Duration = Duration::from_mins(1);
/// Polls of both installations fit in here several times.
pub const SEVERAL_POLLS: Duration = Duration::from_millis(2500);

/// The statuses of a message that arrived and was taken, at its sender.
pub const AT_SENDER: [&str; 4] = ["OPPRETTET", "SENDT", "MOTTATT", "LEVERT"];
/// The same at its receiver.
pub const AT_RECEIVER: [&str; 3] = ["OPPRETTET", "INNKOMMENDE_MOTTATT", "INNKOMMENDE_LEVERT"];

/// A message on its way out.
#[derive(Debug, Clone)]
pub struct Letter {
    /// Message id.
    pub id: String,
    sbd: Value,
    files: Vec<File>,
    answered: usize,
}

impl Letter {
    /// The arkivmelding of `examples/message`.
    pub fn new(sender: &str, receiver: &str) -> anyhow::Result<Self> {
        Ok(Self::with(sender, receiver, File::examples()?))
    }

    /// An arkivmelding with other files, whose names must be those of the examples.
    pub fn with(sender: &str, receiver: &str, files: Vec<File>) -> Self {
        let id = uuid::Uuid::new_v4().to_string();
        Self {
            sbd: Fagsystem::arkivmelding(sender, receiver, &id),
            id,
            files,
            answered: 0,
        }
    }

    /// The files in it.
    pub fn files(&self) -> &[File] {
        &self.files
    }

    /// Makes the calls that have not been answered yet: create, upload, send.
    pub async fn go_on(&mut self, fagsystem: &Fagsystem) -> anyhow::Result<()> {
        while self.answered < self.files.len() + 2 {
            self.call(fagsystem, self.answered)
                .await
                .with_context(|| format!("call {} of {}", self.answered, self.id))?;
            self.answered += 1;
        }
        Ok(())
    }

    async fn call(&self, fagsystem: &Fagsystem, number: usize) -> anyhow::Result<()> {
        match number.checked_sub(1) {
            None => done(&fagsystem.create(&self.sbd).await?, "MessageAlreadyExistsException"),
            Some(number) => match self.files.get(number) {
                Some(file) => done(&fagsystem.upload(&self.id, file).await?, "DuplicateFilenameException"),
                // A message that was repeated after it had left.
                None => done(&fagsystem.send(&self.id).await?, "MessageNotFoundException"),
            },
        }
    }

    /// Whether this is the asic.zip of the message: signed, whole, every file as it was.
    pub fn is_in(&self, package: &[u8]) -> anyhow::Result<()> {
        asic::verify(package, AsicLimits::of_total(1 << 30)).context("the popped package")?;
        let mut zip = ZipFiles::open(Cursor::new(package), ZipLimits::of_total(1 << 30))?;
        for file in &self.files {
            let mut content = Vec::new();
            zip.file(&file.name)?.read_to_end(&mut content)?;
            ensure!(content == file.content, "{} is not as it was sent", file.name);
        }
        Ok(())
    }

    /// Like [`has_arrived_once`](Self::has_arrived_once), where a MOTTATT that had to be tried again may come after LEVERT:
    /// each travels by itself.
    pub async fn has_arrived_under_trouble(&self, sender: &Fagsystem, receiver: &Fagsystem) -> anyhow::Result<()> {
        for status in AT_SENDER {
            sender
                .wait_for(&self.id, status, PATIENCE)
                .await
                .with_context(|| format!("at the sender of {}", self.id))?;
        }
        let mut there = sender.statuses(&self.id).await?;
        if let Some(answers) = there.get_mut(2..) {
            answers.sort_unstable_by(|one, other| other.cmp(one));
        }
        ensure!(there == AT_SENDER, "the sender of {} has {there:?}", self.id);
        let here = receiver.statuses(&self.id).await?;
        ensure!(here == AT_RECEIVER, "the receiver of {} has {here:?}", self.id);
        Ok(())
    }

    /// Waits for the end at the sender, and looks at all statuses of both sides.
    pub async fn has_arrived_once(&self, sender: &Fagsystem, receiver: &Fagsystem) -> anyhow::Result<()> {
        sender
            .wait_for(&self.id, "LEVERT", PATIENCE)
            .await
            .context("at the sender")?;
        let there = sender.statuses(&self.id).await?;
        ensure!(there == AT_SENDER, "the sender of {} has {there:?}", self.id);
        let here = receiver.statuses(&self.id).await?;
        ensure!(here == AT_RECEIVER, "the receiver of {} has {here:?}", self.id);
        Ok(())
    }
}

/// A call that was answered, now or before: `repeated` is what a repetition is answered with.
fn done(answer: &Answer, repeated: &str) -> anyhow::Result<()> {
    if answer.status == StatusCode::OK || answer.json().to_string().contains(repeated) {
        return Ok(());
    }
    Err(answer.clone().into())
}

/// The receiving fagsystem, with one message in its hands.
#[derive(Debug, Default)]
pub struct Reader {
    id: Option<String>,
    package: Option<Vec<u8>>,
    taken: bool,
}

impl Reader {
    /// Makes the calls that have not been answered yet: peek, pop, take. Gives the message and its package.
    pub async fn go_on(&mut self, fagsystem: &Fagsystem) -> anyhow::Result<(String, Vec<u8>)> {
        let started = Instant::now();
        let id = loop {
            if let Some(id) = &self.id {
                break id.clone();
            }
            self.id = match fagsystem.peek("").await? {
                Some(sbd) => message_id(&sbd).map(ToOwned::to_owned),
                None => self.peeked_without_answer(fagsystem).await?,
            };
            ensure!(
                started.elapsed() < PATIENCE,
                "nothing on the incoming queue after {PATIENCE:?}"
            );
            tokio::time::sleep(Duration::from_millis(50)).await;
        };
        if self.package.is_none() {
            self.package = Some(fagsystem.pop(&id).await?.ok()?.body);
        }
        if !self.taken {
            done(&fagsystem.take(&id).await?, "MessageNotFoundException").context("taking")?;
            self.taken = true;
        }
        Ok((id, self.package.clone().unwrap_or_default()))
    }

    /// A message that is locked by a peek whose answer was lost shows in the list of the queue, and can be popped.
    async fn peeked_without_answer(&mut self, fagsystem: &Fagsystem) -> anyhow::Result<Option<String>> {
        let queue = fagsystem.get("/api/messages/in?size=1").await?.ok()?.json();
        let Some(id) = queue["content"].get(0).and_then(message_id).map(ToOwned::to_owned) else {
            return Ok(None);
        };
        let popped = fagsystem.pop(&id).await?;
        if popped.json().to_string().contains("MessageNotLockedException") {
            // It had only just come.
            return Ok(None);
        }
        self.package = Some(popped.ok()?.body);
        Ok(Some(id))
    }
}

/// Nothing waits, and nothing comes.
pub async fn nothing_more_comes(fagsystem: &Fagsystem) -> anyhow::Result<()> {
    tokio::time::sleep(SEVERAL_POLLS).await;
    let queue = fagsystem.get("/api/messages/in").await?.ok()?.json();
    ensure!(
        queue["content"].as_array().is_some_and(Vec::is_empty),
        "there is one more: {queue}"
    );
    Ok(())
}
