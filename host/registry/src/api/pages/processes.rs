//! The process table, and a form to add, change and remove rows.

use std::sync::Arc;

use axum::Extension;
use axum::extract::{Form, State};
use axum::response::Response;
use http::StatusCode;
use maud::{Markup, html};
use serde::Deserialize;

use super::super::Api;
use super::super::admin::{User, author};
use super::back_to;
use super::layout::{alert, field, page};
use crate::data::Process;
use crate::store::{Import, unfit_category};

const TITLE: &str = "Processes";

/// What the forms send.
#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) struct Sent {
    action: Action,
    identifier: String,
    #[serde(default)]
    category: String,
    #[serde(default)]
    service_code: String,
    #[serde(default)]
    service_edition_code: String,
    #[serde(default)]
    resource: String,
    #[serde(default)]
    document_types: String,
}

#[derive(Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Action {
    Save,
    Remove,
}

pub(super) async fn list(State(api): State<Arc<Api>>) -> Response {
    shown(&api, StatusCode::OK, None)
}

pub(super) async fn change(
    State(api): State<Arc<Api>>,
    Extension(user): Extension<User>,
    Form(sent): Form<Sent>,
) -> Response {
    let done = match sent.action {
        Action::Save => save(&api, &user, sent).await,
        Action::Remove => remove(&api, &user, &sent.identifier).await,
    };
    match done {
        Ok(()) => back_to("processes"),
        Err(text) => shown(&api, StatusCode::BAD_REQUEST, Some(&text)),
    }
}

async fn save(api: &Api, user: &User, sent: Sent) -> Result<(), String> {
    if let Some(what) = unfit_category(&sent.category) {
        return Err(format!("The category {what}."));
    }
    let given = |text: String| Some(text.trim().to_owned()).filter(|text| !text.is_empty());
    let types = sent.document_types.split_whitespace().map(str::parse);
    let process = Process {
        id: 0,
        identifier: sent
            .identifier
            .trim()
            .parse()
            .map_err(|error| format!("Not saved: {error}."))?,
        service_code: given(sent.service_code),
        service_edition_code: given(sent.service_edition_code),
        resource: given(sent.resource),
        category: sent.category,
        document_types: types
            .collect::<Result<_, _>>()
            .map_err(|error| format!("Not saved: {error}."))?,
    };
    let one = Import {
        processes: vec![process],
        ..Import::default()
    };
    let done = api.own.import(&one, author(user)).await;
    done.map_err(|error| told(&error))
}

async fn remove(api: &Api, user: &User, identifier: &str) -> Result<(), String> {
    let identifier = identifier.parse().map_err(|error| format!("Not removed: {error}."))?;
    let done = api.own.remove_process(&identifier, author(user)).await;
    done.map_err(|error| told(&error))
}

/// A failure for people; the log has more.
pub(super) fn told(error: &crate::store::OwnDataError) -> String {
    tracing::warn!(%error, "a page could not change own data");
    format!("Nothing was changed: {error}.")
}

fn shown(api: &Api, status: StatusCode, wrong: Option<&str>) -> Response {
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
                    th scope="col" { "Remove" }
                }
            }
            tbody { @for process in snapshot.processes.values() { (row(process)) } }
        }
        h2 { "Add or change" }
        p { "A process that is in the table is replaced as a whole." }
        form method="post" action="processes" {
            (field("identifier", "Process", "", true))
            (field("category", "Category", "ARKIVMELDING", true))
            (field("service-code", "Service code", "", false))
            (field("service-edition-code", "Edition", "", false))
            (field("resource", "Resource", "", false))
            div.wide {
                label for="document-types" { "Document types, one on a line" }
                textarea #document-types name="document-types" rows="3" {}
            }
            button type="submit" name="action" value="save" { "Save" }
        }
    };
    page(status, TITLE, &content)
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
            td data-label="Remove" {
                form method="post" action="processes" {
                    input type="hidden" name="identifier" value=(process.identifier);
                    button type="submit" name="action" value="remove" aria-label={ "Remove " (process.identifier) } { "Remove" }
                }
            }
        }
    }
}
