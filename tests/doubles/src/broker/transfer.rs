//! One file transfer and its life (Spec: DPO and DPV, 2.4 and 2.5).

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::{fmt, fs, io};

use jiff::Timestamp;
use serde::Serialize;
use uuid::Uuid;

use crate::configuration::Limits;
use crate::organisation::Organisation;

macro_rules! statuses {
    ($(#[$meta:meta])* $name:ident { $($variant:ident = $text:literal,)* }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
        pub enum $name {
            $(#[doc = $text] $variant,)*
        }

        impl $name {
            /// The text that goes with the status in an overview.
            pub fn text(self) -> &'static str {
                match self { $(Self::$variant => $text,)* }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str(match self { $(Self::$variant => stringify!($variant),)* })
            }
        }

        impl FromStr for $name {
            type Err = ();

            fn from_str(text: &str) -> Result<Self, ()> {
                $(if text.eq_ignore_ascii_case(stringify!($variant)) { return Ok(Self::$variant); })*
                Err(())
            }
        }
    };
}

statuses! {
    /// Status of a file transfer.
    TransferStatus {
        Initialized = "Ready for upload",
        UploadStarted = "Upload started",
        UploadProcessing = "Processing upload",
        Published = "Ready for download",
        Cancelled = "File transfer cancelled",
        AllConfirmedDownloaded = "All downloaded",
        Purged = "File has been deleted",
        Failed = "Upload failed",
    }
}

statuses! {
    /// Status of a transfer for one recipient.
    RecipientStatus {
        Initialized = "Initialized",
        DownloadStarted = "Recipient has attempted to download file",
        DownloadConfirmed = "Recipient has confirmed downloading file",
    }
}

/// A recipient and how far it has come.
#[derive(Clone, Debug)]
pub struct Recipient {
    /// Who.
    pub organisation: Organisation,
    /// How far.
    pub status: RecipientStatus,
    /// Since when.
    pub changed: Timestamp,
}

/// A file transfer as it was when asked for.
#[derive(Clone, Debug)]
pub struct Transfer {
    /// The broker's id.
    pub id: Uuid,
    /// Resource that it belongs to.
    pub resource: String,
    /// Name of the file.
    pub file_name: String,
    /// The sender's own reference.
    pub reference: Option<String>,
    /// Sender.
    pub sender: Organisation,
    /// Recipients, at least one.
    pub recipients: Vec<Recipient>,
    /// The sender's properties.
    pub properties: BTreeMap<String, String>,
    /// MD5 in lower-case hexadecimal: the sender's before the upload, the broker's after.
    pub checksum: Option<String>,
    /// Bytes uploaded.
    pub size: u64,
    /// Status.
    pub status: TransferStatus,
    /// More about the status, where there is more to say.
    pub status_detail: Option<&'static str>,
    /// Since when.
    pub status_changed: Timestamp,
    /// When it was initialised.
    pub created: Timestamp,
    /// When it will be purged.
    pub expires: Timestamp,
    pub(crate) path: PathBuf,
}

impl Transfer {
    /// The uploaded bytes.
    ///
    /// # Errors
    /// Nothing was uploaded, or the file has been purged.
    pub fn read(&self) -> io::Result<Vec<u8>> {
        fs::read(&self.path)
    }

    /// Where the uploaded bytes are, once they are.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Status for one recipient.
    pub fn recipient(&self, organisation: &Organisation) -> Option<&Recipient> {
        self.recipients
            .iter()
            .find(|recipient| recipient.organisation == *organisation)
    }

    /// Whether the organisation is sender or recipient.
    pub(crate) fn concerns(&self, organisation: &Organisation) -> bool {
        self.sender == *organisation || self.recipient(organisation).is_some()
    }

    pub(crate) fn become_status(&mut self, status: TransferStatus, detail: Option<&'static str>) {
        self.status = status;
        self.status_detail = detail;
        self.status_changed = Timestamp::now();
    }

    pub(crate) fn set_recipient(&mut self, organisation: &Organisation, status: RecipientStatus) {
        for recipient in self
            .recipients
            .iter_mut()
            .filter(|recipient| recipient.organisation == *organisation)
        {
            recipient.status = status;
            recipient.changed = Timestamp::now();
        }
    }

    /// Marks the download as begun, unless the recipient is further already.
    pub(crate) fn download_started(&mut self, organisation: &Organisation) {
        if self
            .recipient(organisation)
            .is_some_and(|recipient| recipient.status == RecipientStatus::Initialized)
        {
            self.set_recipient(organisation, RecipientStatus::DownloadStarted);
        }
    }

    /// Marks the recipient as done, and the transfer too when it was the last.
    pub(crate) fn confirm(&mut self, organisation: &Organisation, limits: &Limits) {
        self.set_recipient(organisation, RecipientStatus::DownloadConfirmed);
        if self
            .recipients
            .iter()
            .all(|recipient| recipient.status == RecipientStatus::DownloadConfirmed)
        {
            self.become_status(TransferStatus::AllConfirmedDownloaded, None);
            self.expires = self
                .status_changed
                .checked_add(limits.purge_grace)
                .unwrap_or(Timestamp::MAX);
        }
    }

    /// Purges what is past its time.
    pub(crate) fn settle(&mut self, now: Timestamp) {
        let over = matches!(
            self.status,
            TransferStatus::Purged | TransferStatus::Failed | TransferStatus::Cancelled
        );
        if !over && now >= self.expires {
            self.become_status(TransferStatus::Purged, None);
            // A file that was never there needs no removal.
            drop(fs::remove_file(&self.path));
        }
    }
}
