//! The one engine that all adapters run on: its configuration, its pool and its clock.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Semaphore;
use wasmtime::{Config, Enabled, EngineWeak, InstanceAllocationStrategy, OptLevel, PoolingAllocationConfig, Strategy};

/// How often the clock of guests ticks: a loop without end is noticed one tick after its time is over.
pub(crate) const TICK: Duration = Duration::from_millis(10);

/// Address space kept for one linear memory; also the largest memory that any adapter can have. Part of the compiled
/// code, so it is one number for all pools. 64 slots of it fit into 39 bits of address space.
pub const MEMORY_RESERVATION: u64 = 256 << 20;

const GUARD: u64 = 32 << 20;

/// The smallest pool that is worth having.
const FEWEST_SLOTS: u32 = 8;

/// How the pool is built.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PoolSettings {
    /// Calls of all adapters together that can run at the same time.
    pub slots: u32,
    /// Bytes of a slot's memory that stay resident between calls, to be zeroed instead of returned to the system.
    pub memory_keep_resident: usize,
    /// The same for tables.
    pub table_keep_resident: usize,
    /// Core instances inside one component.
    pub core_instances: u32,
    /// Elements of one table.
    pub table_elements: usize,
}

impl Default for PoolSettings {
    fn default() -> Self {
        Self {
            slots: 128,
            memory_keep_resident: 2 << 20,
            table_keep_resident: 512 << 10,
            core_instances: 40,
            table_elements: 20_000,
        }
    }
}

/// What an engine runs. Their code differs: it is counted in time, or in instructions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// Adapters.
    Adapters,
    /// Update policies.
    Policies,
}

/// Where instances come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Allocation {
    /// A pool with so many slots.
    Pool(u32),
    /// The system, anew for each call: three times slower, and works everywhere.
    OnDemand,
}

/// The engine cannot be built.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// The processor or system lacks what wasmtime needs.
    #[error("the WebAssembly engine cannot start: {0:#}")]
    Unusable(wasmtime::Error),
    /// No thread for the clock.
    #[error("the clock of the plugins cannot start: {0}")]
    Clock(std::io::Error),
}

/// The engine. Cheap to clone.
#[derive(Clone)]
pub struct Engine {
    pub(crate) wasm: wasmtime::Engine,
    /// Taken before the pool, so that a full pool makes callers wait and not fail.
    pub(crate) slots: Arc<Semaphore>,
    allocation: Allocation,
    settings: PoolSettings,
    pub(crate) purpose: Purpose,
}

impl Engine {
    /// Builds the engine, with a smaller pool or none when the address space does not give more, and starts its clock.
    pub fn new(settings: PoolSettings) -> Result<Self, EngineError> {
        let mut slots = settings.slots;
        let (wasm, allocation) = loop {
            if slots < FEWEST_SLOTS {
                tracing::warn!("no address space for a pool of plugin instances; allocating on demand");
                break (Self::compiler(Purpose::Adapters)?, Allocation::OnDemand);
            }
            match wasmtime::Engine::new(
                base_config(Purpose::Adapters).allocation_strategy(pool_config(&settings, slots)),
            ) {
                Ok(wasm) => break (wasm, Allocation::Pool(slots)),
                Err(error) => {
                    tracing::warn!(
                        slots,
                        "the pool of plugin instances does not fit, trying a smaller one: {error:#}"
                    );
                    slots /= 2;
                }
            }
        };
        start_clock(wasm.weak()).map_err(EngineError::Clock)?;
        let calls = match allocation {
            Allocation::Pool(slots) => slots,
            Allocation::OnDemand => settings.slots.max(FEWEST_SLOTS),
        };
        // A component may hold a slot in more than one dimension; one call is one component instance, so calls are
        // what is counted.
        let calls = usize::try_from(calls)
            .unwrap_or(Semaphore::MAX_PERMITS)
            .min(Semaphore::MAX_PERMITS);
        Ok(Self {
            wasm,
            slots: Arc::new(Semaphore::new(calls)),
            allocation,
            settings,
            purpose: Purpose::Adapters,
        })
    }

    /// An engine without pool and clock.
    pub(crate) fn without_pool(purpose: Purpose) -> Result<Self, EngineError> {
        Ok(Self {
            wasm: Self::compiler(purpose)?,
            slots: Arc::new(Semaphore::new(1)),
            allocation: Allocation::OnDemand,
            settings: PoolSettings::default(),
            purpose,
        })
    }

    /// An engine that only compiles; for the child process.
    pub(crate) fn compiler(purpose: Purpose) -> Result<wasmtime::Engine, EngineError> {
        wasmtime::Engine::new(&base_config(purpose)).map_err(EngineError::Unusable)
    }

    /// Where instances come from.
    pub fn allocation(&self) -> Allocation {
        self.allocation
    }

