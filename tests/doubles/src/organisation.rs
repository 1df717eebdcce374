//! Organisation numbers as the services write them.

use std::fmt;
use std::str::FromStr;

/// ISO 6523 code of the Norwegian register of legal entities.
const ICD: &str = "0192:";
/// The form that Altinn accepts beside the ISO 6523 form.
const URN: &str = "urn:altinn:organization:identifier-no:";

/// A Norwegian organisation number: nine digits, without a check of the control digit (test numbers are often made up).
///
/// Shown as `0192:<nine digits>`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Organisation(String);

/// The text is not an organisation number in any form that the services accept.
#[derive(Debug, thiserror::Error)]
#[error("`{0}` is not an organisation number (nine digits, alone or after `0192:`)")]
pub struct NotAnOrganisation(String);

impl Organisation {
    /// The nine digits.
    pub fn number(&self) -> &str {
        &self.0
    }
}

impl FromStr for Organisation {
    type Err = NotAnOrganisation;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let digits = text
            .strip_prefix(ICD)
            .or_else(|| text.strip_prefix(URN))
            .unwrap_or(text);
        if digits.len() == 9 && digits.bytes().all(|byte| byte.is_ascii_digit()) {
            Ok(Self(digits.to_owned()))
        } else {
            Err(NotAnOrganisation(text.chars().take(100).collect()))
        }
    }
}

impl fmt::Display for Organisation {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{ICD}{}", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_written_forms_mean_the_same_organisation() {
        let plain: Organisation = "991825827".parse().unwrap();
        assert_eq!(plain, "0192:991825827".parse().unwrap());
        assert_eq!(
            plain,
            "urn:altinn:organization:identifier-no:991825827".parse().unwrap()
        );
        assert_eq!(plain.to_string(), "0192:991825827");
    }

    #[test]
    fn other_texts_are_refused() {
        for text in [
            "",
            "99182582",
            "9918258270",
            "0192:99182582x",
            "0088:991825827",
            "0192:991825827:910076787",
        ] {
            assert!(text.parse::<Organisation>().is_err(), "{text}");
        }
    }
}
