//! Who sends and who receives: ISO 6523, person, FIKS IO and NHN identifiers. Spec: documents and packaging, 2.

mod fiks_io;
mod hiding;
mod iso6523;
mod name;
mod nhn;
mod organisation;
mod person;
mod uuid_text;

use std::fmt;
use std::str::FromStr;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::{Deserialize, Serialize};

pub use fiks_io::FiksIo;
pub use hiding::without_person_numbers;
pub use iso6523::Iso6523;
pub use name::{DocumentType, NameError, ProcessId, ServiceId};
pub use nhn::Nhn;
pub use organisation::OrganisationNumber;
pub use person::Person;
pub(crate) use uuid_text::is_uuid;
pub use uuid_text::{ConversationId, MessageId, NotAUuid};

/// Longest identifier value that is looked at: two parts of 35 characters, a few bytes each, and what goes around them.
const MAX_BYTES: usize = 300;

/// What form encoding leaves as it is, besides letters and digits.
const FORM: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'*');

/// The list that an identifier is taken from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Authority {
    /// Organisations, persons and FIKS IO accounts.
    Iso6523ActoridUpis,
    /// Health personnel and offices.
    NhnActorid,
}

impl Authority {
    /// The name on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Iso6523ActoridUpis => "iso6523-actorid-upis",
            Self::NhnActorid => "nhn-actorid",
        }
    }
}

impl fmt::Display for Authority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Authority {
    type Err = IdentifierError;

    fn from_str(text: &str) -> Result<Self, IdentifierError> {
        [Self::Iso6523ActoridUpis, Self::NhnActorid]
            .into_iter()
            .find(|known| known.as_str() == text)
            .ok_or(IdentifierError::UnknownAuthority)
    }
}

/// Why an identifier is refused. Never holds the value, which may be a person number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum IdentifierError {
    /// The authority is not one of the two that exist.
    #[error("the authority must be iso6523-actorid-upis or nhn-actorid")]
    UnknownAuthority,
    /// The value is none of the kinds that the authority knows.
    #[error("the value is no identifier under {0}")]
    NotUnder(Authority),
    /// The value is no identifier of any kind.
    #[error("the value is no ISO 6523, person, FIKS IO or NHN identifier")]
    Unrecognised,
    /// A qualified identifier without `::`.
    #[error("a qualified identifier has the form authority::value")]
    NotQualified,
    /// Not an organisation number of nine digits.
    #[error("an organisation number has nine digits")]
    NotAnOrganisation,
    /// A component of an ISO 6523 identifier breaks its rule.
    #[error("the ISO 6523 {0} is not valid")]
    Component(&'static str),
}

/// A sender or receiver, of any kind.
///
/// `Debug` and `Display` are for logs and hide person numbers; [`Identifier::as_str`] gives the value.
#[derive(Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Identifier {
    /// An organisation, possibly with a part that it sends on behalf of.
    Iso6523(Iso6523),
    /// A citizen.
    Person(Person),
    /// A FIKS IO account.
    FiksIo(FiksIo),
    /// Health personnel, an office, or somebody's general practitioner.
    Nhn(Nhn),
}

impl Identifier {
    /// Reads a value under its authority, as in an SBD. Spec: documents and packaging, 2.1.
    pub fn parse(authority: &str, value: &str) -> Result<Self, IdentifierError> {
        let authority = authority.parse()?;
        let found = match authority {
            Authority::Iso6523ActoridUpis => Self::organisation_person_or_account(value),
            Authority::NhnActorid => Nhn::parse(value).map(Self::Nhn),
        };
        found.ok_or(IdentifierError::NotUnder(authority))
    }

    /// Reads a value whose authority is not known, as in a path or a query.
    pub fn parse_any(value: &str) -> Result<Self, IdentifierError> {
        Self::organisation_person_or_account(value)
            .or_else(|| Nhn::parse(value).map(Self::Nhn))
            .ok_or(IdentifierError::Unrecognised)
    }

    /// Reads `authority::value`; the last `::` splits.
    pub fn parse_qualified(text: &str) -> Result<Self, IdentifierError> {
        let (authority, value) = text.rsplit_once("::").ok_or(IdentifierError::NotQualified)?;
        Self::parse(authority, value)
    }

    fn organisation_person_or_account(value: &str) -> Option<Self> {
        if value.len() > MAX_BYTES {
            return None;
        }
        Iso6523::parse(value)
            .map(Self::Iso6523)
            .or_else(|| Person::parse(value).map(Self::Person))
            .or_else(|| FiksIo::parse(value).map(Self::FiksIo))
    }

    /// The authority of this kind of identifier.
    pub fn authority(&self) -> Authority {
        match self {
            Self::Iso6523(_) | Self::Person(_) | Self::FiksIo(_) => Authority::Iso6523ActoridUpis,
            Self::Nhn(_) => Authority::NhnActorid,
        }
    }

    /// The whole value. May be a person number: not for logs.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Iso6523(id) => id.as_str(),
            Self::Person(id) => id.number(),
            Self::FiksIo(id) => id.as_str(),
            Self::Nhn(id) => id.as_str(),
        }
    }

    /// What the registry and the queue filters know the party by: the organisation without its part, else the whole
    /// value. May be a person number: not for logs.
    pub fn primary(&self) -> &str {
        match self {
            Self::Iso6523(id) => id.org(),
            other => other.as_str(),
        }
    }

    /// Who the message is really from: the part if there is one, else [`Identifier::primary`]. Not for logs.
    pub fn sender_part(&self) -> &str {
        match self {
            Self::Iso6523(id) => id.part().unwrap_or(id.org()),
            other => other.as_str(),
        }
    }

    /// The form `authority::value`. Not for logs.
    pub fn qualified(&self) -> String {
        format!("{}::{}", self.authority(), self.as_str())
    }

    /// The value form-encoded, as it stands in a URL: `0192%3A991825827`. Not for logs.
    pub fn url_form(&self) -> String {
        utf8_percent_encode(self.as_str(), FORM).to_string().replace("%20", "+")
    }
}

impl fmt::Display for Identifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Iso6523(id) => id.fmt(f),
            Self::Person(id) => id.fmt(f),
            Self::FiksIo(id) => id.fmt(f),
            Self::Nhn(id) => id.fmt(f),
        }
    }
}

impl fmt::Debug for Identifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Identifier({self})")
    }
}

impl TryFrom<String> for Identifier {
    type Error = IdentifierError;

    fn try_from(value: String) -> Result<Self, IdentifierError> {
        Self::parse_any(&value)
    }
}

impl From<Identifier> for String {
    fn from(id: Identifier) -> Self {
        id.as_str().to_owned()
    }
}

#[cfg(test)]
mod tests;
