//! Who calls the broker, and with which rights (Spec: DPO and DPV, 1.2 and 1.3).

use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use uuid::Uuid;

use super::problem::Problem;
use crate::configuration::{READ_SCOPE, WRITE_SCOPE};
use crate::faults::enforce::bearer;
use crate::organisation::Organisation;
use crate::server::House;
use crate::tokens::Grant;

/// A caller with the scope for sending.
#[derive(Debug)]
pub(crate) struct Sender(pub(crate) Organisation);

/// A caller with the scope for receiving.
#[derive(Debug)]
pub(crate) struct Receiver(pub(crate) Organisation);

/// A caller with either scope.
#[derive(Debug)]
pub(crate) struct Party(pub(crate) Organisation);

/// The transfer id in the path.
#[derive(Debug)]
pub(crate) struct TransferId(pub(crate) Uuid);

fn acting(parts: &Parts, house: &House, scopes: &[&str]) -> Result<Organisation, Problem> {
    let grant: Option<Grant> = bearer(&parts.headers).and_then(|token| house.altinn_tokens.grant(token));
    let grant = grant.ok_or(Problem::NoToken)?;
    if !grant.scopes.iter().any(|scope| scopes.contains(&scope.as_str())) {
        return Err(Problem::NoScope);
    }
    // The consumer is the system's vendor; only a system user acts for an organisation.
    grant
        .acting
        .map(|acting| acting.organisation)
        .ok_or_else(Problem::no_access)
}

impl FromRequestParts<Arc<House>> for Sender {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, house: &Arc<House>) -> Result<Self, Problem> {
        acting(parts, house, &[WRITE_SCOPE]).map(Self)
    }
}

impl FromRequestParts<Arc<House>> for Receiver {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, house: &Arc<House>) -> Result<Self, Problem> {
        acting(parts, house, &[READ_SCOPE]).map(Self)
    }
}

impl FromRequestParts<Arc<House>> for Party {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, house: &Arc<House>) -> Result<Self, Problem> {
        acting(parts, house, &[READ_SCOPE, WRITE_SCOPE]).map(Self)
    }
}

impl FromRequestParts<Arc<House>> for TransferId {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, house: &Arc<House>) -> Result<Self, Problem> {
        let path = axum::extract::Path::<String>::from_request_parts(parts, house).await;
        let text = path.map_err(|_| Problem::not_found())?.0;
        Uuid::try_parse(&text)
            .map(Self)
            .map_err(|_| Problem::Invalid(vec![("fileTransferId", "The value is not a UUID".to_owned())]))
    }
}
