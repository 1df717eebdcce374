//! SQLite: one file, one process, one writer. WAL, `synchronous=FULL`: a commit is on disk when it is answered.

use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{ErrorCode, OpenFlags, ToSql};

use super::{Backend, Commit, DatabaseError, Dialect, Driver, EachRow, Mark, Row, Value};

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
        Ok(Box::new(File(connection)))
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

    fn shorten_log(&self, longer_than: u64) -> Result<(), DatabaseError> {
        let mut log = self.path.clone().into_os_string();
        log.push("-wal");
        if std::fs::metadata(log).map_or(0, |log| log.len()) <= longer_than {
            return Ok(());
        }
        let connection = rusqlite::Connection::open_with_flags(&self.path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
        // Readers and the writer go on; when one of them is in the way, it is for another time.
        connection.busy_timeout(Duration::ZERO)?;
        connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?;
        Ok(())
    }
}

struct File(rusqlite::Connection);

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
            .0
            .prepare_cached(sql)?
            .execute(rusqlite::params_from_iter(values))?;
        Ok(changed as u64)
    }

    fn query(&mut self, sql: &str, values: &[Value<'_>], each: &mut EachRow<'_>) -> Result<(), DatabaseError> {
        let mut statement = self.0.prepare_cached(sql)?;
        let mut rows = statement.query(rusqlite::params_from_iter(values))?;
        while let Some(row) = rows.next()? {
            each(row)?;
        }
        Ok(())
    }

    fn batch(&mut self, sql: &str) -> Result<(), DatabaseError> {
        Ok(self.0.execute_batch(sql)?)
    }

    fn begin(&mut self) -> Result<(), DatabaseError> {
        self.batch("BEGIN IMMEDIATE")
    }

    fn commit(&mut self) -> Result<(), Commit> {
        // A full disk has made SQLite roll back on the spot: committing now would say that all is well.
        if self.0.is_autocommit() {
            return Err(Commit::Failed(DatabaseError::Full));
        }
        match self.batch("COMMIT") {
            Ok(()) => Ok(()),
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
        if !self.0.is_autocommit()
            && let Err(error) = self.batch("ROLLBACK")
        {
            tracing::error!(%error, "a transaction could not be taken back");
        }
    }

    fn is_usable(&self) -> bool {
        true
    }
}
