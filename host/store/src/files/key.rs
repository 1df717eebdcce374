//! The key that everything at rest is encrypted with.
//!
//! Thirty-two random bytes, made at the first start and kept in the data folder as `store.key`: CMS EnvelopedData to the
//! organisation's own certificate, so the folder is of no use to anybody without the organisation's private key, and an
//! operator who has the key can open it with openssl. A new organisation key needs only this one file rewritten.

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::sync::Arc;

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use aws_lc_rs::{hkdf, rand};
use budstikke_message::cms::{ContentCipher, EnvelopeReader, EnvelopeWriter, KeyTransport};
use budstikke_message::keystore::Identity;
use zeroize::{Zeroize, Zeroizing};

pub(super) const SALT: usize = 16;
const KEY: usize = 32;

/// Why the key cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// The file cannot be read or written.
    #[error("{path}: {error}")]
    Io {
        /// The file.
        path: String,
        /// What the system said.
        error: io::Error,
    },
    /// The organisation's key does not open it.
    #[error(
        "{path} cannot be opened with the organisation's key ({reason}). It was made with another keystore: put the old \
         keystore back, or move the data folder away to start with an empty one"
    )]
    NotOurs {
        /// The file.
        path: String,
        /// What the decryption said.
        reason: String,
    },
}

/// The store's key. Cheap to clone; cleared from memory with the last clone.
#[derive(Clone)]
pub struct StoreKey(Arc<Zeroizing<[u8; KEY]>>);

impl StoreKey {
    /// Reads the key file, or makes it.
    pub fn open_or_create(path: &Path, owner: &Identity) -> Result<Self, KeyError> {
        let io_error = |error| KeyError::Io {
            path: path.display().to_string(),
            error,
        };
        match fs::read(path) {
            Ok(sealed) => Self::unwrap(path, &sealed, owner),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let mut bytes = [0; KEY];
                rand::fill(&mut bytes).map_err(|_| io_error(io::Error::other("no random bytes")))?;
                let key = Self::from_bytes(bytes);
                bytes.zeroize();
                let sealed = key.wrap(owner).map_err(io_error)?;
                write_once(path, &sealed).map_err(io_error)?;
                Ok(key)
            }
            Err(error) => Err(io_error(error)),
        }
    }

    pub(super) fn from_bytes(bytes: [u8; KEY]) -> Self {
        Self(Arc::new(Zeroizing::new(bytes)))
    }

    fn wrap(&self, owner: &Identity) -> io::Result<Vec<u8>> {
        let mut writer = EnvelopeWriter::new(
            Vec::new(),
            owner.certificate(),
            KeyTransport::RsaOaepSha256,
            ContentCipher::Aes256Cbc,
        )
        .map_err(io::Error::other)?;
        writer.write_all(&self.0[..])?;
        writer.finish().map_err(io::Error::other)
    }

    fn unwrap(path: &Path, sealed: &[u8], owner: &Identity) -> Result<Self, KeyError> {
        let not_ours = |reason: String| KeyError::NotOurs {
            path: path.display().to_string(),
            reason,
        };
        let mut reader = EnvelopeReader::open(sealed, owner).map_err(|error| not_ours(error.to_string()))?;
        let mut plain = Zeroizing::new(Vec::new());
        reader
            .read_to_end(&mut plain)
            .map_err(|error| not_ours(error.to_string()))?;
        let bytes: [u8; KEY] = plain
            .as_slice()
            .try_into()
            .map_err(|_| not_ours(format!("it holds {} bytes", plain.len())))?;
        Ok(Self::from_bytes(bytes))
    }

    pub(super) fn salt() -> io::Result<[u8; SALT]> {
        let mut salt = [0; SALT];
        rand::fill(&mut salt).map_err(|_| io::Error::other("no random bytes"))?;
        Ok(salt)
    }

    /// The key of one file or value.
    pub(super) fn file_key(&self, salt: &[u8]) -> io::Result<LessSafeKey> {
        let failed = |_| io::Error::other("a key could not be derived");
        let mut bytes = Zeroizing::new([0; KEY]);
        hkdf::Salt::new(hkdf::HKDF_SHA256, salt)
            .extract(&self.0[..])
            .expand(&[b"budstikke at rest"], hkdf::HKDF_SHA256)
            .and_then(|key| key.fill(&mut bytes[..]))
            .map_err(failed)?;
        Ok(LessSafeKey::new(
            UnboundKey::new(&AES_256_GCM, &bytes[..]).map_err(failed)?,
        ))
    }

    /// `salt ‖ ciphertext ‖ tag`; the salt makes the key unique, so the nonce can be constant.
    pub(super) fn seal(&self, context: &str, value: &[u8]) -> io::Result<Vec<u8>> {
        let salt = Self::salt()?;
        let mut sealed = value.to_vec();
        self.file_key(&salt)?
            .seal_in_place_append_tag(
                Nonce::assume_unique_for_key([0; NONCE_LEN]),
                Aad::from(context.as_bytes()),
                &mut sealed,
            )
            .map_err(|_| io::Error::other("a value could not be encrypted"))?;
        sealed.splice(..0, salt);
        Ok(sealed)
    }

    pub(super) fn unseal(&self, context: &str, sealed: &[u8]) -> io::Result<Vec<u8>> {
        let damaged = || io::Error::new(io::ErrorKind::InvalidData, "a stored value does not match its tag");
        let (salt, sealed) = sealed.split_at_checked(SALT).ok_or_else(damaged)?;
        let mut value = sealed.to_vec();
        let length = self
            .file_key(salt)?
            .open_in_place(
                Nonce::assume_unique_for_key([0; NONCE_LEN]),
                Aad::from(context.as_bytes()),
                &mut value,
            )
            .map_err(|_| damaged())?
            .len();
        value.truncate(length);
        Ok(value)
    }
}

fn write_once(path: &Path, content: &[u8]) -> io::Result<()> {
    let temporary = path.with_extension("key.new");
    let mut file = File::options()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(&temporary)?;
    file.write_all(content)?;
    file.sync_all()?;
    fs::rename(&temporary, path)?;
    File::open(
        path.parent()
            .filter(|parent| !parent.as_os_str().is_empty())
            .unwrap_or(Path::new(".")),
    )?
    .sync_all()
}
