//! Pages for operators, made on the server and usable without scripts: processes, document types, organisations, who changed what,
//! and why a receiver is reached as it is. They stand behind the same guard as the administration.

mod changes;
mod document_types;
mod explain;
mod layout;
mod organisations;
mod processes;

use std::sync::Arc;

use axum::Router;
use axum::response::Response;
use axum::routing::get;
use http::header::LOCATION;
use http::{HeaderValue, StatusCode};
use serde::Deserialize;

use super::Api;
use super::admin::guarded;
use super::finish::empty;

/// The query of a list.
#[derive(Deserialize)]
struct Asked {
    /// Number of the page, from 0.
    #[serde(default)]
    page: usize,
    /// The row that the form is to hold, by its name.
    edit: Option<String>,
}

/// Leads back to a list after a change, so that a reload does not change again. `to` is relative to the page that was posted to.
fn back_to(to: &'static str) -> Response {
    let mut response = empty(StatusCode::SEE_OTHER);
    response.headers_mut().insert(LOCATION, HeaderValue::from_static(to));
    response
}

async fn front() -> Response {
    back_to("admin/processes")
}

/// None without somebody who may.
pub(super) fn routes(api: &Arc<Api>) -> Router<Arc<Api>> {
    let Some(gate) = &api.admin else {
        return Router::new();
    };
    let routes = Router::new()
        .route("/admin", get(front))
        .route("/admin/processes", get(processes::list).post(processes::change))
        .route(
            "/admin/document-types",
            get(document_types::list).post(document_types::change),
        )
        .route("/admin/changes", get(changes::list))
        .route(
            "/admin/organisations",
            get(organisations::list).post(organisations::change),
        )
        .route("/admin/explain", get(explain::form).post(explain::explain));
    guarded(routes, gate)
}
