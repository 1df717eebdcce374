//! While a backup is made, no file is removed.
//!
//! The backup holds a shared lock: on a file beside the database, or in the server. It ends with the process that holds it, however
//! that ends. Whoever removes files asks after reading what is to be removed: what was on that list before the backup began is not
//! named by any copy that begins later.

use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};

use super::BackupError;
use super::error::at;
use crate::database::{Backend as _, Connection, DatabaseError, Postgres};
use crate::{Place, Store, StoreError};

/// Any number, as long as all nodes use the same.
const HOLDING: i64 = 0x6275_6473_686f_6c64;

/// The file beside a database that a backup locks.
pub(crate) fn file_of(database: &Path) -> PathBuf {
    let mut path = database.as_os_str().to_owned();
    path.push(".hold");
    path.into()
}

/// As long as it lives, and `check` says so, no file is removed.
pub(crate) enum Hold {
    /// Locked.
    File {
        /// For its lock.
        _locked: File,
    },
    /// With a lock in the server.
    Server(Connection),
}

impl Hold {
    pub(crate) fn take(place: &Place) -> Result<Self, BackupError> {
        match place {
            Place::File(database) => {
                if !database.is_file() {
                    return Err(BackupError::NoDatabase(database.clone()));
                }
                let path = file_of(database);
                let file = File::options().create(true).truncate(false).write(true).open(&path);
                let file = file.map_err(at(&path))?;
                file.lock_shared().map_err(at(&path))?;
                Ok(Self::File { _locked: file })
            }
            Place::Server { url, .. } => {
                let connection = Connection::new(Postgres::new(url, 1)?.connect(false)?);
                connection.batch(&format!("SELECT pg_advisory_lock_shared({HOLDING})"))?;
                Ok(Self::Server(connection))
            }
        }
    }

    /// An error when the lock was lost meanwhile.
    pub(crate) fn check(&self) -> Result<(), BackupError> {
        match self {
            Self::File { .. } => Ok(()),
            Self::Server(connection) => Ok(connection.batch("SELECT 1")?),
        }
    }
}

fn is_locked(path: &Path) -> Result<bool, DatabaseError> {
    let failed = |error: std::io::Error| DatabaseError::Other(format!("{}: {error}", path.display()));
    match File::options().write(true).open(path) {
        Ok(file) => match file.try_lock() {
            Ok(()) => Ok(false),
            Err(TryLockError::WouldBlock) => Ok(true),
            Err(TryLockError::Error(error)) => Err(failed(error)),
        },
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(failed(error)),
    }
}

impl Store {
    /// Whether a backup is being made: files that are not needed must stay until it is done.
    pub async fn files_are_held(&self) -> Result<bool, StoreError> {
        let file = self.backend.hold_file();
        self.read(move |connection| {
            if let Some(file) = &file {
                return Ok(is_locked(file)?);
            }
            let sql = format!("SELECT pg_try_advisory_xact_lock({HOLDING})");
            let free: bool = connection.one(&sql, &[], |row| row.get(0))?;
            Ok(!free)
        })
        .await
    }
}
