//! A file of 1 GiB from a fagsystem through both integrasjonspunkter to a fagsystem. Nobody holds it in memory.

use std::io::{self, Read, Write};
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use aws_lc_rs::digest::{Context, SHA256};
use budstikke_doubles::{DoublesConfig, Limits};
use budstikke_e2e::{Fagsystem, File, Installation, Profile, World, message_id};
use reqwest::{Body, Method};
use tokio::io::AsyncWriteExt as _;
use tokio_util::io::ReaderStream;

use crate::figure::Figure;
use crate::machine::peak_mib;
use crate::{RECEIVER, SENDER};

const SIZE: u64 = 1 << 30;
/// Room for the arkivmelding beside the file, and for package and seal around both.
const LIMIT: u64 = SIZE + (64 << 20);
/// Peak memory of each process, MiB.
const MEMORY: f64 = 128.0;
const NAME: &str = "vedlegg.bin";
const PATIENCE: Duration = Duration::from_mins(10);
/// Bytes that the client hands on at a time.
const PIECE: usize = 256 << 10;

pub(crate) async fn measure() -> anyhow::Result<Vec<Figure>> {
    println!("large: one file of {SIZE} random bytes");
    let limits = Limits {
        max_upload: LIMIT,
        ..Limits::default()
    };
    let doubles = DoublesConfig {
        limits,
        ..DoublesConfig::default()
    };
    let world = World::with(&[SENDER, RECEIVER], Profile::Release, None, doubles).await?;
    let (mut ours, mut theirs) = (installation(&world, SENDER)?, installation(&world, RECEIVER)?);
    let (sender, receiver) = (ours.start().await?, theirs.start().await?);
    let file = world.folder().join(NAME);
    let written = file.clone();
    let sent_digest = tokio::task::spawn_blocking(move || random_file(&written)).await??;

    let id = uuid::Uuid::new_v4().to_string();
    let mut sbd = Fagsystem::arkivmelding(SENDER, RECEIVER, &id);
    sbd["arkivmelding"]["hoveddokument"] = NAME.into();
    sender.create(&sbd).await?.ok()?;
    sender.upload(&id, &arkivmelding()?).await?.ok()?;
    let mut watch = Instant::now();
    let mut lap = || std::mem::replace(&mut watch, Instant::now()).elapsed().as_secs_f64();
    upload(&sender, &id, &file).await?;
    let upload = lap();
    sender.send(&id).await?.ok()?;
    sender
        .wait_for(&id, "SENDT", PATIENCE)
        .await
        .with_context(|| ours.log())?;
    let send = lap();
    let arrived = receiver
        .wait_and_peek("", PATIENCE)
        .await
        .with_context(|| theirs.log())?;
    let receive = lap();
    ensure!(message_id(&arrived) == Some(&id), "another message was on the queue");
    let package = world.folder().join("asic.zip");
    pop(&receiver, &id, &package).await?;
    let pop = lap();
    receiver.take(&id).await?.ok()?;
    let received_digest = tokio::task::spawn_blocking(move || digest_in(&package)).await??;
    ensure!(
        received_digest == sent_digest,
        "the received file is not the one that was sent"
    );

    let peak = |installation: &Installation| peak_mib(installation.pid().context("not running")?);
    Ok(vec![
        Figure::plain("large: peak memory of the sender", peak(&ours)?, "MiB").at_most(MEMORY),
        Figure::plain("large: peak memory of the receiver", peak(&theirs)?, "MiB").at_most(MEMORY),
        Figure::plain(
            "large: peak memory of client and stand-ins",
            peak_mib(std::process::id())?,
            "MiB",
        ),
        Figure::plain("large: upload, until it is on disk", upload, "s"),
        Figure::plain("large: send, until it is SENDT", send, "s"),
        Figure::plain("large: receive, until it can be peeked", receive, "s"),
        Figure::plain("large: pop", pop, "s"),
    ])
}

fn installation(world: &World, number: &str) -> anyhow::Result<Installation> {
    let installation = world.installation(number)?;
    let settings = "[adapters.dpo.settings]\n";
    installation.edit(|text| text.replace(settings, &format!("{settings}upload-limit = {LIMIT}\n")))?;
    Ok(installation)
}

fn arkivmelding() -> anyhow::Result<File> {
    let files = File::examples()?;
    let example = files.first().context("no example")?;
    let text = String::from_utf8(example.content.clone())?.replace("brev.pdf", NAME);
    Ok(File::new("arkivmelding.xml", "application/xml", text))
}

/// Bytes that do not compress. Returns their SHA-256.
fn random_file(path: &Path) -> anyhow::Result<Vec<u8>> {
    let mut random = std::fs::File::open("/dev/urandom")?.take(SIZE);
    let mut out = Digesting {
        inner: std::fs::File::create(path)?,
        digest: Context::new(&SHA256),
    };
    io::copy(&mut random, &mut out)?;
    Ok(out.digest.finish().as_ref().to_vec())
}

/// The SHA-256 of the file in the package.
fn digest_in(package: &Path) -> anyhow::Result<Vec<u8>> {
    let mut archive = zip::ZipArchive::new(std::fs::File::open(package)?)?;
    let mut out = Digesting {
        inner: io::sink(),
        digest: Context::new(&SHA256),
    };
    io::copy(&mut archive.by_name(NAME)?, &mut out)?;
    Ok(out.digest.finish().as_ref().to_vec())
}

async fn upload(sender: &Fagsystem, id: &str, file: &Path) -> anyhow::Result<()> {
    let content = ReaderStream::with_capacity(tokio::fs::File::open(file).await?, PIECE);
    let request = sender
        .request(Method::PUT, &format!("/api/messages/out/{id}"))
        .header("content-type", "application/octet-stream")
        .header("content-length", SIZE)
        .header(
            "content-disposition",
            format!("attachment; name=\"Vedlegg\"; filename=\"{NAME}\""),
        )
        .body(Body::wrap_stream(content));
    sender.ask(request).await?.ok()?;
    Ok(())
}

async fn pop(receiver: &Fagsystem, id: &str, target: &Path) -> anyhow::Result<()> {
    let request = receiver.request(Method::GET, &format!("/api/messages/in/pop/{id}"));
    let mut response = request.send().await?.error_for_status()?;
    let mut out = tokio::io::BufWriter::with_capacity(PIECE, tokio::fs::File::create(target).await?);
    while let Some(piece) = response.chunk().await? {
        out.write_all(&piece).await?;
    }
    Ok(out.flush().await?)
}

struct Digesting<W> {
    inner: W,
    digest: Context,
}

impl<W: Write> Write for Digesting<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let count = self.inner.write(bytes)?;
        self.digest.update(bytes.get(..count).unwrap_or_default());
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}
