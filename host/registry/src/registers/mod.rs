//! The outside registers, behind one trait each.
//!
//! Every answer tells three cases apart: it is there, it is not there (`Ok(None)`, an empty list), and nobody could say
//! ([`RegisterError`]). The third is never kept as the second, and never changes a route. Spec: service registry, 6.
//!
//! | file | what |
//! |---|---|
//! | `brreg`, `elma`, `virksert`, `svarut`, `krr`, `freg`, `nhn`, `fiks` | a client for each register |
//! | `wire`, `ks`, `jws`, `chain`, `xml`, `certificate`, `token` | what several of them need |
//! | `cached`, `breaker` | what is around every client |
//! | `settings`, `open`, `left_out` | `[registers.…]`, registers made from it, and what is so without one |

mod breaker;
mod brreg;
mod cached;
pub mod certificate;
pub mod chain;
mod elma;
mod fiks;
mod freg;
mod jws;
mod krr;
mod ks;
mod left_out;
mod nhn;
mod open;
pub mod settings;
mod svarut;
pub mod token;
mod virksert;
mod wire;
mod xml;

pub use open::OpenError;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use async_trait::async_trait;
use budstikke_message::identifier::{DocumentType, Nhn, OrganisationNumber, Person, ProcessId};
use budstikke_message::x509::Certificate;

use crate::caller::CallerToken;

/// Why a register gave no answer. Texts never hold a person number, a token or a key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RegisterError {
    /// No connection, no answer in time, an answer of 5xx or 429. The same question may be answered later.
    #[error("{register} cannot be asked: {detail}")]
    Unavailable {
        /// Name of the register, as people know it.
        register: &'static str,
        /// What happened.
        detail: String,
    },
    /// It does not let the one ask whose credentials it was shown.
    #[error("{register} refused the question: {detail}")]
    Denied {
        /// Name of the register.
        register: &'static str,
        /// Whose credentials they were.
        asker: Asker,
        /// What it said.
        detail: String,
    },
    /// It did not accept the question: an answer of 4xx that means neither absent nor denied.
    #[error("{register} did not accept the question: {detail}")]
    Rejected {
        /// Name of the register.
        register: &'static str,
        /// Who asked.
        asker: Asker,
        /// Status and text.
        detail: String,
    },
    /// It answered something that cannot be used: not readable, or a signature that does not hold.
    #[error("the answer of {register} cannot be used: {detail}")]
    Unusable {
        /// Name of the register.
        register: &'static str,
        /// What is wrong with it.
        detail: String,
    },
    /// The settings lack what the question needs. Nobody was asked; only the operator can mend it.
    #[error("{register} is not set up for the question: {detail}")]
    NotSetUp {
        /// Name of the register.
        register: &'static str,
        /// What is missing.
        detail: String,
    },
}

/// In whose name a register is asked. It decides who can mend a refusal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Asker {
    /// The client of the address service, with its own token.
    Caller,
    /// The address service, with its own credentials or without any.
    Us,
}

/// Where post goes. Without its content in `Debug`: it can say where a person lives.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Address {
    /// Lines, without postnummer and poststed.
    pub lines: Vec<String>,
    /// Postnummer.
    pub postal_code: Option<String>,
    /// Poststed.
    pub postal_area: Option<String>,
    /// Country, as the register writes it: a name or a code.
    pub country: Option<String>,
}

impl std::fmt::Debug for Address {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Address").finish_non_exhaustive()
    }
}

/// An organisation of Enhetsregisteret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Organisation {
    /// Nine digits.
    pub number: OrganisationNumber,
    /// `navn`.
    pub name: String,
    /// `organisasjonsform.kode`, such as `ORGL`.
    pub form: Option<String>,
    /// `postadresse`, else `forretningsadresse`.
    pub address: Option<Address>,
}

/// Enhetsregisteret (BRREG): which organisations there are. Spec: service registry, 6.1.
#[async_trait]
pub trait Organisations: Send + Sync {
    /// An organisation or sub-unit that exists and is not deleted.
    async fn organisation(&self, number: &OrganisationNumber) -> Result<Option<Organisation>, RegisterError>;
}

/// ELMA (a Peppol SMP): what an organisation is registered to receive. Spec: service registry, 5.1 and 6.2.
#[async_trait]
pub trait Registrations: Send + Sync {
    /// The processes that the organisation is registered with, by document type; those without a registration are left out.
    /// Look-ups ask once for all processes of a receiver.
    async fn by_document_type(
        &self,
        number: &OrganisationNumber,
        document_types: &[DocumentType],
    ) -> Result<Registered, RegisterError>;
}

/// What an organisation is registered for: processes by document type. Empty: nothing of what was asked for.
pub type Registered = BTreeMap<DocumentType, BTreeSet<ProcessId>>;

/// Virksert: the certificates that organisations receive with. Spec: service registry, 6.3.
#[async_trait]
pub trait Certificates: Send + Sync {
    /// The first certificate that may be sealed to now, for one use (the name of a row in the settings, such as a service).
    async fn certificate(&self, number: &OrganisationNumber, r#use: &str)
    -> Result<Option<Certificate>, RegisterError>;
}

/// An entry of SvarUt's mottakersystemer that takes every kind of forsendelse. Spec: service registry, 6.4.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReceiverSystem {
    /// Security level, `niva`; usually 3 or 4.
    pub level: u8,
}

