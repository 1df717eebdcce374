//! `/api/v1/processes`. Spec: service registry, 3.8.

use std::collections::BTreeSet;
use std::sync::Arc;

use axum::extract::{OriginalUri, Path, State};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use budstikke_message::identifier::ProcessId;
use budstikke_store::registry::ProcessChange;
use bytes::Bytes;
use http::StatusCode;
use serde::{Deserialize, Serialize};

use super::{Api, Refusal, User, answer, author, bad, created, faulty, missing, not_imported, read, refusal};
use crate::data::Process;
use crate::store::Import;
use crate::store::import::ProcessDocument;

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

/// As JSON calls what TOML calls `service-code`.
fn member(key: &str) -> String {
    let mut parts = key.split('-');
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |name, part| {
        let mut letters = part.chars();
        let first = letters.next().map(|first| first.to_ascii_uppercase());
        name + &first.into_iter().chain(letters).collect::<String>()
    })
}

fn checked(document: ProcessDocument) -> Result<Process, Refusal> {
    document.read().map_err(|faults| {
        let named = faults.into_iter().map(|(key, what)| (member(&key), what));
        faulty(&named.collect::<Vec<_>>())
    })
}

impl Given {
    /// The members that must be there, and what they hold.
    fn process(self) -> Result<Process, Refusal> {
        let missing = |member: &str| bad(format!("The member {member} is missing."));
        let document = ProcessDocument {
            identifier: self.identifier.ok_or_else(|| missing("identifier"))?,
            category: self.category.ok_or_else(|| missing("category"))?,
            service_code: self.service_code,
            service_edition_code: self.service_edition_code,
            resource: self.resource,
            document_types: {
                let types = self.document_types.ok_or_else(|| missing("documentTypes"))?;
                types.into_iter().map(|given| given.identifier).collect()
            },
        };
        checked(document)
    }

    /// What is to be different in a process. Its name and category stay.
    fn change(self, process: &Process) -> Result<ProcessChange, Refusal> {
        let types = self
            .document_types
            .map(|types| types.into_iter().map(|given| given.identifier).collect());
        let document = ProcessDocument {
            service_code: self.service_code,
            service_edition_code: self.service_edition_code,
            resource: self.resource,
            document_types: types.clone().unwrap_or_default(),
            ..ProcessDocument::of(process)
        };
        let checked = checked(document)?;
        Ok(ProcessChange {
            service_code: checked.service_code,
            service_edition_code: checked.service_edition_code,
            resource: checked.resource,
            document_types: types,
        })
    }
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

/// All of them at once; those that are there already are passed over. Nothing is added when one of them cannot be used.
pub(super) async fn add_all(
    State(api): State<Arc<Api>>,
    Extension(user): Extension<User>,
    body: Bytes,
) -> Result<Response, Refusal> {
    let given: Vec<Given> = read(&body)?;
    let processes: Vec<Process> = given.into_iter().map(Given::process).collect::<Result<_, _>>()?;
    let added = api.own.import(author(&user), move |current| {
        let mut known: BTreeSet<&ProcessId> = current.processes.keys().collect();
        let new = processes.iter().filter(|process| known.insert(&process.identifier));
        Ok(Import {
            processes: new.cloned().collect(),
            ..Import::default()
        })
    });
    added.await.map_err(not_imported)?;
    Ok(StatusCode::OK.into_response())
}

pub(super) async fn change(
    State(api): State<Arc<Api>>,
    Extension(user): Extension<User>,
    Path(identifier): Path<String>,
    body: Bytes,
) -> Result<Response, Refusal> {
    let given: Given = read(&body)?;
    let snapshot = api.own.snapshot();
    let identifier = identifier.parse::<ProcessId>().ok();
    let Some(process) = identifier.and_then(|identifier| snapshot.processes.get(&identifier)) else {
        return Ok(missing());
    };
    let change = given.change(process)?;
    answer(
        api.own.change_process(&process.identifier, change, author(&user)).await,
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
