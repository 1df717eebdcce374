//! The incoming queue: look, lock, fetch the package, take. Spec: messaging API, 6.

use std::io::{self, Read};
use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use budstikke_message::cms::{CmsError, EnvelopeReader};
use budstikke_message::sbd::Sbd;
use budstikke_message::status::Status;
use http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use tokio_util::io::ReaderStream;

use super::error::{ApiError, ApiResult, kind};
use super::page::{self, Sortable};
use super::params::Params;
use super::upload::damaged;
use super::{json, json_bytes, sbd_json, stored_sbd, unbroken};
use crate::abilities::documents::{blocking, copy, read_on_demand};
use crate::delivery::answer::status_answer;
use crate::fail_point;
use crate::node::Node;
use crate::sealed_sbd;
use crate::store::{IncomingFilter, NewStatus, PageOf, StoreError};

/// Packages up to this size, in bytes, are decrypted to their end before the first byte goes out, so that damage anywhere
/// in them is an error and not a broken download.
const PROVEN_FIRST: u64 = 32 * 1024 * 1024;
/// What is decrypted of larger ones before the answer begins, bytes.
const FIRST: usize = 64 * 1024;
/// Bytes of one piece of a download.
const PIECE: usize = 64 * 1024;

pub(super) const SORTABLE: Sortable = &[
    ("id", "rowid"),
    ("conversationId", "conversation_id"),
    ("messageId", "message_id"),
    ("process", "process"),
    ("processIdentifier", "process"),
    ("receiverIdentifier", "receiver_identifier"),
    ("senderIdentifier", "sender_identifier"),
    ("serviceIdentifier", "service"),
    ("lastUpdated", "last_updated"),
];

const FILTERS: &[&str] = &[
    "messageId",
    "conversationId",
    "receiverIdentifier",
    "senderIdentifier",
    "serviceIdentifier",
    "process",
];

fn filter(params: &Params) -> ApiResult<IncomingFilter> {
    params.refuse_near_misses(FILTERS)?;
    Ok(IncomingFilter {
        message_id: params.filter("messageId")?,
        conversation_id: params.filter("conversationId")?,
        receiver_identifier: params.filter("receiverIdentifier")?,
        sender_identifier: params.filter("senderIdentifier")?,
        service: params.service()?,
        process: params.filter("process")?,
    })
}

fn nothing() -> Response {
    StatusCode::NO_CONTENT.into_response()
}

/// `GET /api/messages/in`
pub(super) async fn list(State(node): State<Arc<Node>>, params: Params) -> ApiResult {
    let asked = page::asked_for(&params, SORTABLE)?;
    let found = node.store.incoming_messages(filter(&params)?, asked.clone()).await;
    let found = found.map_err(|error| ApiError::of_store(&error, ""))?;
    let stored = found
        .items
        .iter()
        .map(|message| stored_sbd(&node, &message.message_id, &message.sbd));
    let found = PageOf {
        items: stored.collect::<ApiResult<Vec<_>>>()?,
        total: found.total,
    };
    json(&page::enveloped(found, &asked, false, |sbd| sbd))
}

/// `GET /api/messages/in/peek`
pub(super) async fn peek(State(node): State<Arc<Node>>, params: Params) -> ApiResult {
    let now = Node::now();
    let until = now.saturating_add(i64::from(node.settings.lock_minutes) * 60_000);
    let found = node.store.peek(filter(&params)?, now, until).await;
    match found.map_err(|error| ApiError::of_store(&error, ""))? {
        None => Ok(nothing()),
        Some(message) => Ok(json_bytes(sbd_json(&node, &message.message_id, &message.sbd)?)),
    }
}

/// `GET /api/messages/in/pop/{messageId}`
pub(super) async fn pop(State(node): State<Arc<Node>>, Path(message_id): Path<String>) -> ApiResult {
    let locked = node.store.locked(&message_id, Node::now()).await;
    let message = locked.map_err(|error| ApiError::of_store(&error, &message_id))?;
    let receipt = node.types.get(&message.message_type).is_some_and(|row| row.receipt);
    let Some((blob, size)) = message.package.filter(|_| !receipt) else {
        return Ok(nothing());
    };

    let (vault, identity) = (node.vault.clone(), node.identity.clone());
    let opened = blocking(move || {
        let open = || {
            let sealed: Box<dyn Read + Send> = Box::new(vault.read(&blob)?);
            EnvelopeReader::open(sealed, &identity).map_err(io::Error::from)
        };
        if size <= PROVEN_FIRST {
            copy(&mut open()?, &mut io::sink())?;
        }
        let mut package = open()?;
        let mut first = Vec::with_capacity(FIRST);
        (&mut package).take(FIRST as u64).read_to_end(&mut first)?;
        Ok((first, package))
    });
    let (first, package) = opened.await.map_err(|error| unreadable(&message_id, error))?;
    let content = read_on_demand(Box::new(io::Cursor::new(first).chain(package)));
    let mut response = Body::from_stream(ReaderStream::with_capacity(content, PIECE)).into_response();
    let headers = response.headers_mut();
    headers.insert(
        CONTENT_TYPE,
        HeaderValue::from_static("application/vnd.etsi.asic-e+zip"),
    );
    headers.insert(
        CONTENT_DISPOSITION,
        HeaderValue::from_static("attachment; filename=asic.zip"),
    );
    Ok(response)
}

/// Spec: messaging API, 14: never to be taken for "no package".
fn unreadable(message_id: &str, error: io::Error) -> ApiError {
    let error = CmsError::from_io(error);
    tracing::error!(%error, message_id, "the package of a received message cannot be read; the message is kept");
    ApiError::new(
        kind::UNREADABLE_PACKAGE,
        format!("The package of the message cannot be read: {error}."),
    )
}

/// `DELETE /api/messages/in/{messageId}`
pub(super) async fn delete(State(node): State<Arc<Node>>, Path(message_id): Path<String>) -> ApiResult {
    let now = Node::now();
    let locked = node.store.locked(&message_id, now).await;
    let message = locked.map_err(|error| ApiError::of_store(&error, &message_id))?;
    let sbd: Sbd =
        sealed_sbd::open(&node.vault, &node.types, &message_id, &message.sbd).map_err(|error| damaged(&error))?;
    let body = sbd_json(&node, &message_id, &message.sbd)?;
    let answer = message
        .answered
        .then(|| status_answer(&node, &sbd, &message.service, Status::Levert))
        .flatten();
    let answered = answer.is_some();
    fail_point::reached("take.before-commit");
    let (taking, id) = (node.clone(), message_id.clone());
    let taken: Result<_, StoreError> = unbroken(async move {
        taking
            .store
            .take(&id, NewStatus::plain(Status::InnkommendeLevert, now), answer)
            .await
    })
    .await?;
    taken.map_err(|error| ApiError::of_store(&error, &message_id))?;
    fail_point::reached("take.after-commit");
    if answered {
        node.queued.notify_waiters();
        node.queued.notify_one();
    }
    Ok(json_bytes(body))
}
