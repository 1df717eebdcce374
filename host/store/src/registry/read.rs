//! Reading all of it.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{AddressRow, ChangeRow, DecisionRow, OrganisationRow, OverrideRow, ProcessRow, RegistryData, RegistryRows};
use crate::StoreError;
use crate::database::{Connection, DatabaseError, Dialect, Row, params};

/// What stands between the lines of an address.
pub(super) const LINES: char = '\n';

impl RegistryData {
    /// Everything, as it is at one moment.
    pub async fn rows(self: &Arc<Self>) -> Result<RegistryRows, StoreError> {
        self.read(|connection| {
            let begin = match connection.dialect() {
                Dialect::Sqlite => "BEGIN",
                Dialect::Postgres => "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
            };
            connection.batch(begin)?;
            let rows = all(connection)?;
            connection.batch("COMMIT")?;
            Ok(rows)
        })
        .await
    }

    /// Number of the last change; 0 when there was none.
    pub async fn last_change(self: &Arc<Self>) -> Result<i64, StoreError> {
        self.read(|connection| Ok(last_change(connection)?)).await
    }

    /// The last changes, newest first.
    pub async fn changes(self: &Arc<Self>, limit: u32) -> Result<Vec<ChangeRow>, StoreError> {
        self.read(move |connection| {
            let sql = "SELECT number, at, who, what FROM registry_change ORDER BY number DESC LIMIT ?1";
            Ok(connection.all(sql, params![limit], |row| {
                Ok(ChangeRow {
                    number: row.get(0)?,
                    at: row.get(1)?,
                    who: row.get(2)?,
                    what: row.get(3)?,
                })
            })?)
        })
        .await
    }
}

/// Number of the last change; 0 when there was none.
pub(super) fn last_change(connection: &Connection) -> Result<i64, DatabaseError> {
    connection.one("SELECT coalesce(max(number), 0) FROM registry_change", &[], |row| {
        row.get(0)
    })
}

fn all(connection: &Connection) -> Result<RegistryRows, DatabaseError> {
    let mut types: BTreeMap<i64, Vec<String>> = BTreeMap::new();
    let sql = "SELECT l.process, t.identifier FROM registry_process_document_type AS l \
         JOIN registry_document_type AS t ON t.id = l.document_type ORDER BY l.process, l.position";
    connection.each(sql, &[], pair, |(process, name)| {
        types.entry(process).or_default().push(name);
    })?;
    let sql = "SELECT id, identifier, service_code, service_edition_code, resource, category \
         FROM registry_process ORDER BY identifier";
    let mut processes = connection.all(sql, &[], |row| {
        Ok(ProcessRow {
            id: row.get(0)?,
            identifier: row.get(1)?,
            service_code: row.get(2)?,
            service_edition_code: row.get(3)?,
            resource: row.get(4)?,
            category: row.get(5)?,
            document_types: Vec::new(),
        })
    })?;
    for process in &mut processes {
        process.document_types = types.remove(&process.id).unwrap_or_default();
    }
    let sql = "SELECT identifier FROM registry_document_type ORDER BY identifier";
    Ok(RegistryRows {
        change: last_change(connection)?,
        processes,
        document_types: connection.all(sql, &[], |row| row.get(0))?,
        organisations: organisations(connection)?,
    })
}

fn pair(row: &dyn Row) -> Result<(i64, String), DatabaseError> {
    Ok((row.get(0)?, row.get(1)?))
}

fn organisations(connection: &Connection) -> Result<Vec<OrganisationRow>, DatabaseError> {
    let sql = "SELECT number, name, form, has_address, address_lines, postal_code, postal_area, country, has_registrations \
         FROM registry_organisation";
    let mut found: BTreeMap<String, OrganisationRow> = BTreeMap::new();
    connection.each(sql, &[], organisation, |row| {
        found.insert(row.number.clone(), row);
    })?;
    let sql = "SELECT organisation, process FROM registry_registration ORDER BY organisation, process";
    let read = |row: &dyn Row| Ok((row.get::<String>(0)?, row.get::<String>(1)?));
    connection.each(sql, &[], read, |(number, process)| {
        if let Some(row) = found.get_mut(&number) {
            row.registrations.get_or_insert_default().push(process);
        }
    })?;
    let sql = "SELECT organisation, purpose, der FROM registry_certificate ORDER BY organisation, purpose";
    let read = |row: &dyn Row| Ok((row.get::<String>(0)?, row.get::<String>(1)?, row.get::<Vec<u8>>(2)?));
    connection.each(sql, &[], read, |(number, purpose, der)| {
        if let Some(row) = found.get_mut(&number) {
            row.certificates.push((purpose, der));
        }
    })?;
    let sql = "SELECT organisation, process, decision, service, reason FROM registry_override ORDER BY organisation, position";
    connection.each(sql, &[], decided, |(number, decided)| {
        if let Some(row) = found.get_mut(&number) {
            row.overrides.push(decided);
        }
    })?;
    Ok(found.into_values().collect())
}

fn organisation(row: &dyn Row) -> Result<OrganisationRow, DatabaseError> {
    let lines: String = row.get(4)?;
    let address = row.get::<bool>(3)?.then_some(AddressRow {
        lines: lines
            .split(LINES)
            .filter(|line| !line.is_empty())
            .map(str::to_owned)
            .collect(),
        postal_code: row.get(5)?,
        postal_area: row.get(6)?,
        country: row.get(7)?,
    });
    Ok(OrganisationRow {
        number: row.get(0)?,
        name: row.get(1)?,
        form: row.get(2)?,
        address,
        registrations: row.get::<bool>(8)?.then(Vec::new),
        certificates: Vec::new(),
        overrides: Vec::new(),
    })
}

fn decided(row: &dyn Row) -> Result<(String, OverrideRow), DatabaseError> {
    let decision: String = row.get(2)?;
    let decision = match (decision.as_str(), row.get::<Option<String>>(3)?) {
        ("ONLY", Some(service)) => DecisionRow::Only(service),
        ("NEVER", Some(service)) => DecisionRow::Never(service),
        ("CLOSED", None) => DecisionRow::Closed,
        _ => return Err(DatabaseError::Other("an override that nobody can have written".into())),
    };
    let decided = OverrideRow {
        process: row.get(1)?,
        decision,
        reason: row.get(4)?,
    };
    Ok((row.get(0)?, decided))
}
