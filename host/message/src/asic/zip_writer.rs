//! Writes zips forward only, as Java's streaming writer lays them out.

use std::collections::HashSet;
use std::io::{self, Read, Write};

use flate2::{Compress, FlushCompress, Status};
use jiff::Timestamp;

use super::ZipError;
use super::zip_records::{DEFLATED, Entry, FLAG_DESCRIPTOR, FLAG_UTF8, STORED, dos_time, end_records};

/// Most entries in one zip: what the format counts without zip64.
const MAX_ENTRIES: usize = 65_535;
const STEP: usize = 64 * 1024;

/// How hard to compress.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Compression {
    /// Deflate, fast rather than small.
    Deflate,
    /// Deflate blocks without compression, for content that is encrypted or compressed already.
    None,
}

/// Writes a zip to `W` without going back. Memory grows with the number of entries only (names and sizes).
///
/// Zip64 records appear only where a size or offset passes 4 GiB.
pub struct ZipWriter<W: Write> {
    inner: W,
    offset: u64,
    entries: Vec<Entry>,
    names: HashSet<String>,
    dos_time: u32,
    unfinished: bool,
    /// Of the entry before: a compressor is much larger than a small entry.
    spare: Option<Deflate>,
}

/// A compressor and what it writes into.
struct Deflate {
    compress: Compress,
    buffer: Vec<u8>,
}

impl Deflate {
    fn new() -> Self {
        Self {
            // Most of what people attach is compressed already, and a better level takes three times as long to find that out.
            compress: Compress::new(flate2::Compression::fast(), false),
            buffer: vec![0; STEP],
        }
    }

    fn again(mut self) -> Self {
        self.compress.reset();
        self
    }
}

impl<W: Write> ZipWriter<W> {
    /// Starts a zip. The entries' time is the present (UTC).
    pub fn new(inner: W) -> Self {
        Self {
            inner,
            offset: 0,
            entries: Vec::new(),
            names: HashSet::new(),
            dos_time: dos_time(Timestamp::now()),
            unfinished: false,
            spare: None,
        }
    }

    /// Adds an entry that is not compressed, with size and CRC in its header.
    pub fn stored(&mut self, name: &str, content: &[u8]) -> Result<(), ZipError> {
        self.stored_with_comment(name, content, "")
    }

    pub(super) fn stored_with_comment(
        &mut self,
        name: &str,
        content: &[u8],
        comment: &'static str,
    ) -> Result<(), ZipError> {
        let crc = crc32fast::hash(content);
        self.stored_head(name, content.len() as u64, crc, comment)?;
        self.put(content)?;
        self.unfinished = false;
        Ok(())
    }

    /// The same for content too large for memory, whose size and CRC-32 are known. Fails with
    /// [`ZipError::Damaged`] if the content turns out to have another size or CRC.
    pub fn stored_stream(&mut self, name: &str, size: u64, crc: u32, content: &mut impl Read) -> Result<(), ZipError> {
        self.stored_head(name, size, crc, "")?;
        let mut hasher = crc32fast::Hasher::new();
        let mut left = size;
        let mut buffer = vec![0u8; STEP];
        loop {
            // One byte more than stated is asked for, so that an overlong content is noticed.
            let want = usize::try_from(left.saturating_add(1)).unwrap_or(STEP).min(STEP);
            let count = read_some(content, &mut buffer[..want])?;
            if count as u64 > left {
                return Err(ZipError::Damaged(name.to_owned()));
            }
            if count == 0 {
                break;
            }
            hasher.update(&buffer[..count]);
            self.put(&buffer[..count])?;
            left -= count as u64;
        }
        if left > 0 || hasher.finalize() != crc {
            return Err(ZipError::Damaged(name.to_owned()));
        }
        self.unfinished = false;
        Ok(())
    }

    /// Adds a deflated entry with all that `content` gives; returns its size in bytes before compression.
    pub fn deflated(&mut self, name: &str, compression: Compression, content: &mut impl Read) -> Result<u64, ZipError> {
        let mut entry = self.start(name, compression)?;
        let mut buffer = vec![0u8; STEP];
        loop {
            let count = read_some(content, &mut buffer)?;
            if count == 0 {
                break;
            }
            entry.deflate(&buffer[..count])?;
        }
        entry.finish()
    }

