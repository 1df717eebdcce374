//! What must survive: messages, conversations, statuses, work, memory, files. SQLite, or PostgreSQL for many nodes.
//!
//! Every public function is one state change and one transaction; it returns when the change is on disk.
//! Rooms: [`outgoing`] (drafts, files, sending), [`incoming`] (the queue that the fagsystem takes from),
//! [`conversation`] (the lasting record), [`search`] (by words), [`status_queue`], [`subscription`] (who is told), [`webhook`]
//! (what they are yet to be told), [`work`] (leases, retries, checkpoints), [`memory`] (duplicates, adapter state, things set
//! aside).

mod conversation;
mod database;
mod event_filter;
pub mod files;
mod incoming;
mod memory;
mod outgoing;
mod record;
mod schema;
mod search;
mod status_queue;
mod subscription;
#[cfg(test)]
mod tests;
mod webhook;
mod work;

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::Semaphore;

use database::{Backend, Connection, Postgres, Sqlite, Writers};

pub use conversation::{ConversationFilter, StatusFilter, TrackItem};
pub use database::DatabaseError;
pub use event_filter::{EventFilter, NotAFilter};
pub use incoming::{About, Arrival, IncomingFilter, IncomingMessage, LockToken, Popped};
pub use memory::SetAside;
pub use outgoing::{
    Attachment, AttachmentRules, Description, NewAttachment, NewOutgoing, OutgoingFilter, OutgoingMessage, QueueOutcome,
};
pub use record::{
    Conversation, ConversationFacts, Direction, ListedMessage, NewStatus, PageOf, PageRequest, StatusRow,
};
pub use search::{ConversationSearch, Found, SEARCHED};
pub use subscription::{Changed, NewSubscription, Subscription, SubscriptionChange};
pub use webhook::{Delivery, Event, Replay, WebhookReport};
pub use work::{Claimed, Kept, Outcome};

/// Where the database is.
#[derive(Clone)]
pub enum Place {
    /// A file of this machine, SQLite. One process at a time.
    File(PathBuf),
    /// A PostgreSQL server; any number of nodes.
    Server {
        /// `postgres://user:password@host/database`. Never shown.
        url: String,
        /// Connections of this node that write.
        writers: usize,
    },
}

/// Why the store did not do as it was told.
#[derive(Debug, Clone, thiserror::Error)]
pub enum StoreError {
    /// The database answered with an error.
    #[error("{0}")]
    Database(#[from] DatabaseError),
    /// Made by a newer version.
    #[error(
        "the database has schema version {found}, this program knows {known}; use the program that wrote it",
        known = schema::NEWEST
    )]
    TooNew {
        /// What the file says.
        found: i64,
    },
    /// The store is shutting down.
    #[error("the store is closed: {0}")]
    Closed(String),
    /// A message with this id exists.
    #[error("a message with this id exists already")]
    MessageExists,
    /// The message is not there, or not in the state that the call needs.
    #[error("no such message")]
    NotFound,
    /// The file name is used in the message already.
    #[error("the file name is used already")]
    DuplicateFilename,
    /// The files of the message would be larger than its service takes.
    #[error("the files would be {total} bytes, the service takes {limit}")]
    TooLarge {
        /// With the new file.
        total: u64,
        /// Of the service.
        limit: u64,
    },
    /// The message is queued: its files cannot change any more.
    #[error("the message is queued for sending already")]
    AlreadyQueued,
    /// The message is not locked by a peek.
    #[error("the message is not locked")]
    NotLocked,
    /// The message is locked by another peek than the caller's.
    #[error("the message is locked by somebody else")]
    LockedByAnother,
    /// The lease was lost: somebody else works on it now.
    #[error("the lease on this work was lost")]
    LeaseLost,
    /// Another webhook has this name and endpoint.
    #[error("another subscription has this name and endpoint")]
    SubscriptionExists,
    /// An adapter's state is full.
    #[error("the adapter's state has {0} keys already")]
    StateFull(u64),
}

impl StoreError {
    /// True when nobody knows whether the change was stored: the process was going down, or the database is away since the
    /// commit. Files that it names must stay.
    pub fn is_unclear(&self) -> bool {
        matches!(self, Self::Closed(_))
    }

    /// True when the cause is a full disk, found at a statement or at the commit.
    pub fn is_disk_full(&self) -> bool {
        matches!(self, Self::Database(DatabaseError::Full))
    }

    /// True when the database cannot be reached: the same again can succeed later.
    pub fn is_away(&self) -> bool {
        matches!(self, Self::Database(DatabaseError::Away(_)))
    }
}

/// The store of one installation.
pub struct Store {
    writers: Writers,
    backend: Arc<dyn Backend>,
    readers: Mutex<Vec<Connection>>,
    reading: Semaphore,
}

impl Store {
    /// Opens the database, or makes it, and takes the steps to the newest schema.
    pub async fn open(place: Place) -> Result<Self, StoreError> {
        tokio::task::spawn_blocking(move || Self::open_blocking(&place))
            .await
            .map_err(|error| StoreError::Closed(error.to_string()))?
    }

    fn open_blocking(place: &Place) -> Result<Self, StoreError> {
        let backend: Arc<dyn Backend> = match place {
            Place::File(path) => Arc::new(Sqlite::new(path)),
            Place::Server { url, writers } => Arc::new(Postgres::new(url, *writers)?),
        };
        let connection = Connection::new(backend.connect(true)?);
        schema::migrate(&connection, schema::steps(connection.dialect()))?;
        if matches!(place, Place::File(_)) {
            // Only one process has the file: leases of an earlier one are given back.
            connection.execute("UPDATE outgoing SET state = 1 WHERE state = 2", &[])?;
        }
        Ok(Self {
            writers: Writers::start(&backend, connection)?,
            readers: Mutex::new(Vec::new()),
            reading: Semaphore::new(backend.readers()),
            backend,
        })
    }

    /// Runs a piece of work that changes something; returns when it is on disk. It may be run more than once, but is committed
    /// at most once.
    async fn write<T, F>(&self, work: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: Fn(&Connection) -> Result<T, StoreError> + Send + 'static,
    {
        self.writers.write(work).await
    }

    async fn read<T, F>(&self, work: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> Result<T, StoreError> + Send + 'static,
    {
        let _turn = self
            .reading
            .acquire()
            .await
            .map_err(|error| StoreError::Closed(error.to_string()))?;
        let ready = self.readers.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let backend = Arc::clone(&self.backend);
        let (result, connection) = tokio::task::spawn_blocking(move || {
            let ready = ready.inspect(Connection::refresh).filter(Connection::is_usable);
            let connection = match ready {
                Some(connection) => connection,
                None => Connection::new(backend.connect(false)?),
            };
            let result = work(&connection);
            Ok::<_, StoreError>((result, connection))
        })
        .await
        .map_err(|error| StoreError::Closed(error.to_string()))??;
        if connection.is_usable() {
            self.readers
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .push(connection);
        }
        result
    }
}
