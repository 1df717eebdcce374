//! A file that was written and that no row of the database names yet.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::place::Place;

/// Small, it is only here: the database keeps its bytes beside the message. Large, it stands in its place already, and goes again
/// when this is dropped before somebody has claimed it: a failed commit, a refused message or a call that was given up leaves
/// nothing behind.
pub struct NewFile {
    name: String,
    size: u64,
    sealed: Sealed,
    claimed: AtomicBool,
}

pub(super) enum Sealed {
    Small(Vec<u8>),
    Large(Arc<dyn Place>),
}

impl NewFile {
    pub(super) fn new(name: String, size: u64, sealed: Sealed) -> Self {
        Self {
            name,
            size,
            sealed,
            claimed: AtomicBool::new(false),
        }
    }

    /// 64 letters of hexadecimal: the SHA-256 of the stored bytes, or, of a small file, the moment and most of it.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Size of the content, bytes.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// The stored bytes of a small file, which nobody else has. None of a large one.
    pub fn small(&self) -> Option<&[u8]> {
        match &self.sealed {
            Sealed::Small(sealed) => Some(sealed),
            Sealed::Large(_) => None,
        }
    }

    /// The database names it, or may: from now on it is the database's, or the sweeper's.
    pub fn claim(&self) {
        self.claimed.store(true, Ordering::Release);
    }

    /// Whether the database has it already.
    pub fn is_claimed(&self) -> bool {
        self.claimed.load(Ordering::Acquire)
    }
}

impl Drop for NewFile {
    fn drop(&mut self) {
        if let Sealed::Large(place) = &self.sealed
            && !self.is_claimed()
        {
            place.discard(&self.name);
        }
    }
}

impl fmt::Debug for NewFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NewFile")
            .field("name", &self.name)
            .field("size", &self.size)
            .finish_non_exhaustive()
    }
}
