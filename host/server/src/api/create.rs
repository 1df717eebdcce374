//! Creating a message: from the bytes of an SBD to a draft in the store. Spec: messaging API, 5.1; documents and
//! packaging, 1.4 and 1.5.

use std::sync::Arc;

use budstikke_message::identifier::Identifier;
use budstikke_message::sbd::{CHANNEL_MAX_BYTES, DefaultsError, Sbd, SbdError};
use budstikke_message::status::Status;
use budstikke_message::violation::{Violation, code};
use budstikke_store::files::MessageKey;
use budstikke_store::{AttachmentRules, NewAttachment, NewOutgoing, NewStatus, StoreError};
use jiff::Timestamp;

use super::adapter_check::{self, Asked};
use super::error::{ApiError, ApiResult, Kind, kind};
use crate::certificates::Whose;
use crate::delivery::answer::facts_of;
use crate::fail_point;
use crate::node::Node;
use crate::registry::{Capability, Question, RegistryError, Source};
use crate::routing::{self, Kept, Request};
use crate::sealed_sbd;

/// What both ways to create a message can be refused with.
pub(super) const REFUSALS: &[Kind] = &[
    kind::NOT_READABLE,
    kind::CONSTRAINT,
    kind::UNKNOWN_MESSAGE_TYPE,
    kind::MISSING_MESSAGE_TYPE,
    kind::RECEIVER_DOES_NOT_ACCEPT,
    kind::MESSAGE_EXISTS,
    kind::INVALID_CERTIFICATE,
    kind::RECEIVER_CERTIFICATE,
    kind::UNCERTAIN_CERTIFICATE,
    kind::SERVICE_NOT_ENABLED,
    kind::SERVICE_NOT_RUNNING,
    kind::MISSING_ADDRESS,
    kind::TYPE_DOES_NOT_FIT,
    kind::CHANNEL_INVALID,
    kind::REQUEST_TOO_LARGE,
    kind::REGISTRY_UNREACHABLE,
    kind::NOT_STORED,
    kind::DISK_FULL,
    kind::REFUSED_BY_ADAPTER,
];

/// Which call brought the SBD: its errors differ in shape.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Call {
    /// A JSON body.
    Json,
    /// A part of a form.
    Multipart,
}

impl Call {
    fn prefix(self) -> &'static str {
        match self {
            Self::Json => "",
            Self::Multipart => "createAndSendMessage.sbd.",
        }
    }

    fn header(self, violations: &[Violation]) -> ApiError {
        match self {
            Self::Json => ApiError::invalid_argument("standardBusinessDocument", violations),
            Self::Multipart => ApiError::constraint(self.prefix(), violations),
        }
    }

    /// The members of a postal address have an error of their own, in messages that are posted.
    fn body(self, sbd: &Sbd, violations: &[Violation]) -> ApiError {
        let error = ApiError::constraint(self.prefix(), violations);
        let posted = sbd.message_type().registry_addresses;
        let address = |violation: &Violation| {
            let last = violation.field.rsplit('.').next().unwrap_or_default();
            violation.code == code::NOT_NULL
                && ["mottaker", "retur", "adresselinje1", "postnummer", "poststed"].contains(&last)
        };
        if posted && violations.iter().any(address) {
            error.under(kind::MISSING_ADDRESS)
        } else {
            error
        }
    }
}

/// A message that may be stored.
pub(super) struct Draft {
    pub sbd: Sbd,
    pub new: NewOutgoing,
    /// Largest sum of file sizes, bytes.
    pub limit: u64,
    /// Every file needs a title.
    pub title_required: bool,
    /// The adapter looks at it once its files are there.
    pub checked: bool,
}

/// Reads an SBD and checks its header.
pub(super) fn read(node: &Node, bytes: &[u8], call: Call) -> ApiResult<Sbd> {
    let sbd = Sbd::parse(bytes, &node.types).map_err(|error| unreadable(node, &error, call))?;
    let violations = sbd.validate(Timestamp::now());
    if violations.is_empty() {
        Ok(sbd)
    } else {
        Err(call.header(&violations))
    }
}

