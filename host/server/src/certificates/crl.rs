//! Lists of certificates that were called back (RFC 5280, 5).

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use budstikke_message::x509::Certificate;
use budstikke_registry::registers::chain;
use der::Decode as _;
use jiff::Timestamp;
use rustls_pki_types::{CertificateDer, TrustAnchor};
use webpki::{CertRevocationList, ExpirationPolicy, OwnedCertRevocationList, RevocationCheckDepth};
use webpki::{RevocationOptionsBuilder, UnknownStatusPolicy};

use super::anchors::Anchor;
use super::authority::Authority;
use super::revocation::{LONGEST, Standing, Told, UNTOLD};

/// Most lists that are kept.
const MOST: usize = 100;

/// A list that was found good, and until when it is kept; or why there is none, and until when nobody asks again.
struct Kept {
    list: Result<Arc<CertRevocationList<'static>>, String>,
    until: Timestamp,
}

/// Whose list it is, and where: what one authority says, or fails to say, is nothing that another has said.
type Place = (String, Vec<u8>);
type Cell = Arc<tokio::sync::Mutex<Option<Kept>>>;

/// Lists by their place. One list answers for all certificates of its authority, and is fetched once for all who wait for it.
#[derive(Default)]
pub(super) struct Lists {
    known: Mutex<HashMap<Place, Cell>>,
}

/// What is looked for in a list.
struct Wanted {
    certificate: Certificate,
    issuer: TrustAnchor<'static>,
    now: Timestamp,
}

impl Lists {
    /// Looks a certificate up in the list at `url`. Who gives up waiting leaves the list to the next one.
    pub(super) async fn look(
        &self,
        authority: &Arc<Authority>,
        url: &str,
        certificate: &Certificate,
        issuer: &Anchor,
        now: Timestamp,
    ) -> Result<Told, String> {
        let wanted = Wanted {
            certificate: certificate.clone(),
            issuer: issuer.trusted.clone(),
            now,
        };
        let cell = self.cell((url.to_owned(), issuer.trusted.subject_public_key_info.as_ref().to_vec()));
        let looking = looked(cell, Arc::clone(authority), url.to_owned(), wanted);
        let told = tokio::spawn(looking).await;
        told.unwrap_or_else(|error| Err(error.to_string()))
    }

    fn cell(&self, place: Place) -> Cell {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= MOST {
            known.clear();
        }
        known.entry(place).or_default().clone()
    }
}

/// In the list that is kept, or in the one of now.
async fn looked(cell: Cell, authority: Arc<Authority>, url: String, wanted: Wanted) -> Result<Told, String> {
    let mut kept = cell.lock().await;
    if let Some(Kept { list, until }) = kept.as_ref().filter(|kept| kept.until > wanted.now) {
        let (list, until) = (Arc::clone(list.as_ref().map_err(Clone::clone)?), *until);
        drop(kept);
        let standing = blocking(&url, move || standing(&list, &wanted)).await?;
        return Ok(Told { standing, until });
    }
    let now = wanted.now;
    let fetched = match authority.list(&url).await {
        Ok(der) => blocking(&url, move || found_good(&der, &wanted)).await,
        Err(error) => Err(error),
    };
    match fetched {
        Ok((list, told)) => {
            *kept = Some(Kept {
                list: Ok(Arc::new(list)),
                until: told.until,
            });
            Ok(told)
        }
        Err(why) => {
            *kept = Some(Kept {
                list: Err(why.clone()),
                until: now.saturating_add(UNTOLD).unwrap_or(now),
            });
            Err(why)
        }
    }
}

/// Large lists take a while.
async fn blocking<T: Send + 'static>(
    url: &str,
    work: impl FnOnce() -> Result<T, String> + Send + 'static,
) -> Result<T, String> {
    let done = tokio::task::spawn_blocking(work).await;
    done.unwrap_or_else(|error| Err(error.to_string()))
        .map_err(|error| format!("{url}: {error}"))
}

/// A list whose signature and times hold, and what it says of a certificate.
fn found_good(der: &[u8], wanted: &Wanted) -> Result<(CertRevocationList<'static>, Told), String> {
    let (list, until) = read(der)?;
    let standing = standing(&list, wanted)?;
    let longest = wanted.now.saturating_add(LONGEST).unwrap_or(wanted.now);
    let until = until.min(longest);
    Ok((list, Told { standing, until }))
}

/// The list, and until when it says that it holds. Nobody has vouched for it yet.
fn read(der: &[u8]) -> Result<(CertRevocationList<'static>, Timestamp), String> {
    let list =
        OwnedCertRevocationList::from_der(der).map_err(|error| format!("is no list that can be used: {error}"))?;
    let times = x509_cert::crl::CertificateList::<x509_cert::certificate::Rfc5280>::from_der(der)
        .map_err(|error| format!("is no list: {error}"))?;
    let until = times
        .tbs_cert_list
        .next_update
        .ok_or("does not say how long it holds")?;
    let seconds = i64::try_from(until.to_unix_duration().as_secs()).unwrap_or(i64::MAX);
    let until = Timestamp::from_second(seconds).map_err(|error| error.to_string())?;
    Ok((CertRevocationList::Owned(list), until))
}

/// What the list says, once its signature and its times have been found good.
fn standing(list: &CertRevocationList<'_>, wanted: &Wanted) -> Result<Standing, String> {
    let lists = [list];
    let options = RevocationOptionsBuilder::new(&lists)
        .map_err(|error| format!("{error:?}"))?
        .with_depth(RevocationCheckDepth::EndEntity)
        .with_status_policy(UnknownStatusPolicy::Deny)
        .with_expiration_policy(ExpirationPolicy::Enforce)
        .build();
    let der = CertificateDer::from(wanted.certificate.der());
    let anchors = std::slice::from_ref(&wanted.issuer);
    match chain::path(&der, &[], anchors, wanted.now, Some(options)) {
        Ok(_) => Ok(Standing::Good),
        Err(webpki::Error::CertRevoked) => Ok(Standing::Revoked),
        Err(error) => Err(error.to_string()),
    }
}
