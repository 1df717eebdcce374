//! What may be said of a fault in a log, and whether it is one of this installation.

use std::io;

use super::{AsicError, ZipError};
use crate::cms::CmsError;

impl ZipError {
    /// The kind of the fault without any name or text out of the zip, for logs.
    pub fn without_names(&self) -> String {
        match self {
            Self::Io(inner) => format!("the stream under the zip failed: {}", stream_text(inner)),
            Self::Unsupported { what, .. } => format!("a zip entry uses something that is not supported: {what}"),
            Self::Damaged(_) => "a zip entry is damaged: size or checksum differs from what the zip states".to_owned(),
            Self::Duplicate(_) => "the zip has two entries of one name".to_owned(),
            Self::BadName(_) => "an entry has a name that is not acceptable".to_owned(),
            Self::NoEntry(_) => "the zip has no entry of the name asked for".to_owned(),
            Self::Truncated | Self::Malformed(_) | Self::Limit(_) | Self::DirectoryMismatch | Self::Unfinished => {
                self.to_string()
            }
        }
    }

    /// Whether the stream below failed, which another try may mend; not when that stream found its own input to be
    /// broken, as decryption does.
    pub fn is_io(&self) -> bool {
        matches!(self, Self::Io(inner) if stream_failed(inner))
    }
}

impl AsicError {
    /// The kind of the fault without any name or text out of the container, for logs.
    pub fn without_names(&self) -> String {
        match self {
            Self::Zip(zip) => zip.without_names(),
            Self::UnknownMetadata(_) => "Contains unknown metadata file".to_owned(),
            Self::WrongDigestMethod { .. } => "Wrong digest method for a file".to_owned(),
            Self::FileNotVerified(_) => "File not verified".to_owned(),
            Self::DigestMismatch(_) => "Mismatching digest for a file".to_owned(),
            Self::SignatureNotVerified(_) => "Signature not verified".to_owned(),
            Self::InvalidSignature { reason, .. } => format!("Unable to verify signature. ({})", cms_text(reason)),
            Self::BadXml { .. } => "an entry below META-INF is not the XML it should be".to_owned(),
            Self::Signing(reason) => format!("the container could not be signed: {}", cms_text(reason)),
            Self::NotAsic | Self::NotSigned => self.to_string(),
        }
    }

    /// As [`ZipError::is_io`].
    pub fn is_io(&self) -> bool {
        match self {
            Self::Zip(zip) => zip.is_io(),
            Self::InvalidSignature { reason, .. } | Self::Signing(reason) => cms_stream_failed(reason),
            _ => false,
        }
    }
}

fn stream_failed(error: &io::Error) -> bool {
    let Some(inner) = error.get_ref() else {
        return true;
    };
    if let Some(zip) = inner.downcast_ref::<ZipError>() {
        zip.is_io()
    } else if let Some(asic) = inner.downcast_ref::<AsicError>() {
        asic.is_io()
    } else if let Some(cms) = inner.downcast_ref::<CmsError>() {
        cms_stream_failed(cms)
    } else {
        inner.downcast_ref::<io::Error>().is_none_or(stream_failed)
    }
}

fn cms_stream_failed(error: &CmsError) -> bool {
    matches!(error, CmsError::Io(inner) if stream_failed(inner))
}

fn stream_text(error: &io::Error) -> String {
    let Some(inner) = error.get_ref() else {
        return error.to_string();
    };
    if let Some(zip) = inner.downcast_ref::<ZipError>() {
        zip.without_names()
    } else if let Some(asic) = inner.downcast_ref::<AsicError>() {
        asic.without_names()
    } else if let Some(cms) = inner.downcast_ref::<CmsError>() {
        cms_text(cms)
    } else if let Some(nested) = inner.downcast_ref::<io::Error>() {
        stream_text(nested)
    } else {
        error.to_string()
    }
}

/// Certificate errors quote the parser, which may quote what it parsed.
fn cms_text(error: &CmsError) -> String {
    match error {
        CmsError::Io(inner) => format!("the stream under the CMS message failed: {}", stream_text(inner)),
        CmsError::Certificate(_) => "a certificate in the signature could not be read".to_owned(),
        other => other.to_string(),
    }
}
