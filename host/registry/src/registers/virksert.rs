//! Virksert: the certificates that organisations receive with. Spec: service registry, 6.3.
//!
//! Its answer is an XML list. The format of today's version is not public, so only this is taken for granted: a certificate is an
//! element `Certificate` or `X509Certificate` with base64 of its DER, or PEM, in it.
//!
//! What it lists is kept as it came. Whether a certificate may be sealed to is looked at each time that one is used: it can run out or
//! be called back in the meantime, and who cannot tell is not virksert.

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use budstikke_message::identifier::OrganisationNumber;
use budstikke_message::x509::Certificate;
use jiff::Timestamp;
use reqwest::StatusCode;
use roxmltree::Node;

use super::certificate::{self, CertificateCheck, Checked};
use super::open::OpenError;
use super::settings::{Pace, Virksert as Settings};
use super::wire::Wire;
use super::{Certificates, RegisterError, xml};

/// Its name in errors.
pub(super) const NAME: &str = "virksert";

/// The certificates that virksert lists for an organisation and a use, in its order.
#[async_trait]
pub(super) trait Lists: Send + Sync {
    /// Also those that are not valid. Empty: it has none.
    async fn listed(&self, number: &OrganisationNumber, r#use: &str) -> Result<Vec<Certificate>, RegisterError>;
}

/// The client.
pub(super) struct Virksert {
    wire: Wire,
    icd: String,
    uses: BTreeMap<String, String>,
}

impl Virksert {
    pub(super) fn new(settings: &Settings, pace: &Pace) -> Result<Self, OpenError> {
        Ok(Self {
            wire: Wire::new(NAME, &settings.url, pace)?.quoting(),
            icd: settings.icd.clone(),
            uses: settings.uses.clone(),
        })
    }
}

#[async_trait]
impl Lists for Virksert {
    async fn listed(&self, number: &OrganisationNumber, r#use: &str) -> Result<Vec<Certificate>, RegisterError> {
        let name = r#use;
        let process = self.uses.get(name);
        let process = process.ok_or_else(|| {
            self.wire
                .not_set_up(format!("[registers.virksert] has no use called {name:.50}"))
        })?;
        let participant = format!("iso6523-actorid-upis::{}:{number}", self.icd);
        let request = self.wire.get(&["api", "v1", &participant, process]);
        let Some(body) = self.wire.find(request, &[StatusCode::NOT_FOUND]).await? else {
            return Ok(Vec::new());
        };
        listed(&body).map_err(|detail| self.wire.unusable(detail))
    }
}

/// What is listed, and what the installation demands of it.
pub(super) struct Accepted<L> {
    lists: L,
    check: Arc<dyn CertificateCheck>,
}

impl<L> Accepted<L> {
    pub(super) fn new(lists: L, check: Arc<dyn CertificateCheck>) -> Self {
        Self { lists, check }
    }
}

#[async_trait]
impl<L: Lists> Certificates for Accepted<L> {
    async fn certificate(
        &self,
        number: &OrganisationNumber,
        r#use: &str,
    ) -> Result<Option<Certificate>, RegisterError> {
        let now = Timestamp::now();
        for certificate in self.lists.listed(number, r#use).await? {
            let serial = certificate.serial();
            if !certificate.is_valid_at(now) {
                tracing::debug!(%number, serial, "virksert has a certificate that is not valid now");
                continue;
            }
            match self.check.check(&certificate, number).await? {
                Checked::Good => return Ok(Some(certificate)),
                Checked::Refused(reason) => {
                    tracing::warn!(%number, serial, reason, "virksert has a certificate that is not accepted");
                }
            }
        }
        Ok(None)
    }
}

/// The certificates of a list, in its order.
fn listed(body: &[u8]) -> Result<Vec<Certificate>, String> {
    xml::read(body, |root| {
        let elements: Vec<_> = root.descendants().filter(is_certificate).collect();
        if elements.is_empty() && root.children().any(|child| child.is_element()) {
            return Err("it holds elements, but none is a Certificate".to_owned());
        }
        let count = elements.len();
        // One that cannot be read does not hide the others.
        let read: Vec<_> = elements
            .into_iter()
            .filter_map(xml::text)
            .filter_map(certificate::read)
            .collect();
        if read.is_empty() && count > 0 {
            return Err("no Certificate in it can be read".to_owned());
        }
        Ok(read)
    })
}

fn is_certificate(node: &Node<'_, '_>) -> bool {
    let named = matches!(node.tag_name().name(), "Certificate" | "X509Certificate");
    named && !node.children().any(|child| child.is_element())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_in_an_unknown_shape_is_not_an_empty_one() {
        assert_eq!(listed(b"<Certificates/>"), Ok(Vec::new()));
        assert!(
            listed(b"<html><body/></html>")
                .unwrap_err()
                .contains("none is a Certificate")
        );
        assert!(
            listed(b"<a><Certificate>bm8=</Certificate></a>")
                .unwrap_err()
                .contains("can be read")
        );
        assert!(listed(b"no").unwrap_err().contains("not well-formed"));
    }
}
