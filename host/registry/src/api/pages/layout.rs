//! What the pages of the administration have in common.

use axum::response::Response;
use http::StatusCode;
use maud::{Markup, html};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

use crate::store::{NotImported, OwnDataError};

/// Pages and their names; links are relative, since nobody here knows what stands before.
const PAGES: [(&str, &str); 5] = [
    ("processes", "Processes"),
    ("document-types", "Document types"),
    ("organisations", "Organisations"),
    ("changes", "Changes"),
    ("explain", "Explain"),
];

/// A whole page.
pub(super) fn page(status: StatusCode, title: &str, content: &Markup) -> Response {
    budstikke_pages::page(status, title, &PAGES, content)
}

/// What came of a change that was not made, for people; the log has more.
pub(super) fn told(error: &OwnDataError) -> String {
    tracing::warn!(%error, "a page could not change own data");
    format!("Nothing was changed: {error}.")
}

/// The same for an import.
pub(super) fn not_imported(error: &NotImported) -> String {
    match error {
        NotImported::Faults(faults) => {
            let told: Vec<String> = faults.iter().map(ToString::to_string).collect();
            format!("Nothing was saved: {}", told.join("; "))
        }
        NotImported::Own(error) => told(error),
    }
}

/// A link to a form that holds a row as it is, and a button that removes the row. `page` is the one that they stand on, `field` the
/// name of what `name` names.
pub(super) fn ways(page: &str, field: &str, name: &str) -> Markup {
    html! {
        a href={ (page) "?edit=" (utf8_percent_encode(name, NON_ALPHANUMERIC)) } aria-label={ "Edit " (name) } { "Edit" }
        (removal(page, field, name))
    }
}

/// The button alone.
pub(super) fn removal(page: &str, field: &str, name: &str) -> Markup {
    html! {
        form method="post" action=(page) {
            input type="hidden" name=(field) value=(name);
            button type="submit" name="action" value="remove" aria-label={ "Remove " (name) } { "Remove" }
        }
    }
}

/// Something that went wrong, above a page.
pub(super) fn alert(text: &str) -> Markup {
    html! { p.alert role="alert" { (text) } }
}

/// A text field with its label.
pub(super) fn field(name: &str, label: &str, value: &str, required: bool) -> Markup {
    html! {
        div {
            label for=(name) { (label) }
            input #(name) name=(name) value=(value) required[required] maxlength="512" autocomplete="off";
        }
    }
}
