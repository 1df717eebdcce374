//! Reads zips forward only, over the local headers, as Java's streaming reader does.

use std::collections::HashSet;
use std::io::{self, BufRead, BufReader, Read};

use flate2::{Decompress, FlushDecompress, Status};

use super::zip_records::{CENTRAL, DESCRIPTOR, END, END_64, LOCAL, LOCATOR_64, MAX_32};
use super::{ZipError, ZipLimits};

/// A zip read from front to back: [`next_entry`](Self::next_entry) goes to an entry, `read` reads that entry.
///
/// Entries are checked against CRC and size when read to their end; what `next_entry` passes over is checked too.
/// After the last entry the directory is read, must name the same entries, and must end the input. Stored entries
/// whose size comes after them are refused, as are encryption and methods other than stored and deflate.
pub struct ZipStream<R: Read> {
    input: BufReader<R>,
    limits: ZipLimits,
    names: HashSet<String>,
    total: u64,
    current: Option<Current>,
    state: State,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Entries,
    Ended,
    Failed,
}

struct Current {
    name: String,
    method: Method,
    crc: crc32fast::Hasher,
    compressed: u64,
    size: u64,
    /// CRC, compressed size and size from the local header; `None` when a descriptor follows.
    stated: Option<(u32, u64, u64)>,
    zip64: bool,
}

enum Method {
    Stored { left: u64 },
    Deflate { decompress: Box<Decompress>, done: bool },
}

impl<R: Read> ZipStream<R> {
    /// Nothing is read before the first call of `next_entry`.
    pub fn new(inner: R, limits: ZipLimits) -> Self {
        Self {
            input: BufReader::with_capacity(64 * 1024, inner),
            limits,
            names: HashSet::new(),
            total: 0,
            current: None,
            state: State::Entries,
        }
    }

    /// Goes to the next entry, passing over what is left of the current one, and gives its name as it stands in
    /// the zip. `None` after the last, when the directory has been checked and the input read to its end.
    pub fn next_entry(&mut self) -> Result<Option<String>, ZipError> {
        match self.state {
            State::Ended => return Ok(None),
            State::Failed => return Err(ZipError::Malformed("read on after an error")),
            State::Entries => {}
        }
        let result = self.advance();
        match &result {
            Ok(Some(_)) => {}
            Ok(None) => self.state = State::Ended,
            Err(_) => self.state = State::Failed,
        }
        result
    }

    /// Reads from the current entry; 0 at its end or without one.
    pub fn read_entry(&mut self, out: &mut [u8]) -> Result<usize, ZipError> {
        if self.state == State::Failed {
            return Err(ZipError::Malformed("read on after an error"));
        }
        if out.is_empty() {
            return Ok(0);
        }
        let result = self.inflate(out);
        if result.is_err() {
            self.state = State::Failed;
        }
        result
    }

    fn advance(&mut self) -> Result<Option<String>, ZipError> {
        let mut scratch = vec![0u8; 32 * 1024];
        while self.inflate(&mut scratch)? > 0 {}
        match self.u32()? {
            LOCAL => {
                let entry = self.local_header()?;
                let name = entry.name.clone();
                self.current = Some(entry);
                Ok(Some(name))
            }
            first @ (CENTRAL | END | END_64) if !self.names.is_empty() => self.directory(first).map(|()| None),
            _ if self.names.is_empty() => Err(ZipError::Malformed("it does not begin with an entry")),
            _ => Err(ZipError::Malformed("something between the entries")),
        }
    }

