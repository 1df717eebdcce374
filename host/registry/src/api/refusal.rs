//! The answers that say no. Spec: service registry, 3.9; docs/compatibility.md lists where we say it better.

use std::time::Duration;

use axum::Json;
use axum::response::{IntoResponse, Response};
use budstikke_message::identifier::{Identifier, without_person_numbers};
use http::header::{ALLOW, RETRY_AFTER, WWW_AUTHENTICATE};
use http::{HeaderName, HeaderValue, StatusCode};
use jiff::Timestamp;
use serde_json::json;

use super::LookupError;
use super::clients::Unauthenticated;
use crate::registers::Asker;

/// When a register that is down can be asked again, as clients are told.
const RETRY: Duration = Duration::from_secs(30);

/// The body `{timestamp, status, error, path}`; [`super::finish`] writes it, who knows the path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Bare;

/// A refusal, ready to be sent.
#[derive(Debug)]
pub(super) struct Refusal {
    status: StatusCode,
    header: Option<(HeaderName, HeaderValue)>,
    body: Body,
}

#[derive(Debug)]
enum Body {
    /// `{timestamp, status, error, path}`
    Bare,
    /// `{error_code, error_description}`
    Described(String),
    /// The same and `message`, which a full look-up of a person has.
    OfPerson(String),
}

impl Refusal {
    /// Without a word: the body of the framework that clients know.
    pub(super) fn bare(status: StatusCode) -> Self {
        Self {
            status,
            header: None,
            body: Body::Bare,
        }
    }

    /// With a description.
    pub(super) fn described(status: StatusCode, description: impl Into<String>) -> Self {
        Self {
            body: Body::Described(description.into()),
            ..Self::bare(status)
        }
    }

    fn with(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.header = Some((name, value));
        self
    }

    /// A method that is not there any more.
    pub(super) fn method(allowed: &'static str, description: &str) -> Self {
        Self::described(StatusCode::METHOD_NOT_ALLOWED, description).with(ALLOW, HeaderValue::from_static(allowed))
    }

    /// Nobody could say; the same question may be answered later.
    fn later(description: String) -> Self {
        Self::described(StatusCode::SERVICE_UNAVAILABLE, description)
            .with(RETRY_AFTER, HeaderValue::from(RETRY.as_secs()))
    }

    /// The token does not say which organisation asks.
    pub(super) fn no_consumer() -> Self {
        Self::described(
            StatusCode::UNAUTHORIZED,
            "The claim consumer.ID of the token is missing or is no valid ISO 6523 identifier.",
        )
    }

    /// The token lacks a scope. 401, as clients know it.
    pub(super) fn no_scope(description: String) -> Self {
        Self::described(StatusCode::UNAUTHORIZED, description)
    }

    /// A look-up that gave nothing.
    pub(super) fn of_look_up(error: &LookupError, receiver: &Identifier) -> Self {
        use LookupError as E;
        let status = match error {
            E::UnknownReceiver { .. }
            | E::UnknownProcess { .. }
            | E::NotAccepted { .. }
            | E::UnknownSender { .. }
            | E::SenderWithoutAddress { .. }
            | E::UnknownResident
            | E::CertificateMissing { .. } => StatusCode::NOT_FOUND,
            E::LevelNotAvailable { .. }
            | E::CertificatesDiffer { .. }
            | E::PatientNotRetrievable
            | E::RegisterRejected {
                asker: Asker::Caller, ..
            } => StatusCode::BAD_REQUEST,
            E::ScopeMissing { .. }
            | E::RegisterDenied {
                asker: Asker::Caller, ..
            } => StatusCode::UNAUTHORIZED,
            // What a register holds against us, the client cannot mend.
            E::RegisterDenied { asker: Asker::Us, .. }
            | E::RegisterRejected { asker: Asker::Us, .. }
            | E::RegisterUnusable { .. } => StatusCode::INTERNAL_SERVER_ERROR,
            E::NoRecordForCitizen => {
                let text = format!("{error}: {receiver}");
                return Self {
                    body: Body::OfPerson(text),
                    ..Self::bare(StatusCode::NOT_FOUND)
                };
            }
            E::RegisterUnavailable { .. } => return Self::later(sentence(error)),
            E::NotSetUp { detail } => {
                tracing::error!(
                    detail,
                    "a look-up failed because the address service is not set up for it"
                );
                return Self::bare(StatusCode::INTERNAL_SERVER_ERROR);
            }
        };
        Self::described(status, sentence(error))
    }
}

/// Its text with a capital letter.
fn sentence(error: &LookupError) -> String {
    let text = without_person_numbers(&error.to_string());
    let mut letters = text.chars();
    let first = letters
        .next()
        .map(|first| first.to_uppercase().to_string())
        .unwrap_or_default();
    format!("{first}{}", letters.as_str())
}

/// The body of the framework that clients know.
pub(super) fn bare_body(status: StatusCode, path: &str) -> serde_json::Value {
    json!({
        "timestamp": Timestamp::now().strftime("%Y-%m-%dT%H:%M:%S%.3f+00:00").to_string(),
        "status": status.as_u16(),
        "error": status.canonical_reason().unwrap_or_default(),
        "path": without_person_numbers(path),
    })
}

impl From<Unauthenticated> for Refusal {
    fn from(error: Unauthenticated) -> Self {
        let why = match error {
            Unauthenticated::NoToken => HeaderValue::from_static("Bearer"),
            Unauthenticated::Invalid(reason) => {
                let challenge = format!("Bearer error=\"invalid_token\", error_description=\"{reason}\"");
                HeaderValue::try_from(challenge).unwrap_or(HeaderValue::from_static("Bearer"))
            }
            Unauthenticated::CannotTell => {
                return Self::later("The issuer of the token cannot be asked for its keys now.".into());
            }
        };
        Self::described(StatusCode::UNAUTHORIZED, format!("Unauthorized: {error}.")).with(WWW_AUTHENTICATE, why)
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let mut response = match self.body {
            Body::Bare => {
                let mut response = self.status.into_response();
                response.extensions_mut().insert(Bare);
                response
            }
            Body::Described(text) => (
                self.status,
                Json(json!({ "error_code": "", "error_description": text })),
            )
                .into_response(),
            Body::OfPerson(text) => {
                let body = json!({ "error_code": "", "error_description": text, "message": text });
                (self.status, Json(body)).into_response()
            }
        };
        response.headers_mut().extend(self.header);
        response
    }
}
