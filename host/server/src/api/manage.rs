//! How this installation is doing, for operators and their monitoring. Spec: messaging API, 12.

pub(super) mod given_up;
pub(super) mod info;
pub(super) mod metrics;
pub(super) mod nodes;
pub(super) mod route;
pub(super) mod shutdown;
pub(super) mod webhooks;

use std::sync::{Arc, PoisonError};

use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::{HeaderValue, StatusCode};
use axum::response::IntoResponse as _;
use budstikke_message::x509::Certificate;
use budstikke_runtime::SlotState;
use http::header::CONTENT_TYPE;
use jiff::Timestamp;
use serde::Serialize;
use serde_json::{Map, Value, json};
use tokio_util::io::ReaderStream;
use utoipa::ToSchema;

use super::description::body::Bytes;
use super::description::refusals::refusals;
use super::error::{ApiError, ApiResult, kind};
use super::{bare, json as answer, row_id, time};
use crate::abilities::documents::{blocking, read_on_demand};
use crate::certificates;
use crate::node::Node;

/// Things set aside that are listed.
const SET_ASIDE: u32 = 200;

refusals! {
    ReadRefusals: &[];
    ContentRefusals: &[kind::MESSAGE_NOT_FOUND, kind::NO_SUCH_PATH, kind::NOT_STORED];
    DeleteRefusals: &[kind::MESSAGE_NOT_FOUND, kind::NO_SUCH_PATH, kind::DISK_FULL];
}

/// How an installation is doing.
#[derive(Serialize, ToSchema)]
struct Health {
    /// `UP` or `DOWN`: as soon as one part is down.
    #[schema(example = "UP")]
    status: &'static str,
    /// By name.
    #[schema(value_type = std::collections::BTreeMap<String, Part>)]
    components: Map<String, Value>,
}

/// A part of an installation.
#[derive(Serialize, ToSchema)]
#[schema(as = HealthComponent)]
struct Part {
    /// `UP` or `DOWN`.
    #[schema(example = "UP")]
    status: &'static str,
    /// What there is to tell.
    #[schema(value_type = Object)]
    details: Value,
}

/// What was set aside.
#[derive(Serialize, ToSchema)]
#[schema(as = SetAsideList)]
struct Listed {
    content: Vec<ListedItem>,
}

/// Something that came from a message service and was no message.
#[derive(Serialize, ToSchema)]
#[schema(as = SetAside)]
struct ListedItem {
    id: i64,
    service: String,
    /// The message service's own name of it.
    reference: String,
    reason: String,
    #[schema(format = DateTime)]
    at: String,
    /// Bytes; absent when it has no content.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    size: Option<u64>,
}

fn state(up: bool) -> &'static str {
    if up { "UP" } else { "DOWN" }
}

/// A part of the house and what is to be told of it.
struct Component {
    up: bool,
    details: Value,
}

impl Component {
    fn written(self) -> Value {
        json!(Part {
            status: state(self.up),
            details: self.details,
        })
    }
}

fn health(components: Vec<(&'static str, Component)>) -> ApiResult {
    let up = components.iter().all(|(_, component)| component.up);
    let components = components
        .into_iter()
        .map(|(name, component)| (name.to_owned(), component.written()))
        .collect();
    let mut response = answer(&Health {
        status: state(up),
        components,
    })?;
    if !up {
        *response.status_mut() = StatusCode::SERVICE_UNAVAILABLE;
    }
    Ok(response)
}

/// How everything is doing
#[utoipa::path(get, path = "/manage/health", operation_id = "health", tag = "health",
    responses((status = 200, description = "All of it is up.", body = Health),
        (status = 503, description = "Some part is down.", body = Health), ReadRefusals))]
pub(super) async fn all(State(node): State<Arc<Node>>) -> ApiResult {
    let mut components = vec![
        ("db", database(&node).await),
        ("vault", vault(&node).await),
        ("certificate", own_certificate(&node)),
        ("adapters", adapters(&node)),
    ];
    if let Some(details) = node.registry.report() {
        // Messages are taken in without it where its last answers do, so that it is silent does not make this installation down.
        components.push(("registry", Component { up: true, details }));
    }
    if let Some(served) = node.server_certificate.current() {
        components.push(("serverCertificate", certificate(&served)));
    }
    health(components)
}

