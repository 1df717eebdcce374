//! Cryptographic Message Syntax (RFC 5652): EnvelopedData as a stream, detached SignedData for manifests.
//!
//! Why not a CMS crate: those hold the whole message in memory, and Java peers write indefinite-length BER of
//! any size. Here nothing grows with the payload. Spec: documents and packaging, 7.3 and 8.

mod ber;
mod content;
pub(crate) mod der;
mod envelope_reader;
mod envelope_writer;
mod gcm;
mod key_transport;
mod oid;
mod sign;
mod verify;

use std::io;

pub use content::ContentCipher;
pub use envelope_reader::EnvelopeReader;
pub use envelope_writer::{EnvelopeWriter, SealingReader};
pub use key_transport::KeyTransport;
pub use sign::sign_detached;
pub use verify::{VerifiedSignature, verify_detached};

/// Why a CMS message could not be written, opened or verified. Never holds key or content bytes.
#[derive(Debug, thiserror::Error)]
pub enum CmsError {
    /// The stream below failed.
    #[error("the stream under the CMS message failed: {0}")]
    Io(#[source] io::Error),
    /// The input ended inside the message.
    #[error("the CMS message is cut off")]
    Truncated,
    /// There are bytes behind the end of the message.
    #[error("there is data behind the end of the CMS message")]
    TrailingData,
    /// The message breaks the structure of BER or CMS at the thing named.
    #[error("the CMS message is malformed: {0}")]
    Malformed(&'static str),
    /// A part that must fit in memory is larger than allowed.
    #[error("a part of the CMS message is too large: {0}")]
    TooLarge(&'static str),
    /// The content type is another than the one needed.
    #[error("the CMS message has content type {found}, expected {expected}")]
    ContentType {
        /// Name of the content type needed.
        expected: &'static str,
        /// Object identifier found.
        found: String,
    },
    /// No recipient of the kind KeyTransRecipientInfo.
    #[error("the CMS message has no recipient with RSA key transport")]
    NoRecipient,
    /// No private key was given to open the message with.
    #[error("no private key was given to open the CMS message with")]
    NoIdentity,
    /// The key transport algorithm or its parameters are not supported.
    #[error("the CMS message uses key transport that is not supported: {0}")]
    UnsupportedKeyTransport(String),
    /// The content cipher or its parameters are not supported.
    #[error("the CMS message uses a content cipher that is not supported: {0}")]
    UnsupportedCipher(String),
    /// The content key could not be decrypted with the private key that was tried.
    #[error(
        "the content key could not be decrypted; the message is encrypted for {recipient}, tried the key of {tried}"
    )]
    WrongRecipient {
        /// Serial number or key identifier in the message.
        recipient: String,
        /// Serial number of the certificate whose key was tried.
        tried: String,
    },
    /// AES-CBC padding is wrong: other key, or an altered or cut message.
    #[error("the content does not decrypt: wrong padding (altered message, or encrypted for another key)")]
    BadPadding,
    /// The AES-GCM tag does not match: other key, or an altered message.
    #[error("the content does not decrypt: wrong authentication tag (altered message, or encrypted for another key)")]
    BadTag,
    /// More plaintext than the cipher may carry under one key (64 GiB for AES-GCM).
    #[error("the content is longer than the cipher allows under one key")]
    ContentTooLong,
    /// The recipient's key cannot be used.
    #[error("the recipient's certificate {serial} holds no RSA key of 2048 to 8192 bits")]
    UnusableCertificate {
        /// Serial number of the certificate.
        serial: String,
    },
    /// The cryptographic library refused an operation.
    #[error("the cryptographic library refused: {0}")]
    Crypto(&'static str),
    /// There is no SignerInfo.
    #[error("the signature has no signer")]
    NoSigner,
    /// The signer's certificate is not among those in the signature.
    #[error("the signature does not hold the signer's certificate")]
    NoSignerCertificate,
    /// Digest or signature algorithm not supported.
    #[error("the signature uses an algorithm that is not supported: {0}")]
    UnsupportedSignature(String),
    /// The digest in the signed attributes is not that of the content.
    #[error("the signature was made over other content (digest mismatch)")]
    DigestMismatch,
    /// The signed attributes contradict the rest of the signature.
    #[error("the signed attributes are not consistent: {0}")]
    Attributes(&'static str),
    /// The signing time lies outside the validity of the signer's certificate.
    #[error("the signing time is outside the validity of the signer's certificate {serial}")]
    SigningTime {
        /// Serial number of the certificate.
        serial: String,
    },
    /// The RSA signature is not valid.
    #[error("the signature is not valid")]
    InvalidSignature,
    /// A certificate in the signature could not be read.
    #[error(transparent)]
    Certificate(#[from] crate::x509::CertificateError),
}

impl CmsError {
    /// Gets back the error that came out of a `Read` or `Write` of this module, whatever wraps it.
    pub fn from_io(error: io::Error) -> Self {
        match error.downcast::<Self>() {
            Ok(own) => own,
            Err(plain) if plain.kind() == io::ErrorKind::UnexpectedEof && plain.get_ref().is_none() => Self::Truncated,
            Err(other) => Self::Io(other),
        }
    }
}

impl From<CmsError> for io::Error {
    fn from(error: CmsError) -> Self {
        match error {
            CmsError::Io(inner) => inner,
            CmsError::Truncated => Self::new(io::ErrorKind::UnexpectedEof, CmsError::Truncated),
            other => Self::new(io::ErrorKind::InvalidData, other),
        }
    }
}

#[cfg(test)]
mod tests;
