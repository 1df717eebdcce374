//! The database behind the store: one [`Driver`] for each kind, and what is the same for all of them.
//!
//! The store's SQL is written once, in what SQLite and PostgreSQL share; values are numbered `?1`, `?2`, … . The few places where
//! they differ ask for the [`Dialect`]. A *piece* is a function of a [`Connection`] that makes one change; [`writers`] run pieces,
//! several in one commit.

mod column;
mod connection;
mod hints;
mod postgres;
mod sqlite;
mod writers;

use sqlx::postgres::PgConnectOptions;

pub(crate) use column::{OwnedRow, Row, ToValue, Value, params, row};
pub(crate) use connection::Connection;
pub use hints::Hints;
pub(crate) use postgres::Postgres;
pub(crate) use sqlite::Sqlite;
pub(crate) use writers::{Together, Writers};

/// Why the database did not do as it was told.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DatabaseError {
    /// No room on its disk. Nothing of the transaction was stored.
    #[error("the disk that holds the database is full")]
    Full,
    /// A rule of the tables is in the way: a row exists already, or one that it belongs to has gone.
    #[error("a rule of the database is in the way: {0}")]
    Constraint(String),
    /// Another transaction was in the way. Nothing was stored; the same again can succeed.
    #[error("another transaction was in the way: {0}")]
    Conflict(String),
    /// The connection is gone, or none could be had.
    #[error("the database cannot be reached: {0}")]
    Away(String),
    /// Everything else.
    #[error("the database: {0}")]
    Other(String),
}

/// What kind of SQL a database speaks, where it matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Dialect {
    /// One writer at a time: rows need no locks.
    Sqlite,
    /// Many writers: what is read to be changed is locked.
    Postgres,
}

impl Dialect {
    /// Locks the rows that a SELECT finds, until the commit.
    pub(crate) fn for_update(self) -> &'static str {
        match self {
            Self::Sqlite => "",
            Self::Postgres => " FOR UPDATE",
        }
    }

    /// The same for the rows of one table of a join.
    pub(crate) fn for_update_of(self, table: &str) -> String {
        match self {
            Self::Sqlite => String::new(),
            Self::Postgres => format!(" FOR UPDATE OF {table}"),
        }
    }

    /// Nobody removes the rows until the end of the transaction; they may be changed.
    pub(crate) fn keep(self) -> &'static str {
        match self {
            Self::Sqlite => "",
            Self::Postgres => " FOR KEY SHARE",
        }
    }

    /// As for an update; rows that another transaction has locked are left out.
    pub(crate) fn skip_locked(self) -> &'static str {
        match self {
            Self::Sqlite => "",
            Self::Postgres => " FOR UPDATE SKIP LOCKED",
        }
    }

    /// Compares with a pattern; capital letters do not count.
    pub(crate) fn like(self) -> &'static str {
        match self {
            Self::Sqlite => "LIKE",
            Self::Postgres => "ILIKE",
        }
    }
}

/// One open connection of one kind of database.
pub(crate) trait Driver: Send {
    /// What it speaks.
    fn dialect(&self) -> Dialect;
    /// Runs a statement; returns how many rows it changed.
    fn execute(&mut self, sql: &str, values: &[Value<'_>]) -> Result<u64, DatabaseError>;
    /// Runs a statement and hands over its rows one by one.
    fn query(&mut self, sql: &str, values: &[Value<'_>], each: &mut EachRow<'_>) -> Result<(), DatabaseError>;
    /// Runs statements without values, separated by semicolons.
    fn batch(&mut self, sql: &str) -> Result<(), DatabaseError>;
    /// Starts a transaction for writing.
    fn begin(&mut self) -> Result<(), DatabaseError>;
    /// Makes it durable. An error says that nothing of it was stored, but for [`Commit::Unknown`].
    fn commit(&mut self) -> Result<(), Commit>;
    /// Takes everything since `begin` back.
    fn rollback(&mut self);
    /// False when another connection must be made.
    fn is_usable(&self) -> bool;
    /// Looks whether a connection that was idle is still there.
    fn refresh(&mut self) {}
    /// Tells other nodes that there is work. Those who are not told find it a little later.
    fn hint(&mut self) -> Result<(), DatabaseError> {
        Ok(())
    }
}

/// Takes a row.
pub(crate) type EachRow<'a> = dyn FnMut(&dyn Row) -> Result<(), DatabaseError> + 'a;

/// A commit that did not go through.
#[derive(Debug)]
pub(crate) enum Commit {
    /// Nothing was stored.
    Failed(DatabaseError),
    /// The connection was lost: nobody knows. [`Backend::settle`] can find out.
    Unknown(Mark),
}

/// Names one commit, to ask for it later.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Mark(pub(crate) i64);

/// A place where connections are made: one kind of database.
pub(crate) trait Backend: Send + Sync + 'static {
    /// Another connection. `writes`: it will change rows.
    fn connect(&self, writes: bool) -> Result<Box<dyn Driver>, DatabaseError>;
    /// Whether a commit took place whose answer was lost.
    fn settle(&self, mark: Mark) -> Result<bool, DatabaseError>;
    /// How many connections write at the same time.
    fn writers(&self) -> usize;
    /// How many pieces share one commit at most.
    fn batch(&self) -> usize;
    /// How many connections read at the same time.
    fn readers(&self) -> usize;
    /// How long to go on trying to reach it.
    fn patience(&self) -> std::time::Duration;
    /// Gives the room of a log that is longer than so many bytes back to the disk. False: somebody needed it all that time.
    fn shorten_log(&self, _longer_than: u64, _patience: std::time::Duration) -> Result<bool, DatabaseError> {
        Ok(true)
    }
    /// The file that a backup locks; none: it locks something in the server.
    fn hold_file(&self) -> Option<std::path::PathBuf> {
        None
    }
    /// Where hints of other nodes can be heard; none when there are no others.
    fn hints(&self) -> Option<PgConnectOptions> {
        None
    }
}
