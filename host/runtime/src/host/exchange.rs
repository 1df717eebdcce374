//! `exchange`: what passes between an adapter and the message store.

use std::sync::Arc;

use wasmtime::component::Resource;

use crate::bindings::budstikke::plugin::exchange;
use crate::bindings::budstikke::plugin::types::Failure as ContractFailure;
use crate::call_state::CallState;
use crate::host::documents::{DocumentHandle, WHOLE};
use crate::host::state::within_limits;
use crate::host::{cut, to_contract};
use crate::services::{Delivery, Draft, Failure, Outgoing, SentMessage};

/// Bytes of a service's name of a transfer.
const REFERENCE: usize = 500;
/// Bytes of a reason.
const REASON: usize = 4 << 10;

/// What stands behind a guest's `outgoing-message`.
#[expect(unreachable_pub, reason = "the generated bindings re-export it")]
pub struct OutgoingHandle(pub(crate) Arc<dyn Outgoing>);

/// What stands behind a guest's `draft`.
#[expect(unreachable_pub, reason = "the generated bindings re-export it")]
pub struct DraftHandle(pub(crate) Arc<Draft>);

/// What stands behind a guest's `sent-message`.
#[expect(unreachable_pub, reason = "the generated bindings re-export it")]
pub struct SentHandle(pub(crate) SentMessage);

impl CallState {
    fn draft(&self, handle: &Resource<DraftHandle>) -> wasmtime::Result<Arc<Draft>> {
        Ok(self.table.get(handle)?.0.clone())
    }

    fn sent_message(&self, handle: &Resource<SentHandle>) -> wasmtime::Result<&SentMessage> {
        Ok(&self.table.get(handle)?.0)
    }

    fn outgoing(&self, handle: &Resource<OutgoingHandle>) -> wasmtime::Result<Arc<dyn Outgoing>> {
        Ok(self.table.get(handle)?.0.clone())
    }
}

fn check_reference(service: &str, reference: &str) -> Result<(), ContractFailure> {
    if service.len() > REFERENCE || reference.len() > REFERENCE {
        let detail = format!("service and reference may have {REFERENCE} bytes each");
        return Err(to_contract(Failure::permanent("limit", detail)));
    }
    Ok(())
}

type Message = Resource<OutgoingHandle>;

impl exchange::HostOutgoingMessage for CallState {
    fn message_id(&mut self, this: Message) -> wasmtime::Result<String> {
        Ok(self.outgoing(&this)?.facts().message_id.clone())
    }

    fn conversation_id(&mut self, this: Message) -> wasmtime::Result<String> {
        Ok(self.outgoing(&this)?.facts().conversation_id.clone())
    }

    fn process(&mut self, this: Message) -> wasmtime::Result<String> {
        Ok(self.outgoing(&this)?.facts().process.clone())
    }

    fn document_type(&mut self, this: Message) -> wasmtime::Result<String> {
        Ok(self.outgoing(&this)?.facts().document_type.clone())
    }

    fn message_type(&mut self, this: Message) -> wasmtime::Result<String> {
        Ok(self.outgoing(&this)?.facts().message_type.clone())
    }

    fn service(&mut self, this: Message) -> wasmtime::Result<String> {
        Ok(self.outgoing(&this)?.facts().service.clone())
    }

    fn sender(&mut self, this: Message) -> wasmtime::Result<String> {
        Ok(self.outgoing(&this)?.facts().sender.clone())
    }

    fn receiver(&mut self, this: Message) -> wasmtime::Result<String> {
        Ok(self.outgoing(&this)?.facts().receiver.clone())
    }

    fn expires(&mut self, this: Message) -> wasmtime::Result<u64> {
        Ok(self.outgoing(&this)?.facts().expires)
    }

    fn attempt(&mut self, this: Message) -> wasmtime::Result<u32> {
        Ok(self.outgoing(&this)?.facts().attempt)
    }

    fn uncertain(&mut self, this: Message) -> wasmtime::Result<bool> {
        Ok(self.outgoing(&this)?.facts().uncertain)
    }

    async fn sbd(&mut self, this: Message) -> wasmtime::Result<Result<Vec<u8>, ContractFailure>> {
        Ok(self.outgoing(&this)?.sbd().await.map_err(to_contract))
    }

    fn files(&mut self, this: Message) -> wasmtime::Result<Vec<Resource<DocumentHandle>>> {
        let files = self.outgoing(&this)?.files();
        files.into_iter().map(|file| self.give(file)).collect()
    }

