//! SvarUt's mottakersystemer (Spec: service registry, 6.4).

use std::sync::Arc;

use axum::extract::{Query, State};
use axum::http::HeaderMap;
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use axum::{Json, Router};
use serde::Deserialize;
use serde_json::json;

use super::ks;
use crate::server::House;

pub(super) fn router() -> Router<Arc<House>> {
    Router::new().route("/svarut/api/v2/mottakersystem", get(list))
}

#[derive(Deserialize)]
struct Wanted {
    organisasjonsnummer: String,
}

async fn list(State(house): State<Arc<House>>, Query(wanted): Query<Wanted>, headers: HeaderMap) -> Response {
    if let Some(refusal) = ks::refusal(&house, &headers) {
        return refusal;
    }
    let known = house.registers.known();
    let entries = known.receiver_systems.get(&wanted.organisasjonsnummer);
    Json(json!({ "mottakersystemer": entries.cloned().unwrap_or_default() })).into_response()
}
