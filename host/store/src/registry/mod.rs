//! The address service's own data: processes, document types, organisations, and who changed them.
//!
//! It has tables and steps of its own, so that an address service needs no integrasjonspunkt. On a server it needs a database of its
//! own. It is read as a whole ([`RegistryData::rows`]); changes go through the same writers as messages do. A change has a
//! number that rises, so other nodes see that something is new. Spec: service registry, 3.8 and 7.

mod changes;
mod read;
mod rows;
mod schema;
#[cfg(test)]
mod tests;
mod tidy;

use std::sync::{Arc, Mutex, PoisonError};

use crate::database::{Backend, Connection, Writers};
use crate::{Place, StoreError};

pub use rows::{
    AddressRow, Author, ChangeRow, DecisionRow, Imported, OrganisationRow, OverrideRow, ProcessChange, ProcessRow,
    RegistryRows,
};

/// Why a change was not made.
#[derive(Debug, Clone, thiserror::Error)]
pub enum RegistryDataError {
    /// There is one with this name.
    #[error("it exists already")]
    Exists,
    /// There is none with this name.
    #[error("there is none")]
    Missing,
    /// Something was changed since this was read.
    #[error("somebody else has changed something meanwhile")]
    Changed,
    /// A process has this document type.
    #[error("it is in use")]
    InUse,
    /// The database did not do as it was told.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// The tables of one address service.
pub struct RegistryData {
    writers: Writers,
    backend: Arc<dyn Backend>,
    reader: Mutex<Option<Connection>>,
}

impl RegistryData {
    /// Opens the database, or makes it, and takes the steps to the newest schema.
    pub async fn open(place: Place) -> Result<Self, StoreError> {
        apart(move || {
            let backend = crate::backend_of(&place)?;
            let connection = Connection::new(backend.connect(true)?);
            schema::migrate(&connection)?;
            Ok(Self {
                writers: Writers::start(&backend, connection)?,
                backend,
                reader: Mutex::new(None),
            })
        })
        .await
    }

    async fn read<T, F>(self: &Arc<Self>, work: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> Result<T, StoreError> + Send + 'static,
    {
        let this = Arc::clone(self);
        apart(move || {
            let idle = this.reader.lock().unwrap_or_else(PoisonError::into_inner).take();
            let idle = idle.inspect(Connection::refresh).filter(Connection::is_usable);
            let connection = match idle {
                Some(connection) => connection,
                None => Connection::new(this.backend.connect(false)?),
            };
            let result = work(&connection);
            // A connection that failed is not kept: it could be inside a transaction.
            if result.is_ok() && connection.is_usable() {
                *this.reader.lock().unwrap_or_else(PoisonError::into_inner) = Some(connection);
            }
            result
        })
        .await
    }
}

async fn apart<T, F>(work: F) -> Result<T, StoreError>
where
    T: Send + 'static,
    F: FnOnce() -> Result<T, StoreError> + Send + 'static,
{
    tokio::task::spawn_blocking(work)
        .await
        .map_err(|error| StoreError::Closed(error.to_string()))?
}
