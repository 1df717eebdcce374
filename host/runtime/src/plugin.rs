//! A loaded adapter, and its functions. Every call gets a fresh instance from the pool.

mod answer;
mod blame;
mod clock;
mod stats;

use std::sync::{Arc, OnceLock, PoisonError, Weak};
use std::time::{Duration, Instant};

use futures::future::BoxFuture;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use wasmtime::component::Resource;
use wasmtime::{Store, UpdateDeadline};

use crate::bindings::HousePre;
use crate::bindings::budstikke::plugin::types;
use crate::bindings::exports::budstikke::plugin::messaging::Guest;
use crate::call_state::{CallState, PluginContext};
use crate::engine::Engine;
use crate::error::CallError;
use crate::host::exchange::{DraftHandle, OutgoingHandle, SentHandle};
use crate::host::from_contract;
use crate::load::Digest;
use crate::services::{Description, Draft, Failure, Outgoing, Progress, Received, Sent, SentMessage};

use clock::{CallClock, OutOfTime};
pub use stats::PluginStats;
use stats::Stats;

/// What a call gives: the adapter's answer or its failure, or the house's judgement about it.
pub type CallResult<T> = Result<Result<T, Failure>, CallError>;

/// Told about the end of each call that ran; the slot of a folder learns from it whether a new version proves itself.
pub(crate) trait Watch: Send + Sync {
    fn ended(&self, plugin: &Digest, generation: u64, fault: Option<&CallError>);
}

/// A loaded adapter: one generation of one file.
pub struct Plugin {
    engine: Engine,
    context: Arc<PluginContext>,
    linked: HousePre<CallState>,
    digest: Digest,
    imports: Vec<String>,
    turns: Arc<Semaphore>,
    description: OnceLock<Description>,
    stats: Stats,
    watch: OnceLock<(Weak<dyn Watch>, u64)>,
}

type Call<'a, T> = BoxFuture<'a, wasmtime::Result<Result<T, types::Failure>>>;

impl Plugin {
    pub(crate) fn new(
        engine: Engine,
        context: PluginContext,
        linked: HousePre<CallState>,
        digest: Digest,
        imports: Vec<String>,
    ) -> Self {
        let turns = Arc::new(Semaphore::new(context.limits.concurrency.min(Semaphore::MAX_PERMITS)));
        Self {
            engine,
            context: Arc::new(context),
            linked,
            digest,
            imports,
            turns,
            description: OnceLock::new(),
            stats: Stats::default(),
            watch: OnceLock::new(),
        }
    }

    /// The adapter's name in the operator's file.
    pub fn name(&self) -> &str {
        &self.context.name
    }

    /// SHA-256 of the file.
    pub fn digest(&self) -> Digest {
        self.digest
    }

    /// The version that it gave when it was loaded.
    pub fn version(&self) -> &str {
        &self.description().version
    }

    /// What it said about itself when it was loaded.
    pub fn description(&self) -> &Description {
        static UNKNOWN: Description = Description {
            name: String::new(),
            version: String::new(),
            services: Vec::new(),
            poll_interval: None,
        };
        self.description.get().unwrap_or(&UNKNOWN)
    }

    /// What it asks for: the names of its imports.
    pub fn imports(&self) -> &[String] {
        &self.imports
    }

    /// What its calls have used so far.
    pub fn stats(&self) -> PluginStats {
        self.stats.snapshot(self.context.gate.refused())
    }

    /// `messaging.describe`, anew.
    pub async fn describe(&self) -> CallResult<Description> {
        let answer = self
            .call("describe", |store, guest| Box::pin(guest.call_describe(store)))
            .await?;
        Ok(answer.map(answer::description).map_err(from_contract))
    }

    /// `messaging.send`.
    pub async fn send(&self, message: Arc<dyn Outgoing>) -> CallResult<Sent> {
        let answer = self
            .call("send", |store, guest| {
                Box::pin(async move {
                    let handle = store.data_mut().table.push(OutgoingHandle(message))?;
                    guest.call_send(store, Resource::new_borrow(handle.rep())).await
                })
            })
            .await?;
        Ok(answer.map(answer::sent).map_err(from_contract))
    }

    /// `messaging.receive`.
    pub async fn receive(&self) -> CallResult<Received> {
        let answer = self
            .call("receive", |store, guest| Box::pin(guest.call_receive(store)))
            .await?;
        Ok(answer.map(answer::received).map_err(from_contract))
    }

    /// `messaging.track`.
    pub async fn track(&self, messages: Vec<SentMessage>) -> Result<Vec<Result<Progress, Failure>>, CallError> {
        let answers = self
            .call("track", |store, guest| {
                Box::pin(async move {
                    let mut handles = Vec::with_capacity(messages.len());
                    for message in messages {
                        let handle = store.data_mut().table.push(SentHandle(message))?;
                        handles.push(Resource::new_own(handle.rep()));
                    }
                    guest.call_track(store, &handles).await.map(Ok)
                })
            })
            .await?
            .unwrap_or_default();
        Ok(answers
            .into_iter()
            .map(|answer| answer.map(answer::progress).map_err(from_contract))
            .collect())
    }

