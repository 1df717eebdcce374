//! The road in: takes what an adapter hands over. Returns after the commit. Spec: documents and packaging, 11.4.

use std::io;
use std::sync::Arc;

use budstikke_message::asic::{self, AsicLimits};
use budstikke_message::cms::{CmsError, EnvelopeReader};
use budstikke_message::sbd::Sbd;
use budstikke_message::status::Status;
use budstikke_runtime::services::{Delivery, DocumentRef, Failure};
use budstikke_store::{About, Arrival, ConversationFacts, NewStatus, StoreError, StoredFile};
use serde_json::Value;

use super::answer::status_answer;
use super::sender::EXPIRED;
use crate::abilities::documents::{Doc, VaultFile, blocking, temporary};
use crate::fail_point;
use crate::node::Node;
use crate::sealed_sbd;

/// How large the content of a package may be when it arrives: so many times its sealed size, and at least so many bytes.
/// Deflate does better only on content that was made to.
const INFLATION: u64 = 200;
const SMALL: u64 = 64 << 20;

/// One thing that an adapter hands over.
pub struct Handover<'a> {
    /// Service it came over.
    pub service: &'a str,
    /// The service's own name of the transfer.
    pub reference: &'a str,
    /// The SBD as it came.
    pub sbd: &'a [u8],
    /// The ASiC-E, sealed to us.
    pub package: Option<DocumentRef>,
    /// Whose it is.
    pub origin: Origin,
}

/// Who made an SBD that is handed over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// Somebody else, and it came over the service.
    Service,
    /// The adapter itself: nobody is waiting for an answer, and what it says is registered already.
    Adapter,
}

/// `exchange.deliver`. A permanent failure means that it is no message: the adapter sets the whole transfer aside.
pub async fn deliver(node: &Arc<Node>, handover: Handover<'_>) -> Result<Delivery, Failure> {
    fail_point::reached("receive.before-deliver");
    let sbd = Sbd::parse(handover.sbd, &node.types).map_err(|error| Failure::permanent("sbd", error.to_string()))?;
    if sbd.message_type().name == "status" {
        return register_status(node, &handover, &sbd).await;
    }
    let facts = complete(node, &sbd, handover.service).ok_or_else(|| {
        let text = "the header lacks one of: message id, conversation id, process, standard, sender, receiver";
        Failure::permanent("sbd", text)
    })?;
    // Looked up before the package is stored: a repeated transfer must not touch what is there.
    if node
        .store
        .was_received(handover.service, &facts.message_id)
        .await
        .map_err(|error| stored(&error))?
    {
        tracing::info!(message_id = facts.message_id, "received before; nothing changes");
        return node
            .store
            .arrive(arrival(node, &sbd, facts, &handover, None, true)?)
            .await
            .map(|_| Delivery::AlreadyKnown)
            .map_err(|error| stored(&error));
    }
    told_of_its_schema(&sbd, &facts.message_id);
    let expired = facts.expiry < Node::now();
    let kept = match &handover.package {
        Some(package) if !expired => Some(keep_package(node, package.clone()).await?),
        _ => None,
    };
    fail_point::reached("receive.after-package");
    let message_id = facts.message_id.clone();
    let arrival = arrival(node, &sbd, facts, &handover, kept.as_deref(), !expired)?;
    let arrived = node.store.arrive(arrival).await;
    if let Some(kept) = &kept
        && arrived.as_ref().map_or_else(StoreError::is_unclear, |_| true)
    {
        kept.file.claim();
    }
    let new = arrived.map_err(|error| stored(&error))?;
    fail_point::reached("receive.after-commit");
    node.queued.notify_waiters();
    tracing::info!(message_id, new, expired, "received");
    Ok(match (new, expired) {
        (false, _) => Delivery::AlreadyKnown,
        (true, true) => Delivery::Expired,
        (true, false) => Delivery::New,
    })
}

/// A body that breaks the schema of its type is the sender's fault; the fagsystem gets it all the same. The members at
/// fault stay out of the log: their names can be content.
fn told_of_its_schema(sbd: &Sbd, message_id: &str) {
    let row = sbd.message_type();
    let Some(schema) = &row.schema else { return };
    let found = schema.check(sbd.body(), &row.name);
    if let Some(first) = found.first() {
        let (message_type, violations) = (&*row.name, found.len());
        tracing::warn!(
            message_id,
            message_type,
            violations,
            first = first.code,
            "a received message does not match the schema of its type; it is delivered all the same"
        );
    }
}

fn stored(error: &StoreError) -> Failure {
    Failure::temporary(error.to_string())
}

