//! Whether it lives, whether it wants calls, and its counters. Open to everybody. Spec: service registry, 1.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use http::header::CONTENT_TYPE;
use http::{HeaderValue, StatusCode};
use serde_json::json;

use super::Api;

pub(super) fn routes(api: &Arc<Api>) -> Router {
    Router::new()
        .route("/health", get(whole))
        .route("/health/liveness", get(liveness))
        .route("/health/readiness", get(readiness))
        .route("/prometheus", get(prometheus))
        .with_state(Arc::clone(api))
}

fn word(up: bool) -> &'static str {
    if up { "UP" } else { "DOWN" }
}

fn told(up: bool, body: serde_json::Value) -> Response {
    let status = if up {
        StatusCode::OK
    } else {
        StatusCode::SERVICE_UNAVAILABLE
    };
    (status, Json(body)).into_response()
}

async fn liveness() -> Response {
    told(true, json!({ "status": "UP" }))
}

/// Own data is in memory: a database that is away stops no look-up.
async fn readiness(State(api): State<Arc<Api>>) -> Response {
    let up = !api.draining.load(Ordering::Acquire);
    told(up, json!({ "status": if up { "UP" } else { "OUT_OF_SERVICE" } }))
}

async fn whole(State(api): State<Arc<Api>>) -> Response {
    let up = api.own.is_reachable();
    told(
        up,
        json!({ "status": word(up), "components": { "db": { "status": word(up) } } }),
    )
}

async fn prometheus(State(api): State<Arc<Api>>) -> Response {
    let mut response = api.metrics.text(api.own.change()).into_response();
    let text = HeaderValue::from_static("text/plain; version=0.0.4");
    response.headers_mut().insert(CONTENT_TYPE, text);
    response
}