    /// Starts a deflated entry to be written to. It must be finished before anything else is done with the zip.
    pub fn start(&mut self, name: &str, compression: Compression) -> Result<ZipEntryWriter<'_, W>, ZipError> {
        let flags = FLAG_DESCRIPTOR | self.begin(name)?;
        self.head(Entry {
            name: name.to_owned(),
            comment: "",
            method: DEFLATED,
            flags,
            dos_time: self.dos_time,
            crc: 0,
            compressed: 0,
            size: 0,
            offset: self.offset,
        })?;
        let deflate = match compression {
            Compression::Deflate => Some(self.spare.take().map_or_else(Deflate::new, Deflate::again)),
            Compression::None => None,
        };
        let start = self.offset;
        Ok(ZipEntryWriter {
            zip: self,
            deflate,
            crc: crc32fast::Hasher::new(),
            size: 0,
            start,
        })
    }

    /// Writes the directory, flushes, and gives back the stream below. `comment` is the zip's comment
    /// (at most 65 535 bytes, may be empty).
    pub fn finish(mut self, comment: &str) -> Result<W, ZipError> {
        if self.unfinished {
            return Err(ZipError::Unfinished);
        }
        if comment.len() > usize::from(u16::MAX) {
            return Err(ZipError::Limit("length of the comment"));
        }
        let (start, count) = (self.offset, self.entries.len());
        for entry in std::mem::take(&mut self.entries) {
            self.put(&entry.central_header())?;
        }
        let end = end_records(count, start, self.offset, comment);
        self.put(&end)?;
        self.inner.flush().map_err(ZipError::from_io)?;
        Ok(self.inner)
    }

    fn stored_head(&mut self, name: &str, size: u64, crc: u32, comment: &'static str) -> Result<(), ZipError> {
        let flags = self.begin(name)?;
        self.head(Entry {
            name: name.to_owned(),
            comment,
            method: STORED,
            flags,
            dos_time: self.dos_time,
            crc,
            compressed: size,
            size,
            offset: self.offset,
        })
    }

    fn head(&mut self, entry: Entry) -> Result<(), ZipError> {
        self.put(&entry.local_header())?;
        self.entries.push(entry);
        Ok(())
    }

    /// Checks the name and takes the zip into an entry; gives the flags that the name needs.
    fn begin(&mut self, name: &str) -> Result<u16, ZipError> {
        if self.unfinished {
            return Err(ZipError::Unfinished);
        }
        if name.is_empty() || name.len() > 1024 || name.ends_with('/') || !name.chars().all(super::is_xml_text) {
            return Err(ZipError::BadName(name.escape_debug().take(200).collect()));
        }
        if self.names.len() >= MAX_ENTRIES {
            return Err(ZipError::Limit("65 535 entries"));
        }
        if !self.names.insert(name.to_owned()) {
            return Err(ZipError::Duplicate(name.to_owned()));
        }
        self.unfinished = true;
        Ok(if name.is_ascii() { 0 } else { FLAG_UTF8 })
    }

    fn put(&mut self, bytes: &[u8]) -> Result<(), ZipError> {
        self.inner.write_all(bytes).map_err(ZipError::from_io)?;
        self.offset += bytes.len() as u64;
        Ok(())
    }
}

impl<W: Write> std::fmt::Debug for ZipWriter<W> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ZipWriter")
            .field("entries", &self.entries.len())
            .finish_non_exhaustive()
    }
}

/// One deflated entry being written. Dropping it without [`finish`](Self::finish) makes the whole zip fail.
pub struct ZipEntryWriter<'a, W: Write> {
    zip: &'a mut ZipWriter<W>,
    /// None: blocks without compression.
    deflate: Option<Deflate>,
    crc: crc32fast::Hasher,
    /// Bytes before compression.
    size: u64,
    /// Where its content begins in the zip.
    start: u64,
}

/// Most bytes of a deflate block without compression, and the last block, which is empty (RFC 1951, 3.2.4).
const BLOCK: usize = 65_535;
const LAST: [u8; 5] = [1, 0, 0, 0xff, 0xff];

impl<W: Write> ZipEntryWriter<'_, W> {
    /// Ends the entry; gives its size in bytes before compression.
    pub fn finish(mut self) -> Result<u64, ZipError> {
        match self.deflate.take() {
            Some(mut deflate) => {
                while self.step(&mut deflate, &[], FlushCompress::Finish)?.1 != Status::StreamEnd {}
                self.zip.spare = Some(deflate);
            }
            None => self.zip.put(&LAST)?,
        }
        let compressed = self.zip.offset - self.start;
        if let Some(entry) = self.zip.entries.last_mut() {
            entry.crc = self.crc.finalize();
            entry.compressed = compressed;
            entry.size = self.size;
            let descriptor = entry.descriptor();
            self.zip.put(&descriptor)?;
        }
        self.zip.unfinished = false;
        Ok(self.size)
    }

    fn deflate(&mut self, mut content: &[u8]) -> Result<(), ZipError> {
        self.crc.update(content);
        self.size += content.len() as u64;
        let Some(mut deflate) = self.deflate.take() else {
            return self.plain(content);
        };
        let mut done = Ok(());
        while !content.is_empty() && done.is_ok() {
            done = self
                .step(&mut deflate, content, FlushCompress::None)
                .map(|(taken, _)| content = &content[taken..]);
        }
        self.deflate = Some(deflate);
        done
    }

    fn plain(&mut self, content: &[u8]) -> Result<(), ZipError> {
        for block in content.chunks(BLOCK) {
            let length = u16::try_from(block.len()).unwrap_or(u16::MAX);
            let [[a, b], [c, d]] = [length.to_le_bytes(), (!length).to_le_bytes()];
            self.zip.put(&[0, a, b, c, d])?;
            self.zip.put(block)?;
        }
        Ok(())
    }

    fn step(
        &mut self,
        Deflate { compress, buffer }: &mut Deflate,
        content: &[u8],
        flush: FlushCompress,
    ) -> Result<(usize, Status), ZipError> {
        let (before_in, before_out) = (compress.total_in(), compress.total_out());
        let status = compress
            .compress(content, buffer, flush)
            .map_err(|_| ZipError::Malformed("deflate failed"))?;
        let taken = usize::try_from(compress.total_in() - before_in).unwrap_or(0);
        let made = usize::try_from(compress.total_out() - before_out).unwrap_or(0);
        self.zip.put(&buffer[..made])?;
        if taken == 0 && made == 0 && status != Status::StreamEnd {
            return Err(ZipError::Malformed("deflate makes no progress"));
        }
        Ok((taken, status))
    }
}

impl<W: Write> Write for ZipEntryWriter<'_, W> {
    fn write(&mut self, content: &[u8]) -> io::Result<usize> {
        self.deflate(content)?;
        Ok(content.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.zip.inner.flush()
    }
}

impl<W: Write> std::fmt::Debug for ZipEntryWriter<'_, W> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ZipEntryWriter").finish_non_exhaustive()
    }
}

/// `read` that goes on after an interruption.
fn read_some(content: &mut impl Read, buffer: &mut [u8]) -> Result<usize, ZipError> {
    loop {
        match content.read(buffer) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            result => return result.map_err(ZipError::from_io),
        }
    }
}
