//! SvarUt over REST (Spec: DPF and DPFIO, 6).

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, Path, Query, State};
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;

use super::account::SvarUtAccount;
use super::forsendelse::{Document, Forsendelse};
use super::multipart::{Part, parts};
use super::{SVARUT, access, intake, rest_body};
use crate::server::House;

/// The largest body that is taken. It is held in memory.
const LARGEST: usize = 1200 << 20;

pub(super) fn router() -> Router<Arc<House>> {
    let routes = Router::new()
        .route(
            "/api/v3/kontoer/{konto}/forsendelser/organisasjon",
            post(send).layer(DefaultBodyLimit::max(LARGEST)),
        )
        .route("/api/v3/kontoer/{konto}/forsendelser/status/sok", post(statuses))
        .route("/api/v2/kontoer/{konto}/forsendelser", get(find))
        .route("/api/v2/forsendelsestyper", get(types))
        .route("/forsendelse/publickey/hent", get(key));
    Router::new().nest(SVARUT, routes)
}

/// An error as the Fiks platform writes it.
pub(super) fn fiks_error(status: StatusCode, path: &str, message: &str) -> Response {
    let body = json!({
        "timestamp": Timestamp::now().as_millisecond(), "status": status.as_u16(),
        "error": status.canonical_reason(), "errorId": Uuid::new_v4(), "path": path, "originalPath": null,
        "message": message, "errorCode": null, "errorJson": null,
    });
    (status, Json(body)).into_response()
}

/// The konto in the path, if the integrasjon may use it.
fn konto(house: &House, headers: &HeaderMap, konto: &str, path: &str) -> Result<SvarUtAccount, Box<Response>> {
    let account = access::integration(house, headers, path)?;
    if konto.parse() == Ok(account.konto) {
        Ok(account)
    } else {
        let text = "Integrasjonen har ikke tilgang til kontoen";
        Err(Box::new(fiks_error(StatusCode::FORBIDDEN, path, text)))
    }
}

async fn send(
    State(house): State<Arc<House>>,
    Path(wanted): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let path = format!("/api/v3/kontoer/{wanted}/forsendelser/organisasjon");
    let account = match konto(&house, &headers, &wanted, &path) {
        Ok(account) => account,
        Err(refusal) => return *refusal,
    };
    let taken = read(&account, &headers, &body)
        .and_then(|(forsendelse, encrypted)| intake::take(&house, forsendelse, encrypted));
    match taken {
        Ok(id) => Json(json!({ "id": id })).into_response(),
        Err(reason) => fiks_error(StatusCode::BAD_REQUEST, &path, &reason),
    }
}

/// The forsendelse, its documents as they came, and whether they are encrypted.
fn read(account: &SvarUtAccount, headers: &HeaderMap, body: &[u8]) -> Result<(Forsendelse, bool), String> {
    let content_type = headers
        .get(CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    if !content_type.starts_with("multipart/form-data;") {
        return Err(format!("multipart/form-data is needed, not {content_type:.100}"));
    }
    let parts = parts(content_type, body)?;
    let (first, files) = parts.split_first().ok_or("there is no part")?;
    if first.disposition("name").as_deref() != Some("forsendelse") {
        return Err("the first part must be `forsendelse`".to_owned());
    }
    let media_type = first.header("content-type").unwrap_or_default();
    if !media_type.starts_with("application/json") {
        return Err(format!("the part `forsendelse` must be JSON, not {media_type:.100}"));
    }
    let (mut forsendelse, announced, encrypted) = rest_body::read(first.content)?;
    account.number.clone_into(&mut forsendelse.sender);
    if announced.len() != files.len() {
        return Err(format!("{} dokumenter, and {} files", announced.len(), files.len()));
    }
    let mut names: Vec<String> = Vec::new();
    for (announced, file) in announced.into_iter().zip(files) {
        forsendelse.documents.push(document(announced, file, &mut names)?);
    }
    Ok((forsendelse, encrypted))
}

/// Documents are told apart by order and file name. Spec: DPF and DPFIO, 6.2.
fn document(announced: rest_body::Dokument, file: &Part<'_>, names: &mut Vec<String>) -> Result<Document, String> {
    let name = file.disposition("name").ok_or("a part without a name")?;
    if names.contains(&name) {
        return Err("two parts of the same name".to_owned());
    }
    names.push(name);
    if file.disposition("filename").as_ref() != Some(&announced.filnavn) {
        return Err("the files must stand in the order of `dokumenter`, by the same names".to_owned());
    }
    if file.header("content-type").is_none() {
        return Err("a file without a content type".to_owned());
    }
    Ok(Document {
        name: announced.filnavn,
        media_type: announced.mime_type,
        not_printed: announced.skal_ekskluderes_fra_utskrift,
        content: file.content.to_vec(),
    })
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Wanted {
    id: Vec<Uuid>,
}

async fn statuses(
    State(house): State<Arc<House>>,
    Path(wanted): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let path = format!("/api/v3/kontoer/{wanted}/forsendelser/status/sok");
    let account = match konto(&house, &headers, &wanted, &path) {
        Ok(account) => account,
        Err(refusal) => return *refusal,
    };
    let Ok(wanted) = serde_json::from_slice::<Wanted>(&body) else {
        return fiks_error(StatusCode::BAD_REQUEST, &path, "the body must be {\"id\": [uuid, …]}");
    };
    let found = house
        .ks
        .those(|known| known.sender == account.number && wanted.id.contains(&known.id));
    let statuses: Vec<Value> = found
        .iter()
        .map(|known| json!({ "id": known.id, "sisteStatusEndring": known.changed, "status": known.status }))
        .collect();
    Json(json!({ "statuser": statuses })).into_response()
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Reference {
    ekstern_ref: String,
}

async fn find(
    State(house): State<Arc<House>>,
    Path(wanted): Path<String>,
    Query(reference): Query<Reference>,
    headers: HeaderMap,
) -> Response {
    let path = format!("/api/v2/kontoer/{wanted}/forsendelser");
    let account = match konto(&house, &headers, &wanted, &path) {
        Ok(account) => account,
        Err(refusal) => return *refusal,
    };
    let found = by_reference(&house, &account.number, &reference.ekstern_ref);
    Json(json!({ "forsendelseIds": found })).into_response()
}

pub(super) fn by_reference(house: &House, sender: &str, reference: &str) -> Vec<Uuid> {
    let of = |known: &Forsendelse| known.sender == sender && known.external_reference.as_deref() == Some(reference);
    house.ks.those(of).iter().map(|known| known.id).collect()
}

async fn types(State(house): State<Arc<House>>, headers: HeaderMap) -> Response {
    match access::integration(&house, &headers, "/api/v2/forsendelsestyper") {
        Ok(account) => Json(json!({ "forsendelsestyper": account.types })).into_response(),
        Err(refusal) => *refusal,
    }
}

async fn key(State(house): State<Arc<House>>) -> Response {
    let pem = house.ks.certificate().to_owned();
    ([(CONTENT_TYPE, "application/x-pem-file")], pem).into_response()
}
