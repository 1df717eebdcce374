//! Statuses: every step of every message. Spec: messaging API, 8.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::{HeaderValue, StatusCode};
use axum::response::Response;
use http::header::CONTENT_TYPE;
use serde::Serialize;

use super::error::{ApiError, ApiResult};
use super::page::{self, Sortable};
use super::params::Params;
use super::{bare, json, row_id, time};
use crate::node::Node;
use crate::store::{StatusFilter, StatusRow};

pub(super) const SORTABLE: Sortable = &[
    ("id", "status.id"),
    ("convId", "status.conversation"),
    ("messageId", "conversation.message_id"),
    ("conversationId", "conversation.conversation_id"),
    ("status", "status.status"),
    ("description", "status.description"),
    ("lastUpdate", "status.at"),
];

const FILTERS: &[&str] = &[
    "id",
    "conversationId",
    "messageId",
    "status",
    "fromDateTime",
    "toDateTime",
];

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Written {
    id: i64,
    conv_id: i64,
    message_id: String,
    conversation_id: String,
    status: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<String>,
    last_update: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    raw_receipt: Option<String>,
}

impl From<StatusRow> for Written {
    fn from(row: StatusRow) -> Self {
        Self {
            id: row.id,
            conv_id: row.conversation,
            message_id: row.message_id,
            conversation_id: row.conversation_id,
            status: row.status,
            description: row.description,
            last_update: time::written(row.at),
            raw_receipt: row.raw_receipt,
        }
    }
}

/// `GET /api/statuses`
pub(super) async fn list(State(node): State<Arc<Node>>, params: Params) -> ApiResult {
    params.refuse_near_misses(FILTERS)?;
    // One end without the other is not looked at.
    let period = params.time("fromDateTime")?.zip(params.time("toDateTime")?);
    let filter = StatusFilter {
        id: params.number("id")?,
        conversation_id: params.filter("conversationId")?,
        message_id: params.filter("messageId")?,
        status: params.filter("status")?,
        from: period.map(|(from, _)| from),
        to: period.map(|(_, to)| to),
    };
    page_of(&node, filter, &params).await
}

/// `GET /api/statuses/{messageId}`
pub(super) async fn of_message(
    State(node): State<Arc<Node>>,
    Path(message_id): Path<String>,
    params: Params,
) -> ApiResult {
    let filter = StatusFilter {
        message_id: Some(message_id),
        ..StatusFilter::default()
    };
    let mut response = page_of(&node, filter, &params).await?;
    response.headers_mut().insert(
        CONTENT_TYPE,
        HeaderValue::from_static("application/json; charset=utf-8"),
    );
    Ok(response)
}

async fn page_of(node: &Node, filter: StatusFilter, params: &Params) -> ApiResult {
    let asked = page::asked_for(params, SORTABLE)?;
    let found = node
        .store
        .statuses(filter, asked.clone())
        .await
        .map_err(|error| ApiError::of_store(&error, ""))?;
    json(&page::enveloped(found, &asked, true, Written::from))
}

/// `GET /api/statuses/peek`: no service feeds the status queue, so it is empty.
pub(super) async fn peek() -> Response {
    bare(StatusCode::NO_CONTENT)
}

/// `DELETE /api/statuses/{id}`: the empty queue has no such entry.
pub(super) async fn delete(Path(id): Path<String>) -> ApiResult {
    row_id(&id)?;
    Ok(bare(StatusCode::NOT_FOUND))
}
