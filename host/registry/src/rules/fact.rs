//! What a rule can ask, and what was found out.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// The kinds of receivers. Spec: service registry, 3.1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum ReceiverKind {
    /// A Norwegian organisation.
    Organisation,
    /// A citizen.
    Person,
    /// A unit of the health service.
    Health,
    /// A FIKS IO account.
    Account,
}

/// Something that is so or is not.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Fact {
    /// The organisation is registered for this process.
    RegisteredForProcess,
    /// The organisation is registered for some process with a document type of this one.
    RegisteredForAny,
    /// It has a system that fetches letters of the level that is asked for; of any level when none is.
    ReceiverSystemAtLevel,
    /// This security level is asked for.
    Level(u8),
    /// The process has a document type of this message type.
    Takes(String),
    /// A function of the address service is on.
    Feature(String),
    /// The caller has a scope of this list.
    Scope(String),
    /// One process is asked for, not all.
    ByProcess,
    /// The caller takes part in trials.
    Beta,
    /// The caller wants to know about letters on paper.
    PrintWanted,
    /// Messages of this process must be notified.
    NotificationObligatory,
    /// The citizen has reserved against digital decisions.
    Reserved,
    /// The citizen can be notified.
    Notifiable,
    /// The citizen's contact data is in use.
    Active,
    /// The citizen has a digital mailbox.
    Mailbox,
    /// The citizen has an address that is not secret.
    AddressKnown,
    /// The account can be written to.
    Receives,
}

/// Who can say whether a fact holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Giver {
    /// The question itself.
    Question,
    /// How the address service is set up, its processes included.
    Settings,
    /// A register of such receivers.
    Register(ReceiverKind),
}

use Giver::{Question, Register, Settings};
use ReceiverKind::{Account, Organisation, Person};

/// The facts without a value of their own, by name.
const PLAIN: &[(&str, Fact)] = &[
    ("registered-for-process", Fact::RegisteredForProcess),
    ("registered-for-any", Fact::RegisteredForAny),
    ("receiver-system-at-level", Fact::ReceiverSystemAtLevel),
    ("by-process", Fact::ByProcess),
    ("beta", Fact::Beta),
    ("print-wanted", Fact::PrintWanted),
    ("notification-obligatory", Fact::NotificationObligatory),
    ("reserved", Fact::Reserved),
    ("notifiable", Fact::Notifiable),
    ("active", Fact::Active),
    ("mailbox", Fact::Mailbox),
    ("address-known", Fact::AddressKnown),
    ("receives", Fact::Receives),
];

impl Fact {
    fn giver(&self) -> Giver {
        match self {
            Self::Level(_) | Self::Scope(_) | Self::ByProcess | Self::Beta | Self::PrintWanted => Question,
            Self::Takes(_) | Self::Feature(_) | Self::NotificationObligatory => Settings,
            Self::RegisteredForProcess | Self::RegisteredForAny | Self::ReceiverSystemAtLevel => Register(Organisation),
            Self::Reserved | Self::Notifiable | Self::Active | Self::Mailbox | Self::AddressKnown => Register(Person),
            Self::Receives => Register(Account),
        }
    }

    /// The table of `[registers]` that can say.
    pub(super) fn register(&self) -> Option<&'static str> {
        match self {
            Self::RegisteredForProcess | Self::RegisteredForAny => Some("elma"),
            Self::ReceiverSystemAtLevel => Some("svarut"),
            Self::Reserved | Self::Notifiable | Self::Active | Self::Mailbox => Some("krr"),
            Self::AddressKnown => Some("freg"),
            Self::Receives => Some("fiks"),
            Self::Level(_)
            | Self::Takes(_)
            | Self::Feature(_)
            | Self::Scope(_)
            | Self::ByProcess
            | Self::Beta
            | Self::PrintWanted
            | Self::NotificationObligatory => None,
        }
    }

    /// Whether it is about the receiver; the others are about the question and the settings.
    pub fn is_about_receiver(&self) -> bool {
        matches!(self.giver(), Register(_))
    }

    /// Whether it can be asked about such a receiver.
    pub(super) fn fits(&self, kind: ReceiverKind) -> bool {
        match self.giver() {
            Register(of) => of == kind,
            Question | Settings => true,
        }
    }
}

