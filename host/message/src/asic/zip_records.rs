//! The records of a zip as bytes (APPNOTE 6.3, 4.3), zip64 where a number needs it.

use jiff::Timestamp;
use jiff::tz::TimeZone;

pub(super) const LOCAL: u32 = 0x0403_4B50;
pub(super) const DESCRIPTOR: u32 = 0x0807_4B50;
pub(super) const CENTRAL: u32 = 0x0201_4B50;
pub(super) const END: u32 = 0x0605_4B50;
pub(super) const END_64: u32 = 0x0606_4B50;
pub(super) const LOCATOR_64: u32 = 0x0706_4B50;

pub(super) const FLAG_DESCRIPTOR: u16 = 1 << 3;
pub(super) const FLAG_UTF8: u16 = 1 << 11;
/// Where the container says that it was made: Debian's unzip turns æ, ø and å into something else when it is FAT, whatever
/// the flag for UTF-8 says.
const MADE_ON_UNIX: u16 = 3 << 8;
/// `-rw-r--r--`, the external attributes of a file there.
const PLAIN_FILE: u32 = 0o100_644 << 16;
pub(super) const STORED: u16 = 0;
pub(super) const DEFLATED: u16 = 8;
const VERSION_DEFLATE: u16 = 20;
const VERSION_ZIP64: u16 = 45;
pub(super) const MAX_32: u64 = 0xFFFF_FFFF;

/// What local header, descriptor and directory say of one entry.
pub(super) struct Entry {
    pub(super) name: String,
    pub(super) comment: &'static str,
    pub(super) method: u16,
    pub(super) flags: u16,
    pub(super) dos_time: u32,
    pub(super) crc: u32,
    pub(super) compressed: u64,
    pub(super) size: u64,
    pub(super) offset: u64,
}

impl Entry {
    /// The header before the content. Sizes that only the descriptor will tell stand as zero.
    pub(super) fn local_header(&self) -> Vec<u8> {
        let mut extra = Vec::new();
        if self.size >= MAX_32 {
            put16(&mut extra, 1);
            put16(&mut extra, 16);
            put64(&mut extra, self.size);
            put64(&mut extra, self.compressed);
        }
        let mut record = Vec::with_capacity(64 + self.name.len());
        put32(&mut record, LOCAL);
        put16(
            &mut record,
            if extra.is_empty() {
                VERSION_DEFLATE
            } else {
                VERSION_ZIP64
            },
        );
        put16(&mut record, self.flags);
        put16(&mut record, self.method);
        put32(&mut record, self.dos_time);
        put32(&mut record, self.crc);
        put32(&mut record, clamp32(self.compressed));
        put32(&mut record, clamp32(self.size));
        put16(&mut record, clamp16(self.name.len() as u64));
        put16(&mut record, clamp16(extra.len() as u64));
        record.extend_from_slice(self.name.as_bytes());
        record.extend_from_slice(&extra);
        record
    }

    /// CRC and sizes behind the content. As Java: eight bytes a size only where four do not do, for its reader
    /// goes by the bytes that it has counted.
    pub(super) fn descriptor(&self) -> Vec<u8> {
        let mut record = Vec::with_capacity(24);
        put32(&mut record, DESCRIPTOR);
        put32(&mut record, self.crc);
        if self.compressed > MAX_32 || self.size > MAX_32 {
            put64(&mut record, self.compressed);
            put64(&mut record, self.size);
        } else {
            put32(&mut record, clamp32(self.compressed));
            put32(&mut record, clamp32(self.size));
        }
        record
    }

