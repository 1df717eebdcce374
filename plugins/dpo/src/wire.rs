//! The JSON of the Broker API. Status names are open: a new one at Altinn must not break the reading of the rest.
//! Members that we do not use are passed over.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

use crate::moment::Moment;

/// The body of `POST /filetransfer/`.
///
/// Spec: DPO and DPV, 2.3.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Initialise<'a> {
    pub(crate) file_name: &'static str,
    pub(crate) resource_id: &'a str,
    pub(crate) senders_file_transfer_reference: &'a str,
    pub(crate) sender: &'a str,
    pub(crate) recipients: [&'a str; 1],
    pub(crate) property_list: BTreeMap<String, String>,
    /// MD5 in lower-case hex: Altinn refuses an upload that arrives damaged.
    pub(crate) checksum: &'a str,
    pub(crate) disable_virus_scan: Option<bool>,
}

/// The answer to it.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Initialised {
    pub(crate) file_transfer_id: String,
}

/// The answer to `GET /filetransfer/{id}`, as far as we use it.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Overview {
    pub(crate) senders_file_transfer_reference: Option<String>,
    pub(crate) created: Option<String>,
    /// MD5 of the package in hexadecimal, as Altinn counted it.
    pub(crate) checksum: Option<String>,
    #[serde(default)]
    pub(crate) file_transfer_status: TransferStatus,
    pub(crate) file_transfer_status_text: Option<String>,
    pub(crate) file_transfer_status_changed: Option<String>,
    /// The answer as it came.
    #[serde(skip)]
    pub(crate) raw: String,
}

impl Overview {
    pub(crate) fn created_at(&self) -> Option<Moment> {
        self.created.as_deref().and_then(Moment::parse)
    }

    pub(crate) fn changed_at(&self) -> Option<Moment> {
        self.file_transfer_status_changed.as_deref().and_then(Moment::parse)
    }
}

/// How far a transfer has come.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(from = "String")]
pub(crate) enum TransferStatus {
    Initialized,
    UploadStarted,
    UploadProcessing,
    Published,
    Cancelled,
    AllConfirmedDownloaded,
    Purged,
    Failed,
    /// A name that we do not know; empty when the answer has none.
    Other(String),
}

impl Default for TransferStatus {
    fn default() -> Self {
        Self::Other(String::new())
    }
}

impl From<String> for TransferStatus {
    fn from(name: String) -> Self {
        match name.as_str() {
            "Initialized" => Self::Initialized,
            "UploadStarted" => Self::UploadStarted,
            "UploadProcessing" => Self::UploadProcessing,
            "Published" => Self::Published,
            "Cancelled" => Self::Cancelled,
            "AllConfirmedDownloaded" => Self::AllConfirmedDownloaded,
            "Purged" => Self::Purged,
            "Failed" => Self::Failed,
            _ => Self::Other(name),
        }
    }
}

/// What the list is asked for: how far the recipient has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum RecipientStatus {
    /// Not downloaded.
    Initialized,
    /// Downloaded and not confirmed: something went wrong in between.
    DownloadStarted,
}

impl RecipientStatus {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Initialized => "Initialized",
            Self::DownloadStarted => "DownloadStarted",
        }
    }
}

/// A transfer's id from Altinn, safe in an address and as a key: at most 64 letters, digits and hyphens.
pub(crate) fn is_transfer_id(text: &str) -> bool {
    (1..=64).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn t3_the_body_of_initialise() {
        let body = Initialise {
            file_name: "sbd.zip",
            resource_id: "eformidling-dpo-meldingsutveksling",
            senders_file_transfer_reference: "5d2a6c1e-6f0b-4a57-9c43-0a7c7b1d9e10",
            sender: "0192:991825827",
            recipients: ["0192:910076787"],
            property_list: BTreeMap::new(),
            checksum: "d41d8cd98f00b204e9800998ecf8427e",
            disable_virus_scan: None,
        };
        assert_eq!(
            serde_json::to_string(&body).unwrap(),
            concat!(
                r#"{"fileName":"sbd.zip","resourceId":"eformidling-dpo-meldingsutveksling","#,
                r#""sendersFileTransferReference":"5d2a6c1e-6f0b-4a57-9c43-0a7c7b1d9e10","#,
                r#""sender":"0192:991825827","recipients":["0192:910076787"],"propertyList":{},"#,
                r#""checksum":"d41d8cd98f00b204e9800998ecf8427e","disableVirusScan":null}"#
            )
        );
    }

    #[test]
    fn a_new_status_and_a_new_member_do_not_break_the_overview() {
        let overview: Overview =
            serde_json::from_str(r#"{"fileTransferStatus":"Quarantined","novelty":{"a":[1]},"recipients":[]}"#)
                .unwrap();
        assert_eq!(
            overview.file_transfer_status,
            TransferStatus::Other("Quarantined".to_owned())
        );
        assert_eq!(overview.senders_file_transfer_reference, None);
        let overview: Overview = serde_json::from_str(r#"{"created":"2026-03-25T11:30:00Z"}"#).unwrap();
        assert_eq!(overview.file_transfer_status, TransferStatus::default());
        assert!(overview.created_at().is_some());
    }

    #[test]
    fn an_id_that_could_change_an_address_is_no_id() {
        assert!(is_transfer_id("3f0e8a52-0000-4000-8000-000000000001"));
        for id in ["", "../x", "a/b", "a?b", "a b", &"a".repeat(65)] {
            assert!(!is_transfer_id(id), "{id}");
        }
    }
}