    fn receiver_certificate(&mut self, this: Message) -> wasmtime::Result<Option<Vec<u8>>> {
        Ok(self.outgoing(&this)?.facts().receiver_certificate.clone())
    }

    fn receiver_address(&mut self, this: Message, name: String) -> wasmtime::Result<Option<String>> {
        Ok(by_name(&self.outgoing(&this)?.facts().receiver_address, &name))
    }

    fn reply_channel(&mut self, this: Message) -> wasmtime::Result<Option<String>> {
        Ok(self.outgoing(&this)?.facts().reply_channel.clone())
    }

    fn checkpoint(&mut self, this: Message, name: String) -> wasmtime::Result<Option<Vec<u8>>> {
        Ok(self.outgoing(&this)?.checkpoint(&name))
    }

    async fn save_checkpoint(
        &mut self,
        this: Message,
        name: String,
        value: Vec<u8>,
    ) -> wasmtime::Result<Result<(), ContractFailure>> {
        if let Err(failure) = within_limits(&name, &value) {
            return Ok(Err(failure));
        }
        self.allowance.take_checkpoint()?;
        Ok(self
            .outgoing(&this)?
            .save_checkpoint(&name, value)
            .await
            .map_err(to_contract))
    }

    async fn keep(
        &mut self,
        this: Message,
        name: String,
        document: Resource<DocumentHandle>,
    ) -> wasmtime::Result<Result<Resource<DocumentHandle>, ContractFailure>> {
        if let Err(failure) = within_limits(&name, &[]) {
            return Ok(Err(failure));
        }
        let document = self.document(&document)?;
        let kept = self.outgoing(&this)?.keep(&name, document).await;
        self.give_result(kept)
    }

    async fn forget(&mut self, this: Message, name: String) -> wasmtime::Result<()> {
        self.outgoing(&this)?.forget(&name).await;
        Ok(())
    }

    fn drop(&mut self, this: Message) -> wasmtime::Result<()> {
        self.table.delete(this)?;
        Ok(())
    }
}

impl exchange::HostDraft for CallState {
    fn message_id(&mut self, this: Resource<DraftHandle>) -> wasmtime::Result<String> {
        Ok(self.draft(&this)?.message_id.clone())
    }

    fn process(&mut self, this: Resource<DraftHandle>) -> wasmtime::Result<String> {
        Ok(self.draft(&this)?.process.clone())
    }

    fn document_type(&mut self, this: Resource<DraftHandle>) -> wasmtime::Result<String> {
        Ok(self.draft(&this)?.document_type.clone())
    }

    fn message_type(&mut self, this: Resource<DraftHandle>) -> wasmtime::Result<String> {
        Ok(self.draft(&this)?.message_type.clone())
    }

    fn service(&mut self, this: Resource<DraftHandle>) -> wasmtime::Result<String> {
        Ok(self.draft(&this)?.service.clone())
    }

    fn sender(&mut self, this: Resource<DraftHandle>) -> wasmtime::Result<String> {
        Ok(self.draft(&this)?.sender.clone())
    }

    fn receiver(&mut self, this: Resource<DraftHandle>) -> wasmtime::Result<String> {
        Ok(self.draft(&this)?.receiver.clone())
    }

    async fn sbd(&mut self, this: Resource<DraftHandle>) -> wasmtime::Result<Result<Vec<u8>, ContractFailure>> {
        Ok(Ok(self.draft(&this)?.sbd.clone()))
    }

    fn receiver_address(&mut self, this: Resource<DraftHandle>, name: String) -> wasmtime::Result<Option<String>> {
        Ok(by_name(&self.draft(&this)?.receiver_address, &name))
    }

    fn files(&mut self, this: Resource<DraftHandle>) -> wasmtime::Result<Option<Vec<Resource<DocumentHandle>>>> {
        let Some(files) = self.draft(&this)?.files.clone() else {
            return Ok(None);
        };
        let handles = files.into_iter().map(|file| self.give(file));
        handles.collect::<wasmtime::Result<Vec<_>>>().map(Some)
    }

    fn drop(&mut self, this: Resource<DraftHandle>) -> wasmtime::Result<()> {
        self.table.delete(this)?;
        Ok(())
    }
}

impl exchange::HostSentMessage for CallState {
    fn message_id(&mut self, this: Resource<SentHandle>) -> wasmtime::Result<String> {
        Ok(self.sent_message(&this)?.message_id.clone())
    }

    fn conversation_id(&mut self, this: Resource<SentHandle>) -> wasmtime::Result<String> {
        Ok(self.sent_message(&this)?.conversation_id.clone())
    }

