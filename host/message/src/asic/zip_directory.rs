//! Finds and checks the directory of a zip in a file, before a library builds anything from it.

use std::io::{self, Read, Seek, SeekFrom};

use super::zip_records::{CENTRAL, END, END_64, LOCATOR_64, MAX_32, end_records_64};
use super::{ZipError, ZipLimits};

/// End record without its comment, bytes.
const END_LENGTH: usize = 22;
/// Where an end record may begin, counted from the end of the file: the longest comment lies behind it.
const END_REACH: u64 = END_LENGTH as u64 + 0xFFFF;
const LOCATOR_LENGTH: u64 = 20;
const END_64_LENGTH: u64 = 56;
const HEADER_LENGTH: usize = 46;
/// Most extra fields of one entry. Each takes four bytes in the zip but many times that in the library's memory.
const EXTRA_FIELDS: usize = 16;
const NO_END: ZipError = ZipError::Malformed("its end record");
const BROKEN: ZipError = ZipError::Malformed("its directory");

/// What an end record says.
#[derive(Clone, Copy)]
struct End {
    entries: u64,
    size: u64,
    /// Where the directory is said to begin; less than where it does when something was put before the zip.
    offset: u64,
    /// Where the directory ends.
    at: u64,
}

/// A zip whose directory has been checked, to be read by a library: first the bytes of the file up to the directory,
/// then the directory from memory and end records written anew.
///
/// Why not the file itself: the library reserves memory by what an end record says, tries other records of the file
/// when it does not like one, and keeps whatever a directory holds. Here there is one record, which is true.
pub(super) struct CheckedZip<R> {
    inner: R,
    /// Where `inner` stands, if that is known.
    inner_at: Option<u64>,
    start: u64,
    tail: Vec<u8>,
    position: u64,
    before: u64,
}

impl<R: Read + Seek> CheckedZip<R> {
    /// Reads end record and directory, as Java does: the last record whose comment ends the file counts, and the
    /// directory lies right before it. Every header is looked at, and the directory must have just as many as stated.
    pub(super) fn new(mut inner: R, limits: &ZipLimits) -> Result<Self, ZipError> {
        let end = find_end(&mut inner)?;
        if end.entries > limits.entries as u64 {
            return Err(ZipError::Limit("number of entries"));
        }
        if end.size > limits.directory_bytes() {
            return Err(ZipError::Limit("size of the directory"));
        }
        let start = end.at.checked_sub(end.size).ok_or(BROKEN)?;
        let before = start.checked_sub(end.offset).ok_or(BROKEN)?;
        let mut tail = bytes_at(&mut inner, start, end.size)?;
        check_headers(&tail, end.entries, limits)?;
        tail.extend_from_slice(&end_records_64(end.entries, end.offset, end.at - before));
        Ok(Self {
            inner,
            inner_at: None,
            start,
            tail,
            position: 0,
            before,
        })
    }

    /// Bytes that were put before the zip; its own offsets do not count them.
    pub(super) fn before(&self) -> u64 {
        self.before
    }

    fn read_inner(&mut self, out: &mut [u8]) -> io::Result<usize> {
        if self.inner_at.take() != Some(self.position) {
            self.inner.seek(SeekFrom::Start(self.position))?;
        }
        let left = usize::try_from(self.start - self.position).unwrap_or(usize::MAX);
        let want = left.min(out.len());
        let count = self.inner.read(&mut out[..want])?;
        self.position += count as u64;
        self.inner_at = Some(self.position);
        Ok(count)
    }
}

impl<R: Read + Seek> Read for CheckedZip<R> {
    /// What fails below comes as a [`ZipError`], to tell it from what the library makes up itself.
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let Some(at) = self.position.checked_sub(self.start) else {
            return self.read_inner(out).map_err(|error| {
                let kind = error.kind();
                io::Error::new(kind, ZipError::from_io(error))
            });
        };
        let at = usize::try_from(at).unwrap_or(usize::MAX);
        let count = self.tail.get(at..).map_or(Ok(0), |mut rest| rest.read(out))?;
        self.position += count as u64;
        Ok(count)
    }
}

impl<R: Read + Seek> Seek for CheckedZip<R> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let at = match to {
            SeekFrom::Start(at) => Some(at),
            SeekFrom::End(by) => (self.start + self.tail.len() as u64).checked_add_signed(by),
            SeekFrom::Current(by) => self.position.checked_add_signed(by),
        };
        self.position = at.ok_or(io::ErrorKind::InvalidInput)?;
        Ok(self.position)
    }
}

