//! The trust anchors: authorities that are believed, and which of them vouches for a certificate.

use anyhow::Context as _;
use budstikke_message::x509::Certificate;
use budstikke_registry::registers::chain;
use jiff::Timestamp;
use rustls_pki_types::{CertificateDer, TrustAnchor};

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

impl Anchors {
    /// Each certificate is one.
    pub(super) fn new(certificates: Vec<Certificate>) -> anyhow::Result<Self> {
        let mut all = Vec::with_capacity(certificates.len());
        for certificate in certificates {
            let trusted = chain::anchor(&certificate)
                .with_context(|| format!("{} cannot be a trust anchor", certificate.subject()))?;
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
        let key = chain::path(&CertificateDer::from(der), &[], &self.trusted, at, None)
            .map_err(|error| Fault::Untrusted(error.to_string()))?;
        let vouches = |anchor: &&Anchor| anchor.trusted.subject_public_key_info.as_ref() == key.as_slice();
        let found = self.all.iter().find(vouches);
        found.ok_or_else(|| Fault::Untrusted("the anchor of its path is not known".into()))
    }
}
