//! Organisations that are kept here. One is written as the TOML that an import takes, so that everything about it fits into one
//! field; the form of a row that is edited holds all of it.

use std::sync::Arc;

use axum::Extension;
use axum::extract::{Form, Query, State};
use axum::response::Response;
use budstikke_message::identifier::{OrganisationNumber, ProcessId};
use http::StatusCode;
use maud::{Markup, html};
use serde::Deserialize;

use super::super::Api;
use super::super::admin::{User, author, page_of_organisations};
use super::layout::{alert, not_imported, page, told, ways};
use super::{Asked, back_to};
use crate::data::Snapshot;
use crate::store::Import;
use crate::store::import::{Fault, Format, OrganisationDocument, read};

const TITLE: &str = "Organisations";
/// Organisations on one page.
const SIZE: usize = 50;

/// What the forms send.
#[derive(Deserialize)]
#[serde(tag = "action", rename_all = "kebab-case")]
pub(super) enum Sent {
    Save {
        /// The organisation that the form was opened with; empty: it adds some.
        #[serde(default)]
        edit: String,
        toml: String,
    },
    Remove {
        number: String,
    },
}

/// What stands in the form.
#[derive(Default)]
struct Typed {
    edit: String,
    toml: String,
}

pub(super) async fn list(State(api): State<Arc<Api>>, Query(asked): Query<Asked>) -> Response {
    let Some(edit) = asked.edit else {
        return shown(&api, StatusCode::OK, asked.page, &Typed::default(), None);
    };
    let snapshot = api.own.snapshot();
    let document = edit.parse().ok().and_then(|number| {
        let organisation = snapshot.organisations.get(&number)?;
        OrganisationDocument::of(&number, organisation).to_toml()
    });
    let Some(toml) = document else {
        let text = "There is no such organisation.";
        return shown(&api, StatusCode::NOT_FOUND, asked.page, &Typed::default(), Some(text));
    };
    shown(&api, StatusCode::OK, asked.page, &Typed { edit, toml }, None)
}

pub(super) async fn change(
    State(api): State<Arc<Api>>,
    Extension(user): Extension<User>,
    Form(sent): Form<Sent>,
) -> Response {
    let (done, typed) = match sent {
        Sent::Save { edit, toml } => {
            let typed = Typed { edit, toml };
            (save(&api, &user, &typed).await, typed)
        }
        Sent::Remove { number } => (remove(&api, &user, &number).await, Typed::default()),
    };
    match done {
        Ok(()) => back_to("organisations"),
        Err(text) => shown(&api, StatusCode::BAD_REQUEST, 0, &typed, Some(&text)),
    }
}

async fn save(api: &Api, user: &User, typed: &Typed) -> Result<(), String> {
    let (edit, toml) = (typed.edit.clone(), typed.toml.clone());
    let done = api.own.import(author(user), move |current| {
        let import = read(&toml, Format::Toml, current)?;
        replaces_nothing_else(&import, current, &edit)?;
        Ok(import)
    });
    done.await.map(drop).map_err(|error| not_imported(&error))
}

/// What was not opened to be edited is not replaced: what the form does not name would be lost.
fn replaces_nothing_else(import: &Import, current: &Snapshot, edit: &str) -> Result<(), Vec<Fault>> {
    let organisations = import.organisations.iter().map(|(number, _)| number);
    let organisations = organisations
        .filter(|number| current.organisations.contains_key(*number) && number.as_str() != edit)
        .map(OrganisationNumber::as_str);
    let processes = import.processes.iter().map(|process| &process.identifier);
    let processes = processes
        .filter(|process| current.processes.contains_key(*process))
        .map(ProcessId::as_str);
    let there: Vec<Fault> = organisations
        .chain(processes)
        .map(|name| Fault {
            line: None,
            key: name.to_owned(),
            text: "is there already; to change it, choose Edit in its row".into(),
        })
        .collect();
    if there.is_empty() { Ok(()) } else { Err(there) }
}

async fn remove(api: &Api, user: &User, number: &str) -> Result<(), String> {
    let number = number.parse().map_err(|error| format!("Not removed: {error}."))?;
    let done = api.own.remove_organisation(&number, author(user)).await;
    done.map_err(|error| told(&error))
}

fn shown(api: &Api, status: StatusCode, number: usize, typed: &Typed, wrong: Option<&str>) -> Response {
    let (rows, total) = page_of_organisations(&api.own.snapshot(), number, SIZE);
    let more = number.saturating_add(1).saturating_mul(SIZE) < total;
    let content = html! {
        @if let Some(text) = wrong { (alert(text)) }
        table {
            caption { (total) " organisations, page " (number + 1) }
            thead {
                tr {
                    th scope="col" { "Number" }
                    th scope="col" { "Name" }
                    th scope="col" { "Registered for" }
                    th scope="col" { "Certificates" }
                    th scope="col" { "Decisions" }
                    th scope="col" { "Edit or remove" }
                }
            }
            tbody { @for row in &rows { (organisation(row)) } }
        }
        nav aria-label="More" {
            @if let Some(before) = number.checked_sub(1) { a href={ "organisations?page=" (before) } rel="prev" { "Before" } " " }
            @if more { a href={ "organisations?page=" (number + 1) } rel="next" { "After" } }
        }
        h2 #form { @if typed.edit.is_empty() { "Add" } @else { "Edit " (typed.edit) } }
        p { "As in a file for the import. What is taken out of an organisation here is removed." }
        form method="post" action="organisations" {
            input type="hidden" name="edit" value=(typed.edit);
            div.wide {
                label for="toml" { "TOML" }
                textarea #toml name="toml" rows="12" spellcheck="false" { (if typed.toml.is_empty() { EXAMPLE } else { &typed.toml }) }
            }
            button type="submit" name="action" value="save" { "Save" }
        }
    };
    page(status, TITLE, &content)
}

const EXAMPLE: &str = "[[organisations]]\nnumber = \"\"\nname = \"\"\nregistrations = []\noverrides = []\n";

fn organisation(row: &OrganisationDocument) -> Markup {
    html! {
        tr {
            th scope="row" data-label="Number" { (row.number) }
            td data-label="Name" { (row.name.as_deref().unwrap_or("of the register")) }
            td data-label="Registered for" {
                @match &row.registrations {
                    None => { "what the register says" }
                    Some(processes) => { ul { @for name in processes { li { (name) } } } }
                }
            }
            td data-label="Certificates" { ul { @for usage in row.certificates.keys() { li { (usage) } } } }
            td data-label="Decisions" {
                ul { @for decided in &row.overrides { li { (decided.to_string()) } } }
            }
            td data-label="Edit or remove" { (ways("organisations", "number", &row.number)) }
        }
    }
}
