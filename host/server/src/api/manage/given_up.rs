//! Messages that did not leave: to be sent again, or dropped.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::IntoResponse as _;
use serde::Serialize;
use utoipa::ToSchema;

use crate::api::description::refusals::refusals;
use crate::api::error::{ApiError, ApiResult, kind};
use crate::api::{json, time};
use crate::node::Node;

/// Messages that are listed.
const LISTED: u32 = 200;

refusals! {
    ReadRefusals: &[];
    ChangeRefusals: &[kind::MESSAGE_NOT_FOUND, kind::NO_SUCH_PATH, kind::DISK_FULL];
}

/// Messages that were given up.
#[derive(Serialize, ToSchema)]
#[schema(as = GivenUpList)]
struct Listed {
    content: Vec<ListedItem>,
}

/// A message that was given up.
#[derive(Serialize, ToSchema)]
#[schema(as = GivenUp)]
#[serde(rename_all = "camelCase")]
struct ListedItem {
    message_id: String,
    service_identifier: String,
    attempts: u32,
    /// Nobody knows whether it had left: ask the receiver before you send it again.
    uncertain: bool,
    /// Why the last attempt failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    error: Option<String>,
    #[schema(format = DateTime)]
    at: String,
}

/// List messages that were given up
///
/// The newest 200, newest first. Their content is kept for a while.
#[utoipa::path(get, path = "/manage/given-up", operation_id = "listGivenUp", tag = "given up",
    responses((status = 200, description = "The messages.", body = Listed), ReadRefusals))]
pub(in crate::api) async fn list(State(node): State<Arc<Node>>) -> ApiResult {
    let found = node
        .store
        .given_up(LISTED)
        .await
        .map_err(|error| ApiError::of_store(&error, ""))?;
    let written = found.into_iter().map(|message| ListedItem {
        message_id: message.message_id,
        service_identifier: message.service,
        attempts: message.attempts,
        uncertain: message.uncertain,
        error: message.error,
        at: time::written(message.at),
    });
    json(&Listed {
        content: written.collect(),
    })
}

/// Send a message again that was given up
///
/// With all its attempts. A message whose life has ended lives anew, as long as one of its service that does not say.
#[utoipa::path(post, path = "/manage/given-up/{messageId}", operation_id = "resend", tag = "given up",
    params(("messageId" = String, Path, description = "documentIdentification.instanceIdentifier of the message.")),
    responses((status = 200, description = "It is queued."), ChangeRefusals))]
pub(in crate::api) async fn resend(State(node): State<Arc<Node>>, Path(message_id): Path<String>) -> ApiResult {
    let refused = |error| ApiError::of_store(&error, &message_id);
    let conversation = node.store.outgoing_conversation(&message_id).await.map_err(refused)?;
    let service = conversation.map(|found| found.facts.service).unwrap_or_default();
    let now = Node::now();
    let lifetime = i64::try_from(node.lifetime(&service).as_millis()).unwrap_or(i64::MAX);
    let queued = node
        .store
        .resend(&message_id, now.saturating_add(lifetime), now)
        .await
        .map_err(refused)?;
    if !queued {
        return Err(ApiError::no_message(&message_id));
    }
    tracing::info!(message_id, "a message that was given up is sent again");
    node.queued.notify_waiters();
    node.queued.notify_one();
    Ok(StatusCode::OK.into_response())
}

/// Drop a message that was given up
///
/// Its content goes; its conversation stays.
#[utoipa::path(delete, path = "/manage/given-up/{messageId}", operation_id = "dropGivenUp", tag = "given up",
    params(("messageId" = String, Path, description = "documentIdentification.instanceIdentifier of the message.")),
    responses((status = 200, description = "It is gone."), ChangeRefusals))]
pub(in crate::api) async fn delete(State(node): State<Arc<Node>>, Path(message_id): Path<String>) -> ApiResult {
    let dropped = node
        .store
        .drop_given_up(&message_id)
        .await
        .map_err(|error| ApiError::of_store(&error, &message_id))?;
    if dropped {
        Ok(StatusCode::OK.into_response())
    } else {
        Err(ApiError::no_message(&message_id))
    }
}
