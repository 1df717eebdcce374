//! FIKS IO accounts. Spec: documents and packaging, 2.4.

use std::fmt;

use super::uuid_text::is_uuid;

/// An account, named by a UUID that is kept as written.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct FiksIo(String);

impl FiksIo {
    pub(super) fn parse(text: &str) -> Option<Self> {
        is_uuid(text).then(|| Self(text.to_owned()))
    }

    /// The account id as written.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for FiksIo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
