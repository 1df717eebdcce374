//! What must survive: messages, conversations, statuses, work, memory, files. SQLite, or PostgreSQL for many nodes.
//!
//! Every public function is one state change and one transaction; it returns when the change is on disk.
//! Rooms: [`creation`] (how messages begin), [`attachment`] (their files), [`outgoing`] (drafts, and the way to the queue), [`incoming`] (the queue that the fagsystem takes from),
//! [`conversation`] (the lasting record), [`search`] (by words), [`status_queue`], [`subscription`] (who is told), [`webhook`]
//! (what they are yet to be told), [`work`] (leases, retries, checkpoints), [`seen`] (the memory of ids), [`memory`] (adapter
//! state, things set aside), [`retention`] (what is old enough to go), [`tidy`] (what keeps the database small),
//! [`registry_answer`] (what the address service said last), [`route`] (why a message went where it went),
//! [`backup`] (a copy of everything, and the way back), [`erasure`]
//! (of somebody, on request). [`registry`] is apart: what the address service keeps.

mod attachment;
pub mod backup;
mod blob;
mod condition;
mod conversation;
mod creation;
mod database;
mod erasure;
mod event_filter;
pub mod files;
mod given_up;
mod incoming;
mod memory;
mod outgoing;
mod presence;
mod record;
pub mod registry;
mod registry_answer;
mod retention;
mod route;
mod schema;
mod search;
mod seen;
mod status_queue;
mod store_key;
mod subscription;
#[cfg(test)]
mod tests;
mod tidy;
mod vault;
mod webhook;
mod work;

use std::path::PathBuf;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::Semaphore;

use database::{Backend, Connection, Postgres, Sqlite, Together, Writers};

pub use attachment::{Attachment, AttachmentRules, Description, NewAttachment};
pub use blob::StoredFile;
pub use conversation::{ConversationFilter, StatusFilter, Tracked};
pub use creation::NewOutgoing;
pub use database::{DatabaseError, Hints};
pub use erasure::{Subject, Traces};
pub use event_filter::{EventFilter, NotAFilter};
pub use given_up::GivenUp;
pub use incoming::{About, Arrival, IncomingFilter, IncomingMessage, LockToken, Popped};
pub use memory::SetAside;
pub use outgoing::{OutgoingFilter, OutgoingMessage, QueueOutcome};
pub use presence::{ALIVE, Present};
pub use record::{
    Conversation, ConversationFacts, Direction, ListedMessage, NewStatus, PageOf, PageRequest, SealedSbd, StatusRow,
};
pub use registry_answer::LastAnswer;
pub use retention::{Purged, Removes, RetentionRule, Walk};
pub use route::{KeptRoute, ROUTE_BYTES};
pub use search::{ConversationSearch, Found, SEARCHED};
pub use store_key::NoKey;
pub use subscription::{Changed, NewSubscription, Subscription, SubscriptionChange};
pub use vault::Vault;
pub use webhook::{Delivery, Event, Replay, WebhookReport};
pub use work::{Claimed, Kept, Outcome, Turn};

/// The newest version of the schema that this program knows, and the one of every database it has opened.
pub const SCHEMA: usize = schema::NEWEST;

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
    /// Made by an older version.
    #[error(
        "the database has schema version {found}, this program knows {known}; start the integrasjonspunkt with it first",
        known = schema::NEWEST
    )]
    TooOld {
        /// What the database says.
        found: i64,
    },
    /// Made by a newer version.
    #[error(
        "the database has schema version {found}, this program knows {known}; use the program that wrote it",
        known = schema::NEWEST
    )]
    TooNew {
        /// What the file says.
        found: i64,
    },
    /// A restore was cut off.
    #[error("a restore into this database has not finished; run `budstikke restore` again")]
    Restoring,
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
    session: AtomicI64,
    name: String,
}

impl Store {
    /// Opens the database, or makes it, takes the steps to the newest schema, and begins a session of the node `name`.
    pub async fn open(place: Place, name: &str) -> Result<Self, StoreError> {
        let name = name.to_owned();
        tokio::task::spawn_blocking(move || Self::open_blocking(&place, &name))
            .await
            .map_err(|error| StoreError::Closed(error.to_string()))?
    }

