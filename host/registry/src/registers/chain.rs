//! Who vouches for a certificate: a path to one of the trust anchors.

use std::time::Duration;

use budstikke_message::x509::Certificate;
use jiff::Timestamp;
use rustls_pki_types::{CertificateDer, TrustAnchor, UnixTime};
use webpki::{
    ALL_VERIFICATION_ALGS, EndEntityCert, Error, ExtendedKeyUsageValidator, KeyPurposeIdIter, RevocationOptions,
};

/// *Virksomhetssertifikater* name many purposes, and none of them is sealing messages or signing answers: all will do.
struct AnyPurpose;

impl ExtendedKeyUsageValidator for AnyPurpose {
    fn validate(&self, _: KeyPurposeIdIter<'_, '_>) -> Result<(), Error> {
        Ok(())
    }
}

/// A certificate authority that is believed by itself. The error says why it cannot be one.
pub fn anchor(authority: &Certificate) -> Result<TrustAnchor<'static>, Error> {
    Ok(webpki::anchor_from_trusted_cert(&CertificateDer::from(authority.der()))?.to_owned())
}

/// Builds the path from a certificate to one of the anchors, over the certificates that came along with it. Gives the public key of
/// that anchor.
pub fn path(
    certificate: &CertificateDer<'_>,
    along: &[CertificateDer<'_>],
    anchors: &[TrustAnchor<'_>],
    at: Timestamp,
    revocation: Option<RevocationOptions<'_>>,
) -> Result<Vec<u8>, Error> {
    let leaf = EndEntityCert::try_from(certificate)?;
    let at = unix(at);
    let path = leaf.verify_for_usage(ALL_VERIFICATION_ALGS, anchors, along, at, AnyPurpose, revocation, None)?;
    Ok(path.anchor().subject_public_key_info.as_ref().to_vec())
}

/// The clock of the library.
pub fn unix(at: Timestamp) -> UnixTime {
    UnixTime::since_unix_epoch(Duration::from_secs(at.as_second().max(0).unsigned_abs()))
}
