//! Why a receiver is reached as it is: the explanation of one look-up.

use std::sync::Arc;

use axum::extract::{Form, State};
use axum::response::Response;
use budstikke_message::identifier::{Identifier, Iso6523, OrganisationNumber, ProcessId};
use http::StatusCode;
use maud::{Markup, html};
use serde::Deserialize;
use serde_json::Value;

use super::super::{Api, Explanation, LookupError, Query};
use super::layout::{alert, field, page};
use crate::caller::{Caller, CallerToken};
use crate::registers::Asker;

const TITLE: &str = "Explain";
/// Deepest part of an explanation that is shown.
const DEEPEST: usize = 12;

#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Asked {
    receiver: String,
    process: String,
    sender: String,
    level: String,
}

/// The answer, or the status of the page and what is wrong.
async fn explained(api: &Api, asked: &Asked) -> Result<Option<Explanation>, (StatusCode, String)> {
    let Some((query, process, caller)) = asked.question(api).map_err(|text| (StatusCode::BAD_REQUEST, text))? else {
        return Ok(None);
    };
    let explained = api.lookups.explain(&query, process.as_ref(), &caller).await;
    explained
        .map(Some)
        .map_err(|error| (status_of(&error), format!("No answer: {error}.")))
}

/// A register that is down can answer later; the question is not at fault.
fn status_of(error: &LookupError) -> StatusCode {
    match error {
        LookupError::RegisterUnavailable { .. } => StatusCode::SERVICE_UNAVAILABLE,
        LookupError::RegisterUnusable { .. }
        | LookupError::RegisterDenied { asker: Asker::Us, .. }
        | LookupError::RegisterRejected { asker: Asker::Us, .. }
        | LookupError::NotSetUp { .. } => StatusCode::INTERNAL_SERVER_ERROR,
        _ => StatusCode::BAD_REQUEST,
    }
}

impl Asked {
    /// What is asked, and as whom. Nothing: the form is empty.
    fn question(&self, api: &Api) -> Result<Option<(Query, Option<ProcessId>, Caller)>, String> {
        if self.receiver.is_empty() {
            return Ok(None);
        }
        let receiver = Identifier::parse_any(self.receiver.trim())
            .map_err(|_| "The receiver is no organisation number, no person number and no HER-id.".to_owned())?;
        let process: Option<ProcessId> = Some(self.process.trim())
            .filter(|process| !process.is_empty())
            .map(|process| process.parse().map_err(|error| format!("{error}.")))
            .transpose()?;
        let sender: OrganisationNumber = self
            .sender
            .trim()
            .parse()
            .map_err(|_| "The sender must be nine digits.".to_owned())?;
        let level = Some(self.level.trim()).filter(|level| !level.is_empty());
        let query = Query {
            receiver,
            level: level
                .map(str::parse)
                .transpose()
                .map_err(|_| "The security level must be a number.".to_owned())?,
            print: true,
            beta: true,
        };
        // Registers that answer only to a client's own token say so; an operator has none.
        let caller = Caller {
            organisation: Iso6523::from(&sender),
            scopes: api.operator_scopes.clone(),
            token: CallerToken::new(String::new()),
        };
        Ok(Some((query, process, caller)))
    }
}

pub(super) async fn form() -> Response {
    shown(StatusCode::OK, &Asked::default(), &Ok(None))
}

/// By POST: a receiver can be a person, and addresses of pages are remembered everywhere.
pub(super) async fn explain(State(api): State<Arc<Api>>, Form(asked): Form<Asked>) -> Response {
    match explained(&api, &asked).await {
        Ok(found) => shown(StatusCode::OK, &asked, &Ok(found)),
        Err((status, text)) => shown(status, &asked, &Err(text)),
    }
}

fn shown(status: StatusCode, asked: &Asked, found: &Result<Option<Explanation>, String>) -> Response {
    let content = html! {
        form method="post" action="explain" {
            (field("receiver", "Receiver", &asked.receiver, true))
            (field("process", "Process; empty: all", &asked.process, false))
            (field("sender", "Sender, who letters go back to", &asked.sender, true))
            (field("level", "Security level", &asked.level, false))
            button type="submit" { "Explain" }
        }
        @match found {
            Ok(None) => {}
            Ok(Some(explanation)) => { (explanation_of(explanation)) }
            Err(text) => { (alert(text)) }
        }
    };
    page(status, TITLE, &content)
}

/// How it came about in words, then the answer itself.
fn explanation_of(explanation: &Explanation) -> Markup {
    html! {
        @for trail in &explanation.processes { pre { (trail.words().join("\n")) } }
        @if let Some(error) = &explanation.error { (alert(error)) }
        @if let Ok(answer) = serde_json::to_value(&explanation.answer) { (told(&answer, 0)) }
    }
}

/// JSON as nested lists.
fn told(value: &Value, depth: usize) -> Markup {
    html! {
        @match value {
            _ if depth > DEEPEST => { "…" }
            Value::Null => { "none" }
            Value::Bool(true) => { "yes" }
            Value::Bool(false) => { "no" }
            Value::Number(number) => { (number.to_string()) }
            Value::String(text) => { (text) }
            Value::Array(items) => { ol { @for item in items { li { (told(item, depth + 1)) } } } }
            Value::Object(members) => {
                dl { @for (name, member) in members { dt { (name) } dd { (told(member, depth + 1)) } } }
            }
        }
    }
}
