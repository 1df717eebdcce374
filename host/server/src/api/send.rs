//! Sending: the last checks, then the queue. Spec: messaging API, 5.3.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::IntoResponse;
use budstikke_message::arkivmelding::{self, Arkivmelding};
use budstikke_message::body::Kind;
use budstikke_message::document_type::Files;
use budstikke_message::sbd::Sbd;
use budstikke_message::status::Status;
use budstikke_store::{Attachment, Direction, NewStatus};

use super::adapter_check;
use super::create::own_certificate;
use super::description::refusals::refusals;
use super::error::{self, ApiError, ApiResult, kind};
use super::unbroken;
use super::upload::{damaged, read_arkivmelding};
use crate::fail_point;
use crate::node::Node;
use crate::sealed_sbd;

/// What the conversation says about a message that was sent too late.
const TOO_LATE: &str = "Levetiden gikk ut før meldingen ble sendt; den må opprettes på nytt";

/// Why a message is not sent.
pub(super) const REFUSALS: &[error::Kind] = &[
    kind::INVALID_CERTIFICATE,
    kind::MISSING_FILE,
    kind::TIME_TO_LIVE,
    kind::MISSING_ARKIVMELDING,
    kind::INVALID_DOCUMENT,
    kind::MISSING_ARKIVMELDING_FILE,
    kind::MISSING_PRIMARY,
    kind::FILE_NOT_FOUND,
    kind::DISK_FULL,
    kind::NOT_STORED,
    kind::REFUSED_BY_ADAPTER,
];

refusals! { PostRefusals: REFUSALS, &[kind::MESSAGE_NOT_FOUND, kind::NO_SUCH_PATH]; }

/// Send a message
///
/// `200` means that it is queued, not that it was sent: statuses say how it goes on. Sending it again is sending it once.
#[utoipa::path(post, path = "/api/messages/out/{messageId}", operation_id = "sendMessage", tag = "messages out",
    params(("messageId" = String, Path, description = "documentIdentification.instanceIdentifier of the message.")),
    responses((status = 200, description = "The message is queued."), PostRefusals))]
pub(super) async fn post(State(node): State<Arc<Node>>, Path(message_id): Path<String>) -> ApiResult {
    queue(&node, &message_id).await?;
    Ok(StatusCode::OK.into_response())
}

/// Puts a draft on its way, if nothing is missing. One that is on its way already stays so.
pub(super) async fn queue(node: &Arc<Node>, message_id: &str) -> ApiResult<()> {
    let found = node.store.outgoing_with_files(message_id).await;
    let (message, files) = found
        .map_err(|error| ApiError::of_store(&error, message_id))?
        .ok_or_else(|| ApiError::no_message(message_id))?;
    if message.queued {
        return Ok(());
    }
    own_certificate(node)?;
    let sbd = sealed_sbd::open(&node.vault, &node.types, message_id, &message.sbd).map_err(|error| damaged(&error))?;
    has_files(&sbd, &files)?;
    if message.facts.expiry < Node::now() {
        return Err(too_late(node, message_id, &sbd).await);
    }
    let key = node.vault.key_of(message_id, &message.sbd);
    let key = key.map_err(|error| ApiError::of_vault(&error))?;
    let read = match arkivmelding_among(&sbd, &files)? {
        None => None,
        Some(file) => Some(read_arkivmelding(&node.vault, &key, file).await?),
    };
    is_complete(&sbd, &files, read.as_ref())?;
    adapter_check::check_whole(node, &sbd, &message.facts, (&key, &files)).await?;

    let (queueing, id) = (node.clone(), message_id.to_owned());
    let queued = unbroken(async move { queueing.store.queue(&id, Node::now()).await }).await?;
    queued.map_err(|error| ApiError::of_store(&error, message_id))?;
    fail_point::reached("queue.after-commit");
    on_its_way(node);
    Ok(())
}

/// Wakes the sender.
pub(super) fn on_its_way(node: &Node) {
    // For whoever waits now, and for whoever looks next.
    node.queued.notify_waiters();
    node.queued.notify_one();
}

