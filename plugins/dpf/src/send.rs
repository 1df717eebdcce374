//! Sending one message, or going on where an earlier attempt ended.
//!
//! Spec: DPF and DPFIO, 4 to 8.

use budstikke_sdk::{Failure, Sent, StatusReport};

use crate::forsendelse::{self, Forsendelse};
use crate::host::{Host, Outgoing};
use crate::id::{is_uuid, number};
use crate::sbd::Wishes;
use crate::settings::{Protocol, Seal, Settings};
use crate::svarut::{Outcome, SvarUt, unknown_after};

/// The type of messages that are sent. Others are receipts, which SvarUt has no place for.
pub(crate) const ARKIVMELDING: &str = "arkivmelding";

/// The checkpoint with the id of the forsendelse, once SvarUt has it.
const TAKEN: &str = "taken";
/// The checkpoint that stands from before the first byte leaves: when that was, in seconds since 1970, or [`SETTLED`].
const BEGUN: &str = "begun";
/// What was begun has come to an end, and nothing is on its way any more.
const SETTLED: u64 = 0;

/// Seconds until the first look at what became of it.
const FIRST_LOOK: u32 = 15;

/// Sends one message.
pub(crate) fn send<H: Host, M: Outgoing<File = H::File>>(
    host: &H,
    settings: &Settings,
    message: &M,
) -> Result<Sent, Failure> {
    if message.message_type() != ARKIVMELDING {
        return Ok(receipt());
    }
    if let Some(id) = text(message.checkpoint(TAKEN)) {
        return Ok(sent(id));
    }
    let sender = message.sender();
    let svarut = SvarUt::of(host, settings, &sender).ok_or_else(|| {
        let number = crate::id::sender_number(&sender);
        // The operator may mend it, and the message waits for that.
        Failure::temporary(format!("No SvarUt client configured for orgnr: {number}"))
    })?;
    // Comes before everything that can fail: whatever has happened to the certificate or the registry since, it may have arrived.
    if let Some(id) = earlier(host, &svarut, message)? {
        return Ok(taken(host, message, id));
    }

    let files = message.files();
    let (forsendelse, id, sealed) = prepare(host, message, &files, &svarut)?;
    message.save_checkpoint(BEGUN, host.now().to_string().as_bytes())?;
    let outcome = svarut.send(&forsendelse, &sealed, &id);
    if !matches!(outcome, Outcome::Unknown { under_way: true, .. } | Outcome::Taken(_)) {
        message.save_checkpoint(BEGUN, SETTLED.to_string().as_bytes())?;
    }
    match outcome {
        Outcome::Taken(id) => Ok(taken(host, message, id)),
        // An earlier attempt may have been the first of the two. Spec: DPF and DPFIO, 14, sharp edge 9.
        Outcome::Duplicate(failure) => match svarut.find(&forsendelse.reference) {
            Ok(Some(id)) => Ok(taken(host, message, id)),
            Ok(None) => Err(failure),
            Err(trouble) => Err(trouble.failure.into_temporary()),
        },
        Outcome::Refused(failure) => Err(failure),
        Outcome::Unknown { detail, .. } => Err(Failure::unknown(detail)),
    }
}

/// The forsendelse that an earlier attempt has made. Only for this the host calls `send` after the message has expired.
fn earlier<H: Host, M: Outgoing>(host: &H, svarut: &SvarUt<'_, H>, message: &M) -> Result<Option<String>, Failure> {
    let begun = text(message.checkpoint(BEGUN)).and_then(|text| text.parse::<u64>().ok());
    if begun.is_none() && !message.uncertain() {
        return Ok(None);
    }
    let found = svarut.find(&message.message_id());
    if let Some(id) = found.map_err(|trouble| trouble.failure.into_temporary())? {
        return Ok(Some(id));
    }
    let since = match begun {
        None | Some(SETTLED) => u64::MAX,
        Some(begun) => host.now().saturating_sub(begun),
    };
    let wait = u64::from(svarut.out.uncertain_wait);
    // Over SOAP the id is ours, and SvarUt refuses the second one.
    if svarut.settings.protocol == Protocol::Rest && since < wait {
        let detail = "SvarUt does not know the message yet, and may still be taking it; looking again later";
        return Err(unknown_after(detail.to_owned(), wait - since));
    }
    if message.expires() <= host.now() {
        let detail = "the message expired before SvarUt had taken it";
        return Err(Failure::permanent("expired", detail));
    }
    Ok(None)
}

