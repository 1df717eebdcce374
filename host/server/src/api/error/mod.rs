//! Errors as the API tells them. Spec: messaging API, 10.

pub(super) mod kind;

use std::sync::Arc;

use axum::response::{IntoResponse, Response};
use budstikke_message::violation::Violation;
use budstikke_store::StoreError;
use http::StatusCode;
use serde::Serialize;
use utoipa::ToSchema;

pub(super) use kind::Kind;

/// Bytes of a MB. Spec: messaging API, 3.2.
const MB: u64 = 1024 * 1024;

/// What a handler answers when it does not do as asked. The body is written by [`ApiError::body`] when the path is known.
#[derive(Debug, Clone)]
pub(super) struct ApiError {
    kind: Kind,
    message: String,
    description: Option<String>,
    errors: Box<[FieldError]>,
    /// Another class name than the row's, without its package.
    exception: Option<Box<str>>,
}

/// The result of every handler.
pub(super) type ApiResult<T = Response> = Result<T, ApiError>;

/// One broken rule, in the shape that Spring gives it.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct FieldError {
    /// From the most specific to the bare name of the rule.
    codes: Vec<String>,
    /// Name of the rule.
    #[schema(example = "NotNull")]
    code: &'static str,
    /// What is wrong, for people.
    default_message: String,
    /// Name of the object that holds the field.
    object_name: String,
    /// Path of the member.
    #[schema(example = "standardBusinessDocumentHeader.headerVersion")]
    field: String,
    /// What was given.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    rejected_value: Option<String>,
    /// Always false.
    binding_failure: bool,
}

/// What every error answers with.
#[derive(Serialize, ToSchema)]
#[schema(as = Error)]
pub(super) struct ErrorBody<'a> {
    /// When, in Norwegian time.
    #[schema(format = DateTime)]
    timestamp: String,
    /// The HTTP status.
    status: u16,
    /// Its reason phrase.
    error: &'a str,
    /// Class name of the Java integrasjonspunkt: what programs match on.
    exception: String,
    /// What is wrong, for people.
    message: &'a str,
    /// Path of the request, without the query.
    path: &'a str,
    /// What the service registry said.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    description: Option<&'a str>,
    /// The broken rules, one by one.
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    #[schema(required = false)]
    errors: &'a [FieldError],
    /// What to do now.
    hint: &'a str,
}

impl ApiError {
    /// An error with its text for people.
    pub(super) fn new(kind: Kind, message: impl Into<String>) -> Self {
        Self {
            kind,
            message: message.into(),
            description: None,
            errors: Box::default(),
            exception: None,
        }
    }

    /// With the adapter's code: as the class name when it is one that fagsystemer know, else before the text.
    pub(super) fn of_code(self, code: &str) -> Self {
        let is_class =
            code.ends_with("Exception") && code.len() <= 100 && code.bytes().all(|b| b.is_ascii_alphabetic());
        if is_class {
            Self {
                exception: Some(code.into()),
                ..self
            }
        } else {
            Self {
                message: format!("{}: {}", shortened(code), self.message),
                ..self
            }
        }
    }

    /// No message with this id, in the state that the call needs.
    pub(super) fn no_message(message_id: &str) -> Self {
        Self::new(
            kind::MESSAGE_NOT_FOUND,
            format!("There is no message with messageId {}.", shortened(message_id)),
        )
    }

    /// Adds what the registry said.
    pub(super) fn described(mut self, description: impl Into<String>) -> Self {
        self.description = Some(description.into());
        self
    }

    /// Broken rules of a JSON body; `object` is its name in Java, the rules' fields are paths below it.
    pub(super) fn invalid_argument(object: &str, violations: &[Violation]) -> Self {
        let errors: Vec<FieldError> = violations
            .iter()
            .map(|violation| of_argument(object, violation))
            .collect();
        let message = format!(
            "Validation failed for {object}: {} error(s): {}",
            errors.len(),
            told(violations)
        );
        Self {
            errors: errors.into(),
            ..Self::new(kind::INVALID_ARGUMENT, message)
        }
    }

