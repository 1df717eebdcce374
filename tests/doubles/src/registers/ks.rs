//! Who may ask KS (Spec: service registry, 6.4).

use axum::Json;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};
use serde_json::json;

use crate::faults::enforce::bearer;
use crate::server::House;

/// Scope of a token for KS.
pub const KS_SCOPE: &str = "ks:fiks";
/// `IntegrasjonId` that KS wants.
pub const INTEGRATION_ID: &str = "integration-1";
/// `IntegrasjonPassord` that KS wants.
pub const INTEGRATION_PASSWORD: &str = "integration-password";

/// The refusal of a request that does not say who asks.
pub(super) fn refusal(house: &House, headers: &HeaderMap) -> Option<Response> {
    let is = |name: &str, value: &str| headers.get(name).is_some_and(|header| header == value);
    let integration = is("IntegrasjonId", INTEGRATION_ID) && is("IntegrasjonPassord", INTEGRATION_PASSWORD);
    let token = bearer(headers).is_some_and(|token| {
        let granted = house.maskinporten_tokens.grant(token);
        granted.is_some_and(|grant| grant.scopes.iter().any(|scope| scope == KS_SCOPE)) || house.registers.takes(token)
    });
    (!integration || !token).then(|| {
        let body = json!({ "status": 401, "error": "Unauthorized", "message": "Token, id or password is wrong" });
        (StatusCode::UNAUTHORIZED, Json(body)).into_response()
    })
}