/// The header must be whole; only the end of its life may be missing, and is then ours to set.
fn complete(node: &Node, sbd: &Sbd, service: &str) -> Option<ConversationFacts> {
    let (sender, receiver) = (sbd.sender()?, sbd.receiver()?);
    let end = sbd.expires().map_or_else(
        || Node::now() + i64::from(node.settings.lifetime_hours) * 3_600_000,
        |expires| expires.instant().as_millisecond(),
    );
    Some(ConversationFacts {
        message_id: sbd.message_id()?.as_str().to_owned(),
        conversation_id: sbd.conversation_id()?.as_str().to_owned(),
        sender: sender.as_str().to_owned(),
        sender_identifier: sender.primary().to_owned(),
        receiver: Some(receiver.as_str().to_owned()),
        receiver_identifier: Some(receiver.primary().to_owned()),
        process: sbd.process()?.as_str().to_owned(),
        document_type: sbd.document_type()?.as_str().to_owned(),
        service: service.to_owned(),
        channel: sbd.message_channel().map(ToOwned::to_owned),
        expiry: end,
    })
}

fn arrival(
    node: &Node,
    sbd: &Sbd,
    facts: ConversationFacts,
    handover: &Handover<'_>,
    package: Option<&VaultFile>,
    queue: bool,
) -> Result<Arrival, Failure> {
    let now = Node::now();
    let foreign = handover.origin == Origin::Service;
    let answered = queue
        && foreign
        && node
            .rules(handover.service)
            .is_some_and(|rules| rules.answers_with_status);
    let mut statuses = vec![NewStatus::plain(Status::Opprettet, now)];
    statuses.push(if queue {
        NewStatus::plain(Status::InnkommendeMottatt, now)
    } else {
        NewStatus::plain(Status::LevetidUtlopt, now).saying(EXPIRED)
    });
    Ok(Arrival {
        message_type: sbd.message_type().name.to_string(),
        sbd: match package {
            Some(package) => sealed_sbd::seal_with(&node.vault, &package.key, &facts.message_id, sbd),
            None => sealed_sbd::seal(&node.vault, &facts.message_id, sbd),
        }
        .map_err(|error| temporary(&error))?,
        package: package.map(|package| StoredFile::from(&package.file)),
        statuses,
        queue,
        answer: answered
            .then(|| status_answer(node, sbd, handover.service, Status::Mottatt))
            .flatten(),
        related: foreign.then(|| related(sbd, handover.service, now)).flatten(),
        reference: handover.reference.to_owned(),
        facts,
        now,
    })
}

/// A receipt is a status of the message that it is about. Spec: DPO and DPV, 2.4.
fn related(sbd: &Sbd, service: &str, now: i64) -> Option<(About, NewStatus)> {
    let report = sbd.report()?;
    let sender = sbd.sender()?.primary().to_owned();
    let raw = Value::Object(sbd.body().clone()).to_string();
    let status = NewStatus {
        description: report.description,
        ..NewStatus::plain(report.status, now)
    };
    let about = About {
        message_id: report.message_id.as_str().to_owned(),
        service: service.to_owned(),
        sender,
    };
    Some((about, status.with_receipt(raw)))
}

async fn register_status(node: &Arc<Node>, handover: &Handover<'_>, sbd: &Sbd) -> Result<Delivery, Failure> {
    let report = sbd
        .report()
        .ok_or_else(|| Failure::permanent("sbd", "the status message lacks a message id, or a status that exists"))?;
    let (message_id, status) = (report.message_id.as_str(), report.status);
    let sender = sbd
        .sender()
        .map(|sender| sender.primary().to_owned())
        .unwrap_or_default();
    let about = About {
        message_id: message_id.to_owned(),
        service: handover.service.to_owned(),
        sender,
    };
    let known = node
        .store
        .arrive_status(handover.reference, about, NewStatus::plain(status, Node::now()))
        .await
        .map_err(|error| stored(&error))?;
    if known {
        tracing::info!(message_id, %status, "status received");
    } else {
        tracing::warn!(message_id, %status, "a status came for no message that we sent to its sender");
    }
    Ok(Delivery::Status)
}

/// Puts the package into the vault as it came, and looks whether it opens and holds what it says.
async fn keep_package(node: &Arc<Node>, package: DocumentRef) -> Result<Arc<VaultFile>, Failure> {
    let package = Doc::from_ref(package)?;
    let (vault, identity) = (node.vault.clone(), node.identity.clone());
    let kept = blocking(move || {
        let kept = package.in_vault(&vault)?;
        let size = kept.file.size().saturating_mul(INFLATION).max(SMALL);
        let opened = match EnvelopeReader::open(vault.read_new(&kept.key, &kept.file)?, &identity) {
            Ok(content) => asic::verify(content, AsicLimits::of_total(size)).map(drop),
            Err(CmsError::Io(error)) => return Err(error),
            Err(error) => return Ok(Err(error.to_string())),
        };
        match opened {
            Ok(()) => Ok(Ok(kept)),
            // A fault of our own disk says nothing about the package.
            Err(error) if error.is_io() => Err(io::Error::other(error.without_names())),
            // The texts of these errors can hold file names, which are content.
            Err(error) => Ok(Err(error.without_names())),
        }
    });
    let kept = kept.await.map_err(|error| temporary(&error))?;
    kept.map_err(|reason| Failure::permanent("package", format!("the package cannot be used: {reason}")))
}