fn unreadable(node: &Node, error: &SbdError, call: Call) -> ApiError {
    match error {
        SbdError::TooLarge { .. } => ApiError::new(kind::REQUEST_TOO_LARGE, error.to_string()),
        SbdError::UnknownMessageType(_) => {
            let known = node.types.iter().filter(|row| row.readable && !row.receipt);
            let names: Vec<&str> = known.map(|row| row.name.as_ref()).collect();
            ApiError::new(
                kind::UNKNOWN_MESSAGE_TYPE,
                format!("{error}; known types are {}", names.join(", ")),
            )
        }
        SbdError::MissingBody => ApiError::new(kind::MISSING_MESSAGE_TYPE, error.to_string()),
        SbdError::TypeMismatch { declared, .. } => {
            let field = error.path().unwrap_or_default();
            call.header(&[Violation::new(field, code::MESSAGE_TYPE, error.to_string()).rejecting(declared)])
        }
        error => ApiError::new(kind::NOT_READABLE, error.to_string()),
    }
}

/// Finds the service, fills in the defaults and makes the remaining checks, in the order of the spec.
pub(super) async fn prepare(node: &Arc<Node>, mut sbd: Sbd, key: &MessageKey, call: Call) -> ApiResult<Draft> {
    let now = Timestamp::now();
    sbd.normalise_sender(&node.own);
    let Way { capability, route } = way_of(node, &sbd).await?;
    let (service, addresses) = (capability.service.clone(), &capability.addresses);
    let rules = node.rules(&service);
    let configured = rules.as_ref().and_then(|rules| rules.channel.clone());
    let reply_channel = reply_channel(node, &sbd).await?;

    let lifetime = node.lifetime(&service).unsigned_abs();
    let reply = reply_channel
        .as_deref()
        .filter(|reply| reply.len() <= CHANNEL_MAX_BYTES && sbd.message_channel().is_none_or(|given| given == *reply));
    let channel = reply.or(configured.as_deref()).map(str::to_owned);
    let mismatch = match sbd.fill_defaults(&node.own, now, lifetime, channel.as_deref()) {
        Err(error @ DefaultsError::ChannelMismatch { .. }) => {
            // Other errors come before this one.
            sbd.fill_defaults(&node.own, now, lifetime, None)
                .map_err(|error| not_filled(&error))?;
            Some(error)
        }
        Err(error) => return Err(not_filled(&error)),
        Ok(()) => None,
    };
    sbd.fill_addresses(addresses.post.as_ref(), addresses.back.as_ref());

    let envelope = sbd.envelope().map_err(|violations| call.header(&violations))?;
    let message_id = envelope.message_id.as_str();
    let checked = async {
        own_certificate(node)?;
        receiver_certificate(node, &sbd, &capability).await?;
        let violations = sbd.validate(now);
        if !violations.is_empty() {
            return Err(call.header(&violations));
        }
        let rules = rules.ok_or_else(|| no_adapter(node, &service))?;
        let violations = sbd.validate_body();
        if !violations.is_empty() {
            return Err(call.body(&sbd, &violations));
        }
        if !sbd.standard_fits_type() {
            return Err(does_not_fit(&sbd));
        }
        if let Some(mismatch) = mismatch {
            return Err(ApiError::new(kind::CHANNEL_INVALID, mismatch.to_string()));
        }
        let asked = Asked {
            sbd: &sbd,
            service: &service,
            address: capability.address.clone().into_iter().collect(),
            files: None,
        };
        adapter_check::check(node, asked).await?;
        Ok(rules)
    };
    let rules = match checked.await {
        Ok(rules) => rules,
        Err(error) => return Err(unless_known(node, message_id, error).await),
    };

    let facts = facts_of(&sbd, &service).map_err(|error| {
        tracing::error!(%error, "a checked SBD has no facts");
        ApiError::new(kind::INTERNAL, "The message could not be taken in.")
    })?;
    let sealed =
        sealed_sbd::seal_with(&node.vault, key, message_id, &sbd).map_err(|error| ApiError::of_vault(&error))?;
    let message_type = sbd.message_type().name.to_string();
    let limit = node.upload_limit(&service);
    Ok(Draft {
        new: NewOutgoing {
            facts,
            message_type,
            sbd: sealed,
            reply_channel,
            ready: false,
            route,
        },
        sbd,
        limit,
        title_required: rules.title_required,
        checked: rules.checked,
    })
}

