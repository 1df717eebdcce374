//! `/api/v1/documentTypes`. Spec: service registry, 3.8.

use std::sync::Arc;

use axum::extract::{OriginalUri, Path, State};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use budstikke_message::identifier::{DocumentType, ProcessId};
use budstikke_store::registry::RegistryDataError;
use bytes::Bytes;
use http::StatusCode;
use serde::{Deserialize, Serialize};

use super::processes::Shown as Process;
use super::{Api, Refusal, User, answer, author, bad, created, missing, read, refusal};
use crate::data::Snapshot;
use crate::store::OwnDataError;

#[derive(Serialize)]
struct Shown<'a> {
    identifier: &'a str,
    processes: Vec<Process<'a>>,
}

fn shown<'a>(snapshot: &'a Snapshot, document_type: &'a DocumentType) -> Shown<'a> {
    let processes = snapshot.processes.values();
    Shown {
        identifier: document_type.as_str(),
        processes: processes
            .filter(|process| process.document_types.contains(document_type))
            .map(Process::alone)
            .collect(),
    }
}

#[derive(Deserialize)]
struct Given {
    identifier: String,
    #[serde(default)]
    processes: Option<Vec<GivenProcess>>,
}

#[derive(Deserialize)]
struct GivenProcess {
    identifier: String,
}

pub(super) async fn list(State(api): State<Arc<Api>>) -> Response {
    let snapshot = api.own.snapshot();
    let all: Vec<Shown<'_>> = snapshot
        .document_types
        .iter()
        .map(|name| shown(&snapshot, name))
        .collect();
    Json(all).into_response()
}

pub(super) async fn one(State(api): State<Arc<Api>>, Path(identifier): Path<String>) -> Response {
    let snapshot = api.own.snapshot();
    let found = identifier
        .parse()
        .ok()
        .and_then(|name: DocumentType| snapshot.document_types.get(&name));
    found.map_or_else(missing, |name| Json(shown(&snapshot, name)).into_response())
}

pub(super) async fn add(
    State(api): State<Arc<Api>>,
    Extension(user): Extension<User>,
    OriginalUri(called): OriginalUri,
    body: Bytes,
) -> Result<Response, Refusal> {
    let given: Given = read(&body)?;
    let name: DocumentType = given.identifier.parse().map_err(|error| bad(format!("{error}.")))?;
    let processes: Vec<ProcessId> = given
        .processes
        .unwrap_or_default()
        .iter()
        .map(|process| process.identifier.parse())
        .collect::<Result<_, _>>()
        .map_err(|error| bad(format!("{error}.")))?;
    match api.own.add_document_type(&name, &processes, author(&user)).await {
        Ok(()) => Ok(created(called.path(), name.as_str())),
        Err(OwnDataError::Data(RegistryDataError::Missing)) => Err(bad("One of the processes does not exist.")),
        Err(error) => Err(refusal(&error)),
    }
}

pub(super) async fn remove(
    State(api): State<Arc<Api>>,
    Extension(user): Extension<User>,
    Path(identifier): Path<String>,
) -> Result<Response, Refusal> {
    let Ok(name) = identifier.parse::<DocumentType>() else {
        return Ok(missing());
    };
    answer(
        api.own.remove_document_type(&name, author(&user)).await,
        StatusCode::NO_CONTENT,
    )
}
