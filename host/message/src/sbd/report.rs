//! What an incoming status or receipt says about a message that was sent.

use serde_json::Value;

use super::Sbd;
use crate::document_type::{ARKIVMELDING_KVITTERING, STATUS};
use crate::identifier::MessageId;
use crate::status::Status;

/// News about a message that was sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// The message that it is about.
    pub message_id: MessageId,
    /// What has become of it.
    pub status: Status,
    /// Words for the conversation, if there are any.
    pub description: Option<String>,
}

/// What each type of receipt says. Any other type counts as read. Spec: documents and packaging, 11.3.
const RECEIPT_TYPES: [(&str, Status); 4] = [
    ("OK", Status::Lest),
    ("WARNING", Status::Lest),
    ("ERROR", Status::Feil),
    ("NOTSUPPORTED", Status::Feil),
];

impl Sbd {
    /// What this message says about one that was sent, when it is a `status` (about the message with the same id) or an
    /// `arkivmelding_kvittering` (about the message that it names). `None` for other messages, and for a status or a message
    /// id that cannot be read. Spec: documents and packaging, 11.3 and 11.4.
    pub fn report(&self) -> Option<Report> {
        let text = |name: &str| self.body.get(name).and_then(Value::as_str);
        if self.kind.name == STATUS.name {
            let status = text("status")?.parse().ok()?;
            return Some(Report {
                message_id: self.message_id()?,
                status,
                description: None,
            });
        }
        if self.kind.name != ARKIVMELDING_KVITTERING.name {
            return None;
        }
        let message_id = text("relatedToMessageId")?.parse().ok()?;
        let given = text("receiptType");
        let known = RECEIPT_TYPES.iter().find(|(name, _)| given == Some(name));
        let (name, status) = known.copied().unwrap_or(("ukjent", Status::Lest));
        Some(Report {
            message_id,
            status,
            description: Some(format!("ArkivmeldingKvittering: {name}")),
        })
    }
}
