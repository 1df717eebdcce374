//! Who may administer: a password. Pages of other sites are kept away by whoever serves the router.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use axum::Router;
use axum::extract::{Request, State};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use http::header::{RETRY_AFTER, WWW_AUTHENTICATE};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};

use super::super::refusal::Refusal;
use super::super::{Api, Peer};

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
