//! Whether a file is what its vendor made.

pub mod digest;
pub mod jar;
pub mod openpgp;
pub mod tuf;

/// A file that must not run. Says why, and what to do.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Untrusted(pub String);

impl Untrusted {
    pub(crate) fn new(reason: impl Into<String>) -> Self {
        Self(reason.into())
    }
}
