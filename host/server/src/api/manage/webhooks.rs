//! How webhooks are doing, for operators.

use std::sync::Arc;

use axum::extract::State;
use budstikke_store::WebhookReport;
use serde::Serialize;
use utoipa::ToSchema;

use crate::api::description::refusals::refusals;
use crate::api::error::{ApiError, ApiResult};
use crate::api::{json, time};
use crate::node::Node;

refusals! { ReadRefusals: &[]; }

/// How webhooks are doing
///
/// What waits for each subscription, and what was given up.
#[utoipa::path(get, path = "/manage/webhooks", operation_id = "webhooks", tag = "health",
    responses((status = 200, description = "Every subscription.", body = WebhookList), ReadRefusals))]
pub(in crate::api) async fn report(State(node): State<Arc<Node>>) -> ApiResult {
    let reports = node
        .store
        .webhook_reports()
        .await
        .map_err(|error| ApiError::of_store(&error, ""))?;
    json(&WebhookList {
        content: reports.into_iter().map(WrittenReport::from).collect(),
    })
}

/// How webhooks are doing.
#[derive(Serialize, ToSchema)]
#[schema(as = WebhookReports)]
struct WebhookList {
    content: Vec<WrittenReport>,
}

/// How one webhook is doing.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = WebhookReport)]
struct WrittenReport {
    /// Of the subscription.
    id: i64,
    name: String,
    /// Events that wait.
    pending: u64,
    /// Since when the oldest of them waits.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, format = DateTime)]
    oldest: Option<String>,
    /// Why an event was not taken, the last time.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    last_error: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, format = DateTime)]
    last_error_at: Option<String>,
    /// Events that were given up: too old, or too many.
    dropped: u64,
}

impl From<WebhookReport> for WrittenReport {
    fn from(report: WebhookReport) -> Self {
        Self {
            id: report.id,
            name: report.name,
            pending: report.pending,
            oldest: report.oldest.map(time::written),
            last_error: report.last_error,
            last_error_at: report.last_error_at.map(time::written),
            dropped: report.dropped,
        }
    }
}
