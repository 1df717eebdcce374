//! Directories and end records of zips that are opened for random access: honest, forged and lying.

use std::cell::Cell;
use std::fs;
use std::io::{self, Cursor, Read, Seek, SeekFrom};
use std::ops::Range;
use std::rc::Rc;

use super::container::raw;
use crate::asic::zip_records::{Entry, STORED, end_records, end_records_64};
use crate::asic::{Compression, ZipError, ZipFiles, ZipLimits, ZipWriter};
use crate::keystore::testing::{approved, payload};

const LIMITS: u64 = 64 * 1024 * 1024;
const MANY: u64 = 20_000_000;

/// Header of an empty entry `a`, stored, at the beginning of the zip.
fn header() -> Vec<u8> {
    let mut header = vec![0; 47];
    header[..4].copy_from_slice(b"PK\x01\x02");
    header[28] = 1;
    header[46] = b'a';
    header
}

fn end_record(count: u16, size: u32, offset: u32, comment: u16) -> Vec<u8> {
    let mut record = b"PK\x05\x06\0\0\0\0".to_vec();
    record.extend_from_slice(&count.to_le_bytes());
    record.extend_from_slice(&count.to_le_bytes());
    record.extend_from_slice(&size.to_le_bytes());
    record.extend_from_slice(&offset.to_le_bytes());
    record.extend_from_slice(&comment.to_le_bytes());
    record
}

/// A file of a gigabyte that takes no room: headers without end, then `tail`. Counts what is read.
struct Forged {
    headers: u64,
    tail: Vec<u8>,
    at: u64,
    read: Rc<Cell<u64>>,
}

impl Forged {
    /// The outcome, and the bytes that were read for it.
    fn open(tail: Vec<u8>, limits: ZipLimits) -> (Result<ZipFiles<Self>, ZipError>, u64) {
        let read = Rc::new(Cell::new(0));
        let forged = Self {
            headers: MANY * 47,
            tail,
            at: 0,
            read: Rc::clone(&read),
        };
        (ZipFiles::open(forged, limits), read.get())
    }
}

impl Read for Forged {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let header = header();
        let mut count = 0;
        for byte in out {
            *byte = if self.at < self.headers {
                header[usize::try_from(self.at % 47).unwrap()]
            } else if let Some(byte) = self.tail.get(usize::try_from(self.at - self.headers).unwrap()) {
                *byte
            } else {
                break;
            };
            self.at += 1;
            count += 1;
        }
        self.read.set(self.read.get() + count as u64);
        Ok(count)
    }
}

impl Seek for Forged {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.at = match to {
            SeekFrom::Start(at) => Some(at),
            SeekFrom::End(by) => (self.headers + self.tail.len() as u64).checked_add_signed(by),
            SeekFrom::Current(by) => self.at.checked_add_signed(by),
        }
        .unwrap();
        Ok(self.at)
    }
}

fn limits() -> ZipLimits {
    ZipLimits::of_total(LIMITS).with_entries(1000)
}

fn open(bytes: &[u8]) -> Result<ZipFiles<Cursor<Vec<u8>>>, ZipError> {
    ZipFiles::open(Cursor::new(bytes.to_vec()), limits())
}

fn content(files: &mut ZipFiles<Cursor<Vec<u8>>>, name: &str) -> Vec<u8> {
    let mut content = Vec::new();
    files.file(name).unwrap().read_to_end(&mut content).unwrap();
    content
}

/// A zip of `a` and `b`, and where its directory and its end record begin.
fn honest() -> (Vec<u8>, u64, u64) {
    let bytes = raw(&[("a", b"hei"), ("b", b"du")]);
    let end = bytes.len() - 22;
    let start = u32::from_le_bytes(bytes[end + 16..end + 20].try_into().unwrap());
    (bytes, u64::from(start), end as u64)
}

