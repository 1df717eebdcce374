//! The incoming queue: look, lock, fetch the package, take. Spec: messaging API, 6.

use std::io::{self, Read};
use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use budstikke_message::cms::{CmsError, EnvelopeReader};
use budstikke_message::status::Status;
use budstikke_store::{IncomingFilter, IncomingMessage, LockToken, NewOutgoing, NewStatus, StoreError};
use http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use tokio_util::io::ReaderStream;
use utoipa::PartialSchema as _;
use utoipa::openapi::Required;
use utoipa::openapi::path::{Parameter, ParameterBuilder, ParameterIn};

use super::description::body::{Bytes, pages};
use super::description::query::{Filter, Form, filter as described, query};
use super::description::refusals::refusals;
use super::description::sbd::StandardBusinessDocument;
use super::error::{ApiError, ApiResult, kind};
use super::listing::{self, Rows};
use super::page::{self, Sortable};
use super::params::Params;
use super::{json_bytes, sbd_json, unbroken};
use crate::abilities::documents::{blocking, copy, read_on_demand};
use crate::delivery::answer::status_answer;
use crate::fail_point;
use crate::node::Node;
use crate::sealed_sbd;

/// Packages up to this size, in bytes, are decrypted to their end before the first byte goes out, so that damage anywhere
/// in them is an error and not a broken download.
const PROVEN_FIRST: u64 = 32 * 1024 * 1024;
/// What is decrypted of larger ones before the answer begins, bytes.
const FIRST: usize = 64 * 1024;
/// Names the lock that a peek took. Ours: clients of the Java integrasjonspunkt do not send it.
const LOCK_TOKEN: HeaderName = HeaderName::from_static("budstikke-lock-token");
/// Bytes of one piece of a download.
const PIECE: usize = 64 * 1024;

pub(super) const SORTABLE: Sortable = &[
    ("id", "rowid"),
    ("conversationId", "conversation_id"),
    ("messageId", "message_id"),
    ("process", "process"),
    ("processIdentifier", "process"),
    ("receiverIdentifier", "receiver_identifier"),
    ("senderIdentifier", "sender_identifier"),
    ("serviceIdentifier", "service"),
    ("lastUpdated", "last_updated"),
];

const FILTERS: &[Filter] = &[
    described("messageId", Form::Text, "Id of the message."),
    described("conversationId", Form::Text, "Id of the conversation."),
    described("receiverIdentifier", Form::Text, "Bare identifier, such as 910076787."),
    described(
        "senderIdentifier",
        Form::Text,
        "Bare identifier: the part when the sender has one.",
    ),
    described("serviceIdentifier", Form::Text, "Message service."),
    described("process", Form::Text, "Process."),
];

query! {
    ListQuery: FILTERS, sorted by SORTABLE;
    PeekQuery: FILTERS;
}

/// The header of calls that need a lock.
enum Lock {}

impl utoipa::IntoParams for Lock {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        let token = ParameterBuilder::new()
            .name("Budstikke-Lock-Token")
            .parameter_in(ParameterIn::Header)
            .required(Required::False)
            .description(Some(
                "The lock that peek answered. With it the call is refused when the message is locked by somebody else by now; \
                 without it any lock will do.",
            ))
            .schema(Some(String::schema()));
        vec![token.build()]
    }
}

pages! { MessagePage: StandardBusinessDocument; }

refusals! {
    UnlockRefusals: &[kind::MISSING_HEADER, kind::MESSAGE_NOT_LOCKED, kind::LOCKED_BY_ANOTHER, kind::MESSAGE_NOT_FOUND,
        kind::NO_SUCH_PATH, kind::DISK_FULL];
    ListRefusals: &[kind::UNKNOWN_SORT];
    PeekRefusals: &[kind::NO_SUCH_METHOD, kind::DISK_FULL];
    PopRefusals: &[kind::MESSAGE_NOT_LOCKED, kind::LOCKED_BY_ANOTHER, kind::MESSAGE_NOT_FOUND, kind::NO_SUCH_PATH, kind::UNREADABLE_PACKAGE];
    DeleteRefusals: &[kind::MESSAGE_NOT_LOCKED, kind::LOCKED_BY_ANOTHER, kind::MESSAGE_NOT_FOUND, kind::NO_SUCH_PATH, kind::DISK_FULL];
}

fn filter(params: &Params) -> ApiResult<IncomingFilter> {
    params.refuse_near_misses(FILTERS)?;
    Ok(IncomingFilter {
        message_id: params.filter("messageId")?,
        conversation_id: params.filter("conversationId")?,
        receiver_identifier: params.filter("receiverIdentifier")?,
        sender_identifier: params.filter("senderIdentifier")?,
        service: params.service()?,
        process: params.filter("process")?,
    })
}

