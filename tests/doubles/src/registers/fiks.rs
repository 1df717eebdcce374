//! The catalogue of Fiks IO (Spec: DPF and DPFIO, 10.6).

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use axum::{Json, Router};
use serde_json::Value;

use super::ks;
use crate::server::House;

pub(super) fn router() -> Router<Arc<House>> {
    Router::new()
        .route("/fiks/fiks-io/katalog/api/v1/kontoer/{id}", get(account))
        .route("/fiks/fiks-io/katalog/api/v1/kontoer/{id}/offentligNokkel", get(key))
}

async fn account(State(house): State<Arc<House>>, Path(id): Path<String>, headers: HeaderMap) -> Response {
    if let Some(refusal) = ks::refusal(&house, &headers) {
        return refusal;
    }
    answer(house.registers.known().accounts.get(&id))
}

/// Open to everybody.
async fn key(State(house): State<Arc<House>>, Path(id): Path<String>) -> Response {
    answer(house.registers.known().account_keys.get(&id))
}

fn answer(document: Option<&Value>) -> Response {
    match document {
        Some(document) => Json(document.clone()).into_response(),
        None => StatusCode::NOT_FOUND.into_response(),
    }
}
