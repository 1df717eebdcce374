//! What happens to plugins, for the log, the metrics and the admin page.

use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use crate::load::Digest;

/// Something that happened to a plugin.
#[derive(Debug, Clone)]
pub enum PluginEvent {
    /// A version is in use.
    Loaded {
        /// Name of the adapter.
        plugin: String,
        /// What it says its version is.
        version: String,
        /// Its file.
        digest: Digest,
        /// Counts the versions since the start of the host, from 1.
        generation: u64,
    },
    /// A file was not taken; what ran before goes on.
    Refused {
        /// Name of the adapter.
        plugin: String,
        /// Why, and what to do.
        reason: String,
    },
    /// A new version has done its first calls well; the one before is let go.
    Proven {
        /// Name of the adapter.
        plugin: String,
        /// Its file.
        digest: Digest,
    },
    /// A new version did its first calls badly: the one before is in use again.
    SwapBack {
        /// Name of the adapter.
        plugin: String,
        /// The bad one.
        from: Digest,
        /// The one in use again.
        to: Digest,
        /// The last fault.
        reason: String,
    },
    /// Too many faults: no calls for a while, messages wait.
    Paused {
        /// Name of the adapter.
        plugin: String,
        /// For how long.
        pause: Duration,
        /// The last fault.
        reason: String,
    },
    /// The file is gone; what ran before goes on until the host ends.
    Missing {
        /// Name of the adapter.
        plugin: String,
        /// Where it should be.
        file: PathBuf,
    },
    /// The file is bad or gone at start; the last version that proved itself is in use.
    LastGood {
        /// Name of the adapter.
        plugin: String,
        /// The version in use.
        digest: Digest,
    },
}

/// Why there is no plugin to call now. Messages wait.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unavailable {
    /// No file has been taken yet.
    #[error("plugin {plugin} is not loaded: {reason}")]
    NotLoaded {
        /// Name of the adapter.
        plugin: String,
        /// The last refusal, or that the file is missing.
        reason: String,
    },
    /// Paused after repeated faults.
    #[error("plugin {plugin} is paused for another {} s after repeated faults: {reason}", left.as_secs())]
    Paused {
        /// Name of the adapter.
        plugin: String,
        /// Until it is tried again.
        left: Duration,
        /// The last fault.
        reason: String,
    },
}

/// A file that was not taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    /// Why, and what to do.
    pub reason: String,
    /// When.
    pub at: SystemTime,
}

/// What a slot is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SlotState {
    /// Nothing to call.
    Empty,
    /// A new version does its first calls.
    OnTrial,
    /// In use.
    Active,
    /// No calls for so long.
    Paused(Duration),
}

/// A look at a slot.
#[derive(Debug, Clone)]
pub struct SlotStatus {
    /// Name of the adapter.
    pub plugin: String,
    /// Its file.
    pub file: PathBuf,
    /// What it is doing.
    pub state: SlotState,
    /// Which version is in use, counted from 1; 0: none.
    pub generation: u64,
    /// The file in use.
    pub digest: Option<Digest>,
    /// The version in use, in its own words.
    pub version: Option<String>,
    /// The last file that was not taken, if none was taken after it.
    pub refused: Option<Refused>,
    /// The file is not there.
    pub missing: bool,
}
