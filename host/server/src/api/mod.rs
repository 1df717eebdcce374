//! The REST interface of the fagsystem, and what operators ask. Spec: messaging API.
//!
//! Each room answers for one kind of resource: [`outgoing`] with [`create`], [`upload`], [`send`] and [`multipart`];
//! [`incoming`]; [`conversations`]; [`statuses`]; [`subscriptions`]; [`capabilities`]; [`manage`]. What they share stands
//! here: routes, the shape of answers, and headers. [`error`] has the table of errors, [`params`] and [`page`] read queries,
//! [`listing`] writes lists, [`description`] tells all of it to programs and people.

mod adapter_check;
mod arriving;
mod capabilities;
mod conversations;
mod create;
mod description;
mod disposition;
mod error;
mod file_sink;
mod form_data;
#[cfg(feature = "fuzzing")]
pub mod fuzzing;
mod incoming;
mod listing;
mod manage;
mod multipart;
mod outgoing;
mod page;
mod params;
mod refusal;
mod send;
mod statuses;
mod subscriptions;
pub(crate) mod time;
mod upload;

use std::future::Future;
use std::sync::Arc;

use axum::body::Body;
use axum::extract::Request;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Uri};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Router};
use budstikke_store::SealedSbd;
use http::header::{ALLOW, CACHE_CONTROL, CONNECTION, CONTENT_LENGTH, CONTENT_TYPE, EXPIRES, PRAGMA, VARY};
use http::header::{X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS, X_XSS_PROTECTION};
use percent_encoding::percent_decode_str;
use serde::Serialize;
use utoipa_axum::router::{OpenApiRouter, UtoipaMethodRouterExt as _};
use utoipa_axum::routes;

use crate::node::Node;
use crate::{pages, sealed_sbd};
use description::Description;
pub(crate) use description::refusals::PageRefusals;
use error::{ApiError, ApiResult, kind};
pub(crate) use refusal::Refusal;