/// Refuses a message without files that needs some.
pub(super) fn has_files(sbd: &Sbd, files: &[Attachment]) -> ApiResult<()> {
    if sbd.message_type().files == Files::Required && files.is_empty() {
        return Err(ApiError::new(kind::MISSING_FILE, "The message has no files."));
    }
    Ok(())
}

/// Refuses a message that lacks a file which the message itself names. `arkivmelding`: what its `arkivmelding.xml` holds, when it
/// needs one.
pub(super) fn is_complete(sbd: &Sbd, files: &[Attachment], arkivmelding: Option<&Arkivmelding>) -> ApiResult<()> {
    if let Some(arkivmelding) = arkivmelding {
        arkivmelding_is_complete(arkivmelding, files)?;
    }
    metadata_files_are_there(sbd, files)?;
    if sbd.message_type().needs_primary && !files.iter().any(|file| file.primary) {
        let name = sbd.primary_document().unwrap_or_default();
        let text = format!("The primary document {name} has not been uploaded.");
        return Err(ApiError::new(kind::MISSING_PRIMARY, text));
    }
    Ok(())
}

/// The message has no use any more: its conversation says so, and its files go.
async fn too_late(node: &Node, message_id: &str, sbd: &Sbd) -> ApiError {
    let status = NewStatus {
        description: Some(TOO_LATE.to_owned()),
        ..NewStatus::plain(Status::LevetidUtlopt, Node::now())
    };
    if let Err(error) = node
        .store
        .register_status(message_id, Direction::Outgoing, status)
        .await
    {
        return ApiError::of_store(&error, message_id);
    }
    if let Err(error) = node.store.delete_outgoing(message_id, Node::now()).await {
        tracing::warn!(%error, message_id, "a message past its time could not be removed");
    }
    let deadline = sbd.expires().map(ToString::to_string).unwrap_or_default();
    ApiError::new(
        kind::TIME_TO_LIVE,
        format!("The expectedResponseDateTime of the message, {deadline}, has passed."),
    )
}

/// The file that a message of this type must have. None: it needs no such file.
pub(super) fn arkivmelding_among<'a>(sbd: &Sbd, files: &'a [Attachment]) -> ApiResult<Option<&'a Attachment>> {
    if !sbd.message_type().needs_arkivmelding {
        return Ok(None);
    }
    let found = files.iter().find(|file| file.filename == arkivmelding::FILE_NAME);
    found.map(Some).ok_or_else(|| {
        let text = format!(
            "A message of type {} needs a file {}.",
            sbd.message_type().name,
            arkivmelding::FILE_NAME
        );
        ApiError::new(kind::MISSING_ARKIVMELDING, text)
    })
}

fn arkivmelding_is_complete(read: &Arkivmelding, files: &[Attachment]) -> ApiResult<()> {
    let missing = read.missing_files(|name| files.iter().any(|file| file.filename == name));
    if missing.is_empty() {
        return Ok(());
    }
    let text = format!(
        "Files that arkivmelding.xml refers to are not in the message: {}",
        missing.join(",")
    );
    Err(ApiError::new(kind::MISSING_ARKIVMELDING_FILE, text))
}

/// A map from files to their metadata files names files on both sides.
fn metadata_files_are_there(sbd: &Sbd, files: &[Attachment]) -> ApiResult<()> {
    let missing = missing_metadata_files(sbd, |name| files.iter().any(|file| file.filename == name));
    if missing.is_empty() {
        return Ok(());
    }
    let text = format!(
        "Files that metadataFiler names are not in the message: {}",
        missing.join(",")
    );
    Err(ApiError::new(kind::FILE_NOT_FOUND, text))
}

fn missing_metadata_files(sbd: &Sbd, present: impl Fn(&str) -> bool) -> Vec<String> {
    let maps = sbd
        .message_type()
        .body
        .iter()
        .filter(|field| field.name == "metadataFiler" && field.kind == Kind::TextMap);
    let mut missing = Vec::new();
    for field in maps {
        for (file, metadata) in sbd
            .body()
            .get(field.name)
            .and_then(|map| map.as_object())
            .into_iter()
            .flatten()
        {
            for name in [Some(file.as_str()), metadata.as_str()].into_iter().flatten() {
                if !present(name) && !missing.iter().any(|known| known == name) {
                    missing.push(name.to_owned());
                }
            }
        }
    }
    missing
}
