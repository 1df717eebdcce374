//! Webhooks: who is told when something happens. Spec: messaging API, 9.

mod given;

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use budstikke_store::{Replay, StoreError, Subscription};
use serde::Serialize;
use utoipa::ToSchema;

use super::arriving::Arriving;
use super::description::body::pages;
use super::description::query::{Filter, Form, filter, query};
use super::description::refusals::refusals;
use super::error::{ApiError, ApiResult, Kind, kind, shortened};
use super::page::{self, Sortable};
use super::params::Params;
use super::{json as answer, row_id, takes_json, unbroken};
use crate::node::Node;
use crate::webhooks::{self, BACKLOG, SigningSecret};
use given::{Change, Given, Whole};

pub(super) const SORTABLE: Sortable = &[
    ("id", "id"),
    ("name", "name"),
    ("pushEndpoint", "push_endpoint"),
    ("resource", "resource"),
    ("event", "event"),
    ("filter", "filter"),
];

/// The ends of a replay.
const RANGE: &[Filter] = &[
    filter(
        "fromDateTime",
        Form::Time,
        "Required. From this time on. Write + as %2B.",
    ),
    filter("toDateTime", Form::Time, "Required. Up to this time. Write + as %2B."),
];

pages! { SubscriptionPage: Written; }

query! {
    ListQuery: &[], sorted by SORTABLE;
    ReplayQuery: RANGE;
}

/// Of a body.
const BODY_REFUSALS: &[Kind] = &[
    kind::INVALID_ARGUMENT,
    kind::SUBSCRIPTION_EXISTS,
    kind::NOT_READABLE,
    kind::CUT_OFF,
    kind::REQUEST_TOO_LARGE,
    kind::UNSUPPORTED_MEDIA_TYPE,
    kind::NOT_STORED,
    kind::DISK_FULL,
];
/// Of an id in the path.
const ID_REFUSALS: &[Kind] = &[kind::SUBSCRIPTION_NOT_FOUND, kind::NO_SUCH_PATH];

refusals! {
    ListRefusals: &[kind::UNKNOWN_SORT];
    GetRefusals: ID_REFUSALS;
    PostRefusals: BODY_REFUSALS;
    PutRefusals: ID_REFUSALS, BODY_REFUSALS;
    DeleteRefusals: ID_REFUSALS, &[kind::DISK_FULL];
    DeleteAllRefusals: &[kind::DISK_FULL];
    ReplayRefusals: ID_REFUSALS, &[kind::DISK_FULL];
}

/// Largest JSON body, bytes.
const BYTES: usize = 64 * 1024;
/// What the endpoint said to the ping: an HTTP status, or why there is none.
const PING: HeaderName = HeaderName::from_static("budstikke-ping");
/// The secret that events are signed with, when it was made here. Told once.
const SECRET: HeaderName = HeaderName::from_static("budstikke-signing-secret");

/// A webhook.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Subscription)]
struct Written {
    /// Number of the row.
    id: i64,
    name: String,
    push_endpoint: String,
    #[schema(example = "messages")]
    resource: String,
    #[schema(example = "status")]
    event: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, example = "status=SENDT,LEVERT&direction=OUTGOING")]
    filter: Option<String>,
}

/// What a replay did.
#[derive(Serialize, ToSchema)]
struct Replayed {
    /// Events that wait to be sent again.
    queued: u64,
}

impl From<Subscription> for Written {
    fn from(subscription: Subscription) -> Self {
        Self {
            id: subscription.id,
            name: subscription.name,
            push_endpoint: subscription.push_endpoint,
            resource: subscription.resource,
            event: subscription.event,
            filter: subscription.filter,
        }
    }
}

/// List subscriptions
#[utoipa::path(get, path = "/api/subscriptions", operation_id = "listSubscriptions", tag = "webhooks", params(ListQuery),
    responses((status = 200, description = "A page of subscriptions.", body = SubscriptionPage), ListRefusals))]
pub(super) async fn list(State(node): State<Arc<Node>>, params: Params) -> ApiResult {
    let asked = page::asked_for(&params, SORTABLE)?;
    let found = node.store.subscriptions(asked.clone()).await.map_err(of_store)?;
    answer(&page::enveloped(found, &asked, false, Written::from))
}

