//! `/api/v1/organisations`: what is kept about single receivers, beside or instead of the outside registers.

use std::sync::Arc;

use axum::extract::{Path, Query, State};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use budstikke_message::identifier::OrganisationNumber;
use bytes::Bytes;
use http::StatusCode;
use serde::Deserialize;
use serde_json::json;

use super::{Api, Refusal, User, answer, author, bad, empty, faulty, missing, read, refusal};
use crate::data::Snapshot;
use crate::store::import::OrganisationDocument;

/// Organisations on one page, when nobody says, and at most.
const SIZE: usize = 50;
const MOST: usize = 1000;

/// The query of a list.
#[derive(Deserialize)]
pub(super) struct Asked {
    #[serde(default)]
    page: usize,
    size: Option<usize>,
}

/// One page, in the order of the numbers, and how many there are.
pub(in super::super) fn page(snapshot: &Snapshot, page: usize, size: usize) -> (Vec<OrganisationDocument>, usize) {
    let mut numbers: Vec<&OrganisationNumber> = snapshot.organisations.keys().collect();
    numbers.sort_unstable();
    let total = numbers.len();
    let shown = numbers.into_iter().skip(page.saturating_mul(size)).take(size);
    let documents = shown.filter_map(|number| {
        let organisation = snapshot.organisations.get(number)?;
        Some(OrganisationDocument::of(number, organisation))
    });
    (documents.collect(), total)
}

pub(super) async fn list(State(api): State<Arc<Api>>, Query(asked): Query<Asked>) -> Result<Response, Refusal> {
    let size = asked.size.unwrap_or(SIZE);
    if !(1..=MOST).contains(&size) {
        return Err(bad(format!("The size must be from 1 to {MOST}.")));
    }
    let (organisations, total) = page(&api.own.snapshot(), asked.page, size);
    Ok(Json(json!({ "content": organisations, "page": asked.page, "size": size, "total": total })).into_response())
}

pub(super) async fn one(State(api): State<Arc<Api>>, Path(number): Path<String>) -> Response {
    let snapshot = api.own.snapshot();
    let found = number.parse().ok().and_then(|number: OrganisationNumber| {
        let organisation = snapshot.organisations.get(&number)?;
        Some(OrganisationDocument::of(&number, organisation))
    });
    found.map_or_else(missing, |document| Json(document).into_response())
}

pub(super) async fn put(
    State(api): State<Arc<Api>>,
    Extension(user): Extension<User>,
    Path(number): Path<String>,
    body: Bytes,
) -> Result<Response, Refusal> {
    let mut document: OrganisationDocument = read(&body)?;
    if document.number.is_empty() {
        document.number.clone_from(&number);
    }
    if document.number != number {
        return Err(bad("The number in the body is another one than that in the path."));
    }
    let (number, organisation) = document.read().map_err(|faults| faulty(&faults))?;
    let put = api.own.put_organisation(&number, &organisation, author(&user)).await;
    match put {
        Ok(true) => Ok(empty(StatusCode::CREATED)),
        Ok(false) => Ok(StatusCode::OK.into_response()),
        Err(error) => Err(refusal(&error)),
    }
}

pub(super) async fn remove(
    State(api): State<Arc<Api>>,
    Extension(user): Extension<User>,
    Path(number): Path<String>,
) -> Result<Response, Refusal> {
    let Ok(number) = number.parse::<OrganisationNumber>() else {
        return Ok(missing());
    };
    answer(
        api.own.remove_organisation(&number, author(&user)).await,
        StatusCode::NO_CONTENT,
    )
}
