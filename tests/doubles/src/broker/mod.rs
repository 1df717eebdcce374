//! Altinn's broker: takes files in from senders and hands them out to recipients (Spec: DPO and DPV, 2).

pub(crate) mod access;
mod confirm;
mod download;
mod initialise;
mod list;
pub(crate) mod overview;
pub(crate) mod problem;
pub(crate) mod shelf;
pub(crate) mod transfer;
mod upload;

pub(crate) use initialise::announced;

use std::sync::Arc;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::{get, post};

use self::problem::plain_problem;
use crate::server::House;

/// Where the broker is.
pub(crate) const PATH: &str = "/broker/api/v1";

/// Initialise has a slash at the end and list has none; each without its own is not found.
pub(crate) fn router() -> Router<Arc<House>> {
    let routes = Router::new()
        .route("/filetransfer/", post(initialise::initialise).fallback(nothing_here))
        .route("/filetransfer", get(list::list).fallback(nothing_here))
        .route("/filetransfer/{id}", get(overview::overview))
        .route(
            "/filetransfer/{id}/upload",
            post(upload::upload).layer(DefaultBodyLimit::disable()),
        )
        .route("/filetransfer/{id}/download", get(download::download))
        .route("/filetransfer/{id}/confirmdownload", post(confirm::confirm));
    Router::new().nest(PATH, routes)
}

pub(crate) async fn nothing_here() -> Response {
    plain_problem(StatusCode::NOT_FOUND, "There is nothing at this address")
}