type Prepared<'a, F> = (Forsendelse<'a, F>, String, Vec<F>);

/// Everything that is needed before the first byte leaves.
fn prepare<'a, H: Host, M: Outgoing<File = H::File>>(
    host: &H,
    message: &M,
    files: &'a [H::File],
    svarut: &SvarUt<'_, H>,
) -> Result<Prepared<'a, H::File>, Failure> {
    let wishes = Wishes::read(&message.sbd()?)?;
    let arkivmelding = forsendelse::arkivmelding(host, files)?;
    let documents = forsendelse::documents(host, &arkivmelding, files, &svarut.out.not_printed)?;
    let receiver = forsendelse::registered(host, number(&message.receiver()))?;
    let answers_to = match forsendelse::written_sender(&arkivmelding, svarut.number) {
        Some(sender) => sender,
        None => forsendelse::registered(host, svarut.number)?,
    };
    let certificate = message.receiver_certificate().ok_or_else(|| {
        let text = format!("the registry has no certificate of {} for DPF", receiver.number);
        Failure::permanent("certificate", text)
    })?;
    let scheme = svarut.out.seal;
    let sealed = documents.iter().enumerate().map(|(place, document)| {
        let sealed = host.seal(document.file, &certificate, scheme)?;
        message.keep(&kept_name(place, &certificate, scheme), &sealed)
    });
    let sealed = sealed.collect::<Result<Vec<_>, Failure>>()?;
    let reference = message.message_id();
    let own_id = wishes.sender_reference.as_deref().filter(|text| is_uuid(text));
    let id = own_id.unwrap_or(&reference).to_owned();
    let forsendelse = Forsendelse {
        title: forsendelse::title(&arkivmelding)?.to_owned(),
        metadata: forsendelse::metadata(&arkivmelding, |text| host.warn(text)),
        reference,
        wishes,
        receiver,
        answers_to,
        documents,
    };
    Ok((forsendelse, id, sealed))
}

/// What is kept is sealed to a certificate, so another one makes another name.
fn kept_name(place: usize, certificate: &[u8], scheme: Seal) -> String {
    const BASIS: u64 = 0xcbf2_9ce4_8422_2325;
    const PRIME: u64 = 0x0100_0000_01b3;
    let hash = certificate
        .iter()
        .fold(BASIS, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(PRIME));
    format!("document-{place}-{scheme:?}-{hash:016x}")
}

/// SvarUt has it. That it is written down is a help for a next attempt, not a condition: it could be found again.
fn taken<H: Host, M: Outgoing>(host: &H, message: &M, id: String) -> Sent {
    if let Err(failure) = message.save_checkpoint(TAKEN, id.as_bytes()) {
        host.warn(&format!("the id of a forsendelse cannot be kept: {}", failure.line()));
    }
    sent(id)
}

fn text(checkpoint: Option<Vec<u8>>) -> Option<String> {
    checkpoint.and_then(|value| String::from_utf8(value).ok())
}

/// Taken is delivered: KS answers for it from here on. Spec: DPF and DPFIO, 8.
fn sent(id: String) -> Sent {
    Sent {
        reference: Some(id),
        reports: vec![report("LEVERT")],
        track_after: Some(FIRST_LOOK),
    }
}

/// Nothing is sent. Spec: DPF and DPFIO, 4.
fn receipt() -> Sent {
    Sent {
        reference: None,
        reports: vec![report("LEVERT"), report("LEST")],
        track_after: None,
    }
}

fn report(status: &str) -> StatusReport {
    StatusReport {
        status: status.to_owned(),
        description: None,
        raw_receipt: None,
        at: None,
    }
}

#[cfg(test)]
mod tests;
