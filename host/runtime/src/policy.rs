//! Update policies: components that judge which version of something is to run.
//!
//! A policy is a pure function. It sees a [`Situation`] and nothing else: clocks stand still at its moment, chance always falls the
//! same way, and what it may compute is counted in instructions, not in time. So the same situation always gets the same answer.

mod bindings;
mod situation;
mod state;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use wasmtime::component::{Linker, Resource};
use wasmtime::{Store, Trap};

use crate::engine::{Engine, Purpose};
use crate::grants::check_policy_imports;
use crate::host::cut;
use crate::limits::Limits;
use crate::load::{Digest, LoadError, LoadReason, Loader};
use bindings::JudgePre;
use bindings::exports::budstikke::plugin::policy::Guest;
pub use situation::{Attempt, Blocked, Candidate, Cause, Decision, Outcome, Situation};
use state::JudgeState;

/// Instructions of one call; a JavaScript or Python policy needs some hundred millions to start.
const FUEL: u64 = 10_000_000_000;
/// Wall clock of one call: a guest that waits uses no fuel.
const TIME: Duration = Duration::from_mins(1);
/// Linear memory of one call, bytes.
const MEMORY: usize = 256 << 20;
/// Bytes of a reason, and of wasmtime's words.
const REASON: usize = 2 << 10;

/// What stands behind the resource of the contract.
pub type About = Arc<Situation>;

/// A policy gave no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, Serialize, Deserialize)]
pub enum PolicyError {
    /// It computed for too long.
    #[error("computed for more than {0} instructions")]
    OutOfFuel(u64),
    /// It waited for something.
    #[error("was not finished after {} s", .0.as_secs())]
    OutOfTime(Duration),
    /// It wanted more memory than it may have.
    #[error("wanted more than {} MiB of memory", .0 >> 20)]
    OutOfMemory(usize),
    /// It broke down.
    #[error("broke down: {0}")]
    Trap(String),
}

/// What a policy said, and what it took to say it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Judgement {
    /// An error is the policy's own: it cannot decide.
    pub decision: Result<Decision, String>,
    /// What it logged and printed.
    pub log: Vec<String>,
    /// Instructions.
    pub fuel: u64,
}

/// A loaded policy. Every call gets a fresh instance.
pub struct Policy {
    name: Arc<str>,
    digest: Digest,
    engine: wasmtime::Engine,
    linked: JudgePre<JudgeState>,
    fuel: u64,
}

impl Policy {
    /// Loads a component from a file. `loader` stands on [`Engine::for_policies`].
    pub async fn load(loader: &Loader, name: &str, path: &Path) -> Result<Self, LoadError> {
        let load = async {
            if loader.engine().purpose != Purpose::Policies {
                return Err(LoadReason::NotAComponent("meant for another engine"));
            }
            let (digest, component) = loader.component_of(path).await?;
            let engine = loader.engine().wasm.clone();
            let component_type = component.component_type();
            check_policy_imports(component_type.imports(&engine).map(|(import, _)| import))?;
            let mut linker = Linker::new(&engine);
            state::link(&mut linker).map_err(LoadReason::Contract)?;
            let linked = linker
                .instantiate_pre(&component)
                .and_then(JudgePre::new)
                .map_err(LoadReason::Contract)?;
            Ok(Self {
                name: name.into(),
                digest,
                engine,
                linked,
                fuel: FUEL,
            })
        };
        load.await.map_err(|reason| LoadError {
            plugin: name.to_owned(),
            reason,
        })
    }

    /// Its name in the operator's file.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// SHA-256 of the file.
    pub fn digest(&self) -> Digest {
        self.digest
    }

    /// The same with another number of instructions for each call.
    #[must_use]
    pub fn with_fuel(mut self, fuel: u64) -> Self {
        self.fuel = fuel;
        self
    }

    /// `policy.check`: whether it can work with these settings, a JSON object.
    pub async fn check(&self, settings: &str) -> Result<Result<(), String>, PolicyError> {
        let nothing = Arc::new(Situation::default());
        let settings = settings.to_owned();
        let (answer, ..) = self
            .call(&nothing, async |store, guest| guest.call_check(store, &settings).await)
            .await?;
        Ok(answer.map_err(|reason| cut(reason, REASON)))
    }

    /// `policy.decide`.
    pub async fn decide(&self, situation: &Arc<Situation>) -> Result<Judgement, PolicyError> {
        let (answer, log, fuel) = self
            .call(situation, async |store, guest| {
                let about = store.data_mut().table.push(Arc::clone(situation))?;
                guest.call_decide(store, Resource::new_borrow(about.rep())).await
            })
            .await?;
        let decision = answer.map(Decision::from).map_err(|reason| cut(reason, REASON));
        Ok(Judgement { decision, log, fuel })
    }

    async fn call<T>(
        &self,
        situation: &Situation,
        body: impl AsyncFnOnce(&mut Store<JudgeState>, &Guest) -> wasmtime::Result<T>,
    ) -> Result<(T, Vec<String>, u64), PolicyError> {
        let limits = Limits {
            memory: MEMORY,
            ..Limits::default()
        };
        let mut store = Store::new(&self.engine, JudgeState::new(situation.now, &limits));
        store.limiter(|state| &mut state.memory);
        let trap = |error: wasmtime::Error| PolicyError::Trap(cut(format!("{error:#}"), REASON));
        store.set_fuel(self.fuel).map_err(trap)?;
        let answered = tokio::time::timeout(TIME, async {
            let judge = self.linked.instantiate_async(&mut store).await?;
            body(&mut store, judge.budstikke_plugin_policy()).await
        })
        .await;
        match answered {
            Ok(Ok(answer)) => {
                let used = self.fuel.saturating_sub(store.get_fuel().unwrap_or(0));
                Ok((answer, store.into_data().log(), used))
            }
            Ok(Err(error)) if error.downcast_ref::<Trap>() == Some(&Trap::OutOfFuel) => {
                Err(PolicyError::OutOfFuel(self.fuel))
            }
            Ok(Err(_)) if store.data().memory.refused().is_some() => Err(PolicyError::OutOfMemory(MEMORY)),
            Ok(Err(error)) => Err(trap(error)),
            Err(_) => Err(PolicyError::OutOfTime(TIME)),
        }
    }
}

impl std::fmt::Debug for Policy {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Policy")
            .field("name", &self.name)
            .field("digest", &self.digest)
            .finish_non_exhaustive()
    }
}

impl Engine {
    /// An engine that policies run on: it counts instructions, and has neither pool nor clock.
    pub fn for_policies() -> Result<Self, crate::engine::EngineError> {
        Self::without_pool(Purpose::Policies)
    }
}
