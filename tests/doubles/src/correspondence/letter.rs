//! One letter and its life (Spec: DPO and DPV, 4.9).

use std::path::{Path, PathBuf};
use std::{fs, io};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::organisation::Organisation;

/// Status of a letter, as Altinn writes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum CorrespondenceStatus {
    /// Taken in, and not yet scanned.
    Initialized,
    /// Waits for its publish time.
    ReadyForPublish,
    /// The recipient can read it.
    Published,
    /// The recipient has looked at its data.
    Fetched,
    /// Opened.
    Read,
    /// Answered.
    Replied,
    /// Confirmed.
    Confirmed,
    /// Deleted by the recipient.
    PurgedByRecipient,
    /// Deleted by Altinn.
    PurgedByAltinn,
    /// Put away.
    Archived,
    /// Not delivered: the recipient has reserved.
    Reserved,
    /// Not delivered, such as for malware.
    Failed,
    /// The recipient has downloaded the files.
    AttachmentsDownloaded,
}

impl CorrespondenceStatus {
    /// Whether the letter is gone.
    pub(crate) fn is_purged(self) -> bool {
        matches!(self, Self::PurgedByRecipient | Self::PurgedByAltinn)
    }
}

/// A file that came with a letter.
#[derive(Clone, Debug)]
pub struct ReceivedFile {
    /// Altinn's id of the attachment.
    pub id: Uuid,
    /// Name of the part of the form.
    pub field: String,
    /// File name of the part.
    pub name: String,
    /// `Content-Type` of the part, if it has one.
    pub media_type: Option<String>,
    /// Bytes.
    pub size: u64,
    pub(crate) path: PathBuf,
}

impl ReceivedFile {
    /// The bytes.
    ///
    /// # Errors
    /// The file is gone.
    pub fn read(&self) -> io::Result<Vec<u8>> {
        fs::read(&self.path)
    }

    /// Where the bytes are.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

/// A letter as it was when asked for.
#[derive(Clone, Debug)]
pub struct Correspondence {
    /// Altinn's id.
    pub id: Uuid,
    /// The organisation that got past the proxy.
    pub consumer: Organisation,
    /// Resource that it was sent under.
    pub resource: String,
    /// The sender's own reference.
    pub senders_reference: String,
    /// The key that makes a repetition known.
    pub idempotent_key: Option<Uuid>,
    /// The recipient, as a URN.
    pub recipient: String,
    /// Status.
    pub status: CorrespondenceStatus,
    /// Since when.
    pub status_changed: Timestamp,
    /// All statuses with their times, oldest first.
    pub history: Vec<(CorrespondenceStatus, Timestamp)>,
    /// When it came in.
    pub created: Timestamp,
    /// When it was published.
    pub published: Option<Timestamp>,
    /// When it was opened.
    pub read: Option<Timestamp>,
    /// The text parts of the form, as they came and in their order.
    pub fields: Vec<(String, String)>,
    /// The files of the form, in their order.
    pub files: Vec<ReceivedFile>,
}

impl Correspondence {
    /// The value of the first text part of this name. Case does not matter, as at Altinn.
    pub fn field(&self, name: &str) -> Option<&str> {
        let mut named = self.fields.iter().filter(|(field, _)| field.eq_ignore_ascii_case(name));
        named.next().map(|(_, value)| value.as_str())
    }

    pub(crate) fn become_status(&mut self, status: CorrespondenceStatus) {
        let now = Timestamp::now();
        match status {
            CorrespondenceStatus::Published => self.published = Some(now),
            CorrespondenceStatus::Read => {
                self.published.get_or_insert(now);
                self.read = Some(now);
            }
            _ => {}
        }
        self.status = status;
        self.status_changed = now;
        self.history.push((status, now));
    }
}