fn nothing() -> Response {
    StatusCode::NO_CONTENT.into_response()
}

/// List received messages
///
/// Locked ones included. Nothing is locked by it.
#[utoipa::path(get, path = "/api/messages/in", operation_id = "listIncoming", tag = "messages in", params(ListQuery),
    responses((status = 200, description = "A page of SBDs.", body = MessagePage,
        headers(("Budstikke-Unreadable" = String, description = "Ids of messages that are left out, because what is stored of them cannot be read; at most 50."))), ListRefusals))]
pub(super) async fn list(State(node): State<Arc<Node>>, params: Params) -> ApiResult {
    let asked = page::asked_for(&params, SORTABLE)?;
    let filter = filter(&params)?;
    let vault = node.vault.clone();
    let each = move |rows: &mut Rows, message| listing::add_message(&vault, rows, &message);
    let seen = node
        .store
        .look_through_incoming(filter, asked.clone(), Rows::default(), each)
        .await;
    let (rows, total) = seen.map_err(|error| ApiError::of_store(&error, ""))?;
    listing::answer(rows, total, &asked, false, move |id| {
        let node = node.clone();
        async move { listing::message_again(node.vault.clone(), node.store.listed_incoming(id).await).await }
    })
}

/// Take and lock the oldest received message
///
/// The oldest message that matches all filters and is not locked. It stays locked for some minutes; then it is handed out again,
/// in its old place. `HEAD` is refused: it would lock a message and show nothing of it.
#[utoipa::path(get, path = "/api/messages/in/peek", operation_id = "peek", tag = "messages in", params(PeekQuery),
    responses(
        (status = 200, description = "The SBD of the message.", body = StandardBusinessDocument,
            headers(("Budstikke-Lock-Token" = String, description = "Names this lock, for pop, delete and unlock."))),
        (status = 204, description = "There is no such message now."),
        PeekRefusals))]
pub(super) async fn peek(State(node): State<Arc<Node>>, params: Params) -> ApiResult {
    let now = Node::now();
    let until = now.saturating_add(i64::from(node.settings.lock_minutes) * 60_000);
    let found = node.store.peek(filter(&params)?, now, until).await;
    match found.map_err(|error| ApiError::of_store(&error, ""))? {
        None => Ok(nothing()),
        Some((message, token)) => {
            let mut response = json_bytes(sbd_json(&node, &message.message_id, &message.sbd)?);
            if let Ok(token) = HeaderValue::from_str(token.as_str()) {
                response.headers_mut().insert(LOCK_TOKEN, token);
            }
            Ok(response)
        }
    }
}

/// The lock that the client says is its own. A value that cannot be one is another lock than any.
fn lock_token(headers: &HeaderMap) -> Option<LockToken> {
    let value = headers.get(LOCK_TOKEN)?;
    Some(LockToken::given(value.to_str().unwrap_or_default()))
}

/// Download the documents of a locked message
///
/// A zip (ASiC-E) with the documents, `manifest.xml` and the sender's signature. May be repeated while the message is locked.
#[utoipa::path(get, path = "/api/messages/in/pop/{messageId}", operation_id = "pop", tag = "messages in",
    params(("messageId" = String, Path, description = "documentIdentification.instanceIdentifier of the message."), Lock),
    responses(
        (status = 200, description = "The ASiC-E.", body = inline(Bytes), content_type = "application/vnd.etsi.asic-e+zip",
            headers(("Content-Disposition" = String, description = "`attachment; filename=asic.zip`"))),
        (status = 204, description = "The message has no documents, as a kvittering. Delete it all the same."),
        PopRefusals))]
pub(super) async fn pop(
    State(node): State<Arc<Node>>,
    Path(message_id): Path<String>,
    headers: HeaderMap,
) -> ApiResult {
    let locked = node.store.locked(&message_id, lock_token(&headers), Node::now()).await;
    let message = locked.map_err(|error| ApiError::of_store(&error, &message_id))?;
    let receipt = node.types.get(&message.message_type).is_some_and(|row| row.receipt);
    let Some((blob, size)) = message.package.filter(|_| !receipt) else {
        return Ok(nothing());
    };

    let key = node
        .vault
        .key_of(&message_id, &message.sbd)
        .map_err(|error| unreadable(&message_id, error))?;
    let (vault, identity) = (node.vault.clone(), node.identity.clone());
    let opened = blocking(move || {
        let open = || {
            let sealed: Box<dyn Read + Send> = Box::new(vault.read(&key, &blob)?);
            EnvelopeReader::open(sealed, &identity).map_err(io::Error::from)
        };
        if size <= PROVEN_FIRST {
            copy(&mut open()?, &mut io::sink())?;
        }
        let mut package = open()?;
        let mut first = Vec::with_capacity(FIRST);
        (&mut package).take(FIRST as u64).read_to_end(&mut first)?;
        Ok((first, package))
    });
    let (first, package) = opened.await.map_err(|error| unreadable(&message_id, error))?;
    let content = read_on_demand(Box::new(io::Cursor::new(first).chain(package)));
    let mut response = Body::from_stream(ReaderStream::with_capacity(content, PIECE)).into_response();
    let headers = response.headers_mut();
    headers.insert(
        CONTENT_TYPE,
        HeaderValue::from_static("application/vnd.etsi.asic-e+zip"),
    );
    headers.insert(
        CONTENT_DISPOSITION,
        HeaderValue::from_static("attachment; filename=asic.zip"),
    );
    Ok(response)
}

