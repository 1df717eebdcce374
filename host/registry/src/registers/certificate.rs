//! Certificates as registers write them, and whether one may be sealed to.

use async_trait::async_trait;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use budstikke_message::identifier::OrganisationNumber;
use budstikke_message::x509::Certificate;

use super::RegisterError;

/// What the installation demands of a certificate beyond that it is valid today: trust anchors, key usage, revocation.
#[async_trait]
pub trait CertificateCheck: Send + Sync {
    /// Whether messages to the organisation may be sealed to the certificate. An error: it cannot be told now.
    async fn check(&self, certificate: &Certificate, owner: &OrganisationNumber) -> Result<Checked, RegisterError>;
}

/// What a check came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Checked {
    /// It may be used.
    Good,
    /// It may not, and why.
    Refused(String),
}

/// No more is demanded than that it is valid today. For tests and closed networks.
#[derive(Debug, Clone, Copy)]
pub struct ValidToday;

#[async_trait]
impl CertificateCheck for ValidToday {
    async fn check(&self, _: &Certificate, _: &OrganisationNumber) -> Result<Checked, RegisterError> {
        Ok(Checked::Good)
    }
}

/// Reads PEM, or base64 of DER with or without line breaks.
pub(super) fn read(text: &str) -> Option<Certificate> {
    if text.contains("-----BEGIN") {
        return Certificate::from_pem(text.as_bytes()).ok();
    }
    let base64: String = text.split_ascii_whitespace().collect();
    Certificate::from_der(&STANDARD.decode(base64).ok()?).ok()
}
