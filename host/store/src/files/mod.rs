//! Files at rest: encrypted, named by the digest of what is stored, in a folder or a bucket.
//!
//! A file is written once and never changed. Small ones ([`SMALL`]) are given back to the caller, whose database keeps them
//! beside their message; larger ones stand in a place under their name. Which files are needed is the database's to say: one that
//! a crash left behind without a row is found by [`Files::sweep`].
//!
//! All calls may wait for a disk or a network: make them on blocking threads.

mod bucket;
mod folder;
mod format;
mod key;
mod name;
mod new_file;
mod place;
mod secret;
mod stored;
#[cfg(test)]
mod tests;
mod writer;

use std::collections::HashSet;
use std::io::{self, Cursor, Read, Seek, SeekFrom};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use tokio::runtime::Handle;

pub use bucket::BucketSettings;
pub use key::{KeyError, MessageKey, StoreKey};
pub(crate) use name::is_name;
pub use new_file::NewFile;
pub use stored::{StoredBytes, StoredFiles};
pub use writer::FileWriter;

use bucket::Bucket;
use folder::Folder;
use format::ChunkReader;
use place::{Place, Source};

/// A file whose stored bytes are at most this many is small, and never touches a disk of ours.
pub const SMALL: usize = 32 * 1024;

/// All stored files of an installation. Cheap to clone.
#[derive(Clone)]
pub struct Files {
    place: Arc<dyn Place>,
    key: StoreKey,
}

impl Files {
    /// Files in a folder, which is made when it is not there. Several nodes may share it.
    pub fn folder(path: &Path, key: StoreKey) -> io::Result<Self> {
        Ok(Self {
            place: Arc::new(Folder::open(path)?),
            key,
        })
    }

    /// Files in a bucket. What is being written is gathered in `spool`, encrypted, until it is whole. Requests run on `runtime`,
    /// whatever thread waits for them. The bucket is not asked anything yet; see [`Files::probe`].
    pub fn bucket(settings: &BucketSettings, spool: &Path, key: StoreKey, runtime: Handle) -> io::Result<Self> {
        Ok(Self {
            place: Arc::new(Bucket::open(settings, spool, runtime)?),
            key,
        })
    }

    /// The key that wraps the keys of messages.
    pub fn key(&self) -> &StoreKey {
        &self.key
    }

    /// Starts a file of the message that `key` belongs to.
    pub fn create(&self, key: &MessageKey) -> io::Result<FileWriter> {
        FileWriter::new(Arc::clone(&self.place), key)
    }

    /// The content of a large file.
    pub fn read(&self, key: &MessageKey, name: &str) -> io::Result<FileReader> {
        FileReader::new(self.place.open(name)?, key, name::label(name))
    }

    /// The content of a file that was just written, small or large.
    pub fn read_new(&self, key: &MessageKey, file: &NewFile) -> io::Result<FileReader> {
        match file.small() {
            Some(sealed) => FileReader::small(key, sealed.to_vec()),
            None => self.read(key, file.name()),
        }
    }

    /// Removes large files. Those that are not there are no error.
    pub fn remove(&self, names: &[String]) -> io::Result<()> {
        self.place.remove(names)
    }

    /// Removes files that nobody needs and that were written longer ago than `older_than`. `in_use` says which of the names that it
    /// is given are needed; it is asked about a thousand at a time. Returns how many were removed.
    ///
    /// `older_than` must be longer than any file waits for its commit, and the clocks of all nodes and of the bucket's service must
    /// agree within it: some hours.
    pub fn sweep(
        &self,
        in_use: &dyn Fn(&[String]) -> io::Result<HashSet<String>>,
        older_than: Duration,
    ) -> io::Result<usize> {
        let before = SystemTime::now()
            .checked_sub(older_than)
            .unwrap_or(SystemTime::UNIX_EPOCH);
        let mut removed = 0;
        self.place.written_before(before, &mut |mut names| {
            let needed = in_use(&names)?;
            names.retain(|name| !needed.contains(name));
            self.place.remove(&names)?;
            removed += names.len();
            Ok(())
        })?;
        Ok(removed)
    }

    /// Whether files can be kept now: the folder takes files and has free space, or the bucket answers. Takes some seconds at most.
    pub fn probe(&self) -> io::Result<()> {
        self.place.probe()
    }
}

/// The content of a file, from its start; can seek. A changed, moved or shortened file is an error while reading, never content.
pub struct FileReader(ChunkReader<Box<dyn Source>>);

impl FileReader {
    /// The content of a small file, from the bytes that [`NewFile::small`] gave.
    pub fn small(key: &MessageKey, sealed: Vec<u8>) -> io::Result<Self> {
        Self::new(Box::new(Cursor::new(sealed)), key, "a small file".to_owned())
    }

    fn new(stored: Box<dyn Source>, key: &MessageKey, label: String) -> io::Result<Self> {
        ChunkReader::new(stored, key, label).map(Self)
    }

    /// Size of the content, bytes. Not sure before the last byte was read: a shortened file is found out only there.
    pub fn size(&self) -> u64 {
        self.0.size()
    }
}

impl Read for FileReader {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        self.0.read(out)
    }
}

impl Seek for FileReader {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.0.seek(to)
    }
}
