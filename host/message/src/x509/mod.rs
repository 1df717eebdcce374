//! X.509 certificates as this system uses them: who is it, which key, how long.
//!
//! No chain or trust check is made here; the caller decides whom to believe.

pub(crate) mod pem;

use aws_lc_rs::digest;
use aws_lc_rs::encoding::AsDer as _;
use aws_lc_rs::rsa::PublicEncryptingKey;
use der::{Decode as _, Tag, Tagged as _, asn1::ObjectIdentifier};
use jiff::Timestamp;

use crate::cms::der::{Cursor, SEQUENCE, tlv};

/// Longest certificate accepted, in bytes.
pub const MAX_CERTIFICATE: usize = 64 * 1024;

/// `organizationIdentifier`, used by certificates from 2021 on: `NTRNO-991825827`.
const ORGANIZATION_IDENTIFIER: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.4.97");
/// `serialNumber` of the subject, used by older virksomhetssertifikater: `991825827`.
const SUBJECT_SERIAL_NUMBER: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.4.5");
const SUBJECT_KEY_IDENTIFIER: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.14");

/// Why a certificate could not be read.
#[derive(Clone, Debug, thiserror::Error)]
pub enum CertificateError {
    /// No `CERTIFICATE` block in the PEM text.
    #[error("the PEM text holds no CERTIFICATE block")]
    NoCertificate,
    /// A PEM block that does not hold base64 or does not end.
    #[error("the PEM text is malformed: {0}")]
    Pem(&'static str),
    /// Longer than [`MAX_CERTIFICATE`] (or, for PEM text, 1 MiB).
    #[error("the certificate is longer than this system accepts")]
    TooLarge,
    /// Not an X.509 certificate in DER.
    #[error("the certificate is not valid X.509: {0}")]
    Malformed(String),
}

/// One X.509 certificate, parsed once and kept with its exact DER bytes.
#[derive(Clone, PartialEq, Eq)]
pub struct Certificate {
    der: Vec<u8>,
    subject: String,
    issuer: String,
    subject_der: Vec<u8>,
    issuer_der: Vec<u8>,
    serial: Vec<u8>,
    public_key: Vec<u8>,
    key_identifier: Option<Vec<u8>>,
    organisation: Option<String>,
    not_before: Timestamp,
    not_after: Timestamp,
}

impl Certificate {
    /// Reads exactly one certificate in DER. Fails on anything behind it.
    pub fn from_der(bytes: &[u8]) -> Result<Self, CertificateError> {
        if bytes.len() > MAX_CERTIFICATE {
            return Err(CertificateError::TooLarge);
        }
        let parsed = x509_cert::Certificate::from_der(bytes).map_err(|e| CertificateError::Malformed(e.to_string()))?;
        let raw =
            RawParts::cut(bytes).ok_or_else(|| CertificateError::Malformed("unexpected field order".to_owned()))?;
        let tbs = parsed.tbs_certificate();
        let validity = tbs.validity();
        let key_identifier = tbs
            .extensions()
            .into_iter()
            .flatten()
            .find(|e| e.extn_id == SUBJECT_KEY_IDENTIFIER)
            .and_then(|e| Cursor::new(e.extn_value.as_bytes()).expect(0x04, "key identifier").ok())
            .map(|t| t.value.to_vec());
        Ok(Self {
            der: bytes.to_vec(),
            subject: tbs.subject().to_string(),
            issuer: tbs.issuer().to_string(),
            subject_der: raw.subject.to_vec(),
            issuer_der: raw.issuer.to_vec(),
            serial: raw.serial.to_vec(),
            public_key: raw.public_key.to_vec(),
            key_identifier,
            organisation: organisation_number(tbs.subject()),
            not_before: timestamp(&validity.not_before)?,
            not_after: timestamp(&validity.not_after)?,
        })
    }

    /// Reads the first `CERTIFICATE` block of a PEM text.
    pub fn from_pem(text: &[u8]) -> Result<Self, CertificateError> {
        let mut all = Self::all_from_pem(text)?;
        if all.is_empty() {
            return Err(CertificateError::NoCertificate);
        }
        Ok(all.swap_remove(0))
    }

    /// Reads every `CERTIFICATE` block of a PEM text, in order; other blocks are passed over.
    pub fn all_from_pem(text: &[u8]) -> Result<Vec<Self>, CertificateError> {
        pem::blocks(text)?
            .iter()
            .filter(|b| b.label == "CERTIFICATE" || b.label == "X509 CERTIFICATE")
            .map(|b| Self::from_der(&b.der))
            .collect()
    }

    /// The DER bytes as they were given.
    pub fn der(&self) -> &[u8] {
        &self.der
    }

    /// The certificate as a PEM block with a final newline.
    pub fn to_pem(&self) -> String {
        pem::encode("CERTIFICATE", &self.der)
    }

    /// Subject in the form of RFC 4514 (`CN=…,O=…,C=NO`).
    pub fn subject(&self) -> &str {
        &self.subject
    }

    /// Issuer in the form of RFC 4514.
    pub fn issuer(&self) -> &str {
        &self.issuer
    }

    /// Serial number in upper-case hexadecimal without leading zeros, as `openssl x509 -serial` shows it.
    pub fn serial(&self) -> String {
        let hex = hex::encode_upper(&self.serial);
        let trimmed = hex.trim_start_matches("00");
        if trimmed.is_empty() {
            "00".to_owned()
        } else {
            trimmed.to_owned()
        }
    }

