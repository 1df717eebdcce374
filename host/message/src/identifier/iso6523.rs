//! Organisations by ISO 6523: `ICD:org[:part[:source]]`. Spec: documents and packaging, 2.2.

use std::fmt;
use std::ops::Range;

use super::{IdentifierError, OrganisationNumber, Person};
use crate::asic::is_xml_text;

/// Norwegian organisation numbers.
const NORWEGIAN: &str = "0192";

/// The lists of organisations that are accepted, besides 9912 to 9958 without a gap. 9908, the old Norwegian code, is
/// not among them.
const ICD: [&str; 24] = [
    "0002", "0007", "0009", "0028", "0037", "0060", "0088", "0096", "0097", "0106", "0135", "0142", "0184", "0191",
    "0192", "0195", "9901", "9902", "9904", "9905", "9906", "9907", "9909", "9910",
];

/// Most characters of an organisation and of a part.
const MAX_CHARACTERS: usize = 35;

/// An organisation, possibly with the part of it that is meant. `Debug` and `Display` hide person numbers.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Iso6523 {
    text: String,
    org: Range<usize>,
    part: Option<Range<usize>>,
    source: Option<char>,
}

impl Iso6523 {
    /// Reads the full form, or nine digits alone as a Norwegian organisation. There is no control digit check.
    pub(super) fn parse(text: &str) -> Option<Self> {
        if text.len() == 9 && text.bytes().all(|byte| byte.is_ascii_digit()) {
            return Self::parse(&format!("{NORWEGIAN}:{text}"));
        }
        let mut components = text.split(':');
        let (icd, org) = (components.next()?, components.next()?);
        let (part, source) = (components.next(), components.next());
        let right = components.next().is_none()
            && known_icd(icd)
            && length_ok(org, 1)
            && part.is_none_or(|part| length_ok(part, 1) && !part.chars().any(char::is_whitespace))
            && source.is_none_or(|source| source.len() == 1 && source.bytes().all(|byte| byte.is_ascii_digit()))
            && (part, source) != (Some("0"), Some("0"));
        right.then(|| {
            Self::at(
                text.to_owned(),
                icd,
                org,
                part,
                source.and_then(|source| source.chars().next()),
            )
        })
    }

    /// Builds an identifier from its components, with the stricter rules of spec: documents and packaging, 2.2: org and
    /// part have 3 to 35 characters and neither start nor end with a space.
    pub fn from_components(
        icd: &str,
        org: &str,
        part: Option<&str>,
        source: Option<char>,
    ) -> Result<Self, IdentifierError> {
        let strict = |text: &str| length_ok(text, 3) && !text.contains(':') && text.trim() == text;
        if !known_icd(icd) {
            return Err(IdentifierError::Component("ICD"));
        }
        if !strict(org) {
            return Err(IdentifierError::Component("organisation"));
        }
        if !part.is_none_or(strict) {
            return Err(IdentifierError::Component("part"));
        }
        if source.is_some_and(|source| part.is_none() || !source.is_ascii_digit()) {
            return Err(IdentifierError::Component("source"));
        }
        let mut text = format!("{icd}:{org}");
        if let Some(part) = part {
            text.push(':');
            text.push_str(part);
        }
        if let Some(source) = source {
            text.push(':');
            text.push(source);
        }
        Ok(Self::at(text, icd, org, part, source))
    }

    fn at(text: String, icd: &str, org: &str, part: Option<&str>, source: Option<char>) -> Self {
        let org = icd.len() + 1..icd.len() + 1 + org.len();
        let part = part.map(|part| org.end + 1..org.end + 1 + part.len());
        Self {
            text,
            org,
            part,
            source,
        }
    }

    /// The whole value. An organisation may be a person number: not for logs.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The list that the organisation is taken from, four digits.
    pub fn icd(&self) -> &str {
        self.text.get(..4).unwrap_or_default()
    }

    /// The organisation.
    pub fn org(&self) -> &str {
        self.text.get(self.org.clone()).unwrap_or_default()
    }

    /// The part of the organisation, or who it sends on behalf of.
    pub fn part(&self) -> Option<&str> {
        self.part.clone().and_then(|part| self.text.get(part))
    }

    /// The digit that tells where the part comes from.
    pub fn source(&self) -> Option<char> {
        self.source
    }

    /// This sender as the owner of the installation sends for it: another organisation `Y` becomes `0192:own:Y`; the
    /// owner itself and a sender with a part stay as they are. Spec: documents and packaging, 2.5.
    #[must_use]
    pub fn on_behalf_of(self, own: &OrganisationNumber) -> Self {
        if self.part.is_some() || self.org() == own.as_str() {
            return self;
        }
        let text = format!("{NORWEGIAN}:{own}:{}", self.org());
        // An organisation with white space is no part; it stays as it is and is refused later on.
        Self::parse(&text).unwrap_or(self)
    }

    /// The part alone, as a sender of its own: `0192:X:Y` becomes `0192:Y`. Without a part, the identifier itself.
    #[must_use]
    pub fn without_owner(&self) -> Self {
        self.part()
            .and_then(|part| Self::parse(&format!("{}:{part}", self.icd())))
            .unwrap_or_else(|| self.clone())
    }
}

impl From<&OrganisationNumber> for Iso6523 {
    fn from(number: &OrganisationNumber) -> Self {
        Self::at(format!("{NORWEGIAN}:{number}"), NORWEGIAN, number.as_str(), None, None)
    }
}

impl fmt::Display for Iso6523 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let masked = |component| {
            if Person::looks_like_one(component) {
                Person::MASK
            } else {
                component
            }
        };
        write!(f, "{}:{}", self.icd(), masked(self.org()))?;
        if let Some(part) = self.part() {
            write!(f, ":{}", masked(part))?;
        }
        self.source.map_or(Ok(()), |source| write!(f, ":{source}"))
    }
}

impl fmt::Debug for Iso6523 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Iso6523({self})")
    }
}

fn known_icd(icd: &str) -> bool {
    let in_range = icd.len() == 4 && icd.bytes().all(|b| b.is_ascii_digit()) && ("9912"..="9958").contains(&icd);
    in_range || ICD.contains(&icd)
}

fn length_ok(text: &str, least: usize) -> bool {
    // The value goes into logs, XML and HTTP headers.
    (least..=MAX_CHARACTERS).contains(&text.chars().count()) && text.chars().all(is_xml_text)
}