/// SvarUt: which organisations fetch their post from SvarInn. Spec: service registry, 6.4.
#[async_trait]
pub trait ReceiverSystems: Send + Sync {
    /// Those without `forsendelseType`. Empty: the receiver has none.
    async fn receiver_systems(&self, number: &OrganisationNumber) -> Result<Vec<ReceiverSystem>, RegisterError>;
}

/// What KRR knows of a person. Without its content in `Debug`.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Contact {
    /// `reservasjon` is `JA`.
    pub reserved: bool,
    /// `status` is `AKTIV`.
    pub active: bool,
    /// `varslingsstatus` is `KAN_VARSLES`.
    pub notifiable: bool,
    /// `epostadresse`.
    pub email: Option<String>,
    /// `mobiltelefonnummer`.
    pub mobile: Option<String>,
    /// `spraak`.
    pub language: Option<String>,
    /// The digital mailbox; there is one only with a certificate.
    pub mailbox: Option<Mailbox>,
}

impl std::fmt::Debug for Contact {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Contact").finish_non_exhaustive()
    }
}

/// A person's digital mailbox.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mailbox {
    /// `postkasseadresse`.
    pub address: String,
    /// `postkasseleverandoeradresse`, an organisation number.
    pub supplier: String,
    /// `sertifikat`.
    pub certificate: Certificate,
}

/// Who prints letters, and the certificate that they are sealed to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Printer {
    /// Organisation number of the supplier.
    pub supplier: String,
    /// `x509Sertifikat`.
    pub certificate: Certificate,
}

/// Kontakt- og reservasjonsregisteret (KRR). Spec: service registry, 6.5.
#[async_trait]
pub trait Contacts: Send + Sync {
    /// A person, asked for with the token of the client.
    async fn contact(&self, person: &Person, token: &CallerToken) -> Result<Option<Contact>, RegisterError>;
    /// Who prints.
    async fn printer(&self) -> Result<Printer, RegisterError>;
}

/// Who a person is and where they live. Without its content in `Debug`.
#[derive(Clone, PartialEq, Eq)]
pub struct Resident {
    /// `fornavn`.
    pub first_name: String,
    /// `mellomnavn`.
    pub middle_name: Option<String>,
    /// `etternavn`.
    pub last_name: String,
    /// `postadresse`; `None` when it is secret.
    pub address: Option<Address>,
}

impl std::fmt::Debug for Resident {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Resident").finish_non_exhaustive()
    }
}

/// Folkeregisteret, behind its gateway (FREG). Spec: service registry, 6.6.
#[async_trait]
pub trait Residents: Send + Sync {
    /// Name and address of a person.
    async fn resident(&self, person: &Person) -> Result<Option<Resident>, RegisterError>;
}

/// An office or a person of the health service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HealthUnit {
    /// `herId`.
    pub her_id: u64,
    /// `name`.
    pub name: Option<String>,
    /// `parentHerId`.
    pub parent_her_id: Option<u64>,
    /// `parentName`.
    pub parent_name: Option<String>,
    /// `orgNumber`.
    pub organisation: String,
    /// `derCertificate`.
    pub certificate: Option<Certificate>,
}

/// Norsk Helsenett's address register, behind its adapter. Spec: service registry, 6.7.
#[async_trait]
pub trait HealthUnits: Send + Sync {
    /// A unit, asked for with the token of the client.
    async fn unit(&self, identifier: &Nhn, token: &CallerToken) -> Result<Option<HealthUnit>, RegisterError>;
}

/// An account of the Fiks IO catalogue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// UUID.
    pub id: String,
    /// `kontoNavn`.
    pub name: Option<String>,
    /// Whether it can be written to now.
    pub receives: bool,
    /// What messages are sealed to.
    pub certificate: Option<Certificate>,
}

/// The Fiks IO catalogue. Spec: service registry, 5.8; DPF and DPFIO.
#[async_trait]
pub trait Accounts: Send + Sync {
    /// An account by its UUID.
    async fn account(&self, id: &str) -> Result<Option<Account>, RegisterError>;
}

/// The registers that this installation can ask. `None`: it has no access to that one, which is something else than that the
/// register knows nothing.
#[derive(Clone, Default)]
pub struct Registers {
    /// Enhetsregisteret.
    pub organisations: Option<Arc<dyn Organisations>>,
    /// ELMA.
    pub registrations: Option<Arc<dyn Registrations>>,
    /// Virksert.
    pub certificates: Option<Arc<dyn Certificates>>,
    /// SvarUt's mottakersystemer.
    pub receiver_systems: Option<Arc<dyn ReceiverSystems>>,
    /// KRR.
    pub contacts: Option<Arc<dyn Contacts>>,
    /// Folkeregisteret.
    pub residents: Option<Arc<dyn Residents>>,
    /// Norsk Helsenett.
    pub health_units: Option<Arc<dyn HealthUnits>>,
    /// The Fiks IO catalogue.
    pub accounts: Option<Arc<dyn Accounts>>,
}

impl Registers {
    /// Whether there is none to ask.
    pub fn is_empty(&self) -> bool {
        // Each by its name: one that is added later must not be forgotten here.
        let Self {
            organisations,
            registrations,
            certificates,
            receiver_systems,
            contacts,
            residents,
            health_units,
            accounts,
        } = self;
        organisations.is_none()
            && registrations.is_none()
            && certificates.is_none()
            && receiver_systems.is_none()
            && contacts.is_none()
            && residents.is_none()
            && health_units.is_none()
            && accounts.is_none()
    }
}
