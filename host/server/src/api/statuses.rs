//! Statuses: every step of every message. Spec: messaging API, 8.

use std::io;
use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::{HeaderValue, StatusCode};
use axum::response::IntoResponse;
use budstikke_store::{StatusFilter, StatusRow};
use http::header::CONTENT_TYPE;
use serde::Serialize;
use utoipa::ToSchema;

use super::description::body::pages;
use super::description::query::{Filter, Form, filter, query};
use super::description::refusals::refusals;
use super::error::{ApiError, ApiResult, kind};
use super::listing::{self, Rows};
use super::page::{self, Sortable};
use super::params::Params;
use super::{bare, json, row_id, time};
use crate::node::Node;

pub(super) const SORTABLE: Sortable = &[
    ("id", "status.id"),
    ("convId", "status.conversation"),
    ("messageId", "conversation.message_id"),
    ("conversationId", "conversation.conversation_id"),
    ("status", "status.status"),
    ("description", "status.description"),
    ("lastUpdate", "status.at"),
];

pub(super) const FILTERS: &[Filter] = &[
    filter("id", Form::Number, "Number of the row."),
    filter("conversationId", Form::Text, "Id of the conversation."),
    filter("messageId", Form::Text, "Id of the message."),
    filter("status", Form::Text, "Exact value, such as LEVERT."),
    filter(
        "fromDateTime",
        Form::Time,
        "From this time on; looked at only together with toDateTime. Write + as %2B.",
    ),
    filter(
        "toDateTime",
        Form::Time,
        "Up to this time; looked at only together with fromDateTime. Write + as %2B.",
    ),
];

query! {
    ListQuery: FILTERS, sorted by SORTABLE;
    OfMessageQuery: &[], sorted by SORTABLE;
}

pages! { StatusPage: Written; }

refusals! {
    ListRefusals: &[kind::UNKNOWN_SORT];
    OfMessageRefusals: &[kind::UNKNOWN_SORT, kind::NO_SUCH_PATH];
    PeekRefusals: &[];
    DeleteRefusals: &[kind::DISK_FULL];
}

/// A step of a message.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Status)]
struct Written {
    /// Number of the row.
    id: i64,
    /// Number of the conversation's row.
    conv_id: i64,
    message_id: String,
    conversation_id: String,
    #[schema(example = "LEVERT")]
    status: String,
    /// For people.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    description: Option<String>,
    #[schema(format = DateTime)]
    last_update: String,
    /// What the message service answered. May be large.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
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

/// List statuses
///
/// In the order of their registration, of all messages in both directions.
#[utoipa::path(get, path = "/api/statuses", operation_id = "listStatuses", tag = "statuses", params(ListQuery),
    responses((status = 200, description = "A page of statuses.", body = StatusPage), ListRefusals))]
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

/// List the statuses of a message
///
/// An empty page when there is no such message.
#[utoipa::path(get, path = "/api/statuses/{id}", operation_id = "listStatusesOfMessage", tag = "statuses",
    params(("id" = String, Path, description = "The messageId."), OfMessageQuery),
    responses((status = 200, description = "A page of statuses.", body = StatusPage), OfMessageRefusals))]
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

async fn page_of(node: &Arc<Node>, filter: StatusFilter, params: &Params) -> ApiResult {
    let asked = page::asked_for(params, SORTABLE)?;
    let each = |rows: &mut Rows, status: StatusRow| rows.write(status.id, &Written::from(status));
    let seen = node
        .store
        .look_through_statuses(filter, asked.clone(), Rows::default(), each)
        .await;
    let (rows, total) = seen.map_err(|error| ApiError::of_store(&error, ""))?;
    let node = node.clone();
    listing::answer(rows, total, &asked, true, move |id| {
        let node = node.clone();
        async move {
            let found = node.store.status(id).await.map_err(io::Error::other)?;
            found
                .map(|status| listing::row_json(&Written::from(status)))
                .transpose()
        }
    })
}

/// Look at the head of the status queue
///
/// The oldest entry; it stays there until it is deleted. Statuses of the services that the configuration names go on the queue,
/// which is meant for one fagsystem.
#[utoipa::path(get, path = "/api/statuses/peek", operation_id = "peekStatus", tag = "statuses",
    responses((status = 200, description = "The oldest entry.", body = Written),
        (status = 204, description = "The queue is empty."), PeekRefusals))]
pub(super) async fn peek(State(node): State<Arc<Node>>) -> ApiResult {
    match node.store.peek_status().await {
        Ok(Some(oldest)) => json(&Written::from(oldest)),
        Ok(None) => Ok(bare(StatusCode::NO_CONTENT)),
        Err(error) => Err(ApiError::of_store(&error, "")),
    }
}

/// Remove an entry from the status queue
///
/// The status itself stays.
#[utoipa::path(delete, path = "/api/statuses/{id}", operation_id = "deleteStatusEntry", tag = "statuses",
    params(("id" = i64, Path, description = "The id of the status.")),
    responses((status = 200, description = "It is gone."),
        (status = 404, description = "The queue has no such entry. No body."), DeleteRefusals))]
pub(super) async fn delete(State(node): State<Arc<Node>>, Path(id): Path<String>) -> ApiResult {
    let removed = node
        .store
        .dequeue_status(row_id(&id)?)
        .await
        .map_err(|error| ApiError::of_store(&error, ""))?;
    Ok(if removed {
        StatusCode::OK.into_response()
    } else {
        bare(StatusCode::NOT_FOUND)
    })
}
