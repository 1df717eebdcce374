//! Pages for people, made on the server and usable without scripts. Spec: messaging API, 2.

mod list;
mod search;

use std::sync::Arc;

use axum::extract::{Query, State};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use budstikke_store::{ConversationSearch, Direction};
use http::header::LOCATION;
use maud::html;

use crate::api::PageRefusals;
use crate::api::time::{end_of_day, start_of_day};
use crate::node::Node;

pub(crate) use list::Asked;

/// Conversations on one page.
const SIZE: u64 = 50;
/// Last page that is shown; who looks further should narrow the search.
const LAST_PAGE: u64 = 10_000;

/// The front page
///
/// Leads to `/conversations`.
#[utoipa::path(get, path = "/", operation_id = "frontPage", tag = "pages",
    responses((status = 302, description = "The page is at `/conversations`.",
        headers(("Location" = String, description = "`/conversations`"))), PageRefusals))]
pub(crate) async fn front() -> Response {
    let mut response = StatusCode::FOUND.into_response();
    response
        .headers_mut()
        .insert(LOCATION, HeaderValue::from_static("/conversations"));
    response
}

/// A list of messages for people
///
/// Newest first, 50 on a page. Needs no scripts.
#[utoipa::path(get, path = "/conversations", operation_id = "conversationsPage", tag = "pages",
    params(
        ("search" = Option<String>, Query, max_length = 200, description = "Words; `&&` and `||` combine them, `&&` binds tighter."),
        ("direction" = Option<String>, Query, description = "`OUTGOING` or `INCOMING`; empty: both."),
        ("created" = Option<String>, Query, description = "Created on this day, `yyyy-MM-dd`; empty: on any."),
        ("page" = Option<String>, Query, description = "From 0."),
    ),
    responses(
        (status = 200, description = "The page.", body = String, content_type = "text/html"),
        PageRefusals))]
pub(crate) async fn conversations(State(node): State<Arc<Node>>, Query(asked): Query<Asked>) -> Response {
    let (search, page) = match wanted(&asked) {
        Ok(wanted) => wanted,
        Err(text) => {
            let content = html! {
                (list::form(&asked))
                p.alert role="alert" { (text) }
            };
            return budstikke_pages::page(StatusCode::BAD_REQUEST, list::TITLE, &[], &content);
        }
    };
    match node.store.search_conversations(search, page, SIZE).await {
        Ok(found) => budstikke_pages::page(StatusCode::OK, list::TITLE, &[], &list::content(&asked, page, &found)),
        Err(error) => {
            tracing::error!(%error, "the store failed under the list of conversations");
            let content = html! {
                p.alert role="alert" { "The store of this installation failed. The operator finds the cause in the log." }
            };
            budstikke_pages::page(StatusCode::INTERNAL_SERVER_ERROR, list::TITLE, &[], &content)
        }
    }
}

/// What the query asks for, and the page of it; or what is wrong with it.
fn wanted(asked: &Asked) -> Result<(ConversationSearch, u64), String> {
    let day = |read: fn(&str) -> Option<i64>| match asked.created() {
        None => Ok(None),
        Some(day) => read(day)
            .map(Some)
            .ok_or_else(|| "The day must be written as in 2026-03-02.".to_owned()),
    };
    let direction = match asked.direction() {
        None => None,
        Some("OUTGOING") => Some(Direction::Outgoing),
        Some("INCOMING") => Some(Direction::Incoming),
        Some(_) => return Err("The direction must be OUTGOING or INCOMING.".to_owned()),
    };
    let page = match asked.page() {
        None => 0,
        Some(page) => page
            .parse()
            .ok()
            .filter(|page| *page <= LAST_PAGE)
            .ok_or_else(|| format!("The page must be a number from 0 to {LAST_PAGE}."))?,
    };
    let search = ConversationSearch {
        any: search::parse(asked.search().unwrap_or_default())?,
        direction,
        created_from: day(start_of_day)?,
        created_before: day(end_of_day)?,
    };
    Ok((search, page))
}
