//! Verifies detached SignedData, DER or BER.
//!
//! Spec: documents and packaging, 7.3. There is no chain or trust check: the caller gets the signer's certificate.

use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::digest;
use aws_lc_rs::signature::{
    RSA_PKCS1_2048_8192_SHA1_FOR_LEGACY_USE_ONLY, RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_2048_8192_SHA384,
    RSA_PKCS1_2048_8192_SHA512, RsaParameters, UnparsedPublicKey,
};
use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::Offset;

use super::CmsError;
use super::ber;
use super::der::{
    CONTEXT_0, CONTEXT_1, Cursor, GENERALIZED_TIME, INTEGER, OCTET_STRING, OID, SEQUENCE, SET, UTC_TIME, tlv,
};
use super::oid;
use crate::x509::{Certificate, CertificateError};

/// Largest signature accepted, in bytes. Real ones are below 20 KiB.
const MAX_SIGNATURE: usize = 16 * 1024 * 1024;
const MAX_SIGNERS: usize = 16;
const MAX_CERTIFICATES: usize = 64;

/// One signature that was found valid.
#[derive(Clone, Debug)]
pub struct VerifiedSignature {
    /// The certificate that the signature names, with the key that made it. It comes from the message itself and
    /// the signature does not cover it, so its subject is a claim until the caller has checked who issued it.
    pub signer: Certificate,
    /// The claimed time of signing.
    pub signing_time: Option<Timestamp>,
    /// Digest algorithm: `SHA-1`, `SHA-256`, `SHA-384` or `SHA-512`.
    pub digest: &'static str,
}

/// Verifies a detached signature over `content`. **Every** signer must verify, and there must be at least one.
pub fn verify_detached(signature: &[u8], content: &[u8]) -> Result<Vec<VerifiedSignature>, CmsError> {
    let der = ber::to_der(signature, "SignedData", MAX_SIGNATURE)?;
    let signed_data = open(&der)?;
    let mut fields = Cursor::new(signed_data);
    fields.expect(INTEGER, "the version of SignedData")?;
    fields.expect(SET, "digestAlgorithms")?;
    let encapsulated = fields.expect(SEQUENCE, "encapContentInfo")?;
    let content_type = Cursor::new(encapsulated.value).expect(OID, "eContentType")?.value;
    let certificates = Certificates::read(fields.optional(CONTEXT_0)?.map_or(&[][..], |t| t.value))?;
    fields.optional(CONTEXT_1)?;
    let signers = fields.expect(SET, "signerInfos")?;
    fields.end("SignedData")?;

    let mut verified = Vec::new();
    let mut signers = Cursor::new(signers.value);
    while let Some(signer) = signers.next()? {
        if signer.tag != SEQUENCE || verified.len() == MAX_SIGNERS {
            return Err(CmsError::Malformed("signerInfos"));
        }
        verified.push(verify_signer(signer.value, content, content_type, &certificates)?);
    }
    if verified.is_empty() {
        Err(CmsError::NoSigner)
    } else {
        Ok(verified)
    }
}

fn open(der: &[u8]) -> Result<&[u8], CmsError> {
    let outer = Cursor::new(der).expect(SEQUENCE, "ContentInfo")?;
    let mut fields = Cursor::new(outer.value);
    let kind = fields.expect(OID, "contentType")?.value;
    if kind != oid::SIGNED_DATA {
        return Err(CmsError::ContentType {
            expected: "signedData",
            found: oid::dotted(kind),
        });
    }
    let explicit = fields.expect(CONTEXT_0, "the content of ContentInfo")?;
    fields.end("ContentInfo")?;
    let mut inner = Cursor::new(explicit.value);
    let signed_data = inner.expect(SEQUENCE, "SignedData")?;
    inner.end("the content of ContentInfo")?;
    Ok(signed_data.value)
}

/// The certificates that came along. One that cannot be read matters only if the signer's is not found.
struct Certificates {
    read: Vec<Certificate>,
    unreadable: Option<CertificateError>,
}

impl Certificates {
    fn read(set: &[u8]) -> Result<Self, CmsError> {
        let mut elements = Cursor::new(set);
        let mut certificates = Self {
            read: Vec::new(),
            unreadable: None,
        };
        while let Some(element) = elements.next()? {
            // Other choices (attribute certificates) are context-tagged and of no use here.
            if element.tag != SEQUENCE {
                continue;
            }
            if certificates.read.len() == MAX_CERTIFICATES {
                return Err(CmsError::TooLarge("certificates"));
            }
            match Certificate::from_der(element.whole) {
                Ok(certificate) => certificates.read.push(certificate),
                Err(error) => certificates.unreadable = Some(error),
            }
        }
        Ok(certificates)
    }

    fn find(&self, is_signer: impl Fn(&Certificate) -> bool) -> Result<&Certificate, CmsError> {
        let missing = || {
            self.unreadable
                .clone()
                .map_or(CmsError::NoSignerCertificate, CmsError::Certificate)
        };
        self.read.iter().find(|c| is_signer(c)).ok_or_else(missing)
    }
}

