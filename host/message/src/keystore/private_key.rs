//! A private RSA key: signs, decrypts, never shows itself.

use std::sync::Arc;

use aws_lc_rs::encoding::AsDer as _;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{
    KeyPair, OaepAlgorithm, OaepPrivateDecryptingKey, Pkcs1PrivateDecryptingKey, PrivateDecryptingKey,
    PublicEncryptingKey,
};
use aws_lc_rs::signature::RSA_PKCS1_SHA256;
use zeroize::Zeroizing;

use super::KeystoreError;

/// A private RSA key of 2048 to 8192 bits. Cheap to clone; the key bytes stay inside the cryptographic library,
/// which wipes them when the last clone goes.
#[derive(Clone)]
pub struct PrivateKey(Arc<Inner>);

struct Inner {
    signing: KeyPair,
    decrypting: PrivateDecryptingKey,
    public: PublicEncryptingKey,
}

impl PrivateKey {
    /// Reads a PKCS#8 PrivateKeyInfo in DER.
    pub fn from_pkcs8(der: &[u8]) -> Result<Self, KeystoreError> {
        let signing = KeyPair::from_pkcs8(der).map_err(|_| KeystoreError::UnsupportedKey)?;
        let decrypting = PrivateDecryptingKey::from_pkcs8(der).map_err(|_| KeystoreError::UnsupportedKey)?;
        let public = decrypting.public_key();
        Ok(Self(Arc::new(Inner {
            signing,
            decrypting,
            public,
        })))
    }

    /// Reads a PKCS#1 RSAPrivateKey in DER.
    pub fn from_pkcs1(der: &[u8]) -> Result<Self, KeystoreError> {
        let pair = KeyPair::from_der(der).map_err(|_| KeystoreError::UnsupportedKey)?;
        let pkcs8 = pair.as_der().map_err(|_| KeystoreError::UnsupportedKey)?;
        Self::from_pkcs8(pkcs8.as_ref())
    }

    /// RSASSA-PKCS1-v1_5 with SHA-256 over `message` (RS256 of JWS). `None` if the library refuses.
    pub fn sign_rs256(&self, message: &[u8]) -> Option<Vec<u8>> {
        let mut signature = vec![0u8; self.0.signing.public_modulus_len()];
        self.0
            .signing
            .sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), message, &mut signature)
            .ok()?;
        Some(signature)
    }

    /// Size of the modulus in bits.
    pub fn bits(&self) -> usize {
        self.0.decrypting.key_size_bits()
    }

    /// SubjectPublicKeyInfo in DER of the public half.
    pub fn public_key_der(&self) -> Option<Vec<u8>> {
        self.0.public.as_der().ok().map(|der| der.as_ref().to_vec())
    }

    pub(crate) fn public_key(&self) -> &PublicEncryptingKey {
        &self.0.public
    }

    pub(crate) fn decrypt_oaep(&self, algorithm: &'static OaepAlgorithm, cipher: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
        let key = OaepPrivateDecryptingKey::new(self.0.decrypting.clone()).ok()?;
        let mut out = Zeroizing::new(vec![0u8; key.min_output_size()]);
        let length = key.decrypt(algorithm, cipher, &mut out, None).ok()?.len();
        out.truncate(length);
        Some(out)
    }

    /// The caller must not let anybody see whether this gave `None`.
    pub(crate) fn decrypt_pkcs1(&self, cipher: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
        let key = Pkcs1PrivateDecryptingKey::new(self.0.decrypting.clone()).ok()?;
        let mut out = Zeroizing::new(vec![0u8; key.min_output_size()]);
        let length = key.decrypt(cipher, &mut out).ok()?.len();
        out.truncate(length);
        Some(out)
    }
}

impl std::fmt::Debug for PrivateKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "PrivateKey(RSA {})", self.bits())
    }
}
