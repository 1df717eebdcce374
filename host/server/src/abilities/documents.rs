//! Documents: a file of the vault, a few bytes, or a recipe that makes bytes when they are wanted.
//!
//! A recipe writes itself from its first byte to its last into any writer, on a blocking thread; nested recipes write into
//! one another without a buffer larger than a chunk between them. That is why a 1 GiB message takes a few MiB.

mod measure;
mod spool;
mod stream;

use std::io::{self, Cursor, Read, Seek, Write};
use std::sync::Arc;

use async_trait::async_trait;
use budstikke_message::asic::{ZipError, ZipFiles, ZipLimits};
use budstikke_runtime::services::{ByteReader, Document, DocumentRef, Failure};
use budstikke_store::files::{FileReader, MessageKey, NewFile, SMALL};
use budstikke_store::{Attachment, Vault};
use bytes::Bytes;
use tokio::sync::Semaphore;
use tokio_util::io::SyncIoBridge;

use measure::{Bounded, Digesting};
pub use spool::VaultSpool;
pub use stream::{blocking, copy, made_by, read_on_demand};

use super::packaging::Recipe;

/// How deep recipes may stand in one another, and how many documents one may be made of. A package of ours is three deep.
const DEPTH: u32 = 8;
const PARTS: u32 = 10_000;
/// Streams of documents that have to be made while they are read, at the same time. Each holds a thread.
const MADE_STREAMS: usize = 32;
static STREAMS: Semaphore = Semaphore::const_new(MADE_STREAMS);

/// A document of this host.
#[derive(Clone)]
pub struct Doc {
    /// File name.
    pub name: String,
    /// MIME type.
    pub media_type: String,
    /// Title of the fagsystem.
    pub title: Option<String>,
    source: Source,
    size: Option<u64>,
    digests: Option<Digests>,
    depth: u32,
    parts: u32,
}

/// A file of the vault that no row of the store names yet, and the key that opens it.
#[derive(Debug)]
pub struct VaultFile {
    /// The file.
    pub file: NewFile,
    /// Its key.
    pub key: MessageKey,
}

/// Both digests of a document that was kept.
#[derive(Clone, Debug)]
pub struct Digests {
    /// 16 bytes.
    pub md5: Vec<u8>,
    /// 32 bytes.
    pub sha256: Vec<u8>,
}

#[derive(Clone)]
enum Source {
    Bytes(Bytes),
    Blob {
        vault: Vault,
        key: MessageKey,
        name: String,
    },
    Received {
        vault: Vault,
        file: Arc<VaultFile>,
    },
    ZipEntry {
        archive: Arc<Doc>,
        entry: String,
    },
    Recipe(Arc<Recipe>),
}

impl Doc {
    /// A few bytes.
    pub fn bytes(name: &str, media_type: &str, content: Vec<u8>) -> Self {
        let size = content.len() as u64;
        Self::new(name, media_type, Source::Bytes(content.into()), Some(size))
    }

    /// A file of the vault that some row of the store names.
    pub fn blob(vault: &Vault, key: &MessageKey, name: &str, media_type: &str, blob: &str, size: u64) -> Self {
        let source = Source::Blob {
            vault: vault.clone(),
            key: key.clone(),
            name: blob.to_owned(),
        };
        Self::new(name, media_type, source, Some(size))
    }

    /// A file of a message.
    pub fn attachment(vault: &Vault, key: &MessageKey, file: &Attachment) -> DocumentRef {
        let document = Self::blob(vault, key, &file.filename, &file.mime, &file.blob, file.size);
        Arc::new(document.titled(file.title.clone()))
    }

    /// A file that was written: a download or a package. It goes with the document unless somebody takes it over.
    pub fn received(vault: &Vault, name: &str, media_type: &str, file: VaultFile) -> Self {
        let size = file.file.size();
        let source = Source::Received {
            vault: vault.clone(),
            file: Arc::new(file),
        };
        Self::new(name, media_type, source, Some(size))
    }

