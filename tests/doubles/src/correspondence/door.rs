//! Letters at the door for people: look at them, and decide what becomes of them.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use axum::{Json, Router};
use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;

use super::configuration::RecipientState;
use super::letter::CorrespondenceStatus;
use crate::server::House;

pub(crate) fn router() -> Router<Arc<House>> {
    Router::new().route("/__doubles/correspondences", get(list).post(change))
}

/// What people can say: `{"id":"…","status":"Read"}` or `{"recipient":"910076787","state":"unknown"}`.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Wish {
    Letter { id: Uuid, status: CorrespondenceStatus },
    Recipient { recipient: String, state: RecipientState },
}

async fn list(State(house): State<Arc<House>>) -> Json<Vec<Value>> {
    let letters = house.correspondences.all();
    let shown = letters.iter().map(|letter| {
        let mut shown = super::overview::of(letter, &house.correspondences.config);
        shown["fields"] = json!(letter.fields);
        shown
    });
    Json(shown.collect())
}

async fn change(State(house): State<Arc<House>>, body: Bytes) -> Response {
    let refusal = |status: StatusCode, reason: &str| (status, Json(json!({ "error": reason }))).into_response();
    match serde_json::from_slice(&body) {
        Ok(Wish::Letter { id, status }) if house.correspondences.change(id, status) => {
            StatusCode::NO_CONTENT.into_response()
        }
        Ok(Wish::Letter { .. }) => refusal(StatusCode::NOT_FOUND, "there is no such correspondence"),
        Ok(Wish::Recipient { recipient, state }) => {
            house.correspondences.recipient(&recipient, state);
            StatusCode::NO_CONTENT.into_response()
        }
        Err(_) => refusal(
            StatusCode::BAD_REQUEST,
            "write {\"id\":…,\"status\":…} or {\"recipient\":…,\"state\":\"open|unknown|reserved|without-roles\"}",
        ),
    }
}