fn verify_signer(
    signer: &[u8],
    content: &[u8],
    content_type: &[u8],
    certificates: &Certificates,
) -> Result<VerifiedSignature, CmsError> {
    let mut fields = Cursor::new(signer);
    fields.expect(INTEGER, "the version of a signer")?;
    let certificate = if let Some(sid) = fields.optional(SEQUENCE)? {
        certificates.find(|c| c.issuer_and_serial() == sid.whole)?
    } else {
        let identifier = fields.expect(0x80, "the identifier of a signer")?.value;
        certificates.find(|c| c.subject_key_identifier() == Some(identifier))?
    };
    let digest_algorithm = fields.expect(SEQUENCE, "digestAlgorithm")?.whole;
    let signed_attributes = fields.optional(CONTEXT_0)?;
    let signature_algorithm = fields.expect(SEQUENCE, "signatureAlgorithm")?.whole;
    let signature = fields.expect(OCTET_STRING, "signature")?.value;
    fields.optional(CONTEXT_1)?;
    fields.end("a signer")?;

    let hash = Hash::of(digest_algorithm, signature_algorithm)?;
    let content_digest = digest::digest(hash.digest, content);
    let (signed_bytes, signing_time) = match signed_attributes {
        // Without attributes the content itself is signed, and then it must be plain data (RFC 5652, 5.3).
        None if content_type == oid::DATA => (content.to_vec(), None),
        None => {
            return Err(CmsError::Attributes(
                "there are none, but the content is not plain data",
            ));
        }
        Some(attributes) => {
            let attributes = Attributes::read(attributes.value)?;
            attributes.check(
                content_type,
                content_digest.as_ref(),
                digest_algorithm,
                signature_algorithm,
            )?;
            let signing_time = attributes.signing_time()?;
            if signing_time.is_some_and(|at| !certificate.is_valid_at(at)) {
                return Err(CmsError::SigningTime {
                    serial: certificate.serial(),
                });
            }
            (attributes.as_signed(), signing_time)
        }
    };
    UnparsedPublicKey::new(hash.rsa, certificate.public_key_der())
        .verify(&signed_bytes, signature)
        .map_err(|_| CmsError::InvalidSignature)?;
    Ok(VerifiedSignature {
        signer: certificate.clone(),
        signing_time,
        digest: hash.name,
    })
}

struct Hash {
    name: &'static str,
    oid: &'static [u8],
    /// Signature algorithm identifier that names hash and RSA at once.
    with_rsa: &'static [u8],
    digest: &'static digest::Algorithm,
    rsa: &'static RsaParameters,
}

static HASHES: [Hash; 4] = [
    Hash {
        name: "SHA-1",
        oid: oid::SHA1,
        with_rsa: oid::SHA1_WITH_RSA,
        digest: &digest::SHA1_FOR_LEGACY_USE_ONLY,
        rsa: &RSA_PKCS1_2048_8192_SHA1_FOR_LEGACY_USE_ONLY,
    },
    Hash {
        name: "SHA-256",
        oid: oid::SHA256,
        with_rsa: oid::SHA256_WITH_RSA,
        digest: &digest::SHA256,
        rsa: &RSA_PKCS1_2048_8192_SHA256,
    },
    Hash {
        name: "SHA-384",
        oid: oid::SHA384,
        with_rsa: oid::SHA384_WITH_RSA,
        digest: &digest::SHA384,
        rsa: &RSA_PKCS1_2048_8192_SHA384,
    },
    Hash {
        name: "SHA-512",
        oid: oid::SHA512,
        with_rsa: oid::SHA512_WITH_RSA,
        digest: &digest::SHA512,
        rsa: &RSA_PKCS1_2048_8192_SHA512,
    },
];

impl Hash {
    fn of(digest_algorithm: &[u8], signature_algorithm: &[u8]) -> Result<&'static Self, CmsError> {
        let digest = algorithm_oid(digest_algorithm)?;
        let hash = HASHES
            .iter()
            .find(|h| h.oid == digest)
            .ok_or_else(|| CmsError::UnsupportedSignature(format!("digest {}", oid::dotted(digest))))?;
        let signature = algorithm_oid(signature_algorithm)?;
        if signature == oid::RSA_ENCRYPTION || signature == hash.with_rsa {
            Ok(hash)
        } else {
            Err(CmsError::UnsupportedSignature(format!(
                "{} with {}",
                oid::dotted(signature),
                hash.name
            )))
        }
    }
}

fn algorithm_oid(der: &[u8]) -> Result<&[u8], CmsError> {
    let whole = Cursor::new(der).expect(SEQUENCE, "an AlgorithmIdentifier")?;
    Ok(Cursor::new(whole.value).expect(OID, "an AlgorithmIdentifier")?.value)
}

/// The signed attributes: kind, value and whole encoding of each.
struct Attributes<'a>(Vec<(&'a [u8], &'a [u8], &'a [u8])>);

