//! How large a message gets when it is written: white space and escapes can make it a hundred times as large as it came.

use std::io::{self, Write};

use super::{MAX_BYTES, Sbd};

impl Sbd {
    /// Whether the message as it is written is one that can be read back.
    pub(super) fn has_room(&self) -> bool {
        serde_json::to_writer_pretty(Room(MAX_BYTES), self).is_ok()
    }
}

/// Takes so many bytes and forgets them.
struct Room(usize);

impl Write for Room {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0 = self.0.checked_sub(bytes.len()).ok_or(io::ErrorKind::FileTooLarge)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
