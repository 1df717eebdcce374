//! Lists of certificates that were called back (RFC 5280, 5).

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use budstikke_message::x509::Certificate;
use budstikke_registry::registers::chain;
use der::Decode as _;
use jiff::Timestamp;
use rustls_pki_types::CertificateDer;
use webpki::{CertRevocationList, ExpirationPolicy, OwnedCertRevocationList, RevocationCheckDepth};
use webpki::{RevocationOptionsBuilder, UnknownStatusPolicy};

use super::anchors::Anchor;
use super::authority::Authority;
use super::revocation::{Standing, Told};

/// Most lists that are kept.
const MOST: usize = 100;

/// A list as it was read, and until when it holds.
struct List {
    list: CertRevocationList<'static>,
    until: Timestamp,
}

/// Lists by their place. One list answers for all certificates of its authority.
#[derive(Default)]
pub(super) struct Lists {
    known: Mutex<HashMap<String, Arc<List>>>,
}

impl Lists {
    /// Looks a certificate up in the list at `url`.
    pub(super) async fn look(
        &self,
        authority: &Authority,
        url: &str,
        certificate: &Certificate,
        issuer: &Anchor,
        now: Timestamp,
    ) -> Result<Told, String> {
        let list = if let Some(list) = self.known(url).filter(|list| list.until > now) {
            list
        } else {
            let list = Arc::new(read(&authority.list(url).await?).map_err(|error| format!("{url}: {error}"))?);
            self.keep(url, &list);
            list
        };
        let standing = standing(&list.list, certificate, issuer, now).map_err(|error| format!("{url}: {error}"))?;
        Ok(Told {
            standing,
            until: list.until,
        })
    }

    fn known(&self, url: &str) -> Option<Arc<List>> {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.get(url).cloned()
    }

    fn keep(&self, url: &str, list: &Arc<List>) {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= MOST {
            known.clear();
        }
        known.insert(url.to_owned(), Arc::clone(list));
    }
}

fn read(der: &[u8]) -> Result<List, String> {
    let list =
        OwnedCertRevocationList::from_der(der).map_err(|error| format!("is no list that can be used: {error}"))?;
    let times = x509_cert::crl::CertificateList::<x509_cert::certificate::Rfc5280>::from_der(der)
        .map_err(|error| format!("is no list: {error}"))?;
    let until = times
        .tbs_cert_list
        .next_update
        .ok_or("does not say how long it holds")?;
    let seconds = i64::try_from(until.to_unix_duration().as_secs()).unwrap_or(i64::MAX);
    Ok(List {
        list: CertRevocationList::Owned(list),
        until: Timestamp::from_second(seconds).map_err(|error| error.to_string())?,
    })
}

/// What the list says, once its signature and its times have been found good.
fn standing(
    list: &CertRevocationList<'_>,
    certificate: &Certificate,
    issuer: &Anchor,
    now: Timestamp,
) -> Result<Standing, webpki::Error> {
    let lists = [list];
    let options = RevocationOptionsBuilder::new(&lists)
        .map_err(|_| webpki::Error::UnknownRevocationStatus)?
        .with_depth(RevocationCheckDepth::EndEntity)
        .with_status_policy(UnknownStatusPolicy::Deny)
        .with_expiration_policy(ExpirationPolicy::Enforce)
        .build();
    let der = CertificateDer::from(certificate.der());
    let anchors = std::slice::from_ref(&issuer.trusted);
    match chain::path(&der, &[], anchors, now, Some(options)) {
        Ok(_) => Ok(Standing::Good),
        Err(webpki::Error::CertRevoked) => Ok(Standing::Revoked),
        Err(error) => Err(error),
    }
}
