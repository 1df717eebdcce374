//! The REST interface of the fagsystem, and what operators ask. Spec: messaging API.
//!
//! Each room answers for one kind of resource: [`outgoing`] with [`create`], [`upload`], [`send`] and [`multipart`];
//! [`incoming`]; [`conversations`]; [`statuses`]; [`capabilities`]; [`manage`]. What they share stands here: routes, the shape
//! of answers, and headers. [`error`] has the table of errors, [`params`] and [`page`] read queries.

mod arriving;
mod capabilities;
mod conversations;
mod create;
mod disposition;
mod error;
mod file_sink;
mod form_data;
mod incoming;
mod manage;
mod multipart;
mod outgoing;
mod page;
mod params;
mod send;
mod statuses;
mod time;
mod upload;

use std::future::Future;
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::{delete, get, post};
use http::header::{CACHE_CONTROL, CONNECTION, CONTENT_LENGTH, CONTENT_TYPE, EXPIRES, PRAGMA, VARY};
use http::header::{X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS, X_XSS_PROTECTION};
use serde::Serialize;

use crate::node::Node;
use crate::sealed_sbd;
use error::{ApiError, ApiResult, kind};

/// Largest JSON body, bytes.
const JSON_BYTES: usize = 16 * 1024 * 1024;

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

/// Every path.
#[rustfmt::skip]
pub fn router(node: Arc<Node>) -> Router {
    Router::new()
        .route("/api/messages/out", get(outgoing::list).post(outgoing::post))
        .route("/api/messages/out/multipart", post(multipart::post))
        .route("/api/messages/out/{id}", get(outgoing::get).put(upload::put).post(send::post).delete(outgoing::delete))
        .route("/api/messages/in", get(incoming::list))
        // A HEAD that locks a message would lose it for minutes to a client that sees nothing of it.
        .route("/api/messages/in/peek", get(incoming::peek).head(no_head))
        .route("/api/messages/in/pop/{id}", get(incoming::pop))
        .route("/api/messages/in/{id}", delete(incoming::delete))
        .route("/api/conversations", get(conversations::list))
        .route("/api/conversations/queue", get(conversations::queue))
        .route("/api/conversations/{id}", get(conversations::get).delete(conversations::delete))
        .route("/api/conversations/messageId/{id}", get(conversations::of_message).delete(conversations::delete_of_message))
        .route("/api/statuses", get(statuses::list))
        .route("/api/statuses/peek", get(statuses::peek))
        .route("/api/statuses/{id}", get(statuses::of_message).delete(statuses::delete))
        .route("/api/capabilities/{id}", get(capabilities::get))
        .route("/manage/health", get(manage::all))
        .route("/manage/health/liveness", get(manage::liveness))
        .route("/manage/health/readiness", get(manage::readiness))
        .route("/manage/info", get(manage::info))
        .route("/manage/set-aside", get(manage::set_aside))
        .route("/manage/set-aside/{id}", get(manage::set_aside_content).delete(manage::delete_set_aside))
        .layer(middleware::from_fn(finished))
        .with_state(node)
}

async fn no_head() -> StatusCode {
    StatusCode::METHOD_NOT_ALLOWED
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

/// Writes the bodies of errors, the framework's own included, and the headers that every response has.
async fn finished(request: Request, next: Next) -> Response {
    let path = request.uri().path().to_owned();
    let streams = request.method() == Method::PUT || path.ends_with("/multipart");
    let mut response = next.run(request).await;
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
    let json = response
        .headers()
        .get(CONTENT_TYPE)
        .is_some_and(|kind| kind.as_bytes().starts_with(b"application/json"));
    if json || response.extensions().get::<Bare>().is_some() {
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
fn sbd_json(node: &Node, message_id: &str, sealed: &[u8]) -> ApiResult<Vec<u8>> {
    sealed_sbd::open_json(&node.vault, message_id, sealed).map_err(|error| upload::damaged(&error.into()))
}

/// A stored SBD as a value, to stand in a list.
fn stored_sbd(node: &Node, message_id: &str, sealed: &[u8]) -> ApiResult<serde_json::Value> {
    let json = sbd_json(node, message_id, sealed)?;
    serde_json::from_slice(&json).map_err(|error| upload::damaged(&error.into()))
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
