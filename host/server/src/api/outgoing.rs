//! Messages of the fagsystem that have not left: create, list, read, drop. Spec: messaging API, 5.1 and 5.5.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::IntoResponse;

use super::arriving::Arriving;
use super::create::{self, Call};
use super::error::{ApiError, ApiResult};
use super::page::{self, Sortable};
use super::params::Params;
use super::{JSON_BYTES, json, json_bytes, sbd_json, stored_sbd, takes_json, unbroken};
use crate::node::Node;
use crate::store::OutgoingFilter;

pub(super) const SORTABLE: Sortable = &[
    ("id", "id"),
    ("conversationId", "conversation_id"),
    ("messageId", "message_id"),
    ("processIdentifier", "process"),
    ("receiverIdentifier", "receiver_identifier"),
    ("senderIdentifier", "sender_identifier"),
    ("serviceIdentifier", "service"),
    ("lastUpdated", "last_updated"),
];

const FILTERS: &[&str] = &[
    "conversationId",
    "messageId",
    "processIdentifier",
    "receiverIdentifier",
    "senderIdentifier",
    "serviceIdentifier",
];

/// `POST /api/messages/out`
pub(super) async fn post(State(node): State<Arc<Node>>, headers: HeaderMap, body: Body) -> ApiResult {
    takes_json(&headers)?;
    let content = Arriving::new(body).whole(JSON_BYTES).await?;
    let sbd = create::read(&node, &content, Call::Json)?;
    let draft = create::prepare(&node, sbd, Call::Json).await?;
    let (answer, message_id) = (create::written(&draft.sbd)?, draft.new.facts.message_id.clone());
    let stored = unbroken(async move { create::commit(&node, draft.new, Vec::new(), draft.limit).await }).await?;
    stored.map_err(|error| ApiError::of_store(&error, &message_id))?;
    Ok(json_bytes(answer))
}

/// `GET /api/messages/out`
pub(super) async fn list(State(node): State<Arc<Node>>, params: Params) -> ApiResult {
    params.refuse_near_misses(FILTERS)?;
    let filter = OutgoingFilter {
        conversation_id: params.filter("conversationId")?,
        message_id: params.filter("messageId")?,
        process: params.filter("processIdentifier")?,
        receiver_identifier: params.filter("receiverIdentifier")?,
        sender_identifier: params.filter("senderIdentifier")?,
        service: params.service()?,
    };
    let asked = page::asked_for(&params, SORTABLE)?;
    let found = node.store.outgoing_messages(filter, asked.clone()).await;
    let found = found.map_err(|error| ApiError::of_store(&error, ""))?;
    let stored = found
        .items
        .iter()
        .map(|message| stored_sbd(&node, &message.facts.message_id, &message.sbd));
    let content = stored.collect::<ApiResult<Vec<_>>>()?;
    let found = crate::store::PageOf {
        items: content,
        total: found.total,
    };
    json(&page::enveloped(found, &asked, false, |sbd| sbd))
}

/// `GET /api/messages/out/{messageId}`
pub(super) async fn get(State(node): State<Arc<Node>>, Path(message_id): Path<String>) -> ApiResult {
    let found = node
        .store
        .outgoing(&message_id)
        .await
        .map_err(|error| ApiError::of_store(&error, &message_id))?;
    let message = found.ok_or_else(|| ApiError::no_message(&message_id))?;
    Ok(json_bytes(sbd_json(&node, &message_id, &message.sbd)?))
}

/// `DELETE /api/messages/out/{messageId}`
pub(super) async fn delete(State(node): State<Arc<Node>>, Path(message_id): Path<String>) -> ApiResult {
    node.store
        .delete_outgoing(&message_id)
        .await
        .map_err(|error| ApiError::of_store(&error, &message_id))?;
    Ok(StatusCode::OK.into_response())
}
