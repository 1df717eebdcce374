//! Reading the rules. Every fault has its line and key, so that a table can be written by hand.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use budstikke_message::identifier::ServiceId;
use serde::Deserialize;
use toml::Spanned;

use super::fact::{Condition, Fact, ReceiverKind};
use super::table::{
    CertificateFrom, Chapter, Codes, DocumentTypes, Endpoint, LevelFrom, Members, Outcome, Pattern, Refusal, Rule,
    Rules, Template, VirksertUse,
};
use crate::place::TableError;

const BUILT_IN: &str = include_str!("rules.toml");

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    #[serde(default)]
    scopes: BTreeMap<String, BTreeSet<String>>,
    #[serde(default)]
    virksert: Vec<UseRow>,
    chapter: Vec<Spanned<ChapterRow>>,
    record: BTreeMap<String, RecordRow>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct UseRow {
    r#use: String,
    scope: Spanned<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct ChapterRow {
    receiver: ReceiverKind,
    category: Option<String>,
    full_lookup: Option<Vec<Pattern>>,
    #[serde(default)]
    unlisted_processes: bool,
    rule: Vec<RuleRow>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RuleRow {
    name: Spanned<String>,
    #[serde(default)]
    when: Vec<Spanned<String>>,
    records: Option<Vec<Spanned<String>>>,
    refuse: Option<Refusal>,
    reason: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct RecordRow {
    service: ServiceId,
    #[serde(default)]
    when: Vec<Spanned<String>>,
    endpoint: Endpoint,
    codes: Codes,
    certificate: CertificateFrom,
    document_types: DocumentTypes,
    level: Option<LevelFrom>,
    members: Option<Members>,
}

impl Rules {
    /// The rules of eFormidling. An error is a fault of the table that is built in.
    pub fn built_in() -> Result<Self, TableError> {
        Self::read(BUILT_IN)
    }

    /// Reads a table of rules. The first fault is an error with line and key.
    pub fn read(source: &str) -> Result<Self, TableError> {
        let table: Table = toml::from_str(source).map_err(|error| TableError::of_toml(source, &error))?;
        Reader {
            source,
            scopes: &table.scopes,
            names: BTreeSet::new(),
        }
        .rules(&table)
    }
}

struct Reader<'a> {
    source: &'a str,
    scopes: &'a BTreeMap<String, BTreeSet<String>>,
    names: BTreeSet<&'a str>,
}

impl<'a> Reader<'a> {
    fn rules(mut self, table: &'a Table) -> Result<Rules, TableError> {
        let records = table
            .record
            .iter()
            .map(|(name, row)| Ok((name.as_str(), Arc::new(self.record(name, row)?))))
            .collect::<Result<BTreeMap<_, _>, TableError>>()?;
        for row in &table.virksert {
            self.known_scope(row.scope.as_ref(), &row.scope)?;
        }
        let mut about = BTreeSet::new();
        let mut chapters = Vec::new();
        for row in &table.chapter {
            let chapter = row.as_ref();
            if !about.insert((chapter.receiver, chapter.category.as_deref())) {
                return Err(self.wrong(row, "another chapter is about the same receivers and category"));
            }
            chapters.push(self.chapter(chapter, &records)?);
        }
        let virksert = table.virksert.iter().map(|row| VirksertUse {
            r#use: row.r#use.clone(),
            scope: row.scope.as_ref().clone(),
        });
        Ok(Rules {
            chapters,
            scopes: table.scopes.clone(),
            virksert: virksert.collect(),
        })
    }

    fn chapter(&mut self, row: &'a ChapterRow, records: &BTreeMap<&str, Arc<Template>>) -> Result<Chapter, TableError> {
        let rules = row.rule.iter().map(|rule| self.rule(rule, row.receiver, records));
        let rules = rules.collect::<Result<_, _>>()?;
        let all = || vec![Pattern::from("*".to_owned())];
        Ok(Chapter {
            receiver: row.receiver,
            category: row.category.clone(),
            full_lookup: row.full_lookup.clone().unwrap_or_else(all),
            unlisted_processes: row.unlisted_processes,
            rules,
        })
    }

    fn rule(
        &mut self,
        row: &'a RuleRow,
        receiver: ReceiverKind,
        records: &BTreeMap<&str, Arc<Template>>,
    ) -> Result<Rule, TableError> {
        if !self.names.insert(row.name.as_ref()) {
            return Err(self.wrong(&row.name, "another rule has this name"));
        }
        let when = self.conditions(&row.when)?;
        for (condition, written) in when.iter().zip(&row.when) {
            if !condition.fact.fits(receiver) {
                return Err(self.wrong(written, "this cannot be asked about the receivers of the chapter"));
            }
        }
        let outcome = match (&row.records, row.refuse) {
            (Some(names), None) => Outcome::Records(self.records(names, receiver, records)?),
            (None, Some(refusal)) => Outcome::Refused(refusal),
            _ => return Err(self.wrong(&row.name, "a rule has either `records` or `refuse`")),
        };
        Ok(Rule {
            name: row.name.as_ref().clone(),
            when,
            outcome,
            reason: row.reason.clone(),
        })
    }

    fn records(
        &self,
        names: &[Spanned<String>],
        receiver: ReceiverKind,
        records: &BTreeMap<&str, Arc<Template>>,
    ) -> Result<Vec<Arc<Template>>, TableError> {
        let find = |name: &Spanned<String>| {
            let record = records
                .get(name.as_ref().as_str())
                .ok_or_else(|| self.wrong(name, format!("there is no [record.{}]", name.as_ref())))?;
            if record.fits(receiver) {
                Ok(Arc::clone(record))
            } else {
                Err(self.wrong(name, "this record tells what the receivers of the chapter do not have"))
            }
        };
        names.iter().map(find).collect()
    }

    fn record(&self, name: &str, row: &RecordRow) -> Result<Template, TableError> {
        Ok(Template {
            name: name.to_owned(),
            service: row.service.clone(),
            when: self.conditions(&row.when)?,
            endpoint: row.endpoint,
            codes: row.codes,
            certificate: row.certificate.clone(),
            document_types: row.document_types.clone(),
            level: row.level,
            members: row.members,
        })
    }

    fn conditions(&self, written: &[Spanned<String>]) -> Result<Vec<Condition>, TableError> {
        let read = |text: &Spanned<String>| {
            let condition: Condition = text
                .as_ref()
                .parse()
                .map_err(|error: super::UnknownFact| self.wrong(text, error.to_string()))?;
            if let Fact::Scope(list) = &condition.fact {
                self.known_scope(list, text)?;
            }
            Ok(condition)
        };
        written.iter().map(read).collect()
    }

    fn known_scope<T>(&self, list: &str, place: &Spanned<T>) -> Result<(), TableError> {
        if self.scopes.contains_key(list) {
            return Ok(());
        }
        Err(self.wrong(place, format!("[scopes] has no list {list}")))
    }

    fn wrong<T>(&self, place: &Spanned<T>, text: impl Into<String>) -> TableError {
        TableError::at(self.source, &place.span(), text)
    }
}

impl Template {
    /// Whether everything that it tells is there for such receivers.
    fn fits(&self, receiver: ReceiverKind) -> bool {
        let of_certificate = match &self.certificate {
            CertificateFrom::Use(_) => Some(ReceiverKind::Organisation),
            CertificateFrom::Mailbox | CertificateFrom::Printer => Some(ReceiverKind::Person),
            CertificateFrom::Unit => Some(ReceiverKind::Health),
            CertificateFrom::Account => Some(ReceiverKind::Account),
            CertificateFrom::Service | CertificateFrom::None => None,
        };
        let of_members = self.members.map(|members| match members {
            Members::Mailbox | Members::Print => ReceiverKind::Person,
            Members::Health => ReceiverKind::Health,
        });
        let of_level = self.level.map(|LevelFrom::ReceiverSystem| ReceiverKind::Organisation);
        let of_endpoint = (self.endpoint == Endpoint::Account).then_some(ReceiverKind::Account);
        let of_all = [of_certificate, of_members, of_level, of_endpoint];
        of_all.into_iter().flatten().all(|of| of == receiver)
            && self.when.iter().all(|condition| condition.fact.fits(receiver))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The smallest table that is right.
    const SMALL: &str = r#"[scopes]
s = ["a"]

[[chapter]]
receiver = "organisation"
category = "A"

[[chapter.rule]]
name = "one"
when = ["not registered-for-any", "scope s"]
records = ["r"]
reason = "because"

[record.r]
service = "X"
endpoint = "service"
codes = "none"
certificate = { use = "X" }
document-types = { ending = "x" }
"#;

    #[test]
    fn the_rules_that_are_built_in_are_right() {
        let rules = Rules::built_in().unwrap();
        let names: Vec<_> = rules.names().collect();
        assert_eq!(names.first(), Some(&"arkivmelding-registered"));
        assert!(rules.all_scopes().contains("move/dpi.read"));
    }

    #[test]
    fn every_fault_of_a_table_has_its_line_and_key() {
        Rules::read(SMALL).unwrap();
        for (right, wrong, line, key, text) in [
            (
                r#""not registered-for-any""#,
                r#""no registered""#,
                10,
                "chapter.rule.when",
                "there is no such condition",
            ),
            (
                r#""not registered-for-any""#,
                r#""reserved""#,
                10,
                "chapter.rule.when",
                "cannot be asked about",
            ),
            (
                "scope s\"",
                "scope t\"",
                10,
                "chapter.rule.when",
                "[scopes] has no list t",
            ),
            (
                r#"["r"]"#,
                r#"["q"]"#,
                11,
                "chapter.rule.records",
                "there is no [record.q]",
            ),
            (
                r#"records = ["r"]"#,
                "",
                9,
                "chapter.rule.name",
                "either `records` or `refuse`",
            ),
            (
                r#"records = ["r"]"#,
                "records = []\nrefuse = \"level\"",
                9,
                "chapter.rule.name",
                "either",
            ),
            (
                r#"records = ["r"]"#,
                "refuse = \"often\"",
                11,
                "chapter.rule.refuse",
                "expected `level` or `scope`",
            ),
            (
                r#"{ use = "X" }"#,
                "\"mailbox\"",
                11,
                "chapter.rule.records",
                "do not have",
            ),
            (
                r#""organisation""#,
                "\"everybody\"",
                5,
                "chapter.receiver",
                "expected one of `organisation`",
            ),
            (
                "reason = \"because\"",
                "reason = \"because\"\nresaon = \"\"",
                13,
                "chapter.rule.resaon",
                "resaon",
            ),
        ] {
            assert!(SMALL.contains(right), "{right}");
            let error = Rules::read(&SMALL.replacen(right, wrong, 1)).unwrap_err();
            assert_eq!((error.line, error.key.as_str()), (Some(line), key), "{wrong}: {error}");
            assert!(error.text.contains(text), "{wrong}: {error}");
        }
    }

    #[test]
    fn two_rules_of_one_name_and_two_chapters_about_the_same_are_refused() {
        let rule = "[[chapter.rule]]\nname = \"one\"\nrecords = []\nreason = \"\"\n\n[record.r]";
        let error = Rules::read(&SMALL.replace("[record.r]", rule)).unwrap_err();
        assert_eq!(
            (error.line, error.text.as_str()),
            (Some(15), "another rule has this name")
        );
        let chapter = "[[chapter]]\nreceiver = \"organisation\"\ncategory = \"A\"\nrule = []\n\n[record.r]";
        let error = Rules::read(&SMALL.replace("[record.r]", chapter)).unwrap_err();
        assert!(error.text.contains("same receivers"), "{error}");
    }
}
