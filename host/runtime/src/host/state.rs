//! `state`: a small durable store of the adapter's own.

use crate::bindings::budstikke::plugin::state;
use crate::bindings::budstikke::plugin::types::Failure as ContractFailure;
use crate::call_state::CallState;
use crate::host::to_contract;
use crate::services::Failure;

/// Bytes of a key, of a checkpoint's name, of a kept document's name.
pub(crate) const KEY: usize = 200;
/// Bytes of a value or checkpoint.
pub(crate) const VALUE: usize = 64 << 10;

/// Whether name and value are within the contract's limits.
pub(crate) fn within_limits(name: &str, value: &[u8]) -> Result<(), ContractFailure> {
    let (what, size, limit) = if name.len() > KEY {
        ("name", name.len(), KEY)
    } else if value.len() > VALUE {
        ("value", value.len(), VALUE)
    } else {
        return Ok(());
    };
    let detail = format!("a {what} of {size} bytes; {limit} are allowed");
    Err(to_contract(Failure::permanent("limit", detail)))
}

impl state::Host for CallState {
    async fn get(&mut self, key: String) -> wasmtime::Result<Result<Option<Vec<u8>>, ContractFailure>> {
        if let Err(failure) = within_limits(&key, &[]) {
            return Ok(Err(failure));
        }
        Ok(self.plugin.services.state_get(&key).await.map_err(to_contract))
    }

    async fn set(
        &mut self,
        key: String,
        value: Vec<u8>,
        lifetime: Option<u64>,
    ) -> wasmtime::Result<Result<(), ContractFailure>> {
        if let Err(failure) = within_limits(&key, &value) {
            return Ok(Err(failure));
        }
        Ok(self
            .plugin
            .services
            .state_set(&key, value, lifetime)
            .await
            .map_err(to_contract))
    }

    async fn remove(&mut self, key: String) -> wasmtime::Result<Result<(), ContractFailure>> {
        if let Err(failure) = within_limits(&key, &[]) {
            return Ok(Err(failure));
        }
        Ok(self.plugin.services.state_remove(&key).await.map_err(to_contract))
    }
}
