//! Decisions in one line.

use crate::{Choice, Decision};

impl Decision {
    /// What runs goes on running.
    pub fn stay(reason: impl Into<String>) -> Self {
        Self::Stay(reason.into())
    }

    /// This version is to run, now. `version` exactly as the candidate writes it.
    pub fn update(version: impl Into<String>, reason: impl Into<String>) -> Self {
        Self::Update(Choice {
            version: version.into(),
            reason: reason.into(),
            not_before: None,
        })
    }

    /// This version is to run, from that moment on.
    pub fn update_from(version: impl Into<String>, moment: u64, reason: impl Into<String>) -> Self {
        Self::Update(Choice {
            version: version.into(),
            reason: reason.into(),
            not_before: Some(moment),
        })
    }

    /// The version that ran before this one is to run again.
    pub fn go_back(reason: impl Into<String>) -> Self {
        Self::GoBack(reason.into())
    }

    /// What the policies before this one said holds.
    pub fn pass(reason: impl Into<String>) -> Self {
        Self::Pass(reason.into())
    }

    /// Its reason in plain words.
    pub fn reason(&self) -> &str {
        match self {
            Self::Stay(reason) | Self::GoBack(reason) | Self::Pass(reason) | Self::Other(reason) => reason,
            Self::Update(choice) => &choice.reason,
        }
    }
}
