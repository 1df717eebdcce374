//! Look-ups as the API asks for them.

use std::collections::BTreeSet;

use async_trait::async_trait;
use budstikke_message::identifier::{OrganisationNumber, ProcessId};
use budstikke_message::x509::Certificate;

use super::{Answer, Directory, Explanation, LookupError, Query};
use crate::api::Lookups;
use crate::caller::{Caller, CallerToken};
use crate::model::InfoRecord;

#[async_trait]
impl Lookups for Directory {
    async fn identifier(&self, query: &Query, caller: &Caller) -> Result<Answer, LookupError> {
        self.identifier(query, caller).await
    }

    async fn process(&self, query: &Query, process: &ProcessId, caller: &Caller) -> Result<Answer, LookupError> {
        self.process(query, process, caller).await
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
    ) -> Result<Explanation, LookupError> {
        self.explain(query, process, caller).await
    }
}
