//! Errors of the proxy, and of Correspondence with its numbers (Spec: DPO and DPV, 4.1, 4.7 and 4.8).

use axum::Json;
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use serde_json::{Map, Value, json};
use uuid::Uuid;

/// One of Correspondence's numbered errors.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Numbered {
    number: u16,
    status: StatusCode,
    detail: &'static str,
}

/// A refused call.
#[derive(Debug)]
pub(crate) enum Problem {
    /// The proxy knows no such token.
    NotAuthenticated,
    /// The proxy does not let this organisation through, or not with this scope.
    AccessDenied,
    /// One of the numbered errors.
    Altinn(Numbered),
    /// A numbered error about a recipient, who is named.
    Recipient(Numbered, String),
    /// Fields of the request are wrong: (field, reason).
    Invalid(Vec<(String, String)>),
    /// A failure of the double itself.
    Internal(String),
}

impl From<Numbered> for Problem {
    fn from(error: Numbered) -> Self {
        Self::Altinn(error)
    }
}

macro_rules! numbered {
    ($($name:ident = $number:literal, $status:ident, $detail:literal;)*) => {
        $(pub(crate) const $name: Numbered = Numbered { number: $number, status: StatusCode::$status, detail: $detail };)*
    };
}

numbered! {
    NOT_FOUND = 1001, NOT_FOUND, "The correspondence was not found";
    TITLE_NOT_PLAIN = 1002, BAD_REQUEST, "The message title must be plain text";
    FILES_DIFFER = 1005, BAD_REQUEST, "The uploaded files do not match the attachments";
    RECIPIENT_TWICE = 1006, BAD_REQUEST, "Recipients must be unique";
    DUE_IN_THE_PAST = 1008, BAD_REQUEST, "DueDateTime cannot be in the past";
    DUE_BEFORE_PUBLISHING = 1009, BAD_REQUEST, "DueDateTime cannot be before RequestedPublishTime";
    TITLE_EMPTY = 1020, BAD_REQUEST, "The message title cannot be empty";
    BODY_EMPTY = 1021, BAD_REQUEST, "The message body cannot be empty";
    BODY_TOO_LONG = 1022, BAD_REQUEST, "The message body cannot have more than 30000 characters";
    LANGUAGE = 1023, BAD_REQUEST, "The language must be nb, nn or en";
    UNKNOWN_RECIPIENT = 1029, NOT_FOUND, "No party was found for the recipient";
    RESERVED = 1030, UNPROCESSABLE_ENTITY, "This recipient has reserved against such post:";
    KEY = 1033, BAD_REQUEST, "The idempotency key must be a UUID and not empty";
    KEY_USED = 1034, CONFLICT, "A correspondence with this idempotency key exists";
    UNKNOWN_RESOURCE = 1036, BAD_REQUEST, "ResourceId is no resource of the resource registry";
    TITLE_TOO_LONG = 1037, BAD_REQUEST, "The message title cannot have more than 255 characters";
    TOO_MANY_FILES = 1038, BAD_REQUEST, "A correspondence cannot have more than 100 attachments";
    SENDER_NOT_PLAIN = 1039, BAD_REQUEST, "The message sender must be plain text";
    SUMMARY_TOO_LONG = 1042, BAD_REQUEST, "The message summary cannot have more than 255 characters";
    WITHOUT_ROLES = 1044, BAD_REQUEST, "This recipient has nobody with a role that may read the correspondence:";
    KEY_FOR_MANY = 1047, BAD_REQUEST, "An idempotency key goes with one recipient only";
    MUST_BE_CONFIDENTIAL = 1060, BAD_REQUEST, "Correspondences under this resource need IsConfidential";
    MUST_NOT_BE_CONFIDENTIAL = 1061, BAD_REQUEST, "Correspondences under this resource cannot have IsConfidential";
    NO_SUCH_ATTACHMENT = 2001, NOT_FOUND, "The attachment was not found";
    UPLOAD_FAILED = 2002, BAD_GATEWAY, "The upload failed";
    FILE_SIZE = 2004, BAD_REQUEST, "A file must have content, and can be too large";
    FILE_NAME_MISSING = 2010, BAD_REQUEST, "The file name is missing";
    FILE_NAME_TOO_LONG = 2011, BAD_REQUEST, "The file name is too long";
    FILE_NAME_INVALID = 2012, BAD_REQUEST, "The file name has invalid characters";
    FILE_TYPE = 2013, BAD_REQUEST, "The file type is not allowed";
    FILE_NAME_RESERVED = 2021, BAD_REQUEST, "The file name is reserved in Windows";
    NO_EMAIL = 3002, BAD_REQUEST, "Notification by e-mail needs a subject and a body";
    NO_REMINDER_EMAIL = 3003, BAD_REQUEST, "Reminders by e-mail need a subject and a body";
    NO_SMS = 3004, BAD_REQUEST, "Notification by SMS needs a body";
    NO_REMINDER_SMS = 3005, BAD_REQUEST, "Reminders by SMS need a body";
    NO_EMAIL_AND_SMS = 3024, BAD_REQUEST, "Notification by e-mail and SMS needs a subject and both bodies";
    NO_REMINDER_EMAIL_AND_SMS = 3025, BAD_REQUEST, "Reminders by e-mail and SMS need a subject and both bodies";
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        match self {
            Self::NotAuthenticated => proxy(StatusCode::UNAUTHORIZED, "Proxy AuthN error : Not Authenticated"),
            Self::AccessDenied => proxy(StatusCode::FORBIDDEN, "Proxy AuthZ error : Access Denied"),
            Self::Altinn(error) => error.answer(error.detail),
            Self::Recipient(error, recipient) => error.answer(&format!("{} {recipient}", error.detail)),
            Self::Invalid(fields) => {
                let mut errors = Map::new();
                for (field, reason) in fields {
                    if let Value::Array(reasons) = errors.entry(field).or_insert_with(|| json!([])) {
                        reasons.push(json!(reason));
                    }
                }
                let mut body = members(StatusCode::BAD_REQUEST, "One or more fields are wrong");
                body.insert("errors".to_owned(), Value::Object(errors));
                problem(StatusCode::BAD_REQUEST, body)
            }
            Self::Internal(detail) => {
                tracing::error!(%detail, "a double failed");
                proxy(StatusCode::INTERNAL_SERVER_ERROR, "Proxy Gateway Error")
            }
        }
    }
}

impl Numbered {
    fn answer(self, detail: &str) -> Response {
        let mut body = members(self.status, detail);
        body.insert("code".to_owned(), json!(format!("CORR-{:05}", self.number)));
        body.insert("errorCode".to_owned(), json!(self.number));
        problem(self.status, body)
    }
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

fn problem(status: StatusCode, body: Map<String, Value>) -> Response {
    let mut response = (status, Json(Value::Object(body))).into_response();
    let media_type = HeaderValue::from_static("application/problem+json");
    response.headers_mut().insert(CONTENT_TYPE, media_type);
    response
}

/// The proxy's own errors are plain JSON.
fn proxy(status: StatusCode, detail: &str) -> Response {
    let body = json!({
        "type": "about:blank",
        "title": status.canonical_reason().unwrap_or("Error"),
        "status": status.as_u16(),
        "detail": detail,
    });
    (status, Json(body)).into_response()
}
