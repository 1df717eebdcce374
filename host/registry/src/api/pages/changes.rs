//! Who changed what.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use http::StatusCode;
use maud::html;

use super::super::Api;
use super::super::admin::{SHOWN_CHANGES, time};
use super::layout::{alert, page};

const TITLE: &str = "Changes";

pub(super) async fn list(State(api): State<Arc<Api>>) -> Response {
    let changes = match api.own.changes(SHOWN_CHANGES).await {
        Ok(changes) => changes,
        Err(error) => {
            tracing::warn!(%error, "a page could not show changes");
            let text = "The database cannot be asked. The log has more.";
            return page(StatusCode::SERVICE_UNAVAILABLE, TITLE, &alert(text));
        }
    };
    let content = html! {
        table {
            caption { "The last " (changes.len()) " changes, newest first" }
            thead {
                tr {
                    th scope="col" { "Number" }
                    th scope="col" { "When" }
                    th scope="col" { "Who" }
                    th scope="col" { "What" }
                }
            }
            tbody {
                @for change in &changes {
                    tr {
                        th scope="row" data-label="Number" { (change.number) }
                        td data-label="When" { (time(change.at)) }
                        td data-label="Who" { (change.who) }
                        td data-label="What" { (change.what) }
                    }
                }
            }
        }
    };
    page(StatusCode::OK, TITLE, &content)
}
