//! How this installation is doing, for operators and their monitoring. Spec: messaging API, 12.

use std::io::Write as _;
use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::{HeaderValue, StatusCode};
use axum::response::IntoResponse as _;
use budstikke_runtime::SlotState;
use http::header::CONTENT_TYPE;
use jiff::Timestamp;
use serde_json::{Map, Value, json};
use tokio_util::io::ReaderStream;

use super::error::{ApiError, ApiResult};
use super::{bare, json as answer, row_id, time};
use crate::abilities::documents::{blocking, read_on_demand};
use crate::adapters::Adapter;
use crate::node::Node;

/// Things set aside that are listed.
const SET_ASIDE: u32 = 200;

fn state(up: bool) -> &'static str {
    if up { "UP" } else { "DOWN" }
}

/// A part of the house and what is to be told of it.
struct Component {
    up: bool,
    details: Value,
}

impl Component {
    fn written(&self) -> Value {
        json!({ "status": state(self.up), "details": self.details })
    }
}

fn health(components: &[(&'static str, Component)]) -> ApiResult {
    let up = components.iter().all(|(_, component)| component.up);
    let written: Map<String, Value> = components
        .iter()
        .map(|(name, component)| ((*name).to_owned(), component.written()))
        .collect();
    let mut response = answer(&json!({ "status": state(up), "components": written }))?;
    if !up {
        *response.status_mut() = StatusCode::SERVICE_UNAVAILABLE;
    }
    Ok(response)
}

/// `GET /manage/health`: everything; 503 when any part of it is down.
pub(super) async fn all(State(node): State<Arc<Node>>) -> ApiResult {
    health(&[
        ("db", database(&node).await),
        ("vault", vault(&node).await),
        ("certificate", certificate(&node)),
        ("adapters", adapters(&node)),
    ])
}

/// `GET /manage/health/readiness`: whether calls can be answered.
pub(super) async fn readiness(State(node): State<Arc<Node>>) -> ApiResult {
    health(&[("db", database(&node).await), ("vault", vault(&node).await)])
}

/// `GET /manage/health/liveness`: whether the process answers.
pub(super) async fn liveness() -> ApiResult {
    health(&[])
}

async fn database(node: &Node) -> Component {
    let lengths = async {
        let outgoing: Map<String, Value> = node
            .store
            .queue_lengths()
            .await?
            .into_iter()
            .map(|(service, length)| (service, length.into()))
            .collect();
        Ok::<_, crate::store::StoreError>((outgoing, node.store.incoming_length().await?))
    };
    match lengths.await {
        Ok((outgoing, incoming)) => Component {
            up: true,
            details: json!({ "outgoingQueue": outgoing, "incomingQueue": incoming }),
        },
        Err(error) => Component {
            up: false,
            details: json!({ "error": error.to_string() }),
        },
    }
}

/// Starts a file and drops it: that is what fails first on a full or read-only disk.
async fn vault(node: &Node) -> Component {
    let vault = node.vault.clone();
    let written = blocking(move || {
        let mut writer = vault.create()?;
        writer.write_all(b"health")?;
        writer.flush()
    });
    match written.await {
        Ok(()) => Component {
            up: true,
            details: json!({}),
        },
        Err(error) => Component {
            up: false,
            details: json!({ "error": error.to_string() }),
        },
    }
}

fn certificate(node: &Node) -> Component {
    let certificate = node.identity.certificate();
    let details = json!({
        "serialNumber": certificate.serial(),
        "notAfter": time::written(certificate.not_after().as_millisecond()),
    });
    Component {
        up: certificate.is_valid_at(Timestamp::now()),
        details,
    }
}

/// Down as soon as one adapter cannot be called: its messages wait, and somebody should look.
fn adapters(node: &Node) -> Component {
    let mut up = true;
    let mut details = Map::new();
    for adapter in node.adapters.iter() {
        let slot = adapter.status();
        let running = matches!(slot.state, SlotState::Active | SlotState::OnTrial);
        up &= running;
        let mut told = json!({
            "status": state(running),
            "state": named(slot.state),
            "services": adapter.services,
            "generation": slot.generation,
        });
        if let (Some(refused), Some(members)) = (slot.refused, told.as_object_mut()) {
            members.insert("refused".into(), refused.reason.into());
        }
        details.insert(adapter.name.clone(), told);
    }
    Component {
        up,
        details: Value::Object(details),
    }
}

fn named(state: SlotState) -> &'static str {
    match state {
        SlotState::Empty => "empty",
        SlotState::OnTrial => "on-trial",
        SlotState::Active => "active",
        SlotState::Paused(_) => "paused",
    }
}

/// `GET /manage/info`
pub(super) async fn info(State(node): State<Arc<Node>>) -> ApiResult {
    let adapters: Vec<Value> = node.adapters.iter().map(|adapter| described(adapter)).collect();
    answer(&json!({
        "name": env!("CARGO_PKG_NAME"),
        "version": env!("CARGO_PKG_VERSION"),
        "organisation": node.own.as_str(),
        "adapters": adapters,
    }))
}

fn described(adapter: &Adapter) -> Value {
    let mut described = json!({ "name": adapter.name, "services": adapter.services });
    if let (Some(plugin), Some(members)) = (adapter.plugin(), described.as_object_mut()) {
        let description = plugin.description();
        members.insert("product".into(), description.name.clone().into());
        members.insert("version".into(), description.version.clone().into());
        members.insert("digest".into(), format!("sha256:{}", plugin.digest()).into());
    }
    described
}

/// `GET /manage/set-aside`: what came from services and was no message, newest first.
pub(super) async fn set_aside(State(node): State<Arc<Node>>) -> ApiResult {
    let found = node
        .store
        .things_set_aside(SET_ASIDE)
        .await
        .map_err(|error| ApiError::of_store(&error, ""))?;
    let written: Vec<Value> = found
        .into_iter()
        .map(|item| {
            let mut written = json!({
                "id": item.id,
                "service": item.service,
                "reference": item.reference,
                "reason": item.reason,
                "at": time::written(item.at),
            });
            if let (Some(size), Some(members)) = (item.size, written.as_object_mut()) {
                members.insert("size".into(), size.into());
            }
            written
        })
        .collect();
    answer(&json!({ "content": written }))
}

/// `GET /manage/set-aside/{id}`: its content, as it came.
pub(super) async fn set_aside_content(State(node): State<Arc<Node>>, Path(id): Path<String>) -> ApiResult {
    let found = node
        .store
        .thing_set_aside(row_id(&id)?)
        .await
        .map_err(|error| ApiError::of_store(&error, &id))?;
    let Some(blob) = found.ok_or_else(|| ApiError::no_message(&id))?.blob else {
        return Ok(bare(StatusCode::NO_CONTENT));
    };
    let vault = node.vault.clone();
    let reader = blocking(move || vault.read(&blob))
        .await
        .map_err(|error| ApiError::of_vault(&error))?;
    let mut response = Body::from_stream(ReaderStream::new(read_on_demand(Box::new(reader)))).into_response();
    response
        .headers_mut()
        .insert(CONTENT_TYPE, HeaderValue::from_static("application/octet-stream"));
    Ok(response)
}

/// `DELETE /manage/set-aside/{id}`: the operator has seen to it.
pub(super) async fn delete_set_aside(State(node): State<Arc<Node>>, Path(id): Path<String>) -> ApiResult {
    let removed = node
        .store
        .remove_set_aside(row_id(&id)?)
        .await
        .map_err(|error| ApiError::of_store(&error, &id))?;
    if removed {
        Ok(StatusCode::OK.into_response())
    } else {
        Err(ApiError::no_message(&id))
    }
}
