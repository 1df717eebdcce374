//! What the front of the server answers by itself, in the shape of the API's errors. Spec: messaging API, 1.2 and 10.

use std::time::Duration;

use axum::body::Body;
use axum::http::{HeaderValue, StatusCode};
use axum::response::Response;
use budstikke_message::identifier::without_person_numbers;
use http::header::{CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};

use super::error::{ApiError, Kind};
use super::{HEADERS, time};

/// What a client that gave no credentials is told to give.
const CHALLENGE: HeaderValue = HeaderValue::from_static("Basic realm=\"Budstikke\", charset=\"UTF-8\"");

/// Why a request does not come to the API.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// No credentials, or not by HTTP Basic.
    NoCredentials,
    /// Nobody has this name and password.
    WrongCredentials,
    /// Too many wrong passwords, or too many to verify at once.
    Later(Duration),
    /// The user lacks the role; its name in the configuration.
    NotAllowed(&'static str),
    /// Nobody is asked for a password here, so nobody can be an operator.
    Shut,
    /// A browser asks for a page of another origin.
    PreFlight,
    /// A browser sends it for a page of another site.
    OtherSite,
    /// More headers than so many.
    TooManyHeaders(usize),
    /// Headers of more bytes than so many.
    HeadersTooLarge(usize),
}

const DENIED: &str = "org.springframework.security.access.AccessDeniedException";
const HEADERS_TOO_LARGE: Kind = Kind {
    name: "org.apache.coyote.http11.HeadersTooLargeException",
    status: StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE,
    hint: "Send fewer or shorter headers. The operator can raise the limit under [server.limits].",
};

impl Refusal {
    /// What any operation can be refused with before it begins, for the description of the API.
    pub(super) fn of_any_operation() -> Vec<Kind> {
        [
            Self::NoCredentials,
            Self::WrongCredentials,
            Self::Later(Duration::ZERO),
            Self::NotAllowed(""),
            Self::Shut,
            Self::HeadersTooLarge(0),
        ]
        .iter()
        .map(Self::kind)
        .collect()
    }

    fn kind(&self) -> Kind {
        let (name, status, hint) = match self {
            Self::NoCredentials => (
                "org.springframework.security.authentication.InsufficientAuthenticationException",
                StatusCode::UNAUTHORIZED,
                "Send name and password with HTTP Basic. The operator makes users under [[server.users]].",
            ),
            Self::WrongCredentials => (
                "org.springframework.security.authentication.BadCredentialsException",
                StatusCode::UNAUTHORIZED,
                "Check name and password, also for upper and lower case; they are sent in UTF-8.",
            ),
            Self::Later(_) => (
                "org.springframework.security.authentication.LockedException",
                StatusCode::TOO_MANY_REQUESTS,
                "Wait as long as the header Retry-After says, and check name and password before the next attempt.",
            ),
            Self::NotAllowed(_) => (
                DENIED,
                StatusCode::FORBIDDEN,
                "Call as a user with this role; roles stand under [[server.users]].",
            ),
            Self::Shut => (
                DENIED,
                StatusCode::FORBIDDEN,
                "Without users nobody is an operator. Make one under [[server.users]], or name what everybody may see in \
                 [server] manage-open.",
            ),
            Self::PreFlight => (
                DENIED,
                StatusCode::FORBIDDEN,
                "Browsers cannot call the API from pages of other origins; put a proxy on the origin of the page.",
            ),
            Self::OtherSite => (
                DENIED,
                StatusCode::FORBIDDEN,
                "Call from a program, or from a page of this origin. A proxy in between must pass the header Host on as it came.",
            ),
            Self::TooManyHeaders(_) | Self::HeadersTooLarge(_) => return HEADERS_TOO_LARGE,
        };
        Kind { name, status, hint }
    }

    fn text(&self) -> String {
        match self {
            Self::NoCredentials => "Full authentication is required to access this resource".into(),
            Self::WrongCredentials => "Bad credentials".into(),
            Self::Later(_) => "Too many attempts to log in.".into(),
            Self::NotAllowed(role) => format!("Access is denied: it needs the role {role}."),
            Self::Shut => "Access is denied: it needs the role operator, and there are no users.".into(),
            Self::PreFlight => "Invalid CORS request".into(),
            Self::OtherSite => "Access is denied: a browser sent this for a page of another site.".into(),
            Self::TooManyHeaders(limit) => format!("The request has more than {limit} headers."),
            Self::HeadersTooLarge(limit) => format!("The headers of the request are larger than {limit} bytes."),
        }
    }

    /// The whole answer to a request to `path`, which it shows without person numbers: nobody knows yet who asks.
    pub(crate) fn answer(&self, path: &str) -> Response {
        let error = ApiError::new(self.kind(), self.text());
        let body =
            serde_json::to_vec_pretty(&error.body(&without_person_numbers(path), time::now())).unwrap_or_default();
        let mut response = Response::new(Body::from(body));
        *response.status_mut() = error.status();
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        headers.extend(HEADERS);
        match self {
            Self::NoCredentials | Self::WrongCredentials => {
                headers.insert(WWW_AUTHENTICATE, CHALLENGE);
            }
            Self::Later(wait) => {
                // Rounded up: who comes back then is let in.
                headers.insert(RETRY_AFTER, HeaderValue::from(wait.as_secs().saturating_add(1)));
            }
            _ => {}
        }
        response
    }
}
