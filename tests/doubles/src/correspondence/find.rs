//! `GET /correspondence`: ids by filter (Spec: DPO and DPV, 8, sharp edge 18).

use std::sync::Arc;

use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;

use super::access::Consumer;
use super::form::Faults;
use super::problem::Problem;
use crate::server::House;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Filter {
    resource_id: Option<String>,
    role: Option<String>,
    status: Option<String>,
    senders_reference: Option<String>,
    idempotent_key: Option<String>,
}

pub(crate) async fn find(
    State(house): State<Arc<House>>,
    Consumer(_): Consumer,
    filter: Result<Query<Filter>, QueryRejection>,
) -> Result<Json<Value>, Problem> {
    let Query(filter) = filter.map_err(|error| Problem::Invalid(vec![("query".to_owned(), error.body_text())]))?;
    let mut faults = Faults::default();
    let resource = filter.resource_id.filter(|resource| !resource.is_empty());
    if resource.is_none() {
        faults.add("resourceId", "The field is required");
    }
    let role = filter.role.unwrap_or_else(|| "Recipient".to_owned()).to_lowercase();
    if !matches!(role.as_str(), "sender" | "recipient" | "recipientandsender") {
        faults.add("role", "The value is not valid");
    }
    let key = filter.idempotent_key.as_deref().map(Uuid::try_parse);
    if matches!(key, Some(Err(_))) {
        faults.add("idempotentKey", "The value is not a UUID");
    }
    faults.none()?;

    let key = key.and_then(Result::ok);
    let ids: Vec<Uuid> = house
        .correspondences
        .all()
        .into_iter()
        // Behind the proxy everybody is Digdir, who sends all letters and receives none.
        .filter(|_| role != "recipient")
        .filter(|letter| resource.as_ref().is_some_and(|resource| *resource == letter.resource))
        .filter(|letter| key.is_none_or(|key| letter.idempotent_key == Some(key)))
        .filter(|letter| {
            filter
                .senders_reference
                .as_ref()
                .is_none_or(|wanted| *wanted == letter.senders_reference)
        })
        .filter(|letter| {
            filter
                .status
                .as_ref()
                .is_none_or(|wanted| *wanted == format!("{:?}", letter.status))
        })
        .map(|letter| letter.id)
        .collect();
    Ok(Json(json!({ "ids": ids })))
}
