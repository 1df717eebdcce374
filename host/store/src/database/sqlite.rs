//! SQLite: one file, one process, one writer. WAL, `synchronous=FULL`: a commit is on disk when it is answered.

mod carrier;

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{ErrorCode, OpenFlags, ToSql};

use super::{Backend, Commit, DatabaseError, Dialect, Driver, EachRow, Mark, Row, Value};
use carrier::Carrier;

/// Reads at the same time, each with a connection of its own that stays open: opening one reads the whole schema, which takes
/// longer than most reads do. The next one waits.
const READERS: usize = 16;
/// Pages that one of them keeps in memory, KiB.
const READER_CACHE: i64 = 1024;
/// Pages that the writer keeps in memory, KiB. Ids are random, so it changes pages all over its indexes: those that it has to read
/// again cost more than the change. Taken as the database grows.
const WRITER_CACHE: i64 = 16 * 1024;
/// Pieces that share one commit. Bounds the wait of the first.
const BATCH: usize = 256;
/// How long a statement waits for another process's lock, such as a backup's.
const BUSY: Duration = Duration::from_secs(5);
/// Between two attempts to shorten the log.
const PAUSE: Duration = Duration::from_millis(5);

/// A file.
pub(crate) struct Sqlite {
    path: PathBuf,
}

impl Sqlite {
    pub(crate) fn new(path: &Path) -> Self {
        Self { path: path.to_owned() }
    }
}

impl Backend for Sqlite {
    fn connect(&self, writes: bool) -> Result<Box<dyn Driver>, DatabaseError> {
        let mut flags = OpenFlags::SQLITE_OPEN_NO_MUTEX;
        flags |= if writes {
            OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE
        } else {
            OpenFlags::SQLITE_OPEN_READ_ONLY
        };
        let connection = rusqlite::Connection::open_with_flags(&self.path, flags)?;
        connection.busy_timeout(BUSY)?;
        connection.set_prepared_statement_cache_capacity(256);
        if writes {
            // Freed pages go back to the disk, a few at a time; this must be said before the first table is made.
            connection.pragma_update(None, "auto_vacuum", "INCREMENTAL")?;
            connection.pragma_update(None, "journal_mode", "WAL")?;
            connection.pragma_update(None, "synchronous", "FULL")?;
            // What is deleted is overwritten where that costs nothing.
            connection.pragma_update(None, "secure_delete", "FAST")?;
            connection.pragma_update(None, "cache_size", -WRITER_CACHE)?;
        } else {
            connection.pragma_update(None, "cache_size", -READER_CACHE)?;
        }
        connection.pragma_update(None, "foreign_keys", true)?;
        let carrier = writes.then(|| Carrier::start(&self.path, &connection)).transpose()?;
        Ok(Box::new(File { carrier, connection }))
    }

    fn settle(&self, _mark: Mark) -> Result<bool, DatabaseError> {
        Err(DatabaseError::Other("a commit to the file was broken off".into()))
    }

    fn writers(&self) -> usize {
        1
    }

    fn batch(&self) -> usize {
        BATCH
    }

    fn readers(&self) -> usize {
        READERS
    }

    fn patience(&self) -> Duration {
        Duration::ZERO
    }

    fn hold_file(&self) -> Option<PathBuf> {
        Some(crate::backup::hold::file_of(&self.path))
    }

    fn shorten_log(&self, longer_than: u64, patience: Duration) -> Result<bool, DatabaseError> {
        let mut log = self.path.clone().into_os_string();
        log.push("-wal");
        if std::fs::metadata(log).map_or(0, |log| log.len()) <= longer_than {
            return Ok(true);
        }
        let connection = rusqlite::Connection::open_with_flags(&self.path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
        // Readers, the writer and its carrier go on; one of them is in the way for a moment at most.
        connection.busy_timeout(Duration::ZERO)?;
        let begun = Instant::now();
        loop {
            let busy: bool = connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get(0))?;
            if !busy || begun.elapsed() >= patience {
                return Ok(!busy);
            }
            std::thread::sleep(PAUSE);
        }
    }
}