/// Whether calls can be answered
#[utoipa::path(get, path = "/manage/health/readiness", operation_id = "readiness", tag = "health",
    responses((status = 200, description = "They can.", body = Health),
        (status = 503, description = "They cannot.", body = Health), ReadRefusals))]
pub(super) async fn readiness(State(node): State<Arc<Node>>) -> ApiResult {
    let mut components = vec![("db", database(&node).await), ("vault", vault(&node).await)];
    if node.presence.is_draining() {
        // Up, but not for long: a load balancer sends its calls elsewhere.
        components.push((
            "stopping",
            Component {
                up: false,
                details: json!({}),
            },
        ));
    }
    health(components)
}

/// Whether the process answers
#[utoipa::path(get, path = "/manage/health/liveness", operation_id = "liveness", tag = "health",
    responses((status = 200, description = "It does.", body = Health), ReadRefusals))]
pub(super) async fn liveness() -> ApiResult {
    health(Vec::new())
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
        Ok::<_, budstikke_store::StoreError>((outgoing, node.store.incoming_length().await?))
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

async fn vault(node: &Node) -> Component {
    let vault = node.vault.clone();
    let written = blocking(move || vault.probe());
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

fn certificate(certificate: &Certificate) -> Component {
    let details = json!({
        "serialNumber": certificate.serial(),
        "notAfter": time::written(certificate.not_after().as_millisecond()),
        "daysLeft": certificates::own::days_left(certificate, Timestamp::now()),
        "warning": certificates::own::warning(certificate, Timestamp::now()),
    });
    Component {
        up: certificate.is_valid_at(Timestamp::now()),
        details,
    }
}

/// With what others seal to, where somebody could say.
fn own_certificate(node: &Node) -> Component {
    let mut component = certificate(node.identity.certificate());
    let sealed = *node.sealed.lock().unwrap_or_else(PoisonError::into_inner);
    if let (Some(details), Some(told)) = (component.details.as_object_mut(), sealed.told()) {
        details.insert("published".into(), told.into());
    }
    component
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

/// List what came from message services and was no message
///
/// The newest 200, newest first.
#[utoipa::path(get, path = "/manage/set-aside", operation_id = "listSetAside", tag = "set aside",
    responses((status = 200, description = "What was set aside.", body = Listed), ReadRefusals))]
pub(super) async fn set_aside(State(node): State<Arc<Node>>) -> ApiResult {
    let found = node
        .store
        .things_set_aside(SET_ASIDE)
        .await
        .map_err(|error| ApiError::of_store(&error, ""))?;
    let written = found.into_iter().map(|item| ListedItem {
        id: item.id,
        service: item.service,
        reference: item.reference,
        reason: item.reason,
        at: time::written(item.at),
        size: item.size,
    });
    answer(&Listed {
        content: written.collect(),
    })
}

/// Download something that was set aside, as it came
#[utoipa::path(get, path = "/manage/set-aside/{id}", operation_id = "getSetAside", tag = "set aside",
    params(("id" = i64, Path, description = "Number of the row.")),
    responses((status = 200, description = "Its content.", body = inline(Bytes), content_type = "application/octet-stream"),
        (status = 204, description = "It has no content."), ContentRefusals))]
pub(super) async fn set_aside_content(State(node): State<Arc<Node>>, Path(id): Path<String>) -> ApiResult {
    let found = node
        .store
        .thing_set_aside(row_id(&id)?)
        .await
        .map_err(|error| ApiError::of_store(&error, &id))?;
    let found = found.ok_or_else(|| ApiError::no_message(&id))?;
    let (Some(blob), Some(wrapped)) = (found.blob, found.data_key) else {
        return Ok(bare(StatusCode::NO_CONTENT));
    };
    let vault = node.vault.clone();
    let reader = blocking(move || vault.read(&vault.unwrap_key(&found.reference, &wrapped)?, &blob))
        .await
        .map_err(|error| ApiError::of_vault(&error))?;
    let mut response = Body::from_stream(ReaderStream::new(read_on_demand(Box::new(reader)))).into_response();
    response
        .headers_mut()
        .insert(CONTENT_TYPE, HeaderValue::from_static("application/octet-stream"));
    Ok(response)
}

/// Remove something that was set aside
#[utoipa::path(delete, path = "/manage/set-aside/{id}", operation_id = "deleteSetAside", tag = "set aside",
    params(("id" = i64, Path, description = "Number of the row.")),
    responses((status = 200, description = "It is gone."), DeleteRefusals))]
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
