//! The administration of own data, for users with a password and the right role; no token of a client opens it.
//! Spec: service registry, 3.8 and sharp edge 9.

mod document_types;
mod gate;
mod import;
mod mock;
mod organisations;
mod processes;

use std::sync::Arc;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::response::Response;
use axum::routing::{delete, get, post};
use budstikke_settings::without_values;
use budstikke_store::registry::{Author, RegistryDataError};
use http::header::LOCATION;
use http::{HeaderValue, StatusCode};
use jiff::Timestamp;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use super::Api;
use super::finish::empty;
use super::refusal::Refusal;
use crate::store::{NotImported, OwnDataError};

pub use gate::{AdminGate, Admission};
pub(super) use gate::{User, guarded};
pub(super) use import::{SHOWN as SHOWN_CHANGES, time};
pub(super) use organisations::page as page_of_organisations;

/// What a segment of a path may hold as it is. Spec: RFC 3986, 3.3; sharp edge 22.
const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~')
    .remove(b':');

/// Largest file for an import, bytes. It is in memory as a whole, and so is what is read from it; `budstikke registry import` takes
/// longer ones.
const LARGEST_IMPORT: usize = 16 << 20;

/// None without somebody who may.
pub(super) fn routes(api: &Arc<Api>) -> Router<Arc<Api>> {
    let Some(gate) = &api.admin else {
        return Router::new();
    };
    let routes = Router::new()
        .route("/api/v1/processes", get(processes::list).post(processes::add))
        .route("/api/v1/processes/list", post(processes::add_all))
        .route(
            "/api/v1/processes/{identifier}",
            get(processes::one).put(processes::change).delete(processes::remove),
        )
        .route(
            "/api/v1/documentTypes",
            get(document_types::list).post(document_types::add),
        )
        .route(
            "/api/v1/documentTypes/{identifier}",
            get(document_types::one).delete(document_types::remove),
        )
        .route("/api/v1/organisations", get(organisations::list))
        .route(
            "/api/v1/organisations/{number}",
            get(organisations::one)
                .put(organisations::put)
                .delete(organisations::remove),
        )
        .route(
            "/api/v1/import",
            post(import::import).layer(DefaultBodyLimit::max(LARGEST_IMPORT)),
        )
        .route("/api/v1/changes", get(import::changes))
        .route("/api/v1/mockenhet/{number}", delete(organisations::remove))
        .route("/addmockenhet", post(mock::add))
        .route(
            "/deletemockenhet/{number}",
            get(mock::refuse).delete(organisations::remove),
        );
    guarded(routes, gate)
}

/// Who makes a change, now.
pub(super) fn author(user: &User) -> Author {
    Author {
        who: user.0.clone(),
        at: Timestamp::now().as_millisecond(),
    }
}

/// A change that was not made.
pub(super) fn refusal(error: &OwnDataError) -> Refusal {
    match error {
        OwnDataError::Data(RegistryDataError::Exists) => Refusal::described(StatusCode::CONFLICT, "It exists already."),
        OwnDataError::Data(RegistryDataError::Missing) => Refusal::described(StatusCode::NOT_FOUND, "There is none."),
        OwnDataError::Data(RegistryDataError::Changed) => Refusal::described(
            StatusCode::CONFLICT,
            "Nothing was changed: somebody else is changing own data. Try again.",
        ),
        OwnDataError::Data(RegistryDataError::InUse) => Refusal::described(
            StatusCode::BAD_REQUEST,
            "A process has it; take it out of the process first.",
        ),
        OwnDataError::Data(RegistryDataError::Store(_)) | OwnDataError::Unreadable(_) => {
            tracing::error!(%error, "own data could not be changed");
            Refusal::described(
                StatusCode::INTERNAL_SERVER_ERROR,
                "The database failed. The operator finds the cause in the log.",
            )
        }
    }
}

/// 201 with the place of what was made: `collection` as it was called, a slash, the name.
fn created(collection: &str, name: &str) -> Response {
    let place = format!(
        "{}/{}",
        collection.trim_end_matches('/'),
        utf8_percent_encode(name, SEGMENT)
    );
    let mut response = empty(StatusCode::CREATED);
    // What is encoded fits into a header.
    if let Ok(place) = HeaderValue::try_from(place) {
        response.headers_mut().insert(LOCATION, place);
    }
    response
}

/// What became of a change of something that has to be there.
fn answer(made: Result<(), OwnDataError>, status: StatusCode) -> Result<Response, Refusal> {
    match made {
        Ok(()) => Ok(empty(status)),
        Err(OwnDataError::Data(RegistryDataError::Missing)) => Ok(missing()),
        Err(error) => Err(refusal(&error)),
    }
}

/// 404 without a word.
fn missing() -> Response {
    empty(StatusCode::NOT_FOUND)
}

/// A body that cannot be used: 400 with the reason.
fn bad(reason: impl Into<String>) -> Refusal {
    Refusal::described(StatusCode::BAD_REQUEST, reason)
}

/// Members that cannot be used, with what is wrong with each.
fn faulty(faults: &[(String, String)]) -> Refusal {
    let told: Vec<String> = faults.iter().map(|(key, what)| format!("{key}: {what}")).collect();
    bad(told.join("; "))
}

/// An import that was not made.
fn not_imported(error: NotImported) -> Refusal {
    match error {
        NotImported::Faults(faults) => {
            let told: Vec<String> = faults.iter().map(ToString::to_string).collect();
            bad(told.join("; "))
        }
        NotImported::Own(error) => refusal(&error),
    }
}

/// JSON of a body; what is wrong with it is told by line and column.
fn read<T: serde::de::DeserializeOwned>(body: &[u8]) -> Result<T, Refusal> {
    if body.iter().all(u8::is_ascii_whitespace) {
        return Err(bad("The body is empty; JSON is needed."));
    }
    serde_json::from_slice(body).map_err(|error| {
        // Without values: one can be a person number.
        bad(format!(
            "The body cannot be used: {}.",
            without_values(&error.to_string())
        ))
    })
}
