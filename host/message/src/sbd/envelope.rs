//! The values of a message that the rest of the program goes by.

use super::{HEADER, Sbd};
use crate::datetime::DateTime;
use crate::identifier::{ConversationId, DocumentType, Identifier, MessageId, ProcessId};
use crate::violation::Violation;

/// A complete header, read into types that can only be right.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Envelope {
    /// The id of the message.
    pub message_id: MessageId,
    /// The id that it shares with its replies.
    pub conversation_id: ConversationId,
    /// The context that it is sent in.
    pub process: ProcessId,
    /// The full document type.
    pub document_type: DocumentType,
    /// The name of the message type.
    pub message_type: String,
    /// Who sends it.
    pub sender: Identifier,
    /// Who receives it. Only message types that allow it come without one.
    pub receiver: Option<Identifier>,
    /// When it was made.
    pub created: DateTime,
    /// When it is too old to be delivered.
    pub expires: DateTime,
    /// The channel that it is for.
    pub channel: Option<String>,
}

impl Sbd {
    /// The complete header, or what it lacks. Does not look at the time; see [`Sbd::validate`].
    pub fn envelope(&self) -> Result<Envelope, Vec<Violation>> {
        let mut missing = Vec::new();
        let message_id = need(
            self.message_id(),
            "documentIdentification.instanceIdentifier",
            &mut missing,
        );
        let document_type = need(self.document_type(), "documentIdentification.standard", &mut missing);
        let created = need(
            self.created().cloned(),
            "documentIdentification.creationDateAndTime",
            &mut missing,
        );
        let sender = need(self.sender(), "sender", &mut missing);
        let conversation_id = need(self.conversation_id(), "businessScope.scope", &mut missing);
        let process = need(self.process(), "businessScope.scope", &mut missing);
        let expires = need(self.expires().cloned(), "businessScope.scope", &mut missing);
        let receiver = self.receiver();
        let none_named = self.header.receiver.is_empty() && self.kind.receiver_optional;
        if receiver.is_none() && !none_named {
            need::<()>(None, "receiver", &mut missing);
        }
        let (Some(message_id), Some(document_type), Some(created), Some(sender)) =
            (message_id, document_type, created, sender)
        else {
            return Err(missing);
        };
        let (Some(conversation_id), Some(process), Some(expires), true) =
            (conversation_id, process, expires, missing.is_empty())
        else {
            return Err(missing);
        };
        Ok(Envelope {
            message_id,
            conversation_id,
            process,
            document_type,
            message_type: self.kind.name.clone().into_owned(),
            sender,
            receiver,
            created,
            expires,
            channel: self.message_channel().map(str::to_owned),
        })
    }
}

fn need<T>(value: Option<T>, field: &str, missing: &mut Vec<Violation>) -> Option<T> {
    if value.is_none() {
        let field = format!("{HEADER}.{field}");
        if !missing.iter().any(|violation| violation.field == field) {
            missing.push(Violation::missing(field));
        }
    }
    value
}
