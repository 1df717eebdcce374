//! SvarInn (Spec: DPF and DPFIO, 9).

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::header::{CONTENT_TYPE, WWW_AUTHENTICATE};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};
use axum::{Extension, Json, Router};
use serde::Deserialize;
use serde_json::Value;
use uuid::Uuid;

use super::account::Mottakersystem;
use super::forsendelse::{Forsendelse, Party};
use super::{SVARINN, access, key};
use crate::faults::enforce::InnerFault;
use crate::server::House;

/// Forsendelser in one answer.
const LIST: usize = 200;

pub(super) fn router() -> Router<Arc<House>> {
    let routes = Router::new()
        .route("/mottaker/hentNyeForsendelser", get(list))
        .route("/forsendelse/{id}", get(download))
        .route("/kvitterMottak/forsendelse/{id}", post(confirm))
        .route("/mottakFeilet/forsendelse/{id}", post(reject));
    Router::new().nest(SVARINN, routes)
}

fn caller(house: &House, headers: &HeaderMap) -> Result<Mottakersystem, Box<Response>> {
    access::receiver(house, headers).ok_or_else(|| {
        let challenge = [(WWW_AUTHENTICATE, "Basic realm=\"SvarInn\"")];
        Box::new((StatusCode::UNAUTHORIZED, challenge, "").into_response())
    })
}

/// A forsendelse that waits for the caller.
fn waiting(house: &House, headers: &HeaderMap, id: &str) -> Result<(Forsendelse, Mottakersystem), Box<Response>> {
    let receiver = caller(house, headers)?;
    let found = id.parse().ok().and_then(|id: Uuid| house.ks.forsendelse(id));
    let found = found.filter(|known| known.waits && receiver.numbers.contains(&known.receiver.number));
    found
        .map(|found| (found, receiver))
        .ok_or_else(|| Box::new(StatusCode::NOT_FOUND.into_response()))
}

async fn list(State(house): State<Arc<House>>, headers: HeaderMap) -> Response {
    let receiver = match caller(&house, &headers) {
        Ok(receiver) => receiver,
        Err(refusal) => return *refusal,
    };
    let mut found = house
        .ks
        .those(|known| known.waits && receiver.numbers.contains(&known.receiver.number));
    found.truncate(LIST);
    for forsendelse in &mut found {
        // Answers go to the owner of the konto when the sender says nothing else.
        let owner = house.ks.account(|account| account.number == forsendelse.sender);
        if let (None, Some(owner)) = (&forsendelse.answers_to, owner) {
            forsendelse.answers_to = Some(Party {
                number: owner.number,
                name: owner.name,
                address: None,
            });
        }
    }
    let found: Vec<Value> = found.iter().map(Forsendelse::in_list).collect();
    Json(found).into_response()
}

async fn download(
    State(house): State<Arc<House>>,
    Path(id): Path<String>,
    fault: Option<Extension<InnerFault>>,
    headers: HeaderMap,
) -> Response {
    let (found, receiver) = match waiting(&house, &headers, &id) {
        Ok(found) => found,
        Err(refusal) => return *refusal,
    };
    let Some(mut sealed) = key::sealed_zip(&found.documents, &receiver.certificate) else {
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    };
    if matches!(fault, Some(Extension(InnerFault::WrongChecksum))) {
        // In the middle of the content, whose end would be noticed by any reader.
        let middle = sealed.len() / 2;
        if let Some(byte) = sealed.get_mut(middle) {
            *byte ^= 0xff;
        }
    }
    house.ks.with(found.id, |known| known.downloads += 1);
    ([(CONTENT_TYPE, "application/octet-stream")], sealed).into_response()
}

/// The sender sees `LEST`.
async fn confirm(State(house): State<Arc<House>>, Path(id): Path<String>, headers: HeaderMap, body: Bytes) -> Response {
    let (found, _) = match waiting(&house, &headers, &id) {
        Ok(found) => found,
        Err(refusal) => return *refusal,
    };
    if !body.is_empty() {
        return StatusCode::BAD_REQUEST.into_response();
    }
    house.ks.with(found.id, |known| {
        known.waits = false;
        known.become_status("LEST");
    });
    StatusCode::OK.into_response()
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Rejection {
    feilmelding: String,
    permanent: bool,
}

/// For good: SvarUt goes on to print, unless the sender forbade it.
async fn reject(State(house): State<Arc<House>>, Path(id): Path<String>, headers: HeaderMap, body: Bytes) -> Response {
    let (found, _) = match waiting(&house, &headers, &id) {
        Ok(found) => found,
        Err(refusal) => return *refusal,
    };
    let Ok(rejection) = serde_json::from_slice::<Rejection>(&body) else {
        return StatusCode::BAD_REQUEST.into_response();
    };
    house.ks.with(found.id, |known| {
        known.rejections.push(rejection.feilmelding);
        if rejection.permanent {
            known.waits = false;
            known.become_status(if known.digital_only {
                "IKKE_LEVERT"
            } else {
                "SENDT_PRINT"
            });
        }
    });
    StatusCode::OK.into_response()
}
