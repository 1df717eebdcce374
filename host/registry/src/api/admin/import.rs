//! `POST /api/v1/import`: all or nothing. And the list of changes.

use std::sync::Arc;

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderMap, StatusCode};
use serde_json::json;

use super::{Api, Refusal, User, author, bad, not_imported, refusal};
use crate::store::NotImported;
use crate::store::import::Format;

/// Changes that are shown.
pub(in super::super) const SHOWN: u32 = 200;

pub(super) async fn import(
    State(api): State<Arc<Api>>,
    Extension(user): Extension<User>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Refusal> {
    let given = headers
        .get(CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    let format = match given.split(';').next().map(str::trim) {
        Some("text/csv") => Format::Csv,
        Some("application/toml") => Format::Toml,
        _ => {
            let what = "Say Content-Type: text/csv or application/toml.";
            return Err(Refusal::described(StatusCode::UNSUPPORTED_MEDIA_TYPE, what));
        }
    };
    let text = String::from_utf8(body.into()).map_err(|_| bad("The file is not UTF-8."))?;
    let import = match api.own.import_file(text, format, author(&user)).await {
        Ok(import) => import,
        Err(NotImported::Faults(faults)) => {
            let told: Vec<String> = faults.iter().map(ToString::to_string).collect();
            let description = "Nothing was imported.";
            let body = json!({ "error_code": "", "error_description": description, "faults": told });
            return Ok((StatusCode::BAD_REQUEST, Json(body)).into_response());
        }
        Err(error) => return Err(not_imported(error)),
    };
    Ok(Json(json!({
        "processes": import.processes.len(),
        "documentTypes": import.document_types.len(),
        "organisations": import.organisations.len(),
    }))
    .into_response())
}

/// Who changed what, newest first.
pub(super) async fn changes(State(api): State<Arc<Api>>) -> Result<Response, Refusal> {
    let changes = api.own.changes(SHOWN).await.map_err(|error| refusal(&error))?;
    let shown: Vec<_> = changes
        .iter()
        .map(|change| json!({ "number": change.number, "at": time(change.at), "who": change.who, "what": change.what }))
        .collect();
    Ok(Json(shown).into_response())
}

/// As a change says when it was made.
pub(in super::super) fn time(millis: i64) -> String {
    jiff::Timestamp::from_millisecond(millis).map_or_else(|_| String::new(), |time| time.to_string())
}
