//! Names that the registry hands out and that mean something only to it: process, document type, service.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// Longest process and document type, in bytes.
const MAX_URN: usize = 512;

/// Longest service name, in bytes.
const MAX_SERVICE: usize = 32;

/// Why a name is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    /// No name at all.
    #[error("the {0} is empty")]
    Empty(&'static str),
    /// Longer than allowed.
    #[error("the {0} is longer than {1} bytes")]
    TooLong(&'static str, usize),
    /// White space, a control character or another character that the name may not hold.
    #[error("the {0} holds a character that is not allowed")]
    Character(&'static str),
}

macro_rules! name {
    ($(#[$doc:meta])* $name:ident, $what:literal, $max:expr, $allowed:expr) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            /// The name as written.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = NameError;

            fn from_str(text: &str) -> Result<Self, NameError> {
                let allowed: fn(char) -> bool = $allowed;
                if text.is_empty() {
                    Err(NameError::Empty($what))
                } else if text.len() > $max {
                    Err(NameError::TooLong($what, $max))
                } else if !text.chars().all(allowed) {
                    Err(NameError::Character($what))
                } else {
                    Ok(Self(text.to_owned()))
                }
            }
        }

        impl TryFrom<String> for $name {
            type Error = NameError;

            fn try_from(text: String) -> Result<Self, NameError> {
                text.parse()
            }
        }

        impl From<$name> for String {
            fn from(name: $name) -> Self {
                name.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

fn in_urn(character: char) -> bool {
    !character.is_control() && !character.is_whitespace()
}

fn in_service(character: char) -> bool {
    character.is_ascii_alphanumeric() || matches!(character, '_' | '-' | '.')
}

name! {
    /// The context that a message is sent in, `urn:no:difi:profile:…`. At most 512 bytes, no white space.
    ProcessId, "process", MAX_URN, in_urn
}

name! {
    /// The full id of a document type, the `standard` of an SBD. At most 512 bytes, no white space.
    DocumentType, "document type", MAX_URN, in_urn
}

name! {
    /// The name of a message service, ours or a vendor's. At most 32 letters, digits, `_`, `-` or `.`.
    ServiceId, "service", MAX_SERVICE, in_service
}

impl DocumentType {
    /// What stands after the last `::`, the name of the message type.
    pub fn type_name(&self) -> Option<&str> {
        self.0
            .rsplit_once("::")
            .map(|(_, name)| name)
            .filter(|name| !name.is_empty())
    }

    /// Whether this is a document type of the message type: the part after the last `::` is its name, in the same case.
    pub fn fits(&self, type_name: &str) -> bool {
        self.type_name() == Some(type_name)
    }
}
