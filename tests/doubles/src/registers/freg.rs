//! Folkeregisteret's gateway (Spec: service registry, 6.6).

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use axum::{Json, Router};

use super::FREG_API_KEY;
use crate::server::House;

pub(super) fn router() -> Router<Arc<House>> {
    Router::new().route("/freg/person/personadresse/{person}", get(resident))
}

async fn resident(State(house): State<Arc<House>>, Path(person): Path<String>, headers: HeaderMap) -> Response {
    if headers.get("X-API-Key").is_none_or(|key| key != FREG_API_KEY) {
        return StatusCode::FORBIDDEN.into_response();
    }
    match house.registers.known().residents.get(&person) {
        Some(resident) => Json(resident.clone()).into_response(),
        None => (StatusCode::NOT_FOUND, format!("no person {person}")).into_response(),
    }
}
