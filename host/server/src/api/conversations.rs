//! Conversations: the lasting record of each message. Spec: messaging API, 7.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::IntoResponse;
use serde::Serialize;

use super::error::{ApiError, ApiResult, kind, shortened};
use super::page::{self, Sortable};
use super::params::Params;
use super::{json, row_id, time};
use crate::node::Node;
use crate::store::{Conversation, ConversationFilter, Direction, StatusRow};

pub(super) const SORTABLE: Sortable = &[
    ("id", "id"),
    ("conversationId", "conversation_id"),
    ("messageId", "message_id"),
    ("sender", "sender"),
    ("senderIdentifier", "sender_identifier"),
    ("receiver", "receiver"),
    ("receiverIdentifier", "receiver_identifier"),
    ("processIdentifier", "process"),
    ("documentIdentifier", "document_type"),
    ("messageReference", "message_reference"),
    ("messageTitle", "message_title"),
    ("lastUpdate", "last_update"),
    ("finished", "finished"),
    ("expiry", "expiry"),
    ("direction", "direction"),
    ("serviceIdentifier", "service"),
    ("externalSystemReference", "external_reference"),
];

const FILTERS: &[&str] = &[
    "conversationId",
    "messageId",
    "receiver",
    "receiverIdentifier",
    "sender",
    "senderIdentifier",
    "serviceIdentifier",
    "messageReference",
    "messageTitle",
    "pollable",
    "finished",
    "direction",
    "lastUpdateFrom",
    "lastUpdateTo",
];

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Written {
    id: i64,
    conversation_id: String,
    message_id: String,
    sender: String,
    sender_identifier: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    receiver: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    receiver_identifier: Option<String>,
    process_identifier: String,
    document_identifier: String,
    message_reference: String,
    message_title: String,
    last_update: String,
    finished: bool,
    expiry: String,
    direction: Direction,
    service_identifier: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    external_system_reference: Option<String>,
    message_statuses: Vec<WrittenStatus>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct WrittenStatus {
    id: i64,
    last_update: String,
    status: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<String>,
}

impl From<StatusRow> for WrittenStatus {
    fn from(row: StatusRow) -> Self {
        Self {
            id: row.id,
            last_update: time::written(row.at),
            status: row.status,
            description: row.description,
        }
    }
}

impl From<Conversation> for Written {
    fn from(row: Conversation) -> Self {
        Self {
            id: row.id,
            conversation_id: row.facts.conversation_id,
            message_id: row.facts.message_id,
            sender: row.facts.sender,
            sender_identifier: row.facts.sender_identifier,
            receiver: row.facts.receiver,
            receiver_identifier: row.facts.receiver_identifier,
            process_identifier: row.facts.process,
            document_identifier: row.facts.document_type,
            message_reference: row.message_reference,
            message_title: row.message_title,
            last_update: time::written(row.last_update),
            finished: row.finished,
            expiry: time::written(row.facts.expiry),
            direction: row.direction,
            service_identifier: row.facts.service,
            external_system_reference: row.external_reference,
            message_statuses: row.statuses.into_iter().map(WrittenStatus::from).collect(),
        }
    }
}

/// `GET /api/conversations`
pub(super) async fn list(State(node): State<Arc<Node>>, params: Params) -> ApiResult {
    params.refuse_near_misses(FILTERS)?;
    let day = "a day such as 2026-03-02";
    let direction = params.parsed("direction", "OUTGOING or INCOMING", |value| {
        [Direction::Outgoing, Direction::Incoming]
            .into_iter()
            .find(|direction| direction.as_str() == value)
    })?;
    let filter = ConversationFilter {
        conversation_id: params.filter("conversationId")?,
        message_id: params.filter("messageId")?,
        receiver: params.filter("receiver")?,
        receiver_identifier: params.filter("receiverIdentifier")?,
        sender: params.filter("sender")?,
        sender_identifier: params.filter("senderIdentifier")?,
        service: params.service()?,
        message_reference: params.filter("messageReference")?,
        message_title: params.filter("messageTitle")?,
        pollable: params.flag("pollable")?,
        finished: params.flag("finished")?,
        direction,
        updated_from: params.parsed("lastUpdateFrom", day, time::start_of_day)?,
        updated_before: params.parsed("lastUpdateTo", day, time::end_of_day)?,
    };
    page_of(&node, filter, &params).await
}

/// `GET /api/conversations/queue`
pub(super) async fn queue(State(node): State<Arc<Node>>, params: Params) -> ApiResult {
    let filter = ConversationFilter {
        pollable: Some(true),
        ..ConversationFilter::default()
    };
    page_of(&node, filter, &params).await
}

async fn page_of(node: &Node, filter: ConversationFilter, params: &Params) -> ApiResult {
    let asked = page::asked_for(params, SORTABLE)?;
    let found = node.store.conversations(filter, asked.clone()).await;
    let found = found.map_err(|error| ApiError::of_store(&error, ""))?;
    json(&page::enveloped(found, &asked, true, Written::from))
}

/// `GET /api/conversations/{id}`
pub(super) async fn get(State(node): State<Arc<Node>>, Path(id): Path<String>) -> ApiResult {
    let found = node
        .store
        .conversation(row_id(&id)?)
        .await
        .map_err(|error| ApiError::of_store(&error, ""))?;
    if let Some(conversation) = found.filter(|conversation| conversation.direction == Direction::Outgoing) {
        return json(&Written::from(conversation));
    }
    let text = format!("There is no outgoing conversation with id {}.", shortened(&id));
    Err(ApiError::new(kind::CONVERSATION_NOT_FOUND, text))
}

/// `GET /api/conversations/messageId/{messageId}`
pub(super) async fn of_message(State(node): State<Arc<Node>>, Path(message_id): Path<String>) -> ApiResult {
    let found = node.store.outgoing_conversation(&message_id).await;
    match found.map_err(|error| ApiError::of_store(&error, &message_id))? {
        Some(conversation) => json(&Written::from(conversation)),
        None => Err(ApiError::no_message(&message_id)),
    }
}

/// `DELETE /api/conversations/{id}`
pub(super) async fn delete(State(node): State<Arc<Node>>, Path(id): Path<String>) -> ApiResult {
    node.store
        .delete_conversation(row_id(&id)?)
        .await
        .map_err(|error| ApiError::of_store(&error, ""))?;
    Ok(StatusCode::OK.into_response())
}

/// `DELETE /api/conversations/messageId/{messageId}`
pub(super) async fn delete_of_message(State(node): State<Arc<Node>>, Path(message_id): Path<String>) -> ApiResult {
    node.store
        .delete_conversations_of(&message_id)
        .await
        .map_err(|error| ApiError::of_store(&error, &message_id))?;
    Ok(StatusCode::OK.into_response())
}
