//! Detached SignedData with SHA-256 and RSA PKCS#1 v1.5.
//!
//! Spec: documents and packaging, 7.3. Java signs with SHA-1; every verifier takes SHA-256 as well.

use aws_lc_rs::digest;
use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::CmsError;
use super::der::{CONTEXT_0, GENERALIZED_TIME, OCTET_STRING, OID, SEQUENCE, SET, UTC_TIME, tlv};
use super::oid;
use crate::keystore::Identity;

const VERSION_1: [u8; 3] = [0x02, 0x01, 0x01];

/// Signs `content` and gives the signature (ContentInfo in DER) without the content.
///
/// Signed attributes are contentType, signingTime (= `at`, whole seconds) and messageDigest; CMSAlgorithmProtection
/// is left out, which verifiers accept. The whole chain of the identity goes in.
pub fn sign_detached(content: &[u8], identity: &Identity, at: Timestamp) -> Result<Vec<u8>, CmsError> {
    sign_with(content, identity, at, Vec::new())
}

/// The same with further signed attributes.
pub(super) fn sign_with(
    content: &[u8],
    identity: &Identity,
    at: Timestamp,
    further: Vec<Vec<u8>>,
) -> Result<Vec<u8>, CmsError> {
    let content_digest = digest::digest(&digest::SHA256, content);
    let mut attributes = further;
    attributes.push(attribute(oid::CONTENT_TYPE, &tlv(OID, &[oid::DATA])));
    attributes.push(attribute(oid::SIGNING_TIME, &time(at)));
    attributes.push(attribute(
        oid::MESSAGE_DIGEST,
        &tlv(OCTET_STRING, &[content_digest.as_ref()]),
    ));
    attributes.sort();
    let attributes = attributes.concat();
    // What is signed carries the tag SET OF, what is sent the tag [0] (RFC 5652, 5.4).
    let signature = identity
        .key()
        .sign_rs256(&tlv(SET, &[&attributes]))
        .ok_or(CmsError::Crypto("RSA signature"))?;
    let signer_info = tlv(
        SEQUENCE,
        &[
            &VERSION_1,
            &identity.certificate().issuer_and_serial(),
            oid::ALG_SHA256,
            &tlv(CONTEXT_0, &[&attributes]),
            oid::ALG_RSA,
            &tlv(OCTET_STRING, &[&signature]),
        ],
    );
    let mut certificates: Vec<&[u8]> = identity.chain().iter().map(crate::x509::Certificate::der).collect();
    certificates.sort_unstable();
    certificates.dedup();
    let signed_data = tlv(
        SEQUENCE,
        &[
            &VERSION_1,
            &tlv(SET, &[oid::ALG_SHA256]),
            &tlv(SEQUENCE, &[&tlv(OID, &[oid::DATA])]),
            &tlv(CONTEXT_0, &certificates),
            &tlv(SET, &[&signer_info]),
        ],
    );
    Ok(tlv(
        SEQUENCE,
        &[&tlv(OID, &[oid::SIGNED_DATA]), &tlv(CONTEXT_0, &[&signed_data])],
    ))
}

pub(super) fn attribute(kind: &[u8], value: &[u8]) -> Vec<u8> {
    tlv(SEQUENCE, &[&tlv(OID, &[kind]), &tlv(SET, &[value])])
}

/// UTCTime until 2049, GeneralizedTime after (RFC 5652, 11.3).
fn time(at: Timestamp) -> Vec<u8> {
    let at = at.to_zoned(TimeZone::UTC);
    let rest = format!(
        "{:02}{:02}{:02}{:02}{:02}Z",
        at.month(),
        at.day(),
        at.hour(),
        at.minute(),
        at.second()
    );
    if (1950..2050).contains(&at.year()) {
        tlv(UTC_TIME, &[format!("{:02}{rest}", at.year() % 100).as_bytes()])
    } else {
        tlv(GENERALIZED_TIME, &[format!("{:04}{rest}", at.year()).as_bytes()])
    }
}
