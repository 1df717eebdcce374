//! Why a call broke off: the limit that was passed, or a trap.

use std::time::Duration;

use wasmtime::{PoolConcurrencyLimitError, Trap};

use crate::call_state::CallState;
use crate::error::CallError;
use crate::host::{OverLimit, cut};
use crate::limits::Refusal;

/// Bytes of wasmtime's words that are kept.
const REASON: usize = 1 << 10;

/// Finds the cause of a broken call. A guest that was refused memory traps with `unreachable`, so the meters are asked
/// before the error.
pub(super) fn judge(plugin: &str, function: &'static str, state: &CallState, error: &wasmtime::Error) -> CallError {
    let plugin = plugin.to_owned();
    let limits = &state.plugin.limits;
    let over = |plugin, limit, reason| CallError::OverLimit {
        plugin,
        function,
        limit,
        reason,
    };
    if let Some(told) = error.downcast_ref::<OverLimit>() {
        return over(plugin, told.limit, told.reason.clone());
    }
    // Calls are counted before the pool, but a plugin of many parts can use up memories or tables first.
    if error.downcast_ref::<PoolConcurrencyLimitError>().is_some() {
        let limit = limits.concurrency;
        return CallError::Busy {
            plugin,
            function,
            limit,
            waited: Duration::ZERO,
        };
    }
    if state.cpu.is_spent() && error.downcast_ref::<Trap>() == Some(&Trap::Interrupt) {
        return CallError::OutOfCpu {
            plugin,
            function,
            limit: limits.cpu_time,
        };
    }
    match state.memory.refused() {
        Some(Refusal::Memory(wanted)) => {
            return CallError::OutOfMemory {
                plugin,
                function,
                wanted,
                limit: limits.memory,
            };
        }
        Some(Refusal::Table(wanted)) => {
            let reason = format!("a table of {wanted} elements; {} are allowed", limits.table_elements);
            return over(plugin, "table-elements", reason);
        }
        None => {}
    }
    let words = cut(format!("{error:#}"), REASON);
    for (limit, sign) in SIGNS {
        if words.contains(sign) {
            return over(plugin, limit, words);
        }
    }
    CallError::Trap {
        plugin,
        function,
        reason: words,
    }
}

/// Limits that wasmtime enforces with errors of no public type, and the words that tell them.
const SIGNS: &[(&str, &str)] = &[
    ("hostcall-bytes", "fuel allocated for hostcalls"),
    ("handles", "resource table has no free keys"),
    ("handles", "handle limit"),
    ("instances", "resource limit exceeded: instance"),
];
