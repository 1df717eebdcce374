//! What every answer goes through: it is counted, gets the body that it still lacks, and is never kept by a cache in between.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{MatchedPath, Request, State};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::{Json, Router};
use http::header::{CACHE_CONTROL, CONTENT_LENGTH, X_CONTENT_TYPE_OPTIONS};
use http::{HeaderValue, StatusCode};

use super::Api;
use super::refusal::{Bare, bare_body};

/// Puts this around the routes.
pub(super) fn finished(routes: Router, api: &Arc<Api>) -> Router {
    routes
        .fallback(|| async { StatusCode::NOT_FOUND })
        .layer(middleware::from_fn_with_state(Arc::clone(api), finish))
}

async fn finish(State(api): State<Arc<Api>>, request: Request, next: Next) -> Response {
    let route = request.extensions().get::<MatchedPath>().cloned();
    let path = request.uri().path().to_owned();
    let mut response = next.run(request).await;
    let status = response.status();
    api.metrics
        .answered(route.as_ref().map_or("", MatchedPath::as_str), status);
    if lacks_body(&response) {
        let headers = std::mem::take(response.headers_mut());
        response = (status, Json(bare_body(status, &path))).into_response();
        for (name, value) in &headers {
            if name != CONTENT_LENGTH && !response.headers().contains_key(name) {
                response.headers_mut().append(name, value.clone());
            }
        }
    }
    let headers = response.headers_mut();
    // Answers hold where persons live.
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}

/// A refusal of ours without a body, or one that the router made by itself: no such path, another method.
fn lacks_body(response: &Response) -> bool {
    let empty = axum::body::HttpBody::size_hint(response.body() as &Body).exact() == Some(0);
    let by_router = matches!(
        response.status(),
        StatusCode::NOT_FOUND | StatusCode::METHOD_NOT_ALLOWED
    );
    response.extensions().get::<Bare>().is_some()
        || (by_router && empty && response.extensions().get::<Empty>().is_none())
}

/// Marks an answer that is meant to be empty.
#[derive(Debug, Clone, Copy)]
pub(super) struct Empty;

/// A status and nothing else.
pub(super) fn empty(status: StatusCode) -> Response {
    let mut response = status.into_response();
    response.extensions_mut().insert(Empty);
    response
}
