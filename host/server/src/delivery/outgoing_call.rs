//! One message in the hands of an adapter, for one call of `send`.

use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use budstikke_message::sbd::Sbd;
use budstikke_runtime::services::{DocumentRef, Failure, Outgoing, OutgoingFacts};
use budstikke_store::files::MessageKey;
use budstikke_store::{Claimed, ConversationFacts, Kept, OutgoingMessage, StoreError};

use crate::abilities::documents::{Digests, Doc, VaultFile, blocking, temporary};
use crate::certificates::{Fault, Whose};
use crate::fail_point;
use crate::node::Node;
use crate::registry::{Answer, Capability, Question, RegistryError, Source};
use crate::sealed_sbd;

/// See [`Outgoing`].
pub(crate) struct OutgoingCall {
    node: Arc<Node>,
    facts: OutgoingFacts,
    id: i64,
    lease: i64,
    key: MessageKey,
    sbd: Vec<u8>,
    files: Vec<DocumentRef>,
    checkpoints: Mutex<Vec<(String, Vec<u8>)>>,
    kept: Mutex<Vec<Kept>>,
}

impl OutgoingCall {
    /// Asks the registry where the message goes, and makes its files documents.
    pub(crate) async fn new(node: &Arc<Node>, claimed: Claimed) -> Result<Self, Failure> {
        let Claimed {
            message,
            lease,
            attempt,
            uncertain,
            files,
            checkpoints,
            kept,
            ..
        } = claimed;
        let message_id = message.facts.message_id.clone();
        let sbd = sealed_sbd::open_json(&node.vault, &message_id, &message.sbd).map_err(|error| temporary(&error))?;
        // Answers and receipts have no files, so nothing is sealed to anybody, and their process need not be registered.
        let capability = if files.is_empty() {
            None
        } else {
            match way_of(node, &message, &sbd).await {
                Ok(way) => Some(way),
                // With a checkpoint the message may have arrived already; only the adapter can find out.
                Err(NoWay::Told(_)) if uncertain || !checkpoints.is_empty() => None,
                Err(NoWay::Told(failure) | NoWay::Untold(failure)) => return Err(failure),
            }
        };
        let key = node
            .vault
            .key_of(&message_id, &message.sbd)
            .map_err(|error| temporary(&error))?;
        let documents = files
            .iter()
            .map(|file| Doc::attachment(&node.vault, &key, file))
            .collect();
        let facts = OutgoingFacts {
            message_id,
            conversation_id: message.facts.conversation_id,
            process: message.facts.process,
            document_type: message.facts.document_type,
            message_type: message.message_type,
            service: message.facts.service,
            sender: message.facts.sender,
            receiver: message.facts.receiver.unwrap_or_default(),
            expires: (message.facts.expiry / 1000).max(0).unsigned_abs(),
            attempt,
            uncertain,
            receiver_certificate: capability
                .as_ref()
                .and_then(|capability| capability.certificate.clone()),
            receiver_address: capability
                .map(|capability| capability.address.into_iter().collect())
                .unwrap_or_default(),
            reply_channel: message.reply_channel,
        };
        Ok(Self {
            node: node.clone(),
            facts,
            id: message.id,
            lease,
            key,
            sbd,
            files: documents,
            checkpoints: Mutex::new(checkpoints),
            kept: Mutex::new(kept),
        })
    }

    fn kept_document(&self, kept: &Kept) -> DocumentRef {
        let document = Doc::blob(
            &self.node.vault,
            &self.key,
            &kept.name,
            &kept.media_type,
            &kept.blob,
            kept.size,
        );
        Arc::new(document.digested(Digests {
            md5: kept.md5.clone(),
            sha256: kept.sha256.clone(),
        }))
    }
}

/// What the registry says now of the service that was chosen when the message was created: in between a receiver can have moved or
/// changed its certificate. It is asked the same question as then, so that its answer is of the same service. Spec: service
/// registry, 10 (21).
async fn way_of(node: &Node, message: &OutgoingMessage, sbd: &[u8]) -> Result<Capability, NoWay> {
    let facts = &message.facts;
    let sbd = Sbd::parse(sbd, &node.types).map_err(|error| NoWay::Untold(Failure::temporary(error.to_string())))?;
    let Answer { capabilities, source } = asked_again(node, facts, &sbd)
        .await
        .map_err(|error| NoWay::asked(&error))?;
    let chosen = capabilities.into_iter().find(|capability| is_of(capability, facts));
    let chosen = chosen.ok_or_else(|| NoWay::moved(&facts.document_type, source))?;
    if let Some(certificate) = &chosen.certificate {
        let whose = Whose::of(&chosen, facts.receiver_identifier.as_deref());
        let checked = node.certificates.check(certificate, &whose).await;
        checked.map_err(|fault| NoWay::unsealed(&fault))?;
    }
    Ok(chosen)
}

/// The registry's answer now to the question that it was asked when the message was created.
pub(crate) async fn asked_again(node: &Node, facts: &ConversationFacts, sbd: &Sbd) -> Result<Answer, RegistryError> {
    let Some(receiver) = facts.receiver_identifier.as_deref() else {
        return node.registry.without_receiver(&facts.process).await;
    };
    let question = Question {
        receiver,
        process: Some(&facts.process),
        security_level: sbd.security_level(),
        conversation_id: Some(&facts.conversation_id),
        who: false,
    };
    node.registry.capabilities(question).await
}

