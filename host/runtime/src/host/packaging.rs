//! `packaging`: recipes for packages.

use wasmtime::component::Resource;

use crate::bindings::budstikke::plugin::packaging;
use crate::bindings::budstikke::plugin::types::Failure as ContractFailure;
use crate::call_state::CallState;
use crate::host::documents::{DocumentHandle, MEDIA_TYPE, NAME, WHOLE};
use crate::host::{OverLimit, cut, to_contract};
use crate::services::{DocumentRef, Failure, SealScheme};

/// Entries of a package.
const ENTRIES: usize = 1000;

type Made = wasmtime::Result<Result<Resource<DocumentHandle>, ContractFailure>>;

impl CallState {
    fn all(&self, handles: &[Resource<DocumentHandle>]) -> wasmtime::Result<Vec<DocumentRef>> {
        handles.iter().map(|handle| self.document(handle)).collect()
    }
}

fn too_many(count: usize) -> Result<(), ContractFailure> {
    if count > ENTRIES {
        let detail = format!("a package of {count} entries; {ENTRIES} are allowed");
        return Err(to_contract(Failure::permanent("limit", detail)));
    }
    Ok(())
}

impl packaging::Host for CallState {
    fn from_bytes(
        &mut self,
        name: String,
        media_type: String,
        content: Vec<u8>,
    ) -> wasmtime::Result<Resource<DocumentHandle>> {
        if content.len() > WHOLE {
            let reason = format!("packaging.from-bytes with {} bytes; {WHOLE} are allowed", content.len());
            return Err(wasmtime::Error::new(OverLimit {
                limit: "from-bytes",
                reason,
            }));
        }
        self.allowance.take_recipes(1)?;
        self.allowance.take_bytes(content.len())?;
        let document = self
            .plugin
            .services
            .from_bytes(&cut(name, NAME), &cut(media_type, MEDIA_TYPE), content);
        self.give(document)
    }

    async fn asic(
        &mut self,
        name: String,
        documents: Vec<Resource<DocumentHandle>>,
        sender: String,
        receiver: String,
    ) -> Made {
        if let Err(failure) = too_many(documents.len()) {
            return Ok(Err(failure));
        }
        if documents.is_empty() {
            let failure = Failure::permanent("no-documents", "an ASiC-E needs at least one document");
            return Ok(Err(to_contract(failure)));
        }
        self.allowance.take_recipes(1 + documents.len())?;
        let documents = self.all(&documents)?;
        let (name, sender, receiver) = (cut(name, NAME), cut(sender, NAME), cut(receiver, NAME));
        let made = self.plugin.services.asic(&name, documents, &sender, &receiver).await;
        self.give_result(made)
    }

    async fn seal(
        &mut self,
        name: String,
        content: Resource<DocumentHandle>,
        certificate: Vec<u8>,
        scheme: packaging::SealScheme,
    ) -> Made {
        self.allowance.take_recipes(1)?;
        // The recipe keeps it.
        self.allowance.take_bytes(certificate.len())?;
        let content = self.document(&content)?;
        let scheme = match scheme {
            packaging::SealScheme::OaepCbc => SealScheme::OaepCbc,
            packaging::SealScheme::Pkcs1Cbc => SealScheme::Pkcs1Cbc,
            packaging::SealScheme::OaepGcm => SealScheme::OaepGcm,
            packaging::SealScheme::Other(name) => SealScheme::Other(cut(name, 100)),
        };
        let made = self
            .plugin
            .services
            .seal(&cut(name, NAME), content, certificate, scheme)
            .await;
        self.give_result(made)
    }

    async fn seal_to_us(&mut self, name: String, content: Resource<DocumentHandle>) -> Made {
        self.allowance.take_recipes(1)?;
        let content = self.document(&content)?;
        let made = self.plugin.services.seal_to_us(&cut(name, NAME), content).await;
        self.give_result(made)
    }

    async fn unseal(&mut self, name: String, media_type: String, content: Resource<DocumentHandle>) -> Made {
        let content = self.document(&content)?;
        let limit = self.plugin.limits.download_bytes;
        let (name, media_type) = (cut(name, NAME), cut(media_type, MEDIA_TYPE));
        let made = self.plugin.services.unseal(&name, &media_type, content, limit).await;
        self.give_result(made)
    }

    async fn zip(&mut self, name: String, parts: Vec<(String, Resource<DocumentHandle>)>) -> Made {
        if let Err(failure) = too_many(parts.len()) {
            return Ok(Err(failure));
        }
        self.allowance.take_recipes(1 + parts.len())?;
        let mut named = Vec::with_capacity(parts.len());
        for (name, part) in parts {
            named.push((cut(name, NAME), self.document(&part)?));
        }
        let made = self.plugin.services.zip(&cut(name, NAME), named).await;
        self.give_result(made)
    }

    async fn unzip(
        &mut self,
        archive: Resource<DocumentHandle>,
    ) -> wasmtime::Result<Result<Vec<Resource<DocumentHandle>>, ContractFailure>> {
        let archive = self.document(&archive)?;
        match self.plugin.services.unzip(archive).await {
            Ok(entries) if entries.len() <= ENTRIES => {
                self.allowance.take_recipes(entries.len())?;
                entries
                    .into_iter()
                    .map(|entry| self.give(entry))
                    .collect::<wasmtime::Result<Vec<_>>>()
                    .map(Ok)
            }
            Ok(entries) => {
                let detail = format!("{} entries; {ENTRIES} are allowed", entries.len());
                Ok(Err(to_contract(Failure::permanent("not-a-zip", detail))))
            }
            Err(failure) => Ok(Err(to_contract(failure))),
        }
    }
}
