//! What the address service keeps itself. Read from its database as a whole, and replaced as a whole when something changes, so
//! that a look-up never waits for the database.

mod defaults;

use std::collections::{BTreeMap, BTreeSet, HashMap};

use budstikke_message::identifier::{DocumentType, OrganisationNumber, ProcessId, ServiceId};
use budstikke_message::x509::Certificate;

use crate::registers::Address;

/// Everything, at one moment.
#[derive(Debug, Clone, Default)]
pub struct Snapshot {
    /// Number of the last change that is in it; 0 when there was none.
    pub change: i64,
    /// The process table. Spec: service registry, 4.3.
    pub processes: BTreeMap<ProcessId, Process>,
    /// Document types, those of no process too.
    pub document_types: BTreeSet<DocumentType>,
    /// Organisations that are kept here, beside or instead of the outside registers.
    pub organisations: HashMap<OrganisationNumber, OwnOrganisation>,
}

/// A row of the process table. Spec: service registry, 3.8 and 7.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Process {
    /// Its number in the admin API.
    pub id: i64,
    /// Its name.
    pub identifier: ProcessId,
    /// Altinn 2's code.
    pub service_code: Option<String>,
    /// Altinn 2's edition; for eInnsyn nothing.
    pub service_edition_code: Option<String>,
    /// Altinn 3's resource.
    pub resource: Option<String>,
    /// Which rules decide: `ARKIVMELDING`, `AVTALT`, `EINNSYN`, `DIGITALPOST`, `DIALOGMELDING`, or one that the rules have.
    pub category: String,
    /// What is sent in it.
    pub document_types: Vec<DocumentType>,
}

/// An organisation that is kept here. What is `None` or empty is asked of the outside registers.
#[derive(Debug, Clone, Default)]
pub struct OwnOrganisation {
    /// Name.
    pub name: Option<String>,
    /// Organisasjonsform, such as `KOMM`.
    pub form: Option<String>,
    /// Where post goes.
    pub address: Option<Address>,
    /// The processes that it is registered for, as in ELMA; `None`: ELMA is asked.
    pub registrations: Option<BTreeSet<ProcessId>>,
    /// Certificates by use, as in virksert: one for each service that seals to the receiver.
    pub certificates: BTreeMap<String, Certificate>,
    /// What an operator has decided instead of the rules.
    pub overrides: Vec<Override>,
}

/// An operator's own decision for one receiver. It comes before all rules.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Override {
    /// For this process only; `None`: for all.
    pub process: Option<ProcessId>,
    /// What happens.
    pub decision: OverrideDecision,
    /// Why, in words; answers of `explain` repeat it.
    pub reason: String,
}

/// What an override says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OverrideDecision {
    /// This service and no other.
    Only(ServiceId),
    /// Any service but this one.
    Never(ServiceId),
    /// Nothing at all: the receiver does not take the process.
    Closed,
}