    /// Broken rules of something else than a JSON body; `prefix` goes before each field.
    pub(super) fn constraint(prefix: &str, violations: &[Violation]) -> Self {
        let errors: Vec<FieldError> = violations
            .iter()
            .map(|violation| of_constraint(prefix, violation))
            .collect();
        let message = errors
            .iter()
            .map(|error| format!("{}: {}", error.field, error.default_message))
            .collect::<Vec<_>>()
            .join(", ");
        Self {
            errors: errors.into(),
            ..Self::new(kind::CONSTRAINT, message)
        }
    }

    /// The same under another row of the table.
    pub(super) fn under(self, kind: Kind) -> Self {
        Self { kind, ..self }
    }

    /// The store's answer, where it is not one that the call expects.
    pub(super) fn of_store(error: &StoreError, message_id: &str) -> Self {
        match error {
            StoreError::MessageExists => {
                let text = format!("A message with messageId {} exists already.", shortened(message_id));
                Self::new(kind::MESSAGE_EXISTS, text)
            }
            StoreError::NotFound => Self::no_message(message_id),
            StoreError::NotLocked => {
                let text = format!("The message with messageId {} is not locked.", shortened(message_id));
                Self::new(kind::MESSAGE_NOT_LOCKED, text)
            }
            StoreError::LockedByAnother => {
                let text = format!(
                    "The message with messageId {} is not locked by the peek that Budstikke-Lock-Token names.",
                    shortened(message_id)
                );
                Self::new(kind::LOCKED_BY_ANOTHER, text)
            }
            StoreError::AlreadyQueued => {
                let text = format!(
                    "The message with messageId {} is queued for sending.",
                    shortened(message_id)
                );
                Self::new(kind::MESSAGE_QUEUED, text)
            }
            StoreError::DuplicateFilename => Self::new(
                kind::DUPLICATE_FILENAME,
                "A file with this name is in the message already.",
            ),
            StoreError::SubscriptionExists => Self::new(
                kind::SUBSCRIPTION_EXISTS,
                "Another subscription has this name and pushEndpoint.",
            ),
            StoreError::TooLarge { total, limit } => Self::too_large("of the message", *total, *limit),
            error if error.is_disk_full() => Self::new(kind::DISK_FULL, "The disk is full; nothing was stored."),
            error if error.is_away() => {
                tracing::error!(%error, "a call of the API was refused");
                Self::new(
                    kind::STORE_AWAY,
                    "The database of this installation cannot be reached; nothing was stored.",
                )
            }
            error => {
                tracing::error!(%error, "the store failed under a call of the API");
                Self::new(kind::INTERNAL, "The store of this installation failed.")
            }
        }
    }

    /// The vault's error while something was written.
    pub(super) fn of_vault(error: &std::io::Error) -> Self {
        if matches!(
            error.kind(),
            std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded
        ) {
            return Self::new(kind::DISK_FULL, "The disk is full; nothing was stored.");
        }
        tracing::error!(%error, "the vault failed under a call of the API");
        Self::new(
            kind::NOT_STORED,
            "The file store of this installation failed; nothing was stored.",
        )
    }

    /// Files that together are larger than the service takes. Sizes in bytes; `total` may be as far as was counted.
    pub(super) fn too_large(service: &str, total: u64, limit: u64) -> Self {
        let text = format!(
            "The files of the message would be at least {total} bytes together; the service {service} takes {}.",
            quantity(limit)
        );
        Self::new(kind::TOO_LARGE, text)
    }

