//! Test organisations as older tools make them. Spec: service registry, 3.8.

use std::sync::Arc;

use axum::Extension;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use serde::Deserialize;

use super::{Api, Refusal, User, author, faulty, read, refusal};
use crate::store::import::OrganisationDocument;

#[derive(Deserialize)]
struct Given {
    orgnr: String,
    name: String,
    orgform: String,
}

pub(super) async fn add(
    State(api): State<Arc<Api>>,
    Extension(user): Extension<User>,
    body: Bytes,
) -> Result<Response, Refusal> {
    let given: Given = read(&body)?;
    let document = OrganisationDocument {
        number: given.orgnr,
        name: Some(given.name),
        form: Some(given.orgform),
        ..OrganisationDocument::default()
    };
    let (number, organisation) = document.read().map_err(|mut faults| {
        // As the members are called here.
        for (key, _) in &mut faults {
            match key.as_str() {
                "number" => *key = "orgnr".into(),
                "form" => *key = "orgform".into(),
                _ => {}
            }
        }
        faulty(&faults)
    })?;
    if api.own.snapshot().organisations.contains_key(&number) {
        return Ok("Enheten eksisterer allerede".into_response());
    }
    let put = api.own.put_organisation(&number, &organisation, author(&user)).await;
    put.map_err(|error| refusal(&error))?;
    Ok("Lagt til i mock".into_response())
}

/// A `GET` deletes nothing: links are followed by programs too.
pub(super) async fn refuse() -> Refusal {
    Refusal::method("DELETE", "A GET deletes nothing. Use DELETE /api/v1/mockenhet/{orgnr}.")
}
