//! Look-ups as the API asks for them.

use std::collections::BTreeSet;

use async_trait::async_trait;
use budstikke_message::identifier::{OrganisationNumber, ProcessId};
use budstikke_message::x509::Certificate;

use super::{Directory, LookupError, Query};
use crate::api::Lookups;
use crate::caller::{Caller, CallerToken};
use crate::model::{InfoRecord, Lookup};

#[async_trait]
impl Lookups for Directory {
    async fn identifier(&self, query: &Query, caller: &Caller) -> Result<Lookup, LookupError> {
        Ok(self.identifier(query, caller).await?.into_lookup())
    }

    async fn process(&self, query: &Query, process: &ProcessId, caller: &Caller) -> Result<Lookup, LookupError> {
        Ok(self.process(query, process, caller).await?.into_lookup())
    }

    async fn info(&self, query: &Query, token: &CallerToken) -> Result<InfoRecord, LookupError> {
        self.info(query, token).await
    }

    async fn certificate(
        &self,
        number: &OrganisationNumber,
        scopes: &BTreeSet<String>,
    ) -> Result<Certificate, LookupError> {
        self.certificate(number, scopes).await
    }

    async fn explain(
        &self,
        query: &Query,
        process: Option<&ProcessId>,
        caller: &Caller,
    ) -> Result<serde_json::Value, LookupError> {
        let explanation = self.explain(query, process, caller).await?;
        serde_json::to_value(&explanation).map_err(|error| LookupError::NotSetUp {
            detail: format!("the explanation cannot be written: {error}"),
        })
    }
}