/// On every response. Spec: messaging API, 1.2.
const HEADERS: [(HeaderName, HeaderValue); 7] = [
    (X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
    (X_XSS_PROTECTION, HeaderValue::from_static("0")),
    (
        CACHE_CONTROL,
        HeaderValue::from_static("no-cache, no-store, max-age=0, must-revalidate"),
    ),
    (PRAGMA, HeaderValue::from_static("no-cache")),
    (EXPIRES, HeaderValue::from_static("0")),
    (X_FRAME_OPTIONS, HeaderValue::from_static("DENY")),
    (
        VARY,
        HeaderValue::from_static("Origin, Access-Control-Request-Method, Access-Control-Request-Headers"),
    ),
];

/// Every path, with its description. A handler without one does not compile here.
#[rustfmt::skip]
fn routes() -> OpenApiRouter<Arc<Node>> {
    OpenApiRouter::with_openapi(description::empty())
        .routes(routes!(outgoing::list, outgoing::post))
        .routes(routes!(multipart::post))
        .routes(routes!(outgoing::get, upload::put, send::post, outgoing::delete))
        .routes(routes!(incoming::list))
        // A HEAD that locks a message would lose it for minutes to a client that sees nothing of it.
        .routes(routes!(incoming::peek).map(|methods| methods.head(no_head)))
        .routes(routes!(incoming::pop))
        .routes(routes!(incoming::delete))
        .routes(routes!(incoming::unlock))
        .routes(routes!(conversations::list))
        .routes(routes!(conversations::queue))
        .routes(routes!(conversations::get, conversations::delete))
        .routes(routes!(conversations::of_message, conversations::delete_of_message))
        .routes(routes!(statuses::list))
        .routes(routes!(statuses::peek))
        .routes(routes!(statuses::of_message, statuses::delete))
        .routes(routes!(subscriptions::list, subscriptions::post, subscriptions::delete_all))
        .routes(routes!(subscriptions::get, subscriptions::put, subscriptions::delete))
        .routes(routes!(subscriptions::replay))
        .routes(routes!(capabilities::get))
        .routes(routes!(capabilities::record))
        .routes(routes!(pages::front))
        .routes(routes!(pages::conversations))
        .routes(routes!(manage::all))
        .routes(routes!(manage::liveness))
        .routes(routes!(manage::readiness))
        .routes(routes!(manage::info::get))
        .routes(routes!(manage::shutdown::post))
        .routes(routes!(manage::set_aside))
        .routes(routes!(manage::set_aside_content, manage::delete_set_aside))
        .routes(routes!(manage::given_up::list))
        .routes(routes!(manage::given_up::resend, manage::given_up::delete))
        .routes(routes!(manage::nodes::list))
        .routes(routes!(manage::metrics::get))
        .routes(routes!(manage::route::get))
        .routes(routes!(manage::webhooks::report))
        .routes(routes!(description::openapi))
        .routes(routes!(description::page::page))
        .routes(routes!(description::page::file))
}

/// The API of an installation.
pub fn router(node: Arc<Node>) -> Router {
    let (router, document) = routes().split_for_parts();
    router
        .layer(Extension(Description::new(document, &node.types)))
        .layer(middleware::from_fn(finished))
        .with_state(node)
}

async fn no_head() -> impl IntoResponse {
    (StatusCode::METHOD_NOT_ALLOWED, [(ALLOW, "GET")])
}

/// Marks an error answer that goes out without a body.
#[derive(Clone)]
struct Bare;

/// An answer that is nothing but its status.
fn bare(status: StatusCode) -> Response {
    let mut response = status.into_response();
    response.extensions_mut().insert(Bare);
    response
}

/// What can be read as text: no handler meets anything else in a path or a query.
fn readable(uri: &Uri) -> ApiResult<()> {
    for (part, name) in [(uri.path(), "path"), (uri.query().unwrap_or_default(), "query")] {
        let decoded = percent_decode_str(part).decode_utf8();
        if decoded.is_err() || decoded.is_ok_and(|text| text.contains('\0')) {
            let text = format!("The {name} of the request must be UTF-8 without NUL when it is decoded.");
            return Err(ApiError::new(kind::TYPE_MISMATCH, text));
        }
    }
    Ok(())
}

/// Writes the bodies of errors, the framework's own included, and the headers that every response has.
async fn finished(request: Request, next: Next) -> Response {
    let path = request.uri().path().to_owned();
    let streams = matches!(*request.method(), Method::PUT | Method::POST);
    let asks_for_methods = request.method() == Method::OPTIONS;
    let mut response = match readable(request.uri()) {
        Ok(()) => next.run(request).await,
        Err(error) => error.into_response(),
    };
    // The router adds the header Allow to what it takes for a wrong method.
    if asks_for_methods && response.status() == StatusCode::METHOD_NOT_ALLOWED {
        response = bare(StatusCode::OK);
    }
    if let Some(error) = error_of(&mut response) {
        if streams {
            // Some of the body may be unread. The connection ends then, and a client that was not told would send its next
            // request into it.
            response
                .headers_mut()
                .insert(CONNECTION, HeaderValue::from_static("close"));
        }
        let body = serde_json::to_vec_pretty(&error.body(&path, time::now())).unwrap_or_default();
        *response.status_mut() = error.status();
        *response.body_mut() = Body::from(body);
        response.headers_mut().remove(CONTENT_LENGTH);
        response
            .headers_mut()
            .insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    }
    for (name, value) in HEADERS {
        response.headers_mut().insert(name, value);
    }
    response
}

fn error_of(response: &mut Response) -> Option<Arc<ApiError>> {
    if let Some(error) = response.extensions_mut().remove::<Arc<ApiError>>() {
        return Some(error);
    }
    let written = response.headers().get(CONTENT_TYPE).is_some_and(|kind| {
        kind.as_bytes().starts_with(b"application/json") || kind.as_bytes().starts_with(b"text/html")
    });
    if written || response.extensions().get::<Bare>().is_some() {
        return None;
    }
    ApiError::of_status(response.status()).map(Arc::new)
}

/// A JSON answer, indented.
fn json(value: &impl Serialize) -> ApiResult {
    serde_json::to_vec_pretty(value).map(json_bytes).map_err(|error| {
        tracing::error!(%error, "an answer cannot be written");
        ApiError::new(kind::INTERNAL, "The answer cannot be written.")
    })
}

/// JSON that is written already.
fn json_bytes(json: Vec<u8>) -> Response {
    let mut response = Body::from(json).into_response();
    response
        .headers_mut()
        .insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

/// A stored SBD as it goes out.
fn sbd_json(node: &Node, message_id: &str, sealed: &SealedSbd) -> ApiResult<Vec<u8>> {
    sealed_sbd::open_json(&node.vault, message_id, sealed).map_err(|error| upload::damaged(&error.into()))
}

/// Refuses a body that does not say that it is JSON.
fn takes_json(headers: &HeaderMap) -> ApiResult<()> {
    let given = headers
        .get(CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    let essence = given.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    if essence == "application/json" || (essence.starts_with("application/") && essence.ends_with("+json")) {
        return Ok(());
    }
    Err(ApiError::new(
        kind::UNSUPPORTED_MEDIA_TYPE,
        "The Content-Type must be application/json.",
    ))
}

/// The id of a row in a path.
fn row_id(text: &str) -> ApiResult<i64> {
    text.parse().map_err(|_| {
        let text = format!("The id {} in the path must be a whole number.", error::shortened(text));
        ApiError::new(kind::TYPE_MISMATCH, text)
    })
}

/// Runs a change to its end, also when the client goes away in the middle of it.
async fn unbroken<T: Send + 'static>(work: impl Future<Output = T> + Send + 'static) -> ApiResult<T> {
    tokio::spawn(work).await.map_err(|error| {
        tracing::error!(%error, "a call of the API broke off");
        ApiError::new(kind::INTERNAL, "The call broke off.")
    })
}

#[cfg(test)]
mod properties;
#[cfg(test)]
mod scenes;

#[cfg(test)]
mod tests {
    use super::*;

    fn with_type(value: &'static str) -> HeaderMap {
        HeaderMap::from_iter([(CONTENT_TYPE, HeaderValue::from_static(value))])
    }

    #[test]
    fn json_is_told_by_its_content_type() {
        for good in [
            "application/json",
            "Application/JSON; charset=utf-8",
            "application/problem+json",
        ] {
            assert!(takes_json(&with_type(good)).is_ok(), "{good}");
        }
        for bad in ["text/plain", "application/xml", "multipart/form-data; boundary=x"] {
            assert_eq!(takes_json(&with_type(bad)).unwrap_err().status(), 415, "{bad}");
        }
        assert!(takes_json(&HeaderMap::new()).is_err());
    }

    #[test]
    fn an_id_of_a_row_is_a_number() {
        assert_eq!(row_id("205").unwrap(), 205);
        assert_eq!(row_id("abc").unwrap_err().kind(), kind::TYPE_MISMATCH);
    }
}
