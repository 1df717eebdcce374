//! Messages that the integrasjonspunkt writes itself: statuses, receipts and converted incoming messages.

use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::Sbd;
use super::defaults::after;
use super::header::{BusinessScope, DocumentIdentification, Header, Partner};
use super::scope::{Scope, ScopeKind};
use crate::datetime::DateTime;
use crate::document_type::{ARKIVMELDING_KVITTERING, MessageType, STATUS};
use crate::identifier::{ConversationId, DocumentType, Identifier, MessageId, ProcessId};
use crate::process::{self, Processes};
use crate::status::Status;

/// How long ago our own messages were made, so that a receiver whose clock is behind does not see them in the future.
const CREATED_BEFORE: Duration = Duration::from_secs(5);

/// What a message of our own is made of.
#[derive(Clone)]
pub struct Composition {
    /// The kind of message.
    pub message_type: MessageType,
    /// The full document type.
    pub document_type: DocumentType,
    /// The context.
    pub process: ProcessId,
    /// Who sends it.
    pub sender: Identifier,
    /// Who receives it.
    pub receiver: Option<Identifier>,
    /// The id of the message.
    pub message_id: MessageId,
    /// The id of the conversation.
    pub conversation_id: ConversationId,
    /// The channel, if it is for one.
    pub channel: Option<String>,
    /// The business message.
    pub body: Map<String, Value>,
}

/// Why no reply can be written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReplyError {
    /// The message type has no process for statuses.
    #[error("messages of type '{0}' are not answered with statuses")]
    NoResponseProcess(String),
    /// The message lacks something that the reply needs.
    #[error("the message cannot be answered: it has no valid {0}")]
    Incomplete(&'static str),
    /// A name of our own tables is not right.
    #[error("the table of message types or processes is wrong: {0}")]
    Table(#[from] crate::identifier::NameError),
}

impl Sbd {
    /// Writes a message of our own: made five seconds ago, valid for `ttl`. Spec: documents and packaging, 1.4.
    pub fn compose(parts: Composition, now: Timestamp, ttl: Duration) -> Self {
        let mut conversation = Scope::new(
            ScopeKind::ConversationId,
            parts.conversation_id.into(),
            Some(parts.process.into()),
        );
        conversation.set_expected_response(DateTime::in_oslo(after(now, ttl)));
        let channel = parts
            .channel
            .map(|name| Scope::new(ScopeKind::MessageChannel, Uuid::new_v4().to_string(), Some(name)));
        let created = now.checked_sub(CREATED_BEFORE).unwrap_or(now);
        let identification = DocumentIdentification {
            standard: Some(parts.document_type.into()),
            type_version: Some("2.0".to_owned()),
            instance_identifier: Some(parts.message_id.into()),
            kind: Some(parts.message_type.name.clone().into_owned()),
            multiple_type: None,
            creation_date_and_time: Some(DateTime::in_oslo(created)),
        };
        let header = Header {
            header_version: Some("1.0".to_owned()),
            sender: vec![Partner::from(&parts.sender)],
            receiver: parts.receiver.iter().map(Partner::from).collect(),
            document_identification: Some(identification),
            manifest: None,
            business_scope: Some(BusinessScope {
                scope: std::iter::once(conversation).chain(channel).collect(),
            }),
        };
        Self {
            header,
            kind: parts.message_type,
            body: parts.body,
        }
    }

    /// The status message that tells the sender how far this message has come: same message and conversation id, parties
    /// swapped, in the response process. That is the one that the operator gives for the process of the message, else that
    /// of the message type's family, else that of the process's. Spec: documents and packaging, 12.1.
    pub fn status_reply(
        &self,
        status: Status,
        processes: &Processes,
        now: Timestamp,
        ttl: Duration,
    ) -> Result<Self, ReplyError> {
        let no_process = || ReplyError::NoResponseProcess(self.kind.name.clone().into_owned());
        if self.kind.name == STATUS.name {
            return Err(no_process());
        }
        let given = self.process();
        let given = given.as_ref().map(ProcessId::as_str).unwrap_or_default();
        let family = self.kind.family.or_else(|| Some(process::known(given)?.family));
        let process = processes
            .response_to(given)
            .or_else(|| family?.status_process())
            .ok_or_else(no_process)?;
        let message_id = self.message_id().ok_or(ReplyError::Incomplete("message id"))?;
        let mut reply = self.reply(&STATUS, process, message_id, json!({ "status": status.name() }))?;
        reply.channel = self.message_channel().map(str::to_owned);
        Ok(Self::compose(reply, now, ttl))
    }

    /// The receipt that is put on the local queue when the service says that an arkivmelding has been delivered or read: from
    /// the receiver, in the same conversation, with a message id of its own. Spec: documents and packaging, 12.2.
    pub fn arkivmelding_receipt(
        &self,
        processes: &Processes,
        now: Timestamp,
        ttl: Duration,
    ) -> Result<Self, ReplyError> {
        let related = self.message_id().ok_or(ReplyError::Incomplete("message id"))?;
        let body = json!({ "receiptType": "OK", "relatedToMessageId": related.as_str() });
        let given = self.process();
        let own = given.as_ref().and_then(|given| processes.response_to(given.as_str()));
        let process = own.unwrap_or(process::ARKIVMELDING_RESPONSE);
        let reply = self.reply(&ARKIVMELDING_KVITTERING, process, MessageId::random(), body)?;
        Ok(Self::compose(reply, now, ttl))
    }

    fn reply(
        &self,
        kind: &MessageType,
        process: &str,
        message_id: MessageId,
        body: Value,
    ) -> Result<Composition, ReplyError> {
        Ok(Composition {
            message_type: kind.clone(),
            document_type: kind.standard.parse()?,
            process: process.parse()?,
            sender: self.receiver().ok_or(ReplyError::Incomplete("receiver"))?,
            receiver: Some(self.sender().ok_or(ReplyError::Incomplete("sender"))?),
            message_id,
            conversation_id: self
                .conversation_id()
                .ok_or(ReplyError::Incomplete("conversation id"))?,
            channel: None,
            body: match body {
                Value::Object(members) => members,
                _ => Map::new(),
            },
        })
    }
}
