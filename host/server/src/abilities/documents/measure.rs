//! What is looked at while a document is written: how large it gets, and its digests.

use std::io::{self, Write};

use aws_lc_rs::digest;
use md5::Digest as _;

use super::Digests;

/// The largest document that is computed, bytes.
const COMPUTED: u64 = 16 << 30;

/// Stops a recipe that would write without end: a package of nested packages can be far larger than what it is made of.
pub(super) struct Bounded<W> {
    inner: W,
    written: u64,
}

impl<W> Bounded<W> {
    pub(super) fn new(inner: W) -> Self {
        Self { inner, written: 0 }
    }

    pub(super) fn into_inner(self) -> W {
        self.inner
    }
}

impl<W: Write> Write for Bounded<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.written = self.written.saturating_add(bytes.len() as u64);
        if self.written > COMPUTED {
            let text = format!("the document is larger than {COMPUTED} bytes");
            return Err(io::Error::new(io::ErrorKind::FileTooLarge, text));
        }
        self.inner.write_all(bytes)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

/// Both digests of what is written through it.
pub(super) struct Digesting<W> {
    inner: W,
    md5: md5::Md5,
    sha256: digest::Context,
}

impl<W> Digesting<W> {
    pub(super) fn new(inner: W) -> Self {
        Self {
            inner,
            md5: md5::Md5::new(),
            sha256: digest::Context::new(&digest::SHA256),
        }
    }

    pub(super) fn finish(self) -> (W, Digests) {
        let (md5, sha256) = (self.md5.finalize().to_vec(), self.sha256.finish().as_ref().to_vec());
        (self.inner, Digests { md5, sha256 })
    }
}

impl<W: Write> Write for Digesting<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.inner.write_all(bytes)?;
        self.md5.update(bytes);
        self.sha256.update(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}
