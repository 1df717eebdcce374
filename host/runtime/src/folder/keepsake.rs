//! The last version that proved itself, kept in a private place, and the name of one that did not: neither a bad file in
//! the folder nor a restart must keep the host from working.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::load::Digest;

/// Where a plugin's good versions are kept.
pub(super) struct Keepsake {
    directory: PathBuf,
    name: String,
    good: PathBuf,
    rejected: PathBuf,
}

/// How the name of a version on trial ends.
const CANDIDATE: &str = ".candidate.wasm";

impl Keepsake {
    pub(super) fn new(directory: &Path, plugin: &str) -> Self {
        // Names come from the operator's file and can hold anything.
        let name: String = plugin
            .chars()
            .map(|c| if c.is_ascii_alphanumeric() || c == '-' { c } else { '_' })
            .collect();
        Self {
            directory: directory.to_owned(),
            good: directory.join(format!("{name}.last-good.wasm")),
            rejected: directory.join(format!("{name}.rejected")),
            name,
        }
    }

    /// Sets a version of the operator's file aside until it has proved itself; what was set aside or rejected before
    /// counts no more. Blocking.
    pub(super) fn propose(&self, digest: &Digest, component: &[u8]) {
        self.forget_candidates();
        warn(removed(&self.rejected));
        warn(crate::cache::write_private(&self.candidate(digest), component));
    }

    /// The version has proved itself.
    pub(super) fn confirm(&self, digest: &Digest) {
        let candidate = self.candidate(digest);
        if candidate.exists() {
            warn(fs::rename(&candidate, &self.good));
        }
    }

    /// The version has failed: the next start does not try it again. Blocking.
    pub(super) fn reject(&self, digest: &Digest) {
        warn(removed(&self.candidate(digest)));
        warn(crate::cache::write_private(
            &self.rejected,
            digest.to_string().as_bytes(),
        ));
    }

    /// The last good version.
    pub(super) fn good(&self) -> Option<&Path> {
        self.good.exists().then_some(self.good.as_path())
    }

    /// The version that failed before this start, when there is a better one.
    pub(super) fn rejected(&self) -> Option<Digest> {
        self.good()?;
        Digest::from_hex(&fs::read_to_string(&self.rejected).ok()?)
    }

    fn candidate(&self, digest: &Digest) -> PathBuf {
        self.directory.join(format!("{}.{digest}{CANDIDATE}", self.name))
    }

    fn forget_candidates(&self) {
        let ours = format!("{}.", self.name);
        for entry in fs::read_dir(&self.directory).into_iter().flatten().flatten() {
            let name = entry.file_name();
            let name = name.to_string_lossy();
            if name.starts_with(&ours) && name.ends_with(CANDIDATE) {
                warn(removed(&entry.path()));
            }
        }
    }
}

fn removed(file: &Path) -> io::Result<()> {
    match fs::remove_file(file) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

fn warn(result: io::Result<()>) {
    if let Err(error) = result {
        tracing::warn!("a plugin cannot be kept for the next start: {error}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keepsake() -> (tempfile::TempDir, Keepsake) {
        let home = tempfile::tempdir().unwrap();
        let keepsake = Keepsake::new(home.path(), "echo");
        (home, keepsake)
    }

    #[test]
    fn a_version_that_was_swapped_back_never_becomes_the_last_good_one() {
        let (_home, keepsake) = keepsake();
        let (good, bad) = (Digest::of(b"good"), Digest::of(b"bad"));
        keepsake.propose(&good, b"good");
        keepsake.confirm(&good);
        keepsake.propose(&bad, b"bad");
        keepsake.confirm(&good);
        assert_eq!(fs::read(keepsake.good().unwrap()).unwrap(), b"good");
        keepsake.reject(&bad);
        keepsake.confirm(&bad);
        assert_eq!(fs::read(keepsake.good().unwrap()).unwrap(), b"good");
    }

    #[test]
    fn a_rejected_version_is_remembered_until_another_file_comes() {
        let (_home, keepsake) = keepsake();
        let (good, bad) = (Digest::of(b"good"), Digest::of(b"bad"));
        keepsake.propose(&good, b"good");
        keepsake.confirm(&good);
        keepsake.reject(&bad);
        assert_eq!(keepsake.rejected(), Some(bad));
        keepsake.propose(&good, b"good");
        assert_eq!(keepsake.rejected(), None);
    }

    #[test]
    fn a_rejected_version_is_better_than_none() {
        let (_home, keepsake) = keepsake();
        keepsake.reject(&Digest::of(b"bad"));
        assert_eq!(keepsake.rejected(), None);
    }

    #[test]
    fn only_the_latest_version_on_trial_is_set_aside() {
        let (home, keepsake) = keepsake();
        Keepsake::new(home.path(), "other").propose(&Digest::of(b"other"), b"other");
        keepsake.propose(&Digest::of(b"first"), b"first");
        keepsake.propose(&Digest::of(b"second"), b"second");
        assert_eq!(fs::read_dir(home.path()).unwrap().count(), 2);
    }
}
