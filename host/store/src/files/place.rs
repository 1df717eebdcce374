//! Where sealed files stand: a folder or a bucket. What passes here is encrypted already.
//!
//! All calls may wait for a disk or a network; callers run on blocking threads.

use std::io::{self, Read, Seek, SeekFrom, Write};
use std::time::SystemTime;

/// How many names are listed, asked about and removed at once.
pub(super) const PAGE: usize = 1000;

pub(super) trait Place: Send + Sync {
    /// Starts a file that has no name yet.
    fn create(&self) -> io::Result<Box<dyn Draft>>;

    fn open(&self, name: &str) -> io::Result<Box<dyn Source>>;

    /// One that is not there is no error.
    fn remove(&self, names: &[String]) -> io::Result<()>;

    /// Removes a file soon, from whatever thread. What fails is logged, and left to the sweeper.
    fn discard(&self, name: &str);

    /// Hands out the names of files that were written before `time`, at most [`PAGE`] at once. They may be removed meanwhile.
    fn written_before(&self, time: SystemTime, page: &mut dyn FnMut(Vec<String>) -> io::Result<()>) -> io::Result<()>;

    /// Whether files can be kept here now.
    fn probe(&self) -> io::Result<()>;
}

/// A file that is being written. Dropped before it is kept, it leaves nothing.
pub(super) trait Draft: Write + Send {
    /// Puts the file in its place for good.
    fn keep(self: Box<Self>, name: &str) -> io::Result<()>;
}

pub(super) trait Source: Read + Seek + Send {}

impl<T: Read + Seek + Send> Source for T {}

/// Where a seek leads in content of `size` bytes that is read at `position`.
pub(super) fn target(to: SeekFrom, position: u64, size: u64) -> io::Result<u64> {
    let target = match to {
        SeekFrom::Start(offset) => Some(offset),
        SeekFrom::End(offset) => size.checked_add_signed(offset),
        SeekFrom::Current(offset) => position.checked_add_signed(offset),
    };
    target.ok_or_else(|| io::Error::new(io::ErrorKind::InvalidInput, "a seek before the start"))
}
