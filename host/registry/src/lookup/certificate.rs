//! Certificates of organisations: those that are kept here, then virksert's. Spec: service registry, 3.5 and 6.3.

use std::collections::BTreeSet;

use budstikke_message::identifier::OrganisationNumber;
use budstikke_message::x509::Certificate;

use super::Directory;
use super::error::LookupError;
use crate::data::Snapshot;

/// The certificate for one use. One that is kept here and is not valid now counts as none.
pub(super) async fn find(
    directory: &Directory,
    data: &Snapshot,
    number: &OrganisationNumber,
    r#use: &str,
) -> Result<Option<Certificate>, LookupError> {
    let own = data
        .organisations
        .get(number)
        .and_then(|own| own.certificates.get(r#use));
    if let Some(own) = own {
        if own.is_valid_at(jiff::Timestamp::now()) {
            return Ok(Some(own.clone()));
        }
        tracing::warn!(%number, r#use, until = %own.not_after(), "the certificate that is kept here is not valid now");
    }
    match &directory.registers.certificates {
        Some(virksert) => Ok(virksert.certificate(number, r#use).await?),
        None => Ok(None),
    }
}

pub(super) fn missing(r#use: &str, receiver: &str) -> LookupError {
    LookupError::CertificateMissing {
        r#use: r#use.to_owned(),
        receiver: receiver.to_owned(),
    }
}

/// The certificate for all uses that the scopes choose: they must have the same one.
pub(super) async fn for_scopes(
    directory: &Directory,
    number: &OrganisationNumber,
    scopes: &BTreeSet<String>,
) -> Result<Certificate, LookupError> {
    let data = directory.data.load_full();
    let uses = directory.rules.virksert_uses(scopes);
    let mut chosen: Option<Certificate> = None;
    for row in &uses {
        let found = find(directory, &data, number, &row.r#use)
            .await?
            .ok_or_else(|| missing(&row.r#use, number.as_str()))?;
        if chosen.as_ref().is_some_and(|first| *first != found) {
            let uses: Vec<_> = uses.iter().map(|row| row.r#use.as_str()).collect();
            return Err(LookupError::CertificatesDiffer {
                organisation: number.to_string(),
                uses: uses.join(" and "),
            });
        }
        chosen = Some(found);
    }
    chosen.ok_or_else(|| LookupError::not_set_up("the rules have no [[virksert]]"))
}
