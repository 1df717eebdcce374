//! What a call has used, and the moment when it asked for too much.

use std::time::{Duration, Instant};

use wasmtime::{CallHook, ResourceLimiter};

use crate::engine::TICK;
use crate::limits::Limits;

/// A request of a guest that went over a limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// Linear memory, with the number of bytes that it wanted in total.
    Memory(usize),
    /// Elements of a table.
    Table(usize),
}

/// Counts the memory and tables of one call.
pub(crate) struct MemoryMeter {
    limit: usize,
    table_elements: usize,
    instances: usize,
    used: usize,
    peak: usize,
    refused: Option<Refusal>,
}

/// Tables and memories of one call: what toolchains need, and a little more.
const TABLES: usize = 64;
const MEMORIES: usize = 16;

impl MemoryMeter {
    pub(crate) fn new(limits: &Limits) -> Self {
        Self {
            limit: limits.memory,
            table_elements: limits.table_elements,
            instances: limits.instances,
            used: 0,
            peak: 0,
            refused: None,
        }
    }

    /// The first request that was refused.
    pub(crate) fn refused(&self) -> Option<Refusal> {
        self.refused
    }

    /// The most memory that was in use, bytes.
    pub(crate) fn peak(&self) -> usize {
        self.peak
    }
}

impl ResourceLimiter for MemoryMeter {
    fn memory_growing(&mut self, current: usize, desired: usize, _: Option<usize>) -> wasmtime::Result<bool> {
        let total = self.used.saturating_add(desired.saturating_sub(current));
        if total > self.limit {
            self.refused.get_or_insert(Refusal::Memory(total));
            return Ok(false);
        }
        self.used = total;
        self.peak = self.peak.max(total);
        Ok(true)
    }

    fn table_growing(&mut self, _: usize, desired: usize, _: Option<usize>) -> wasmtime::Result<bool> {
        if desired > self.table_elements {
            self.refused.get_or_insert(Refusal::Table(desired));
            return Ok(false);
        }
        Ok(true)
    }

    fn instances(&self) -> usize {
        self.instances
    }

    fn tables(&self) -> usize {
        TABLES
    }

    fn memories(&self) -> usize {
        MEMORIES
    }
}

/// Counts the time in which the guest itself computes.
///
/// Epoch ticks alone would charge a call for waiting: a guest that splices 16 000 chunks over a slow line passes a tick
/// within almost every one of them. So the clock stops at each call into the host.
pub(crate) struct CpuClock {
    budget: Duration,
    spent: Duration,
    since: Option<Instant>,
}

/// A stretch between two looks can be no longer than a tick; what is longer is other people's time on the processor.
const LONGEST_STRETCH: Duration = TICK.saturating_mul(2);

impl CpuClock {
    pub(crate) fn new(budget: Duration) -> Self {
        Self {
            budget,
            spent: Duration::ZERO,
            since: None,
        }
    }

    /// Called at each crossing of the border.
    pub(crate) fn crossed(&mut self, border: CallHook) {
        match border {
            CallHook::CallingWasm | CallHook::ReturningFromHost => self.since = Some(Instant::now()),
            CallHook::ReturningFromWasm | CallHook::CallingHost => self.charge(None),
        }
    }

    /// Called at each tick while the guest computes. True when its time is over.
    pub(crate) fn tick(&mut self) -> bool {
        self.charge(Some(Instant::now()));
        self.is_spent()
    }

    /// Whether the budget is used up.
    pub(crate) fn is_spent(&self) -> bool {
        self.spent >= self.budget
    }

    /// What the guest has computed so far.
    pub(crate) fn spent(&self) -> Duration {
        self.spent
    }

    fn charge(&mut self, next: Option<Instant>) {
        if let Some(since) = self.since {
            self.spent += since.elapsed().min(LONGEST_STRETCH);
        }
        self.since = next;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_over_the_limit_is_refused_and_remembered() {
        let mut meter = MemoryMeter::new(&Limits {
            memory: 1 << 20,
            ..Limits::default()
        });
        assert!(meter.memory_growing(0, 1 << 19, None).unwrap());
        assert!(!meter.memory_growing(1 << 19, 1 << 21, None).unwrap());
        assert_eq!(meter.refused(), Some(Refusal::Memory(1 << 21)));
        assert_eq!(meter.peak(), 1 << 19);
    }

    #[test]
    fn two_memories_share_one_limit() {
        let mut meter = MemoryMeter::new(&Limits {
            memory: 1 << 20,
            ..Limits::default()
        });
        assert!(meter.memory_growing(0, 1 << 20, None).unwrap());
        assert!(!meter.memory_growing(0, 1 << 16, None).unwrap());
    }

    #[test]
    fn waiting_in_the_host_costs_no_guest_time() {
        let mut clock = CpuClock::new(Duration::from_millis(15));
        clock.crossed(CallHook::CallingWasm);
        clock.crossed(CallHook::CallingHost);
        std::thread::sleep(Duration::from_millis(40));
        clock.crossed(CallHook::ReturningFromHost);
        assert!(!clock.tick());
    }

    #[test]
    fn computing_uses_the_budget_up() {
        let mut clock = CpuClock::new(Duration::from_millis(15));
        clock.crossed(CallHook::CallingWasm);
        std::thread::sleep(Duration::from_millis(30));
        assert!(clock.tick());
    }
}
