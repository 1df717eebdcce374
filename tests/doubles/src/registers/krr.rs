//! Kontakt- og reservasjonsregisteret (Spec: service registry, 6.5).

use std::sync::Arc;

use axum::extract::State;
use axum::http::header::{ACCEPT, CONTENT_TYPE};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::faults::enforce::bearer;
use crate::server::House;

pub(super) fn router() -> Router<Arc<House>> {
    Router::new()
        .route("/krr/rest/v1/personer", post(persons))
        .route("/krr/rest/v2/printSertifikat", get(printer))
}

#[derive(Deserialize)]
struct Wanted {
    personidentifikatorer: Vec<String>,
}

async fn persons(State(house): State<Arc<House>>, headers: HeaderMap, Json(wanted): Json<Wanted>) -> Response {
    if bearer(&headers).is_none_or(str::is_empty) {
        return StatusCode::UNAUTHORIZED.into_response();
    }
    if headers.get(ACCEPT).is_none_or(|accept| accept != "application/jose") {
        return StatusCode::NOT_ACCEPTABLE.into_response();
    }
    let persons: Vec<Value> = {
        let known = house.registers.known();
        let find = |person: &String| known.contacts.get(person).cloned();
        wanted
            .personidentifikatorer
            .iter()
            .map(|person| find(person).unwrap_or_else(|| unknown(person)))
            .collect()
    };
    let signed = house.registers.signed(&json!({ "personer": persons }));
    ([(CONTENT_TYPE, "application/jose")], signed).into_response()
}

/// KRR has an entry for everybody.
fn unknown(person: &str) -> Value {
    json!({ "personidentifikator": person, "status": "IKKE_REGISTRERT" })
}

async fn printer(State(house): State<Arc<House>>) -> Response {
    match &house.registers.known().printer {
        Some(printer) => Json(printer.clone()).into_response(),
        None => StatusCode::NOT_FOUND.into_response(),
    }
}
