//! The sandbox: loads, checks, links, runs and swaps WebAssembly components.
//!
//! An [`Engine`] runs them, a [`Loader`] makes a [`Plugin`] of a file, a [`PluginFolder`] keeps each adapter's file and its
//! [`Slot`] in step. A [`policy::Policy`] judges which version of something is to run. What a plugin can ask for stands behind the traits of [`services`].

mod bindings;
mod cache;
mod call_state;
mod compile;
mod egress;
mod engine;
mod error;
mod folder;
mod grants;
mod host;
mod limits;
mod load;
mod plugin;
pub mod policy;
pub mod services;

pub use cache::CacheError;
pub use compile::{COMPONENT_SIZE, CompileError, CompileLimits, Compiler, CompilerCommand, compile_in_this_process};
pub use egress::{CheckedResolver, EgressError, Reach, ResolveError, reach};
pub use engine::{Allocation, Engine, EngineError, MEMORY_RESERVATION, PoolReport, PoolSettings, Purpose};
pub use error::CallError;
pub use folder::{
    FolderError, FolderSettings, PluginEvent, PluginFolder, Refused, Slot, SlotState, SlotStatus, Unavailable,
};
pub use grants::{Ability, GrantError, Grants, HostGrant, ImportError};
pub use limits::Limits;
pub use load::{Digest, LoadError, LoadReason, Loader, PluginSpec};
pub use plugin::{CallResult, Plugin, PluginStats};
