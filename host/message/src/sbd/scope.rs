//! The scopes of a message: which conversation it belongs to, what it refers to, which channel it is for.

use serde::Serialize;

use super::header::as_written;
use crate::datetime::DateTime;

/// What a scope is about. Spec: documents and packaging, 1.3.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ScopeKind {
    /// The conversation, its process and the deadline of the message.
    ConversationId,
    /// An id of the sender's archive, for the log.
    JournalpostId,
    /// The message that this one belongs under.
    ParentId,
    /// The sender's reference.
    SenderRef,
    /// The receiver's reference, when this is an answer.
    ReceiverRef,
    /// The channel that the message is for.
    MessageChannel,
}

/// Each kind with its name and its older name in capitals.
const NAMES: [(ScopeKind, &str, &str); 6] = [
    (ScopeKind::ConversationId, "ConversationId", "CONVERSATION_ID"),
    (ScopeKind::JournalpostId, "JournalpostId", "JOURNALPOST_ID"),
    (ScopeKind::ParentId, "ParentId", "PARENT_ID"),
    (ScopeKind::SenderRef, "SenderRef", "SENDER_REF"),
    (ScopeKind::ReceiverRef, "ReceiverRef", "RECEIVER_REF"),
    (ScopeKind::MessageChannel, "MessageChannel", "MESSAGE_CHANNEL"),
];

impl ScopeKind {
    /// The kind with this name, in either form.
    pub fn named(text: &str) -> Option<Self> {
        NAMES
            .iter()
            .find(|(_, name, capitals)| *name == text || *capitals == text)
            .map(|(kind, ..)| *kind)
    }

    /// The name on the wire.
    pub fn name(self) -> &'static str {
        NAMES
            .iter()
            .find(|(kind, ..)| *kind == self)
            .map_or("", |(_, name, _)| name)
    }

    /// The names of all kinds, for error texts.
    pub(super) fn all_names() -> String {
        NAMES.map(|(_, name, _)| name).join(", ")
    }
}

/// One scope, as written.
#[derive(Clone, PartialEq, Default, Serialize)]
#[serde(rename_all = "camelCase")]
#[expect(clippy::struct_field_names, reason = "the names of the wire format")]
pub struct Scope {
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    pub(super) kind: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) instance_identifier: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) identifier: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) scope_information: Vec<ScopeInformation>,
}

/// The times that belong to a scope.
#[derive(Clone, PartialEq, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ScopeInformation {
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "as_written")]
    pub(super) requesting_document_creation_date_time: Option<DateTime>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) requesting_document_instance_identifier: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "as_written")]
    pub(super) expected_response_date_time: Option<DateTime>,
}

impl Scope {
    pub(super) fn new(kind: ScopeKind, instance_identifier: String, identifier: Option<String>) -> Self {
        Self {
            kind: Some(kind.name().to_owned()),
            instance_identifier: Some(instance_identifier),
            identifier,
            scope_information: Vec::new(),
        }
    }

    /// What the scope is about, if its type is known.
    pub fn kind(&self) -> Option<ScopeKind> {
        self.kind.as_deref().and_then(ScopeKind::named)
    }

    /// The id or reference, if it is given.
    pub fn instance_identifier(&self) -> Option<&str> {
        self.instance_identifier.as_deref()
    }

    /// The process or channel, if it is given.
    pub fn identifier(&self) -> Option<&str> {
        self.identifier.as_deref()
    }

    /// The deadline, if it is given. Only the first entry of `scopeInformation` counts.
    pub fn expected_response(&self) -> Option<&DateTime> {
        self.scope_information.first()?.expected_response_date_time.as_ref()
    }

    pub(super) fn set_expected_response(&mut self, deadline: DateTime) {
        if self.scope_information.is_empty() {
            self.scope_information.push(ScopeInformation::default());
        }
        if let Some(first) = self.scope_information.first_mut() {
            first.expected_response_date_time = Some(deadline);
        }
    }
}
