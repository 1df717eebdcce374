//! Reads and verifies an ASiC-E container, forward only.
//!
//! Spec: documents and packaging, 7.5.

use std::io::{self, Read};

use aws_lc_rs::digest;

use super::verification::{AsicReport, Metadata, MetadataKind, Seen, judge};
use super::{ASIC_E, AsicError, MIMETYPE, ZipError, ZipLimits, ZipStream};

/// What a foreign container may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AsicLimits {
    /// Limits of the zip, the total of all entries after decompression among them.
    pub zip: ZipLimits,
    /// Largest entry below META-INF in bytes. All of them together may take four times as much.
    pub metadata_bytes: u64,
}

impl AsicLimits {
    /// So many bytes in all after decompression; 65 535 entries; 16 MiB for each entry below META-INF.
    pub fn of_total(total_bytes: u64) -> Self {
        Self {
            zip: ZipLimits::of_total(total_bytes),
            metadata_bytes: 16 * 1024 * 1024,
        }
    }
}

/// Gives the documents of a container one after the other, and at the end the verdict.
///
/// **No document is proven before [`finish`](Self::finish) returns `Ok`**: manifest and signature may stand behind it.
/// Keep what was read apart until then.
pub struct AsicReader<R: Read> {
    zip: ZipStream<R>,
    limits: AsicLimits,
    documents: Vec<Seen>,
    metadata: Vec<Metadata>,
    metadata_total: u64,
    open: Option<Open>,
}

struct Open {
    name: String,
    size: u64,
    context: digest::Context,
}

impl<R: Read> AsicReader<R> {
    /// Nothing is read before the first call of `next_document`.
    pub fn new(inner: R, limits: AsicLimits) -> Self {
        Self {
            zip: ZipStream::new(inner, limits.zip),
            limits,
            documents: Vec::new(),
            metadata: Vec::new(),
            metadata_total: 0,
            open: None,
        }
    }

    /// The next document, eFormidling's `manifest.xml` included; what is left of the one before is passed over.
    /// `None` after the last. Media types stand in manifests that may come last: see [`AsicReport`].
    pub fn next_document(&mut self) -> Result<Option<AsicDocument<'_, R>>, AsicError> {
        self.close_document()?;
        while let Some(name) = self.zip.next_entry()? {
            if name == MIMETYPE {
                let content = self.read_metadata(ASIC_E.len() as u64 + 1)?;
                if content != ASIC_E.as_bytes() {
                    return Err(AsicError::NotAsic);
                }
            } else if let Some(kind) = MetadataKind::of(&name)? {
                let content = self.read_metadata(self.limits.metadata_bytes)?;
                self.metadata_total += content.len() as u64;
                if self.metadata_total > self.limits.metadata_bytes.saturating_mul(4) {
                    return Err(ZipError::Limit("bytes below META-INF").into());
                }
                self.metadata.push(Metadata { name, kind, content });
            } else {
                self.open = Some(Open {
                    name,
                    size: 0,
                    context: digest::Context::new(&digest::SHA256),
                });
                return Ok(Some(AsicDocument { reader: self }));
            }
        }
        Ok(None)
    }

    /// Reads the rest and gives the verdict. Any error means: trust nothing of this container.
    pub fn finish(mut self) -> Result<AsicReport, AsicError> {
        while self.next_document()?.is_some() {}
        judge(self.documents, &self.metadata)
    }

    fn read_metadata(&mut self, most: u64) -> Result<Vec<u8>, AsicError> {
        let mut content = Vec::new();
        (&mut self.zip)
            .take(most.saturating_add(1))
            .read_to_end(&mut content)
            .map_err(AsicError::from_io)?;
        if content.len() as u64 > most {
            return Err(if most <= 64 {
                AsicError::NotAsic
            } else {
                ZipError::Limit("bytes of one entry below META-INF").into()
            });
        }
        Ok(content)
    }

    fn close_document(&mut self) -> Result<(), AsicError> {
        let mut scratch = vec![0u8; if self.open.is_some() { 32 * 1024 } else { 0 }];
        while self.read_document(&mut scratch)? > 0 {}
        if let Some(open) = self.open.take() {
            let mut sha256 = [0u8; 32];
            sha256.copy_from_slice(open.context.finish().as_ref());
            self.documents.push(Seen {
                name: open.name,
                size: open.size,
                sha256,
            });
        }
        Ok(())
    }

    fn read_document(&mut self, out: &mut [u8]) -> Result<usize, AsicError> {
        let Some(open) = self.open.as_mut() else { return Ok(0) };
        let count = self.zip.read_entry(out)?;
        open.context.update(&out[..count]);
        open.size += count as u64;
        Ok(count)
    }
}

impl<R: Read> std::fmt::Debug for AsicReader<R> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("AsicReader")
            .field("documents", &self.documents.len())
            .finish_non_exhaustive()
    }
}

/// One document of a container being read. Dropping it early is fine: the reader goes through the rest.
pub struct AsicDocument<'a, R: Read> {
    reader: &'a mut AsicReader<R>,
}

impl<R: Read> AsicDocument<'_, R> {
    /// Name as it stands in the container, chosen by the sender. Check it with
    /// [`is_plain_file_name`](super::is_plain_file_name) before use as a path.
    pub fn name(&self) -> &str {
        self.reader.open.as_ref().map_or("", |open| open.name.as_str())
    }
}

impl<R: Read> Read for AsicDocument<'_, R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        match self.reader.read_document(out) {
            Ok(count) => Ok(count),
            Err(AsicError::Zip(error)) => Err(error.into()),
            Err(other) => Err(io::Error::new(io::ErrorKind::InvalidData, other)),
        }
    }
}

impl<R: Read> std::fmt::Debug for AsicDocument<'_, R> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("AsicDocument")
            .field("name", &self.name())
            .finish_non_exhaustive()
    }
}

/// Reads a whole container only to verify it.
pub fn verify(inner: impl Read, limits: AsicLimits) -> Result<AsicReport, AsicError> {
    AsicReader::new(inner, limits).finish()
}