    /// A recipe. Refused when it is nested too deep or made of too many documents: the stack and the threads that it is
    /// computed with are the host's.
    pub(super) fn recipe(name: &str, media_type: &str, recipe: Recipe) -> Result<Self, Failure> {
        let inner = recipe.documents();
        let depth = inner.iter().map(|document| document.depth).max().unwrap_or(0) + 1;
        let parts = inner
            .iter()
            .fold(1_u32, |sum, document| sum.saturating_add(document.parts));
        if depth > DEPTH || parts > PARTS {
            let text = format!("a package may be {DEPTH} deep and made of {PARTS} documents");
            return Err(Failure::permanent("limit", text));
        }
        let document = Self::new(name, media_type, Source::Recipe(Arc::new(recipe)), None);
        Ok(Self {
            depth,
            parts,
            ..document
        })
    }

    pub(super) fn zip_entry(archive: Arc<Doc>, entry: &str, size: u64) -> Self {
        Self::new(
            entry,
            "",
            Source::ZipEntry {
                archive,
                entry: entry.to_owned(),
            },
            Some(size),
        )
    }

    fn new(name: &str, media_type: &str, source: Source, size: Option<u64>) -> Self {
        let (name, media_type) = (name.into(), media_type.into());
        Self {
            name,
            media_type,
            title: None,
            source,
            size,
            digests: None,
            depth: 1,
            parts: 1,
        }
    }

    /// With the title that the fagsystem gave.
    #[must_use]
    pub fn titled(mut self, title: Option<String>) -> Self {
        self.title = title;
        self
    }

    /// With digests that are known.
    #[must_use]
    pub fn digested(mut self, digests: Digests) -> Self {
        self.digests = Some(digests);
        self
    }

    /// Ours again, after it was in a plugin's hands.
    pub fn from_ref(document: DocumentRef) -> Result<Arc<Self>, Failure> {
        let any: Arc<dyn std::any::Any + Send + Sync> = document;
        any.downcast()
            .map_err(|_| Failure::permanent("document", "a document of another host"))
    }

    /// The content as a file of the vault with its key, whose guard the caller keeps until the store has named it. What was received is
    /// there already; anything else is written. Blocks.
    pub fn in_vault(&self, vault: &Vault) -> io::Result<Arc<VaultFile>> {
        if let Source::Received { file, .. } = &self.source
            && !file.file.is_claimed()
        {
            return Ok(file.clone());
        }
        let key = MessageKey::generate()?;
        let mut writer = Bounded::new(vault.create(&key)?);
        self.write_to(&mut writer)?;
        let file = writer.into_inner().finish()?;
        Ok(Arc::new(VaultFile { file, key }))
    }

    /// A file of the vault that is behind this document, to be read at any place. None: there is no such file.
    fn file(&self) -> Option<io::Result<FileReader>> {
        match &self.source {
            Source::Blob { vault, key, name } => Some(vault.read(key, name)),
            Source::Received { vault, file } => Some(vault.read_new(&file.key, &file.file)),
            _ => None,
        }
    }

    /// Writes the whole content. Blocks.
    pub fn write_to(&self, out: &mut dyn Write) -> io::Result<()> {
        match &self.source {
            Source::Recipe(recipe) => recipe.write_to(out),
            Source::ZipEntry { archive, entry } => match (archive.file(), &archive.source) {
                (Some(file), _) => write_entry(file?, entry, out),
                (None, Source::Bytes(content)) => write_entry(Cursor::new(content.clone()), entry, out),
                _ => Err(io::Error::other("only a received document can be opened as a zip")),
            },
            _ => copy(&mut self.reader()?, out),
        }
    }

    /// The content to read. Blocks.
    pub fn reader(&self) -> io::Result<Box<dyn Read + Send>> {
        if let Some(file) = self.file() {
            return Ok(Box::new(file?));
        }
        if let Source::Bytes(content) = &self.source {
            return Ok(Box::new(Cursor::new(content.clone())));
        }
        // The others write themselves; a thread of its own turns that into something to read.
        let document = self.clone();
        Ok(Box::new(SyncIoBridge::new(made_by(move |out| document.write_to(out)))))
    }

