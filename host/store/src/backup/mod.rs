//! A copy of everything, made while nodes work, and the way back from it.
//!
//! A backup is a folder: the database, the files that it names, and `manifest.json`, which comes last: without it the backup is not
//! whole. While it is made nodes remove no files ([`hold`]), so every file that the copied database names is still there when it is
//! copied. The database is copied by its own means: `VACUUM INTO` of SQLite, `pg_dump` of PostgreSQL.
//!
//! All calls block, for as long as it takes to copy everything.

mod database;
mod error;
mod held_back;
pub(crate) mod hold;
mod manifest;
mod postgres;
mod restore;

use std::fs::{self, File};
use std::io::{self, BufWriter, Write as _};
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};

pub use error::BackupError;
pub use held_back::InHand;
pub(crate) use restore::UNDER_WAY;
pub use restore::{Restored, restore};

use crate::Place;
use crate::files::StoredFiles;
use error::at;
use hold::Hold;
use manifest::{FileEntry, Manifest};

const FILES: &str = "files";

/// Told how far it has come.
pub type Progress<'a> = &'a dyn Fn(Step);

/// What is being done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// The database is copied.
    Database,
    /// So many of so many files are done.
    Files {
        /// Done.
        done: usize,
        /// All.
        all: usize,
        /// Bytes of those that are done.
        bytes: u64,
    },
    /// What is there is compared with its digests.
    Check,
}

/// What is written down about a backup.
#[derive(Debug, Clone)]
pub struct About {
    /// Name and version of the program.
    pub program: String,
    /// The organisation whose keystore opens it.
    pub organisation: String,
    /// When, RFC 3339.
    pub made: String,
}

/// What a backup holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Made {
    /// Bytes of the database.
    pub database: u64,
    /// Files.
    pub files: usize,
    /// Bytes of the files.
    pub bytes: u64,
    /// Files that the database names and that cannot be read any more, with the reason. They are lost already.
    pub unreadable: Vec<(String, String)>,
}

/// Copies everything into a folder that is empty or not there. Nodes may work meanwhile.
pub fn make(
    place: &Place,
    files: &StoredFiles,
    to: &Path,
    about: About,
    progress: Progress<'_>,
) -> Result<Made, BackupError> {
    prepare(to)?;
    let hold = Hold::take(place)?;
    progress(Step::Database);
    let (database, names) = database::copy(place, to)?;
    let (mut entries, mut unreadable, mut bytes) = (Vec::new(), Vec::new(), 0);
    for (done, name) in names.iter().enumerate() {
        progress(Step::Files {
            done,
            all: names.len(),
            bytes,
        });
        match copy_out(files, name, to)? {
            Ok(size) => {
                bytes += size;
                entries.push(FileEntry {
                    name: name.clone(),
                    bytes: size,
                });
            }
            Err(reason) => unreadable.push((name.clone(), reason)),
        }
    }
    hold.check()?;
    progress(Step::Files {
        done: names.len(),
        all: names.len(),
        bytes,
    });
    let made = Made {
        database: database.bytes,
        files: entries.len(),
        bytes,
        unreadable,
    };
    Manifest::new(about, database, entries, &made.unreadable).write(to)?;
    Ok(made)
}

fn prepare(to: &Path) -> Result<(), BackupError> {
    // Who has written to whom is for nobody else's eyes.
    fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(to)
        .map_err(at(to))?;
    if fs::read_dir(to).map_err(at(to))?.next().is_some() {
        return Err(BackupError::NotEmpty(to.to_owned()));
    }
    for first in 0..=u8::MAX {
        let folder = to.join(FILES).join(format!("{first:02x}"));
        fs::create_dir_all(&folder).map_err(at(&folder))?;
    }
    sync_folder(&to.join(FILES))?;
    sync_folder(to)
}

fn path_of(folder: &Path, name: &str) -> PathBuf {
    folder.join(FILES).join(name.get(..2).unwrap_or_default()).join(name)
}

/// Copies one file. The inner error: the file is lost. The outer one: it cannot be read or written now.
fn copy_out(files: &StoredFiles, name: &str, to: &Path) -> Result<Result<u64, String>, BackupError> {
    let path = path_of(to, name);
    let mut stored = match files.open(name) {
        Ok(stored) => stored,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Err(error.to_string())),
        Err(error) => return Err(at(&path)(error)),
    };
    let mut copy = BufWriter::new(File::create(&path).map_err(at(&path))?);
    let bytes = io::copy(&mut stored, &mut copy).map_err(at(&path))?;
    copy.flush().map_err(at(&path))?;
    if !stored.is_whole() {
        fs::remove_file(&path).map_err(at(&path))?;
        return Ok(Err("it was changed".to_owned()));
    }
    copy.get_ref().sync_all().map_err(at(&path))?;
    sync_folder(path.parent().unwrap_or(to))?;
    Ok(Ok(bytes))
}

fn sync_folder(folder: &Path) -> Result<(), BackupError> {
    File::open(folder)
        .and_then(|folder| folder.sync_all())
        .map_err(at(folder))
}
