//! `registry`: who others are.

use std::sync::Arc;

use wasmtime::component::Resource;

use crate::bindings::budstikke::plugin::registry;
use crate::bindings::budstikke::plugin::types::Failure as ContractFailure;
use crate::call_state::CallState;
use crate::host::documents::NAME;
use crate::host::{cut, to_contract};
use crate::services::Party;

/// What stands behind a guest's `party`.
#[expect(unreachable_pub, reason = "the generated bindings re-export it")]
pub struct PartyHandle(Arc<Party>);

impl registry::HostParty for CallState {
    fn name(&mut self, this: Resource<PartyHandle>) -> wasmtime::Result<Option<String>> {
        Ok(self.table.get(&this)?.0.name.clone())
    }

    fn address(&mut self, this: Resource<PartyHandle>) -> wasmtime::Result<Option<registry::PostalAddress>> {
        let address = self.table.get(&this)?.0.address.clone();
        Ok(address.map(|address| registry::PostalAddress {
            street: address.street,
            postal_code: address.postal_code,
            place: address.place,
            country: address.country,
        }))
    }

    fn drop(&mut self, this: Resource<PartyHandle>) -> wasmtime::Result<()> {
        self.table.delete(this)?;
        Ok(())
    }
}

impl registry::Host for CallState {
    async fn look_up(
        &mut self,
        identifier: String,
    ) -> wasmtime::Result<Result<Option<Resource<PartyHandle>>, ContractFailure>> {
        match self.plugin.services.look_up(&cut(identifier, NAME)).await {
            Ok(None) => Ok(Ok(None)),
            Ok(Some(party)) => Ok(Ok(Some(self.table.push(PartyHandle(Arc::new(party)))?))),
            Err(failure) => Ok(Err(to_contract(failure))),
        }
    }
}
