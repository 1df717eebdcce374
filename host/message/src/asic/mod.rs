//! ASiC-E containers (ETSI TS 102 918) and the plain zips around them, read and written as streams.
//!
//! Spec: documents and packaging, 7.

mod faults;
mod manifest;
mod reader;
mod verification;
mod writer;
mod xades;
mod zip_directory;
mod zip_files;
mod zip_limits;
mod zip_records;
mod zip_stream;
mod zip_writer;

pub use manifest::{PrimaryDocument, manifest_xml};
pub use reader::{AsicDocument, AsicLimits, AsicReader, verify};
pub use verification::{AsicReport, AsicSignature, VerifiedDocument};
pub use writer::AsicWriter;
pub use zip_files::{ZipFile, ZipFiles};
pub use zip_limits::ZipLimits;
pub use zip_stream::ZipStream;
pub use zip_writer::{Compression, ZipEntryWriter, ZipWriter};

use std::io;

use crate::cms::CmsError;

/// The media type of an ASiC-E container.
pub const ASIC_E: &str = "application/vnd.etsi.asic-e+zip";
/// Name of the first entry, which holds [`ASIC_E`].
const MIMETYPE: &str = "mimetype";
const META_INF: &str = "META-INF/";

/// Why a zip could not be written or read.
#[derive(Debug, thiserror::Error)]
pub enum ZipError {
    /// The stream below failed. May wrap a [`CmsError`]; [`CmsError::from_io`] finds it.
    #[error("the stream under the zip failed: {0}")]
    Io(#[source] io::Error),
    /// The input ended inside the zip.
    #[error("the zip is cut off")]
    Truncated,
    /// Breaks the zip format at the thing named.
    #[error("the zip is malformed: {0}")]
    Malformed(&'static str),
    /// A feature that streaming readers cannot or should not take.
    #[error("the zip entry '{entry}' uses something that is not supported: {what}")]
    Unsupported {
        /// Name of the entry.
        entry: String,
        /// The feature.
        what: &'static str,
    },
    /// The content of an entry does not fit its stated CRC or size.
    #[error("the zip entry '{0}' is damaged: size or checksum differs from what the zip states")]
    Damaged(String),
    /// Two entries of the same name.
    #[error("the zip has two entries named '{0}'")]
    Duplicate(String),
    /// The name is empty, too long, not UTF-8, or holds characters that no file name should.
    #[error("an entry has a name that is not acceptable: {0}")]
    BadName(String),
    /// A limit that the caller set was passed.
    #[error("the zip is over the limit: {0}")]
    Limit(&'static str),
    /// Local headers and central directory do not name the same entries.
    #[error("the zip's directory does not match its entries")]
    DirectoryMismatch,
    /// No entry of this name.
    #[error("the zip has no entry named '{0}'")]
    NoEntry(String),
    /// `finish` was called, or an entry started, while an entry was not finished.
    #[error("a zip entry was not finished")]
    Unfinished,
}

impl ZipError {
    /// Gets back the error that came out of a `Read` or `Write` of this module.
    pub fn from_io(error: io::Error) -> Self {
        match error.downcast::<Self>() {
            Ok(own) => own,
            Err(plain) if plain.kind() == io::ErrorKind::UnexpectedEof && plain.get_ref().is_none() => Self::Truncated,
            Err(other) => Self::Io(other),
        }
    }
}

impl From<ZipError> for io::Error {
    fn from(error: ZipError) -> Self {
        match error {
            ZipError::Io(inner) => inner,
            ZipError::Truncated => Self::new(io::ErrorKind::UnexpectedEof, ZipError::Truncated),
            other => Self::new(io::ErrorKind::InvalidData, other),
        }
    }
}

/// Why a container could not be written or was refused.
#[derive(Debug, thiserror::Error)]
pub enum AsicError {
    /// The zip itself is at fault.
    #[error(transparent)]
    Zip(#[from] ZipError),
    /// The `mimetype` entry has another text.
    #[error("Content is not ASiC-E container.")]
    NotAsic,
    /// An entry below META-INF that is none of the known kinds.
    #[error("Contains unknown metadata file: {0}")]
    UnknownMetadata(String),
    /// A manifest uses a digest other than SHA-256.
    #[error("Wrong digest method for file {file}: {algorithm}")]
    WrongDigestMethod {
        /// Name of the document.
        file: String,
        /// Algorithm that the manifest names.
        algorithm: String,
    },
    /// A document that no manifest lists, or a listed one that is not there.
    #[error("File not verified: {0}")]
    FileNotVerified(String),
    /// A document is not the one that the manifest lists.
    #[error("Mismatching digest for file {0}")]
    DigestMismatch(String),
    /// A manifest without its signature, or a signature without its manifest.
    #[error("Signature not verified: {0}")]
    SignatureNotVerified(String),
    /// A signature that does not verify.
    #[error("Unable to verify signature. ({file}: {reason})")]
    InvalidSignature {
        /// Name of the signature entry.
        file: String,
        /// What is wrong with it.
        #[source]
        reason: CmsError,
    },
    /// There is no signature at all.
    #[error("the container is not signed")]
    NotSigned,
    /// An entry below META-INF that is not the XML it should be.
    #[error("{file} is not valid: {reason}")]
    BadXml {
        /// Name of the entry.
        file: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The container could not be signed.
    #[error("the container could not be signed: {0}")]
    Signing(#[source] CmsError),
}

impl AsicError {
    /// Gets back the error that came out of a `Read` of this module.
    pub fn from_io(error: io::Error) -> Self {
        Self::Zip(ZipError::from_io(error))
    }
}

/// Whether `name` is a plain file name: no folder, no drive, no step upwards, nothing that a file system or a log
/// would read as something else. Check this before a name from a container is used as a path.
///
/// Spec: documents and packaging, 14 and 17 (the container's names come from the sender's client).
pub fn is_plain_file_name(name: &str) -> bool {
    !name.is_empty()
        && name.len() <= 255
        && name != "."
        && !name.contains("..")
        && !name.chars().any(|c| matches!(c, '/' | '\\' | ':') || !is_xml_text(c))
}

/// Whether the character may stand in an XML attribute and in a log line.
pub(crate) fn is_xml_text(c: char) -> bool {
    !c.is_control() && !matches!(c, '\u{FFFE}' | '\u{FFFF}')
}

#[cfg(test)]
mod tests;
