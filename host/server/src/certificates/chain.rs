//! Who vouches for a certificate: a path to one of the trust anchors.

use std::time::Duration;

use anyhow::Context as _;
use budstikke_message::x509::Certificate;
use jiff::Timestamp;
use rustls_pki_types::{CertificateDer, TrustAnchor, UnixTime};
use webpki::{ALL_VERIFICATION_ALGS, EndEntityCert, ExtendedKeyUsageValidator, KeyPurposeIdIter, RevocationOptions};

use super::Fault;

/// Certificate authorities that are believed, each by itself.
#[derive(Default)]
pub(super) struct Anchors {
    all: Vec<Anchor>,
    trusted: Vec<TrustAnchor<'static>>,
}

/// An authority, with what is needed to ask it.
pub(super) struct Anchor {
    pub(super) certificate: Certificate,
    pub(super) trusted: TrustAnchor<'static>,
}

/// *Virksomhetssertifikater* name many purposes, and none of them is this one: all will do.
struct AnyPurpose;

impl ExtendedKeyUsageValidator for AnyPurpose {
    fn validate(&self, _: KeyPurposeIdIter<'_, '_>) -> Result<(), webpki::Error> {
        Ok(())
    }
}

/// webpki's clock.
pub(super) fn unix(at: Timestamp) -> UnixTime {
    UnixTime::since_unix_epoch(Duration::from_secs(at.as_second().max(0).unsigned_abs()))
}

/// Builds the path from a certificate to one of the anchors.
pub(super) fn path(
    certificate: &CertificateDer<'_>,
    anchors: &[TrustAnchor<'_>],
    at: Timestamp,
    revocation: Option<RevocationOptions<'_>>,
) -> Result<Vec<u8>, webpki::Error> {
    let leaf = EndEntityCert::try_from(certificate)?;
    let path = leaf.verify_for_usage(
        ALL_VERIFICATION_ALGS,
        anchors,
        &[],
        unix(at),
        AnyPurpose,
        revocation,
        None,
    )?;
    Ok(path.anchor().subject_public_key_info.as_ref().to_vec())
}

impl Anchors {
    /// Each certificate is one.
    pub(super) fn new(certificates: Vec<Certificate>) -> anyhow::Result<Self> {
        let mut all = Vec::with_capacity(certificates.len());
        for certificate in certificates {
            let der = CertificateDer::from(certificate.der());
            let trusted = webpki::anchor_from_trusted_cert(&der)
                .with_context(|| format!("{} cannot be a trust anchor", certificate.subject()))?
                .to_owned();
            all.push(Anchor { certificate, trusted });
        }
        let trusted = all.iter().map(|anchor| anchor.trusted.clone()).collect();
        Ok(Self { all, trusted })
    }

    /// There are none.
    pub(super) fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    /// The anchor that vouches for a certificate.
    pub(super) fn vouching(&self, der: &[u8], at: Timestamp) -> Result<&Anchor, Fault> {
        let key = path(&CertificateDer::from(der), &self.trusted, at, None)
            .map_err(|error| Fault::Untrusted(error.to_string()))?;
        let vouches = |anchor: &&Anchor| anchor.trusted.subject_public_key_info.as_ref() == key.as_slice();
        let found = self.all.iter().find(vouches);
        found.ok_or_else(|| Fault::Untrusted("the anchor of its path is not known".into()))
    }
}
