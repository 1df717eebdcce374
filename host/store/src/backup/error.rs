//! Why there is no backup, or no way back.

use std::io;
use std::path::{Path, PathBuf};

use crate::{DatabaseError, StoreError};

/// Why a backup or a restore did not go through.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// A file cannot be read or written.
    #[error("{}: {source}", .path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The database does not do it.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// There is no database to copy.
    #[error("there is no database at {}", .0.display())]
    NoDatabase(PathBuf),
    /// The folder for the backup holds something.
    #[error("the folder {} is not empty; give one that is empty or not there", .0.display())]
    NotEmpty(PathBuf),
    /// A program of PostgreSQL is missing or failed.
    #[error("{program}: {why}")]
    Program {
        /// Its name.
        program: &'static str,
        /// What it said.
        why: String,
    },
    /// The folder holds no whole backup.
    #[error("{} is no whole backup: {why}", .folder.display())]
    NoBackup {
        /// Where.
        folder: PathBuf,
        /// What is wrong.
        why: String,
    },
    /// Files of the backup are missing or were changed.
    #[error("the backup is damaged: {}", .0.join("; "))]
    Damaged(Vec<String>),
    /// The backup is of another kind of database.
    #[error("the backup is of a {found} database, the configuration has {wanted}")]
    OtherKind {
        /// Of the backup.
        found: String,
        /// Of the configuration.
        wanted: &'static str,
    },
    /// A restore needs an empty place.
    #[error("there is a database already ({0}); a restore needs an empty place: move the old one away first")]
    Occupied(String),
}

impl From<DatabaseError> for BackupError {
    fn from(error: DatabaseError) -> Self {
        Self::Store(StoreError::Database(error))
    }
}

/// Names the file that an error is about.
pub(super) fn at(path: &Path) -> impl FnOnce(io::Error) -> BackupError {
    let path = path.to_owned();
    move |source| BackupError::File { path, source }
}