    fn process(&mut self, this: Resource<SentHandle>) -> wasmtime::Result<String> {
        Ok(self.sent_message(&this)?.process.clone())
    }

    fn document_type(&mut self, this: Resource<SentHandle>) -> wasmtime::Result<String> {
        Ok(self.sent_message(&this)?.document_type.clone())
    }

    fn service(&mut self, this: Resource<SentHandle>) -> wasmtime::Result<String> {
        Ok(self.sent_message(&this)?.service.clone())
    }

    fn sender(&mut self, this: Resource<SentHandle>) -> wasmtime::Result<String> {
        Ok(self.sent_message(&this)?.sender.clone())
    }

    fn receiver(&mut self, this: Resource<SentHandle>) -> wasmtime::Result<String> {
        Ok(self.sent_message(&this)?.receiver.clone())
    }

    fn reference(&mut self, this: Resource<SentHandle>) -> wasmtime::Result<Option<String>> {
        Ok(self.sent_message(&this)?.reference.clone())
    }

    fn last_update(&mut self, this: Resource<SentHandle>) -> wasmtime::Result<u64> {
        Ok(self.sent_message(&this)?.last_update)
    }

    fn drop(&mut self, this: Resource<SentHandle>) -> wasmtime::Result<()> {
        self.table.delete(this)?;
        Ok(())
    }
}

fn by_name(pairs: &[(String, String)], name: &str) -> Option<String> {
    pairs
        .iter()
        .find(|(known, _)| known == name)
        .map(|(_, value)| value.clone())
}

fn delivered(delivery: Result<Delivery, Failure>) -> Result<exchange::Delivery, ContractFailure> {
    delivery
        .map(|delivery| match delivery {
            Delivery::New => exchange::Delivery::New,
            Delivery::AlreadyKnown => exchange::Delivery::AlreadyKnown,
            Delivery::Status => exchange::Delivery::Status,
            Delivery::Expired => exchange::Delivery::Expired,
            Delivery::SetAside(reason) => exchange::Delivery::SetAside(cut(reason, REASON)),
        })
        .map_err(to_contract)
}

fn check_sbd(sbd: &[u8]) -> Result<(), ContractFailure> {
    if sbd.len() > WHOLE {
        let detail = format!("an SBD of {} bytes; {WHOLE} are allowed", sbd.len());
        return Err(to_contract(Failure::permanent("too-large", detail)));
    }
    Ok(())
}

impl exchange::Host for CallState {
    async fn deliver(
        &mut self,
        service: String,
        reference: String,
        sbd: Vec<u8>,
        package: Option<Resource<DocumentHandle>>,
    ) -> wasmtime::Result<Result<exchange::Delivery, ContractFailure>> {
        if let Err(failure) = check_reference(&service, &reference).and_then(|()| check_sbd(&sbd)) {
            return Ok(Err(failure));
        }
        let package = package.map(|package| self.document(&package)).transpose()?;
        let delivery = self.plugin.services.deliver(&service, &reference, sbd, package).await;
        Ok(delivered(delivery))
    }

    async fn generate(
        &mut self,
        service: String,
        reference: String,
        sbd: Vec<u8>,
    ) -> wasmtime::Result<Result<exchange::Delivery, ContractFailure>> {
        if let Err(failure) = check_reference(&service, &reference).and_then(|()| check_sbd(&sbd)) {
            return Ok(Err(failure));
        }
        Ok(delivered(
            self.plugin.services.generate(&service, &reference, sbd).await,
        ))
    }

    async fn set_aside(
        &mut self,
        service: String,
        reference: String,
        reason: String,
        content: Option<Resource<DocumentHandle>>,
    ) -> wasmtime::Result<Result<(), ContractFailure>> {
        if let Err(failure) = check_reference(&service, &reference) {
            return Ok(Err(failure));
        }
        let content = content.map(|content| self.document(&content)).transpose()?;
        let aside = self
            .plugin
            .services
            .set_aside(&service, &reference, &cut(reason, REASON), content)
            .await;
        Ok(aside.map_err(to_contract))
    }

    async fn was_handled(
        &mut self,
        service: String,
        reference: String,
    ) -> wasmtime::Result<Result<bool, ContractFailure>> {
        if let Err(failure) = check_reference(&service, &reference) {
            return Ok(Err(failure));
        }
        Ok(self
            .plugin
            .services
            .was_handled(&service, &reference)
            .await
            .map_err(to_contract))
    }
}
