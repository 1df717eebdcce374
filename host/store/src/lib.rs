//! What must survive: messages, conversations, statuses, work, memory. SQLite, one file.
//!
//! Every public function is one state change and one transaction; it returns when the change is on disk.
//! Rooms: [`outgoing`] (drafts, files, sending), [`incoming`] (the queue that the fagsystem takes from),
//! [`conversation`] (the lasting record), [`search`] (by words), [`status_queue`], [`subscription`] (who is told), [`webhook`]
//! (what they are yet to be told), [`work`] (leases, retries, checkpoints), [`memory`] (duplicates, adapter state, things set
//! aside).

mod conversation;
mod event_filter;
pub mod files;
mod incoming;
mod memory;
mod outgoing;
mod record;
mod search;
mod status_queue;
mod subscription;
#[cfg(test)]
mod tests;
mod webhook;
mod work;
mod writer;

use std::path::Path;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use rusqlite::{Connection, OpenFlags};
use tokio::sync::Semaphore;

pub use conversation::{ConversationFilter, StatusFilter, TrackItem};
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

use writer::Writer;

/// The steps from an empty file to the newest schema. `PRAGMA user_version` of a file says how many of them it has had; a step
/// that has been released is never changed.
const SCHEMA: &[&str] = &[
    include_str!("schema/1.sql"),
    include_str!("schema/2.sql"),
    include_str!("schema/3.sql"),
    include_str!("schema/4.sql"),
];
/// Reads at the same time, each with a connection of its own that stays open: opening one reads the whole schema, which takes
/// longer than most reads do. The next one waits.
const READERS: usize = 16;
/// Pages that one of them keeps in memory, KiB.
const READER_CACHE: i64 = 1024;
/// How long a statement waits for another process's lock, such as a backup's.
const BUSY: Duration = Duration::from_secs(5);

/// Why the store did not do as it was told.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The database answered with an error.
    #[error("the database: {0}")]
    Database(#[from] rusqlite::Error),
    /// The disk is full.
    #[error("the disk that holds the database is full; nothing was stored")]
    DiskFull,
    /// Made by a newer version.
    #[error(
        "the database has schema version {found}, this program knows {known}; use the program that wrote it",
        known = SCHEMA.len()
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
    fn from_commit(error: &rusqlite::Error) -> Self {
        if error.sqlite_error_code() == Some(rusqlite::ErrorCode::DiskFull) {
            Self::DiskFull
        } else {
            Self::Closed(format!("the commit failed: {error}"))
        }
    }

    /// True when nobody knows whether the change was stored: the process was going down. Files that it names must stay.
    pub fn is_unclear(&self) -> bool {
        matches!(self, Self::Closed(_))
    }

    /// True when the cause is a full disk, found at a statement or at the commit.
    pub fn is_disk_full(&self) -> bool {
        match self {
            Self::DiskFull => true,
            Self::Database(error) => error.sqlite_error_code() == Some(rusqlite::ErrorCode::DiskFull),
            _ => false,
        }
    }
}

/// The store of one installation.
pub struct Store {
    writer: Writer,
    readers: Mutex<Vec<Connection>>,
    reading: Semaphore,
    path: std::path::PathBuf,
}

impl Store {
    /// Opens the file, or makes it. Leases of an earlier process are given back: only one process has the file.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        let connection = connect(path, true)?;
        migrate(&connection)?;
        connection.execute("UPDATE outgoing SET state = 1 WHERE state = 2", [])?;
        Ok(Self {
            writer: Writer::start(connection)?,
            readers: Mutex::new(Vec::new()),
            reading: Semaphore::new(READERS),
            path: path.to_owned(),
        })
    }

    async fn write<T, F>(&self, work: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> Result<T, StoreError> + Send + 'static,
    {
        self.writer.write(work).await
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
        let path = self.path.clone();
        let (result, connection) = tokio::task::spawn_blocking(move || {
            let connection = match ready {
                Some(connection) => connection,
                None => connect(&path, false)?,
            };
            let result = work(&connection);
            Ok::<_, StoreError>((result, connection))
        })
        .await
        .map_err(|error| StoreError::Closed(error.to_string()))??;
        self.readers
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(connection);
        result
    }
}

fn connect(path: &Path, writable: bool) -> Result<Connection, StoreError> {
    let mut flags = OpenFlags::SQLITE_OPEN_NO_MUTEX;
    flags |= if writable {
        OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE
    } else {
        OpenFlags::SQLITE_OPEN_READ_ONLY
    };
    let connection = Connection::open_with_flags(path, flags)?;
    connection.busy_timeout(BUSY)?;
    connection.set_prepared_statement_cache_capacity(128);
    if writable {
        connection.pragma_update(None, "journal_mode", "WAL")?;
        connection.pragma_update(None, "synchronous", "FULL")?;
    } else {
        connection.pragma_update(None, "cache_size", -READER_CACHE)?;
    }
    connection.pragma_update(None, "foreign_keys", true)?;
    Ok(connection)
}

/// Takes the remaining steps, each in a transaction of its own.
fn migrate(connection: &Connection) -> Result<(), StoreError> {
    let found: i64 = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
    let taken = usize::try_from(found).unwrap_or(usize::MAX);
    let Some(steps) = SCHEMA.get(taken..) else {
        return Err(StoreError::TooNew { found });
    };
    for (version, step) in (taken + 1..).zip(steps) {
        connection.execute_batch(&format!(
            "BEGIN IMMEDIATE; {step} PRAGMA user_version = {version}; COMMIT;"
        ))?;
    }
    Ok(())
}