    /// First instant of validity.
    pub fn not_before(&self) -> Timestamp {
        self.not_before
    }

    /// Last instant of validity.
    pub fn not_after(&self) -> Timestamp {
        self.not_after
    }

    /// Whether `at` lies inside the validity, both ends included.
    pub fn is_valid_at(&self, at: Timestamp) -> bool {
        self.not_before <= at && at <= self.not_after
    }

    /// The nine digits of the organisation that the subject names, by `organizationIdentifier`
    /// (`NTRNO-…`) or else by the subject's `serialNumber`. `None` for other certificates.
    pub fn organisation_number(&self) -> Option<&str> {
        self.organisation.as_deref()
    }

    /// SubjectPublicKeyInfo in DER.
    pub fn public_key_der(&self) -> &[u8] {
        &self.public_key
    }

    /// The key for encryption. `None` unless it is RSA of 2048 to 8192 bits.
    pub fn rsa_public_key(&self) -> Option<PublicEncryptingKey> {
        PublicEncryptingKey::from_der(&self.public_key).ok()
    }

    /// The subject key identifier, where the certificate has one.
    pub fn subject_key_identifier(&self) -> Option<&[u8]> {
        self.key_identifier.as_deref()
    }

    /// `IssuerAndSerialNumber` of RFC 5652, 10.2.4, in DER.
    pub fn issuer_and_serial(&self) -> Vec<u8> {
        tlv(SEQUENCE, &[&self.issuer_der, &tlv(0x02, &[&self.serial])])
    }

    /// Whether `issuer` names itself as this certificate's issuer. Names only, no signature check.
    pub fn names_as_issuer(&self, issuer: &Self) -> bool {
        self.issuer_der == issuer.subject_der
    }

    /// Whether issuer and subject are the same name.
    pub fn is_self_issued(&self) -> bool {
        self.issuer_der == self.subject_der
    }

    /// SHA-256 over the DER bytes, in lower-case hexadecimal.
    pub fn fingerprint(&self) -> String {
        hex::encode(digest::digest(&digest::SHA256, &self.der))
    }

    /// Whether this certificate vouches for the key.
    pub(crate) fn holds_key(&self, public_key: &PublicEncryptingKey) -> bool {
        let Some(own) = self.rsa_public_key() else { return false };
        match (own.as_der(), public_key.as_der()) {
            (Ok(a), Ok(b)) => a.as_ref() == b.as_ref(),
            _ => false,
        }
    }
}

impl std::fmt::Debug for Certificate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Certificate")
            .field("subject", &self.subject)
            .field("serial", &self.serial())
            .field("not_after", &self.not_after)
            .finish_non_exhaustive()
    }
}

/// The exact bytes of the fields that CMS compares. Encoding a parsed name anew could differ from them.
struct RawParts<'a> {
    serial: &'a [u8],
    issuer: &'a [u8],
    subject: &'a [u8],
    public_key: &'a [u8],
}

impl<'a> RawParts<'a> {
    fn cut(der: &'a [u8]) -> Option<Self> {
        let outer = Cursor::new(der).expect(SEQUENCE, "certificate").ok()?;
        let tbs = Cursor::new(outer.value).expect(SEQUENCE, "tbsCertificate").ok()?;
        let mut fields = Cursor::new(tbs.value);
        fields.optional(0xA0).ok()?;
        let serial = fields.expect(0x02, "serialNumber").ok()?.value;
        fields.expect(SEQUENCE, "signature").ok()?;
        let issuer = fields.expect(SEQUENCE, "issuer").ok()?.whole;
        fields.expect(SEQUENCE, "validity").ok()?;
        let subject = fields.expect(SEQUENCE, "subject").ok()?.whole;
        let public_key = fields.expect(SEQUENCE, "subjectPublicKeyInfo").ok()?.whole;
        Some(Self {
            serial,
            issuer,
            subject,
            public_key,
        })
    }
}

fn timestamp(time: &x509_cert::time::Time) -> Result<Timestamp, CertificateError> {
    i64::try_from(time.to_unix_duration().as_secs())
        .ok()
        .and_then(|s| Timestamp::from_second(s).ok())
        .ok_or_else(|| CertificateError::Malformed("validity outside the calendar".to_owned()))
}

fn organisation_number(subject: &x509_cert::name::Name) -> Option<String> {
    let by_oid = |oid: ObjectIdentifier| {
        subject
            .iter()
            .filter(move |a| a.oid == oid)
            .filter(|a| {
                matches!(
                    a.value.tag(),
                    Tag::Utf8String | Tag::PrintableString | Tag::Ia5String | Tag::TeletexString
                )
            })
            .filter_map(|a| std::str::from_utf8(a.value.value()).ok())
            .find_map(|v| {
                let digits = v.trim().strip_prefix("NTRNO-").unwrap_or(v.trim());
                (digits.len() == 9 && digits.bytes().all(|b| b.is_ascii_digit())).then(|| digits.to_owned())
            })
    };
    by_oid(ORGANIZATION_IDENTIFIER).or_else(|| by_oid(SUBJECT_SERIAL_NUMBER))
}

#[cfg(test)]
mod tests;
