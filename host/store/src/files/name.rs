//! The name of a stored file: the SHA-256 of its stored bytes, in hexadecimal. `sha256sum` tells the same.

use std::io;

const LENGTH: usize = 64;

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
