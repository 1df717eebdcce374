//! When a file has come to rest: a copy over a slow network must not be read half.

use std::fs::Metadata;
use std::path::Path;
use std::time::{Duration, SystemTime};

/// How often a moving file is looked at.
const STEP: Duration = Duration::from_millis(50);
/// How long a file may move before the next round takes over.
const PATIENCE: Duration = Duration::from_mins(1);

/// What can be seen of a file without reading it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Stamp {
    size: u64,
    modified: Option<SystemTime>,
    /// Change time and inode: a file moved over another one can have the same size and age.
    changed: Option<SystemTime>,
    inode: u64,
}

impl Stamp {
    /// The stamp of a file that is there.
    pub(super) async fn of(file: &Path) -> Option<Self> {
        let metadata = tokio::fs::metadata(file).await.ok().filter(Metadata::is_file)?;
        let (changed, inode) = identity(&metadata);
        Some(Self {
            size: metadata.len(),
            modified: metadata.modified().ok(),
            changed,
            inode,
        })
    }

    /// True when the file system says that nothing has happened to the file for so long. The change time counts too: a
    /// copy can bring an old modification time with it.
    pub(super) fn has_rested(&self, still: Duration) -> bool {
        let rested = |at: Option<SystemTime>| at.and_then(|at| at.elapsed().ok()).is_some_and(|age| age >= still);
        rested(self.modified) && rested(self.changed)
    }
}

#[cfg(unix)]
fn identity(metadata: &Metadata) -> (Option<SystemTime>, u64) {
    use std::os::unix::fs::MetadataExt as _;
    let parts = u64::try_from(metadata.ctime())
        .ok()
        .zip(u32::try_from(metadata.ctime_nsec()).ok());
    let changed = parts.and_then(|(seconds, nanos)| SystemTime::UNIX_EPOCH.checked_add(Duration::new(seconds, nanos)));
    (changed, metadata.ino())
}

#[cfg(not(unix))]
fn identity(_: &Metadata) -> (Option<SystemTime>, u64) {
    (None, 0)
}

/// Waits until a file has been unchanged for so long. None when it is gone, or moves all the time.
pub(super) async fn settled(file: &Path, still: Duration) -> Option<Stamp> {
    let begun = tokio::time::Instant::now();
    let mut stamp = Stamp::of(file).await?;
    let mut since = begun;
    while since.elapsed() < still {
        if begun.elapsed() > PATIENCE {
            return None;
        }
        tokio::time::sleep(STEP.min(still)).await;
        let now = Stamp::of(file).await?;
        if now != stamp {
            stamp = now;
            since = tokio::time::Instant::now();
        }
    }
    Some(stamp)
}

#[cfg(test)]
mod tests {
    use super::*;

    const STILL: Duration = Duration::from_millis(80);

    #[tokio::test]
    async fn a_fresh_copy_has_not_rested_though_it_brings_an_old_time_along() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("a.wasm");
        std::fs::write(&file, b"content").unwrap();
        let old = SystemTime::now() - Duration::from_hours(1);
        std::fs::File::options()
            .write(true)
            .open(&file)
            .unwrap()
            .set_modified(old)
            .unwrap();
        assert!(!Stamp::of(&file).await.unwrap().has_rested(STILL));
        tokio::time::sleep(STILL * 2).await;
        assert!(Stamp::of(&file).await.unwrap().has_rested(STILL));
    }
}
