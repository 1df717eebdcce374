//! A stored file: a header of 24 bytes, then chunks of AES-256-GCM.
//!
//! ```text
//! "BUDSTIK1"  8 bytes
//! salt       16 bytes   the file's key is derived from the message's key and this
//! chunk      65 536 bytes of content + 16 bytes tag, any number
//! last chunk 0 to 65 536 bytes of content + 16 bytes tag
//! ```
//! A chunk's nonce is its number and whether it is the last, so chunks cannot be moved, repeated or cut off unseen.
//! Every chunk can be read by itself, which is what makes seeking possible.

use std::io::{self, Read, Seek, SeekFrom, Write};

use aws_lc_rs::aead::{Aad, LessSafeKey, Nonce};

use super::key::MessageKey;
use super::place;
use super::secret::SALT;

const MAGIC: &[u8; 8] = b"BUDSTIK1";
const HEADER: u64 = 8 + SALT as u64;
const CHUNK: usize = 64 * 1024;
const TAG: usize = 16;

fn nonce(number: u64, last: bool) -> Nonce {
    let mut bytes = [0; 12];
    bytes[..8].copy_from_slice(&number.to_be_bytes());
    bytes[8] = u8::from(last);
    Nonce::assume_unique_for_key(bytes)
}

fn damaged(label: &str, what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, format!("{label} is damaged: {what}"))
}

pub(super) struct ChunkWriter<W> {
    inner: W,
    key: LessSafeKey,
    header: Vec<u8>,
    buffer: Vec<u8>,
    number: u64,
}

impl<W: Write> ChunkWriter<W> {
    pub(super) fn new(mut inner: W, key: &MessageKey) -> io::Result<Self> {
        let salt = MessageKey::salt()?;
        let header = [&MAGIC[..], &salt].concat();
        inner.write_all(&header)?;
        Ok(Self {
            inner,
            key: key.file_key(&salt)?,
            header,
            buffer: Vec::with_capacity(CHUNK + TAG),
            number: 0,
        })
    }

    fn emit(&mut self, last: bool) -> io::Result<()> {
        let nonce = nonce(self.number, last);
        self.key
            .seal_in_place_append_tag(nonce, Aad::from(&self.header), &mut self.buffer)
            .map_err(|_| io::Error::other("a chunk could not be encrypted"))?;
        self.inner.write_all(&self.buffer)?;
        self.buffer.clear();
        self.number += 1;
        Ok(())
    }

    pub(super) fn finish(mut self) -> io::Result<W> {
        self.emit(true)?;
        Ok(self.inner)
    }
}

impl<W: Write> Write for ChunkWriter<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.buffer.len() == CHUNK {
            self.emit(false)?;
        }
        let taken = bytes.len().min(CHUNK - self.buffer.len());
        self.buffer.extend_from_slice(bytes.get(..taken).unwrap_or_default());
        Ok(taken)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

pub(super) struct ChunkReader<R> {
    inner: R,
    /// What errors call the file.
    label: String,
    key: LessSafeKey,
    header: Vec<u8>,
    /// Content bytes in the whole file.
    size: u64,
    /// Where the next byte is read, in content bytes.
    position: u64,
    /// The chunk in `buffer`.
    loaded: Option<u64>,
    buffer: Vec<u8>,
}

impl<R: Read + Seek> ChunkReader<R> {
    pub(super) fn new(mut inner: R, key: &MessageKey, label: String) -> io::Result<Self> {
        let mut header = vec![0; 8 + SALT];
        inner.read_exact(&mut header).map_err(|error| match error.kind() {
            io::ErrorKind::UnexpectedEof => damaged(&label, "it is shorter than its header"),
            _ => error,
        })?;
        let salt = header
            .strip_prefix(MAGIC)
            .ok_or_else(|| damaged(&label, "it does not begin as it must"))?;
        let key = key.file_key(salt)?;
        let body = inner
            .seek(SeekFrom::End(0))?
            .checked_sub(HEADER)
            .ok_or_else(|| damaged(&label, "no chunks"))?;
        let whole = (CHUNK + TAG) as u64;
        let chunks = body.div_ceil(whole);
        let size = body
            .checked_sub(chunks * TAG as u64)
            .filter(|_| chunks > 0)
            .ok_or_else(|| damaged(&label, "a short chunk"))?;
        Ok(Self {
            inner,
            label,
            key,
            header,
            size,
            position: 0,
            loaded: None,
            buffer: Vec::new(),
        })
    }

    pub(super) fn size(&self) -> u64 {
        self.size
    }

    /// Number of the last chunk. A full last chunk and an empty one after it look alike by size only when the content is
    /// a multiple of the chunk: the writer never makes an empty chunk but in an empty file.
    fn last(&self) -> u64 {
        self.size.div_ceil(CHUNK as u64).saturating_sub(1)
    }

    fn load(&mut self, number: u64) -> io::Result<()> {
        if self.loaded == Some(number) {
            return Ok(());
        }
        self.loaded = None;
        self.inner
            .seek(SeekFrom::Start(HEADER + number * (CHUNK + TAG) as u64))?;
        self.buffer.clear();
        (&mut self.inner)
            .take((CHUNK + TAG) as u64)
            .read_to_end(&mut self.buffer)?;
        let nonce = nonce(number, number == self.last());
        let length = self
            .key
            .open_in_place(nonce, Aad::from(&self.header), &mut self.buffer)
            .map_err(|_| damaged(&self.label, "a chunk does not match its tag"))?
            .len();
        self.buffer.truncate(length);
        self.loaded = Some(number);
        Ok(())
    }
}

impl<R: Read + Seek> Read for ChunkReader<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        // Also an empty file has a chunk, whose tag says that it is meant to be empty.
        if self.position >= self.size && (self.size > 0 || self.loaded.is_some()) {
            return Ok(0);
        }
        self.load(self.position / CHUNK as u64)?;
        let offset = usize::try_from(self.position % CHUNK as u64).unwrap_or(0);
        let rest = self.buffer.get(offset..).unwrap_or_default();
        let count = rest.len().min(out.len());
        if let (Some(to), Some(from)) = (out.get_mut(..count), rest.get(..count)) {
            to.copy_from_slice(from);
        }
        self.position += count as u64;
        Ok(count)
    }
}

impl<R: Read + Seek> Seek for ChunkReader<R> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.position = place::target(to, self.position, self.size)?;
        Ok(self.position)
    }
}
