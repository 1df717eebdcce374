//! Keystores: a private RSA key with its certificates, from PKCS#12, PEM or JWK.
//!
//! Spec: documents and packaging, 10.1. The key password is the keystore password.

mod jwk;
mod pkcs12;
mod private_key;
#[cfg(test)]
pub(crate) mod testing;

pub use private_key::PrivateKey;

use zeroize::Zeroizing;

use crate::x509::{Certificate, CertificateError, pem};

/// Why a keystore gave no identity. Never holds a password or key bytes.
#[derive(Debug, thiserror::Error)]
pub enum KeystoreError {
    /// The password does not open the keystore.
    #[error("the keystore does not open with this password")]
    WrongPassword,
    /// Not a PKCS#12 keystore, or a damaged one.
    #[error("the keystore is not valid PKCS#12: {0}")]
    MalformedPkcs12(String),
    /// PKCS#12 with an algorithm that is not supported.
    #[error("the keystore uses an algorithm that is not supported: {0}")]
    Unsupported(String),
    /// No private key at all.
    #[error("the keystore holds no private key")]
    NoKey,
    /// No key under the alias asked for.
    #[error("the keystore has no key with alias '{wanted}'; it has: {}", found.join(", "))]
    UnknownAlias {
        /// Alias asked for.
        wanted: String,
        /// Aliases of the keys that the keystore holds.
        found: Vec<String>,
    },
    /// Several keys and no alias to choose by.
    #[error("the keystore holds several keys; choose one by alias: {}", .0.join(", "))]
    AliasNeeded(Vec<String>),
    /// The PEM key is protected by a password.
    #[error("the PEM private key is encrypted; use PKCS#12 for a key with a password")]
    EncryptedPem,
    /// The key is not RSA of 2048 to 8192 bits.
    #[error("the private key is not a valid RSA key of 2048 to 8192 bits")]
    UnsupportedKey,
    /// None of the certificates belongs to the key.
    #[error("the keystore holds no certificate for its private key")]
    NoCertificate,
    /// Not a private RSA key in JWK form; the text names the member at fault.
    #[error("the JWK is not a private RSA key: {0}")]
    MalformedJwk(String),
    /// A certificate could not be read.
    #[error(transparent)]
    Certificate(#[from] CertificateError),
}

/// A private key and the certificates that vouch for it, the key's own first. They belong together: an `Identity`
/// cannot be made of a key and a foreign certificate.
#[derive(Clone)]
pub struct Identity {
    key: PrivateKey,
    chain: Vec<Certificate>,
}

impl Identity {
    /// Puts a key and its certificates together. They may come in any order; the key's own certificate goes first
    /// (of several, the one valid longest), then each issuer. Certificates outside the chain are dropped.
    pub fn new(key: PrivateKey, certificates: &[Certificate]) -> Result<Self, KeystoreError> {
        let own = certificates
            .iter()
            .filter(|c| c.holds_key(key.public_key()))
            .max_by_key(|c| c.not_after())
            .ok_or(KeystoreError::NoCertificate)?;
        let mut chain = vec![own.clone()];
        let mut last = own;
        while !last.is_self_issued() {
            let issuer = certificates
                .iter()
                .find(|c| last.names_as_issuer(c) && !chain.contains(c));
            let Some(issuer) = issuer else { break };
            chain.push(issuer.clone());
            last = issuer;
        }
        Ok(Self { key, chain })
    }

    /// The private key.
    pub fn key(&self) -> &PrivateKey {
        &self.key
    }

    /// The key's own certificate.
    pub fn certificate(&self) -> &Certificate {
        // `new` is the only way to make an identity, and it puts a certificate in.
        &self.chain[0]
    }

    /// The key's own certificate, then each issuer as far as known.
    pub fn chain(&self) -> &[Certificate] {
        &self.chain
    }
}

impl std::fmt::Debug for Identity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Identity")
            .field("certificate", self.certificate())
            .finish_non_exhaustive()
    }
}

/// A key of any kind and the certificates that lie beside it, for a library that does its own cryptography, such as TLS.
pub struct KeyMaterial {
    /// PKCS#8 PrivateKeyInfo in DER.
    pub key: Zeroizing<Vec<u8>>,
    /// All certificates of the keystore, in its order. They need not belong to the key.
    pub certificates: Vec<Certificate>,
}

/// Readers of keystore formats.
#[derive(Debug)]
pub struct Keystore;

impl Keystore {
    /// Reads the key with this alias (compared without regard to case, as Java does) from a PKCS#12 keystore,
    /// legacy or modern encryption. Without an alias there must be exactly one key. Expired certificates are
    /// accepted; look at [`Certificate::not_after`].
    pub fn from_pkcs12(bytes: &[u8], password: &str, alias: Option<&str>) -> Result<Identity, KeystoreError> {
        pkcs12::read(bytes, password, alias)
    }

    /// The same for a key that need not be RSA, as bytes. Whether key and certificates belong together is for the caller to
    /// see.
    pub fn material_from_pkcs12(
        bytes: &[u8],
        password: &str,
        alias: Option<&str>,
    ) -> Result<KeyMaterial, KeystoreError> {
        pkcs12::material(bytes, password, alias)
    }

    /// Reads a PEM text with one private key (PKCS#8 or PKCS#1, not encrypted) and its certificates in any order.
    pub fn from_pem(text: &[u8]) -> Result<Identity, KeystoreError> {
        let mut key = None;
        let mut certificates = Vec::new();
        for block in pem::blocks(text)? {
            match block.label.as_str() {
                "CERTIFICATE" => certificates.push(Certificate::from_der(&block.der)?),
                "ENCRYPTED PRIVATE KEY" => return Err(KeystoreError::EncryptedPem),
                _ if block.has_headers => return Err(KeystoreError::EncryptedPem),
                "PRIVATE KEY" if key.is_none() => key = Some(PrivateKey::from_pkcs8(&block.der)?),
                "RSA PRIVATE KEY" if key.is_none() => key = Some(PrivateKey::from_pkcs1(&block.der)?),
                "PRIVATE KEY" | "RSA PRIVATE KEY" => {
                    return Err(KeystoreError::Unsupported(
                        "more than one private key in a PEM text".to_owned(),
                    ));
                }
                _ => {}
            }
        }
        Identity::new(key.ok_or(KeystoreError::NoKey)?, &certificates)
    }

    /// Reads a private RSA key in JWK form (RFC 7517, 7518 section 6.3.2), with its `kid` if it has one.
    pub fn from_jwk(json: &[u8]) -> Result<(PrivateKey, Option<String>), KeystoreError> {
        jwk::read(json)
    }
}

#[cfg(test)]
mod tests;