/// That the id is known comes before everything else that is wrong. Whoever stores a message looks for that too: only one that is refused is
/// looked for here.
async fn unless_known(node: &Node, message_id: &str, refusal: ApiError) -> ApiError {
    match node.store.knows_message(message_id).await {
        Ok(true) => ApiError::of_store(&StoreError::MessageExists, message_id),
        Ok(false) => refusal,
        Err(error) => ApiError::of_store(&error, message_id),
    }
}

/// The SBD as it is stored and answered.
pub(super) fn written(sbd: &Sbd) -> ApiResult<Vec<u8>> {
    sbd.to_json().map_err(|error| {
        tracing::error!(%error, "an SBD cannot be written");
        ApiError::new(kind::INTERNAL, "The message cannot be written.")
    })
}

/// Stores a message with its conversation and its files, in one step. `limit` in bytes.
pub(super) async fn commit(
    node: &Node,
    new: NewOutgoing,
    files: Vec<NewAttachment>,
    limit: u64,
) -> Result<(), StoreError> {
    let created = NewStatus::plain(Status::Opprettet, Node::now());
    fail_point::reached("create.before-commit");
    node.store
        .create(new, files, AttachmentRules { limit }, created)
        .await?;
    fail_point::reached("create.after-commit");
    Ok(())
}

/// Whether the certificate of the installation is valid now. Spec: messaging API, 5.1 step 6.
pub(super) fn own_certificate(node: &Node) -> ApiResult<()> {
    let certificate = node.identity.certificate();
    if certificate.is_valid_at(Timestamp::now()) {
        return Ok(());
    }
    let text = format!(
        "The certificate of this installation, serial number {}, is valid from {} to {} only.",
        certificate.serial(),
        certificate.not_before(),
        certificate.not_after()
    );
    Err(ApiError::new(kind::INVALID_CERTIFICATE, text))
}

/// Whether messages may be sealed to the receiver's certificate, when there is one.
async fn receiver_certificate(node: &Node, sbd: &Sbd, capability: &Capability) -> ApiResult<()> {
    let Some(certificate) = &capability.certificate else {
        return Ok(());
    };
    let receiver = sbd.receiver();
    let whose = Whose::of(capability, receiver.as_ref().map(Identifier::primary));
    let checked = node.certificates.check(certificate, &whose).await;
    checked.map_err(|fault| {
        let kind = if fault.may_pass() {
            kind::UNCERTAIN_CERTIFICATE
        } else {
            kind::RECEIVER_CERTIFICATE
        };
        tracing::warn!(%fault, service = capability.service, "a message was refused because of its receiver's certificate");
        ApiError::new(kind, format!("The certificate of the receiver cannot be used: {fault}."))
    })
}

/// Which way a message goes, and why, as it is kept.
struct Way {
    capability: Capability,
    route: Option<String>,
}