    /// An error that the framework answered with by itself.
    pub(super) fn of_status(status: StatusCode) -> Option<Self> {
        let kind = match status {
            StatusCode::NOT_FOUND => kind::NO_SUCH_PATH,
            StatusCode::METHOD_NOT_ALLOWED => kind::NO_SUCH_METHOD,
            StatusCode::PAYLOAD_TOO_LARGE => kind::REQUEST_TOO_LARGE,
            StatusCode::UNSUPPORTED_MEDIA_TYPE => kind::UNSUPPORTED_MEDIA_TYPE,
            status if status.is_client_error() => Kind {
                status,
                ..kind::TYPE_MISMATCH
            },
            status if status.is_server_error() => Kind {
                status,
                ..kind::INTERNAL
            },
            _ => return None,
        };
        Some(Self::new(kind, kind.status.canonical_reason().unwrap_or("Error")))
    }

    /// The HTTP status.
    pub(super) fn status(&self) -> StatusCode {
        self.kind.status
    }

    /// The row of the table.
    #[cfg(test)]
    pub(super) fn kind(&self) -> Kind {
        self.kind
    }

    /// The body, for a request to `path` at a time.
    pub(super) fn body<'a>(&'a self, path: &'a str, timestamp: String) -> ErrorBody<'a> {
        ErrorBody {
            timestamp,
            status: self.kind.status.as_u16(),
            error: self.kind.status.canonical_reason().unwrap_or("Error"),
            exception: match &self.exception {
                Some(name) => kind::qualified(name),
                None => self.kind.exception(),
            },
            message: &self.message,
            path,
            description: self.description.as_deref(),
            errors: &self.errors,
            hint: self.kind.hint,
        }
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let mut response = self.kind.status.into_response();
        response.extensions_mut().insert(Arc::new(self));
        response
    }
}

/// An id of the client's as it may stand in an error text: not longer than an id can be.
pub(super) fn shortened(id: &str) -> String {
    id.chars().take(64).collect()
}

/// Whole MB, the unit that limits are given in; bytes when that would be inexact.
fn quantity(bytes: u64) -> String {
    match (bytes / MB, bytes % MB) {
        (megabytes @ 1.., 0) => format!("{megabytes} MB"),
        _ => format!("{bytes} bytes"),
    }
}

fn told(violations: &[Violation]) -> String {
    violations
        .iter()
        .map(|violation| format!("{}: {}", violation.field, violation.message))
        .collect::<Vec<_>>()
        .join(", ")
}

/// Codes run from the most specific to the bare one.
fn of_argument(object: &str, violation: &Violation) -> FieldError {
    let last = violation.field.rsplit('.').next().unwrap_or_default();
    let code = violation.code;
    FieldError {
        codes: vec![
            format!("{code}.{object}.{}", violation.field),
            format!("{code}.{last}"),
            code.to_owned(),
        ],
        code,
        default_message: violation.message.clone(),
        object_name: object.to_owned(),
        field: violation.field.clone(),
        rejected_value: violation.rejected_value.clone(),
        binding_failure: false,
    }
}

fn of_constraint(prefix: &str, violation: &Violation) -> FieldError {
    let field = format!("{prefix}{}", violation.field);
    FieldError {
        codes: vec![violation.code.to_owned()],
        code: violation.code,
        default_message: violation.message.clone(),
        object_name: field.clone(),
        field,
        rejected_value: violation.rejected_value.clone(),
        binding_failure: false,
    }
}

#[cfg(test)]
mod tests {
    use budstikke_message::violation::code;
    use serde_json::{Value, json};

    use super::*;

    fn body(error: &ApiError) -> Value {
        serde_json::to_value(error.body("/api/messages/out", "2026-03-02T09:20:11+01:00".into())).unwrap()
    }

    #[test]
    fn an_own_error_names_its_java_class_and_what_to_do() {
        let error = ApiError::new(kind::RECEIVER_DOES_NOT_ACCEPT, "text").described("from the registry");
        assert_eq!(
            body(&error),
            json!({
                "timestamp": "2026-03-02T09:20:11+01:00", "status": 400, "error": "Bad Request",
                "exception": "no.difi.meldingsutveksling.exceptions.ReceiverDoesNotAcceptProcessException",
                "message": "text", "path": "/api/messages/out", "description": "from the registry",
                "hint": kind::RECEIVER_DOES_NOT_ACCEPT.hint,
            })
        );
    }

