//! Whether a file is what its vendor made.

pub mod digest;
pub mod jar;
pub mod openpgp;
pub mod tuf;

/// A file that must not run. Says why, and what to do.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
pub struct Untrusted {
    reason: String,
    /// Somebody signed, and not this file: the version is not tried again soon.
    pub forged: bool,
}

impl Untrusted {
    pub(crate) fn new(reason: impl Into<String>) -> Self {
        Self {
            reason: reason.into(),
            forged: false,
        }
    }

    pub(crate) fn forged(reason: impl Into<String>) -> Self {
        Self {
            forged: true,
            ..Self::new(reason)
        }
    }

    /// The same with words before it.
    pub(crate) fn after(self, words: &str) -> Self {
        Self {
            reason: format!("{words}: {}", self.reason),
            ..self
        }
    }
}