    pub(super) fn central_header(&self) -> Vec<u8> {
        let mut large = Vec::new();
        for value in [self.size, self.compressed, self.offset] {
            if value >= MAX_32 {
                put64(&mut large, value);
            }
        }
        let mut extra = Vec::new();
        let mut version = VERSION_DEFLATE;
        if !large.is_empty() {
            version = VERSION_ZIP64;
            put16(&mut extra, 1);
            put16(&mut extra, clamp16(large.len() as u64));
            extra.extend_from_slice(&large);
        }
        let mut record = Vec::with_capacity(80 + self.name.len());
        put32(&mut record, CENTRAL);
        put16(&mut record, MADE_ON_UNIX | version);
        put16(&mut record, version);
        put16(&mut record, self.flags);
        put16(&mut record, self.method);
        put32(&mut record, self.dos_time);
        put32(&mut record, self.crc);
        put32(&mut record, clamp32(self.compressed));
        put32(&mut record, clamp32(self.size));
        put16(&mut record, clamp16(self.name.len() as u64));
        put16(&mut record, clamp16(extra.len() as u64));
        put16(&mut record, clamp16(self.comment.len() as u64));
        // Disk number and internal attributes.
        record.extend_from_slice(&[0; 4]);
        put32(&mut record, PLAIN_FILE);
        put32(&mut record, clamp32(self.offset));
        record.extend_from_slice(self.name.as_bytes());
        record.extend_from_slice(&extra);
        record.extend_from_slice(self.comment.as_bytes());
        record
    }
}

/// The records behind the directory, which has `count` headers in the bytes from `start` to `end`.
pub(super) fn end_records(count: usize, start: u64, end: u64, comment: &str) -> Vec<u8> {
    let (count, length) = (count as u64, end - start);
    let mut records = Vec::new();
    if start >= MAX_32 || length >= MAX_32 {
        put_end_64(&mut records, count, start, end);
    }
    put_end(&mut records, count, length, start, comment);
    records
}

/// The same in zip64, where the last record leaves every number to the large one.
pub(super) fn end_records_64(count: u64, start: u64, end: u64) -> Vec<u8> {
    let mut records = Vec::new();
    put_end_64(&mut records, count, start, end);
    put_end(&mut records, u64::MAX, u64::MAX, u64::MAX, "");
    records
}

fn put_end_64(records: &mut Vec<u8>, count: u64, start: u64, end: u64) {
    put32(records, END_64);
    put64(records, 44);
    put16(records, VERSION_ZIP64);
    put16(records, VERSION_ZIP64);
    put64(records, 0);
    put64(records, count);
    put64(records, count);
    put64(records, end - start);
    put64(records, start);
    put32(records, LOCATOR_64);
    put32(records, 0);
    put64(records, end);
    put32(records, 1);
}

fn put_end(records: &mut Vec<u8>, count: u64, length: u64, start: u64, comment: &str) {
    put32(records, END);
    put32(records, 0);
    put16(records, clamp16(count));
    put16(records, clamp16(count));
    put32(records, clamp32(length));
    put32(records, clamp32(start));
    put16(records, clamp16(comment.len() as u64));
    records.extend_from_slice(comment.as_bytes());
}

/// Date and time of MS-DOS, two-second steps, years 1980 to 2107.
pub(super) fn dos_time(at: Timestamp) -> u32 {
    let at = at.to_zoned(TimeZone::UTC);
    let part = |value: i8| u32::from(value.unsigned_abs());
    let year = u32::from(at.year().clamp(1980, 2107).unsigned_abs()) - 1980;
    let date = (year << 9) | (part(at.month()) << 5) | part(at.day());
    let time = (part(at.hour()) << 11) | (part(at.minute()) << 5) | (part(at.second()) / 2);
    (date << 16) | time
}

fn clamp16(value: u64) -> u16 {
    u16::try_from(value).unwrap_or(u16::MAX)
}

fn clamp32(value: u64) -> u32 {
    u32::try_from(value).unwrap_or(u32::MAX)
}

fn put16(out: &mut Vec<u8>, value: u16) {
    out.extend_from_slice(&value.to_le_bytes());
}

fn put32(out: &mut Vec<u8>, value: u32) {
    out.extend_from_slice(&value.to_le_bytes());
}

fn put64(out: &mut Vec<u8>, value: u64) {
    out.extend_from_slice(&value.to_le_bytes());
}