impl<'a> Attributes<'a> {
    fn read(set: &'a [u8]) -> Result<Self, CmsError> {
        let mut elements = Cursor::new(set);
        let mut attributes = Vec::new();
        while let Some(element) = elements.next()? {
            if element.tag != SEQUENCE || attributes.len() == 64 {
                return Err(CmsError::Malformed("signedAttrs"));
            }
            let mut fields = Cursor::new(element.value);
            let kind = fields.expect(OID, "an attribute's kind")?.value;
            let values = fields.expect(SET, "an attribute's values")?.value;
            fields.end("an attribute")?;
            attributes.push((kind, values, element.whole));
        }
        Ok(Self(attributes))
    }

    /// The one value of the one attribute of this kind. More than one of either contradicts RFC 5652, 11.
    fn single(&self, kind: &[u8]) -> Result<Option<super::der::Tlv<'a>>, CmsError> {
        let mut found = self.0.iter().filter(|a| a.0 == kind);
        let Some(attribute) = found.next() else { return Ok(None) };
        let mut values = Cursor::new(attribute.1);
        match (found.next(), values.next()?, values.next()?) {
            (None, Some(value), None) => Ok(Some(value)),
            _ => Err(CmsError::Attributes("one that must be single is not")),
        }
    }

    fn check(
        &self,
        content_type: &[u8],
        content_digest: &[u8],
        digest_algorithm: &[u8],
        signature_algorithm: &[u8],
    ) -> Result<(), CmsError> {
        let stated = self
            .single(oid::CONTENT_TYPE)?
            .ok_or(CmsError::Attributes("contentType is missing"))?;
        if stated.tag != OID || stated.value != content_type {
            return Err(CmsError::Attributes("contentType is not that of the content"));
        }
        let stated = self
            .single(oid::MESSAGE_DIGEST)?
            .ok_or(CmsError::Attributes("messageDigest is missing"))?;
        if stated.tag != OCTET_STRING || verify_slices_are_equal(stated.value, content_digest).is_err() {
            return Err(CmsError::DigestMismatch);
        }
        if let Some(protection) = self.single(oid::ALGORITHM_PROTECTION)? {
            let mut fields = Cursor::new(protection.value);
            let digest = fields.expect(SEQUENCE, "CMSAlgorithmProtection")?.whole;
            // signatureAlgorithm is [1] IMPLICIT, so only the tag differs (RFC 6211, 2).
            let signature = tlv(SEQUENCE, &[fields.expect(CONTEXT_1, "CMSAlgorithmProtection")?.value]);
            if !same_algorithm(digest, digest_algorithm) || !same_algorithm(&signature, signature_algorithm) {
                return Err(CmsError::Attributes("CMSAlgorithmProtection names other algorithms"));
            }
        }
        Ok(())
    }

    fn signing_time(&self) -> Result<Option<Timestamp>, CmsError> {
        let Some(stated) = self.single(oid::SIGNING_TIME)? else {
            return Ok(None);
        };
        parse_time(stated.tag, stated.value)
            .map(Some)
            .ok_or(CmsError::Attributes("signingTime is not a time"))
    }

    /// The bytes that were signed: DER SET OF, sorted anew because BER senders need not sort.
    fn as_signed(&self) -> Vec<u8> {
        let mut elements: Vec<&[u8]> = self.0.iter().map(|a| a.2).collect();
        elements.sort_unstable();
        tlv(SET, &elements)
    }
}

/// Equal but for absent parameters against NULL, which writers mix.
fn same_algorithm(a: &[u8], b: &[u8]) -> bool {
    let without_null = |der: &[u8]| -> Option<Vec<u8>> {
        let whole = Cursor::new(der).expect(SEQUENCE, "an AlgorithmIdentifier").ok()?;
        Some(whole.value.strip_suffix(&[0x05, 0x00]).unwrap_or(whole.value).to_vec())
    };
    match (without_null(a), without_null(b)) {
        (Some(a), Some(b)) => a == b,
        _ => false,
    }
}

/// UTCTime `YYMMDDHHMMSSZ` or GeneralizedTime `YYYYMMDDHHMMSSZ` (a fraction is passed over).
fn parse_time(tag: u8, value: &[u8]) -> Option<Timestamp> {
    let text = std::str::from_utf8(value).ok()?.strip_suffix('Z')?;
    let digits = text.split_once('.').map_or(text, |(whole, _)| whole);
    if !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let (year, rest) = match (tag, digits.len()) {
        (UTC_TIME, 12) => {
            let short: i16 = digits[..2].parse().ok()?;
            (if short < 50 { 2000 + short } else { 1900 + short }, &digits[2..])
        }
        (GENERALIZED_TIME, 14) => (digits[..4].parse().ok()?, &digits[4..]),
        _ => return None,
    };
    let pair = |at: usize| rest[at..at + 2].parse::<i8>().ok();
    DateTime::new(year, pair(0)?, pair(2)?, pair(4)?, pair(6)?, pair(8)?, 0)
        .ok()
        .and_then(|time| Offset::UTC.to_timestamp(time).ok())
}
