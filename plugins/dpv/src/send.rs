//! Sending one message: what Altinn may have of it already, and then the letter itself.
//!
//! Spec: DPO and DPV, 4.3 to 4.7.

use budstikke_sdk::{Failure, Sent, StatusReport};
use serde::{Deserialize, Serialize};

use crate::correspondence::Api;
use crate::form::Letter;
use crate::host::{Host, Outgoing, Written};
use crate::identifier::part_or_primary;
use crate::message::{Body, Kind};
use crate::settings::Settings;
use crate::{content, files};

/// Seconds until the first look at what became of it: Altinn scans the files meanwhile.
const FIRST_LOOK: u32 = 5;

const CHECKPOINT: &str = "upload";

/// Seconds in which an upload whose answer we did not get may still be at work in Altinn, and until the next look at it.
const SETTLING: u64 = 120;
const LOOK_AGAIN: u32 = 60;

/// Remembered before an upload, which an attempt may not live to see the end of.
#[derive(Debug, Serialize, Deserialize)]
struct Begun {
    resource: String,
    /// In seconds since 1970.
    at: u64,
}

/// Sends one message, or finds it at Altinn where an earlier attempt left it.
pub(crate) fn send<H: Host, M: Outgoing<File = H::File>>(
    host: &H,
    settings: &Settings,
    message: &M,
) -> Result<Sent, Failure> {
    let kind = Kind::of(&message.message_type())?;
    if kind == Kind::Receipt {
        return Ok(not_sent());
    }
    let api = Api::new(host, settings);
    if let Some(id) = earlier(host, &api, message)? {
        return Ok(sent(Some(id)));
    }

    let resource = resource(message)?;
    let body = Body::read(kind, &message.sbd()?)?;
    let whole = content::whole(host, kind, &body, message.files())?;
    files::check(host, settings, &whole.attachments)?;
    if whole.left_out > 0 {
        let count = whole.left_out;
        host.warn(&format!(
            "files that arkivmelding.xml does not name do not go to Altinn: {count}"
        ));
    }
    let letter = Letter {
        kind,
        resource: &resource,
        sender_name: &sender_name(host, settings, &message.sender())?,
        content: &whole.content,
        wishes: &body.wishes(),
        attachments: &whole.attachments,
    };
    let form = letter.form(host, settings, message)?;

    let begun = Begun {
        resource: resource.clone(),
        at: host.now(),
    };
    let value = serde_json::to_vec(&begun).map_err(|error| Failure::temporary(format!("checkpoint: {error}")))?;
    message.save_checkpoint(CHECKPOINT, &value)?;
    match api.upload(&form) {
        Ok(id) => Ok(sent(Some(id))),
        // Altinn has it, from an attempt whose answer got lost. A look-up that fails says nothing about the message.
        Err(error) if error.is_known_key() => {
            let found = api.find(&resource, &message.message_id());
            let found = found.map_err(|error| Failure::from(error).into_temporary())?;
            if found.is_none() {
                host.warn(
                    "Altinn has taken the message before and does not find it; nobody will be told what becomes of it",
                );
            }
            Ok(sent(found))
        }
        Err(error) => Err(error.into()),
    }
}

/// Altinn has the message, so nothing here may fail. Without an id there is nothing to ask about.
fn sent(id: Option<String>) -> Sent {
    Sent {
        track_after: id.is_some().then_some(FIRST_LOOK),
        reference: id,
        reports: Vec::new(),
    }
}

/// A receipt goes nowhere: nobody at the other side has a system that reads it. Spec: DPO and DPV, 4.3.
fn not_sent() -> Sent {
    let report = |status: &str| StatusReport {
        status: status.to_owned(),
        description: Some("Receipts are not sent over DPV".to_owned()),
        raw_receipt: None,
        at: None,
    };
    Sent {
        reference: None,
        reports: vec![report("LEVERT"), report("LEST")],
        track_after: None,
    }
}

/// The letter of an earlier attempt, if Altinn has it. Comes before everything that can fail: whatever has happened to the registry or
/// our own set-up since, the message may have arrived.
///
/// Only for this the host calls `send` after the message has expired; then nothing is sent any more.
fn earlier<H: Host, M: Outgoing>(host: &H, api: &Api<'_, H>, message: &M) -> Result<Option<String>, Failure> {
    let begun: Option<Begun> = message.checkpoint(CHECKPOINT).and_then(|value| {
        let begun = serde_json::from_slice(&value).ok();
        if begun.is_none() {
            host.warn("the checkpoint of an earlier attempt cannot be read");
        }
        begun
    });
    let known = begun.as_ref().map(|begun| begun.resource.clone());
    let resource = known.or_else(|| message.uncertain().then(|| message.resource()).flatten());
    if let Some(resource) = resource.filter(|resource| !resource.trim().is_empty()) {
        let found = api.find(&resource, &message.message_id());
        let found = found.map_err(|error| Failure::from(error).into_temporary())?;
        if found.is_some() {
            return Ok(found);
        }
    }
    let now = host.now();
    if message.expires() > now {
        return Ok(None);
    }
    if begun.is_some_and(|begun| now < begun.at.saturating_add(SETTLING)) {
        let text = "the message expired while it was being uploaded; looking again later";
        return Err(Failure::temporary_after(text, LOOK_AGAIN));
    }
    Err(Failure::permanent(
        "expired",
        "the message expired before Altinn had it",
    ))
}

/// The resource that the registry gives. Without one nobody can be asked, so nothing is called.
///
/// Spec: DPO and DPV, T19.
pub(crate) fn resource(message: &impl Written) -> Result<String, Failure> {
    let resource = message.resource().filter(|resource| !resource.trim().is_empty());
    resource.ok_or_else(|| {
        Failure::permanent(
            "resource",
            "the resource id for DPV is empty in the address service; its owner must set it right (for Digdir's: contact Digdir)",
        )
    })
}

/// The name of who acts: of the sender's part, else of the sender, whoever owns this installation.
///
/// Spec: DPO and DPV, 8, sharp edge 27.
fn sender_name<H: Host>(host: &H, settings: &Settings, sender: &str) -> Result<String, Failure> {
    let number = part_or_primary(sender);
    let name = host.name_of(number)?.filter(|name| !name.trim().is_empty());
    name.or_else(|| settings.sender_name.clone()).ok_or_else(|| {
        Failure::permanent(
            "sender-name",
            format!("the address service has no name of {number}, and there is no setting `sender-name`"),
        )
    })
}

#[cfg(test)]
mod tests;
