//! Altinn's token exchange: an Altinn token for a Maskinporten token (Spec: DPO and DPV, 1.2).

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;

use crate::broker::problem::{Problem, plain_problem};
use crate::faults::enforce::bearer;
use crate::server::House;

/// Where tokens are exchanged.
pub(crate) const PATH: &str = "/authentication/api/v1/exchange/maskinporten";

pub(crate) fn router() -> Router<Arc<House>> {
    Router::new().route(PATH, get(exchange))
}

async fn exchange(State(house): State<Arc<House>>, headers: HeaderMap) -> Response {
    let Some(grant) = bearer(&headers).and_then(|token| house.maskinporten_tokens.grant(token)) else {
        return Problem::no_token().into_response();
    };
    match house.altinn_tokens.issue(grant) {
        Ok(token) => token.into_response(),
        Err(_) => plain_problem(StatusCode::INTERNAL_SERVER_ERROR, "No randomness."),
    }
}
