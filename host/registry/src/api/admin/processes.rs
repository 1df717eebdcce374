//! `/api/v1/processes`. Spec: service registry, 3.8.

use std::sync::Arc;

use axum::extract::{OriginalUri, Path, State};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use budstikke_message::identifier::{DocumentType, ProcessId};
use budstikke_store::registry::{ProcessChange, RegistryDataError};
use bytes::Bytes;
use http::StatusCode;
use serde::{Deserialize, Serialize};

use super::{Api, Refusal, User, answer, author, bad, created, missing, read, refusal};
use crate::data::Process;
use crate::store::{OwnDataError, unfit_category};

/// A process as it is shown. `document_types` only where it is not shown inside one.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Shown<'a> {
    id: i64,
    identifier: &'a str,
    service_code: Option<&'a str>,
    service_edition_code: Option<&'a str>,
    resource: Option<&'a str>,
    category: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    document_types: Option<Vec<Named<'a>>>,
}

/// A document type inside a process.
#[derive(Serialize)]
struct Named<'a> {
    identifier: &'a str,
}

impl<'a> Shown<'a> {
    /// Without its document types.
    pub(super) fn alone(process: &'a Process) -> Self {
        Self {
            id: process.id,
            identifier: process.identifier.as_str(),
            service_code: process.service_code.as_deref(),
            service_edition_code: process.service_edition_code.as_deref(),
            resource: process.resource.as_deref(),
            category: &process.category,
            document_types: None,
        }
    }

    fn whole(process: &'a Process) -> Self {
        let types = process.document_types.iter();
        Self {
            document_types: Some(
                types
                    .map(|name| Named {
                        identifier: name.as_str(),
                    })
                    .collect(),
            ),
            ..Self::alone(process)
        }
    }
}

/// A process as it is given. Members that are not known, such as `id`, are passed over.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Given {
    identifier: Option<String>,
    service_code: Option<String>,
    service_edition_code: Option<String>,
    resource: Option<String>,
    category: Option<String>,
    document_types: Option<Vec<GivenType>>,
}

#[derive(Deserialize)]
struct GivenType {
    identifier: String,
}

impl Given {
    fn process(self) -> Result<Process, Refusal> {
        let identifier = self
            .identifier
            .ok_or_else(|| bad("The member identifier is missing."))?;
        let category = self.category.ok_or_else(|| bad("The member category is missing."))?;
        if let Some(what) = unfit_category(&category) {
            return Err(bad(format!("The member category {what}.")));
        }
        let types = self
            .document_types
            .ok_or_else(|| bad("The member documentTypes is missing."))?;
        Ok(Process {
            id: 0,
            identifier: identifier.parse().map_err(|error| bad(format!("{error}.")))?,
            service_code: self.service_code,
            service_edition_code: self.service_edition_code,
            resource: self.resource,
            category,
            document_types: document_types(&types)?,
        })
    }
}

fn document_types(given: &[GivenType]) -> Result<Vec<DocumentType>, Refusal> {
    let parsed = given.iter().map(|given| given.identifier.parse());
    parsed
        .collect::<Result<_, _>>()
        .map_err(|error| bad(format!("{error}.")))
}

pub(super) async fn list(State(api): State<Arc<Api>>) -> Response {
    let snapshot = api.own.snapshot();
    let shown: Vec<Shown<'_>> = snapshot.processes.values().map(Shown::whole).collect();
    Json(shown).into_response()
}

pub(super) async fn one(State(api): State<Arc<Api>>, Path(identifier): Path<String>) -> Response {
    let snapshot = api.own.snapshot();
    let found = identifier
        .parse()
        .ok()
        .and_then(|id: ProcessId| snapshot.processes.get(&id));
    found.map_or_else(missing, |process| Json(Shown::whole(process)).into_response())
}

pub(super) async fn add(
    State(api): State<Arc<Api>>,
    Extension(user): Extension<User>,
    OriginalUri(called): OriginalUri,
    body: Bytes,
) -> Result<Response, Refusal> {
    let process = read::<Given>(&body)?.process()?;
    let added = api.own.add_process(&process, author(&user)).await;
    added.map_err(|error| refusal(&error))?;
    Ok(created(called.path(), process.identifier.as_str()))
}

/// Those that are there already are passed over. Nothing is added when one of them cannot be used.
pub(super) async fn add_all(
    State(api): State<Arc<Api>>,
    Extension(user): Extension<User>,
    body: Bytes,
) -> Result<Response, Refusal> {
    let given: Vec<Given> = read(&body)?;
    let processes: Vec<Process> = given.into_iter().map(Given::process).collect::<Result<_, _>>()?;
    for process in &processes {
        match api.own.add_process(process, author(&user)).await {
            Ok(()) | Err(OwnDataError::Data(RegistryDataError::Exists)) => {}
            Err(error) => return Err(refusal(&error)),
        }
    }
    Ok(StatusCode::OK.into_response())
}

pub(super) async fn change(
    State(api): State<Arc<Api>>,
    Extension(user): Extension<User>,
    Path(identifier): Path<String>,
    body: Bytes,
) -> Result<Response, Refusal> {
    let given: Given = read(&body)?;
    let types = given.document_types.as_deref().map(document_types).transpose()?;
    let change = ProcessChange {
        service_code: given.service_code,
        service_edition_code: given.service_edition_code,
        resource: given.resource,
        document_types: types.map(|types| types.iter().map(ToString::to_string).collect()),
    };
    let Ok(identifier) = identifier.parse::<ProcessId>() else {
        return Ok(missing());
    };
    answer(
        api.own.change_process(&identifier, change, author(&user)).await,
        StatusCode::OK,
    )
}

pub(super) async fn remove(
    State(api): State<Arc<Api>>,
    Extension(user): Extension<User>,
    Path(identifier): Path<String>,
) -> Result<Response, Refusal> {
    let Ok(identifier) = identifier.parse::<ProcessId>() else {
        return Ok(missing());
    };
    answer(
        api.own.remove_process(&identifier, author(&user)).await,
        StatusCode::NO_CONTENT,
    )
}