#[test]
fn a_directory_of_twenty_million_entries_is_refused_by_what_its_record_says() {
    let honest_64 = end_records_64(MANY, 0, MANY * 47);
    for limits in [limits(), ZipLimits::of_total(LIMITS)] {
        let (opened, read) = Forged::open(honest_64.clone(), limits);
        assert!(matches!(opened, Err(ZipError::Limit("number of entries"))));
        assert!(read < 70_000, "{read}");
    }
}

#[test]
fn a_record_that_lies_about_the_entries_is_refused_by_the_size_of_its_directory() {
    let size = u32::try_from(MANY * 47).unwrap();
    let mut tails = vec![end_records_64(1, 0, MANY * 47), end_records_64(0, 0, MANY * 47)];
    tails.extend([0, 1, 999].map(|count| end_record(count, size, 0, 0)));
    for tail in tails {
        let (opened, read) = Forged::open(tail, limits());
        assert!(matches!(opened, Err(ZipError::Limit("size of the directory"))));
        assert!(read < 70_000, "{read}");
    }
    let (opened, _) = Forged::open(end_record(0xFFFF, size, 0, 0), ZipLimits::of_total(LIMITS));
    assert!(matches!(opened, Err(ZipError::Limit("size of the directory"))));
}

#[test]
fn a_small_record_behind_a_large_one_hides_nothing() {
    // The last record is no good, and the one before it would cost gigabytes.
    let mut tail = end_records_64(MANY, 0, MANY * 47);
    let comment_at = tail.len() - 2;
    tail[comment_at..].copy_from_slice(&22u16.to_le_bytes());
    tail.extend(end_record(1, 47, 0, 0));
    let (opened, read) = Forged::open(tail.clone(), limits());
    assert!(matches!(opened, Err(ZipError::Malformed(_))));
    assert!(read < 70_000, "{read}");

    // The same with a last record that is good: nothing else counts.
    tail.truncate(tail.len() - 22);
    tail.extend(header());
    tail.extend(end_record(1, 47, 0, 0));
    let (opened, read) = Forged::open(tail, limits());
    assert_eq!(opened.unwrap().files().len(), 1);
    assert!(read < 70_000, "{read}");
}

#[test]
fn a_record_inside_the_comment_counts_only_if_it_ends_the_file() {
    let (honest, _, end) = honest();
    let with_comment = |comment: &[u8]| {
        let mut bytes = honest.clone();
        let length = u16::try_from(comment.len()).unwrap();
        bytes[usize::try_from(end).unwrap() + 20..].copy_from_slice(&length.to_le_bytes());
        bytes.extend_from_slice(comment);
        bytes
    };
    for fake in [
        end_record(999, 47 * 999, 0, 0),
        end_record(0, 0, 0, 500),
        end_records_64(MANY, 0, MANY * 47),
    ] {
        let mut comment = fake;
        comment.extend_from_slice(b" and more");
        let mut files = open(&with_comment(&comment)).unwrap();
        assert_eq!(content(&mut files, "a"), b"hei");
    }
    open(&with_comment(&vec![b'x'; 0xFFFF])).unwrap();
    assert!(matches!(
        open(&with_comment(&end_record(1001, 0, 0, 0))),
        Err(ZipError::Limit("number of entries"))
    ));
    assert!(matches!(
        open(&with_comment(&end_record(2, 98, 0, 0))),
        Err(ZipError::Malformed(_))
    ));
}

#[test]
fn a_directory_with_more_or_fewer_headers_than_stated_is_refused() {
    let (honest, start, end) = honest();
    let body = &honest[..usize::try_from(end).unwrap()];
    let size = u32::try_from(end - start).unwrap();
    let start = u32::try_from(start).unwrap();
    let with = |tail: Vec<u8>| open(&[body, tail.as_slice()].concat());
    with(end_record(2, size, start, 0)).unwrap();
    for (count, size, start) in [
        (1, size, start),
        (3, size, start),
        (2, size - 1, start),
        (2, size + 1, start),
        (2, size / 2, start),
        (2, size, start + 1),
        (2, u32::MAX - 1, 0),
        (0xFFFF, u32::MAX, u32::MAX),
    ] {
        assert!(
            with(end_record(count, size, start, 0)).is_err(),
            "{count} {size} {start}"
        );
    }
    assert!(with(b"x".to_vec()).is_err());
    assert!(with([end_record(2, size, start, 0), vec![0]].concat()).is_err());
}

