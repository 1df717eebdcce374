//! Altinn's Correspondence behind Digdir's proxy: takes letters in and tells what became of them (Spec: DPO and DPV, 4).
//!
//! The proxy forwards under Digdir's own name, so whoever gets past it sees every letter.

mod access;
mod configuration;
mod content;
mod door;
mod find;
mod form;
mod letter;
mod notification;
mod overview;
mod problem;
mod rules;
mod shelf;
mod upload;

pub use configuration::{CorrespondenceResource, PostConfig, Publishing, RecipientState};
pub use letter::{Correspondence, CorrespondenceStatus, ReceivedFile};
pub use shelf::Correspondences;

use std::sync::Arc;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::http::Method;
use axum::routing::{get, post};

use crate::faults::Route;
use crate::server::House;

/// Where the API is, behind the proxy.
pub(crate) const PATH: &str = "/altinn-proxy/correspondence/api/v1";

/// The API, and what people can do with letters at their door.
pub(crate) fn router() -> Router<Arc<House>> {
    let routes = Router::new()
        .route("/correspondence", get(find::find))
        .route(
            "/correspondence/upload",
            post(upload::upload).layer(DefaultBodyLimit::disable()),
        )
        .route("/correspondence/{id}", get(overview::overview))
        .route("/correspondence/{id}/details", get(overview::details))
        .route(
            "/correspondence/{id}/attachment/{attachment}/download",
            get(overview::download),
        )
        .route("/attachment/{attachment}/details", get(overview::attachment));
    Router::new().nest(PATH, routes).merge(door::router())
}

/// Which call of the API a request is, by method and path.
pub(crate) fn route(method: &Method, path: &str) -> Option<Route> {
    let rest = path.strip_prefix(PATH)?.strip_prefix('/')?;
    let parts: Vec<&str> = rest.split('/').collect();
    if method == Method::POST {
        return (parts == ["correspondence", "upload"]).then_some(Route::CorrespondenceUpload);
    }
    if method != Method::GET {
        return None;
    }
    match parts.as_slice() {
        ["correspondence"] => Some(Route::CorrespondenceList),
        ["correspondence", _] => Some(Route::CorrespondenceOverview),
        ["correspondence", _, "details"] => Some(Route::CorrespondenceDetails),
        ["correspondence", _, "attachment", _, "download"] => Some(Route::CorrespondenceAttachment),
        ["attachment", _, "details"] => Some(Route::CorrespondenceAttachmentDetails),
        _ => None,
    }
}
