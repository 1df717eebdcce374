//! A file that no row of the store names yet.

use std::sync::atomic::{AtomicBool, Ordering};

use super::{Blob, Vault};

/// Removes its file when it is dropped before the store has named it: a failed commit, a refused message or a call that was
/// given up leaves nothing behind.
pub struct Unclaimed {
    vault: Vault,
    blob: Blob,
    claimed: AtomicBool,
}

impl Unclaimed {
    pub(super) fn new(vault: Vault, blob: Blob) -> Self {
        Self {
            vault,
            blob,
            claimed: AtomicBool::new(false),
        }
    }

    /// The file.
    pub fn blob(&self) -> &Blob {
        &self.blob
    }

    /// The store names it, or may: from now on it is the store's, or the sweeper's.
    pub fn claim(&self) {
        self.claimed.store(true, Ordering::Release);
    }

    /// Whether the store has it already.
    pub fn is_claimed(&self) -> bool {
        self.claimed.load(Ordering::Acquire)
    }
}

impl Drop for Unclaimed {
    fn drop(&mut self) {
        if !self.is_claimed()
            && let Err(error) = self.vault.remove(&self.blob.name)
        {
            tracing::warn!(%error, "a file that is not needed could not be removed; the sweeper will");
        }
    }
}