#[test]
fn zip64_records_are_followed_and_must_agree() {
    let (honest, start, end) = honest();
    let body = &honest[..usize::try_from(end).unwrap()];
    let small = honest[usize::try_from(end).unwrap()..].to_vec();
    let large = end_records_64(2, start, end);
    let saturated = [body, large.as_slice()].concat();
    assert_eq!(content(&mut open(&saturated).unwrap(), "b"), b"du");

    // Both records in full, which some tools write.
    let both = [body, &large[..76], small.as_slice()].concat();
    assert_eq!(content(&mut open(&both).unwrap(), "b"), b"du");
    for (at, flip) in [(24, 1u8), (32, 3), (40, 1), (48, 1), (16, 1), (20, 1)] {
        let mut altered = both.clone();
        altered[body.len() + at] ^= flip;
        assert!(matches!(open(&altered), Err(ZipError::Malformed(_))), "{at}");
    }
    // A record that cannot be found or does not end at the locator: the small one does not fit then.
    for (at, flip) in [(0, 1u8), (4, 1), (11, 0xFF), (64, 1), (71, 0xFF)] {
        let mut altered = saturated.clone();
        altered[body.len() + at] ^= flip;
        assert!(open(&altered).is_err(), "{at}");
    }
}

#[test]
fn an_entry_behind_five_gigabytes_is_read() {
    let offset = 5u64 << 30;
    let entry = Entry {
        name: "a".to_owned(),
        comment: "",
        method: STORED,
        flags: 0,
        dos_time: 0,
        crc: crc32fast::hash(b"hei"),
        compressed: 3,
        size: 3,
        offset,
    };
    let mut tail = [entry.local_header().as_slice(), b"hei"].concat();
    let start = offset + tail.len() as u64;
    tail.extend(entry.central_header());
    tail.extend(end_records(1, start, offset + tail.len() as u64, "a comment"));
    let read = Rc::new(Cell::new(0));
    let forged = Forged {
        headers: offset,
        tail,
        at: 0,
        read: Rc::clone(&read),
    };
    let mut files = ZipFiles::open(forged, limits()).unwrap();
    let mut content = String::new();
    files.file("a").unwrap().read_to_string(&mut content).unwrap();
    assert_eq!(content, "hei");
    assert!(read.get() < 140_000, "{}", read.get());
}

#[test]
fn a_zip_behind_other_bytes_is_read() {
    let (honest, ..) = honest();
    let mut files = open(&[b"#!/bin/sh\n".as_slice(), &honest].concat()).unwrap();
    assert_eq!(content(&mut files, "a"), b"hei");
    assert_eq!(content(&mut files, "b"), b"du");
}

#[test]
fn headers_with_long_names_or_many_extra_fields_are_refused() {
    let with_extras = |count: u8| {
        let mut bytes = header();
        bytes[30] = 4 * count;
        bytes.extend((0..count).flat_map(|i| [i, 0x99, 0, 0]));
        let size = u32::try_from(bytes.len()).unwrap();
        bytes.extend(end_record(1, size, 0, 0));
        open(&bytes).map(|files| files.files().len())
    };
    assert_eq!(with_extras(16).unwrap(), 1);
    assert!(matches!(with_extras(17), Err(ZipError::Limit(_))));
    let name = "x".repeat(1024);
    let bytes = raw(&[(&name, b"")]);
    assert_eq!(open(&bytes).unwrap().files().len(), 1);
    let mut shorter = limits();
    shorter.name_bytes = 1023;
    let opened = ZipFiles::open(Cursor::new(bytes), shorter);
    assert!(matches!(opened, Err(ZipError::BadName(_))));
}

