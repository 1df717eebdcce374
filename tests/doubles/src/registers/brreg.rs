//! Enhetsregisteret (Spec: service registry, 6.1).

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use axum::{Json, Router};
use serde_json::{Value, json};

use crate::server::House;

pub(super) fn router() -> Router<Arc<House>> {
    Router::new()
        .route("/brreg/enhetsregisteret/api/enheter/{number}", get(unit))
        .route("/brreg/enhetsregisteret/api/underenheter/{number}", get(sub_unit))
}

async fn unit(State(house): State<Arc<House>>, Path(number): Path<String>) -> Response {
    answer(house.registers.known().units.get(&number))
}

async fn sub_unit(State(house): State<Arc<House>>, Path(number): Path<String>) -> Response {
    answer(house.registers.known().sub_units.get(&number))
}

fn answer(document: Option<&Value>) -> Response {
    match document {
        Some(document) => Json(document.clone()).into_response(),
        None => (
            StatusCode::NOT_FOUND,
            Json(json!({ "status": 404, "error": "Not Found" })),
        )
            .into_response(),
    }
}
