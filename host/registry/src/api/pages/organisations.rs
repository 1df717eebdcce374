//! Organisations that are kept here. One is written as the TOML that an import takes, so that everything about it fits into one
//! field.

use std::sync::Arc;

use axum::Extension;
use axum::extract::{Form, Query, State};
use axum::response::Response;
use http::StatusCode;
use maud::{Markup, html};
use serde::Deserialize;

use super::super::Api;
use super::super::admin::{User, author, page_of_organisations};
use super::back_to;
use super::layout::{alert, page};
use super::processes::told;
use crate::store::import::{Format, OrganisationDocument, read};

const TITLE: &str = "Organisations";
/// Organisations on one page.
const SIZE: usize = 50;

#[derive(Deserialize)]
pub(super) struct Asked {
    #[serde(default)]
    page: usize,
}

/// What the forms send.
#[derive(Deserialize)]
#[serde(tag = "action", rename_all = "kebab-case")]
pub(super) enum Sent {
    Save { toml: String },
    Remove { number: String },
}

pub(super) async fn list(State(api): State<Arc<Api>>, Query(asked): Query<Asked>) -> Response {
    shown(&api, StatusCode::OK, asked.page, "", None)
}

pub(super) async fn change(
    State(api): State<Arc<Api>>,
    Extension(user): Extension<User>,
    Form(sent): Form<Sent>,
) -> Response {
    let (done, toml) = match sent {
        Sent::Save { toml } => (save(&api, &user, &toml).await, toml),
        Sent::Remove { number } => (remove(&api, &user, &number).await, String::new()),
    };
    match done {
        Ok(()) => back_to("organisations"),
        Err(text) => shown(&api, StatusCode::BAD_REQUEST, 0, &toml, Some(&text)),
    }
}

async fn save(api: &Api, user: &User, toml: &str) -> Result<(), String> {
    let import = read(toml, Format::Toml, &api.own.snapshot()).map_err(|faults| {
        let told: Vec<String> = faults.iter().map(ToString::to_string).collect();
        format!("Nothing was saved: {}", told.join("; "))
    })?;
    let done = api.own.import(&import, author(user)).await;
    done.map_err(|error| told(&error))
}

async fn remove(api: &Api, user: &User, number: &str) -> Result<(), String> {
    let number = number.parse().map_err(|error| format!("Not removed: {error}."))?;
    let done = api.own.remove_organisation(&number, author(user)).await;
    done.map_err(|error| told(&error))
}

fn shown(api: &Api, status: StatusCode, number: usize, toml: &str, wrong: Option<&str>) -> Response {
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
                    th scope="col" { "Remove" }
                }
            }
            tbody { @for row in &rows { (organisation(row)) } }
        }
        nav aria-label="More" {
            @if let Some(before) = number.checked_sub(1) { a href={ "organisations?page=" (before) } rel="prev" { "Before" } " " }
            @if more { a href={ "organisations?page=" (number + 1) } rel="next" { "After" } }
        }
        h2 { "Add or change" }
        p { "As in a file for the import; an organisation that is in the table is replaced as a whole." }
        form method="post" action="organisations" {
            div.wide {
                label for="toml" { "TOML" }
                textarea #toml name="toml" rows="12" spellcheck="false" { (if toml.is_empty() { EXAMPLE } else { toml }) }
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
            td data-label="Remove" {
                form method="post" action="organisations" {
                    input type="hidden" name="number" value=(row.number);
                    button type="submit" name="action" value="remove" aria-label={ "Remove " (row.number) } { "Remove" }
                }
            }
        }
    }
}
