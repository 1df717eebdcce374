//! Files at rest, encrypted. One folder; a file is written under a temporary name, synced, renamed, and never changed.
//!
//! A file stands under a random name in a folder of its first two letters. Which files are needed is the store's to say;
//! one that a crash left behind without a row is found by [`Vault::sweep`].

mod format;
mod key;
mod unclaimed;

use std::collections::HashSet;
use std::fs::{self, File};
use std::io::{self, BufWriter, Read, Seek, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use format::{ChunkReader, ChunkWriter};
pub use key::{KeyError, StoreKey};
pub use unclaimed::Unclaimed;

/// A file that is safely on disk.
#[derive(Debug, Clone)]
pub struct Blob {
    /// Its name in the vault.
    pub name: String,
    /// Size of the content, bytes.
    pub size: u64,
}

/// The folder.
#[derive(Clone)]
pub struct Vault {
    folder: PathBuf,
    key: StoreKey,
}

impl Vault {
    /// Opens or makes the folder, and removes what an earlier process left half-written.
    pub fn open(folder: &Path, key: StoreKey) -> io::Result<Self> {
        let writing = folder.join("writing");
        if writing.exists() {
            fs::remove_dir_all(&writing)?;
        }
        fs::create_dir_all(&writing)?;
        // All at once and synced: a file is not on disk for good while the folder that it stands in is not.
        for first in 0..=u8::MAX {
            fs::create_dir_all(folder.join(format!("{first:02x}")))?;
        }
        File::open(folder)?.sync_all()?;
        Ok(Self {
            folder: folder.to_owned(),
            key,
        })
    }

    /// Starts a file. Until [`BlobWriter::finish`] it does not exist.
    pub fn create(&self) -> io::Result<BlobWriter> {
        let name = uuid::Uuid::new_v4().simple().to_string();
        let temporary = self.folder.join("writing").join(&name);
        let file = File::options().write(true).create_new(true).open(&temporary)?;
        let writer = ChunkWriter::new(BufWriter::with_capacity(256 * 1024, file), &self.key)?;
        Ok(BlobWriter {
            vault: self.clone(),
            writer: Some(writer),
            target: self.path_of(&name),
            name,
            temporary,
            size: 0,
        })
    }

    /// The content of a file, from the start; can seek. A changed or shortened file is an error while reading.
    pub fn read(&self, name: &str) -> io::Result<impl Read + Seek + Send + use<>> {
        ChunkReader::new(File::open(self.path_of(name))?, &self.key)
    }

    /// Removes a file. One that is not there is no error.
    pub fn remove(&self, name: &str) -> io::Result<()> {
        match fs::remove_file(self.path_of(name)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }

    /// Removes files that nobody names and that are older than `age`. Returns how many.
    pub fn sweep(&self, in_use: &HashSet<String>, age: Duration) -> io::Result<usize> {
        let before = SystemTime::now().checked_sub(age).unwrap_or(SystemTime::UNIX_EPOCH);
        let mut removed = 0;
        for folder in fs::read_dir(&self.folder)? {
            let folder = folder?;
            if !folder.file_type()?.is_dir() || folder.file_name() == "writing" {
                continue;
            }
            for file in fs::read_dir(folder.path())? {
                let file = file?;
                let known = file.file_name().to_str().is_some_and(|name| in_use.contains(name));
                let old = || {
                    file.metadata()
                        .and_then(|metadata| metadata.modified())
                        .is_ok_and(|time| time < before)
                };
                // One that is gone meanwhile, or cannot be looked at, is not this sweep's.
                if !known && old() && fs::remove_file(file.path()).is_ok() {
                    removed += 1;
                }
            }
        }
        Ok(removed)
    }

    /// Seals a small value, such as an SBD, for a database column. `context` says what it is; it must be the same when it
    /// is opened.
    pub fn seal(&self, context: &str, value: &[u8]) -> io::Result<Vec<u8>> {
        self.key.seal(context, value)
    }

    /// Opens what [`Vault::seal`] made.
    pub fn unseal(&self, context: &str, sealed: &[u8]) -> io::Result<Vec<u8>> {
        self.key.unseal(context, sealed)
    }

    fn path_of(&self, name: &str) -> PathBuf {
        self.folder.join(name.get(..2).unwrap_or("__")).join(name)
    }
}

/// A file that is being written.
pub struct BlobWriter {
    vault: Vault,
    writer: Option<ChunkWriter<BufWriter<File>>>,
    name: String,
    temporary: PathBuf,
    target: PathBuf,
    size: u64,
}

impl BlobWriter {
    /// Bytes so far.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Puts the file on disk for good. It goes again with the guard, unless the store has named it by then.
    pub fn finish(mut self) -> io::Result<Unclaimed> {
        let writer = self
            .writer
            .take()
            .ok_or_else(|| io::Error::other("the file is finished already"))?;
        let file = writer.finish()?.into_inner().map_err(io::IntoInnerError::into_error)?;
        file.sync_all()?;
        let folder = self.target.parent().unwrap_or(Path::new("."));
        fs::rename(&self.temporary, &self.target)?;
        File::open(folder)?.sync_all()?;
        Ok(Unclaimed::new(
            self.vault.clone(),
            Blob {
                name: self.name.clone(),
                size: self.size,
            },
        ))
    }
}

impl Write for BlobWriter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let writer = self
            .writer
            .as_mut()
            .ok_or_else(|| io::Error::other("the file is finished already"))?;
        writer.write_all(bytes)?;
        self.size = self.size.saturating_add(bytes.len() as u64);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Drop for BlobWriter {
    fn drop(&mut self) {
        // Gone already when it was finished; what cannot be removed now is removed at the next start.
        let _gone = fs::remove_file(&self.temporary);
    }
}
