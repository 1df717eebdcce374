//! The adapter in front of Norsk Helsenett's address register (Spec: service registry, 6.7).

use std::sync::Arc;

use axum::extract::{OriginalUri, Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use axum::{Json, Router};

use crate::faults::enforce::bearer;
use crate::server::House;

pub(super) fn router() -> Router<Arc<House>> {
    Router::new().route("/nhn/{identifier}", get(unit))
}

async fn unit(
    State(house): State<Arc<House>>,
    OriginalUri(uri): OriginalUri,
    Path(identifier): Path<String>,
    headers: HeaderMap,
) -> Response {
    if bearer(&headers).is_none_or(str::is_empty) {
        return StatusCode::UNAUTHORIZED.into_response();
    }
    if uri.path().contains(':') {
        return (StatusCode::BAD_REQUEST, "the colon must be percent-encoded").into_response();
    }
    match house.registers.known().health_units.get(&identifier) {
        Some(unit) => Json(unit.clone()).into_response(),
        None => StatusCode::NOT_FOUND.into_response(),
    }
}
