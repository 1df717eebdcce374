//! What the API asks for, and how it can be refused.

use std::collections::BTreeSet;

use async_trait::async_trait;
use budstikke_message::identifier::{Identifier, OrganisationNumber, ProcessId};
use budstikke_message::x509::Certificate;

use crate::caller::{Caller, CallerToken};
use crate::model::{InfoRecord, Lookup};

/// Who is asked for, and what the caller wants to know. Spec: service registry, 3.2.
#[derive(Debug, Clone)]
pub struct Query {
    /// The receiver.
    pub receiver: Identifier,
    /// Security level that the message needs.
    pub level: Option<u8>,
    /// Whether letters on paper are of interest.
    pub print: bool,
    /// Whether the caller takes part in trials.
    pub beta: bool,
    /// Whose letter it is, when not the caller's own: it comes back to this organisation.
    pub on_behalf_of: Option<OrganisationNumber>,
}

/// Why there is no answer: a variant for each row of spec: service registry, 3.9. Texts hold no person number: receivers are shown
/// with their digits hidden.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LookupError {
    /// No register has the receiver.
    #[error("Entity with identifier '{receiver}' not found.")]
    UnknownReceiver {
        /// An organisation with its ICD; a person hidden.
        receiver: String,
    },
    /// The process stands in no table.
    #[error("Process {process} not found.")]
    UnknownProcess {
        /// The process.
        process: ProcessId,
    },
    /// The receiver does not take the process.
    #[error("Process {process} not found for receiver {receiver}")]
    NotAccepted {
        /// The process.
        process: ProcessId,
        /// As in [`LookupError::UnknownReceiver`].
        receiver: String,
    },
    /// Nobody knows the organisation that a letter would come back to.
    #[error("the sender {organisation} is not known, so there is no return address")]
    UnknownSender {
        /// The caller or who it asks for.
        organisation: String,
    },
    /// The organisation that a letter would come back to has no postal address.
    #[error("the sender {organisation} has no postal address, so there is no return address")]
    SenderWithoutAddress {
        /// The caller or who it asks for.
        organisation: String,
    },
    /// The receiver has no valid certificate for a use.
    #[error("Unable to find {use} certificate for: {receiver}")]
    CertificateMissing {
        /// The use in virksert, or the service.
        r#use: String,
        /// The organisation, or a hidden person.
        receiver: String,
    },
    /// The receiver's certificates for the uses that the caller may see are not the same.
    #[error("the certificates of {organisation} for {uses} are not the same")]
    CertificatesDiffer {
        /// The organisation.
        organisation: String,
        /// The uses, in words.
        uses: String,
    },
    /// A register of persons has nothing about the citizen, so no record of an answer about all processes could be made.
    #[error("No service record found for citizen")]
    NoRecordForCitizen,
    /// Folkeregisteret has no such person.
    #[error("Folkeregisteret does not have the person")]
    UnknownResident,
    /// Folkeregisteret has no such patient, or does not tell.
    #[error("the patient cannot be retrieved")]
    PatientNotRetrievable,
    /// Nothing of the receiver takes the level.
    #[error("the receiver does not take {} in process {process}", level.map_or_else(|| "any security level".to_owned(), |level| format!("security level {level}")))]
    LevelNotAvailable {
        /// The level that was asked for.
        level: Option<u8>,
        /// The process.
        process: ProcessId,
    },
    /// The caller's token lacks a scope.
    #[error("the token has none of the scopes {}", .scopes.join(", "))]
    ScopeMissing {
        /// One of these is needed.
        scopes: Vec<String>,
    },
    /// A register could not be asked. The same question may be answered later; it says nothing about the receiver.
    #[error("{register} cannot be asked: {detail}")]
    RegisterUnavailable {
        /// The register.
        register: &'static str,
        /// What happened.
        detail: String,
    },
    /// A register refused us or the caller.
    #[error("{register} refused the question: {detail}")]
    RegisterDenied {
        /// The register.
        register: &'static str,
        /// What it said.
        detail: String,
    },
    /// A register did not accept the question.
    #[error("{register} did not accept the question: {detail}")]
    RegisterRejected {
        /// The register.
        register: &'static str,
        /// What it said.
        detail: String,
    },
    /// A register's answer cannot be used.
    #[error("the answer of {register} cannot be used: {detail}")]
    RegisterUnusable {
        /// The register.
        register: &'static str,
        /// What is wrong with it.
        detail: String,
    },
    /// The address service is not set up for the question. Only its operator can mend it.
    #[error("the address service is not set up for this: {detail}")]
    NotSetUp {
        /// What is missing, and where.
        detail: String,
    },
}

/// Who decides. The API knows nothing of rules and registers.
#[async_trait]
pub trait Lookups: Send + Sync {
    /// All that the receiver takes. Spec: service registry, 3.2.
    async fn identifier(&self, query: &Query, caller: &Caller) -> Result<Lookup, LookupError>;
    /// What it takes in one process, at least one record. Spec: service registry, 3.3.
    async fn process(&self, query: &Query, process: &ProcessId, caller: &Caller) -> Result<Lookup, LookupError>;
    /// Who it is. The client need not be an organisation. Spec: service registry, 3.4.
    async fn info(&self, query: &Query, token: &CallerToken) -> Result<InfoRecord, LookupError>;
    /// The certificate of an organisation that a client with these scopes may see. Spec: service registry, 3.5.
    async fn certificate(
        &self,
        number: &OrganisationNumber,
        scopes: &BTreeSet<String>,
    ) -> Result<Certificate, LookupError>;
    /// The answer of a look-up, of one process or of all, and which rule decided what and why. Never a person's data.
    async fn explain(
        &self,
        query: &Query,
        process: Option<&ProcessId>,
        caller: &Caller,
    ) -> Result<serde_json::Value, LookupError>;
}
