//! Messages of the fagsystem that have not left: create, list, read, drop. Spec: messaging API, 5.1 and 5.5.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::IntoResponse;
use budstikke_store::OutgoingFilter;
use budstikke_store::files::MessageKey;

use super::arriving::Arriving;
use super::create::{self, Call};
use super::description::body::pages;
use super::description::query::{Filter, Form, filter, query};
use super::description::refusals::refusals;
use super::description::sbd::{self, StandardBusinessDocument};
use super::error::{ApiError, ApiResult, kind};
use super::listing::{self, Rows};
use super::page::{self, Sortable};
use super::params::Params;
use super::{json_bytes, sbd_json, takes_json, unbroken};
use crate::node::Node;

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

const FILTERS: &[Filter] = &[
    filter("conversationId", Form::Text, "Id of the conversation."),
    filter("messageId", Form::Text, "Id of the message."),
    filter("processIdentifier", Form::Text, "Process."),
    filter("receiverIdentifier", Form::Text, "Bare identifier, such as 910076787."),
    filter(
        "senderIdentifier",
        Form::Text,
        "Bare identifier: the part when the sender has one.",
    ),
    filter("serviceIdentifier", Form::Text, "Message service."),
];

query! { ListQuery: FILTERS, sorted by SORTABLE; }

pages! { MessagePage: StandardBusinessDocument; }

refusals! {
    PostRefusals: create::REFUSALS, &[kind::INVALID_ARGUMENT, kind::UNSUPPORTED_MEDIA_TYPE, kind::CUT_OFF];
    ListRefusals: &[kind::UNKNOWN_SORT];
    GetRefusals: &[kind::MESSAGE_NOT_FOUND, kind::NO_SUCH_PATH];
    DeleteRefusals: &[kind::NO_SUCH_PATH, kind::DISK_FULL];
}

/// Create a message
///
/// The answer is the SBD as it is stored, with generated ids and defaults. Upload its files next, then send it. The message id
/// is taken for good: once it was tried to send the message, for 400 days also when the conversation has been deleted. The id of
/// a draft is free again when first the draft and then its conversation have been deleted.
#[utoipa::path(post, path = "/api/messages/out", operation_id = "createMessage", tag = "messages out",
    request_body(content = StandardBusinessDocument, content_type = "application/json", example = json!(sbd::example())),
    responses((status = 200, description = "The message was created.", body = StandardBusinessDocument), PostRefusals))]
pub(super) async fn post(State(node): State<Arc<Node>>, headers: HeaderMap, body: Body) -> ApiResult {
    takes_json(&headers)?;
    let content = Arriving::new(body, node.limits.silence_time)
        .whole(node.limits.json_bytes)
        .await?;
    let sbd = create::read(&node, &content, Call::Json)?;
    let key = MessageKey::generate().map_err(|error| ApiError::of_vault(&error))?;
    let draft = create::prepare(&node, sbd, &key, Call::Json).await?;
    let (answer, message_id) = (create::written(&draft.sbd)?, draft.new.facts.message_id.clone());
    let stored = unbroken(async move { create::commit(&node, draft.new, Vec::new(), draft.limit).await }).await?;
    stored.map_err(|error| ApiError::of_store(&error, &message_id))?;
    Ok(json_bytes(answer))
}

/// List messages that have not left
///
/// Drafts, and messages that are queued or being sent.
#[utoipa::path(get, path = "/api/messages/out", operation_id = "listOutgoing", tag = "messages out", params(ListQuery),
    responses((status = 200, description = "A page of SBDs.", body = MessagePage,
        headers(("Budstikke-Unreadable" = String, description = "Ids of messages that are left out, because what is stored of them cannot be read; at most 50."))), ListRefusals))]
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
    let vault = node.vault.clone();
    let each = move |rows: &mut Rows, message| listing::add_message(&vault, rows, &message);
    let seen = node
        .store
        .look_through_outgoing(filter, asked.clone(), Rows::default(), each)
        .await;
    let (rows, total) = seen.map_err(|error| ApiError::of_store(&error, ""))?;
    listing::answer(rows, total, &asked, false, move |id| {
        let node = node.clone();
        async move { listing::message_again(node.vault.clone(), node.store.listed_outgoing(id).await).await }
    })
}

/// Read a message that has not left
///
/// `404` once it was sent: conversations and statuses say what became of it.
#[utoipa::path(get, path = "/api/messages/out/{messageId}", operation_id = "getOutgoing", tag = "messages out",
    params(("messageId" = String, Path, description = "documentIdentification.instanceIdentifier of the message.")),
    responses((status = 200, description = "The SBD.", body = StandardBusinessDocument), GetRefusals))]
pub(super) async fn get(State(node): State<Arc<Node>>, Path(message_id): Path<String>) -> ApiResult {
    let found = node
        .store
        .outgoing(&message_id)
        .await
        .map_err(|error| ApiError::of_store(&error, &message_id))?;
    let message = found.ok_or_else(|| ApiError::no_message(&message_id))?;
    Ok(json_bytes(sbd_json(&node, &message_id, &message.sbd)?))
}

/// Drop a message that has not left
///
/// `200` also when there is no such message. Its files go; its conversation stays.
#[utoipa::path(delete, path = "/api/messages/out/{messageId}", operation_id = "deleteOutgoing", tag = "messages out",
    params(("messageId" = String, Path, description = "documentIdentification.instanceIdentifier of the message.")),
    responses((status = 200, description = "There is no such message any more."), DeleteRefusals))]
pub(super) async fn delete(State(node): State<Arc<Node>>, Path(message_id): Path<String>) -> ApiResult {
    node.store
        .delete_outgoing(&message_id, Node::now())
        .await
        .map_err(|error| ApiError::of_store(&error, &message_id))?;
    Ok(StatusCode::OK.into_response())
}
