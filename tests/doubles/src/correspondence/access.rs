//! Whom the proxy lets through (Spec: DPO and DPV, 4.1).

use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use uuid::Uuid;

use super::problem::{NOT_FOUND, Problem};
use crate::configuration::DPV_SCOPE;
use crate::faults::enforce::bearer;
use crate::organisation::Organisation;
use crate::server::House;

/// An organisation on the access list, with the scope.
#[derive(Debug)]
pub(crate) struct Consumer(pub(crate) Organisation);

impl FromRequestParts<Arc<House>> for Consumer {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, house: &Arc<House>) -> Result<Self, Problem> {
        let grant = bearer(&parts.headers).and_then(|token| house.altinn_tokens.grant(token));
        let grant = grant.ok_or(Problem::NotAuthenticated)?;
        let list = house.correspondences.config.access_list.as_ref();
        let listed = list.is_none_or(|list| list.contains(&grant.consumer));
        if listed && grant.scopes.iter().any(|scope| scope == DPV_SCOPE) {
            Ok(Self(grant.consumer))
        } else {
            Err(Problem::AccessDenied)
        }
    }
}

/// The letter's id in the path.
#[derive(Debug)]
pub(crate) struct LetterId(pub(crate) Uuid);

impl FromRequestParts<Arc<House>> for LetterId {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, house: &Arc<House>) -> Result<Self, Problem> {
        let path = axum::extract::Path::<std::collections::HashMap<String, String>>::from_request_parts(parts, house);
        let path = path.await.map_err(|_| NOT_FOUND)?.0;
        let id = path.get("id").and_then(|text| Uuid::try_parse(text).ok());
        id.map(Self).ok_or_else(|| {
            Problem::Invalid(vec![(
                "correspondenceId".to_owned(),
                "The value is not a UUID".to_owned(),
            )])
        })
    }
}
