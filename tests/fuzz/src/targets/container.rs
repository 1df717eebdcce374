//! Any files, packed, sealed, opened and unpacked. Input: for each file a name, a line break, its content, a zero byte.

use std::io::{Cursor, Read as _, Write as _};

use budstikke_message::asic::{AsicError, AsicLimits, AsicReader, AsicWriter, ZipError, ZipFiles, ZipLimits};
use budstikke_message::cms::{ContentCipher, EnvelopeReader, EnvelopeWriter, KeyTransport};
use budstikke_message::file_name::FileName;
use budstikke_message::mime::by_extension;

use super::identity::{IDENTITY, MOMENT};
use crate::bytes::split;

/// Bytes after decompression.
const TOTAL: u64 = 1024 * 1024;

pub(super) fn check(input: &[u8]) {
    let files: Vec<(&str, &[u8])> = input
        .split(|byte| *byte == 0)
        .take(20)
        .filter_map(|file| {
            let (name, content) = split(file, b'\n');
            Some((std::str::from_utf8(name).ok()?, content))
        })
        .collect();
    let mut writer = AsicWriter::new(Vec::new()).unwrap();
    let mut packed: Vec<(String, Vec<u8>)> = Vec::new();
    for (name, content) in files {
        // What the API takes must go in.
        if FileName::parse(name).is_err() || packed.iter().any(|(other, _)| other == name) {
            continue;
        }
        let added = writer.add(name, by_extension(name), &mut &content[..]);
        assert_eq!(
            added.unwrap_or_else(|error| panic!("{name:?}: {error}")),
            content.len() as u64
        );
        packed.push((name.to_owned(), content.to_vec()));
    }
    let container = writer.finish_at(&IDENTITY, *MOMENT).unwrap();
    assert_eq!(opened(&sealed(&container)), container);
    assert_eq!(unpacked(&container).unwrap(), packed);
    assert_eq!(by_directory(&container).unwrap(), packed);
}

fn unpacked(container: &[u8]) -> Result<Vec<(String, Vec<u8>)>, AsicError> {
    let mut reader = AsicReader::new(container, AsicLimits::of_total(TOTAL));
    let mut documents = Vec::new();
    while let Some(mut document) = reader.next_document()? {
        let (name, mut content) = (document.name().to_owned(), Vec::new());
        document.read_to_end(&mut content).map_err(AsicError::from_io)?;
        documents.push((name, content));
    }
    assert_eq!(reader.finish()?.documents.len(), documents.len());
    Ok(documents)
}

fn by_directory(container: &[u8]) -> Result<Vec<(String, Vec<u8>)>, ZipError> {
    let mut zip = ZipFiles::open(Cursor::new(container), ZipLimits::of_total(TOTAL))?;
    let names: Vec<String> = zip.files().iter().map(|file| file.name.clone()).collect();
    let mut documents = Vec::new();
    for name in names {
        if name != "mimetype" && !name.starts_with("META-INF/") {
            let mut content = Vec::new();
            zip.file(&name)?.read_to_end(&mut content).map_err(ZipError::from_io)?;
            documents.push((name, content));
        }
    }
    Ok(documents)
}

fn sealed(content: &[u8]) -> Vec<u8> {
    let (transport, cipher) = (KeyTransport::RsaOaepSha256, ContentCipher::Aes256Cbc);
    let mut writer = EnvelopeWriter::new(Vec::new(), IDENTITY.certificate(), transport, cipher).unwrap();
    writer.write_all(content).unwrap();
    writer.finish().unwrap()
}

fn opened(envelope: &[u8]) -> Vec<u8> {
    let mut content = Vec::new();
    EnvelopeReader::open(envelope, &IDENTITY)
        .unwrap()
        .read_to_end(&mut content)
        .unwrap();
    content
}
