//! Conversations: the lasting record of each message. Spec: messaging API, 7.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::IntoResponse;
use budstikke_store::{Conversation, ConversationFilter, Direction, StatusRow};
use serde::Serialize;
use utoipa::ToSchema;

use super::description::body::pages;
use super::description::query::{Filter, Form, filter, query};
use super::description::refusals::refusals;
use super::error::{ApiError, ApiResult, kind, shortened};
use super::page::{self, Sortable};
use super::params::Params;
use super::{json, row_id, time};
use crate::node::Node;

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

const FILTERS: &[Filter] = &[
    filter("conversationId", Form::Text, "Id of the conversation."),
    filter("messageId", Form::Text, "Id of the message."),
    filter("receiver", Form::Text, "Full identifier, such as 0192:910076787."),
    filter("receiverIdentifier", Form::Text, "Bare identifier, such as 910076787."),
    filter("sender", Form::Text, "Full identifier."),
    filter(
        "senderIdentifier",
        Form::Text,
        "Bare identifier: the part when the sender has one.",
    ),
    filter("serviceIdentifier", Form::Text, "Message service."),
    filter("messageReference", Form::Text, "Reference of the message."),
    filter("messageTitle", Form::Text, "Title of the message."),
    filter(
        "pollable",
        Form::Flag,
        "Whether the message service is still asked for statuses.",
    ),
    filter("finished", Form::Flag, "Whether no further status must come."),
    filter("direction", Form::OneOf(&["OUTGOING", "INCOMING"]), "Which way."),
    filter("lastUpdateFrom", Form::Day, "Changed on this day or later, in Norway."),
    filter("lastUpdateTo", Form::Day, "Changed on this day or earlier, in Norway."),
];

query! {
    ListQuery: FILTERS, sorted by SORTABLE;
    QueueQuery: &[], sorted by SORTABLE;
}

pages! { ConversationPage: Written; }

refusals! {
    ListRefusals: &[kind::UNKNOWN_SORT];
    GetRefusals: &[kind::CONVERSATION_NOT_FOUND, kind::NO_SUCH_PATH];
    OfMessageRefusals: &[kind::MESSAGE_NOT_FOUND, kind::NO_SUCH_PATH];
    DeleteRefusals: &[kind::NO_SUCH_PATH, kind::DISK_FULL];
    DeleteOfMessageRefusals: &[kind::NO_SUCH_PATH, kind::DISK_FULL];
}

/// The lasting record of a message.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Conversation)]
struct Written {
    /// Number of the row.
    id: i64,
    conversation_id: String,
    message_id: String,
    /// Full identifier, such as 0192:991825827; may hold a part.
    sender: String,
    /// Bare identifier: the part when there is one.
    sender_identifier: String,
    /// Full identifier; absent for print without a receiver.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    receiver: Option<String>,
    /// Bare identifier.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    receiver_identifier: Option<String>,
    process_identifier: String,
    /// documentIdentification.standard of the SBD.
    document_identifier: String,
    /// From arkivmelding.xml, else the conversation id.
    message_reference: String,
    /// From arkivmelding.xml, else empty.
    message_title: String,
    #[schema(format = DateTime)]
    last_update: String,
    /// No further status must come.
    finished: bool,
    /// When the message is too old to be delivered.
    #[schema(format = DateTime)]
    expiry: String,
    #[schema(inline)]
    direction: Direction,
    /// Message service.
    service_identifier: String,
    /// The message service's own name of the message.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    external_system_reference: Option<String>,
    message_statuses: Vec<WrittenStatus>,
}

/// A status in its conversation.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = MessageStatus)]
struct WrittenStatus {
    /// Number of the row.
    id: i64,
    #[schema(format = DateTime)]
    last_update: String,
    #[schema(example = "LEVERT")]
    status: String,
    /// For people.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
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

/// List conversations
///
/// One for each message that was created or received, the last changed first.
#[utoipa::path(get, path = "/api/conversations", operation_id = "listConversations", tag = "conversations", params(ListQuery),
    responses((status = 200, description = "A page of conversations.", body = ConversationPage), ListRefusals))]
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

/// List conversations whose message service is still asked for statuses
#[utoipa::path(get, path = "/api/conversations/queue", operation_id = "listPollable", tag = "conversations",
    params(QueueQuery),
    responses((status = 200, description = "A page of conversations.", body = ConversationPage), ListRefusals))]
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

/// Read an outgoing conversation
///
/// Incoming ones are found with a filter of the list only.
#[utoipa::path(get, path = "/api/conversations/{id}", operation_id = "getConversation", tag = "conversations",
    params(("id" = i64, Path, description = "Number of the row.")),
    responses((status = 200, description = "The conversation.", body = Written), GetRefusals))]
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

/// Read the outgoing conversation of a message
#[utoipa::path(get, path = "/api/conversations/messageId/{messageId}", operation_id = "getConversationOfMessage",
    tag = "conversations", params(("messageId" = String, Path, description = "documentIdentification.instanceIdentifier of the message.")),
    responses((status = 200, description = "The conversation.", body = Written), OfMessageRefusals))]
pub(super) async fn of_message(State(node): State<Arc<Node>>, Path(message_id): Path<String>) -> ApiResult {
    let found = node.store.outgoing_conversation(&message_id).await;
    match found.map_err(|error| ApiError::of_store(&error, &message_id))? {
        Some(conversation) => json(&Written::from(conversation)),
        None => Err(ApiError::no_message(&message_id)),
    }
}

/// Erase a conversation with its statuses
///
/// `200` also when there is no such conversation.
#[utoipa::path(delete, path = "/api/conversations/{id}", operation_id = "deleteConversation", tag = "conversations",
    params(("id" = i64, Path, description = "Number of the row.")),
    responses((status = 200, description = "There is no such conversation any more."), DeleteRefusals))]
pub(super) async fn delete(State(node): State<Arc<Node>>, Path(id): Path<String>) -> ApiResult {
    node.store
        .delete_conversation(row_id(&id)?, Node::now())
        .await
        .map_err(|error| ApiError::of_store(&error, ""))?;
    Ok(StatusCode::OK.into_response())
}

/// Erase the conversations of a message, both directions
///
/// `200` also when there is none.
#[utoipa::path(delete, path = "/api/conversations/messageId/{messageId}", operation_id = "deleteConversationsOfMessage",
    tag = "conversations", params(("messageId" = String, Path, description = "documentIdentification.instanceIdentifier of the message.")),
    responses((status = 200, description = "There is none any more."), DeleteOfMessageRefusals))]
pub(super) async fn delete_of_message(State(node): State<Arc<Node>>, Path(message_id): Path<String>) -> ApiResult {
    node.store
        .delete_conversations_of(&message_id, Node::now())
        .await
        .map_err(|error| ApiError::of_store(&error, &message_id))?;
    Ok(StatusCode::OK.into_response())
}
