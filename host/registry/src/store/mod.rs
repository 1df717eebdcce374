//! Own data: kept in the database, read from memory.
//!
//! [`OwnData`] holds a [`Snapshot`] of everything, replaces it after each change of its own, and looks each second whether another
//! node has made one. Look-ups hold the same one. [`import`] reads files of rows.

pub mod import;
mod rows;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use arc_swap::ArcSwap;
use budstikke_message::identifier::{DocumentType, OrganisationNumber, ProcessId};
use budstikke_store::registry::{
    Author, ChangeRow, Imported, OrganisationRow, ProcessChange, RegistryData, RegistryDataError, RegistryRows,
};
use budstikke_store::{Place, StoreError};
use tokio::sync::Mutex;
use tokio_util::sync::CancellationToken;

use crate::data::{OwnOrganisation, Process, Snapshot};
use import::{Fault, Format};

pub use rows::Unreadable;

/// Between two looks for changes of other nodes.
const POLL: Duration = Duration::from_secs(1);
/// Between two times that what is old is removed.
const TIDY: Duration = Duration::from_hours(1);
/// How often an import is read anew because something was changed meanwhile.
const ATTEMPTS: u32 = 5;

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

/// Why nothing was imported.
#[derive(Debug, thiserror::Error)]
pub enum NotImported {
    /// What is wrong with the file.
    #[error("there are faults in it")]
    Faults(Vec<Fault>),
    /// It was not written.
    #[error(transparent)]
    Own(#[from] OwnDataError),
}

/// What the address service keeps itself.
pub struct OwnData {
    data: Arc<RegistryData>,
    snapshot: Arc<ArcSwap<Snapshot>>,
    /// One load at a time, so that an older one never replaces a newer one.
    loading: Mutex<()>,
    reachable: AtomicBool,
}

impl OwnData {
    /// Opens the database, or makes it, and reads it.
    pub async fn open(place: Place) -> Result<Arc<Self>, OwnDataError> {
        let data = Arc::new(RegistryData::open(place).await?);
        let snapshot = loaded(data.rows().await?).await?;
        Ok(Arc::new(Self {
            data,
            snapshot: Arc::new(ArcSwap::from_pointee(snapshot)),
            loading: Mutex::new(()),
            reachable: AtomicBool::new(true),
        }))
    }

    /// Everything, as this node knows it now.
    pub fn snapshot(&self) -> Arc<Snapshot> {
        self.snapshot.load_full()
    }

    /// The same, as it becomes: for those who look up.
    pub fn shared(&self) -> Arc<ArcSwap<Snapshot>> {
        Arc::clone(&self.snapshot)
    }

    /// Number of the last change that this node has seen.
    pub fn change(&self) -> i64 {
        self.snapshot.load().change
    }

    /// Whether the database answered the last time.
    pub fn is_reachable(&self) -> bool {
        self.reachable.load(Ordering::Acquire)
    }

    /// Looks each second for changes of other nodes, until told to stop. While the database is away, what is known stays in use.
    pub async fn follow(&self, stop: CancellationToken) {
        let mut tidied: Option<Instant> = None;
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
            if reachable && tidied.is_none_or(|tidied| tidied.elapsed() > TIDY) {
                tidied = Some(Instant::now());
                self.tidy().await;
            }
        }
    }

    async fn tidy(&self) {
        loop {
            match self.data.tidy(jiff::Timestamp::now().as_millisecond()).await {
                Ok(true) => {}
                Ok(false) => return,
                Err(error) => return tracing::warn!(%error, "what is old in own data could not be removed"),
            }
        }
    }

    async fn reload(&self) -> Result<(), OwnDataError> {
        let _turn = self.loading.lock().await;
        let snapshot = loaded(self.data.rows().await?).await?;
        self.snapshot.store(Arc::new(snapshot));
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

    /// Writes everything that a file holds, or nothing. Returns what it was.
    pub async fn import_file(&self, text: String, format: Format, author: Author) -> Result<Import, NotImported> {
        self.import(author, move |current| import::read(&text, format, current))
            .await
    }

    /// Writes everything that `make` makes of what there is, or nothing. Returns what it was.
    ///
    /// `make` may take its time. It is called again when somebody has changed something meanwhile, a few times; then it is
    /// [`RegistryDataError::Changed`].
    pub async fn import<F>(&self, author: Author, make: F) -> Result<Import, NotImported>
    where
        F: Fn(&Snapshot) -> Result<Import, Vec<Fault>> + Send + Sync + 'static,
    {
        let make = Arc::new(make);
        for _ in 0..ATTEMPTS {
            let current = self.snapshot();
            let seen = current.change;
            let making = Arc::clone(&make);
            let made = apart(move || making(&current)).await.map_err(OwnDataError::from)?;
            let import = made.map_err(NotImported::Faults)?;
            if import.is_empty() {
                return Ok(import);
            }
            match self.data.import(import.rows(), Some(seen), author.clone()).await {
                Err(RegistryDataError::Changed) => self.reload().await?,
                done => return Ok(self.changed(done).await.map(|()| import)?),
            }
        }
        Err(OwnDataError::Data(RegistryDataError::Changed).into())
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
    fn is_empty(&self) -> bool {
        self.processes.is_empty() && self.document_types.is_empty() && self.organisations.is_empty()
    }

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

async fn loaded(rows: RegistryRows) -> Result<Snapshot, OwnDataError> {
    Ok(apart(move || rows::snapshot(rows)).await??)
}

/// Reads what can be long beside the threads that answer.
async fn apart<T, F>(work: F) -> Result<T, StoreError>
where
    T: Send + 'static,
    F: FnOnce() -> T + Send + 'static,
{
    let done = tokio::task::spawn_blocking(work).await;
    done.map_err(|error| StoreError::Closed(error.to_string()))
}

#[cfg(test)]
mod tests;
