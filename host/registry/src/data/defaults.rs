//! The process table as it is documented, for a new database and for trying things out.

use budstikke_message::identifier::{DocumentType, ProcessId};
use serde::Deserialize;

use super::{Process, Snapshot};
use crate::place::TableError;

const TABLE: &str = include_str!("processes.toml");

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    process: Vec<Row>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Row {
    identifier: ProcessId,
    category: String,
    service_code: Option<String>,
    service_edition_code: Option<String>,
    resource: Option<String>,
    document_types: Vec<DocumentType>,
}

impl Snapshot {
    /// The documented processes and document types, and no organisations. Numbers begin at 1, in the order of the table.
    ///
    /// An error is a fault of the table that is built in. Spec: service registry, 4.3.
    pub fn with_default_processes() -> Result<Self, TableError> {
        Self::with_processes_of(TABLE)
    }

    /// Reads a process table. Errors name line and key.
    pub fn with_processes_of(source: &str) -> Result<Self, TableError> {
        let table: Table = toml::from_str(source).map_err(|error| TableError::of_toml(source, &error))?;
        let mut snapshot = Self::default();
        for (row, id) in table.process.into_iter().zip(1..) {
            let process = Process {
                id,
                identifier: row.identifier,
                service_code: row.service_code,
                service_edition_code: row.service_edition_code,
                resource: row.resource,
                category: row.category,
                document_types: row.document_types,
            };
            snapshot.document_types.extend(process.document_types.iter().cloned());
            if let Some(twice) = snapshot.processes.insert(process.identifier.clone(), process) {
                return Err(TableError::whole(format!(
                    "the process {} stands in the table twice",
                    twice.identifier
                )));
            }
        }
        Ok(snapshot)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use budstikke_message::process::PROCESSES;

    use super::*;

    #[test]
    fn every_process_that_the_api_knows_is_in_the_table() {
        let snapshot = Snapshot::with_default_processes().unwrap();
        let known: BTreeSet<_> = PROCESSES.iter().map(|process| process.id).collect();
        let listed: BTreeSet<_> = snapshot.processes.keys().map(ProcessId::as_str).collect();
        assert_eq!(listed, known);
        assert!(
            snapshot
                .processes
                .values()
                .all(|process| !process.document_types.is_empty())
        );
        let categories: BTreeSet<_> = snapshot
            .processes
            .values()
            .map(|process| process.category.as_str())
            .collect();
        let known = ["ARKIVMELDING", "AVTALT", "DIALOGMELDING", "DIGITALPOST", "EINNSYN"];
        assert_eq!(categories, BTreeSet::from(known));
    }

    #[test]
    fn confidential_letters_have_a_resource_of_their_own() {
        let snapshot = Snapshot::with_default_processes().unwrap();
        let own = snapshot
            .processes
            .values()
            .filter(|process| process.resource.as_deref() == Some("eformidling-dpv-taushetsbelagt"))
            .map(|process| process.identifier.as_str());
        assert_eq!(
            own.collect::<Vec<_>>(),
            ["urn:no:difi:profile:arkivmelding:taushetsbelagt:ver1.0"]
        );
    }

    #[test]
    fn a_process_table_with_a_fault_names_line_and_key() {
        let error = Snapshot::with_processes_of("[[process]]\nidentifier = \"a b\"\n").unwrap_err();
        assert_eq!((error.line, error.key.as_str()), (Some(2), "process.identifier"));
        let row = "[[process]]\nidentifier = \"a\"\ncategory = \"A\"\ndocument-types = []\n";
        let error = Snapshot::with_processes_of(&row.repeat(2)).unwrap_err();
        assert!(error.text.contains("twice"), "{error}");
    }
}
