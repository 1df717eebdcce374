//! Which service reaches a receiver in a process: a table of rules, and the function that applies it. Spec: service registry, 5.
//!
//! The table is `rules.toml`, built in; an operator may name another file. Services stand only there and in the settings.

mod decide;
mod fact;
mod needs;
mod overruling;
mod read;
mod table;
mod trail;

pub use decide::{Ruling, Step, Verdict, decide, wanted};
pub use fact::{Condition, Fact, Facts, Finding, ReceiverKind, Source, UnknownFact};
pub use overruling::Overruling;
pub use table::{
    CertificateFrom, Chapter, Codes, DocumentTypes, Endpoint, LevelFrom, Members, Outcome, Refusal, Rule, Rules,
    Template, VirksertUse,
};
pub use trail::{Fate, Heeded, RecordTrail, Seen, Trail, Tried};
