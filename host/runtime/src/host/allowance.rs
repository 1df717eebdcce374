//! What one call may make the host keep for it. Handles alone do not bound it: a document of a few bytes counts as much
//! as one of 16 MiB, and a recipe holds what it is made of after its handle is gone.

use crate::host::OverLimit;
use crate::limits::Limits;

/// Documents that one call may make or take apart, the parts of packages included.
const RECIPES: usize = 10_000;
/// Checkpoints that one call may save; each waits for the disk.
const CHECKPOINTS: usize = 100;

/// What is left for a call.
pub(crate) struct Allowance {
    bytes: Share,
    recipes: Share,
    checkpoints: Share,
}

impl Allowance {
    pub(crate) fn new(limits: &Limits) -> Self {
        Self {
            bytes: Share::new("document-bytes", "bytes of documents", limits.document_bytes),
            recipes: Share::new("recipes", "documents made", RECIPES),
            checkpoints: Share::new("checkpoints", "checkpoints saved", CHECKPOINTS),
        }
    }

    /// Takes bytes that the guest hands over and the host keeps.
    pub(crate) fn take_bytes(&mut self, count: usize) -> wasmtime::Result<()> {
        self.bytes.take(count)
    }

    /// Takes a document, or so many parts of one.
    pub(crate) fn take_recipes(&mut self, count: usize) -> wasmtime::Result<()> {
        self.recipes.take(count)
    }

    /// Takes one save of a checkpoint.
    pub(crate) fn take_checkpoint(&mut self) -> wasmtime::Result<()> {
        self.checkpoints.take(1)
    }
}

struct Share {
    limit: &'static str,
    what: &'static str,
    most: usize,
    used: usize,
}

impl Share {
    fn new(limit: &'static str, what: &'static str, most: usize) -> Self {
        Self {
            limit,
            what,
            most,
            used: 0,
        }
    }

    fn take(&mut self, count: usize) -> wasmtime::Result<()> {
        let used = self.used.saturating_add(count);
        if used > self.most {
            let reason = format!("{used} {}; {} are allowed in one call", self.what, self.most);
            return Err(wasmtime::Error::new(OverLimit {
                limit: self.limit,
                reason,
            }));
        }
        self.used = used;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(result: wasmtime::Result<()>) -> &'static str {
        result.unwrap_err().downcast_ref::<OverLimit>().unwrap().limit
    }

    #[test]
    fn bytes_of_all_documents_of_a_call_count_together() {
        let mut allowance = Allowance::new(&Limits {
            document_bytes: 100,
            ..Limits::default()
        });
        allowance.take_bytes(60).unwrap();
        allowance.take_bytes(40).unwrap();
        assert_eq!(named(allowance.take_bytes(1)), "document-bytes");
        assert_eq!(named(allowance.take_bytes(usize::MAX)), "document-bytes");
    }

    #[test]
    fn recipes_end_at_ten_thousand() {
        let mut allowance = Allowance::new(&Limits::default());
        for _ in 0..10 {
            allowance.take_recipes(1000).unwrap();
        }
        assert_eq!(named(allowance.take_recipes(1)), "recipes");
    }

    #[test]
    fn checkpoints_end_at_a_hundred() {
        let mut allowance = Allowance::new(&Limits::default());
        for _ in 0..100 {
            allowance.take_checkpoint().unwrap();
        }
        assert_eq!(named(allowance.take_checkpoint()), "checkpoints");
    }
}
