//! Containers that were cut, altered or made to exhaust the reader.

use std::sync::LazyLock;

use proptest::prelude::*;

use super::container::{LIMITS, check, container, raw};
use crate::asic::{AsicError, AsicLimits, ZipError, ZipFiles, ZipLimits, ZipStream, is_plain_file_name, verify};
use crate::keystore::testing::payload;

static SMALL: LazyLock<Vec<u8>> = LazyLock::new(|| {
    container(&[
        ("a.txt", "text/plain", b"hei"),
        ("b.bin", "application/x", &payload(600)),
    ])
});

#[test]
fn a_container_cut_anywhere_is_refused() {
    for length in 0..SMALL.len() {
        assert!(check(&SMALL[..length]).is_err(), "cut at {length}");
    }
    check(&SMALL).unwrap();
}

#[test]
fn data_behind_the_container_is_refused() {
    let mut longer = SMALL.clone();
    longer.push(0);
    assert!(check(&longer).is_err());
}

#[test]
fn a_bomb_is_stopped_at_the_limit_that_the_caller_set() {
    let bomb = raw(&[("a", &vec![0u8; 20_000_000])]);
    assert!(bomb.len() < 1_000_000, "smaller than the limit that it bursts");
    let stopped = verify(bomb.as_slice(), AsicLimits::of_total(1_000_000));
    assert!(matches!(stopped, Err(AsicError::Zip(ZipError::Limit(_)))));
    let opened = ZipFiles::open(std::io::Cursor::new(&bomb), ZipLimits::of_total(1_000_000));
    assert!(matches!(opened, Err(ZipError::Limit(_))));
}

#[test]
fn large_metadata_is_refused() {
    let large = vec![b' '; 1_000_001];
    let mut limits = AsicLimits::of_total(LIMITS);
    limits.metadata_bytes = 1_000_000;
    let bytes = raw(&[("META-INF/ASiCManifest.xml", &large)]);
    assert!(matches!(
        verify(bytes.as_slice(), limits),
        Err(AsicError::Zip(ZipError::Limit(_)))
    ));
    let many: Vec<(String, &[u8])> = (0..5)
        .map(|i| (format!("META-INF/ASiCManifest{i}.xml"), &large[1..]))
        .collect();
    let many: Vec<(&str, &[u8])> = many.iter().map(|(n, c)| (n.as_str(), *c)).collect();
    assert!(matches!(
        verify(raw(&many).as_slice(), limits),
        Err(AsicError::Zip(ZipError::Limit(_)))
    ));
}

#[test]
fn too_many_entries_and_too_long_names_are_refused() {
    let mut limits = AsicLimits::of_total(LIMITS);
    limits.zip.entries = 2;
    let bytes = raw(&[("a", b""), ("b", b""), ("c", b"")]);
    assert!(matches!(
        verify(bytes.as_slice(), limits),
        Err(AsicError::Zip(ZipError::Limit(_)))
    ));
    limits = AsicLimits::of_total(LIMITS);
    limits.zip.name_bytes = 10;
    let bytes = raw(&[("a-very-long-name", b"")]);
    assert!(matches!(
        verify(bytes.as_slice(), limits),
        Err(AsicError::Zip(ZipError::BadName(_)))
    ));
}

#[test]
fn only_plain_names_may_become_paths() {
    for name in ["brev.pdf", "blåbær & co.txt", "a", ".skjult"] {
        assert!(is_plain_file_name(name), "{name}");
    }
    for name in [
        "",
        ".",
        "..",
        "../x",
        "a/b",
        "a\\b",
        "C:x",
        "a\0",
        "a\nb",
        "x..y/z",
        &"x".repeat(256),
    ] {
        assert!(!is_plain_file_name(name), "{name:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn an_altered_container_never_passes_with_other_documents(
        changes in prop::collection::vec((any::<prop::sample::Index>(), 1u8..), 1..4),
    ) {
        let mut altered = SMALL.clone();
        for (at, flip) in changes {
            let at = at.index(altered.len());
            altered[at] ^= flip;
        }
        if let Ok(report) = check(&altered) {
            let good = check(&SMALL).unwrap();
            prop_assert_eq!(report.documents, good.documents);
        }
    }

    #[test]
    fn made_up_bytes_never_pass(mut bytes in prop::collection::vec(any::<u8>(), 0..400), as_zip in any::<bool>()) {
        if as_zip && bytes.len() > 4 {
            bytes[..4].copy_from_slice(b"PK\x03\x04");
        }
        prop_assert!(check(&bytes).is_err());
        let _ = ZipFiles::open(std::io::Cursor::new(&bytes), ZipLimits::of_total(1 << 20));
        let mut stream = ZipStream::new(bytes.as_slice(), ZipLimits::of_total(1 << 20));
        while let Ok(Some(_)) = stream.next_entry() {}
    }
}
