//! Plain zips: writer, streaming reader and random access.

use std::fs;
use std::io::{Cursor, Read, Seek, SeekFrom, Write};

use crate::asic::{Compression, ZipError, ZipFiles, ZipLimits, ZipStream, ZipWriter};
use crate::keystore::testing::{SIZES, approved, payload};

const LIMITS: u64 = 64 * 1024 * 1024;

fn stream_all(zip: &[u8]) -> Result<Vec<(String, Vec<u8>)>, ZipError> {
    let mut stream = ZipStream::new(zip, ZipLimits::of_total(LIMITS));
    let mut entries = Vec::new();
    while let Some(name) = stream.next_entry()? {
        let mut content = Vec::new();
        stream.read_to_end(&mut content).map_err(ZipError::from_io)?;
        entries.push((name, content));
    }
    Ok(entries)
}

/// One entry of each kind.
fn sample(content: &[u8]) -> Vec<u8> {
    let mut zip = ZipWriter::new(Vec::new());
    zip.stored("stored", content).unwrap();
    zip.deflated("deflated", Compression::Deflate, &mut &content[..])
        .unwrap();
    zip.deflated("blocks", Compression::None, &mut &content[..]).unwrap();
    zip.stored_stream(
        "known",
        content.len() as u64,
        crc32fast::hash(content),
        &mut &content[..],
    )
    .unwrap();
    let mut entry = zip.start("pushed", Compression::None).unwrap();
    for piece in content.chunks(10_000) {
        entry.write_all(piece).unwrap();
    }
    assert_eq!(entry.finish().unwrap(), content.len() as u64);
    zip.finish("").unwrap()
}

#[test]
fn every_size_comes_back_by_stream_by_name_and_from_unzip() {
    let folder = tempfile::tempdir().unwrap();
    for size in SIZES {
        let content = payload(size);
        let bytes = sample(&content);
        let entries = stream_all(&bytes).unwrap();
        assert_eq!(entries.len(), 5);
        assert!(entries.iter().all(|(_, c)| *c == content), "{size} bytes");

        let mut files = ZipFiles::open(Cursor::new(&bytes), ZipLimits::of_total(LIMITS)).unwrap();
        assert!(files.files().iter().all(|f| f.size == size as u64));
        for name in ["stored", "deflated", "blocks", "known", "pushed"] {
            let mut read = Vec::new();
            files.file(name).unwrap().read_to_end(&mut read).unwrap();
            assert!(read == content);
        }
        assert!(matches!(files.file("Stored").err(), Some(ZipError::NoEntry(_))));

        fs::write(folder.path().join("s.zip"), &bytes).unwrap();
        approved(folder.path(), "unzip", &["-t", "s.zip"]);
        for name in ["stored", "pushed"] {
            assert!(approved(folder.path(), "unzip", &["-p", "s.zip", name]) == content);
        }
        let script = "import zipfile; assert zipfile.ZipFile('s.zip').testzip() is None";
        approved(folder.path(), "python3", &["-c", script]);
    }
}

#[test]
fn encrypted_content_is_not_blown_up_by_packing() {
    let content = payload(1_000_000);
    let mut zip = ZipWriter::new(Vec::new());
    zip.deflated("a", Compression::None, &mut content.as_slice()).unwrap();
    let length = zip.finish("").unwrap().len();
    assert!(length > content.len() && length < content.len() + 1000, "{length}");
}

#[test]
fn what_other_tools_zip_is_read() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    fs::write(folder.join("æ.bin"), payload(100_000)).unwrap();
    fs::write(folder.join("tom"), b"").unwrap();
    approved(folder, "python3", &["-m", "zipfile", "-c", "p.zip", "æ.bin", "tom"]);
    let entries = stream_all(&fs::read(folder.join("p.zip")).unwrap()).unwrap();
    assert_eq!(
        entries,
        [("æ.bin".to_owned(), payload(100_000)), ("tom".to_owned(), Vec::new())]
    );
}

#[test]
fn zip64_sizes_in_the_local_header_are_read() {
    let folder = tempfile::tempdir().unwrap();
    let script = "import zipfile\nz=zipfile.ZipFile('z.zip','w',zipfile.ZIP_STORED)\n\
                  f=z.open('a','w',force_zip64=True); f.write(b'hei'*1000); f.close(); z.close()\n\
                  class P:\n def __init__(s): s.f=open('d.zip','wb')\n def write(s,b): return s.f.write(b)\n \
                  def flush(s): s.f.flush()\n\
                  z=zipfile.ZipFile(P(),'w',zipfile.ZIP_DEFLATED)\n\
                  f=z.open('a','w',force_zip64=True); f.write(b'hei'*1000); f.close(); z.close()";
    approved(folder.path(), "python3", &["-c", script]);
    for name in ["z.zip", "d.zip"] {
        let bytes = fs::read(folder.path().join(name)).unwrap();
        assert_eq!(
            stream_all(&bytes).unwrap(),
            [("a".to_owned(), b"hei".repeat(1000))],
            "{name}"
        );
    }
}

#[test]
fn what_a_streaming_reader_cannot_take_is_refused_by_name() {
    let refuse = |bytes: &[u8]| match stream_all(bytes) {
        Err(ZipError::Unsupported { entry, .. }) => assert_eq!(entry, "a"),
        other => panic!("{other:?}"),
    };
    let mut zip = ZipWriter::new(Vec::new());
    zip.stored("a", b"hei").unwrap();
    let good = zip.finish("").unwrap();
    for (at, bits) in [(6usize, 0x08u8), (6, 0x01), (8, 0x0C), (4, 0x30)] {
        let mut altered = good.clone();
        altered[at] |= bits;
        refuse(&altered);
    }
}

