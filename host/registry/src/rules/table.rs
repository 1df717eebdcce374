//! The rules, read and checked.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use budstikke_message::identifier::{ProcessId, ServiceId};
use serde::Deserialize;

use super::fact::{Condition, ReceiverKind};
use crate::data::{Process, Snapshot};

/// All rules.
#[derive(Debug, Clone)]
pub struct Rules {
    pub(super) chapters: Vec<Chapter>,
    pub(super) scopes: BTreeMap<String, BTreeSet<String>>,
    pub(super) virksert: Vec<VirksertUse>,
}

/// The rules for one kind of receiver and one category of processes.
#[derive(Debug, Clone)]
pub struct Chapter {
    /// Who it is about.
    pub receiver: ReceiverKind,
    /// The category; `None`: all that no chapter before it is about.
    pub category: Option<String>,
    /// Which of its processes are in an answer about all processes.
    pub(super) full_lookup: Vec<Pattern>,
    /// Whether processes that stand in no table count too.
    pub(super) unlisted_processes: bool,
    /// In the order in which they are tried.
    pub rules: Vec<Rule>,
}

/// A name, or the beginning of names when it ends in `*`.
#[derive(Debug, Clone, Deserialize)]
#[serde(from = "String")]
pub(super) struct Pattern(String);

impl From<String> for Pattern {
    fn from(text: String) -> Self {
        Self(text)
    }
}

impl Pattern {
    fn fits(&self, name: &str) -> bool {
        self.0
            .strip_suffix('*')
            .map_or(self.0 == name, |beginning| name.starts_with(beginning))
    }
}

/// One rule.
#[derive(Debug, Clone)]
pub struct Rule {
    /// Its name, the only one of it.
    pub name: String,
    /// All must be met.
    pub when: Vec<Condition>,
    /// What comes of it.
    pub outcome: Outcome,
    /// Why, in words.
    pub reason: String,
}

/// What a rule gives.
#[derive(Debug, Clone)]
pub enum Outcome {
    /// These records; none: the receiver does not take the process.
    Records(Vec<Arc<Template>>),
    /// The question cannot be answered so.
    Refused(Refusal),
}

/// Why a question cannot be answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Refusal {
    /// Nothing takes the security level.
    Level,
    /// The caller's token lacks a scope.
    Scope,
}

/// What a record is made of. Spec: service registry, 5.2.
#[derive(Debug, Clone)]
pub struct Template {
    /// Its name in the rules.
    pub name: String,
    /// The service.
    pub service: ServiceId,
    /// The record is made only when all are met.
    pub when: Vec<Condition>,
    /// Where `endpointUrl` comes from.
    pub endpoint: Endpoint,
    /// Where codes and resource come from.
    pub codes: Codes,
    /// Where the certificate comes from.
    pub certificate: CertificateFrom,
    /// Which document types it takes.
    pub document_types: DocumentTypes,
    /// Where the level comes from.
    pub level: Option<LevelFrom>,
    /// What else it tells.
    pub members: Option<Members>,
}

/// Where `endpointUrl` comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Endpoint {
    /// Settings of the service.
    Service,
    /// The service code of the process.
    ProcessCode,
    /// The id of the account.
    Account,
}

/// Where codes and resource come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Codes {
    /// Settings of the service.
    Service,
    /// The process.
    Process,
    /// The default process.
    DefaultProcess,
    /// The service code is the name of the process.
    Protocol,
    /// There are none.
    None,
}

/// Where the certificate comes from.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CertificateFrom {
    /// The receiver's for this use, from own data or virksert.
    Use(String),
    /// Settings of the service.
    Service,
    /// The citizen's mailbox.
    Mailbox,
    /// Who prints.
    Printer,
    /// The health unit.
    Unit,
    /// The account; it may have none in the catalogue.
    Account,
    /// Messages are not sealed.
    None,
}

/// Which document types a record takes.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DocumentTypes {
    /// All of the process.
    All,
    /// The one of this message type.
    Ending(String),
    /// The name of the process.
    Protocol,
}

/// Where the level comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LevelFrom {
    /// The system that fetches letters.
    ReceiverSystem,
}

/// What else a record tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Members {
    /// The citizen's mailbox and contact data.
    Mailbox,
    /// Where the letter goes and where it comes back to.
    Print,
    /// The health unit and its patient.
    Health,
}

/// A use of certificates that `/virksert` knows.
#[derive(Debug, Clone)]
pub struct VirksertUse {
    /// Its name in virksert.
    pub r#use: String,
    /// The list of scopes that chooses it.
    pub(super) scope: String,
}

impl Rules {
    /// The chapter for a receiver and a process of the table.
    pub fn chapter(&self, kind: ReceiverKind, process: &Process) -> Option<&Chapter> {
        let fits = |chapter: &&Chapter| chapter.category.as_ref().is_none_or(|own| *own == process.category);
        self.of_kind(kind).find(fits)
    }

    /// The chapter for a receiver and a process that stands in no table.
    pub fn chapter_of_unlisted(&self, kind: ReceiverKind) -> Option<&Chapter> {
        self.of_kind(kind).find(|chapter| chapter.unlisted_processes)
    }

