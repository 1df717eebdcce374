//! What became of a letter: overview, details and files (Spec: DPO and DPV, 4.2 and 4.9).

use std::collections::HashMap;
use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse as _, Response};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde_json::{Value, json};
use uuid::Uuid;

use super::access::{Consumer, LetterId};
use super::configuration::PostConfig;
use super::letter::{Correspondence, ReceivedFile};
use super::problem::{NO_SUCH_ATTACHMENT, NOT_FOUND, Problem};
use crate::server::House;

pub(crate) async fn overview(
    State(house): State<Arc<House>>,
    Consumer(_): Consumer,
    LetterId(id): LetterId,
) -> Result<Json<Value>, Problem> {
    let letter = visible(&house, id)?;
    Ok(Json(of(&letter, &house.correspondences.config)))
}

pub(crate) async fn details(
    State(house): State<Arc<House>>,
    Consumer(_): Consumer,
    LetterId(id): LetterId,
) -> Result<Json<Value>, Problem> {
    let letter = visible(&house, id)?;
    let config = &house.correspondences.config;
    let mut details = of(&letter, config);
    let history = letter
        .history
        .iter()
        .map(|(status, at)| json!({ "status": status, "statusText": status, "statusChanged": written(*at, config) }));
    details["statusHistory"] = history.collect();
    Ok(Json(details))
}

pub(crate) async fn download(
    State(house): State<Arc<House>>,
    Consumer(_): Consumer,
    LetterId(id): LetterId,
    Path(path): Path<HashMap<String, String>>,
) -> Result<Response, Problem> {
    let letter = visible(&house, id)?;
    let wanted = path.get("attachment").and_then(|text| Uuid::try_parse(text).ok());
    let file = letter
        .files
        .iter()
        .find(|file| Some(file.id) == wanted)
        .ok_or(NO_SUCH_ATTACHMENT)?;
    let bytes = file.read().map_err(|error| Problem::Internal(error.to_string()))?;
    Ok(([(CONTENT_TYPE, "application/octet-stream")], bytes).into_response())
}

pub(crate) async fn attachment(
    State(house): State<Arc<House>>,
    Consumer(_): Consumer,
    Path(path): Path<HashMap<String, String>>,
) -> Result<Json<Value>, Problem> {
    let wanted = path.get("attachment").and_then(|text| Uuid::try_parse(text).ok());
    let file = wanted
        .and_then(|id| house.correspondences.file(id))
        .ok_or(NO_SUCH_ATTACHMENT)?;
    let mut details = described(&file);
    details["attachmentId"] = json!(file.id);
    details["status"] = json!("Published");
    Ok(Json(details))
}

fn visible(house: &House, id: Uuid) -> Result<Correspondence, Problem> {
    let letter = house.correspondences.get(id).ok_or(NOT_FOUND)?;
    if letter.status.is_purged() && house.correspondences.config.purged_is_gone {
        return Err(NOT_FOUND.into());
    }
    Ok(letter)
}

fn described(file: &ReceivedFile) -> Value {
    json!({ "id": file.id, "fileName": file.name, "attachmentSize": file.size, "isEncrypted": false })
}

/// All members of an overview.
pub(crate) fn of(letter: &Correspondence, config: &PostConfig) -> Value {
    let field = |name: &str| letter.field(&format!("correspondence.{name}"));
    json!({
        "correspondenceId": letter.id,
        "resourceId": letter.resource,
        "sender": "urn:altinn:organization:identifier-no:991825827",
        "sendersReference": letter.senders_reference,
        "messageSender": field("messageSender"),
        "recipient": letter.recipient,
        "content": {
            "language": field("content.language"),
            "messageTitle": field("content.messageTitle"),
            "messageSummary": field("content.messageSummary"),
            "messageBody": field("content.messageBody"),
            "attachments": letter.files.iter().map(described).collect::<Vec<_>>(),
        },
        "dueDateTime": field("dueDateTime"),
        "isConfidential": field("isConfidential") == Some("true"),
        "status": letter.status,
        "statusText": letter.status,
        "statusChanged": written(letter.status_changed, config),
        "created": written(letter.created, config),
        "published": letter.published.map(|at| written(at, config)),
        "read": letter.read.map(|at| written(at, config)),
        "notifications": [],
    })
}

fn written(at: Timestamp, config: &PostConfig) -> String {
    if config.bare_times {
        at.to_zoned(TimeZone::UTC).datetime().to_string()
    } else {
        at.to_string()
    }
}