    /// The pool's arithmetic, for the log at start.
    pub fn pool_report(&self) -> PoolReport {
        let slots = match self.allocation {
            Allocation::Pool(slots) => u64::from(slots),
            Allocation::OnDemand => 0,
        };
        PoolReport {
            slots,
            memory_per_slot: MEMORY_RESERVATION,
            address_space: slots * (MEMORY_RESERVATION + GUARD),
            kept_resident: slots
                * (self.settings.memory_keep_resident as u64 + self.settings.table_keep_resident as u64),
            in_use: self
                .wasm
                .pooling_allocator_metrics()
                .map_or(0, |metrics| metrics.component_instances()),
        }
    }
}

/// What a pool can cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PoolReport {
    /// Calls at the same time; 0 when there is no pool.
    pub slots: u64,
    /// Bytes that the memory of one call can have.
    pub memory_per_slot: u64,
    /// Bytes of address space reserved; not memory.
    pub address_space: u64,
    /// Bytes that can stay resident while nothing runs.
    pub kept_resident: u64,
    /// Instances alive now.
    pub in_use: u64,
}

impl fmt::Display for PoolReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.slots == 0 {
            return f.write_str("plugin instances are allocated on demand");
        }
        let mib = |bytes: u64| bytes >> 20;
        write!(
            f,
            "plugin pool: {} slots of at most {} MiB, {} MiB of address space, at most {} MiB resident when idle",
            self.slots,
            mib(self.memory_per_slot),
            mib(self.address_space),
            mib(self.kept_resident)
        )
    }
}

/// Everything that decides how code is compiled and run. The compiling child and the house use the same.
fn base_config(purpose: Purpose) -> Config {
    let mut config = Config::new();
    config
        .strategy(Strategy::Cranelift)
        .cranelift_opt_level(OptLevel::Speed)
        .concurrency_support(false)
        .epoch_interruption(purpose == Purpose::Adapters)
        .consume_fuel(purpose == Purpose::Policies)
        .memory_init_cow(true)
        .memory_reservation(MEMORY_RESERVATION)
        .memory_guard_size(GUARD)
        .wasm_component_model(true);
    config
}

fn pool_config(settings: &PoolSettings, slots: u32) -> InstanceAllocationStrategy {
    let mut pool = PoolingAllocationConfig::new();
    pool.total_component_instances(slots)
        .total_core_instances(slots.saturating_mul(settings.core_instances))
        .total_memories(slots.saturating_mul(2))
        .total_tables(slots.saturating_mul(8))
        .total_stacks(slots)
        .max_memory_size(usize::try_from(MEMORY_RESERVATION).unwrap_or(usize::MAX))
        .table_elements(settings.table_elements)
        .max_core_instance_size(10 << 20)
        .max_component_instance_size(10 << 20)
        .max_core_instances_per_component(settings.core_instances.max(100))
        .max_memories_per_component(8)
        .max_tables_per_component(32)
        // Only the pages that a call has touched are zeroed after it, where Linux can tell which (6.7 or newer); else the
        // whole stack of every call is, a MiB for a Rust component.
        .pagemap_scan(Enabled::Auto)
        .linear_memory_keep_resident(settings.memory_keep_resident)
        .table_keep_resident(settings.table_keep_resident);
    pool.into()
}

/// Ticks from its own thread, so that a busy async runtime cannot stop the clock that guards it. Sleeping, not counting:
/// a late tick is skipped, or a burst of them would kill innocent calls.
fn start_clock(engine: EngineWeak) -> std::io::Result<()> {
    std::thread::Builder::new()
        .name("plugin-clock".into())
        .spawn(move || {
            while let Some(engine) = engine.upgrade() {
                engine.increment_epoch();
                drop(engine);
                std::thread::sleep(TICK);
            }
        })
        .map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::hash::{DefaultHasher, Hash as _, Hasher as _};

    fn code_hash(engine: &wasmtime::Engine) -> u64 {
        let mut hasher = DefaultHasher::new();
        engine.precompile_compatibility_hash().hash(&mut hasher);
        hasher.finish()
    }

    #[test]
    fn a_pool_that_does_not_fit_becomes_smaller() {
        let engine = Engine::new(PoolSettings {
            slots: 1 << 20,
            ..PoolSettings::default()
        })
        .unwrap();
        match engine.allocation() {
            Allocation::Pool(slots) => assert!(slots < 1 << 20),
            Allocation::OnDemand => assert_eq!(engine.pool_report().slots, 0),
        }
    }

    #[test]
    fn the_report_shows_the_arithmetic() {
        let engine = Engine::new(PoolSettings {
            slots: 16,
            ..PoolSettings::default()
        })
        .unwrap();
        let report = engine.pool_report();
        assert_eq!(report.slots, 16);
        assert_eq!(report.address_space, 16 * (288 << 20));
        assert_eq!(
            report.to_string(),
            "plugin pool: 16 slots of at most 256 MiB, 4608 MiB of address space, at most 40 MiB resident when idle"
        );
    }

    #[test]
    fn code_compiled_without_a_pool_runs_in_one() {
        let engine = Engine::new(PoolSettings {
            slots: 8,
            ..PoolSettings::default()
        })
        .unwrap();
        assert_eq!(
            code_hash(&engine.wasm),
            code_hash(&Engine::compiler(Purpose::Adapters).unwrap())
        );
    }
}