#[test]
fn a_wrong_checksum_or_size_is_damage() {
    let mut zip = ZipWriter::new(Vec::new());
    zip.stored("a", b"hei").unwrap();
    let mut bytes = zip.finish("").unwrap();
    bytes[14] ^= 1;
    assert!(matches!(stream_all(&bytes), Err(ZipError::Damaged(name)) if name == "a"));

    let mut zip = ZipWriter::new(Vec::new());
    for (size, crc) in [(2, crc32fast::hash(b"hei")), (4, crc32fast::hash(b"hei")), (3, 0)] {
        let result = ZipWriter::new(Vec::new()).stored_stream("a", size, crc, &mut &b"hei"[..]);
        assert!(matches!(result, Err(ZipError::Damaged(_))), "{size}");
    }
    drop(zip.start("a", Compression::Deflate).unwrap());
    assert!(matches!(zip.finish(""), Err(ZipError::Unfinished)));
}

#[test]
fn a_directory_that_names_other_entries_is_refused() {
    let mut zip = ZipWriter::new(Vec::new());
    zip.stored("abc", b"hei").unwrap();
    let mut bytes = zip.finish("").unwrap();
    let at = bytes.windows(3).rposition(|w| w == b"abc").unwrap();
    bytes[at] = b'X';
    assert!(matches!(stream_all(&bytes), Err(ZipError::DirectoryMismatch)));
}

#[test]
fn two_entries_of_one_name_are_refused_in_a_stream() {
    let mut zip = ZipWriter::new(Vec::new());
    zip.stored("a", b"1").unwrap();
    assert!(matches!(zip.stored("a", b"2"), Err(ZipError::Duplicate(_))));
    let mut zip = ZipWriter::new(Vec::new());
    zip.stored("a", b"1").unwrap();
    zip.stored("b", b"2").unwrap();
    let mut bytes = zip.finish("").unwrap();
    for at in 0..bytes.len() - 1 {
        if bytes[at] == b'b' && (at == 62 || at > 64) {
            bytes[at] = b'a';
        }
    }
    assert!(matches!(stream_all(&bytes), Err(ZipError::Duplicate(_))));
    let mut files = ZipFiles::open(Cursor::new(&bytes), ZipLimits::of_total(LIMITS)).unwrap();
    assert_eq!(files.files().len(), 1, "by name there is one only");
    let mut read = Vec::new();
    files.file("a").unwrap().read_to_end(&mut read).unwrap();
    assert_eq!(read, b"2");
}

/// Leaves holes in the file where there are zeros, so that the test does not need the disk space.
struct Sparse {
    file: fs::File,
    length: u64,
}

impl Write for Sparse {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        if bytes.iter().all(|b| *b == 0) {
            self.file.seek(SeekFrom::Current(i64::try_from(bytes.len()).unwrap()))?;
        } else {
            self.file.write_all(bytes)?;
        }
        self.length += bytes.len() as u64;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.file.flush()
    }
}

#[test]
#[ignore = "handles 10 GiB; takes minutes without --release"]
fn more_than_four_gib_goes_through_in_zip64() {
    let folder = tempfile::tempdir().unwrap();
    let size = 5u64 << 30;
    let mut crc = crc32fast::Hasher::new();
    for _ in 0..size >> 20 {
        crc.update(&vec![0; 1 << 20]);
    }
    let file = fs::File::create(folder.path().join("large.zip")).unwrap();
    let mut zip = ZipWriter::new(Sparse { file, length: 0 });
    let zeros = || std::io::repeat(0).take(size);
    // The first has a large size, the second large sizes in its header, the third a large offset.
    assert_eq!(
        zip.deflated("deflated", Compression::Deflate, &mut zeros()).unwrap(),
        size
    );
    zip.stored_stream("stored", size, crc.finalize(), &mut zeros()).unwrap();
    zip.stored("after", b"hei").unwrap();
    let sparse = zip.finish("").unwrap();
    sparse.file.set_len(sparse.length).unwrap();

    let open = || std::io::BufReader::new(fs::File::open(folder.path().join("large.zip")).unwrap());
    let mut stream = ZipStream::new(open(), ZipLimits::of_total(11 << 30));
    let mut seen = Vec::new();
    while let Some(name) = stream.next_entry().unwrap() {
        seen.push((name, std::io::copy(&mut stream, &mut std::io::sink()).unwrap()));
    }
    assert_eq!(
        seen,
        [
            ("deflated".to_owned(), size),
            ("stored".to_owned(), size),
            ("after".to_owned(), 3)
        ]
    );
    let files = ZipFiles::open(open(), ZipLimits::of_total(11 << 30)).unwrap();
    assert_eq!(
        files.files().iter().map(|f| f.size).collect::<Vec<_>>(),
        [size, size, 3]
    );
    approved(folder.path(), "unzip", &["-t", "large.zip"]);
    let script = "import zipfile; z=zipfile.ZipFile('large.zip'); assert z.read('after')==b'hei'";
    approved(folder.path(), "python3", &["-c", script]);
}

#[test]
fn norwegian_names_stay_what_they_are_in_debians_unzip() {
    let folder = tempfile::tempdir().unwrap();
    let name = "Svar på søknad om særskilt løyve.txt";
    let mut zip = ZipWriter::new(Vec::new());
    zip.stored(name, b"innhald").unwrap();
    fs::write(folder.path().join("n.zip"), zip.finish("").unwrap()).unwrap();
    approved(folder.path(), "env", &["LC_ALL=C.UTF-8", "unzip", "-q", "n.zip"]);
    assert_eq!(fs::read(folder.path().join(name)).unwrap(), b"innhald");
}