/// Read a subscription
#[utoipa::path(get, path = "/api/subscriptions/{id}", operation_id = "getSubscription", tag = "webhooks",
    params(("id" = i64, Path, description = "The id of the subscription.")),
    responses((status = 200, description = "The subscription.", body = Written), GetRefusals))]
pub(super) async fn get(State(node): State<Arc<Node>>, Path(id): Path<String>) -> ApiResult {
    let found = node.store.subscription(row_id(&id)?).await.map_err(of_store)?;
    answer(&Written::from(found.ok_or_else(|| unknown(&id))?))
}

/// Subscribe
///
/// Stores the subscription, then posts a ping to its endpoint. What the endpoint answers to that changes nothing. Events come
/// as JSON with the headers `Budstikke-Delivery` (the same at each attempt), `Budstikke-Attempt` and `Budstikke-Signature`:
/// `t=SECONDS,v1=HEX`, the HMAC-SHA256 over `SECONDS.BODY` with the signing secret.
#[utoipa::path(post, path = "/api/subscriptions", operation_id = "subscribe", tag = "webhooks",
    request_body(content = Whole, content_type = "application/json"),
    responses((status = 200, description = "The subscription.", body = Written,
        headers(("Budstikke-Ping" = String, description = "The HTTP status that answered the ping, or why none did."),
            ("Budstikke-Signing-Secret" = String, description = "The secret, when none was given. Told once."))),
        PostRefusals))]
pub(super) async fn post(State(node): State<Arc<Node>>, headers: HeaderMap, body: Body) -> ApiResult {
    takes_json(&headers)?;
    let given = Given::read(&Arriving::new(body, node.limits.silence_time).whole(BYTES).await?)?;
    let chosen = given.signing_secret()?;
    let made = chosen.is_none();
    let secret = match chosen {
        Some(secret) => secret,
        None => SigningSecret::made().map_err(|error| ApiError::of_vault(&error))?,
    };
    let sealed = secret.seal(&node.vault).map_err(|error| ApiError::of_vault(&error))?;
    let new = given.complete(&node.webhooks, sealed)?;
    let (stored, said, secret) = unbroken(async move {
        let stored = node.store.subscribe(new).await?;
        let said = ping(&node, &stored, &secret).await;
        Ok((stored, said, secret))
    })
    .await?
    .map_err(of_store)?;
    let mut response = answer(&Written::from(stored))?;
    tell(&mut response, PING, &said);
    if made {
        tell(&mut response, SECRET, secret.reveal());
    }
    Ok(response)
}

/// Change a subscription
///
/// Only the members that are given become different. A new endpoint gets a ping, and what waits is sent there.
#[utoipa::path(put, path = "/api/subscriptions/{id}", operation_id = "changeSubscription", tag = "webhooks",
    params(("id" = i64, Path, description = "The id of the subscription.")),
    request_body(content = Change, content_type = "application/json"),
    responses((status = 200, description = "It was changed.",
        headers(("Budstikke-Ping" = String, description = "As for a new subscription, when the endpoint is another."))),
        PutRefusals))]
pub(super) async fn put(
    State(node): State<Arc<Node>>,
    Path(id): Path<String>,
    headers: HeaderMap,
    body: Body,
) -> ApiResult {
    takes_json(&headers)?;
    let row = row_id(&id)?;
    let given = Given::read(&Arriving::new(body, node.limits.silence_time).whole(BYTES).await?)?;
    let sealed = given
        .signing_secret()?
        .map(|secret| secret.seal(&node.vault))
        .transpose()
        .map_err(|error| ApiError::of_vault(&error))?;
    let change = given.change(&node.webhooks, sealed)?;
    let said = unbroken(async move {
        let Some(changed) = node.store.change_subscription(row, change).await? else {
            return Ok(None);
        };
        if !changed.moved {
            return Ok(Some(None));
        }
        let said = match SigningSecret::unseal(&node.vault, &changed.secret) {
            Ok(secret) => ping(&node, &changed.subscription, &secret).await,
            Err(error) => {
                tracing::error!(%error, subscription = row, "the signing secret of a webhook cannot be opened");
                webhooks::Failed::Secret.to_string()
            }
        };
        Ok(Some(Some(said)))
    })
    .await?
    .map_err(of_store)?;
    let mut response = StatusCode::OK.into_response();
    if let Some(said) = said.ok_or_else(|| unknown(&id))? {
        tell(&mut response, PING, &said);
    }
    Ok(response)
}

