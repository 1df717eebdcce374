//! Errors of the broker, as problem details (RFC 9457) with the broker's codes (Spec: DPO and DPV, 2.8).

use axum::Json;
use axum::http::header::{CONTENT_TYPE, WWW_AUTHENTICATE};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use serde_json::{Map, Value, json};
use uuid::Uuid;

/// A refused call.
#[derive(Debug)]
pub(crate) enum Problem {
    /// One of the broker's numbered errors.
    Broker {
        code: u16,
        status: StatusCode,
        detail: &'static str,
    },
    /// Fields of the request are wrong: (field, reason).
    Invalid(Vec<(&'static str, String)>),
    /// No token, or one that does not work.
    NoToken,
    /// The token lacks every scope that would do.
    NoScope,
    /// A failure of the double itself.
    Internal(String),
}

macro_rules! broker_errors {
    ($($name:ident = $code:literal, $status:ident, $detail:literal;)*) => {
        impl Problem {
            $(pub(crate) fn $name() -> Self {
                Self::Broker { code: $code, status: StatusCode::$status, detail: $detail }
            })*
        }
    };
}

broker_errors! {
    not_found = 1, NOT_FOUND, "There is no such file transfer";
    no_file = 3, BAD_REQUEST, "No file has been uploaded";
    already_uploaded = 4, CONFLICT, "The file transfer has its file already, or failed. Initialise a new one";
    unknown_resource = 5, FORBIDDEN, "The resource is not registered in the resource registry";
    no_access = 6, UNAUTHORIZED, "The token must stand for a system user with access to the resource";
    not_available = 7, FORBIDDEN, "The file is not ready for download. See the status of the file transfer";
    upload_failed = 8, INTERNAL_SERVER_ERROR, "The file could not be stored";
    checksum_mismatch = 9, BAD_REQUEST, "The checksum of the file is not the one given when initialising";
    not_published = 10, BAD_REQUEST, "Only a published file transfer can be confirmed";
    too_big = 16, BAD_REQUEST, "The file is larger than the resource allows";
    confirm_before_download = 19, BAD_REQUEST, "A file transfer cannot be confirmed before it is downloaded";
    virus_scan_needed = 20, BAD_REQUEST, "The resource is not approved for transfers without virus scan";
}

impl Problem {
    pub(crate) fn no_token() -> Self {
        Self::NoToken
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        match self {
            Self::Broker { code, status, detail } => {
                let mut body = members(status, detail);
                body.insert("code".to_owned(), json!(format!("BRO-{code:05}")));
                answer(status, body)
            }
            Self::Invalid(fields) => {
                let mut body = members(StatusCode::BAD_REQUEST, "One or more fields are wrong");
                let mut errors = Map::new();
                for (field, reason) in fields {
                    if let Value::Array(reasons) = errors.entry(field).or_insert_with(|| json!([])) {
                        reasons.push(json!(reason));
                    }
                }
                body.insert("errors".to_owned(), Value::Object(errors));
                answer(StatusCode::BAD_REQUEST, body)
            }
            Self::NoToken => {
                let mut response = plain_problem(StatusCode::UNAUTHORIZED, "The bearer token is missing or not valid");
                let challenge = HeaderValue::from_static("Bearer error=\"invalid_token\"");
                response.headers_mut().insert(WWW_AUTHENTICATE, challenge);
                response
            }
            Self::NoScope => plain_problem(StatusCode::FORBIDDEN, "The token does not have the scope for this call"),
            Self::Internal(detail) => {
                tracing::error!(%detail, "a double failed");
                plain_problem(StatusCode::INTERNAL_SERVER_ERROR, &detail)
            }
        }
    }
}

/// A problem without a broker code.
pub(crate) fn plain_problem(status: StatusCode, detail: &str) -> Response {
    answer(status, members(status, detail))
}

fn members(status: StatusCode, detail: &str) -> Map<String, Value> {
    let mut body = Map::new();
    body.insert("type".to_owned(), json!("about:blank"));
    body.insert("title".to_owned(), json!(status.canonical_reason().unwrap_or("Error")));
    body.insert("status".to_owned(), json!(status.as_u16()));
    body.insert("detail".to_owned(), json!(detail));
    body.insert("traceId".to_owned(), json!(Uuid::new_v4().simple().to_string()));
    body
}

fn answer(status: StatusCode, body: Map<String, Value>) -> Response {
    let mut response = (status, Json(Value::Object(body))).into_response();
    response
        .headers_mut()
        .insert(CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
    response
}
