//! The messages of the benches, and the clients that hand them over.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use budstikke_e2e::{Fagsystem, File};
use reqwest::Method;
use reqwest::multipart::{Form, Part};
use serde_json::Value;

use crate::{RECEIVER, SENDER};

/// Clients at the same time.
pub(crate) const CLIENTS: usize = 32;
/// Bytes of a message's file.
pub(crate) const SIZE: usize = 5000;

/// How a fagsystem hands over a message.
#[derive(Clone, Copy)]
pub(crate) enum Way {
    /// Create, upload, send.
    ThreeCalls,
    /// One multipart request.
    OneShot,
}

/// Hands over so many messages. How long each took, shortest first.
pub(crate) async fn hand_over_all(
    fagsystem: &Fagsystem,
    way: Way,
    file: &File,
    messages: usize,
) -> anyhow::Result<Vec<Duration>> {
    let next = Arc::new(AtomicUsize::new(0));
    let clients: Vec<_> = (0..CLIENTS)
        .map(|_| {
            tokio::spawn(client(
                fagsystem.clone(),
                way,
                file.clone(),
                messages,
                Arc::clone(&next),
            ))
        })
        .collect();
    let mut answered = Vec::with_capacity(messages);
    for client in clients {
        answered.extend(client.await??);
    }
    answered.sort();
    Ok(answered)
}

/// The example with its letter left out, and filled up to the size.
pub(crate) fn arkivmelding() -> anyhow::Result<File> {
    let files = File::examples()?;
    let example = files.first().context("no example")?;
    let mut text = String::from_utf8(example.content.clone())?
        .replace("<referanseDokumentfil>brev.pdf</referanseDokumentfil>", "")
        .replace("<antallFiler>1</antallFiler>", "<antallFiler>0</antallFiler>");
    let rest = SIZE
        .checked_sub(text.len() + "<!---->".len())
        .context("the example is larger than the message")?;
    text.push_str("<!--");
    // Digits that repeat late: compression must not make it a smaller message.
    text.extend(
        (0_u32..)
            .flat_map(|number| {
                number
                    .wrapping_mul(2_654_435_761)
                    .to_string()
                    .chars()
                    .collect::<Vec<_>>()
            })
            .take(rest),
    );
    text.push_str("-->");
    ensure!(text.len() == SIZE, "{} bytes", text.len());
    Ok(File::new("arkivmelding.xml", "application/xml", text))
}

async fn client(
    fagsystem: Fagsystem,
    way: Way,
    file: File,
    messages: usize,
    next: Arc<AtomicUsize>,
) -> anyhow::Result<Vec<Duration>> {
    let mut answered = Vec::new();
    while next.fetch_add(1, Ordering::Relaxed) < messages {
        let id = uuid::Uuid::new_v4().to_string();
        let started = Instant::now();
        hand_over(&fagsystem, way, &id, &file).await?;
        answered.push(started.elapsed());
    }
    Ok(answered)
}

/// Hands over one.
pub(crate) async fn hand_over(fagsystem: &Fagsystem, way: Way, id: &str, file: &File) -> anyhow::Result<()> {
    let sbd = sbd(id);
    match way {
        Way::ThreeCalls => {
            fagsystem.send_message(&sbd, std::slice::from_ref(file)).await?;
        }
        Way::OneShot => {
            let part = Part::bytes(file.content.clone())
                .file_name(file.name.clone())
                .mime_str(&file.mime)?;
            let sbd = Part::text(sbd.to_string()).mime_str("application/json")?;
            let form = Form::new().part("sbd", sbd).part("Arkivmelding", part);
            let request = fagsystem
                .request(Method::POST, "/api/messages/out/multipart")
                .multipart(form);
            fagsystem.ask(request).await?.ok()?;
        }
    }
    Ok(())
}

fn sbd(id: &str) -> Value {
    let mut sbd = Fagsystem::arkivmelding(SENDER, RECEIVER, id);
    if let Some(body) = sbd.get_mut("arkivmelding").and_then(Value::as_object_mut) {
        body.remove("hoveddokument");
    }
    sbd
}