    fn local_header(&mut self) -> Result<Current, ZipError> {
        let version_needed = self.u16()?;
        let flags = self.u16()?;
        let method = self.u16()?;
        self.skip(4)?;
        let crc = self.u32()?;
        let mut compressed = u64::from(self.u32()?);
        let mut size = u64::from(self.u32()?);
        let name_length = self.u16()?;
        let extra_length = self.u16()?;
        let name = self.name(name_length)?;
        let extra = self.bytes(usize::from(extra_length))?;
        let zip64 = zip64_sizes(&extra, &mut size, &mut compressed)?;
        let refuse = |what| {
            Err(ZipError::Unsupported {
                entry: name.clone(),
                what,
            })
        };
        if version_needed & 0xFF > 45 {
            return refuse("a newer zip version");
        }
        if flags & 0x2041 != 0 {
            return refuse("encryption");
        }
        if self.names.len() >= self.limits.entries {
            return Err(ZipError::Limit("number of entries"));
        }
        if !self.names.insert(name.clone()) {
            return Err(ZipError::Duplicate(name));
        }
        let described_after = flags & (1 << 3) != 0;
        let method = match method {
            0 if described_after => return refuse("a stored entry whose size comes after it"),
            0 if compressed != size => return Err(ZipError::Damaged(name)),
            0 => Method::Stored { left: size },
            8 => Method::Deflate {
                decompress: Box::new(Decompress::new(false)),
                done: false,
            },
            _ => return refuse("a compression method other than deflate"),
        };
        Ok(Current {
            name,
            method,
            crc: crc32fast::Hasher::new(),
            compressed: 0,
            size: 0,
            stated: (!described_after).then_some((crc, compressed, size)),
            zip64,
        })
    }

    fn inflate(&mut self, out: &mut [u8]) -> Result<usize, ZipError> {
        let Some(current) = self.current.as_mut() else {
            return Ok(0);
        };
        let made = match &mut current.method {
            Method::Stored { left } => {
                let want = usize::try_from(*left).unwrap_or(usize::MAX).min(out.len());
                if want == 0 {
                    0
                } else {
                    let count = self.input.read(&mut out[..want]).map_err(ZipError::from_io)?;
                    if count == 0 {
                        return Err(ZipError::Truncated);
                    }
                    *left -= count as u64;
                    current.compressed += count as u64;
                    count
                }
            }
            Method::Deflate { done: true, .. } => 0,
            Method::Deflate { decompress, done } => loop {
                let input = self.input.fill_buf().map_err(ZipError::from_io)?;
                if input.is_empty() {
                    return Err(ZipError::Truncated);
                }
                let (before_in, before_out) = (decompress.total_in(), decompress.total_out());
                let status = decompress
                    .decompress(input, out, FlushDecompress::None)
                    .map_err(|_| ZipError::Malformed("deflate data"))?;
                let taken = usize::try_from(decompress.total_in() - before_in).unwrap_or(0);
                let made = usize::try_from(decompress.total_out() - before_out).unwrap_or(0);
                self.input.consume(taken);
                current.compressed = decompress.total_in();
                *done = status == Status::StreamEnd;
                if made > 0 || *done {
                    break made;
                }
                if taken == 0 {
                    return Err(ZipError::Malformed("deflate data"));
                }
            },
        };
        current.crc.update(&out[..made]);
        current.size += made as u64;
        self.total = self.total.saturating_add(made as u64);
        if self.total > self.limits.total_bytes {
            return Err(ZipError::Limit("bytes after decompression"));
        }
        if made == 0 {
            self.end_entry()?;
        }
        Ok(made)
    }

    fn end_entry(&mut self) -> Result<(), ZipError> {
        let Some(current) = self.current.take() else {
            return Ok(());
        };
        let stated = match current.stated {
            Some(stated) => stated,
            None => self.descriptor(&current)?,
        };
        if stated == (current.crc.finalize(), current.compressed, current.size) {
            Ok(())
        } else {
            Err(ZipError::Damaged(current.name))
        }
    }

    /// CRC and sizes behind a deflated entry. The signature is optional, the width depends on the sizes.
    fn descriptor(&mut self, current: &Current) -> Result<(u32, u64, u64), ZipError> {
        let first = self.u32()?;
        let crc = if first == DESCRIPTOR { self.u32()? } else { first };
        if current.zip64 || current.compressed > MAX_32 || current.size > MAX_32 {
            Ok((crc, self.u64()?, self.u64()?))
        } else {
            Ok((crc, u64::from(self.u32()?), u64::from(self.u32()?)))
        }
    }

