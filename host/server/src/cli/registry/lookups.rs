//! Look-ups from own data alone: who is kept here, and with which certificates. There are no rules in it, so there are no routes.

use std::collections::BTreeSet;
use std::sync::Arc;

use async_trait::async_trait;
use budstikke_message::identifier::{Identifier, OrganisationNumber, ProcessId};
use budstikke_message::x509::Certificate;
use budstikke_registry::api::{LookupError, Lookups, Query};
use budstikke_registry::caller::{Caller, CallerToken};
use budstikke_registry::model::{EntityType, InfoRecord, Lookup, Postadresse};
use budstikke_registry::store::OwnData;

pub(super) struct OwnLookups(pub(super) Arc<OwnData>);

fn no_rules() -> LookupError {
    LookupError::NotSetUp {
        detail: "there are no rules".into(),
    }
}

#[async_trait]
impl Lookups for OwnLookups {
    async fn identifier(&self, query: &Query, caller: &Caller) -> Result<Lookup, LookupError> {
        self.info(query, &caller.token).await?;
        Err(no_rules())
    }

    async fn process(&self, query: &Query, _: &ProcessId, caller: &Caller) -> Result<Lookup, LookupError> {
        self.info(query, &caller.token).await?;
        Err(no_rules())
    }

    async fn info(&self, query: &Query, _: &CallerToken) -> Result<InfoRecord, LookupError> {
        let unknown = || LookupError::UnknownReceiver {
            receiver: query.receiver.to_string(),
        };
        let Identifier::Iso6523(organisation) = &query.receiver else {
            return Err(unknown());
        };
        let number: OrganisationNumber = organisation.org().parse().map_err(|_| unknown())?;
        let snapshot = self.0.snapshot();
        let own = snapshot.organisations.get(&number).ok_or_else(unknown)?;
        Ok(InfoRecord {
            identifier: number.to_string(),
            organization_name: own.name.clone(),
            entity_type: own.form.clone().map(|name| EntityType { name }),
            postadresse: own.address.as_ref().map(|address| Postadresse {
                adresse: Some(address.lines.join(" ")),
                postnummer: address.postal_code.clone(),
                poststed: address.postal_area.clone(),
                land: address.country.clone(),
            }),
            ..InfoRecord::default()
        })
    }

    async fn certificate(&self, number: &OrganisationNumber, _: &BTreeSet<String>) -> Result<Certificate, LookupError> {
        let snapshot = self.0.snapshot();
        let own = snapshot.organisations.get(number);
        let mut valid = own
            .into_iter()
            .flat_map(|own| own.certificates.values())
            .filter(|certificate| certificate.is_valid_at(jiff::Timestamp::now()));
        valid.next().cloned().ok_or_else(|| LookupError::CertificateMissing {
            r#use: "valid".into(),
            receiver: number.to_string(),
        })
    }

    async fn explain(
        &self,
        query: &Query,
        _: Option<&ProcessId>,
        caller: &Caller,
    ) -> Result<serde_json::Value, LookupError> {
        self.info(query, &caller.token).await?;
        Err(no_rules())
    }
}
