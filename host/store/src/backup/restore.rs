//! The way back from a backup, into an empty place.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use super::database::{digest, kind};
use super::error::at;
use super::held_back::settle;
use super::manifest::Manifest;
use super::{BackupError, InHand, Progress, Step, path_of, postgres, sync_folder};
use crate::Place;
use crate::database::{Backend as _, Connection, Postgres, Sqlite};
use crate::files::StoredFiles;

/// A table that says that a restore is under way: no node starts on such a database.
pub(crate) const UNDER_WAY: &str = "restore_under_way";

/// What was restored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Restored {
    /// When the backup was made.
    pub made: String,
    /// Files.
    pub files: usize,
    /// Messages that were on their way.
    pub in_hand: u64,
    /// Files that could not be read already when the backup was made.
    pub unreadable: usize,
}

/// Puts a backup in an empty place. Everything is checked first; a restore that was cut off can be begun again.
pub fn restore(
    from: &Path,
    place: &Place,
    files: &StoredFiles,
    in_hand: InHand,
    now: i64,
    progress: Progress<'_>,
) -> Result<Restored, BackupError> {
    let manifest = Manifest::read(from)?;
    if manifest.database.kind != kind(place) {
        return Err(BackupError::OtherKind {
            found: manifest.database.kind,
            wanted: kind(place),
        });
    }
    must_be_empty(place)?;
    progress(Step::Check);
    check(from, &manifest)?;
    let mut bytes = 0;
    for (done, file) in manifest.files.iter().enumerate() {
        progress(Step::Files {
            done,
            all: manifest.files.len(),
            bytes,
        });
        let path = path_of(from, &file.name);
        let mut content = File::open(&path).map_err(at(&path))?;
        files.put(&file.name, &mut content).map_err(at(&path))?;
        bytes += file.bytes;
    }
    progress(Step::Database);
    let copy = from.join(&manifest.database.file);
    let messages = match place {
        Place::File(path) => into_file(&copy, path, in_hand, &manifest.made, now)?,
        Place::Server { url, .. } => into_server(&copy, url, in_hand, &manifest.made, now)?,
    };
    Ok(Restored {
        made: manifest.made,
        files: manifest.files.len(),
        in_hand: messages,
        unreadable: manifest.unreadable.len(),
    })
}

fn must_be_empty(place: &Place) -> Result<(), BackupError> {
    match place {
        Place::File(path) => {
            // A log that was left behind by another database would be read into this one.
            for left in [path.clone(), beside(path, "-wal"), beside(path, "-shm")] {
                if left.exists() {
                    return Err(BackupError::Occupied(left.display().to_string()));
                }
            }
        }
        Place::Server { url, .. } => {
            let connection = Connection::new(Postgres::new(url, 1)?.connect(false)?);
            let tables = connection.all(
                "SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY 1",
                &[],
                |row| row.get::<String>(0),
            )?;
            // What a restore that was cut off has left is replaced.
            if !tables.is_empty() && !tables.iter().any(|table| table == UNDER_WAY) {
                return Err(BackupError::Occupied(format!("with the tables {}", tables.join(", "))));
            }
        }
    }
    Ok(())
}

/// Compares everything with its digest.
fn check(from: &Path, manifest: &Manifest) -> Result<(), BackupError> {
    let mut wrong = Vec::new();
    let database = &manifest.database;
    let expected = std::iter::once((from.join(&database.file), database.bytes, &database.sha256));
    let files = manifest
        .files
        .iter()
        .map(|file| (path_of(from, &file.name), file.bytes, &file.name));
    for (path, bytes, sha256) in expected.chain(files) {
        match digest(&path) {
            Ok((found, digest)) if found == bytes && digest == *sha256 => {}
            Ok((found, _)) if found != bytes => {
                wrong.push(format!("{} has {found} bytes, not {bytes}", path.display()));
            }
            Ok(_) => wrong.push(format!("{} was changed", path.display())),
            Err(error) => wrong.push(error.to_string()),
        }
    }
    if wrong.is_empty() {
        Ok(())
    } else {
        Err(BackupError::Damaged(wrong))
    }
}

/// The database comes last, and settled: before that there is nothing that could be started.
fn into_file(copy: &Path, to: &Path, in_hand: InHand, made: &str, now: i64) -> Result<u64, BackupError> {
    let folder = to.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(folder).map_err(at(folder))?;
    let coming = beside(to, ".restoring");
    for left in [coming.clone(), beside(&coming, "-wal"), beside(&coming, "-shm")] {
        match fs::remove_file(&left) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(at(&left)(error)),
            _ => {}
        }
    }
    fs::copy(copy, &coming).map_err(at(&coming))?;
    let messages = {
        let mut connection = Connection::new(Sqlite::new(&coming).connect(true)?);
        settled(&mut connection, in_hand, made, now)?
    };
    File::open(&coming)
        .and_then(|file| file.sync_all())
        .map_err(at(&coming))?;
    fs::rename(&coming, to).map_err(at(to))?;
    sync_folder(folder)?;
    Ok(messages)
}

fn into_server(copy: &Path, url: &str, in_hand: InHand, made: &str, now: i64) -> Result<u64, BackupError> {
    let server = Postgres::new(url, 1)?;
    let mut connection = Connection::new(server.connect(true)?);
    connection.batch(&format!(
        "CREATE TABLE IF NOT EXISTS {UNDER_WAY} (); COMMENT ON TABLE {UNDER_WAY} IS 'budstikke restore has not finished'"
    ))?;
    postgres::restore(url, copy)?;
    settled(&mut connection, in_hand, made, now)
}

/// Settles the database in one transaction.
fn settled(connection: &mut Connection, in_hand: InHand, made: &str, now: i64) -> Result<u64, BackupError> {
    connection.batch("BEGIN")?;
    let messages = settle(connection, in_hand, made, now)?;
    connection.batch(&format!("DROP TABLE IF EXISTS {UNDER_WAY}; COMMIT"))?;
    Ok(messages)
}

fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    name.into()
}
