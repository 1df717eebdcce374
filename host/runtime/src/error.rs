//! Why a call did not end well: always the house's judgement, never a value of the guest.

use std::time::Duration;

/// A call that gave no answer. Names the adapter, the function and the limit; counts as temporary for the message and
/// against the adapter.
#[derive(Debug, Clone, thiserror::Error)]
pub enum CallError {
    /// No turn within the adapter's queue time; says nothing against the adapter.
    #[error("plugin {plugin}: {function} waited {} for a free slot; {limit} calls at a time are allowed", seconds(*.waited))]
    Busy {
        /// Name of the adapter.
        plugin: String,
        /// Exported function.
        function: &'static str,
        /// Calls at the same time, of the adapter or of the whole pool.
        limit: usize,
        /// How long it waited.
        waited: Duration,
    },
    /// The wall clock ran out.
    #[error("plugin {plugin}: {function} timed out: not finished after {} (limits call-time, transfer-time)", seconds(*.limit))]
    OutOfTime {
        /// Name of the adapter.
        plugin: String,
        /// Exported function.
        function: &'static str,
        /// The limit.
        limit: Duration,
    },
    /// The guest computed for too long.
    #[error("plugin {plugin}: {function} timed out: computed for more than {} (limit cpu-time)", seconds(*.limit))]
    OutOfCpu {
        /// Name of the adapter.
        plugin: String,
        /// Exported function.
        function: &'static str,
        /// The limit.
        limit: Duration,
    },
    /// The guest wanted more memory than it may have.
    #[error("plugin {plugin}: {function} wanted {wanted} bytes of memory, {limit} are allowed (limit memory)")]
    OutOfMemory {
        /// Name of the adapter.
        plugin: String,
        /// Exported function.
        function: &'static str,
        /// Bytes that it wanted.
        wanted: usize,
        /// The limit, bytes.
        limit: usize,
    },
    /// Another limit was passed.
    #[error("plugin {plugin}: {function} went over the limit {limit}: {reason}")]
    OverLimit {
        /// Name of the adapter.
        plugin: String,
        /// Exported function.
        function: &'static str,
        /// Name of the limit in the operator's file.
        limit: &'static str,
        /// What happened.
        reason: String,
    },
    /// The guest broke down.
    #[error("plugin {plugin}: {function} trapped: {reason}")]
    Trap {
        /// Name of the adapter.
        plugin: String,
        /// Exported function.
        function: &'static str,
        /// wasmtime's words, shortened.
        reason: String,
    },
}

impl CallError {
    /// Whether the adapter is to blame. A full house is nobody's fault.
    pub fn blames_plugin(&self) -> bool {
        !matches!(self, Self::Busy { .. })
    }

    /// A short name for metrics.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Busy { .. } => "busy",
            Self::OutOfTime { .. } => "out-of-time",
            Self::OutOfCpu { .. } => "out-of-cpu",
            Self::OutOfMemory { .. } => "out-of-memory",
            Self::OverLimit { .. } => "over-limit",
            Self::Trap { .. } => "trap",
        }
    }
}

fn seconds(time: Duration) -> String {
    format!("{} s", time.as_secs_f32())
}
