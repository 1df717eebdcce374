//! A file that was written and that no row of the database names yet.

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
}

enum Sealed {
    Small(Vec<u8>),
    Large { place: Arc<dyn Place>, claimed: AtomicBool },
}

impl NewFile {
    pub(super) fn new_small(name: String, size: u64, sealed: Vec<u8>) -> Self {
        Self {
            name,
            size,
            sealed: Sealed::Small(sealed),
        }
    }

    pub(super) fn new_large(name: String, size: u64, place: Arc<dyn Place>) -> Self {
        Self {
            name,
            size,
            sealed: Sealed::Large {
                place,
                claimed: AtomicBool::new(false),
            },
        }
    }

    /// SHA-256 of the stored bytes, 64 letters of hexadecimal.
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
            Sealed::Large { .. } => None,
        }
    }

    /// The database names it, or may: from now on it is the database's, or the sweeper's.
    pub fn claim(&self) {
        if let Sealed::Large { claimed, .. } = &self.sealed {
            claimed.store(true, Ordering::Release);
        }
    }
}

impl Drop for NewFile {
    fn drop(&mut self) {
        if let Sealed::Large { place, claimed } = &self.sealed
            && !claimed.load(Ordering::Acquire)
        {
            place.discard(&self.name);
        }
    }
}
