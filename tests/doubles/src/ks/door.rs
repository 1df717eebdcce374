//! KS at the door for people.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde::Deserialize;
use serde_json::json;
use uuid::Uuid;

use super::account::{Mottakersystem, SvarUtAccount};
use super::forsendelse::Forsendelse;
use crate::server::House;

pub(crate) fn router() -> Router<Arc<House>> {
    Router::new()
        .route("/__doubles/ks/forsendelser", get(list).post(put))
        .route("/__doubles/ks/forsendelser/{id}/status", post(status))
        .route("/__doubles/ks/accounts", post(account))
        .route("/__doubles/ks/receivers", post(receiver))
        .route("/__doubles/ks/refusals", post(refuse))
}

fn refusal(reason: &str) -> Response {
    (StatusCode::BAD_REQUEST, Json(json!({ "error": reason }))).into_response()
}

fn read<T: serde::de::DeserializeOwned>(body: &[u8]) -> Result<T, Box<Response>> {
    serde_json::from_slice(body).map_err(|error| Box::new(refusal(&error.to_string())))
}

async fn list(State(house): State<Arc<House>>) -> Json<Vec<Forsendelse>> {
    Json(house.ks.forsendelser())
}

/// Puts one into SvarInn; what is not written is made up.
async fn put(State(house): State<Arc<House>>, body: Bytes) -> Response {
    match read::<Forsendelse>(&body) {
        Ok(forsendelse) => Json(json!({ "id": house.ks.put_forsendelse(forsendelse) })).into_response(),
        Err(refusal) => *refusal,
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewStatus {
    status: String,
}

async fn status(State(house): State<Arc<House>>, Path(id): Path<Uuid>, body: Bytes) -> Response {
    match read::<NewStatus>(&body) {
        Ok(new) if house.ks.set_status(id, &new.status) => StatusCode::NO_CONTENT.into_response(),
        Ok(_) => StatusCode::NOT_FOUND.into_response(),
        Err(refusal) => *refusal,
    }
}

async fn account(State(house): State<Arc<House>>, body: Bytes) -> Response {
    match read::<SvarUtAccount>(&body) {
        Ok(account) => {
            house.ks.put_account(account);
            StatusCode::NO_CONTENT.into_response()
        }
        Err(refusal) => *refusal,
    }
}

async fn receiver(State(house): State<Arc<House>>, body: Bytes) -> Response {
    match read::<Mottakersystem>(&body) {
        Ok(receiver) => {
            house.ks.put_receiver(&house.registers, receiver);
            StatusCode::NO_CONTENT.into_response()
        }
        Err(refusal) => *refusal,
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewRefusal {
    text: String,
}

async fn refuse(State(house): State<Arc<House>>, body: Bytes) -> Response {
    match read::<NewRefusal>(&body) {
        Ok(new) => {
            house.ks.refuse_next(&new.text);
            StatusCode::NO_CONTENT.into_response()
        }
        Err(refusal) => *refusal,
    }
}