    /// A zip's directory; only of something that can be read at any place.
    pub(super) fn archive(&self) -> Result<Vec<(String, u64)>, Failure> {
        let listed = match (self.file(), &self.source) {
            (Some(file), _) => list(file.map_err(|error| temporary(&error))?),
            (None, Source::Bytes(content)) => list(Cursor::new(content.clone())),
            _ => {
                return Err(Failure::permanent(
                    "not-a-zip",
                    "only a received document can be opened as a zip",
                ));
            }
        };
        listed.map_err(|error| {
            let text = format!("{}: {}", self.name, error.without_names());
            // A fault of our own disk says nothing about the archive.
            if error.is_io() {
                Failure::temporary(text)
            } else {
                Failure::permanent("not-a-zip", text)
            }
        })
    }

    /// Computes the content and puts it into the vault, with both digests. Blocks.
    pub fn compute(&self, vault: &Vault, key: &MessageKey) -> io::Result<(NewFile, Digests)> {
        let (writer, digests) = self.digest_into(vault.create(key)?)?;
        Ok((writer.finish()?, digests))
    }

    fn digest_into<W: Write>(&self, inner: W) -> io::Result<(W, Digests)> {
        let mut writer = Digesting::new(Bounded::new(inner));
        self.write_to(&mut writer)?;
        let (inner, digests) = writer.finish();
        Ok((inner.into_inner(), digests))
    }
}

/// The largest content of a received zip, bytes, and the number of its entries. Contract: `packaging.unzip`.
const ARCHIVE: u64 = 64 << 30;
const ENTRIES: usize = 1000;

fn list(archive: impl Read + Seek) -> Result<Vec<(String, u64)>, ZipError> {
    let zip = ZipFiles::open(archive, ZipLimits::of_total(ARCHIVE).with_entries(ENTRIES))?;
    Ok(zip.files().iter().map(|file| (file.name.clone(), file.size)).collect())
}

fn write_entry(archive: impl Read + Seek, entry: &str, out: &mut dyn Write) -> io::Result<()> {
    let mut zip =
        ZipFiles::open(archive, ZipLimits::of_total(ARCHIVE).with_entries(ENTRIES)).map_err(io::Error::other)?;
    copy(&mut zip.file(entry).map_err(io::Error::other)?, out)
}

/// A local fault: disk, damage. Worth another try, and the operator's eye.
pub fn temporary(error: &io::Error) -> Failure {
    Failure::temporary(format!("the store of this installation: {error}"))
}

#[async_trait]
impl Document for Doc {
    fn name(&self) -> &str {
        &self.name
    }

    fn media_type(&self) -> &str {
        &self.media_type
    }

    fn title(&self) -> Option<&str> {
        self.title.as_deref()
    }

    fn size(&self) -> Option<u64> {
        self.size
    }

    async fn digest(&self, algorithm: &str) -> Result<Vec<u8>, Failure> {
        if !matches!(algorithm, "md5" | "sha-256") {
            return Err(Failure::permanent(
                "unknown-algorithm",
                format!("no digest is called {algorithm}"),
            ));
        }
        let digests = if let Some(digests) = &self.digests {
            digests.clone()
        } else {
            let document = self.clone();
            blocking(move || document.digest_into(io::sink()))
                .await
                .map(|(_, digests)| digests)
                .map_err(|error| temporary(&error))?
        };
        Ok(if algorithm == "md5" {
            digests.md5
        } else {
            digests.sha256
        })
    }

    async fn open(&self) -> Result<ByteReader, Failure> {
        if let Source::Bytes(content) = &self.source {
            return Ok(Box::pin(Cursor::new(content.clone())));
        }
        let document = self.clone();
        let is_file = matches!(self.source, Source::Blob { .. } | Source::Received { .. });
        if is_file && self.size.is_some_and(|size| size <= SMALL as u64) {
            // At once: a way to another thread for each piece would take longer.
            let read = blocking(move || {
                let mut content = Vec::new();
                document.reader()?.read_to_end(&mut content)?;
                Ok(content)
            });
            return Ok(Box::pin(Cursor::new(read.await.map_err(|error| temporary(&error))?)));
        }
        if is_file {
            let reader = blocking(move || document.reader())
                .await
                .map_err(|error| temporary(&error))?;
            return Ok(read_on_demand(reader));
        }
        let permit = STREAMS
            .acquire()
            .await
            .map_err(|_| Failure::temporary("the host is stopping"))?;
        Ok(made_by(move |out| {
            let _held_until_the_end = permit;
            document.write_to(out)
        }))
    }
}