    /// What is asked when all processes of a receiver are: in the order of the chapters, then by name. Each process belongs to the
    /// chapter that decides it when it is asked for alone, and to no other.
    pub fn full_lookup<'a>(&'a self, kind: ReceiverKind, data: &'a Snapshot) -> Vec<(&'a Chapter, &'a Process)> {
        let mut all = Vec::new();
        for chapter in self.of_kind(kind) {
            let asked = data.processes.values().filter(|process| {
                let name = process.identifier.as_str();
                self.chapter(kind, process)
                    .is_some_and(|own| std::ptr::eq(own, chapter))
                    && chapter.full_lookup.iter().any(|pattern| pattern.fits(name))
            });
            all.extend(asked.map(|process| (chapter, process)));
        }
        all
    }

    fn of_kind(&self, kind: ReceiverKind) -> impl Iterator<Item = &Chapter> {
        self.chapters.iter().filter(move |chapter| chapter.receiver == kind)
    }

    /// The scopes of a list, one of which is enough. Empty for a list that there is not.
    pub fn scopes(&self, list: &str) -> impl Iterator<Item = &str> {
        self.scopes.get(list).into_iter().flatten().map(String::as_str)
    }

    /// Every scope that some rule asks for; what a caller that may ask everything has.
    pub fn all_scopes(&self) -> BTreeSet<String> {
        self.scopes.values().flatten().cloned().collect()
    }

    /// The uses whose certificates a caller with these scopes gets; the first of the table when there is none.
    /// Spec: service registry, 3.5.
    pub fn virksert_uses(&self, scopes: &BTreeSet<String>) -> Vec<&VirksertUse> {
        let chosen: Vec<_> = self
            .virksert
            .iter()
            .filter(|row| self.scopes(&row.scope).any(|scope| scopes.contains(scope)))
            .collect();
        if chosen.is_empty() {
            self.virksert.iter().take(1).collect()
        } else {
            chosen
        }
    }

    /// Functions that some rule or record asks for, which settings can switch off.
    pub fn features(&self) -> BTreeSet<&str> {
        let of_rules = self.rules().flat_map(|rule| &rule.when);
        let of_records = self.records().flat_map(|record| &record.when);
        let features = of_rules
            .chain(of_records)
            .filter_map(|condition| match &condition.fact {
                super::fact::Fact::Feature(name) => Some(name.as_str()),
                _ => None,
            });
        features.collect()
    }

    /// The names of all rules, in the order of the table.
    #[cfg(test)]
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.rules().map(|rule| rule.name.as_str())
    }

    /// Services whose settings some record needs.
    pub fn services_with_settings(&self) -> BTreeSet<&ServiceId> {
        self.records()
            .filter(|record| record.needs_settings())
            .map(|record| &record.service)
            .collect()
    }

    /// The scopes that a refused rule wanted.
    pub(crate) fn scopes_of(&self, rule: &str) -> Vec<String> {
        use super::fact::Fact;
        let rule = self.rules().find(|known| known.name == rule);
        let conditions = rule.map(|rule| rule.when.as_slice()).unwrap_or_default();
        conditions
            .iter()
            .filter_map(|condition| match &condition.fact {
                Fact::Scope(list) => Some(self.scopes(list)),
                _ => None,
            })
            .flatten()
            .map(str::to_owned)
            .collect()
    }

    fn rules(&self) -> impl Iterator<Item = &Rule> {
        self.chapters.iter().flat_map(|chapter| &chapter.rules)
    }

    fn records(&self) -> impl Iterator<Item = &Arc<Template>> {
        self.rules().flat_map(|rule| rule.outcome.records())
    }
}

impl Outcome {
    /// What comes of it; nothing, when it refuses.
    pub(super) fn records(&self) -> &[Arc<Template>] {
        match self {
            Self::Records(records) => records,
            Self::Refused(_) => &[],
        }
    }
}

impl Template {
    /// Whether it takes something from the settings of its service.
    pub fn needs_settings(&self) -> bool {
        self.endpoint == Endpoint::Service
            || self.codes == Codes::Service
            || self.certificate == CertificateFrom::Service
    }

    /// Whether a process has the document types that this record is about.
    pub fn takes(&self, process: &ProcessId, of: &[budstikke_message::identifier::DocumentType]) -> Vec<String> {
        match &self.document_types {
            DocumentTypes::All => of.iter().map(ToString::to_string).collect(),
            DocumentTypes::Ending(name) => of
                .iter()
                .filter(|known| known.fits(name))
                .map(ToString::to_string)
                .collect(),
            DocumentTypes::Protocol => vec![process.to_string()],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TABLE: &str = r#"
        [[chapter]]
        receiver = "organisation"
        category = "EINNSYN"
        [[chapter.rule]]
        name = "first"
        when = ["feature of-a-rule"]
        records = ["r"]
        reason = ""
        [[chapter]]
        receiver = "organisation"
        [[chapter.rule]]
        name = "second"
        records = ["r"]
        reason = ""
        [record.r]
        when = ["not feature of-a-record"]
        service = "X"
        endpoint = "service"
        codes = "none"
        certificate = "none"
        document-types = "all"
    "#;

    #[test]
    fn a_process_is_asked_for_in_one_chapter_alone_the_first_that_is_about_it() {
        let rules = Rules::read(TABLE).unwrap();
        let data = Snapshot::with_default_processes().unwrap();
        let all = rules.full_lookup(ReceiverKind::Organisation, &data);
        assert_eq!(all.len(), data.processes.len());
        for (chapter, process) in all {
            let own = rules.chapter(ReceiverKind::Organisation, process).unwrap();
            assert!(std::ptr::eq(chapter, own), "{}", process.identifier);
        }
    }

    #[test]
    fn functions_are_asked_for_by_rules_and_by_records() {
        let rules = Rules::read(TABLE).unwrap();
        assert_eq!(rules.features(), BTreeSet::from(["of-a-rule", "of-a-record"]));
    }
}