    /// Opens a database that others work with, for a change beside them: takes no step of the schema, and takes nothing over.
    pub async fn visit(place: Place) -> Result<Self, StoreError> {
        tokio::task::spawn_blocking(move || {
            let backend = backend_of(&place)?;
            let connection = Connection::new(backend.connect(true)?);
            schema::must_be_newest(&connection)?;
            if connection.dialect() == database::Dialect::Sqlite {
                connection.batch("PRAGMA secure_delete = ON")?;
            }
            Self::on(backend, connection, 0, "visitor")
        })
        .await
        .map_err(|error| StoreError::Closed(error.to_string()))?
    }

    fn open_blocking(place: &Place, name: &str) -> Result<Self, StoreError> {
        let backend = backend_of(place)?;
        let connection = Connection::new(backend.connect(true)?);
        schema::migrate(&connection, schema::steps(connection.dialect()))?;
        // Only one process has a file: whoever was there before is gone.
        let alone = matches!(place, Place::File(_));
        let session = presence::arrive(&connection, name, presence::ALIVE, alone)?;
        Self::on(backend, connection, session, name)
    }

    fn on(backend: Arc<dyn Backend>, connection: Connection, session: i64, name: &str) -> Result<Self, StoreError> {
        Ok(Self {
            writers: Writers::start(&backend, connection)?,
            readers: Mutex::new(Vec::new()),
            reading: Semaphore::new(backend.readers()),
            backend,
            session: AtomicI64::new(session),
            name: name.to_owned(),
        })
    }

    /// An ear for hints of other nodes that there is work; none when there can be no others.
    pub async fn hints(&self) -> Result<Option<Hints>, StoreError> {
        match self.backend.hints() {
            None => Ok(None),
            Some(options) => Ok(Some(Hints::of(options).await?)),
        }
    }

    fn session(&self) -> i64 {
        self.session.load(Ordering::Acquire)
    }

    fn begin_session(&self, session: i64) {
        self.session.store(session, Ordering::Release);
    }

    /// What this node is called.
    pub fn name(&self) -> &str {
        &self.name
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

    /// The same for a piece that may be run together with others of its kind.
    async fn write_together<P: Together>(&self, piece: P) -> Result<P::Answer, StoreError> {
        self.writers.write_together(piece).await
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
        let reader = self.reader();
        let (result, connection) = tokio::task::spawn_blocking(move || {
            let connection = reader.connection()?;
            let result = work(&connection);
            Ok::<_, StoreError>((result, connection))
        })
        .await
        .map_err(|error| StoreError::Closed(error.to_string()))??;
        self.put_back(connection);
        result
    }

    /// Reads on the caller's thread, which may wait.
    fn read_here<T>(&self, work: impl FnOnce(&Connection) -> Result<T, StoreError>) -> Result<T, StoreError> {
        let connection = self.reader().connection()?;
        let result = work(&connection);
        self.put_back(connection);
        result
    }

    fn reader(&self) -> Reader {
        Reader {
            ready: self.readers.lock().unwrap_or_else(PoisonError::into_inner).pop(),
            backend: Arc::clone(&self.backend),
        }
    }

    fn put_back(&self, connection: Connection) {
        if connection.is_usable() {
            self.readers
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .push(connection);
        }
    }
}

fn backend_of(place: &Place) -> Result<Arc<dyn Backend>, StoreError> {
    Ok(match place {
        Place::File(path) => Arc::new(Sqlite::new(path)),
        Place::Server { url, writers } => Arc::new(Postgres::new(url, *writers)?),
    })
}

/// A connection for reading that is open, or is going to be.
struct Reader {
    ready: Option<Connection>,
    backend: Arc<dyn Backend>,
}

impl Reader {
    /// Blocks.
    fn connection(self) -> Result<Connection, StoreError> {
        let ready = self.ready.inspect(Connection::refresh).filter(Connection::is_usable);
        match ready {
            Some(connection) => Ok(connection),
            None => Ok(Connection::new(self.backend.connect(false)?)),
        }
    }
}
