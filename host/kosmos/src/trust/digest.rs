//! Digests of files, and the digest files that vendors publish. Spec: KOSMOS, 9.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::Path;

use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::digest::{Algorithm, Context, SHA1_FOR_LEGACY_USE_ONLY, SHA256};

use super::Untrusted;

/// Bytes of a digest file.
pub const SIZE: u64 = 4 << 10;

fn of_file(algorithm: &'static Algorithm, path: &Path) -> io::Result<Vec<u8>> {
    let mut context = Context::new(algorithm);
    let mut file = File::open(path)?;
    let mut buffer = vec![0; 128 << 10];
    loop {
        let read = file.read(&mut buffer)?;
        if read == 0 {
            return Ok(context.finish().as_ref().to_vec());
        }
        context.update(&buffer[..read]);
    }
}

/// SHA-256 of a file.
pub fn sha256(path: &Path) -> io::Result<Vec<u8>> {
    of_file(&SHA256, path)
}

/// Whether two digests are the same.
pub fn same(one: &[u8], other: &[u8]) -> bool {
    verify_slices_are_equal(one, other).is_ok()
}

/// The digest in a digest file: hexadecimal digits, then nothing, or a blank and what one likes, as `sha1sum` writes a file's name.
fn published(text: &[u8], length: usize) -> Option<Vec<u8>> {
    let text = std::str::from_utf8(text).ok()?;
    let digest = text.split_whitespace().next()?;
    hex::decode(digest).ok().filter(|digest| digest.len() == length)
}

/// Compares a file with the `.sha1` that was published with it.
pub fn check_sha1(path: &Path, published_text: &[u8]) -> Result<(), Untrusted> {
    let wanted = published(published_text, SHA1_FOR_LEGACY_USE_ONLY.output_len())
        .ok_or_else(|| Untrusted::new("SHA-1 verification failed: the published file has no SHA-1"))?;
    let found = of_file(&SHA1_FOR_LEGACY_USE_ONLY, path)
        .map_err(|error| Untrusted::new(format!("{} cannot be read: {error}", path.display())))?;
    if same(&found, &wanted) {
        Ok(())
    } else {
        Err(Untrusted::new("SHA-1 verification failed"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ABC: &str = "a9993e364706816aba3e25717850c26c9cd0d89d";

    #[test]
    fn a_digest_is_read_in_every_way_it_is_written() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("file");
        std::fs::write(&file, "abc").unwrap();
        for text in [
            ABC.to_owned(),
            format!("{ABC}\n"),
            format!("{ABC}\r\n"),
            format!("{}  integrasjonspunkt.jar\n", ABC.to_uppercase()),
        ] {
            assert_eq!(check_sha1(&file, text.as_bytes()), Ok(()), "{text:?}");
        }
        for text in ["", "414243", "no digest", &ABC[1..], &ABC.replace('a', "b")] {
            assert!(check_sha1(&file, text.as_bytes()).is_err(), "{text:?}");
        }
        assert_eq!(published(b"414243", 3), Some(vec![65, 66, 67]));
    }
}
