//! Who may administer, and from where: a password, and no page of another site.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use axum::Router;
use axum::extract::{Request, State};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use http::header::{HOST, ORIGIN, RETRY_AFTER, WWW_AUTHENTICATE};
use http::request::Parts;
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};

use super::super::refusal::Refusal;
use super::super::{Api, Peer};

/// What browsers say of the page that a request comes from. Spec: W3C, Fetch Metadata Request Headers.
const FETCH_SITE: &str = "sec-fetch-site";

/// What the question for a password came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Admission {
    /// It is this user, who may administer.
    Admitted(String),
    /// No credentials, or wrong ones.
    Unknown,
    /// A user who may not administer.
    NotAllowed,
    /// Too many wrong ones; ask again after this time.
    Later(Duration),
}

/// Knows the users.
#[async_trait]
pub trait AdminGate: Send + Sync {
    /// Who sends these headers, from this address.
    async fn admit(&self, headers: &HeaderMap, from: IpAddr) -> Admission;
}

/// The user of a request that was let through.
#[derive(Debug, Clone)]
pub(in super::super) struct User(pub(in super::super) String);

/// Lets only administrators through to these routes.
pub(in super::super) fn guarded(routes: Router<Arc<Api>>, gate: &Arc<dyn AdminGate>) -> Router<Arc<Api>> {
    routes.route_layer(middleware::from_fn_with_state(Arc::clone(gate), guard))
}

async fn guard(State(gate): State<Arc<dyn AdminGate>>, request: Request, next: Next) -> Response {
    let from = request.extensions().get::<Peer>();
    let from = from.map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |peer| peer.0);
    let (mut head, body) = request.into_parts();
    if is_of_other_site(&head) {
        return Refusal::described(StatusCode::FORBIDDEN, "This request comes from a page of another site.")
            .into_response();
    }
    match gate.admit(&head.headers, from).await {
        Admission::Admitted(name) => {
            head.extensions.insert(User(name));
            next.run(Request::from_parts(head, body)).await
        }
        Admission::Unknown => with(
            Refusal::described(StatusCode::UNAUTHORIZED, "A user name and a password are needed."),
            WWW_AUTHENTICATE,
            HeaderValue::from_static("Basic realm=\"Budstikke\", charset=\"UTF-8\""),
        ),
        Admission::NotAllowed => {
            Refusal::described(StatusCode::FORBIDDEN, "This user does not have the role admin.").into_response()
        }
        Admission::Later(wait) => with(
            Refusal::described(
                StatusCode::TOO_MANY_REQUESTS,
                "Too many wrong passwords; wait a little.",
            ),
            RETRY_AFTER,
            HeaderValue::from(wait.as_secs().max(1)),
        ),
    }
}

fn with(refusal: Refusal, name: HeaderName, value: HeaderValue) -> Response {
    let mut response = refusal.into_response();
    response.headers_mut().insert(name, value);
    response
}

/// Whether a page of another site makes a browser send this: browsers add the password that they remember. Programs send neither
/// header.
fn is_of_other_site(head: &Parts) -> bool {
    let foreign = |value: &HeaderValue| value == "cross-site" || value == "same-site";
    let reads = matches!(head.method, Method::GET | Method::HEAD);
    if !reads && head.headers.get_all(FETCH_SITE).iter().any(foreign) {
        return true;
    }
    !reads && head.headers.get_all(ORIGIN).iter().any(|origin| !is_own(origin, head))
}

/// Whether an `Origin` names the host that is called; `null` does not.
fn is_own(origin: &HeaderValue, head: &Parts) -> bool {
    let called = match head.uri.authority() {
        Some(authority) => Some(authority.as_str()),
        None => head.headers.get(HOST).and_then(|host| host.to_str().ok()),
    };
    let origin = origin.to_str().ok().and_then(|origin| origin.split_once("://"));
    match (origin, called) {
        (Some((_, origin)), Some(called)) => origin.eq_ignore_ascii_case(called),
        _ => false,
    }
}
