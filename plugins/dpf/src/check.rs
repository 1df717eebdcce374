//! Looking at a message before it is accepted.
//!
//! Spec: DPF and DPFIO, 4 and 7.4.

use budstikke_sdk::Failure;

use crate::forsendelse::{self, Document};
use crate::host::{Draft, Host};
use crate::id::sender_number;
use crate::sbd::Wishes;
use crate::send::ARKIVMELDING;
use crate::settings::{Outgoing, Settings};
use crate::svarut::SvarUt;

/// Seconds that the forsendelsestyper of a sender are used without asking again.
const TYPES_LIFE: u64 = 3600;

/// Characters of a file name, and those that it may not have.
const NAME: usize = 226;
const FORBIDDEN: [char; 9] = ['"', '<', '>', '?', '*', '|', ':', '/', '\\'];

/// Characters of a title.
const TITLE: usize = 1000;

/// Bytes of what may be printed.
const PRINTABLE: u64 = 350 * 1024 * 1024;

/// A permanent failure refuses the message; its text is told to the fagsystem.
pub(crate) fn check<H: Host>(host: &H, settings: &Settings, draft: &Draft<H::File>) -> Result<(), Failure> {
    if draft.message_type != ARKIVMELDING {
        return Ok(());
    }
    let wishes = Wishes::read(&draft.sbd)?;
    if wishes.level.is_none() {
        let text = "arkivmelding.sikkerhetsnivaa must be given for a receiver in SvarUt: 3 or 4";
        return Err(Failure::permanent("sikkerhetsnivaa", text));
    }
    let svarut = SvarUt::of(host, settings, &draft.sender).ok_or_else(|| {
        let number = sender_number(&draft.sender);
        let text = format!("SvarUt credentials not configured for orgnr {number}");
        Failure::permanent("MissingSvarUtCredentialsException", text)
    })?;
    if let Some(kind) = &wishes.kind {
        check_type(&svarut, kind)?;
    }
    match &draft.files {
        None => Ok(()),
        Some(files) => check_files(host, svarut.out, files),
    }
}

/// What cannot be asked about is not refused: SvarUt says it when the message is sent.
fn check_type<H: Host>(svarut: &SvarUt<'_, H>, kind: &str) -> Result<(), Failure> {
    let Some(known) = types(svarut) else {
        return Ok(());
    };
    if known.iter().any(|known| known == kind) {
        return Ok(());
    }
    let list = if known.is_empty() {
        "none".to_owned()
    } else {
        known.join(", ")
    };
    Err(Failure::permanent(
        "ForsendelseTypeNotFoundException",
        format!(
            "forsendelseType '{kind}' is not one of the types that SvarUt has for {}: {list}",
            svarut.number
        ),
    ))
}

fn types<H: Host>(svarut: &SvarUt<'_, H>) -> Option<Vec<String>> {
    let host = svarut.host;
    let key = format!("types/{}", svarut.number);
    let kept = host.recall(&key).and_then(|bytes| serde_json::from_slice(&bytes).ok());
    if kept.is_some() {
        return kept;
    }
    match svarut.types() {
        Ok(types) => {
            if let Ok(bytes) = serde_json::to_vec(&types) {
                host.remember(&key, &bytes, TYPES_LIFE);
            }
            Some(types)
        }
        Err(trouble) => {
            let line = trouble.failure.line();
            host.warn(&format!(
                "the forsendelsestyper cannot be fetched, so the type of a message is not looked at: {line}"
            ));
            None
        }
    }
}

/// Spec: DPF and DPFIO, 7.4. File names are content, but these texts go to who gave them.
fn check_files<H: Host>(host: &H, out: &Outgoing, files: &[H::File]) -> Result<(), Failure> {
    let arkivmelding = forsendelse::arkivmelding(host, files)?;
    let title = forsendelse::title(&arkivmelding)?;
    if title.chars().count() > TITLE {
        let text = format!("the title of the journalpost has more than {TITLE} characters");
        return Err(Failure::permanent("title", text));
    }
    let documents = forsendelse::documents(host, &arkivmelding, files, &out.not_printed)?;
    for document in &documents {
        check_name(&document.name)?;
        // SvarUt tells files apart by their names, and so does the arkivmelding.
        if files.iter().filter(|file| host.name(file) == document.name).count() > 1 {
            let text = format!("two files are called '{}', which SvarUt does not take", document.name);
            return Err(Failure::permanent("file-name", text));
        }
        if host.size(document.file) == Some(0) {
            let text = format!("the file '{}' is empty, which SvarUt does not take", document.name);
            return Err(Failure::permanent("empty-document", text));
        }
    }
    // Everything may be printed unless it is delivered digitally only.
    let size: u64 = documents
        .iter()
        .filter_map(|document: &Document<'_, _>| host.size(document.file))
        .sum();
    if !out.digital_only && size > PRINTABLE {
        let text = format!(
            "the files have {size} bytes, and SvarUt takes {PRINTABLE} of what may be printed; more only with kun-digital-levering"
        );
        return Err(Failure::permanent("too-large", text));
    }
    Ok(())
}

fn check_name(name: &str) -> Result<(), Failure> {
    let reason = if name.chars().count() > NAME {
        format!("has more than {NAME} characters")
    } else if let Some(char) = name.chars().find(|char| FORBIDDEN.contains(char)) {
        format!("has the character {char} in it")
    } else {
        return Ok(());
    };
    let text = format!("the name of the file '{name}' {reason}, which SvarUt does not take");
    Err(Failure::permanent("file-name", text))
}

#[cfg(test)]
mod tests;
