//! A file that is being written.

use std::io::{self, Write};
use std::sync::Arc;

use aws_lc_rs::digest::{Context, SHA256};

use super::SMALL;
use super::format::ChunkWriter;
use super::key::MessageKey;
use super::name;
use super::new_file::{NewFile, Sealed};
use super::place::{Draft, Place};

/// Takes content and encrypts it. Until [`FileWriter::finish`] the file does not exist; dropped before, it leaves nothing.
pub struct FileWriter {
    /// None after an error: what a broken write has left cannot be gone on from.
    chunks: Option<ChunkWriter<Sink>>,
    size: u64,
}

impl FileWriter {
    pub(super) fn new(place: Arc<dyn Place>, key: &MessageKey) -> io::Result<Self> {
        let sink = Sink {
            place,
            digest: Context::new(&SHA256),
            held: Vec::new(),
            draft: None,
        };
        Ok(Self {
            chunks: Some(ChunkWriter::new(sink, key)?),
            size: 0,
        })
    }

    /// Bytes of content so far.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Ends the content. A large file is in its place for good when this returns, but goes again with the value unless it is
    /// claimed; a small one is only in the value.
    pub fn finish(mut self) -> io::Result<NewFile> {
        let sink = self.chunks.take().ok_or_else(broken)?.finish()?;
        let digest = sink.digest.finish();
        let Some(draft) = sink.draft else {
            return Ok(NewFile::new(
                name::of_small(digest.as_ref()),
                self.size,
                Sealed::Small(sink.held),
            ));
        };
        let name = name::of(digest.as_ref());
        draft.keep(&name)?;
        Ok(NewFile::new(name, self.size, Sealed::Large(sink.place)))
    }
}

impl Write for FileWriter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut chunks = self.chunks.take().ok_or_else(broken)?;
        let taken = chunks.write(bytes)?;
        self.chunks = Some(chunks);
        self.size = self.size.saturating_add(taken as u64);
        Ok(taken)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn broken() -> io::Error {
    io::Error::other("the file could not be written before; it has to be written from its start")
}

/// Takes encrypted bytes, holds them as long as they are few, and knows their digest.
struct Sink {
    place: Arc<dyn Place>,
    digest: Context,
    held: Vec<u8>,
    draft: Option<Box<dyn Draft>>,
}

impl Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.draft.is_none() && self.held.len() + bytes.len() > SMALL {
            let mut draft = self.place.create()?;
            draft.write_all(&self.held)?;
            self.held = Vec::new();
            self.draft = Some(draft);
        }
        match &mut self.draft {
            Some(draft) => draft.write_all(bytes)?,
            None => self.held.extend_from_slice(bytes),
        }
        self.digest.update(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
