//! Everything that is encrypted at rest: the files of the file store, the small ones of the database, and the keys of both.

use std::collections::HashSet;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use zeroize::Zeroizing;

use crate::files::{FileReader, FileWriter, Files, MessageKey, NewFile, StoreKey};
use crate::{SealedSbd, Store};

/// The content of all messages. Cheap to clone. What it does with files may wait: call it on blocking threads.
#[derive(Clone)]
pub struct Vault {
    files: Files,
    store: Arc<Store>,
}

impl Vault {
    /// Large files in `files`, small ones in `store`.
    pub fn new(files: Files, store: Arc<Store>) -> Self {
        Self { files, store }
    }

    /// Starts a file.
    pub fn create(&self, key: &MessageKey) -> io::Result<FileWriter> {
        self.files.create(key)
    }

    /// The content of a file that a row names, from its start; can seek. A changed file is an error while reading, never content.
    pub fn read(&self, key: &MessageKey, name: &str) -> io::Result<FileReader> {
        match self.store.small_file(name).map_err(io::Error::other)? {
            Some(sealed) => FileReader::small(key, sealed),
            None => self.files.read(key, name),
        }
    }

    /// The content of a file that no row names yet.
    pub fn read_new(&self, key: &MessageKey, file: &NewFile) -> io::Result<FileReader> {
        self.files.read_new(key, file)
    }

    /// The key of a message, from its row.
    pub fn key_of(&self, message_id: &str, sbd: &SealedSbd) -> io::Result<MessageKey> {
        self.unwrap_key(message_id, &sbd.data_key)
    }

    /// A key for a database column. `owner`: whose key it is, the same when it is opened.
    pub fn wrap_key(&self, owner: &str, key: &MessageKey) -> io::Result<Vec<u8>> {
        self.files.key().wrap(key, owner)
    }

    /// Opens what [`Vault::wrap_key`] made.
    pub fn unwrap_key(&self, owner: &str, wrapped: &[u8]) -> io::Result<MessageKey> {
        self.files.key().unwrap(wrapped, owner)
    }

    /// The key of the store.
    pub fn store_key(&self) -> &StoreKey {
        self.files.key()
    }

    /// Seals a small value that belongs to no message. `context` says what it is; it must be the same when it is opened.
    pub fn seal(&self, context: &str, value: &[u8]) -> io::Result<Vec<u8>> {
        self.files.key().seal(context, value)
    }

    /// Opens what [`Vault::seal`] made.
    pub fn unseal(&self, context: &str, sealed: &[u8]) -> io::Result<Zeroizing<Vec<u8>>> {
        self.files.key().unseal(context, sealed)
    }

    /// Removes files of the file store; those that are not there are no error.
    pub fn remove(&self, names: &[String]) -> io::Result<()> {
        self.files.remove(names)
    }

    /// Removes files that no row names and that were written longer ago than `age`, some hours. Returns how many.
    pub fn sweep(&self, age: Duration) -> io::Result<usize> {
        let in_use =
            |names: &[String]| -> io::Result<HashSet<String>> { self.store.in_use(names).map_err(io::Error::other) };
        self.files.sweep(&in_use, age)
    }

    /// Whether files can be kept now.
    pub fn probe(&self) -> io::Result<()> {
        self.files.probe()
    }
}
