//! A zip as it comes from a service: by its directory, and from front to back.

use std::collections::BTreeMap;
use std::io::{Cursor, Read};

use budstikke_message::asic::{ZipError, ZipFiles, ZipLimits, ZipStream};

use crate::bytes::Drop;

/// Bytes after decompression.
const TOTAL: u64 = 256 * 1024;
const ENTRIES: usize = 100;

type Contents = BTreeMap<String, Vec<u8>>;

pub(super) fn check(input: &[u8]) {
    let streamed = stream(input);
    assert_eq!(
        streamed.as_ref().ok(),
        stream(Drop(input)).as_ref().ok(),
        "one byte at a time"
    );
    let Ok(by_directory) = directory(input) else { return };
    if let Ok(streamed) = streamed {
        for (name, content) in &by_directory {
            assert_eq!(streamed.get(name), Some(content), "{name} is not what was streamed");
        }
    }
}

fn limits() -> ZipLimits {
    ZipLimits::of_total(TOTAL).with_entries(ENTRIES)
}

fn stream(input: impl Read) -> Result<Contents, ZipError> {
    let mut zip = ZipStream::new(input, limits());
    let mut found = Contents::new();
    while let Some(name) = zip.next_entry()? {
        let mut content = Vec::new();
        zip.read_to_end(&mut content).map_err(ZipError::from_io)?;
        assert!(found.insert(name, content).is_none(), "two entries of one name");
    }
    within_limits(&found);
    Ok(found)
}

fn directory(input: &[u8]) -> Result<Contents, ZipError> {
    let mut zip = ZipFiles::open(Cursor::new(input), limits())?;
    let files = zip.files().to_vec();
    let mut found = Contents::new();
    for file in files {
        let mut content = Vec::new();
        // An entry that cannot be read does no harm to others.
        let read = zip
            .file(&file.name)
            .and_then(|mut reader| reader.read_to_end(&mut content).map_err(ZipError::from_io));
        if read.is_ok() {
            found.insert(file.name, content);
        }
    }
    within_limits(&found);
    Ok(found)
}

fn within_limits(found: &Contents) {
    assert!(found.len() <= ENTRIES);
    assert!(found.values().map(|content| content.len() as u64).sum::<u64>() <= TOTAL);
}
