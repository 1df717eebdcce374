//! Norwegian organisation numbers.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::IdentifierError;

/// Nine digits. The control digit is not checked, because test organisations may not have a right one. Spec: documents
/// and packaging, 2.2.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct OrganisationNumber(String);

impl OrganisationNumber {
    /// The nine digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for OrganisationNumber {
    type Err = IdentifierError;

    fn from_str(text: &str) -> Result<Self, IdentifierError> {
        let nine = text.len() == 9 && text.bytes().all(|byte| byte.is_ascii_digit());
        nine.then(|| Self(text.to_owned()))
            .ok_or(IdentifierError::NotAnOrganisation)
    }
}

impl TryFrom<String> for OrganisationNumber {
    type Error = IdentifierError;

    fn try_from(text: String) -> Result<Self, IdentifierError> {
        text.parse()
    }
}

impl From<OrganisationNumber> for String {
    fn from(number: OrganisationNumber) -> Self {
        number.0
    }
}

impl fmt::Display for OrganisationNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
