//! A copy of the database as it is at one moment, and the files that it names.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;
use std::time::Duration;

use aws_lc_rs::digest::{Context, SHA256};
use rusqlite::OpenFlags;

use super::error::at;
use super::manifest::Database;
use super::{BackupError, postgres, sync_folder};
use crate::Place;
use crate::database::{Backend as _, Connection, DatabaseError, Postgres, Sqlite};

/// What the kinds are called in a manifest.
pub(super) const SQLITE: &str = "sqlite";
pub(super) const POSTGRES: &str = "postgres";

/// How long the copy waits for a lock.
const PATIENCE: Duration = Duration::from_secs(30);

/// Files of the file store that rows name. Small ones stand in the database itself.
const NAMED: &str = "SELECT blob FROM (SELECT blob FROM attachment UNION SELECT blob FROM kept UNION SELECT package FROM incoming \
     UNION SELECT blob FROM set_aside) AS named WHERE blob IS NOT NULL \
     AND NOT EXISTS (SELECT 1 FROM small_file WHERE name = blob)";

pub(super) fn kind(place: &Place) -> &'static str {
    match place {
        Place::File(_) => SQLITE,
        Place::Server { .. } => POSTGRES,
    }
}

/// Copies the database into a folder, synced. Returns the files that the copy names, too.
pub(super) fn copy(place: &Place, to: &Path) -> Result<(Database, Vec<String>), BackupError> {
    let file = match place {
        Place::File(_) => "budstikke.db",
        Place::Server { .. } => "database.dump",
    };
    let path = to.join(file);
    let names = match place {
        Place::File(from) => {
            vacuum_into(from, &path)?;
            names(&Connection::new(Sqlite::new(&path).connect(false)?))?
        }
        Place::Server { url, .. } => dump(url, &path)?,
    };
    File::open(&path).and_then(|file| file.sync_all()).map_err(at(&path))?;
    sync_folder(to)?;
    let (bytes, sha256) = digest(&path)?;
    let database = Database {
        kind: kind(place).to_owned(),
        file: file.to_owned(),
        bytes,
        sha256,
    };
    Ok((database, names))
}

fn names(connection: &Connection) -> Result<Vec<String>, BackupError> {
    Ok(connection.all(NAMED, &[], |row| row.get(0))?)
}

/// The dump and the names are of the same moment.
fn dump(url: &str, to: &Path) -> Result<Vec<String>, BackupError> {
    let connection = Connection::new(Postgres::new(url, 1)?.connect(false)?);
    // This transaction is idle for as long as the dump takes.
    connection.batch("SET idle_in_transaction_session_timeout = 0")?;
    connection.batch("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")?;
    let moment: String = connection.one("SELECT pg_export_snapshot()", &[], |row| row.get(0))?;
    let names = names(&connection)?;
    postgres::dump(url, &moment, to)?;
    connection.batch("COMMIT")?;
    Ok(names)
}

/// One moment of a database that others write at the same time; without what was deleted in it.
fn vacuum_into(from: &Path, to: &Path) -> Result<(), BackupError> {
    let connection =
        rusqlite::Connection::open_with_flags(from, OpenFlags::SQLITE_OPEN_READ_WRITE).map_err(DatabaseError::from)?;
    connection.busy_timeout(PATIENCE).map_err(DatabaseError::from)?;
    let to = to.to_string_lossy();
    connection
        .execute("VACUUM INTO ?1", [to.as_ref()])
        .map_err(DatabaseError::from)?;
    Ok(())
}

/// Length and SHA-256 of a file.
pub(super) fn digest(path: &Path) -> Result<(u64, String), BackupError> {
    let mut file = File::open(path).map_err(at(path))?;
    let (mut digest, mut bytes, mut buffer) = (Context::new(&SHA256), 0, vec![0; 256 * 1024]);
    loop {
        match file.read(&mut buffer) {
            Ok(0) => return Ok((bytes, hex::encode(digest.finish()))),
            Ok(count) => {
                digest.update(buffer.get(..count).unwrap_or_default());
                bytes += count as u64;
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(at(path)(error)),
        }
    }
}