/// Asks the registry what the receiver takes, or which services need none, and chooses.
async fn way_of(node: &Node, sbd: &Sbd) -> ApiResult<Way> {
    let process = sbd.process().map(String::from).unwrap_or_default();
    let standard = sbd.document_type().map(String::from).unwrap_or_default();
    let receiver = sbd.receiver();
    let request = Request {
        process: &process,
        receiver: receiver.as_ref().map(Identifier::primary),
        document_type: Some(&standard),
    };
    let conversation = sbd.conversation_id().map(|id| id.to_string());
    let question = Question {
        receiver: request.receiver.unwrap_or_default(),
        process: Some(&process),
        security_level: sbd.security_level(),
        conversation_id: conversation.as_deref(),
        who: false,
    };
    let asked = match request.receiver {
        None => node.registry.without_receiver(&process).await,
        Some(_) => node.registry.capabilities(question).await,
    };
    let answer = asked.map_err(|error| {
        if error.is_fault_about(question) {
            registry_fault(&error)
        } else {
            no_way(sbd, &request, error.to_string())
        }
    })?;
    let decision = routing::decide(&answer.capabilities, &node.routing, &request);
    let route = Kept::of(&decision, answer.source, Timestamp::now()).and_then(|kept| kept.to_json());
    if let Some(capability) = decision.capability {
        return Ok(Way { capability, route });
    }
    let takes = |capability: &Capability| capability.document_types.contains(&standard);
    if answer.capabilities.iter().any(takes) {
        let text = format!("The rules of this installation leave no way for the message in the process {process}.");
        return Err(ApiError::new(kind::SERVICE_NOT_ENABLED, text).described(decision.trail.join(" ")));
    }
    if matches!(answer.source, Source::LastAnswer(_)) {
        let why = "it cannot be asked, and what it said last leaves no way for the message";
        return Err(registry_fault(&RegistryError::Untold(why.into())));
    }
    let why = format!("the receiver does not take the document type {standard} in the process {process}");
    Err(no_way(sbd, &request, why))
}

/// The registry gives nothing for the message.
fn no_way(sbd: &Sbd, request: &Request<'_>, why: String) -> ApiError {
    let process = request.process;
    if request.receiver.is_none() {
        let standard = request.document_type.unwrap_or_default();
        let text = format!("No service here takes {standard} without a receiver in the process {process}.");
        return ApiError::new(kind::SERVICE_NOT_ENABLED, text);
    }
    if !sbd.standard_fits_type() {
        return does_not_fit(sbd);
    }
    let text = format!("The receiver does not accept messages of this type in the process {process}.");
    ApiError::new(kind::RECEIVER_DOES_NOT_ACCEPT, text).described(why)
}

/// The registry gave no answer that says anything about the receiver. Spec: service registry, 10 (19).
pub(super) fn registry_fault(error: &RegistryError) -> ApiError {
    tracing::warn!(%error, "the registry gave no answer that can be used");
    let text = "The service registry gave no answer that can be used; this says nothing about the receiver.";
    ApiError::new(kind::REGISTRY_UNREACHABLE, text).described(error.to_string())
}

/// The channel of the incoming message that a kvittering is about. Spec: documents and packaging, 1.3.
async fn reply_channel(node: &Node, sbd: &Sbd) -> ApiResult<Option<String>> {
    let related = sbd.body().get("relatedToMessageId").and_then(|id| id.as_str());
    match related.filter(|_| sbd.message_type().receipt) {
        None => Ok(None),
        Some(related) => node
            .store
            .channel_of(related)
            .await
            .map_err(|error| ApiError::of_store(&error, related)),
    }
}

fn not_filled(error: &DefaultsError) -> ApiError {
    match error {
        DefaultsError::ChannelName => {
            tracing::error!(%error, "the adapter's channel cannot be used");
            ApiError::new(kind::CHANNEL_INVALID, error.to_string())
        }
        error => ApiError::new(kind::NOT_READABLE, error.to_string()),
    }
}

fn does_not_fit(sbd: &Sbd) -> ApiError {
    let standard = sbd.document_type().map(String::from).unwrap_or_default();
    let text = format!(
        "The document type {standard} does not belong to the message type {}.",
        sbd.message_type().name
    );
    ApiError::new(kind::TYPE_DOES_NOT_FIT, text)
}

fn no_adapter(node: &Node, service: &str) -> ApiError {
    if node.adapters.serving(service).is_some() {
        let text = format!("The adapter of the service {service} is not running at the moment.");
        return ApiError::new(kind::SERVICE_NOT_RUNNING, text);
    }
    ApiError::new(
        kind::SERVICE_NOT_ENABLED,
        format!("The service {service} is not enabled here."),
    )
}
