//! What an adapter's calls have used: for metrics, the admin page and `plugin list`.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use crate::call_state::CallState;
use crate::error::CallError;

/// A look at an adapter's use since it was loaded.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct PluginStats {
    /// Calls that were begun and have ended.
    pub calls: u64,
    /// Calls that trapped or passed a limit.
    pub faults: u64,
    /// Wall clock of all calls.
    pub time: Duration,
    /// Guest time of all calls.
    pub cpu: Duration,
    /// The most memory of any call, bytes.
    pub peak_memory: u64,
    /// Bytes of HTTP request bodies.
    pub bytes_out: u64,
    /// Bytes of HTTP response bodies.
    pub bytes_in: u64,
    /// HTTP requests that the gate refused.
    pub refused_requests: u64,
}

#[derive(Default)]
pub(super) struct Stats {
    calls: AtomicU64,
    faults: AtomicU64,
    micros: AtomicU64,
    cpu_micros: AtomicU64,
    peak_memory: AtomicU64,
    bytes_out: AtomicU64,
    bytes_in: AtomicU64,
}

impl Stats {
    pub(super) fn count(&self, state: &CallState, time: Duration, fault: Option<&CallError>) {
        let micros = |time: Duration| u64::try_from(time.as_micros()).unwrap_or(u64::MAX);
        self.calls.fetch_add(1, Relaxed);
        self.faults.fetch_add(u64::from(fault.is_some()), Relaxed);
        self.micros.fetch_add(micros(time), Relaxed);
        self.cpu_micros.fetch_add(micros(state.cpu.spent()), Relaxed);
        self.peak_memory.fetch_max(state.memory.peak() as u64, Relaxed);
        self.bytes_out.fetch_add(state.egress.quota().sent(), Relaxed);
        self.bytes_in.fetch_add(state.egress.quota().received(), Relaxed);
    }

    pub(super) fn snapshot(&self, refused_requests: u64) -> PluginStats {
        PluginStats {
            calls: self.calls.load(Relaxed),
            faults: self.faults.load(Relaxed),
            time: Duration::from_micros(self.micros.load(Relaxed)),
            cpu: Duration::from_micros(self.cpu_micros.load(Relaxed)),
            peak_memory: self.peak_memory.load(Relaxed),
            bytes_out: self.bytes_out.load(Relaxed),
            bytes_in: self.bytes_in.load(Relaxed),
            refused_requests,
        }
    }
}
