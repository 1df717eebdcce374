//! `documents`: files by handle.

use std::sync::{Arc, Mutex, PoisonError};

use tokio::io::AsyncReadExt as _;
use wasmtime::component::Resource;
use wasmtime_wasi::p2::{DynInputStream, DynOutputStream};

use crate::bindings::budstikke::plugin::documents;
use crate::bindings::budstikke::plugin::types::Failure as ContractFailure;
use crate::call_state::CallState;
use crate::host::streams::{DocumentStream, SpoolStream, Writing};
use crate::host::{cut, to_contract};
use crate::services::{DocumentRef, Failure, Spool};

/// Bytes of a file name.
pub(crate) const NAME: usize = 255;
/// Bytes of a MIME type.
pub(crate) const MEDIA_TYPE: usize = 255;
/// Bytes of a document that fits into one value: what `read` gives, what `from-bytes` and `deliver` take.
pub(crate) const WHOLE: usize = 16 << 20;

/// What stands behind a guest's `document`.
#[expect(unreachable_pub, reason = "the generated bindings re-export it")]
pub struct DocumentHandle(pub(crate) DocumentRef);

/// What stands behind a guest's `spool`.
#[expect(unreachable_pub, reason = "the generated bindings re-export it")]
pub struct SpoolHandle {
    state: SpoolState,
}

enum SpoolState {
    /// Made by a constructor that cannot fail, so nothing is on disk yet.
    Named { name: String, media_type: String },
    /// The writer was given away.
    Written {
        spool: Box<dyn Spool>,
        writing: Arc<Mutex<Writing>>,
    },
}

impl CallState {
    /// Hands a document to the guest.
    pub(crate) fn give(&mut self, document: DocumentRef) -> wasmtime::Result<Resource<DocumentHandle>> {
        Ok(self.table.push(DocumentHandle(document))?)
    }

    /// The document behind a handle of the guest.
    pub(crate) fn document(&self, handle: &Resource<DocumentHandle>) -> wasmtime::Result<DocumentRef> {
        Ok(self.table.get(handle)?.0.clone())
    }

    /// A document or the failure, as the guest gets it.
    pub(crate) fn give_result(
        &mut self,
        document: Result<DocumentRef, Failure>,
    ) -> wasmtime::Result<Result<Resource<DocumentHandle>, ContractFailure>> {
        match document {
            Ok(document) => Ok(Ok(self.give(document)?)),
            Err(failure) => Ok(Err(to_contract(failure))),
        }
    }
}

impl documents::Host for CallState {}

impl documents::HostDocument for CallState {
    fn name(&mut self, this: Resource<DocumentHandle>) -> wasmtime::Result<String> {
        Ok(cut(self.document(&this)?.name().to_owned(), NAME))
    }

    fn media_type(&mut self, this: Resource<DocumentHandle>) -> wasmtime::Result<String> {
        Ok(self.document(&this)?.media_type().to_owned())
    }

    fn title(&mut self, this: Resource<DocumentHandle>) -> wasmtime::Result<Option<String>> {
        Ok(self.document(&this)?.title().map(ToOwned::to_owned))
    }

    fn size(&mut self, this: Resource<DocumentHandle>) -> wasmtime::Result<Option<u64>> {
        Ok(self.document(&this)?.size())
    }

    async fn digest(
        &mut self,
        this: Resource<DocumentHandle>,
        algorithm: String,
    ) -> wasmtime::Result<Result<Vec<u8>, ContractFailure>> {
        Ok(self
            .document(&this)?
            .digest(&cut(algorithm, 100))
            .await
            .map_err(to_contract))
    }

    async fn open(
        &mut self,
        this: Resource<DocumentHandle>,
    ) -> wasmtime::Result<Result<Resource<DynInputStream>, ContractFailure>> {
        match self.document(&this)?.open().await {
            Ok(reader) => {
                let stream: DynInputStream = Box::new(DocumentStream::new(reader));
                Ok(Ok(self.table.push(stream)?))
            }
            Err(failure) => Ok(Err(to_contract(failure))),
        }
    }

