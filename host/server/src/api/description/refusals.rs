//! What an operation answers when it does not do as asked: rows of the table of errors, as responses of the description.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use utoipa::openapi::example::ExampleBuilder;
use utoipa::openapi::{ContentBuilder, Ref, RefOr, Response, ResponseBuilder};
use utoipa::{IntoResponses, PartialSchema as _, ToSchema};

use crate::api::Refusal;
use crate::api::error::{ErrorBody, Kind, kind};

/// Names the errors of operations. `refusals! { GetRefusals: &[kind::MESSAGE_NOT_FOUND], OF_ALL; }` makes a type that stands in
/// `responses(…)` of `#[utoipa::path]`.
macro_rules! refusals {
    ($($name:ident: $($kinds:expr),+;)+) => {$(
        enum $name {}

        impl ::utoipa::IntoResponses for $name {
            fn responses() -> ::std::collections::BTreeMap<String, ::utoipa::openapi::RefOr<::utoipa::openapi::Response>> {
                $crate::api::description::refusals::responses(&[$($kinds as &[$crate::api::error::Kind]),+])
            }
        }
    )+};
}
pub(in crate::api) use refusals;

/// What every operation can answer: a path or a query may not be text, and anything may fail.
const OF_ALL: &[Kind] = &[kind::TYPE_MISMATCH, kind::INTERNAL, kind::STORE_AWAY];

/// One response for each status, with the errors that it can mean.
pub(in crate::api) fn responses(lists: &[&[Kind]]) -> BTreeMap<String, RefOr<Response>> {
    let mut by_status: BTreeMap<u16, Vec<Kind>> = BTreeMap::new();
    let of_front = Refusal::of_any_operation();
    for kind in lists.iter().copied().chain([OF_ALL, &of_front]).flatten() {
        let row = by_status.entry(kind.status.as_u16()).or_default();
        if !row.contains(kind) {
            row.push(*kind);
        }
    }
    by_status
        .into_iter()
        .map(|(status, kinds)| (status.to_string(), response(&kinds).into()))
        .collect()
}

/// What a page for people answers when it cannot be shown: a page too, where the request got that far.
pub(crate) enum PageRefusals {}

impl IntoResponses for PageRefusals {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        let mut responses = responses(&[]);
        for status in ["400", "500"] {
            if let Some(RefOr::T(response)) = responses.get_mut(status) {
                let page = ContentBuilder::new().schema(Some(String::schema())).build();
                response.content.insert("text/html".to_owned(), page);
            }
        }
        responses
    }
}

fn response(kinds: &[Kind]) -> Response {
    let described: Vec<String> = kinds
        .iter()
        .map(|kind| format!("- `{}`: {}", kind.exception(), kind.hint))
        .collect();
    let examples = kinds.iter().enumerate().map(|(number, kind)| {
        let example = ExampleBuilder::new().value(Some(example(*kind)));
        // Some errors share a name and differ in what to do.
        let before = kinds
            .iter()
            .take(number)
            .filter(|other| other.name == kind.name)
            .count();
        let count = if before == 0 {
            String::new()
        } else {
            (before + 1).to_string()
        };
        (format!("{}{count}", short(kind.name)), RefOr::T(example.build()))
    });
    let content = ContentBuilder::new()
        .schema(Some(Ref::from_schema_name(ErrorBody::name())))
        .examples_from_iter(examples);
    ResponseBuilder::new()
        .description(described.join("\n"))
        .content("application/json", content.build())
        .build()
}

/// The last word of the class name.
fn short(name: &str) -> &str {
    name.rsplit('.').next().unwrap_or(name)
}

fn example(kind: Kind) -> Value {
    json!({
        "timestamp": "2026-03-02T09:20:11.482+01:00",
        "status": kind.status.as_u16(),
        "error": kind.status.canonical_reason(),
        "exception": kind.exception(),
        "message": "What is wrong, for people.",
        "path": "/api/…",
        "hint": kind.hint,
    })
}