fn find_end(inner: &mut (impl Read + Seek)) -> Result<End, ZipError> {
    let length = inner.seek(SeekFrom::End(0)).map_err(ZipError::from_io)?;
    let reach = length.min(END_REACH);
    let last = bytes_at(inner, length - reach, reach)?;
    let found = last.windows(END_LENGTH).enumerate().rev().find(|(at, record)| {
        let comment = last.len() - at - END_LENGTH;
        u32_of(record, 0) == END && usize::from(u16_of(record, 20)) == comment
    });
    let (at, record) = found.ok_or(NO_END)?;
    let at = length - reach + at as u64;
    let end = End {
        entries: u64::from(u16_of(record, 10)),
        size: u64::from(u32_of(record, 12)),
        offset: u64::from(u32_of(record, 16)),
        at,
    };
    if let Some(large) = find_end_64(inner, &end)? {
        return Ok(large);
    }
    one_disk(&[u16_of(record, 4), u16_of(record, 6)])?;
    if u16_of(record, 8) == u16_of(record, 10) {
        Ok(end)
    } else {
        Err(ZipError::Malformed("parts of it are on other disks"))
    }
}

/// The zip64 record, if a locator before the end record leads to one that ends where the locator begins. Without such
/// a record the end record counts as it is: 65 535 entries need none. Where both state a number they must agree.
fn find_end_64(inner: &mut (impl Read + Seek), end: &End) -> Result<Option<End>, ZipError> {
    let Some(locator_at) = end.at.checked_sub(LOCATOR_LENGTH) else {
        return Ok(None);
    };
    let locator = bytes_at(inner, locator_at, LOCATOR_LENGTH)?;
    if u32_of(&locator, 0) != LOCATOR_64 {
        return Ok(None);
    }
    let at = u64_of(&locator, 8);
    if at.checked_add(END_64_LENGTH).is_none_or(|least| least > locator_at) {
        return Ok(None);
    }
    let record = bytes_at(inner, at, END_64_LENGTH)?;
    // The length stated leaves out itself and the signature.
    if u32_of(&record, 0) != END_64 || u64_of(&record, 4) != locator_at - at - 12 {
        return Ok(None);
    }
    let large = End {
        entries: u64_of(&record, 32),
        size: u64_of(&record, 40),
        offset: u64_of(&record, 48),
        at,
    };
    one_disk(&[u32_of(&record, 16), u32_of(&record, 20)])?;
    let agree = |small: u64, unknown: u64, large: u64| small == unknown || small == large;
    let agreed = agree(end.entries, 0xFFFF, large.entries)
        && agree(end.size, MAX_32, large.size)
        && agree(end.offset, MAX_32, large.offset)
        && u64_of(&record, 24) == large.entries;
    if agreed { Ok(Some(large)) } else { Err(NO_END) }
}

fn one_disk<T: Copy + Into<u32>>(disks: &[T]) -> Result<(), ZipError> {
    if disks.iter().all(|disk| (*disk).into() == 0) {
        Ok(())
    } else {
        Err(ZipError::Malformed("parts of it are on other disks"))
    }
}

fn check_headers(mut rest: &[u8], entries: u64, limits: &ZipLimits) -> Result<(), ZipError> {
    let mut count = 0u64;
    while !rest.is_empty() {
        let header = rest.get(..HEADER_LENGTH).ok_or(BROKEN)?;
        if u32_of(header, 0) != CENTRAL {
            return Err(BROKEN);
        }
        let [name, extra, comment] = [28, 30, 32].map(|at| usize::from(u16_of(header, at)));
        if name > limits.name_bytes {
            return Err(ZipError::BadName(format!("a name of {name} bytes")));
        }
        let extra_at = HEADER_LENGTH + name;
        let extras = rest.get(extra_at..extra_at + extra).ok_or(BROKEN)?;
        if count_extra_fields(extras) > EXTRA_FIELDS {
            return Err(ZipError::Limit("extra fields of an entry"));
        }
        rest = rest.get(extra_at + extra + comment..).ok_or(BROKEN)?;
        count += 1;
    }
    if count == entries { Ok(()) } else { Err(BROKEN) }
}

fn count_extra_fields(mut extras: &[u8]) -> usize {
    let mut count = 0;
    while extras.len() >= 4 {
        let length = usize::from(u16_of(extras, 2));
        extras = extras.get(4 + length..).unwrap_or_default();
        count += 1;
    }
    count
}

/// Grows with the bytes that are there, not with the number asked for.
fn bytes_at(inner: &mut (impl Read + Seek), at: u64, count: u64) -> Result<Vec<u8>, ZipError> {
    inner.seek(SeekFrom::Start(at)).map_err(ZipError::from_io)?;
    let mut bytes = Vec::new();
    inner.take(count).read_to_end(&mut bytes).map_err(ZipError::from_io)?;
    if bytes.len() as u64 == count {
        Ok(bytes)
    } else {
        Err(ZipError::Truncated)
    }
}

/// Little-endian number at a place that the caller knows to be there.
fn number_of<const N: usize>(bytes: &[u8], at: usize) -> [u8; N] {
    bytes.get(at..).and_then(|b| b.first_chunk()).copied().unwrap_or([0; N])
}

fn u16_of(bytes: &[u8], at: usize) -> u16 {
    u16::from_le_bytes(number_of(bytes, at))
}

fn u32_of(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes(number_of(bytes, at))
}

fn u64_of(bytes: &[u8], at: usize) -> u64 {
    u64::from_le_bytes(number_of(bytes, at))
}
