//! A signed container that arrives: read, compared with its manifests, and verified.

use std::collections::BTreeSet;
use std::io::Read as _;

use budstikke_message::asic::{AsicLimits, AsicReader, AsicReport, verify};

use crate::bytes::Drop;

/// Bytes after decompression.
const TOTAL: u64 = 256 * 1024;

pub(super) fn check(input: &[u8]) {
    let verdict = verify(input, AsicLimits::of_total(TOTAL));
    if let Err(error) = &verdict {
        assert!(!error.without_names().is_empty());
        assert!(!error.is_io(), "nothing below failed");
    }
    let documents = read(Drop(input));
    assert_eq!(
        verdict.as_ref().ok().map(told),
        documents.as_ref().map(|(report, _)| told(report))
    );
    let Some((report, contents)) = documents else { return };
    assert!(!report.signatures.is_empty());
    let names: BTreeSet<&str> = report.documents.iter().map(|document| document.name.as_str()).collect();
    assert_eq!(names.len(), report.documents.len(), "two documents of one name");
    assert!(contents.iter().map(|content| content.len() as u64).sum::<u64>() <= TOTAL);
    let sizes: Vec<u64> = report.documents.iter().map(|document| document.size).collect();
    assert_eq!(
        sizes,
        contents.iter().map(|content| content.len() as u64).collect::<Vec<_>>()
    );
}

/// What the verdict says.
fn told(report: &AsicReport) -> String {
    format!("{:?}", (&report.documents, &report.signatures, &report.root_file))
}

fn read(input: Drop<'_>) -> Option<(AsicReport, Vec<Vec<u8>>)> {
    let mut reader = AsicReader::new(input, AsicLimits::of_total(TOTAL));
    let mut contents = Vec::new();
    while let Some(mut document) = reader.next_document().ok()? {
        let mut content = Vec::new();
        document.read_to_end(&mut content).ok()?;
        contents.push(content);
    }
    Some((reader.finish().ok()?, contents))
}
