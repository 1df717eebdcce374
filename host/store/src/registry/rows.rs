//! The rows of the address service's own data, as plain values.

/// Everything, as it was at one moment.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RegistryRows {
    /// Number of the last change; 0 when there was none.
    pub change: i64,
    /// By identifier.
    pub processes: Vec<ProcessRow>,
    /// By identifier.
    pub document_types: Vec<String>,
    /// By number.
    pub organisations: Vec<OrganisationRow>,
}

/// A process.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ProcessRow {
    /// Given by the database; ignored when a row is written.
    pub id: i64,
    /// Its name.
    pub identifier: String,
    /// Altinn 2's code.
    pub service_code: Option<String>,
    /// Altinn 2's edition.
    pub service_edition_code: Option<String>,
    /// Altinn 3's resource.
    pub resource: Option<String>,
    /// Which rules decide.
    pub category: String,
    /// In their order. Those that are not there yet come to be.
    pub document_types: Vec<String>,
}

/// What changes in a process; `None` stays as it is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ProcessChange {
    /// Altinn 2's code.
    pub service_code: Option<String>,
    /// Altinn 2's edition.
    pub service_edition_code: Option<String>,
    /// Altinn 3's resource.
    pub resource: Option<String>,
    /// All of them.
    pub document_types: Option<Vec<String>>,
}

/// An organisation that is kept here.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct OrganisationRow {
    /// Nine digits.
    pub number: String,
    /// Name.
    pub name: Option<String>,
    /// Organisasjonsform.
    pub form: Option<String>,
    /// Where post goes.
    pub address: Option<AddressRow>,
    /// Processes that it is registered for; `None`: the outside register is asked.
    pub registrations: Option<Vec<String>>,
    /// Use and DER.
    pub certificates: Vec<(String, Vec<u8>)>,
    /// In their order.
    pub overrides: Vec<OverrideRow>,
}

/// Where post goes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AddressRow {
    /// Lines; a line break in one of them makes two.
    pub lines: Vec<String>,
    /// Postnummer.
    pub postal_code: Option<String>,
    /// Poststed.
    pub postal_area: Option<String>,
    /// Country.
    pub country: Option<String>,
}

/// An operator's decision for one receiver.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OverrideRow {
    /// `None`: for all.
    pub process: Option<String>,
    /// What happens.
    pub decision: DecisionRow,
    /// Why.
    pub reason: String,
}

/// What an override says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DecisionRow {
    /// This service and no other.
    Only(String),
    /// Any service but this one.
    Never(String),
    /// Nothing at all.
    Closed,
}

/// Rows that come in together: those that are there already are replaced.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Imported {
    /// Processes, whole.
    pub processes: Vec<ProcessRow>,
    /// Document types of no process, too.
    pub document_types: Vec<String>,
    /// Organisations, whole.
    pub organisations: Vec<OrganisationRow>,
}

/// Who makes a change, and when (ms).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Author {
    /// Name of a user, or of a command.
    pub who: String,
    /// Milliseconds since 1970.
    pub at: i64,
}

/// A change that was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChangeRow {
    /// Rises.
    pub number: i64,
    /// Milliseconds since 1970.
    pub at: i64,
    /// Name of a user, or of a command.
    pub who: String,
    /// In words, without content.
    pub what: String,
}
