//! Errors as OAuth 2.0 writes them (RFC 6749, 5.2).

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::json;

/// A refused token request.
#[derive(Debug)]
pub(crate) struct Refusal {
    status: StatusCode,
    error: &'static str,
    description: String,
}

impl Refusal {
    fn new(status: StatusCode, error: &'static str, description: impl Into<String>) -> Self {
        Self {
            status,
            error,
            description: description.into(),
        }
    }

    /// The form is wrong.
    pub(crate) fn request(description: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "invalid_request", description)
    }

    /// `grant_type` is another one.
    pub(crate) fn grant_type() -> Self {
        let description = format!("grant_type must be {}", super::GRANT_TYPE);
        Self::new(StatusCode::BAD_REQUEST, "unsupported_grant_type", description)
    }

    /// The client or its key is not registered.
    pub(crate) fn client(description: impl Into<String>) -> Self {
        Self::new(StatusCode::UNAUTHORIZED, "invalid_client", description)
    }

    /// The assertion is wrong.
    pub(crate) fn grant(description: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "invalid_grant", description)
    }

    /// The client has not been given a scope that it asks for.
    pub(crate) fn scope(description: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "invalid_scope", description)
    }

    /// The system user is unknown, not approved or badly described.
    pub(crate) fn authorization_details(description: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "invalid_authorization_details", description)
    }

    /// The double itself is in trouble.
    pub(crate) fn internal() -> Self {
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "server_error", "No randomness")
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        (
            self.status,
            Json(json!({ "error": self.error, "error_description": self.description })),
        )
            .into_response()
    }
}