impl fmt::Display for Fact {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Level(level) => write!(f, "level {level}"),
            Self::Takes(name) => write!(f, "takes {name}"),
            Self::Feature(name) => write!(f, "feature {name}"),
            Self::Scope(name) => write!(f, "scope {name}"),
            plain => {
                let row = PLAIN.iter().find(|(_, fact)| fact == plain);
                f.write_str(row.map_or("", |(name, _)| name))
            }
        }
    }
}

impl FromStr for Fact {
    type Err = UnknownFact;

    fn from_str(text: &str) -> Result<Self, UnknownFact> {
        if let Some((_, fact)) = PLAIN.iter().find(|(name, _)| *name == text) {
            return Ok(fact.clone());
        }
        let (name, value) = text.split_once(' ').ok_or(UnknownFact)?;
        let value = value.trim();
        match name {
            "level" => value.parse().map(Self::Level).map_err(|_| UnknownFact),
            "takes" if !value.is_empty() => Ok(Self::Takes(value.to_owned())),
            "feature" if !value.is_empty() => Ok(Self::Feature(value.to_owned())),
            "scope" if !value.is_empty() => Ok(Self::Scope(value.to_owned())),
            _ => Err(UnknownFact),
        }
    }
}

/// A text that names no fact.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "there is no such condition; there are {}, `level <number>`, `takes <message type>`, `feature <name>`, `scope <name>`, and `not` before each of them",
    PLAIN.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(", ")
)]
pub struct UnknownFact;

/// A fact that must hold, or, with `not` before it, must not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Condition {
    /// What is asked.
    pub fact: Fact,
    /// What the answer must be.
    pub wanted: bool,
}

impl FromStr for Condition {
    type Err = UnknownFact;

    fn from_str(text: &str) -> Result<Self, UnknownFact> {
        let (wanted, fact) = text.strip_prefix("not ").map_or((true, text), |fact| (false, fact));
        Ok(Self {
            fact: fact.parse()?,
            wanted,
        })
    }
}

impl fmt::Display for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let not = if self.wanted { "" } else { "not " };
        write!(f, "{not}{}", self.fact)
    }
}

/// Where an answer came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// What the address service keeps itself.
    OwnData,
    /// An outside register, by name.
    Register(&'static str),
    /// The register that would know is not used here, so nobody is in it.
    NotUsed(&'static str),
    /// The question and who asks.
    Question,
    /// How the address service is set up.
    Settings,
    /// An operator's decision about this receiver.
    Override,
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::OwnData => f.write_str("own data"),
            Self::Register(name) => f.write_str(name),
            Self::NotUsed(name) => write!(f, "{name} is not used here"),
            Self::Question => f.write_str("the question"),
            Self::Settings => f.write_str("the settings"),
            Self::Override => f.write_str("the operator's decision"),
        }
    }
}

impl Serialize for Source {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// What was found out about a fact.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Finding {
    /// Whether it is so.
    pub holds: bool,
    /// Who said so.
    pub source: Source,
}

/// Everything that is known so far about one question.
#[derive(Debug, Clone, Default)]
pub struct Facts(BTreeMap<Fact, Finding>);

impl Facts {
    /// What is known of a fact.
    pub fn get(&self, fact: &Fact) -> Option<Finding> {
        self.0.get(fact).copied()
    }

    /// Adds what was found out.
    pub fn add(&mut self, fact: Fact, finding: Finding) {
        self.0.insert(fact, finding);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_condition_reads_as_it_is_written() {
        let names = PLAIN.iter().map(|(name, _)| (*name).to_owned());
        let valued = ["level 4", "takes z", "feature x", "scope y"].map(str::to_owned);
        for text in names.chain(valued) {
            for text in [text.clone(), format!("not {text}")] {
                assert_eq!(text.parse::<Condition>().unwrap().to_string(), text);
            }
        }
        for text in [
            "",
            "not",
            "level",
            "level x",
            "level 300",
            "feature ",
            "registered",
            "not not beta",
        ] {
            assert!(text.parse::<Condition>().is_err(), "{text}");
        }
    }
}
