//! `queue-key`: the key of the message queues.

use crate::bindings::budstikke::plugin::queue_key;
use crate::bindings::budstikke::plugin::types::Failure as ContractFailure;
use crate::call_state::CallState;
use crate::host::to_contract;

impl queue_key::Host for CallState {
    async fn get(&mut self) -> wasmtime::Result<Result<String, ContractFailure>> {
        Ok(self.plugin.services.queue_key().await.map_err(to_contract))
    }

    async fn was_refused(&mut self, value: String) -> wasmtime::Result<()> {
        self.plugin.services.queue_key_was_refused(&value).await;
        Ok(())
    }
}
