//! What all pages have in common: the shell, the looks, and the headers that keep everything foreign out.

use std::sync::LazyLock;

use aws_lc_rs::digest::{SHA256, digest};
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::header::{CONTENT_SECURITY_POLICY, CONTENT_TYPE, REFERRER_POLICY};
use http::{HeaderValue, StatusCode};
use maud::{DOCTYPE, Markup, PreEscaped, html};

/// Readable from a phone to a wide screen, light or dark as the reader has it.
const STYLE: &str = include_str!("style.css");

/// Pages and their names; links are relative, since nobody here knows what stands before.
const PAGES: [(&str, &str); 3] = [
    ("processes", "Processes"),
    ("organisations", "Organisations"),
    ("explain", "Explain"),
];

/// Nothing is loaded and nothing runs; the one style sheet is known by its digest.
static POLICY: LazyLock<Option<HeaderValue>> = LazyLock::new(|| {
    let known = STANDARD.encode(digest(&SHA256, STYLE.as_bytes()));
    let policy = format!(
        "default-src 'none'; style-src 'sha256-{known}'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    );
    HeaderValue::try_from(policy).ok()
});

/// A whole page.
pub(super) fn page(status: StatusCode, title: &str, content: &Markup) -> Response {
    let markup = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { (title) " – Budstikke" }
                style { (PreEscaped(STYLE)) }
            }
            body {
                main {
                    nav aria-label="Pages" {
                        @for (link, name) in PAGES {
                            a href=(link) aria-current=[(name == title).then_some("page")] { (name) } " "
                        }
                    }
                    h1 { (title) }
                    (content)
                }
            }
        }
    };
    let Some(policy) = POLICY.clone() else {
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    };
    let mut response = (status, markup.into_string()).into_response();
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
    headers.insert(CONTENT_SECURITY_POLICY, policy);
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    response
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