    /// `messaging.check`.
    pub async fn check(&self, draft: Arc<Draft>) -> CallResult<()> {
        let answer = self
            .call("check", |store, guest| {
                Box::pin(async move {
                    let handle = store.data_mut().table.push(DraftHandle(draft))?;
                    guest.call_check(store, Resource::new_borrow(handle.rep())).await
                })
            })
            .await?;
        Ok(answer.map_err(from_contract))
    }

    pub(crate) async fn learn_description(&self) -> CallResult<()> {
        Ok(self
            .describe()
            .await?
            .map(|description| drop(self.description.set(description))))
    }

    pub(crate) fn watched_by(&self, watch: Weak<dyn Watch>, generation: u64) {
        // A plugin belongs to one slot; a second one would be a mistake without consequences.
        drop(self.watch.set((watch, generation)));
    }

    async fn call<T, F>(&self, function: &'static str, body: F) -> Result<Result<T, types::Failure>, CallError>
    where
        F: for<'a> FnOnce(&'a mut Store<CallState>, &'a Guest) -> Call<'a, T>,
    {
        let result = self.run(function, body).await;
        let fault = result.as_ref().err().filter(|error| error.blames_plugin());
        // A call that never ran says nothing, good or bad.
        let ran = !matches!(result, Err(CallError::Busy { .. }));
        if ran
            && let Some((watch, generation)) = self.watch.get()
            && let Some(watch) = watch.upgrade()
        {
            watch.ended(&self.digest, *generation, fault);
        }
        if let Some(fault) = fault {
            tracing::warn!(plugin = self.name(), function, kind = fault.kind(), "{fault}");
        }
        result
    }

    async fn run<T, F>(&self, function: &'static str, body: F) -> Result<Result<T, types::Failure>, CallError>
    where
        F: for<'a> FnOnce(&'a mut Store<CallState>, &'a Guest) -> Call<'a, T>,
    {
        let _turns = self.admit(function).await?;
        let started = Instant::now();
        let mut store = self.store();
        let clock = CallClock::new(&self.context.limits, store.data().egress.quota().clone());
        let answered = clock
            .bound(async {
                let adapter = self.linked.instantiate_async(&mut store).await?;
                body(&mut store, adapter.budstikke_plugin_messaging()).await
            })
            .await;
        let state = store.data();
        let dropped = state.log.lock().unwrap_or_else(PoisonError::into_inner).dropped();
        if dropped > 0 {
            tracing::warn!(
                plugin = self.name(),
                function,
                lines = dropped,
                "log lines over the budget were dropped"
            );
        }
        let result = match answered {
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(error)) => Err(blame::judge(self.name(), function, state, &error)),
            Err(OutOfTime(limit)) => Err(CallError::OutOfTime {
                plugin: self.name().to_owned(),
                function,
                limit,
            }),
        };
        self.stats.count(state, started.elapsed(), result.as_ref().err());
        result
    }

    /// Waits for a turn of this adapter, then for a slot of the pool, so that the pool itself is never found full.
    async fn admit(&self, function: &'static str) -> Result<[OwnedSemaphorePermit; 2], CallError> {
        let waited = self.context.limits.queue_time;
        let turns = async {
            let turn = self.turns.clone().acquire_owned().await.ok()?;
            let slot = self.engine.slots.clone().acquire_owned().await.ok()?;
            Some([turn, slot])
        };
        let turns = tokio::time::timeout(waited, turns).await.ok().flatten();
        let limit = self.context.limits.concurrency;
        turns.ok_or_else(|| CallError::Busy {
            plugin: self.name().to_owned(),
            function,
            limit,
            waited,
        })
    }

    fn store(&self) -> Store<CallState> {
        let limits = &self.context.limits;
        let mut store = Store::new(&self.engine.wasm, CallState::new(self.context.clone()));
        store.limiter(|state| &mut state.memory);
        store.set_hostcall_fuel(limits.hostcall_bytes);
        store.set_max_component_handles(limits.handles);
        store.call_hook(|mut store, border| {
            store.data_mut().cpu.crossed(border);
            Ok(())
        });
        store.set_epoch_deadline(1);
        // Yielding at each tick is kind to neighbours; the interrupt is the back-stop.
        store.epoch_deadline_callback(|mut store| {
            Ok(if store.data_mut().cpu.tick() {
                UpdateDeadline::Interrupt
            } else {
                UpdateDeadline::Yield(1)
            })
        });
        store
    }

    /// How long a call may take, waiting for its turn included.
    pub fn longest_call(&self) -> Duration {
        let limits = &self.context.limits;
        limits
            .queue_time
            .saturating_add(limits.call_time.max(limits.transfer_time))
    }
}

impl std::fmt::Debug for Plugin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Plugin")
            .field("name", &self.name())
            .field("digest", &self.digest)
            .finish_non_exhaustive()
    }
}