/// Remove a subscription
///
/// What waits for it goes with it.
#[utoipa::path(delete, path = "/api/subscriptions/{id}", operation_id = "unsubscribe", tag = "webhooks",
    params(("id" = i64, Path, description = "The id of the subscription.")),
    responses((status = 200, description = "It is gone."), DeleteRefusals))]
pub(super) async fn delete(State(node): State<Arc<Node>>, Path(id): Path<String>) -> ApiResult {
    if node.store.unsubscribe(row_id(&id)?).await.map_err(of_store)? {
        Ok(StatusCode::OK.into_response())
    } else {
        Err(unknown(&id))
    }
}

/// Remove every subscription
#[utoipa::path(delete, path = "/api/subscriptions", operation_id = "unsubscribeAll", tag = "webhooks",
    responses((status = 200, description = "They are gone."), DeleteAllRefusals))]
pub(super) async fn delete_all(State(node): State<Arc<Node>>) -> ApiResult {
    node.store.unsubscribe_all().await.map_err(of_store)?;
    Ok(StatusCode::OK.into_response())
}

/// Have events again
///
/// Queues the events of a range of time once more, both ends included, under new names. They are those of the statuses that
/// `GET /api/statuses` finds there and that the subscription asks for.
#[utoipa::path(post, path = "/api/subscriptions/{id}/replay", operation_id = "replay", tag = "webhooks",
    params(("id" = i64, Path, description = "The id of the subscription."), ReplayQuery),
    responses((status = 200, description = "How many.", body = Replayed), ReplayRefusals))]
pub(super) async fn replay(State(node): State<Arc<Node>>, Path(id): Path<String>, params: Params) -> ApiResult {
    params.refuse_near_misses(RANGE)?;
    let end = |name| {
        let missing = || ApiError::new(kind::TYPE_MISMATCH, format!("The parameter {name} must be given."));
        params.time(name)?.ok_or_else(missing)
    };
    let (from, to) = (end("fromDateTime")?, end("toDateTime")?);
    if from > to {
        return Err(ApiError::new(
            kind::TYPE_MISMATCH,
            "The value of fromDateTime must not be after toDateTime.",
        ));
    }
    let replayed = node.store.replay(row_id(&id)?, from, to, BACKLOG).await;
    match replayed.map_err(of_store)? {
        Replay::Unknown => Err(unknown(&id)),
        Replay::Queued(queued) => answer(&Replayed { queued }),
        Replay::TooMany { room } => Err(ApiError::new(
            kind::TYPE_MISMATCH,
            format!(
                "There are more than {room} statuses from fromDateTime to toDateTime, and room for {room} more events of \
                 this subscription. Nothing was queued; ask for a shorter time."
            ),
        )),
    }
}

async fn ping(node: &Node, subscription: &Subscription, secret: &SigningSecret) -> String {
    match webhooks::ping(node, &subscription.push_endpoint, secret).await {
        Ok(status) => status.to_string(),
        Err(failed) => {
            tracing::warn!(subscription = subscription.id, %failed, "a new webhook did not take its ping");
            match failed {
                webhooks::Failed::Answered(status) => status.to_string(),
                other => other.to_string(),
            }
        }
    }
}

fn tell(response: &mut Response, name: HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        response.headers_mut().insert(name, value);
    }
}

#[expect(clippy::needless_pass_by_value, reason = "for map_err")]
fn of_store(error: StoreError) -> ApiError {
    ApiError::of_store(&error, "")
}

fn unknown(id: &str) -> ApiError {
    let text = format!("There is no subscription with id {}.", shortened(id));
    ApiError::new(kind::SUBSCRIPTION_NOT_FOUND, text)
}