    async fn read(
        &mut self,
        this: Resource<DocumentHandle>,
        limit: u32,
    ) -> wasmtime::Result<Result<Vec<u8>, ContractFailure>> {
        let document = self.document(&this)?;
        let limit = u64::from(limit).min(WHOLE as u64);
        Ok(read_whole(document, limit).await.map_err(to_contract))
    }

    fn drop(&mut self, this: Resource<DocumentHandle>) -> wasmtime::Result<()> {
        self.table.delete(this)?;
        Ok(())
    }
}

async fn read_whole(document: DocumentRef, limit: u64) -> Result<Vec<u8>, Failure> {
    let too_large = || Failure::permanent("too-large", format!("the document is larger than {limit} bytes"));
    if document.size().is_some_and(|size| size > limit) {
        return Err(too_large());
    }
    let mut content = Vec::new();
    document
        .open()
        .await?
        .take(limit + 1)
        .read_to_end(&mut content)
        .await
        .map_err(|error| Failure::temporary(format!("the document cannot be read: {error}")))?;
    if content.len() as u64 > limit {
        Err(too_large())
    } else {
        Ok(content)
    }
}

impl documents::HostSpool for CallState {
    fn new(&mut self, name: String, media_type: String) -> wasmtime::Result<Resource<SpoolHandle>> {
        let state = SpoolState::Named {
            name: cut(name, NAME),
            media_type: cut(media_type, MEDIA_TYPE),
        };
        Ok(self.table.push(SpoolHandle { state })?)
    }

    async fn writer(
        &mut self,
        this: Resource<SpoolHandle>,
    ) -> wasmtime::Result<Result<Resource<DynOutputStream>, ContractFailure>> {
        let SpoolState::Named { name, media_type } = &self.table.get(&this)?.state else {
            let failure = Failure::permanent("already-open", "the writer of a spool is given once");
            return Ok(Err(to_contract(failure)));
        };
        let limit = self.plugin.limits.download_bytes;
        let opened = async {
            let mut spool = self.plugin.services.spool(name, media_type, limit).await?;
            let writer = spool.writer().await?;
            Ok::<_, Failure>((spool, writer))
        };
        match opened.await {
            Ok((spool, writer)) => {
                let writing = Arc::new(Mutex::new(Writing::Open));
                self.table.get_mut(&this)?.state = SpoolState::Written {
                    spool,
                    writing: writing.clone(),
                };
                let stream: DynOutputStream = Box::new(SpoolStream::new(writer, limit, writing));
                Ok(Ok(self.table.push(stream)?))
            }
            Err(failure) => Ok(Err(to_contract(failure))),
        }
    }

    async fn finish(
        &mut self,
        this: Resource<SpoolHandle>,
    ) -> wasmtime::Result<Result<Resource<DocumentHandle>, ContractFailure>> {
        let SpoolHandle { state } = self.table.delete(this)?;
        let finished = match state {
            SpoolState::Written { spool, writing } => {
                let writing = writing.lock().unwrap_or_else(PoisonError::into_inner).clone();
                match writing {
                    Writing::Done => spool.finish().await,
                    Writing::Open => Err(Failure::permanent("writer-open", "the spool's writer is still in use")),
                    Writing::Failed(reason) => Err(Failure::temporary(format!("the spool is incomplete: {reason}"))),
                }
            }
            SpoolState::Named { name, media_type } => {
                let limit = self.plugin.limits.download_bytes;
                match self.plugin.services.spool(&name, &media_type, limit).await {
                    Ok(spool) => spool.finish().await,
                    Err(failure) => Err(failure),
                }
            }
        };
        self.give_result(finished)
    }

    fn drop(&mut self, this: Resource<SpoolHandle>) -> wasmtime::Result<()> {
        self.table.delete(this)?;
        Ok(())
    }
}
