//! The Standard Business Document: a header that says who, what and when, and one business message.
//!
//! [`Sbd::parse`] takes what has the right structure and keeps it as written; [`Sbd::validate`] and
//! [`Sbd::validate_body`] list the rules that it breaks; [`Sbd::fill_defaults`] adds what the client left out; then
//! [`Sbd::envelope`] gives the values that the rest of the program goes by. Spec: documents and packaging, 1.

mod attached;
mod compose;
mod defaults;
mod envelope;
mod error;
mod header;
mod json;
mod read;
mod report;
mod scope;
mod size;
mod validate;

use std::fmt;

use serde::ser::{Serialize, SerializeMap, Serializer};
use serde_json::{Map, Value};

use crate::body;
use crate::datetime::DateTime;
use crate::document_type::MessageType;
use crate::identifier::{ConversationId, DocumentType, Identifier, MessageId, ProcessId};

pub use attached::AttachedError;
pub use compose::{Composition, ReplyError};
pub use defaults::{CHANNEL_MAX_BYTES, DefaultsError};
pub use envelope::Envelope;
pub use error::{Kind, SbdError};
pub use read::MAX_BYTES;
pub use report::Report;
pub use scope::{Scope, ScopeKind};

use header::{DocumentIdentification, Header, Partner};

/// The member name of the header.
const HEADER: &str = "standardBusinessDocumentHeader";

/// One message as it travels. `Debug` shows neither the content nor the parties.
#[derive(Clone, PartialEq)]
pub struct Sbd {
    header: Header,
    kind: MessageType,
    body: Map<String, Value>,
}

impl Sbd {
    /// The kind of message, by the member name of its body.
    pub fn message_type(&self) -> &MessageType {
        &self.kind
    }

    /// The business message.
    pub fn body(&self) -> &Map<String, Value> {
        &self.body
    }

    /// The business message, to be filled from the registry.
    pub fn body_mut(&mut self) -> &mut Map<String, Value> {
        &mut self.body
    }

    /// The id of the message, if it is given and a UUID.
    pub fn message_id(&self) -> Option<MessageId> {
        self.identification()?.instance_identifier.as_deref()?.parse().ok()
    }

    /// The full document type, if it is given.
    pub fn document_type(&self) -> Option<DocumentType> {
        self.identification()?.standard.as_deref()?.parse().ok()
    }

    /// When the message was made, if that is given.
    pub fn created(&self) -> Option<&DateTime> {
        self.identification()?.creation_date_and_time.as_ref()
    }

    /// The id of the conversation, if it is given and a UUID.
    pub fn conversation_id(&self) -> Option<ConversationId> {
        self.scope(ScopeKind::ConversationId)?
            .instance_identifier()?
            .parse()
            .ok()
    }

    /// The process, if it is given.
    pub fn process(&self) -> Option<ProcessId> {
        self.scope(ScopeKind::ConversationId)?.identifier()?.parse().ok()
    }

    /// When the message is too old to be delivered, as the client wrote it.
    pub fn expires(&self) -> Option<&DateTime> {
        self.scope(ScopeKind::ConversationId)?.expected_response()
    }

    /// The channel that the message is for, if it names one.
    pub fn message_channel(&self) -> Option<&str> {
        self.scope(ScopeKind::MessageChannel)?
            .identifier()
            .filter(|channel| !channel.is_empty())
    }

    /// The first scope of a kind.
    pub fn scope(&self, kind: ScopeKind) -> Option<&Scope> {
        self.scopes().iter().find(|scope| scope.kind() == Some(kind))
    }

    /// Every scope, in the order of the message.
    pub fn scopes(&self) -> &[Scope] {
        self.header.business_scope.as_ref().map_or(&[], |scopes| &scopes.scope)
    }

    /// The sender, if it is given and an identifier.
    pub fn sender(&self) -> Option<Identifier> {
        self.header.sender.first().and_then(Partner::identifier)
    }

    /// The receiver, if it is given and an identifier.
    pub fn receiver(&self) -> Option<Identifier> {
        self.header.receiver.first().and_then(Partner::identifier)
    }

    /// Puts another sender in place of the given one.
    pub fn set_sender(&mut self, sender: &Identifier) {
        self.header.sender = vec![Partner::from(sender)];
    }

    /// Puts another receiver in place of the given one.
    pub fn set_receiver(&mut self, receiver: &Identifier) {
        self.header.receiver = vec![Partner::from(receiver)];
    }

    /// The name of the primary document's file, if the body gives one.
    pub fn primary_document(&self) -> Option<&str> {
        self.body.get("hoveddokument")?.as_str()
    }

    /// The security level that the registry is asked with. Only message types that say so have one.
    pub fn security_level(&self) -> Option<u8> {
        let level = self.body.get("sikkerhetsnivaa").filter(|_| self.kind.security_level)?;
        body::integer(level).and_then(|level| u8::try_from(level).ok())
    }

    /// Whether `standard` ends in `::` and the message type, as it must. Spec: documents and packaging, 1.5 (7).
    pub fn standard_fits_type(&self) -> bool {
        self.document_type()
            .is_some_and(|standard| standard.fits(&self.kind.name))
    }

    /// The message as indented JSON, the header first.
    pub fn to_json(&self) -> Result<Vec<u8>, SbdError> {
        serde_json::to_vec_pretty(self).map_err(|error| SbdError::Write(error.to_string()))
    }

    fn identification(&self) -> Option<&DocumentIdentification> {
        self.header.document_identification.as_ref()
    }
}

impl Serialize for Sbd {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut members = serializer.serialize_map(Some(2))?;
        members.serialize_entry(HEADER, &self.header)?;
        members.serialize_entry(&self.kind.name, &self.body)?;
        members.end()
    }
}

impl fmt::Debug for Sbd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sbd")
            .field("message_type", &self.kind.name)
            .field("message_id", &self.message_id())
            .field("conversation_id", &self.conversation_id())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
