//! Why a message went where it went.

use std::sync::Arc;

use axum::extract::{Path, State};
use serde::Serialize;
use utoipa::ToSchema;

use crate::api::description::refusals::refusals;
use crate::api::error::{ApiError, ApiResult, kind};
use crate::api::{json, row_id};
use crate::node::Node;
use crate::routing::Kept;

refusals! {
    ReadRefusals: &[kind::CONVERSATION_NOT_FOUND, kind::NO_SUCH_PATH];
}

/// The way of a message.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = ConversationRoute)]
struct Written {
    /// Number of the conversation.
    id: i64,
    message_id: String,
    /// How its service was chosen when it was created; absent when that was not kept.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    route: Option<Kept>,
}

/// Why a message went where it went
///
/// The decision that was made when it was created, step by step, without anything about persons.
#[utoipa::path(get, path = "/manage/conversations/{id}/route", operation_id = "getRoute", tag = "health",
    params(("id" = i64, Path, description = "Number of an outgoing conversation, as /api/conversations shows it.")),
    responses((status = 200, description = "The decision.", body = Written), ReadRefusals))]
pub(in crate::api) async fn get(State(node): State<Arc<Node>>, Path(id): Path<String>) -> ApiResult {
    let found = node
        .store
        .route(row_id(&id)?)
        .await
        .map_err(|error| ApiError::of_store(&error, ""))?;
    let found = found.ok_or_else(|| {
        let text = format!("There is no outgoing conversation with the number {id}.");
        ApiError::new(kind::CONVERSATION_NOT_FOUND, text)
    })?;
    let route = found.decision.as_deref().map(serde_json::from_str::<Kept>).transpose();
    let route = route.map_err(|error| {
        tracing::error!(%error, id, "a kept decision cannot be read");
        ApiError::new(kind::INTERNAL, "The decision that was kept cannot be read.")
    })?;
    json(&Written {
        id: found.conversation,
        message_id: found.message_id,
        route,
    })
}
