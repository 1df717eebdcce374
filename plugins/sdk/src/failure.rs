//! Failures: what can be tried again, and what cannot.

use std::fmt;

use crate::bindings::budstikke::plugin::types::{Failure, PermanentFailure, TemporaryFailure};

/// The contract keeps 4 KiB of a failure's text; what is over is cut here, where a character is not cut in two.
pub(crate) const MAX_DETAIL: usize = 4096;

impl Failure {
    /// The work can succeed later. `detail` is for the operator; 4 KiB of it are kept.
    pub fn temporary(detail: impl Into<String>) -> Self {
        Self::Temporary(TemporaryFailure {
            detail: bounded(detail.into(), MAX_DETAIL),
            retry_after: None,
        })
    }

    /// The work can succeed later, and the other side asked us to wait so many seconds.
    pub fn temporary_after(detail: impl Into<String>, seconds: u32) -> Self {
        Self::Temporary(TemporaryFailure {
            detail: bounded(detail.into(), MAX_DETAIL),
            retry_after: Some(seconds),
        })
    }

    /// The request left, and nobody knows whether the other side took it. The next attempt is told.
    pub fn unknown(detail: impl Into<String>) -> Self {
        Self::Unknown(TemporaryFailure {
            detail: bounded(detail.into(), MAX_DETAIL),
            retry_after: None,
        })
    }

    /// Trying again cannot help. `code` is stable and machine-readable (`unknown-sender`).
    pub fn permanent(code: impl Into<String>, detail: impl Into<String>) -> Self {
        Self::Permanent(PermanentFailure {
            code: code.into(),
            detail: bounded(detail.into(), MAX_DETAIL),
        })
    }

    /// True when trying again cannot help. A kind that this version does not know counts as temporary.
    pub fn is_permanent(&self) -> bool {
        matches!(self, Self::Permanent(_))
    }

    /// The code of a permanent failure.
    pub fn code(&self) -> Option<&str> {
        match self {
            Self::Permanent(failure) => Some(&failure.code),
            Self::Temporary(_) | Self::Unknown(_) | Self::Other(_) => None,
        }
    }

    /// The text for the operator.
    pub fn detail(&self) -> &str {
        match self {
            Self::Temporary(failure) | Self::Unknown(failure) => &failure.detail,
            Self::Permanent(failure) => &failure.detail,
            Self::Other(text) => text,
        }
    }

    /// The same failure as one that may pass: for a look-up that says nothing about the message itself.
    #[must_use]
    pub fn into_temporary(self) -> Self {
        match self {
            Self::Permanent(failure) => Self::temporary(format!("{}: {}", failure.code, failure.detail)),
            other => other,
        }
    }

    /// A line for a log or for `received.problems`: the detail, with the code of a permanent failure before it.
    pub fn line(&self) -> impl fmt::Display {
        struct Line<'a>(&'a Failure);
        impl fmt::Display for Line<'_> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                if let Some(code) = self.0.code() {
                    write!(f, "{code}: ")?;
                }
                f.write_str(self.0.detail())
            }
        }
        Line(self)
    }
}

/// At most `limit` bytes of a text, cut between two characters.
pub(crate) fn bounded(mut text: String, limit: usize) -> String {
    if text.len() > limit {
        text.truncate(text.floor_char_boundary(limit));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_detail_is_cut_between_two_characters() {
        let failure = Failure::temporary("å".repeat(3000));
        assert_eq!(failure.detail().len(), 4096);
        let failure = Failure::permanent("x", format!("a{}", "å".repeat(3000)));
        assert_eq!(failure.detail().len(), 4095);
    }

    #[test]
    fn a_failed_look_up_can_be_made_temporary() {
        let failure = Failure::permanent("http-403", "Access denied").into_temporary();
        assert!(!failure.is_permanent());
        assert_eq!(failure.line().to_string(), "http-403: Access denied");
    }
}
