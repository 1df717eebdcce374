//! What a test says about the proxy and Altinn when it starts the doubles.

use serde::{Deserialize, Serialize};

use crate::organisation::Organisation;

/// A resource of Altinn's register that letters are sent under.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CorrespondenceResource {
    /// Its id.
    pub id: String,
    /// Whether its letters must be marked as confidential. Others must not be.
    pub confidential: bool,
}

/// When a letter is published.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Publishing {
    /// Before the upload is answered, unless its publish time lies more than five minutes ahead.
    AtOnce,
    /// When a test says so.
    ByHand,
}

/// What Altinn knows of a recipient. Everybody else is known, open and has a leader.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RecipientState {
    /// Takes letters.
    Open,
    /// Is in no register.
    Unknown,
    /// A person who has reserved against digital post.
    Reserved,
    /// An organisation where nobody may read confidential letters.
    WithoutRoles,
}

/// How Correspondence behaves.
#[derive(Clone, Debug)]
pub struct PostConfig {
    /// Resources that are known.
    pub resources: Vec<CorrespondenceResource>,
    /// Organisations on the proxy's access list. None: everybody.
    pub access_list: Option<Vec<Organisation>>,
    /// When letters are published.
    pub publishing: Publishing,
    /// Largest file, in bytes.
    pub max_file: u64,
    /// Whether the overview of a purged letter is a 404, as at Altinn now; otherwise it tells the status.
    pub purged_is_gone: bool,
    /// Whether times are written without a zone, as Altinn does at times.
    pub bare_times: bool,
}

impl Default for PostConfig {
    fn default() -> Self {
        let resource = |id: &str, confidential| CorrespondenceResource {
            id: id.to_owned(),
            confidential,
        };
        Self {
            resources: vec![
                resource("eformidling-dpv-administrasjon", false),
                resource("eformidling-dpv-taushetsbelagt", true),
            ],
            access_list: None,
            publishing: Publishing::AtOnce,
            max_file: 2_000_000_000,
            purged_is_gone: true,
            bare_times: false,
        }
    }
}
