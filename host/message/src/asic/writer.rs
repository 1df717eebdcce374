//! Writes a signed ASiC-E container, forward only.
//!
//! Spec: documents and packaging, 7.1 to 7.3.

use std::io::{Read, Write};

use aws_lc_rs::digest;
use jiff::Timestamp;
use uuid::Uuid;

use super::manifest::{Listed, write_asic_manifest, write_oasis_manifest};
use super::{ASIC_E, AsicError, Compression, META_INF, MIMETYPE, ZipError, ZipWriter};
use crate::cms::sign_detached;
use crate::keystore::Identity;

const COMMENT: &str = "mimetype=application/vnd.etsi.asic-e+zip";

/// Packs documents into a container on `W`. Memory grows with the number of documents, not with their size.
pub struct AsicWriter<W: Write> {
    zip: ZipWriter<W>,
    documents: Vec<Listed>,
}

impl<W: Write> AsicWriter<W> {
    /// Starts the container with its `mimetype`.
    pub fn new(inner: W) -> Result<Self, AsicError> {
        let mut zip = ZipWriter::new(inner);
        zip.stored_with_comment(MIMETYPE, ASIC_E.as_bytes(), COMMENT)?;
        Ok(Self {
            zip,
            documents: Vec::new(),
        })
    }

    /// Adds a document with all that `content` gives; returns its size in bytes.
    ///
    /// The name goes in as it is: not empty, at most 1024 bytes, no control characters, not below META-INF, and not
    /// used before. After an error the container cannot be used on.
    pub fn add(&mut self, name: &str, mime: &str, content: &mut impl Read) -> Result<u64, AsicError> {
        if name.to_ascii_uppercase().starts_with(META_INF) || name.starts_with('/') || name.contains('\\') {
            return Err(ZipError::BadName(name.escape_debug().take(200).collect()).into());
        }
        if !mime.chars().all(super::is_xml_text) {
            return Err(ZipError::BadName(mime.escape_debug().take(200).collect()).into());
        }
        let mut hashing = Hashing {
            inner: content,
            context: digest::Context::new(&digest::SHA256),
        };
        let size = self.zip.deflated(name, Compression::Deflate, &mut hashing)?;
        let digest = hashing.context.finish().as_ref().to_vec();
        self.documents.push(Listed {
            name: name.to_owned(),
            mime: Some(mime.to_owned()),
            digest,
        });
        Ok(size)
    }

    /// Signs and ends the container, flushes, and gives back the stream below.
    pub fn finish(self, signer: &Identity) -> Result<W, AsicError> {
        self.finish_at(signer, Timestamp::now())
    }

    /// The same with a given signing time. It must lie inside the validity of the signer's certificate, or
    /// receivers refuse the container.
    pub fn finish_at(mut self, signer: &Identity, at: Timestamp) -> Result<W, AsicError> {
        let signature_name = format!("{META_INF}signature-{}.p7s", Uuid::new_v4());
        let manifest = write_asic_manifest(&signature_name, &self.documents)?;
        let signature = sign_detached(manifest.as_bytes(), signer, at).map_err(AsicError::Signing)?;
        let oasis = write_oasis_manifest(&self.documents)?;
        let last: [(&str, &[u8]); 3] = [
            ("META-INF/ASiCManifest.xml", manifest.as_bytes()),
            (&signature_name, &signature),
            ("META-INF/manifest.xml", oasis.as_bytes()),
        ];
        for (name, mut content) in last {
            self.zip.deflated(name, Compression::Deflate, &mut content)?;
        }
        Ok(self.zip.finish(COMMENT)?)
    }
}

impl<W: Write> std::fmt::Debug for AsicWriter<W> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("AsicWriter")
            .field("documents", &self.documents.len())
            .finish_non_exhaustive()
    }
}

struct Hashing<'a, R: Read> {
    inner: &'a mut R,
    context: digest::Context,
}

impl<R: Read> Read for Hashing<'_, R> {
    fn read(&mut self, out: &mut [u8]) -> std::io::Result<usize> {
        let count = self.inner.read(out)?;
        self.context.update(&out[..count]);
        Ok(count)
    }
}
