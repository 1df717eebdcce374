//! What all HTML pages have in common: the shell, the looks, and the headers that keep everything foreign out.
#![forbid(unsafe_code)]

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

/// Nothing is loaded and nothing runs; the one style sheet is known by its digest.
static POLICY: LazyLock<Option<HeaderValue>> = LazyLock::new(|| {
    let known = STANDARD.encode(digest(&SHA256, STYLE.as_bytes()));
    let policy = format!(
        "default-src 'none'; style-src 'sha256-{known}'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    );
    HeaderValue::try_from(policy).ok()
});

/// A whole page. `links` to the pages beside it, as relative address and name; none: it is the only one.
pub fn page(status: StatusCode, title: &str, links: &[(&str, &str)], content: &Markup) -> Response {
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
                    @if !links.is_empty() {
                        nav aria-label="Pages" {
                            @for (link, name) in links {
                                a href=(link) aria-current=[(*name == title).then_some("page")] { (name) } " "
                            }
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
    // What was searched for can be a person.
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    response
}
