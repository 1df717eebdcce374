//! Bounds on what a foreign zip may make its reader do.

/// What a foreign zip may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ZipLimits {
    /// Most entries. The format itself stops at 65 535 without zip64.
    pub entries: usize,
    /// Most bytes of all entries together after decompression: the guard against zip bombs.
    pub total_bytes: u64,
    /// Longest entry name in bytes.
    pub name_bytes: usize,
}

/// Largest directory that is held in memory, bytes.
const MAX_DIRECTORY: u64 = 16 << 20;
/// Fixed part of a directory header, bytes.
const HEADER: u64 = 46;
/// Room for extra fields and comment in one directory header, bytes. Common tools need less than 100.
const EXTRAS: u64 = 1024;

impl ZipLimits {
    /// 65 535 entries, names up to 1024 bytes, and so many bytes in all after decompression.
    pub fn of_total(total_bytes: u64) -> Self {
        Self {
            entries: 65_535,
            total_bytes,
            name_bytes: 1024,
        }
    }

    /// The same limits with so many entries. The directory of a zip that is opened for random access lies in memory,
    /// about 2 KiB an entry at worst, 16 MiB in all, and as much again for what is made of it.
    #[must_use]
    pub fn with_entries(self, entries: usize) -> Self {
        Self { entries, ..self }
    }

    /// Largest directory that so many entries may need, bytes; at most 16 MiB.
    pub(super) fn directory_bytes(&self) -> u64 {
        let each = (self.name_bytes as u64).saturating_add(HEADER + EXTRAS);
        (self.entries as u64).saturating_mul(each).min(MAX_DIRECTORY)
    }
}