/// Spec: messaging API, 14: never to be taken for "no package".
fn unreadable(message_id: &str, error: io::Error) -> ApiError {
    let error = CmsError::from_io(error);
    tracing::error!(%error, message_id, "the package of a received message cannot be read; the message is kept");
    ApiError::new(
        kind::UNREADABLE_PACKAGE,
        format!("The package of the message cannot be read: {error}."),
    )
}

/// Acknowledge and remove a locked message
///
/// The sender is told that it was delivered, where the message service has such statuses.
#[utoipa::path(delete, path = "/api/messages/in/{messageId}", operation_id = "deleteIncoming", tag = "messages in",
    params(("messageId" = String, Path, description = "documentIdentification.instanceIdentifier of the message."), Lock),
    responses((status = 200, description = "The SBD of the message that was removed.", body = StandardBusinessDocument),
        DeleteRefusals))]
pub(super) async fn delete(
    State(node): State<Arc<Node>>,
    Path(message_id): Path<String>,
    headers: HeaderMap,
) -> ApiResult {
    let now = Node::now();
    let token = lock_token(&headers);
    let locked = node.store.locked(&message_id, token.clone(), now).await;
    let message = locked.map_err(|error| ApiError::of_store(&error, &message_id))?;
    let body = sbd_json(&node, &message_id, &message.sbd)?;
    let answer = message.answered.then(|| levert(&node, &message)).flatten();
    let answered = answer.is_some();
    fail_point::reached("take.before-commit");
    let (taking, id) = (node.clone(), message_id.clone());
    let taken: Result<_, StoreError> = unbroken(async move {
        taking
            .store
            .take(&id, token, NewStatus::plain(Status::InnkommendeLevert, now), answer)
            .await
    })
    .await?;
    taken.map_err(|error| ApiError::of_store(&error, &message_id))?;
    fail_point::reached("take.after-commit");
    if answered {
        node.queued.notify_waiters();
        node.queued.notify_one();
    }
    Ok(json_bytes(body))
}

/// The answer to the sender. A message whose type the operator has removed meanwhile can be taken all the same: its
/// fagsystem has it.
fn levert(node: &Node, message: &IncomingMessage) -> Option<NewOutgoing> {
    match sealed_sbd::open(&node.vault, &node.types, &message.message_id, &message.sbd) {
        Ok(sbd) => status_answer(node, &sbd, &message.service, Status::Levert),
        Err(error) => {
            let (error, message_id) = (format!("{error:#}"), &message.message_id);
            tracing::error!(
                error,
                message_id,
                "the sender cannot be told that its message was taken"
            );
            None
        }
    }
}

/// Give a lock back early
///
/// The message can be peeked again at once, and keeps its place. Ours: the Java integrasjonspunkt has no such call.
#[utoipa::path(delete, path = "/api/messages/in/{messageId}/lock", operation_id = "unlock", tag = "messages in",
    params(("messageId" = String, Path, description = "documentIdentification.instanceIdentifier of the message."),
        ("Budstikke-Lock-Token" = String, Header, description = "The lock that peek answered.")),
    responses((status = 200, description = "The message is not locked any more."), UnlockRefusals))]
pub(super) async fn unlock(
    State(node): State<Arc<Node>>,
    Path(message_id): Path<String>,
    headers: HeaderMap,
) -> ApiResult {
    let token = lock_token(&headers).ok_or_else(|| {
        ApiError::new(
            kind::MISSING_HEADER,
            "The request header Budstikke-Lock-Token is missing.",
        )
    })?;
    node.store
        .unlock(&message_id, token, Node::now())
        .await
        .map_err(|error| ApiError::of_store(&error, &message_id))?;
    Ok(StatusCode::OK.into_response())
}
