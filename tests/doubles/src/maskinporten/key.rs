//! Public keys registered for a client: certificates and JWKs.

use aws_lc_rs::signature::{RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents, UnparsedPublicKey};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;
use x509_cert::Certificate;
use x509_cert::der::asn1::ObjectIdentifier;
use x509_cert::der::{DecodePem as _, Encode as _};

use crate::organisation::Organisation;

/// Where a *virksomhetssertifikat* carries the organisation number, and what stands before it: `organizationIdentifier`,
/// and `serialNumber` in older ones.
const NUMBER_ATTRIBUTES: [(ObjectIdentifier, &str); 2] = [
    (ObjectIdentifier::new_unwrap("2.5.4.97"), "NTRNO-"),
    (ObjectIdentifier::new_unwrap("2.5.4.5"), ""),
];

/// A certificate or JWK cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// Not a PEM certificate.
    #[error("the certificate cannot be read: {0}")]
    Certificate(#[from] x509_cert::der::Error),
    /// The subject does not name an organisation.
    #[error("the subject of the certificate has no organisation number (organizationIdentifier or serialNumber)")]
    NoOrganisation,
    /// Not a JWK with `kid`, `n` and `e`.
    #[error("the JWK cannot be read: {0}")]
    Jwk(#[from] serde_json::Error),
    /// The JWK is not an RSA key.
    #[error("the JWK has `kty` other than `RSA`")]
    NotRsa,
    /// `n` or `e` is not Base64.
    #[error("`n` or `e` of the JWK is not URL-safe Base64: {0}")]
    Base64(#[from] base64::DecodeError),
}

/// A key that a client signs with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum PublicKey {
    /// The DER of the certificate and its PKCS#1 public key.
    Certificate { der: Vec<u8>, key: Vec<u8> },
    /// A key without a certificate, by name.
    Jwk { kid: String, n: Vec<u8>, e: Vec<u8> },
}

#[derive(Deserialize)]
struct Jwk {
    kty: String,
    kid: String,
    n: String,
    e: String,
}

impl PublicKey {
    pub(crate) fn from_certificate_pem(pem: &str) -> Result<Self, KeyError> {
        let certificate = Certificate::from_pem(pem)?;
        let key = certificate
            .tbs_certificate()
            .subject_public_key_info()
            .subject_public_key
            .raw_bytes()
            .to_vec();
        Ok(Self::Certificate {
            der: certificate.to_der()?,
            key,
        })
    }

    /// The organisation number in the subject of the certificate.
    pub(crate) fn organisation_of_pem(pem: &str) -> Result<Organisation, KeyError> {
        let certificate = Certificate::from_pem(pem)?;
        let attributes = certificate.tbs_certificate().subject().iter();
        let mut numbers = attributes.filter_map(|attribute| {
            let prefix = NUMBER_ATTRIBUTES.iter().find(|(oid, _)| *oid == attribute.oid)?.1;
            let text = std::str::from_utf8(attribute.value.value()).ok()?;
            text.strip_prefix(prefix)?.parse().ok()
        });
        numbers.next().ok_or(KeyError::NoOrganisation)
    }

    pub(crate) fn from_jwk(json: &str) -> Result<Self, KeyError> {
        let jwk: Jwk = serde_json::from_str(json)?;
        if jwk.kty != "RSA" {
            return Err(KeyError::NotRsa);
        }
        Ok(Self::Jwk {
            kid: jwk.kid,
            n: URL_SAFE_NO_PAD.decode(jwk.n)?,
            e: URL_SAFE_NO_PAD.decode(jwk.e)?,
        })
    }

    /// Whether `signature` is the RS256 signature of `message`.
    pub(crate) fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        match self {
            Self::Certificate { key, .. } => UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, key)
                .verify(message, signature)
                .is_ok(),
            Self::Jwk { n, e, .. } => RsaPublicKeyComponents { n, e }
                .verify(&RSA_PKCS1_2048_8192_SHA256, message, signature)
                .is_ok(),
        }
    }
}
