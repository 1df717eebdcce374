//! The name of a stored file: the SHA-256 of its stored bytes, in hexadecimal. `sha256sum` tells the same.
//!
//! A small file, which stands in the database, is named by the moment and most of that digest. Those that come and go at the same
//! time then stand together in the indexes: a commit changes a few pages of them, and not one for each file.

use std::io;
use std::time::SystemTime;

const LENGTH: usize = 64;
/// Of those, the moment of a small one.
const MOMENT: usize = 12;

/// Of a file in the file store.
pub(super) fn of(digest: &[u8]) -> String {
    hex::encode(digest)
}

/// Of a file in the database.
pub(super) fn of_small(digest: &[u8]) -> String {
    let since = SystemTime::now()
        .duration_since(SystemTime::UNIX_EPOCH)
        .unwrap_or_default();
    // Milliseconds fill twelve digits in the year 10889.
    let mut name = format!(
        "{:0MOMENT$x}{}",
        since.as_millis() & 0xffff_ffff_ffff,
        hex::encode(digest)
    );
    name.truncate(LENGTH);
    name
}

/// Refuses what is no name before it becomes part of a path.
pub(super) fn checked(name: &str) -> io::Result<&str> {
    if is_name(name) {
        Ok(name)
    } else {
        Err(io::Error::new(
            io::ErrorKind::InvalidInput,
            format!("{name:?} is not the name of a stored file"),
        ))
    }
}

/// Other things that lie in the folder or bucket are not ours to read, and never to remove.
pub(crate) fn is_name(name: &str) -> bool {
    name.len() == LENGTH && name.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

/// What a log calls the file: enough to find it.
pub(super) fn label(name: &str) -> String {
    format!("file {}", name.get(..12).unwrap_or(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_small_one_is_named_by_its_moment_and_its_digest() {
        let digest = [0xa7; 32];
        let earlier = of_small(&digest);
        assert!(is_name(&earlier), "{earlier}");
        assert!(earlier.ends_with(&of(&digest)[..LENGTH - MOMENT]), "{earlier}");
        std::thread::sleep(std::time::Duration::from_millis(2));
        assert!(of_small(&digest) > earlier);
    }
}
