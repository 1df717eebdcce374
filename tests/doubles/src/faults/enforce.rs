//! The place that every request passes: it is recorded here, and faults strike here.

use std::sync::Arc;
use std::time::Instant;

use axum::body::Body;
use axum::extract::{ConnectInfo, Request, State};
use axum::http::header::{CONTENT_LENGTH, CONTENT_TYPE, HeaderValue, RETRY_AFTER};
use axum::http::{HeaderMap, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use jiff::Timestamp;

use super::{Fault, Route, body, control};
use crate::broker::problem::{Problem, plain_problem};
use crate::maskinporten::refusal::Refusal;
use crate::requests::RecordedRequest;
use crate::server::House;
use crate::wire::Connection;

/// Faults that only the handler can bring about, left in the extensions of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum InnerFault {
    VirusFound,
    WrongChecksum,
    /// The answer breaks off after so many bytes.
    BreaksOff(u64),
}

/// Records the request, and lets the fault for its route happen.
pub(crate) async fn enforce(
    State(house): State<Arc<House>>,
    ConnectInfo(connection): ConnectInfo<Connection>,
    request: Request,
    next: Next,
) -> Response {
    // People who look are not part of what they look at.
    if request.uri().path().starts_with(control::PATH) {
        return next.run(request).await;
    }
    let route = Route::of(request.method(), request.uri().path());
    let fault = route.and_then(|route| house.faults.take(route));
    let started = Instant::now();
    let number = house.requests.start(RecordedRequest {
        at: Timestamp::now(),
        method: request.method().to_string(),
        path: request
            .uri()
            .path_and_query()
            .map_or_else(String::new, ToString::to_string),
        route,
        status: None,
        millis: 0,
        fault: fault.as_ref().map(Fault::name),
    });
    let answered = !matches!(fault, Some(Fault::CutRequestBody { .. } | Fault::AnswerLost));
    let response = match (route, fault) {
        (Some(route), Some(fault)) => strike(&house, &connection, route, fault, request, next).await,
        _ => next.run(request).await,
    };
    let millis = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
    house
        .requests
        .finish(number, answered.then(|| response.status().as_u16()), millis);
    response
}

async fn strike(
    house: &House,
    connection: &Connection,
    route: Route,
    fault: Fault,
    mut request: Request,
    next: Next,
) -> Response {
    match fault {
        Fault::Status(status) => {
            body::drain(request.into_body()).await;
            let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
            plain_problem(status, "A fault was switched on for this call.")
        }
        Fault::Answer {
            status,
            body,
            content_type,
            retry_after,
        } => {
            body::drain(request.into_body()).await;
            let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
            let mut response = (status, body).into_response();
            if let Ok(value) = HeaderValue::from_str(&content_type) {
                response.headers_mut().insert(CONTENT_TYPE, value);
            }
            if let Some(seconds) = retry_after {
                response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(seconds));
            }
            response
        }
        Fault::Delay(time) => {
            tokio::time::sleep(time).await;
            next.run(request).await
        }
        Fault::CutRequestBody { after } => {
            let broken = body::cut(std::mem::take(request.body_mut()), after, connection.clone(), false);
            // A call without a body would be done before anything is cut.
            if after == 0 || route_has_no_body(route) {
                body::drain(broken).await;
            } else {
                *request.body_mut() = broken;
                next.run(request).await;
            }
            // The handler may have stopped reading before the place of the cut.
            connection.cut();
            StatusCode::BAD_GATEWAY.into_response()
        }
        Fault::CutResponseBody { after } => {
            request.extensions_mut().insert(InnerFault::BreaksOff(after));
            let mut response = next.run(request).await;
            if !response.headers().contains_key(CONTENT_LENGTH)
                && let Some(length) = http_body::Body::size_hint(response.body()).exact()
            {
                response.headers_mut().insert(CONTENT_LENGTH, HeaderValue::from(length));
            }
            let body = std::mem::take(response.body_mut());
            *response.body_mut() = body::cut(body, after, connection.clone(), true);
            response
        }
        Fault::AnswerLost => {
            let response = next.run(request).await;
            body::drain(response.into_body()).await;
            connection.cut();
            StatusCode::BAD_GATEWAY.into_response()
        }
        Fault::VirusFound => {
            request.extensions_mut().insert(InnerFault::VirusFound);
            next.run(request).await
        }
        Fault::WrongChecksum => {
            request.extensions_mut().insert(InnerFault::WrongChecksum);
            next.run(request).await
        }
        Fault::TokenRevoked => {
            if let Some(token) = bearer(request.headers()) {
                house.altinn_tokens.revoke(token);
                house.maskinporten_tokens.revoke(token);
            }
            if crate::correspondence::route(request.method(), request.uri().path()).is_some() {
                // The proxy says it in its own words.
                return next.run(request).await;
            }
            body::drain(request.into_body()).await;
            if route == Route::Token {
                Refusal::client("The client was locked by a fault").into_response()
            } else {
                Problem::no_token().into_response()
            }
        }
        Fault::SlowBody { bytes_per_second } => {
            let body = std::mem::take(request.body_mut());
            *request.body_mut() = body::slow(body, bytes_per_second);
            let mut response = next.run(request).await;
            let length = http_body::Body::size_hint(response.body()).exact();
            if let Some(length) = length {
                response.headers_mut().insert(CONTENT_LENGTH, HeaderValue::from(length));
            }
            let body: Body = std::mem::take(response.body_mut());
            *response.body_mut() = body::slow(body, bytes_per_second);
            response
        }
    }
}

fn route_has_no_body(route: Route) -> bool {
    !matches!(
        route,
        Route::Token
            | Route::Initialise
            | Route::Upload
            | Route::Contact
            | Route::CorrespondenceUpload
            | Route::SvarutSend
            | Route::SvarutStatus
            | Route::SvarutSoap
            | Route::SvarinnReject
    )
}

/// The bearer token of a request.
pub(crate) fn bearer(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get(axum::http::header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}
