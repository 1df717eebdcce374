//! Own data: kept in the database, read from memory.
//!
//! [`OwnData`] holds a [`Snapshot`] of everything, replaces it after each change of its own, and looks each second whether another
//! node has made one. [`import`] reads files of rows.

pub mod import;
mod rows;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use arc_swap::ArcSwap;
use budstikke_message::identifier::{DocumentType, OrganisationNumber, ProcessId};
use budstikke_store::registry::{
    Author, ChangeRow, Imported, OrganisationRow, ProcessChange, RegistryData, RegistryDataError, RegistryRows,
};
use budstikke_store::{Place, StoreError};
use tokio::sync::{Mutex, watch};
use tokio_util::sync::CancellationToken;

use crate::data::{OwnOrganisation, Process, Snapshot};

pub(crate) use import::unfit_category;
pub use rows::Unreadable;

/// Between two looks for changes of other nodes.
const POLL: Duration = Duration::from_secs(1);

/// Why own data is not to be had, or was not changed.
#[derive(Debug, thiserror::Error)]
pub enum OwnDataError {
    /// The change was refused, or the database failed.
    #[error(transparent)]
    Data(#[from] RegistryDataError),
    /// The database holds something that this program cannot read.
    #[error(transparent)]
    Unreadable(#[from] Unreadable),
}

impl From<StoreError> for OwnDataError {
    fn from(error: StoreError) -> Self {
        Self::Data(error.into())
    }
}

struct Loaded {
    change: i64,
    snapshot: Arc<Snapshot>,
}

/// What the address service keeps itself.
pub struct OwnData {
    data: Arc<RegistryData>,
    loaded: ArcSwap<Loaded>,
    /// One load at a time, so that an older one never replaces a newer one.
    loading: Mutex<()>,
    news: watch::Sender<i64>,
    reachable: AtomicBool,
}

impl OwnData {
    /// Opens the database, or makes it, and reads it.
    pub async fn open(place: Place) -> Result<Arc<Self>, OwnDataError> {
        let data = Arc::new(RegistryData::open(place).await?);
        let loaded = loaded(data.rows().await?)?;
        let change = loaded.change;
        Ok(Arc::new(Self {
            data,
            loaded: ArcSwap::from_pointee(loaded),
            loading: Mutex::new(()),
            news: watch::Sender::new(change),
            reachable: AtomicBool::new(true),
        }))
    }

    /// Everything, as this node knows it now.
    pub fn snapshot(&self) -> Arc<Snapshot> {
        Arc::clone(&self.loaded.load().snapshot)
    }

    /// Number of the last change that this node has seen.
    pub fn change(&self) -> i64 {
        self.loaded.load().change
    }

    /// Tells of each new snapshot, by the number of its last change.
    pub fn news(&self) -> watch::Receiver<i64> {
        self.news.subscribe()
    }

    /// Whether the database answered the last time.
    pub fn is_reachable(&self) -> bool {
        self.reachable.load(Ordering::Acquire)
    }

    /// Looks each second for changes of other nodes, until told to stop. While the database is away, what is known stays in use.
    pub async fn follow(&self, stop: CancellationToken) {
        loop {
            tokio::select! {
                () = stop.cancelled() => return,
                () = tokio::time::sleep(POLL) => {}
            }
            let looked = match self.data.last_change().await {
                Ok(change) if change == self.change() => Ok(()),
                Ok(_) => self.reload().await,
                Err(error) => Err(error.into()),
            };
            let reachable = looked.is_ok();
            if self.reachable.swap(reachable, Ordering::AcqRel) != reachable {
                match looked {
                    Ok(()) => tracing::info!("the database of own data answers again"),
                    Err(error) => tracing::error!(%error, "own data cannot be read; what was read before stays in use"),
                }
            }
        }
    }

    async fn reload(&self) -> Result<(), OwnDataError> {
        let _turn = self.loading.lock().await;
        let loaded = loaded(self.data.rows().await?)?;
        let change = loaded.change;
        self.loaded.store(Arc::new(loaded));
        self.news.send_replace(change);
        Ok(())
    }

    /// After a change: this node must see it at once, or the one who made it will not find it.
    async fn changed<T>(&self, done: Result<T, RegistryDataError>) -> Result<T, OwnDataError> {
        let done = done?;
        if let Err(error) = self.reload().await {
            // The change is made; the next look will find it.
            tracing::warn!(%error, "own data could not be read after a change");
        }
        Ok(done)
    }

    /// Adds a process. Its id is ignored.
    pub async fn add_process(&self, process: &Process, author: Author) -> Result<(), OwnDataError> {
        let done = self.data.add_process(rows::of_process(process), author).await;
        self.changed(done).await.map(drop)
    }

    /// Changes a process.
    pub async fn change_process(
        &self,
        process: &ProcessId,
        change: ProcessChange,
        author: Author,
    ) -> Result<(), OwnDataError> {
        let done = self.data.change_process(process.to_string(), change, author).await;
        self.changed(done).await
    }

    /// Removes a process.
    pub async fn remove_process(&self, process: &ProcessId, author: Author) -> Result<(), OwnDataError> {
        let done = self.data.remove_process(process.to_string(), author).await;
        self.changed(done).await
    }

    /// Adds a document type to processes that are there.
    pub async fn add_document_type(
        &self,
        document_type: &DocumentType,
        processes: &[ProcessId],
        author: Author,
    ) -> Result<(), OwnDataError> {
        let processes = processes.iter().map(ToString::to_string).collect();
        let done = self
            .data
            .add_document_type(document_type.to_string(), processes, author);
        self.changed(done.await).await
    }

    /// Removes a document type that no process has.
    pub async fn remove_document_type(&self, document_type: &DocumentType, author: Author) -> Result<(), OwnDataError> {
        let done = self.data.remove_document_type(document_type.to_string(), author).await;
        self.changed(done).await
    }

    /// Writes an organisation in the place of what there was. True: there was nothing.
    pub async fn put_organisation(
        &self,
        number: &OrganisationNumber,
        organisation: &OwnOrganisation,
        author: Author,
    ) -> Result<bool, OwnDataError> {
        let row: OrganisationRow = rows::of_organisation(number, organisation);
        let done = self.data.put_organisation(row, author).await;
        self.changed(done).await
    }

    /// Removes an organisation.
    pub async fn remove_organisation(&self, number: &OrganisationNumber, author: Author) -> Result<(), OwnDataError> {
        let done = self.data.remove_organisation(number.to_string(), author).await;
        self.changed(done).await
    }

    /// Writes everything, or nothing.
    pub async fn import(&self, imported: &Import, author: Author) -> Result<(), OwnDataError> {
        let done = self.data.import(imported.rows(), author).await;
        self.changed(done).await
    }

    /// The last changes, newest first.
    pub async fn changes(&self, limit: u32) -> Result<Vec<ChangeRow>, OwnDataError> {
        Ok(self.data.changes(limit).await?)
    }
}

/// What an import holds, checked.
#[derive(Debug, Clone, Default)]
pub struct Import {
    /// Processes, whole.
    pub processes: Vec<Process>,
    /// Document types of no process, too.
    pub document_types: Vec<DocumentType>,
    /// Organisations, whole.
    pub organisations: Vec<(OrganisationNumber, OwnOrganisation)>,
}

impl Import {
    fn rows(&self) -> Imported {
        Imported {
            processes: self.processes.iter().map(rows::of_process).collect(),
            document_types: self.document_types.iter().map(ToString::to_string).collect(),
            organisations: self
                .organisations
                .iter()
                .map(|(number, organisation)| rows::of_organisation(number, organisation))
                .collect(),
        }
    }
}

fn loaded(rows: RegistryRows) -> Result<Loaded, Unreadable> {
    Ok(Loaded {
        change: rows.change,
        snapshot: Arc::new(rows::snapshot(rows)?),
    })
}
