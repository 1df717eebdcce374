//! Ids that are UUIDs and are kept, compared and handed back as written.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// The text is no UUID of the form 8-4-4-4-12.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a UUID of the form 8-4-4-4-12 hexadecimal digits")]
pub struct NotAUuid;

/// Whether a text is a UUID in full. Deviation from spec: documents and packaging, 1.2, where groups may be short and
/// `1-2-3-4-5` passes: such ids break at peers and in databases that have a type for UUIDs.
pub(crate) fn is_uuid(text: &str) -> bool {
    text.len() == 36
        && text.bytes().enumerate().all(|(at, byte)| match at {
            8 | 13 | 18 | 23 => byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        })
}

macro_rules! uuid_text {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            /// A new random id.
            pub fn random() -> Self {
                Self(Uuid::new_v4().to_string())
            }

            /// The id as written, upper or lower case.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = NotAUuid;

            fn from_str(text: &str) -> Result<Self, NotAUuid> {
                is_uuid(text).then(|| Self(text.to_owned())).ok_or(NotAUuid)
            }
        }

        impl TryFrom<String> for $name {
            type Error = NotAUuid;

            fn try_from(text: String) -> Result<Self, NotAUuid> {
                text.parse()
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> Self {
                id.0
            }
        }

        impl From<Uuid> for $name {
            fn from(id: Uuid) -> Self {
                Self(id.to_string())
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

uuid_text! {
    /// The id of one message: `documentIdentification.instanceIdentifier`.
    MessageId
}

uuid_text! {
    /// The id that a message shares with its replies: the `ConversationId` scope.
    ConversationId
}

impl From<&MessageId> for ConversationId {
    fn from(id: &MessageId) -> Self {
        Self(id.0.clone())
    }
}
