//! What the pages of the administration have in common.

use axum::response::Response;
use http::StatusCode;
use maud::{Markup, html};

/// Pages and their names; links are relative, since nobody here knows what stands before.
const PAGES: [(&str, &str); 3] = [
    ("processes", "Processes"),
    ("organisations", "Organisations"),
    ("explain", "Explain"),
];

/// A whole page.
pub(super) fn page(status: StatusCode, title: &str, content: &Markup) -> Response {
    budstikke_pages::page(status, title, &PAGES, content)
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