struct File {
    /// Of the writer. It ends before the connection does: the last one to close the database clears its log away.
    carrier: Option<Carrier>,
    connection: rusqlite::Connection,
}

impl From<rusqlite::Error> for DatabaseError {
    fn from(error: rusqlite::Error) -> Self {
        match error.sqlite_error_code() {
            Some(ErrorCode::DiskFull) => Self::Full,
            Some(ErrorCode::ConstraintViolation) => Self::Constraint(error.to_string()),
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => Self::Conflict(error.to_string()),
            _ => Self::Other(error.to_string()),
        }
    }
}

impl ToSql for Value<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self {
            Self::Integer(Some(number)) => ValueRef::Integer(*number),
            Self::Text(Some(text)) => ValueRef::Text(text.as_bytes()),
            Self::Bytes(Some(bytes)) => ValueRef::Blob(bytes),
            Self::Integer(None) | Self::Text(None) | Self::Bytes(None) => ValueRef::Null,
            Self::Many(_) => {
                let reason = "this database takes no arrays";
                return Err(rusqlite::Error::ToSqlConversionFailure(reason.into()));
            }
        }))
    }
}

impl Row for rusqlite::Row<'_> {
    fn integer(&self, column: usize) -> Result<Option<i64>, DatabaseError> {
        Ok(self.get(column)?)
    }

    fn text(&self, column: usize) -> Result<Option<String>, DatabaseError> {
        Ok(self.get(column)?)
    }

    fn bytes(&self, column: usize) -> Result<Option<Vec<u8>>, DatabaseError> {
        Ok(self.get(column)?)
    }
}

impl Driver for File {
    fn dialect(&self) -> Dialect {
        Dialect::Sqlite
    }

    fn execute(&mut self, sql: &str, values: &[Value<'_>]) -> Result<u64, DatabaseError> {
        let changed = self
            .connection
            .prepare_cached(sql)?
            .execute(rusqlite::params_from_iter(values))?;
        Ok(changed as u64)
    }

    fn query(&mut self, sql: &str, values: &[Value<'_>], each: &mut EachRow<'_>) -> Result<(), DatabaseError> {
        let mut statement = self.connection.prepare_cached(sql)?;
        let mut rows = statement.query(rusqlite::params_from_iter(values))?;
        while let Some(row) = rows.next()? {
            each(row)?;
        }
        Ok(())
    }

    fn batch(&mut self, sql: &str) -> Result<(), DatabaseError> {
        Ok(self.connection.execute_batch(sql)?)
    }

    fn begin(&mut self) -> Result<(), DatabaseError> {
        self.batch("BEGIN IMMEDIATE")
    }

    fn commit(&mut self) -> Result<(), Commit> {
        // A full disk has made SQLite roll back on the spot: committing now would say that all is well.
        if self.connection.is_autocommit() {
            return Err(Commit::Failed(DatabaseError::Full));
        }
        match self.batch("COMMIT") {
            Ok(()) => {
                if let Some(carrier) = &self.carrier
                    && let Err(error) = carrier.committed(&self.connection)
                {
                    tracing::warn!(%error, "the database's log grows: its pages could not be brought to their places");
                }
                Ok(())
            }
            Err(DatabaseError::Full) => Err(Commit::Failed(DatabaseError::Full)),
            Err(error) => {
                tracing::error!(%error, "a commit broke off");
                self.rollback();
                // The next start may find it in the log, whole, and take it for good.
                Err(Commit::Unknown(Mark(0)))
            }
        }
    }

    fn rollback(&mut self) {
        if !self.connection.is_autocommit()
            && let Err(error) = self.batch("ROLLBACK")
        {
            tracing::error!(%error, "a transaction could not be taken back");
        }
    }

    fn is_usable(&self) -> bool {
        true
    }
}
