//! RSA key transport: how the content key gets to the recipient.
//!
//! Spec: documents and packaging, 8.2.

use aws_lc_rs::rsa::{
    OAEP_SHA1_MGF1SHA1, OAEP_SHA256_MGF1SHA256, OAEP_SHA384_MGF1SHA384, OAEP_SHA512_MGF1SHA512, OaepAlgorithm,
    OaepPublicEncryptingKey, Pkcs1PublicEncryptingKey,
};
use zeroize::Zeroizing;

use super::CmsError;
use super::content::fresh_key;
use super::der::{CONTEXT_0, CONTEXT_1, Cursor, OCTET_STRING, OID, SEQUENCE};
use super::oid;
use crate::keystore::PrivateKey;
use crate::x509::Certificate;

/// How a content key is encrypted for the recipient.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyTransport {
    /// RSAES-OAEP with SHA-256 and MGF1-SHA-256, empty label.
    RsaOaepSha256,
    /// RSAES-PKCS1-v1_5, for peers that cannot do OAEP.
    RsaPkcs1v15,
}

impl KeyTransport {
    /// The whole AlgorithmIdentifier in DER.
    pub(super) fn algorithm(self) -> &'static [u8] {
        match self {
            Self::RsaOaepSha256 => oid::ALG_OAEP_SHA256,
            Self::RsaPkcs1v15 => oid::ALG_RSA,
        }
    }

    pub(super) fn encrypt(self, recipient: &Certificate, content_key: &[u8]) -> Result<Vec<u8>, CmsError> {
        let public = recipient
            .rsa_public_key()
            .ok_or_else(|| CmsError::UnusableCertificate {
                serial: recipient.serial(),
            })?;
        let mut out = vec![0u8; public.key_size_bytes()];
        let written = match self {
            Self::RsaOaepSha256 => OaepPublicEncryptingKey::new(public).and_then(|key| {
                key.encrypt(&OAEP_SHA256_MGF1SHA256, content_key, &mut out, None)
                    .map(|w| w.len())
            }),
            Self::RsaPkcs1v15 => Pkcs1PublicEncryptingKey::new(public)
                .and_then(|key| key.encrypt(content_key, &mut out).map(|w| w.len())),
        }
        .map_err(|_| CmsError::Crypto("RSA encryption"))?;
        out.truncate(written);
        Ok(out)
    }
}

/// Key transport as a message states it.
pub(super) enum StatedTransport {
    Oaep(&'static OaepAlgorithm),
    Pkcs1,
}

impl StatedTransport {
    /// Reads an AlgorithmIdentifier in DER. Absent OAEP parameters mean SHA-1 throughout (RFC 8017, A.2.1).
    pub(super) fn parse(der: &[u8]) -> Result<Self, CmsError> {
        let whole = Cursor::new(der).expect(SEQUENCE, "keyEncryptionAlgorithm")?;
        let mut fields = Cursor::new(whole.value);
        match fields.expect(OID, "keyEncryptionAlgorithm")?.value {
            oid::RSA_ENCRYPTION => Ok(Self::Pkcs1),
            oid::RSA_OAEP => Ok(Self::Oaep(oaep_parameters(fields)?)),
            other => Err(CmsError::UnsupportedKeyTransport(oid::dotted(other))),
        }
    }

    /// Decrypts a content key. `None` when OAEP says that the key does not fit.
    ///
    /// PKCS#1 v1.5 never fails: a wrong block gives a random key, so that whoever sends altered messages learns
    /// nothing from the answer (RFC 5246, 7.4.7.1 in spirit; Bleichenbacher 1998).
    pub(super) fn decrypt(
        &self,
        key: &PrivateKey,
        encrypted: &[u8],
        key_length: usize,
    ) -> Result<Option<Zeroizing<Vec<u8>>>, CmsError> {
        match self {
            Self::Oaep(algorithm) => Ok(key
                .decrypt_oaep(algorithm, encrypted)
                .filter(|content_key| content_key.len() == key_length)),
            Self::Pkcs1 => {
                let fallback = fresh_key(key_length)?;
                Ok(Some(match key.decrypt_pkcs1(encrypted) {
                    Some(content_key) if content_key.len() == key_length => content_key,
                    _ => fallback,
                }))
            }
        }
    }
}

fn oaep_parameters(mut fields: Cursor<'_>) -> Result<&'static OaepAlgorithm, CmsError> {
    const WHAT: &str = "the parameters of RSAES-OAEP";
    let (mut hash, mut mask_hash) = (oid::SHA1, oid::SHA1);
    if let Some(parameters) = fields.optional(SEQUENCE)? {
        let mut parameters = Cursor::new(parameters.value);
        if let Some(stated) = parameters.optional(CONTEXT_0)? {
            hash = algorithm_oid(stated.value, WHAT)?.0;
        }
        if let Some(stated) = parameters.optional(CONTEXT_1)? {
            let (function, mut inner) = algorithm_oid(stated.value, WHAT)?;
            if function != oid::MGF1 {
                return Err(CmsError::UnsupportedKeyTransport(format!(
                    "RSAES-OAEP with mask function {}",
                    oid::dotted(function)
                )));
            }
            mask_hash = algorithm_oid(inner.expect(SEQUENCE, WHAT)?.whole, WHAT)?.0;
        }
        if let Some(stated) = parameters.optional(0xA2)? {
            let (source, mut inner) = algorithm_oid(stated.value, WHAT)?;
            let label = inner.optional(OCTET_STRING)?.map_or(&[][..], |t| t.value);
            if source != oid::P_SPECIFIED || !label.is_empty() {
                return Err(CmsError::UnsupportedKeyTransport("RSAES-OAEP with a label".to_owned()));
            }
        }
        parameters.end(WHAT)?;
    }
    match (hash, mask_hash) {
        (oid::SHA1, oid::SHA1) => Ok(&OAEP_SHA1_MGF1SHA1),
        (oid::SHA256, oid::SHA256) => Ok(&OAEP_SHA256_MGF1SHA256),
        (oid::SHA384, oid::SHA384) => Ok(&OAEP_SHA384_MGF1SHA384),
        (oid::SHA512, oid::SHA512) => Ok(&OAEP_SHA512_MGF1SHA512),
        _ => Err(CmsError::UnsupportedKeyTransport(format!(
            "RSAES-OAEP with hash {} and MGF1 hash {}; the two must be the same of SHA-1, SHA-256, SHA-384, SHA-512",
            oid::dotted(hash),
            oid::dotted(mask_hash)
        ))),
    }
}

/// The object identifier of an AlgorithmIdentifier, and what follows it.
fn algorithm_oid<'a>(der: &'a [u8], what: &'static str) -> Result<(&'a [u8], Cursor<'a>), CmsError> {
    let whole = Cursor::new(der).expect(SEQUENCE, what)?;
    let mut fields = Cursor::new(whole.value);
    let identifier = fields.expect(OID, what)?.value;
    Ok((identifier, fields))
}
