//! Document types, those of no process too.

use std::sync::Arc;

use axum::Extension;
use axum::extract::{Form, State};
use axum::response::Response;
use budstikke_message::identifier::DocumentType;
use http::StatusCode;
use maud::{Markup, html};
use serde::Deserialize;

use super::super::Api;
use super::super::admin::{User, author};
use super::back_to;
use super::layout::{alert, field, page, removal, told};
use crate::data::Snapshot;

const TITLE: &str = "Document types";

/// What the forms send.
#[derive(Deserialize)]
#[serde(tag = "action", rename_all = "kebab-case")]
pub(super) enum Sent {
    Add {
        identifier: String,
        #[serde(default)]
        processes: String,
    },
    Remove {
        identifier: String,
    },
}

pub(super) async fn list(State(api): State<Arc<Api>>) -> Response {
    shown(&api, StatusCode::OK, ("", ""), None)
}

pub(super) async fn change(
    State(api): State<Arc<Api>>,
    Extension(user): Extension<User>,
    Form(sent): Form<Sent>,
) -> Response {
    let (done, typed) = match &sent {
        Sent::Add { identifier, processes } => (
            add(&api, &user, identifier, processes).await,
            (identifier.as_str(), processes.as_str()),
        ),
        Sent::Remove { identifier } => (remove(&api, &user, identifier).await, ("", "")),
    };
    match done {
        Ok(()) => back_to("document-types"),
        Err(text) => shown(&api, StatusCode::BAD_REQUEST, typed, Some(&text)),
    }
}

async fn add(api: &Api, user: &User, identifier: &str, processes: &str) -> Result<(), String> {
    let wrong = |error| format!("Not added: {error}.");
    let name: DocumentType = identifier.trim().parse().map_err(wrong)?;
    let processes = processes.split_whitespace().map(str::parse);
    let processes: Vec<_> = processes.collect::<Result<_, _>>().map_err(wrong)?;
    let done = api.own.add_document_type(&name, &processes, author(user)).await;
    done.map_err(|error| told(&error))
}

async fn remove(api: &Api, user: &User, identifier: &str) -> Result<(), String> {
    let name = identifier.parse().map_err(|error| format!("Not removed: {error}."))?;
    let done = api.own.remove_document_type(&name, author(user)).await;
    done.map_err(|error| told(&error))
}

fn shown(api: &Api, status: StatusCode, (identifier, processes): (&str, &str), wrong: Option<&str>) -> Response {
    let snapshot = api.own.snapshot();
    let content = html! {
        @if let Some(text) = wrong { (alert(text)) }
        table {
            caption { (snapshot.document_types.len()) " document types" }
            thead {
                tr {
                    th scope="col" { "Document type" }
                    th scope="col" { "Processes" }
                    th scope="col" { "Remove" }
                }
            }
            tbody { @for name in &snapshot.document_types { (row(&snapshot, name)) } }
        }
        h2 { "Add" }
        form method="post" action="document-types" {
            (field("identifier", "Document type", identifier, true))
            div.wide {
                label for="processes" { "Processes that get it, one on a line" }
                textarea #processes name="processes" rows="3" { (processes) }
            }
            button type="submit" name="action" value="add" { "Add" }
        }
    };
    page(status, TITLE, &content)
}

fn row(snapshot: &Snapshot, name: &DocumentType) -> Markup {
    let users = snapshot.processes.values();
    let users: Vec<_> = users
        .filter(|process| process.document_types.contains(name))
        .map(|process| process.identifier.as_str())
        .collect();
    html! {
        tr {
            th scope="row" data-label="Document type" { (name) }
            td data-label="Processes" { ul { @for user in &users { li { (user) } } } }
            td data-label="Remove" {
                @if users.is_empty() { (removal("document-types", "identifier", name.as_str())) } @else { "in use" }
            }
        }
    }
}
