//! What the API asks for.

use std::collections::BTreeSet;

use async_trait::async_trait;
use budstikke_message::identifier::{OrganisationNumber, ProcessId};
use budstikke_message::x509::Certificate;

use crate::caller::{Caller, CallerToken};
pub use crate::lookup::{Answer, Explanation, LookupError, Query};
use crate::model::InfoRecord;

/// Who decides. The API knows nothing of rules and registers.
#[async_trait]
pub trait Lookups: Send + Sync {
    /// All that the receiver takes. Spec: service registry, 3.2.
    async fn identifier(&self, query: &Query, caller: &Caller) -> Result<Answer, LookupError>;
    /// What it takes in one process, at least one record. Spec: service registry, 3.3.
    async fn process(&self, query: &Query, process: &ProcessId, caller: &Caller) -> Result<Answer, LookupError>;
    /// Who it is. The client need not be an organisation. Spec: service registry, 3.4.
    async fn info(&self, query: &Query, token: &CallerToken) -> Result<InfoRecord, LookupError>;
    /// The certificate of an organisation that a client with these scopes may see. Spec: service registry, 3.5.
    async fn certificate(
        &self,
        number: &OrganisationNumber,
        scopes: &BTreeSet<String>,
    ) -> Result<Certificate, LookupError>;
    /// The answer of a look-up, of one process or of all, and which rule decided what and why. The answer holds what that of the look-up
    /// holds, also of a person; what tells how it came about names nobody.
    async fn explain(
        &self,
        query: &Query,
        process: Option<&ProcessId>,
        caller: &Caller,
    ) -> Result<Explanation, LookupError>;
}