    #[test]
    fn a_refusal_of_an_adapter_has_its_own_class_name_or_code() {
        let refused = |code| ApiError::new(kind::REFUSED_BY_ADAPTER, "text").of_code(code);
        let class = body(&refused("ForsendelseTypeNotFoundException"));
        assert_eq!(
            class["exception"],
            "no.difi.meldingsutveksling.exceptions.ForsendelseTypeNotFoundException"
        );
        assert_eq!(class["message"], "text");
        let code = body(&refused("file-type"));
        assert_eq!(
            code["exception"],
            "no.difi.meldingsutveksling.exceptions.MessageRefusedException"
        );
        assert_eq!(code["message"], "file-type: text");
    }

    #[test]
    fn a_header_error_has_codes_from_the_most_specific_to_the_bare_one() {
        let violation = Violation::missing("standardBusinessDocumentHeader.headerVersion");
        let body = body(&ApiError::invalid_argument("standardBusinessDocument", &[violation]));
        assert_eq!(
            body["exception"],
            "org.springframework.web.bind.MethodArgumentNotValidException"
        );
        let error = &body["errors"][0];
        assert_eq!(
            error["codes"],
            json!([
                "NotNull.standardBusinessDocument.standardBusinessDocumentHeader.headerVersion",
                "NotNull.headerVersion",
                "NotNull"
            ])
        );
        assert_eq!(error["code"], "NotNull");
        assert_eq!(error["objectName"], "standardBusinessDocument");
        assert_eq!(error["field"], "standardBusinessDocumentHeader.headerVersion");
        assert_eq!(error["bindingFailure"], false);
        assert!(error.get("rejectedValue").is_none());
    }

    #[test]
    fn a_constraint_error_of_the_one_shot_call_has_its_prefix() {
        let violation =
            Violation::new("standardBusinessDocumentHeader.x", code::MESSAGE_TYPE, "must be known").rejecting("y");
        let body = body(&ApiError::constraint("createAndSendMessage.sbd.", &[violation]));
        assert_eq!(body["exception"], "jakarta.validation.ConstraintViolationException");
        let field = "createAndSendMessage.sbd.standardBusinessDocumentHeader.x";
        assert_eq!(body["message"], format!("{field}: must be known"));
        assert_eq!(
            body["errors"],
            json!([{ "codes": ["MessageType"], "code": "MessageType", "defaultMessage": "must be known",
                "objectName": field, "field": field, "rejectedValue": "y", "bindingFailure": false }])
        );
    }

    #[test]
    fn a_full_disk_is_told_as_such_wherever_it_is_found() {
        let from_store = ApiError::of_store(&StoreError::Database(budstikke_store::DatabaseError::Full), "id");
        let from_vault = ApiError::of_vault(&std::io::ErrorKind::StorageFull.into());
        assert_eq!(from_store.status(), StatusCode::INSUFFICIENT_STORAGE);
        assert_eq!(from_vault.status(), StatusCode::INSUFFICIENT_STORAGE);
    }

    #[test]
    fn a_limit_is_told_in_whole_megabytes_and_in_bytes_below_one() {
        let text = |limit| ApiError::too_large("POST", 11 * MB, limit).message;
        assert!(text(10 * MB).ends_with("at least 11534336 bytes together; the service POST takes 10 MB."));
        assert!(text(1000).ends_with("the service POST takes 1000 bytes."));
    }

    #[test]
    fn an_overlong_id_does_not_come_back_whole() {
        let error = ApiError::no_message(&"x".repeat(10_000));
        assert!(error.message.len() < 200);
    }
}
