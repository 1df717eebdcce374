//! The process table, and a form to add a row, or to change one as it is.

use std::sync::Arc;

use axum::Extension;
use axum::extract::{Form, Query, State};
use axum::response::Response;
use budstikke_message::identifier::ProcessId;
use budstikke_store::registry::RegistryDataError;
use http::StatusCode;
use maud::{Markup, html};
use serde::Deserialize;

use super::super::Api;
use super::super::admin::{User, author};
use super::layout::{alert, field, not_imported, page, told, ways};
use super::{Asked, back_to};
use crate::data::Process;
use crate::store::import::ProcessDocument;
use crate::store::{Import, OwnDataError};

const TITLE: &str = "Processes";

/// What the forms send.
#[derive(Default, Deserialize)]
#[serde(default, rename_all = "kebab-case")]
pub(super) struct Sent {
    action: Action,
    /// The process that the form was opened with; empty: it adds one.
    edit: String,
    identifier: String,
    category: String,
    service_code: String,
    service_edition_code: String,
    resource: String,
    document_types: String,
}

#[derive(Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Action {
    #[default]
    Save,
    Remove,
}

impl Sent {
    /// A form that holds all of a process.
    fn of(process: &Process) -> Self {
        let document = ProcessDocument::of(process);
        Self {
            action: Action::Save,
            edit: document.identifier.clone(),
            identifier: document.identifier,
            category: document.category,
            service_code: document.service_code.unwrap_or_default(),
            service_edition_code: document.service_edition_code.unwrap_or_default(),
            resource: document.resource.unwrap_or_default(),
            document_types: document.document_types.join("\n"),
        }
    }

    fn process(&self) -> Result<Process, String> {
        let given = |text: &str| Some(text.trim().to_owned()).filter(|text| !text.is_empty());
        let document = ProcessDocument {
            identifier: self.identifier.trim().to_owned(),
            category: self.category.trim().to_owned(),
            service_code: given(&self.service_code),
            service_edition_code: given(&self.service_edition_code),
            resource: given(&self.resource),
            document_types: self.document_types.split_whitespace().map(str::to_owned).collect(),
        };
        document.read().map_err(|faults| {
            let told: Vec<String> = faults.iter().map(|(key, what)| format!("{key} {what}")).collect();
            format!("Not saved: {}.", told.join("; "))
        })
    }
}

pub(super) async fn list(State(api): State<Arc<Api>>, Query(asked): Query<Asked>) -> Response {
    let Some(edit) = asked.edit else {
        return shown(&api, StatusCode::OK, &Sent::default(), None);
    };
    let snapshot = api.own.snapshot();
    let found = edit.parse().ok().and_then(|id: ProcessId| snapshot.processes.get(&id));
    let Some(process) = found else {
        let text = "There is no such process.";
        return shown(&api, StatusCode::NOT_FOUND, &Sent::default(), Some(text));
    };
    shown(&api, StatusCode::OK, &Sent::of(process), None)
}

pub(super) async fn change(
    State(api): State<Arc<Api>>,
    Extension(user): Extension<User>,
    Form(sent): Form<Sent>,
) -> Response {
    let done = match sent.action {
        Action::Save => save(&api, &user, &sent).await,
        Action::Remove => remove(&api, &user, &sent.identifier).await,
    };
    match (done, sent.action) {
        (Ok(()), _) => back_to("processes"),
        (Err(text), Action::Save) => shown(&api, StatusCode::BAD_REQUEST, &sent, Some(&text)),
        (Err(text), Action::Remove) => shown(&api, StatusCode::BAD_REQUEST, &Sent::default(), Some(&text)),
    }
}

async fn save(api: &Api, user: &User, sent: &Sent) -> Result<(), String> {
    let process = sent.process()?;
    if sent.edit != process.identifier.as_str() {
        return match api.own.add_process(&process, author(user)).await {
            Err(OwnDataError::Data(RegistryDataError::Exists)) => {
                Err("Not added: there is a process with this name. To change it, choose Edit in its row.".into())
            }
            done => done.map_err(|error| told(&error)),
        };
    }
    let done = api.own.import(author(user), move |_| {
        Ok(Import {
            processes: vec![process.clone()],
            ..Import::default()
        })
    });
    done.await.map(drop).map_err(|error| not_imported(&error))
}

async fn remove(api: &Api, user: &User, identifier: &str) -> Result<(), String> {
    let identifier = identifier.parse().map_err(|error| format!("Not removed: {error}."))?;
    let done = api.own.remove_process(&identifier, author(user)).await;
    done.map_err(|error| told(&error))
}

fn shown(api: &Api, status: StatusCode, sent: &Sent, wrong: Option<&str>) -> Response {
    let snapshot = api.own.snapshot();
    let content = html! {
        @if let Some(text) = wrong { (alert(text)) }
        table {
            caption { (snapshot.processes.len()) " processes" }
            thead {
                tr {
                    th scope="col" { "Process" }
                    th scope="col" { "Category" }
                    th scope="col" { "Code and edition" }
                    th scope="col" { "Resource" }
                    th scope="col" { "Document types" }
                    th scope="col" { "Edit or remove" }
                }
            }
            tbody { @for process in snapshot.processes.values() { (row(process)) } }
        }
        (form(sent))
    };
    page(status, TITLE, &content)
}

fn form(sent: &Sent) -> Markup {
    html! {
        h2 #form { @if sent.edit.is_empty() { "Add" } @else { "Edit " (sent.edit) } }
        @if !sent.edit.is_empty() { p { "With another name it is added, and the old one stays." } }
        form method="post" action="processes" {
            input type="hidden" name="edit" value=(sent.edit);
            (field("identifier", "Process", &sent.identifier, true))
            (field("category", "Category", if sent.category.is_empty() { "ARKIVMELDING" } else { &sent.category }, true))
            (field("service-code", "Service code", &sent.service_code, false))
            (field("service-edition-code", "Edition", &sent.service_edition_code, false))
            (field("resource", "Resource", &sent.resource, false))
            div.wide {
                label for="document-types" { "Document types, one on a line" }
                textarea #document-types name="document-types" rows="3" { (sent.document_types) }
            }
            button type="submit" name="action" value="save" { "Save" }
        }
    }
}

fn row(process: &Process) -> Markup {
    html! {
        tr {
            th scope="row" data-label="Process" { (process.identifier) }
            td data-label="Category" { (process.category) }
            td data-label="Code and edition" {
                (process.service_code.as_deref().unwrap_or("none"))
                " " (process.service_edition_code.as_deref().unwrap_or(""))
            }
            td data-label="Resource" { (process.resource.as_deref().unwrap_or("none")) }
            td data-label="Document types" {
                ul { @for name in &process.document_types { li { (name) } } }
            }
            td data-label="Edit or remove" { (ways("processes", "identifier", process.identifier.as_str())) }
        }
    }
}
