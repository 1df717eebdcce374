//! The two keys: the store's, which only the organisation can open, and one for each message, which only the store's can.
//!
//! Content is encrypted under the key of its message. Whoever removes the wrapped key of a message has erased all that the
//! message holds, also in copies of files that nobody can reach any more, such as backups.

use std::fmt;
use std::io::{self, Read, Write};

use aws_lc_rs::aead::LessSafeKey;
use budstikke_message::cms::{ContentCipher, EnvelopeReader, EnvelopeWriter, KeyTransport};
use budstikke_message::keystore::Identity;
use zeroize::Zeroizing;

use super::secret::{Secret, Use};

/// Why the store's key cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// The system has no random bytes to make a key of.
    #[error("the store key cannot be made: {0}")]
    NotMade(#[source] io::Error),
    /// It cannot be encrypted to the organisation's certificate.
    #[error("the store key cannot be sealed to the organisation's certificate: {0}")]
    NotSealed(String),
    /// The organisation's key does not open it.
    #[error(
        "the store key cannot be opened with the organisation's key ({reason}). It was made with another keystore: put the \
         old keystore back, or start with an empty database"
    )]
    NotOurs {
        /// What the decryption said.
        reason: String,
    },
}

/// The key of one installation, shared by its nodes. Cheap to clone; cleared from memory with the last clone.
#[derive(Clone)]
pub struct StoreKey(Secret);

impl StoreKey {
    /// A new random key.
    pub fn generate() -> Result<Self, KeyError> {
        Secret::generate().map(Self).map_err(KeyError::NotMade)
    }

    /// CMS EnvelopedData to the organisation's own certificate: of no use to anybody without the organisation's private key,
    /// and an operator who has that can open it with `openssl cms -decrypt`. A new organisation key needs only these bytes
    /// sealed again.
    pub fn seal_to(&self, owner: &Identity) -> Result<Vec<u8>, KeyError> {
        let failed = |error: &dyn fmt::Display| KeyError::NotSealed(error.to_string());
        let mut writer = EnvelopeWriter::new(
            Vec::new(),
            owner.certificate(),
            KeyTransport::RsaOaepSha256,
            ContentCipher::Aes256Cbc,
        )
        .map_err(|error| failed(&error))?;
        writer.write_all(self.0.bytes()).map_err(|error| failed(&error))?;
        writer.finish().map_err(|error| failed(&error))
    }

    /// Opens what [`StoreKey::seal_to`] made.
    pub fn open(sealed: &[u8], owner: &Identity) -> Result<Self, KeyError> {
        let not_ours = |reason: String| KeyError::NotOurs { reason };
        let mut reader = EnvelopeReader::open(sealed, owner).map_err(|error| not_ours(error.to_string()))?;
        let mut plain = Zeroizing::new(Vec::new());
        reader
            .read_to_end(&mut plain)
            .map_err(|error| not_ours(error.to_string()))?;
        Secret::from_slice(&plain)
            .map(Self)
            .ok_or_else(|| not_ours(format!("it holds {} bytes", plain.len())))
    }

    /// A message's key for a database column; it opens again only for the same message.
    pub fn wrap(&self, key: &MessageKey, message_id: &str) -> io::Result<Vec<u8>> {
        self.0.seal(Use::MessageKey, message_id, key.0.bytes())
    }

    /// Opens what [`StoreKey::wrap`] made.
    pub fn unwrap(&self, wrapped: &[u8], message_id: &str) -> io::Result<MessageKey> {
        let bytes = self.0.unseal(Use::MessageKey, message_id, wrapped)?;
        Secret::from_slice(&bytes)
            .map(MessageKey)
            .ok_or_else(|| io::Error::new(io::ErrorKind::InvalidData, "a message's key has another length"))
    }

    /// Seals a small value that belongs to no message, such as a webhook's secret. `context` says what it is; it must be the
    /// same when it is opened.
    pub fn seal(&self, context: &str, value: &[u8]) -> io::Result<Vec<u8>> {
        self.0.seal(Use::Value, context, value)
    }

    /// Opens what [`StoreKey::seal`] made.
    pub fn unseal(&self, context: &str, sealed: &[u8]) -> io::Result<Zeroizing<Vec<u8>>> {
        self.0.unseal(Use::Value, context, sealed)
    }
}

/// The key of all content of one message. Cheap to clone; cleared from memory with the last clone.
#[derive(Clone)]
pub struct MessageKey(Secret);

impl MessageKey {
    /// A new random key.
    pub fn generate() -> io::Result<Self> {
        Secret::generate().map(Self)
    }

    /// Seals a small value of the message, such as its SBD, for a database column. `context` says what it is; it must be the
    /// same when it is opened.
    pub fn seal(&self, context: &str, value: &[u8]) -> io::Result<Vec<u8>> {
        self.0.seal(Use::Value, context, value)
    }

    /// Opens what [`MessageKey::seal`] made.
    pub fn unseal(&self, context: &str, sealed: &[u8]) -> io::Result<Zeroizing<Vec<u8>>> {
        self.0.unseal(Use::Value, context, sealed)
    }

    pub(super) fn file_key(&self, salt: &[u8]) -> io::Result<LessSafeKey> {
        self.0.derive(Use::File, salt)
    }

    pub(super) fn salt() -> io::Result<[u8; super::secret::SALT]> {
        Secret::salt()
    }
}

impl fmt::Debug for StoreKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("StoreKey(..)")
    }
}

impl fmt::Debug for MessageKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MessageKey(..)")
    }
}
