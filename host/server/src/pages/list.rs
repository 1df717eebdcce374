//! The list of conversations.

use budstikke_store::{Conversation, Direction, Found, SEARCHED, StatusRow};
use maud::{Markup, html};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Deserialize;

use super::search::MAX_TEXT;
use crate::api::time::written;

/// The heading.
pub(super) const TITLE: &str = "Conversations";

/// The query, as it came. An empty value is none.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Asked {
    search: Option<String>,
    direction: Option<String>,
    created: Option<String>,
    page: Option<String>,
}

fn given(value: Option<&String>) -> Option<&str> {
    value.map(|value| value.trim()).filter(|value| !value.is_empty())
}

impl Asked {
    pub(super) fn search(&self) -> Option<&str> {
        given(self.search.as_ref())
    }

    pub(super) fn direction(&self) -> Option<&str> {
        given(self.direction.as_ref())
    }

    pub(super) fn created(&self) -> Option<&str> {
        given(self.created.as_ref())
    }

    pub(super) fn page(&self) -> Option<&str> {
        given(self.page.as_ref())
    }

    /// The same question, another page.
    fn link(&self, page: u64) -> String {
        let mut link = format!("/conversations?page={page}");
        for (name, value) in [
            ("search", self.search()),
            ("direction", self.direction()),
            ("created", self.created()),
        ] {
            if let Some(value) = value {
                link.extend(["&", name, "="]);
                link.extend(utf8_percent_encode(value, NON_ALPHANUMERIC));
            }
        }
        link
    }
}

/// The search form, filled with what was asked for.
pub(super) fn form(asked: &Asked) -> Markup {
    html! {
        form method="get" action="/conversations" role="search" {
            div.wide {
                label for="search" { "Search" }
                input #search type="search" name="search" value=[asked.search()] maxlength=(MAX_TEXT)
                    aria-describedby="search-help";
            }
            div {
                label for="direction" { "Direction" }
                select #direction name="direction" {
                    option value="" { "Both" }
                    option value="OUTGOING" selected[asked.direction() == Some("OUTGOING")] { "Outgoing" }
                    option value="INCOMING" selected[asked.direction() == Some("INCOMING")] { "Incoming" }
                }
            }
            div {
                label for="created" { "Created on" }
                input #created type="date" name="created" value=[asked.created()];
            }
            button type="submit" { "Search" }
            p #search-help {
                "Looks in ids, senders, receivers, titles, references and processes. "
                code { "a && b" } " finds both, " code { "a || b" } " either."
            }
        }
    }
}

/// The form and what was found.
pub(super) fn content(asked: &Asked, page: u64, found: &Found) -> Markup {
    html! {
        (form(asked))
        @if found.cut {
            p.alert role="status" {
                "Only the newest " (SEARCHED) " conversations were searched. Choose a day to look further back."
            }
        }
        @if found.items.is_empty() {
            p role="status" { "No conversations were found." }
        } @else {
            (table(page, &found.items))
        }
        @if page > 0 || found.more {
            nav aria-label="Pages" {
                @if let Some(before) = page.checked_sub(1) {
                    a href=(asked.link(before)) rel="prev" { "Newer" }
                }
                @if found.more {
                    a href=(asked.link(page + 1)) rel="next" { "Older" }
                }
            }
        }
    }
}

fn table(page: u64, rows: &[Conversation]) -> Markup {
    html! {
        table {
            caption { "Newest first, page " (page + 1) ", " (rows.len()) " of them" }
            thead {
                tr {
                    th scope="col" { "Created" }
                    th scope="col" { "Direction" }
                    th scope="col" { "Service" }
                    th scope="col" { "Sender" }
                    th scope="col" { "Receiver" }
                    th scope="col" { "Title" }
                    th scope="col" { "Reference" }
                    th scope="col" { "Last status" }
                    th scope="col" { "More" }
                }
            }
            tbody {
                @for row in rows { (conversation(row)) }
            }
        }
    }
}

fn conversation(row: &Conversation) -> Markup {
    let facts = &row.facts;
    let created = row.statuses.first().map_or(row.last_update, |status| status.at);
    let direction = match row.direction {
        Direction::Outgoing => "Outgoing",
        Direction::Incoming => "Incoming",
    };
    html! {
        tr {
            td data-label="Created" { (time(created)) }
            td data-label="Direction" { (direction) }
            td data-label="Service" { (facts.service) }
            td data-label="Sender" { (facts.sender) }
            td data-label="Receiver" { (facts.receiver.as_deref().unwrap_or("none")) }
            th scope="row" data-label="Title" {
                @if row.message_title.is_empty() { "no title" } @else { (row.message_title) }
            }
            td data-label="Reference" { (row.message_reference) }
            td data-label="Last status" {
                @if let Some(last) = row.statuses.last() {
                    (last.status) " "
                    (time(last.at))
                }
            }
            td data-label="More" {
                details {
                    summary { "Statuses and ids" }
                    ol {
                        @for status in &row.statuses { (registered(status)) }
                    }
                    dl {
                        dt { "Message id" }
                        dd { (facts.message_id) }
                        dt { "Conversation id" }
                        dd { (facts.conversation_id) }
                        dt { "Process" }
                        dd { (facts.process) }
                        dt { "Document type" }
                        dd { (facts.document_type) }
                        @if let Some(reference) = &row.external_reference {
                            dt { "Name in the service" }
                            dd { (reference) }
                        }
                    }
                }
            }
        }
    }
}

fn registered(status: &StatusRow) -> Markup {
    html! {
        li {
            (status.status) " " (time(status.at))
            @if let Some(description) = &status.description {
                ": " (description)
            }
        }
    }
}

/// Norwegian time to the second, and the whole of it for machines.
fn time(millis: i64) -> Markup {
    let whole = written(millis);
    let short: String = whole.chars().take(19).map(|c| if c == 'T' { ' ' } else { c }).collect();
    html! {
        time datetime=(whole) { (short) }
    }
}