    /// Reads the directory, whose first signature has been read, to the end of the input.
    fn directory(&mut self, first: u32) -> Result<(), ZipError> {
        let mut unseen = std::mem::take(&mut self.names);
        let mut signature = first;
        loop {
            match signature {
                CENTRAL => {
                    self.skip(24)?;
                    let name_length = self.u16()?;
                    let extra_length = self.u16()?;
                    let comment_length = self.u16()?;
                    self.skip(12)?;
                    let name = self.name(name_length)?;
                    self.skip(u64::from(extra_length) + u64::from(comment_length))?;
                    if !unseen.remove(&name) {
                        return Err(ZipError::DirectoryMismatch);
                    }
                }
                END_64 => {
                    let length = self.u64()?;
                    if length > 64 * 1024 {
                        return Err(ZipError::Malformed("the zip64 end record"));
                    }
                    self.skip(length)?;
                }
                LOCATOR_64 => self.skip(16)?,
                END => {
                    self.skip(16)?;
                    let comment_length = self.u16()?;
                    self.skip(u64::from(comment_length))?;
                    break;
                }
                _ => return Err(ZipError::Malformed("the directory")),
            }
            signature = self.u32()?;
        }
        if !unseen.is_empty() {
            return Err(ZipError::DirectoryMismatch);
        }
        if !self.input.fill_buf().map_err(ZipError::from_io)?.is_empty() {
            return Err(ZipError::Malformed("data behind its end"));
        }
        Ok(())
    }

    fn name(&mut self, length: u16) -> Result<String, ZipError> {
        let length = usize::from(length);
        if length == 0 || length > self.limits.name_bytes {
            return Err(ZipError::BadName(format!("a name of {length} bytes")));
        }
        // Java decodes as UTF-8 whether bit 11 is set or not, and so do we; ASCII is the same in every encoding.
        let name = String::from_utf8(self.bytes(length)?).map_err(|_| ZipError::BadName("not UTF-8".to_owned()))?;
        if name.chars().all(super::is_xml_text) {
            Ok(name)
        } else {
            Err(ZipError::BadName(name.escape_debug().take(200).collect()))
        }
    }

    fn bytes(&mut self, length: usize) -> Result<Vec<u8>, ZipError> {
        let mut bytes = vec![0u8; length];
        self.input.read_exact(&mut bytes).map_err(ZipError::from_io)?;
        Ok(bytes)
    }

    fn skip(&mut self, length: u64) -> Result<(), ZipError> {
        let skipped = io::copy(&mut self.input.by_ref().take(length), &mut io::sink()).map_err(ZipError::from_io)?;
        if skipped < length {
            Err(ZipError::Truncated)
        } else {
            Ok(())
        }
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], ZipError> {
        let mut bytes = [0u8; N];
        self.input.read_exact(&mut bytes).map_err(ZipError::from_io)?;
        Ok(bytes)
    }

    fn u16(&mut self) -> Result<u16, ZipError> {
        self.array().map(u16::from_le_bytes)
    }

    fn u32(&mut self) -> Result<u32, ZipError> {
        self.array().map(u32::from_le_bytes)
    }

    fn u64(&mut self) -> Result<u64, ZipError> {
        self.array().map(u64::from_le_bytes)
    }
}

impl<R: Read> Read for ZipStream<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        Ok(self.read_entry(out)?)
    }
}

impl<R: Read> std::fmt::Debug for ZipStream<R> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ZipStream")
            .field("entries", &self.names.len())
            .finish_non_exhaustive()
    }
}

/// Takes the sizes from a zip64 extra field where the header has none. Says whether there is such a field.
fn zip64_sizes(mut extra: &[u8], size: &mut u64, compressed: &mut u64) -> Result<bool, ZipError> {
    let broken = || ZipError::Malformed("an extra field");
    while extra.len() >= 4 {
        let kind = u16::from_le_bytes([extra[0], extra[1]]);
        let length = usize::from(u16::from_le_bytes([extra[2], extra[3]]));
        let value = extra.get(4..4 + length).ok_or_else(broken)?;
        if kind == 1 {
            let mut numbers = value.chunks_exact(8).map(|c| c.try_into().map(u64::from_le_bytes));
            for field in [size, compressed] {
                if *field == MAX_32 {
                    *field = numbers.next().and_then(Result::ok).ok_or_else(broken)?;
                }
            }
            return Ok(true);
        }
        extra = &extra[4 + length..];
    }
    Ok(false)
}
