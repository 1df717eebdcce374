//! What a guest can call: one module for each ability, each answering from [`crate::services::Services`].

pub(crate) mod allowance;
pub(crate) mod documents;
pub(crate) mod exchange;
mod failure;
mod identity;
pub(crate) mod logging;
mod packaging;
mod queue_key;
pub(crate) mod registry;
mod settings;
mod state;
mod streams;

use wasmtime::component::{HasSelf, Linker};

use crate::bindings::budstikke::plugin as contract;
use crate::bindings::wasi::logging::logging as wasi_logging;
use crate::call_state::CallState;
use crate::grants::Ability;

pub(crate) use failure::{cut, from_contract, to_contract};

/// Links what is harmless and what was granted, and nothing else.
pub(crate) fn link(linker: &mut Linker<CallState>, abilities: &[Ability]) -> wasmtime::Result<()> {
    type House = HasSelf<CallState>;
    wasmtime_wasi::p2::add_to_linker_async(linker)?;
    wasi_logging::add_to_linker::<_, House>(linker, |state| state)?;
    contract::types::add_to_linker::<_, House>(linker, |state| state)?;
    contract::settings::add_to_linker::<_, House>(linker, |state| state)?;
    for ability in abilities {
        match ability {
            Ability::Documents => contract::documents::add_to_linker::<_, House>(linker, |state| state)?,
            Ability::Packaging => contract::packaging::add_to_linker::<_, House>(linker, |state| state)?,
            Ability::Identity => contract::identity::add_to_linker::<_, House>(linker, |state| state)?,
            Ability::Exchange => contract::exchange::add_to_linker::<_, House>(linker, |state| state)?,
            Ability::Registry => contract::registry::add_to_linker::<_, House>(linker, |state| state)?,
            Ability::QueueKey => contract::queue_key::add_to_linker::<_, House>(linker, |state| state)?,
            Ability::State => contract::state::add_to_linker::<_, House>(linker, |state| state)?,
            Ability::Http => wasmtime_wasi_http::p2::add_only_http_to_linker_async(linker)?,
        }
    }
    Ok(())
}

/// A limit of the contract or the operator that a guest passed where the contract has no failure to tell it: the call
/// ends.
#[derive(Debug, thiserror::Error)]
#[error("{reason}")]
pub(crate) struct OverLimit {
    /// Name of the limit.
    pub(crate) limit: &'static str,
    /// What happened.
    pub(crate) reason: String,
}
