//! The JSON of the Correspondence API. Status names are open: a new one at Altinn must not break the reading of the rest.
//! Members that we do not use are passed over.

use serde::Deserialize;

/// The answer to an upload.
#[derive(Debug, Deserialize)]
pub(crate) struct Uploaded {
    pub(crate) correspondences: Vec<Initialised>,
}

/// One letter of an upload.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Initialised {
    pub(crate) correspondence_id: String,
}

/// The answer to a search.
#[derive(Debug, Deserialize)]
pub(crate) struct Found {
    pub(crate) ids: Vec<String>,
}

/// An error, as far as we use it.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Problem {
    pub(crate) error_code: Option<u64>,
}

/// The answer to `GET /correspondence/{id}`, as far as we use it.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Overview {
    #[serde(default)]
    pub(crate) status: Status,
    pub(crate) status_text: Option<String>,
    pub(crate) status_changed: Option<String>,
    pub(crate) published: Option<String>,
    pub(crate) read: Option<String>,
}

/// How far a letter has come.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(from = "String")]
pub(crate) enum Status {
    /// On its way to the receiver, or at the receiver: the times tell more.
    #[default]
    Underway,
    PurgedByRecipient,
    PurgedByAltinn,
    Reserved,
    Failed,
    /// A name with no meaning for us; empty when the answer has none.
    Other(String),
}

impl From<String> for Status {
    fn from(name: String) -> Self {
        match name.as_str() {
            "" | "Initialized" | "ReadyForPublish" | "Published" | "Fetched" | "Read" | "AttachmentsDownloaded" => {
                Self::Underway
            }
            "PurgedByRecipient" => Self::PurgedByRecipient,
            "PurgedByAltinn" => Self::PurgedByAltinn,
            "Reserved" => Self::Reserved,
            "Failed" => Self::Failed,
            _ => Self::Other(name),
        }
    }
}

/// A letter's id from Altinn, safe in an address: at most 64 letters, digits and hyphens.
pub(crate) fn is_id(text: &str) -> bool {
    (1..=64).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_status_and_a_new_member_do_not_break_the_overview() {
        let overview: Overview =
            serde_json::from_str(r#"{"status":"Forwarded","published":null,"novelty":{"a":[1]}}"#).unwrap();
        assert_eq!(overview.status, Status::Other("Forwarded".to_owned()));
        assert_eq!(overview.published, None);
        let overview: Overview = serde_json::from_str("{}").unwrap();
        assert_eq!(overview.status, Status::Underway);
    }

    #[test]
    fn an_id_that_could_change_an_address_is_no_id() {
        assert!(is_id("3f0e8a52-0000-4000-8000-000000000001"));
        for id in ["", "../x", "a/b", "a?b", "a b", &"a".repeat(65)] {
            assert!(!is_id(id), "{id}");
        }
    }
}
