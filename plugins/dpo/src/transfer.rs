//! Bringing one package to Altinn once, over any number of attempts.
//!
//! An upload whose answer got lost may have arrived, and the receiver would take a second transfer for a second message
//! once the first has left its queue. So the id is remembered before the upload, and a retry looks before it acts.
//!
//! Spec: DPO and DPV, 8, sharp edge 6.

use std::collections::BTreeMap;

use budstikke_sdk::Failure;
use serde::{Deserialize, Serialize};

use crate::broker::Broker;
use crate::host::{Host, Outgoing};
use crate::wire::{Initialise, TransferStatus, is_transfer_id};

const CHECKPOINT: &str = "transfer";

/// Seconds in which an upload whose answer we did not get may still be at work in Altinn. The next look is as far off.
const SETTLING: u64 = 30;
const LOOK_AGAIN: u32 = 30;

/// Seconds after which an upload of other bytes, lost by us since, is given up. Longer than 1 GiB takes over a slow line,
/// so that no transfer arrives after it was given up.
const STUCK: u64 = 2 * 3600;

/// What stands on the announcement.
pub(crate) struct Letter<'a> {
    pub(crate) resource: &'a str,
    pub(crate) sender: &'a str,
    pub(crate) receiver: &'a str,
    pub(crate) reference: &'a str,
}

/// The transfer of an earlier step or attempt.
#[derive(Debug, Serialize, Deserialize)]
struct Announced {
    id: String,
    md5: String,
    reference: String,
    /// When it was announced, in seconds since 1970.
    at: u64,
}

/// Where an announced transfer stands.
enum Standing {
    /// Altinn has the package.
    Arrived,
    /// Altinn waits for the package.
    Open,
    /// An upload began so many seconds ago and has not ended. It can be made again, into the same transfer.
    Begun(u64),
    /// A state that we do not know.
    Unknown(String),
    /// Nothing will come of it.
    Dead,
}

/// What an earlier attempt left at Altinn.
pub(crate) enum Earlier {
    /// Nothing that could still become the message.
    Nothing,
    /// Altinn has the package of this transfer.
    Arrived(String),
    Unfinished(Unfinished),
}

/// A transfer that still waits for its package.
pub(crate) struct Unfinished {
    transfer: Announced,
    /// Seconds since an upload began; none when none did.
    begun: Option<u64>,
}

/// Asks Altinn what became of an earlier attempt. Comes before everything that can fail: whatever has happened to the
/// certificate, the registry or our own set-up since, the message may have arrived.
///
/// Only for this the host calls `send` after the message has expired; then nothing is sent any more.
pub(crate) fn look<H: Host, M: Outgoing>(host: &H, broker: &Broker<'_, H>, message: &M) -> Result<Earlier, Failure> {
    let Some(transfer) = earlier(host, message) else {
        return Ok(Earlier::Nothing);
    };
    let expired = message.expires() <= host.now();
    match standing(host, broker, &transfer)? {
        Standing::Arrived => Ok(Earlier::Arrived(transfer.id)),
        Standing::Unknown(name) => Err(later(&transfer, &format!("has the unknown status `{name}`"))),
        Standing::Begun(age) if age <= SETTLING || (expired && age <= STUCK) => {
            Err(later(&transfer, "is being uploaded"))
        }
        _ if expired => Err(Failure::permanent(
            "expired",
            format!(
                "the message expired before Altinn had the package of transfer {}",
                transfer.id
            ),
        )),
        Standing::Begun(age) => Ok(Earlier::Unfinished(Unfinished {
            transfer,
            begun: Some(age),
        })),
        Standing::Open => Ok(Earlier::Unfinished(Unfinished { transfer, begun: None })),
        Standing::Dead => Ok(Earlier::Nothing),
    }
}

fn later(transfer: &Announced, why: &str) -> Failure {
    Failure::temporary_after(
        format!("transfer {} {why}; looking again later", transfer.id),
        LOOK_AGAIN,
    )
}

/// Brings the package to Altinn and gives the transfer's id. At most one transfer is announced per attempt.
pub(crate) fn bring<H: Host, M: Outgoing<File = H::File>>(
    host: &H,
    broker: &Broker<'_, H>,
    message: &M,
    letter: &Letter<'_>,
    package: &H::File,
    unfinished: Option<Unfinished>,
) -> Result<String, Failure> {
    let md5 = host.md5(package)?;
    if let Some(Unfinished { transfer, begun }) = unfinished {
        if transfer.md5 == md5 {
            return upload(host, broker, transfer, package);
        }
        if begun.is_some_and(|age| age <= STUCK) {
            return Err(later(&transfer, "is being uploaded"));
        }
    }
    let id = broker.initialise(&Initialise {
        file_name: "sbd.zip",
        resource_id: letter.resource,
        senders_file_transfer_reference: letter.reference,
        sender: letter.sender,
        recipients: [letter.receiver],
        property_list: BTreeMap::new(),
        checksum: &md5,
        disable_virus_scan: None,
    })?;
    let announced = Announced {
        id,
        md5,
        reference: letter.reference.to_owned(),
        at: host.now(),
    };
    let value = serde_json::to_vec(&announced).map_err(|error| Failure::temporary(format!("checkpoint: {error}")))?;
    message.save_checkpoint(CHECKPOINT, &value)?;
    upload(host, broker, announced, package)
}

fn earlier<H: Host, M: Outgoing>(host: &H, message: &M) -> Option<Announced> {
    let value = message.checkpoint(CHECKPOINT)?;
    match serde_json::from_slice::<Announced>(&value) {
        Ok(announced) if is_transfer_id(&announced.id) => Some(announced),
        _ => {
            host.warn("the checkpoint of an earlier attempt cannot be read; the transfer starts anew");
            None
        }
    }
}

fn upload<H: Host>(
    host: &H,
    broker: &Broker<'_, H>,
    announced: Announced,
    package: &H::File,
) -> Result<String, Failure> {
    match broker.upload(&announced.id, package) {
        Ok(()) => Ok(announced.id),
        // Somebody uploaded it before: an attempt of ours whose answer got lost.
        Err(error) if error.is(409) => match standing(host, broker, &announced)? {
            Standing::Arrived => Ok(announced.id),
            _ => Err(error.into()),
        },
        // It went away between the look and the upload; the next attempt finds that out and starts anew.
        Err(error) if error.is(404) => Err(Failure::from(error).into_temporary()),
        Err(error) => Err(error.into()),
    }
}

/// A look-up that fails says nothing about the message, so the failure is temporary whatever the status.
fn standing<H: Host>(host: &H, broker: &Broker<'_, H>, announced: &Announced) -> Result<Standing, Failure> {
    let overview = match broker.overview(&announced.id) {
        Ok(overview) => overview,
        Err(error) if error.is(404) => return Ok(Standing::Dead),
        Err(error) => return Err(Failure::from(error).into_temporary()),
    };
    let now = host.now();
    Ok(match overview.file_transfer_status {
        TransferStatus::UploadProcessing
        | TransferStatus::Published
        | TransferStatus::AllConfirmedDownloaded
        | TransferStatus::Purged => Standing::Arrived,
        TransferStatus::Initialized => Standing::Open,
        TransferStatus::Failed | TransferStatus::Cancelled => Standing::Dead,
        TransferStatus::UploadStarted => Standing::Begun(
            overview
                .changed_at()
                .map_or(now.saturating_sub(announced.at), |changed| changed.age(now)),
        ),
        TransferStatus::Other(name) => Standing::Unknown(name),
    })
}

#[cfg(test)]
mod tests;
