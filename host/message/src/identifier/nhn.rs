//! Health personnel and offices in the registers of Norsk helsenett. Spec: documents and packaging, 2.4.

use std::fmt;

use super::Person;

const HER_ID: &str = "her-id:";
const FASTLEGE_FOR: &str = "fastlege-for:";

/// Most characters after the colon.
const MAX_ID: usize = 11;

/// `her-id:<number>` or `fastlege-for:<person number>`. `Debug` and `Display` hide the person number.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Nhn {
    text: String,
    kind: Kind,
}

#[derive(Clone, PartialEq, Eq, Hash)]
enum Kind {
    HerId(u64),
    FastlegeFor(Person),
}

impl Nhn {
    pub(super) fn parse(text: &str) -> Option<Self> {
        let kind = if let Some(id) = text.strip_prefix(HER_ID) {
            let digits = (1..=MAX_ID).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_digit());
            Kind::HerId(id.parse().ok().filter(|number| digits && *number > 0)?)
        } else {
            Kind::FastlegeFor(Person::parse(text.strip_prefix(FASTLEGE_FOR)?)?)
        };
        Some(Self {
            text: text.to_owned(),
            kind,
        })
    }

    /// The whole value. May hold a person number: not for logs.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The HER-id, when the identifier is one.
    pub fn her_id(&self) -> Option<u64> {
        match self.kind {
            Kind::HerId(id) => Some(id),
            Kind::FastlegeFor(_) => None,
        }
    }

    /// The patient whose general practitioner is meant, when that is how the receiver is named.
    pub fn patient(&self) -> Option<&Person> {
        match &self.kind {
            Kind::HerId(_) => None,
            Kind::FastlegeFor(person) => Some(person),
        }
    }
}

impl fmt::Display for Nhn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.kind {
            Kind::HerId(id) => write!(f, "{HER_ID}{id}"),
            Kind::FastlegeFor(person) => write!(f, "{FASTLEGE_FOR}{person}"),
        }
    }
}

impl fmt::Debug for Nhn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Nhn({self})")
    }
}