#[test]
fn zips_of_python_with_few_and_with_many_entries_open() {
    let folder = tempfile::tempdir().unwrap();
    let script = "import zipfile\n\
                  with zipfile.ZipFile('few.zip','w',zipfile.ZIP_DEFLATED) as z:\n z.writestr('æ.txt','hei'*1000)\n \
                  z.writestr('mappe/','')\n z.comment=b'PK\\5\\6 is no record'\n\
                  for n in (65535, 65536):\n with zipfile.ZipFile(f'{n}.zip','w') as z:\n  \
                  for i in range(n): z.writestr(str(i), '')\n";
    approved(folder.path(), "python3", &["-c", script]);
    let bytes = fs::read(folder.path().join("few.zip")).unwrap();
    let mut files = open(&bytes).unwrap();
    assert_eq!(files.files().len(), 1);
    assert_eq!(content(&mut files, "æ.txt"), b"hei".repeat(1000));

    let large = |name: &str, entries| {
        let bytes = fs::read(folder.path().join(name)).unwrap();
        let limits = ZipLimits::of_total(LIMITS).with_entries(entries);
        ZipFiles::open(Cursor::new(bytes), limits).map(|files| files.files().len())
    };
    assert_eq!(large("65535.zip", 65_535).unwrap(), 65_535);
    assert!(matches!(large("65536.zip", 65_535), Err(ZipError::Limit(_))));
    assert_eq!(large("65536.zip", 65_536).unwrap(), 65_536);
}

/// Fails to read from some places, as a disk does.
struct Failing {
    inner: Cursor<Vec<u8>>,
    at: Range<usize>,
}

impl Read for Failing {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        if self.at.contains(&usize::try_from(self.inner.position()).unwrap()) {
            return Err(io::Error::other("the disk is gone"));
        }
        let most = out.len().min(10_000);
        self.inner.read(&mut out[..most])
    }
}

impl Seek for Failing {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.inner.seek(to)
    }
}

#[test]
fn a_failing_disk_and_a_damaged_entry_are_told_apart() {
    let large = payload(500_000);
    let mut zip = ZipWriter::new(Vec::new());
    zip.stored("a", &large).unwrap();
    zip.deflated("b", Compression::None, &mut large.as_slice()).unwrap();
    let bytes = zip.finish("").unwrap();

    for (name, flip) in [("a", 100_000), ("b", 600_000), ("b", 500_100)] {
        let mut altered = bytes.clone();
        altered[flip] ^= 0xFF;
        let mut files = open(&altered).unwrap();
        let error = io::copy(&mut files.file(name).unwrap(), &mut io::sink()).unwrap_err();
        let error = ZipError::from_io(error);
        assert!(matches!(&error, ZipError::Damaged(entry) if entry == name), "{error:?}");
        assert!(!error.is_io());
    }

    let failing = |at| {
        let inner = Cursor::new(bytes.clone());
        ZipFiles::open(Failing { inner, at }, limits())
    };
    let error = failing(bytes.len() - 20_000..bytes.len()).unwrap_err();
    assert!(error.is_io(), "{error:?}");
    for (name, at) in [("a", 100_000..200_000), ("b", 600_000..700_000)] {
        let mut files = failing(at).unwrap();
        let error = io::copy(&mut files.file(name).unwrap(), &mut io::sink()).unwrap_err();
        let error = ZipError::from_io(error);
        assert!(error.is_io(), "{error:?}");
        assert!(error.to_string().contains("the disk is gone"));
    }
    let mut files = failing(0..20_000).unwrap();
    assert!(files.file("a").err().unwrap().is_io());
}
