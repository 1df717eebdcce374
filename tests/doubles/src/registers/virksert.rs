//! Virksert (Spec: service registry, 6.3). The real form of its list is not public; this one is made up.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;

use super::content::bare;
use crate::server::House;

const PARTICIPANT: &str = "iso6523-actorid-upis::0192:";

pub(super) fn router() -> Router<Arc<House>> {
    Router::new().route("/virksert/api/v1/{participant}/{process}", get(list))
}

async fn list(State(house): State<Arc<House>>, Path((participant, process)): Path<(String, String)>) -> Response {
    let known = house.registers.known();
    let certificates = participant
        .strip_prefix(PARTICIPANT)
        .and_then(|number| known.certificates.get(&(number.to_owned(), process)));
    let Some(certificates) = certificates else {
        return (StatusCode::NOT_FOUND, "No certificate found").into_response();
    };
    let list = certificates.iter().fold(String::new(), |list, pem| {
        list + "<Certificate>" + &bare(pem) + "</Certificate>"
    });
    (
        [(CONTENT_TYPE, "application/xml")],
        format!("<Certificates>{list}</Certificates>"),
    )
        .into_response()
}
