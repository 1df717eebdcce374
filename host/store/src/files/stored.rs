//! Stored files as they stand there, for copies. No key is needed: they stay encrypted.

use std::io::{self, Read};
use std::path::Path;
use std::sync::Arc;

use aws_lc_rs::digest::{Context, SHA256};
use tokio::runtime::Handle;

use super::bucket::Bucket;
use super::folder::Folder;
use super::name::{self, label};
use super::place::Place;
use super::{BucketSettings, Files};

/// All stored files of an installation, without the key.
#[derive(Clone)]
pub struct StoredFiles(Arc<dyn Place>);

impl From<&Files> for StoredFiles {
    fn from(files: &Files) -> Self {
        Self(Arc::clone(&files.place))
    }
}

impl StoredFiles {
    /// As [`Files::folder`].
    pub fn folder(path: &Path) -> io::Result<Self> {
        Ok(Self(Arc::new(Folder::open(path)?)))
    }

    /// As [`Files::bucket`].
    pub fn bucket(settings: &BucketSettings, spool: &Path, runtime: Handle) -> io::Result<Self> {
        Ok(Self(Arc::new(Bucket::open(settings, spool, runtime)?)))
    }

    /// The stored bytes of a file.
    pub fn open(&self, name: &str) -> io::Result<StoredBytes<'static>> {
        Ok(StoredBytes {
            source: Box::new(self.0.open(name)?),
            digest: Context::new(&SHA256),
            name: name.to_owned(),
        })
    }

    /// Puts a file in its place. An error, and nothing, when the bytes are not those that it is named by.
    pub fn put(&self, name: &str, from: &mut dyn Read) -> io::Result<()> {
        let mut draft = self.0.create()?;
        let mut from = StoredBytes {
            source: Box::new(from),
            digest: Context::new(&SHA256),
            name: name.to_owned(),
        };
        io::copy(&mut from, &mut draft)?;
        if !from.is_whole() {
            let text = format!("{} has other bytes than it is named by", label(name));
            return Err(io::Error::new(io::ErrorKind::InvalidData, text));
        }
        draft.keep(name)
    }
}

/// The stored bytes of a file, which are compared with its name while they are read.
pub struct StoredBytes<'a> {
    source: Box<dyn Read + 'a>,
    digest: Context,
    name: String,
}

impl StoredBytes<'_> {
    /// Whether what was read are the bytes that the file is named by: ask when the end was reached.
    pub fn is_whole(&self) -> bool {
        name::of(self.digest.clone().finish().as_ref()) == self.name
    }
}

impl Read for StoredBytes<'_> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let count = self.source.read(out)?;
        self.digest.update(out.get(..count).unwrap_or_default());
        Ok(count)
    }
}
