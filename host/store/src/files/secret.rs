//! Thirty-two secret bytes, and what is done with them.

use std::io;
use std::sync::Arc;

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use aws_lc_rs::{hkdf, rand};
use zeroize::Zeroizing;

/// Bytes of a salt.
pub(super) const SALT: usize = 16;
const SECRET: usize = 32;

/// What a derived key is for. Keys for different uses differ even under the same salt.
#[derive(Clone, Copy)]
pub(super) enum Use {
    /// The content of one file.
    File,
    /// One small value.
    Value,
    /// One message's key.
    MessageKey,
}

impl Use {
    fn label(self) -> &'static [u8] {
        match self {
            Self::File => b"budstikke file",
            Self::Value => b"budstikke value",
            Self::MessageKey => b"budstikke message key",
        }
    }
}

/// Cheap to clone; cleared from memory with the last clone. Never shown.
#[derive(Clone)]
pub(super) struct Secret(Arc<Zeroizing<[u8; SECRET]>>);

impl Secret {
    pub(super) fn generate() -> io::Result<Self> {
        let mut bytes = Zeroizing::new([0; SECRET]);
        fill(&mut bytes[..])?;
        Ok(Self(Arc::new(bytes)))
    }

    /// None when these are not as many bytes as a secret has.
    pub(super) fn from_slice(bytes: &[u8]) -> Option<Self> {
        let mut secret = Zeroizing::new([0; SECRET]);
        if bytes.len() != SECRET {
            return None;
        }
        secret.copy_from_slice(bytes);
        Some(Self(Arc::new(secret)))
    }

    pub(super) fn bytes(&self) -> &[u8] {
        &self.0[..]
    }

    pub(super) fn salt() -> io::Result<[u8; SALT]> {
        let mut salt = [0; SALT];
        fill(&mut salt)?;
        Ok(salt)
    }

    /// A key for one file or value.
    pub(super) fn derive(&self, purpose: Use, salt: &[u8]) -> io::Result<LessSafeKey> {
        let failed = |_| io::Error::other("a key could not be derived");
        let mut bytes = Zeroizing::new([0; SECRET]);
        hkdf::Salt::new(hkdf::HKDF_SHA256, salt)
            .extract(self.bytes())
            .expand(&[purpose.label()], hkdf::HKDF_SHA256)
            .and_then(|key| key.fill(&mut bytes[..]))
            .map_err(failed)?;
        Ok(LessSafeKey::new(
            UnboundKey::new(&AES_256_GCM, &bytes[..]).map_err(failed)?,
        ))
    }

    /// `salt ‖ ciphertext ‖ tag`; the salt makes the key unique, so the nonce can be constant.
    pub(super) fn seal(&self, purpose: Use, context: &str, value: &[u8]) -> io::Result<Vec<u8>> {
        let salt = Self::salt()?;
        let mut sealed = value.to_vec();
        self.derive(purpose, &salt)?
            .seal_in_place_append_tag(nonce(), Aad::from(context.as_bytes()), &mut sealed)
            .map_err(|_| io::Error::other("a value could not be encrypted"))?;
        sealed.splice(..0, salt);
        Ok(sealed)
    }

    pub(super) fn unseal(&self, purpose: Use, context: &str, sealed: &[u8]) -> io::Result<Zeroizing<Vec<u8>>> {
        let damaged = || io::Error::new(io::ErrorKind::InvalidData, "a stored value does not match its tag");
        let (salt, sealed) = sealed.split_at_checked(SALT).ok_or_else(damaged)?;
        let mut value = Zeroizing::new(sealed.to_vec());
        let length = self
            .derive(purpose, salt)?
            .open_in_place(nonce(), Aad::from(context.as_bytes()), &mut value)
            .map_err(|_| damaged())?
            .len();
        value.truncate(length);
        Ok(value)
    }
}

fn nonce() -> Nonce {
    Nonce::assume_unique_for_key([0; NONCE_LEN])
}

fn fill(bytes: &mut [u8]) -> io::Result<()> {
    rand::fill(bytes).map_err(|_| io::Error::other("the system gave no random bytes"))
}
