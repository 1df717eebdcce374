//! Why a look-up has no answer. Spec: service registry, 3.9.

use budstikke_message::identifier::ProcessId;

use crate::registers::{Asker, RegisterError};

/// One variant for each way to fail. Texts never hold a person number: receivers are shown with their digits hidden.
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
        /// The caller.
        organisation: String,
    },
    /// The organisation that a letter would come back to has no postal address.
    #[error("the sender {organisation} has no postal address, so there is no return address")]
    SenderWithoutAddress {
        /// The caller.
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
        /// Whose credentials it refused.
        asker: Asker,
        /// What it said.
        detail: String,
    },
    /// A register did not accept the question.
    #[error("{register} did not accept the question: {detail}")]
    RegisterRejected {
        /// The register.
        register: &'static str,
        /// Who asked.
        asker: Asker,
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

impl LookupError {
    /// Whether the same question may have an answer later.
    pub fn is_temporary(&self) -> bool {
        matches!(self, Self::RegisterUnavailable { .. })
    }

    /// The register that gave no answer, if it was for that.
    pub fn register(&self) -> Option<&'static str> {
        match self {
            Self::RegisterUnavailable { register, .. }
            | Self::RegisterDenied { register, .. }
            | Self::RegisterRejected { register, .. }
            | Self::RegisterUnusable { register, .. } => Some(register),
            _ => None,
        }
    }

    pub(super) fn not_set_up(detail: impl Into<String>) -> Self {
        Self::NotSetUp { detail: detail.into() }
    }
}

impl From<RegisterError> for LookupError {
    fn from(error: RegisterError) -> Self {
        match error {
            RegisterError::Unavailable { register, detail } => Self::RegisterUnavailable { register, detail },
            RegisterError::Denied {
                register,
                asker,
                detail,
            } => Self::RegisterDenied {
                register,
                asker,
                detail,
            },
            RegisterError::Rejected {
                register,
                asker,
                detail,
            } => Self::RegisterRejected {
                register,
                asker,
                detail,
            },
            RegisterError::NotSetUp { register, detail } => Self::not_set_up(format!("{register}: {detail}")),
            RegisterError::Unusable { register, detail } => Self::RegisterUnusable { register, detail },
        }
    }
}