/// Whether it is the way of a message.
pub(crate) fn is_of(capability: &Capability, facts: &ConversationFacts) -> bool {
    capability.service == facts.service && capability.document_types.contains(&facts.document_type)
}

/// Why a message has no way now.
enum NoWay {
    /// Nobody could say: it is found out again.
    Untold(Failure),
    /// The registry or the certificate says so.
    Told(Failure),
}

impl NoWay {
    /// There was a way when the message was created. Some registries take a register behind them that is down for a receiver that is
    /// not there, so the message waits. Spec: service registry, 10 (3).
    fn asked(error: &RegistryError) -> Self {
        if error.is_fault() {
            Self::Untold(Failure::temporary(error.to_string()))
        } else {
            let text = format!("there was a way when the message was created; now {error}");
            Self::Told(Failure::temporary(text))
        }
    }

    /// The receiver is there, and does not take the message over the service that was chosen.
    fn moved(document_type: &str, source: Source) -> Self {
        let text = format!("the receiver does not take {document_type} any more");
        match source {
            Source::LastAnswer(_) => {
                let text = format!("{text}, as the registry said when it could last be asked");
                Self::Untold(Failure::temporary(text))
            }
            _ => Self::Told(Failure::permanent("receiver", text)),
        }
    }

    fn unsealed(fault: &Fault) -> Self {
        let text = format!("the certificate of the receiver cannot be used: {fault}");
        match fault {
            fault if fault.may_pass() => Self::Untold(Failure::temporary(text)),
            // A receiver whose certificate has ended registers the next one.
            Fault::NotValidNow { .. } => Self::Told(Failure::temporary(text)),
            _ => Self::Told(Failure::permanent("certificate", text)),
        }
    }
}

/// A file that did not survive, and not one that cannot be reached now.
fn is_gone(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::NotFound | io::ErrorKind::InvalidData | io::ErrorKind::UnexpectedEof
    )
}

fn stored(error: &StoreError) -> Failure {
    Failure::temporary(error.to_string())
}

#[async_trait]
impl Outgoing for OutgoingCall {
    fn facts(&self) -> &OutgoingFacts {
        &self.facts
    }

    async fn sbd(&self) -> Result<Vec<u8>, Failure> {
        Ok(self.sbd.clone())
    }

    fn files(&self) -> Vec<DocumentRef> {
        self.files.clone()
    }

    fn checkpoint(&self, name: &str) -> Option<Vec<u8>> {
        let checkpoints = self.checkpoints.lock().unwrap_or_else(PoisonError::into_inner);
        checkpoints
            .iter()
            .find(|(saved, _)| saved == name)
            .map(|(_, value)| value.clone())
    }

    async fn save_checkpoint(&self, name: &str, value: Vec<u8>) -> Result<(), Failure> {
        self.node
            .store
            .save_checkpoint(self.id, self.lease, name.to_owned(), value.clone())
            .await
            .map_err(|error| stored(&error))?;
        let mut checkpoints = self.checkpoints.lock().unwrap_or_else(PoisonError::into_inner);
        checkpoints.retain(|(saved, _)| saved != name);
        checkpoints.push((name.to_owned(), value));
        fail_point::reached("send.after-checkpoint");
        Ok(())
    }

    async fn keep(&self, name: &str, document: DocumentRef) -> Result<DocumentRef, Failure> {
        let known = {
            let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
            kept.iter().find(|kept| kept.name == name).cloned()
        };
        if let Some(known) = known {
            // The row says that it was computed; only the file can say that it survived.
            let (vault, key, blob) = (self.node.vault.clone(), self.key.clone(), known.blob.clone());
            match blocking(move || vault.read(&key, &blob).map(drop)).await {
                Ok(()) => return Ok(self.kept_document(&known)),
                Err(error) if is_gone(&error) => {}
                // Made anew it would be another one than the service was told of, and may be waiting for.
                Err(error) => return Err(temporary(&error)),
            }
        }
        let (vault, key, recipe) = (self.node.vault.clone(), self.key.clone(), Doc::from_ref(document)?);
        let media_type = recipe.media_type.clone();
        let (file, digests) = blocking(move || recipe.compute(&vault, &key))
            .await
            .map_err(|error| temporary(&error))?;
        let kept = Kept {
            name: name.to_owned(),
            blob: file.name().to_owned(),
            media_type,
            size: file.size(),
            md5: digests.md5.clone(),
            sha256: digests.sha256.clone(),
        };
        let small = file.small().map(<[u8]>::to_vec);
        let in_memory = small.is_some();
        let saved = self
            .node
            .store
            .save_kept(self.id, self.lease, kept.clone(), small)
            .await;
        if saved.as_ref().map_or_else(StoreError::is_unclear, |()| true) {
            file.claim();
        }
        saved.map_err(|error| stored(&error))?;
        // A small one is still in memory, and need not be asked of the store.
        let document: DocumentRef = if in_memory {
            let key = self.key.clone();
            let document = Doc::received(&self.node.vault, name, &kept.media_type, VaultFile { file, key });
            Arc::new(document.digested(digests))
        } else {
            self.kept_document(&kept)
        };
        let mut all = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        all.retain(|other| other.name != name);
        all.push(kept);
        fail_point::reached("send.after-keep");
        Ok(document)
    }

    async fn forget(&self, name: &str) {
        self.kept
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .retain(|kept| kept.name != name);
        if let Err(error) = self.node.store.forget_kept(self.id, self.lease, name.to_owned()).await {
            tracing::warn!(%error, name, "what was kept could not be forgotten");
        }
    }
}
