//! Changing it. Each change is one transaction with one row that says who made it.

use super::read::{LINES, last_change};
use super::{
    Author, DecisionRow, Imported, OrganisationRow, ProcessChange, ProcessRow, RegistryData, RegistryDataError,
};
use crate::StoreError;
use crate::database::{Connection, DatabaseError, Dialect, params};

/// What a piece of work came to: a refusal has changed nothing.
type Decided<T> = Result<T, RegistryDataError>;

impl RegistryData {
    /// Adds a process and returns its id. [`RegistryDataError::Exists`] when there is one with its name.
    pub async fn add_process(&self, row: ProcessRow, author: Author) -> Decided<i64> {
        self.change(author, format!("process {} added", row.identifier), move |connection| {
            if process_id(connection, &row.identifier)?.is_some() {
                return Err(RegistryDataError::Exists);
            }
            Ok(put_process(connection, &row)?)
        })
        .await
    }

    /// Changes a process. [`RegistryDataError::Missing`] when there is none with this name.
    pub async fn change_process(&self, identifier: String, change: ProcessChange, author: Author) -> Decided<()> {
        self.change(author, format!("process {identifier} changed"), move |connection| {
            let id = process_id(connection, &identifier)?.ok_or(RegistryDataError::Missing)?;
            connection.execute(
                "UPDATE registry_process SET service_code = coalesce(?2, service_code), \
                 service_edition_code = coalesce(?3, service_edition_code), resource = coalesce(?4, resource) WHERE id = ?1",
                params![id, change.service_code, change.service_edition_code, change.resource],
            )?;
            if let Some(types) = &change.document_types {
                put_types(connection, id, types)?;
            }
            Ok(())
        })
        .await
    }

    /// Removes a process; its document types stay. [`RegistryDataError::Missing`] when there is none with this name.
    pub async fn remove_process(&self, identifier: String, author: Author) -> Decided<()> {
        self.change(author, format!("process {identifier} removed"), move |connection| {
            let sql = "DELETE FROM registry_process WHERE identifier = ?1";
            removed(connection.execute(sql, params![identifier])?)
        })
        .await
    }

    /// Adds a document type that belongs to these processes, which must be there ([`RegistryDataError::Missing`]).
    /// [`RegistryDataError::Exists`] when there is one with its name.
    pub async fn add_document_type(&self, identifier: String, processes: Vec<String>, author: Author) -> Decided<()> {
        self.change(author, format!("document type {identifier} added"), move |connection| {
            if type_id(connection, &identifier)?.is_some() {
                return Err(RegistryDataError::Exists);
            }
            let mut ids = Vec::new();
            for process in &processes {
                ids.push(process_id(connection, process)?.ok_or(RegistryDataError::Missing)?);
            }
            let id = ensure_type(connection, &identifier)?;
            for process in ids {
                connection.execute(
                    "INSERT INTO registry_process_document_type (process, document_type, position) \
                     SELECT ?1, ?2, coalesce(max(position) + 1, 0) FROM registry_process_document_type WHERE process = ?1",
                    params![process, id],
                )?;
            }
            Ok(())
        })
        .await
    }

    /// Removes a document type. [`RegistryDataError::InUse`] when a process has it.
    pub async fn remove_document_type(&self, identifier: String, author: Author) -> Decided<()> {
        self.change(
            author,
            format!("document type {identifier} removed"),
            move |connection| {
                let id = type_id(connection, &identifier)?.ok_or(RegistryDataError::Missing)?;
                let used = "SELECT 1 FROM registry_process_document_type WHERE document_type = ?1";
                if connection.exists(used, params![id])? {
                    return Err(RegistryDataError::InUse);
                }
                removed(connection.execute("DELETE FROM registry_document_type WHERE id = ?1", params![id])?)
            },
        )
        .await
    }

    /// Writes an organisation in the place of what there was. True: there was nothing.
    pub async fn put_organisation(&self, row: OrganisationRow, author: Author) -> Decided<bool> {
        self.change(
            author,
            format!("organisation {} written", row.number),
            move |connection| Ok(put_organisation(connection, &row)?),
        )
        .await
    }

    /// Removes an organisation with all that belongs to it. [`RegistryDataError::Missing`] when there is none.
    pub async fn remove_organisation(&self, number: String, author: Author) -> Decided<()> {
        self.change(author, format!("organisation {number} removed"), move |connection| {
            let sql = "DELETE FROM registry_organisation WHERE number = ?1";
            removed(connection.execute(sql, params![number])?)
        })
        .await
    }

    /// Writes everything, or nothing. What is there under the same names is replaced. `seen`: only while this is the number of the
    /// last change, else [`RegistryDataError::Changed`].
    pub async fn import(&self, imported: Imported, seen: Option<i64>, author: Author) -> Decided<()> {
        let what = format!(
            "import of {} processes, {} document types, {} organisations",
            imported.processes.len(),
            imported.document_types.len(),
            imported.organisations.len()
        );
        self.change(author, what, move |connection| {
            if let Some(seen) = seen
                && last_change(connection)? != seen
            {
                return Err(RegistryDataError::Changed);
            }
            for identifier in &imported.document_types {
                ensure_type(connection, identifier)?;
            }
            for row in &imported.processes {
                put_process(connection, row)?;
            }
            for row in &imported.organisations {
                put_organisation(connection, row)?;
            }
            Ok(())
        })
        .await
    }

    async fn change<T, F>(&self, author: Author, what: String, work: F) -> Decided<T>
    where
        T: Send + 'static,
        F: Fn(&Connection) -> Decided<T> + Send + 'static,
    {
        let done = self.writers.write(move |connection| {
            // One after the other: numbers must be seen in the order in which they were given.
            if connection.dialect() == Dialect::Postgres {
                connection.batch("LOCK TABLE registry_change IN SHARE ROW EXCLUSIVE MODE")?;
            }
            match work(connection) {
                Ok(done) => {
                    connection.execute(
                        "INSERT INTO registry_change (at, who, what) VALUES (?1, ?2, ?3)",
                        params![author.at, author.who, what],
                    )?;
                    Ok(Ok(done))
                }
                Err(RegistryDataError::Store(error)) => Err(error),
                Err(refused) => Ok(Err(refused)),
            }
        });
        done.await?
    }
}

impl From<DatabaseError> for RegistryDataError {
    fn from(error: DatabaseError) -> Self {
        Self::Store(StoreError::Database(error))
    }
}

fn removed(rows: u64) -> Decided<()> {
    if rows == 0 {
        Err(RegistryDataError::Missing)
    } else {
        Ok(())
    }
}

fn process_id(connection: &Connection, identifier: &str) -> Result<Option<i64>, DatabaseError> {
    let sql = "SELECT id FROM registry_process WHERE identifier = ?1";
    connection.maybe(sql, params![identifier], |row| row.get(0))
}

fn type_id(connection: &Connection, identifier: &str) -> Result<Option<i64>, DatabaseError> {
    let sql = "SELECT id FROM registry_document_type WHERE identifier = ?1";
    connection.maybe(sql, params![identifier], |row| row.get(0))
}

fn ensure_type(connection: &Connection, identifier: &str) -> Result<i64, DatabaseError> {
    if let Some(id) = type_id(connection, identifier)? {
        return Ok(id);
    }
    let sql = "INSERT INTO registry_document_type (identifier) VALUES (?1) RETURNING id";
    connection.one(sql, params![identifier], |row| row.get(0))
}

fn put_process(connection: &Connection, row: &ProcessRow) -> Result<i64, DatabaseError> {
    let sql = "INSERT INTO registry_process (identifier, service_code, service_edition_code, resource, category) \
         VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT (identifier) DO UPDATE SET service_code = excluded.service_code, \
         service_edition_code = excluded.service_edition_code, resource = excluded.resource, \
         category = excluded.category RETURNING id";
    let values = params![
        row.identifier,
        row.service_code,
        row.service_edition_code,
        row.resource,
        row.category
    ];
    let id = connection.one(sql, values, |row| row.get(0))?;
    put_types(connection, id, &row.document_types)?;
    Ok(id)
}

fn put_types(connection: &Connection, process: i64, types: &[String]) -> Result<(), DatabaseError> {
    let sql = "DELETE FROM registry_process_document_type WHERE process = ?1";
    connection.execute(sql, params![process])?;
    for (position, identifier) in (0_u64..).zip(types) {
        let id = ensure_type(connection, identifier)?;
        // Named twice is named once.
        connection.execute(
            "INSERT INTO registry_process_document_type (process, document_type, position) VALUES (?1, ?2, ?3) \
             ON CONFLICT DO NOTHING",
            params![process, id, position],
        )?;
    }
    Ok(())
}

fn put_organisation(connection: &Connection, row: &OrganisationRow) -> Result<bool, DatabaseError> {
    let sql = "DELETE FROM registry_organisation WHERE number = ?1";
    let created = connection.execute(sql, params![row.number])? == 0;
    let address = row.address.as_ref();
    let lines = address
        .map(|address| address.lines.join(&LINES.to_string()))
        .unwrap_or_default();
    let part = |part: fn(&super::AddressRow) -> &Option<String>| address.and_then(|address| part(address).clone());
    connection.execute(
        "INSERT INTO registry_organisation (number, name, form, has_address, address_lines, postal_code, postal_area, \
         country, has_registrations) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
        params![
            row.number,
            row.name,
            row.form,
            address.is_some(),
            lines,
            part(|address| &address.postal_code),
            part(|address| &address.postal_area),
            part(|address| &address.country),
            row.registrations.is_some()
        ],
    )?;
    for process in row.registrations.iter().flatten() {
        let sql = "INSERT INTO registry_registration (organisation, process) VALUES (?1, ?2) ON CONFLICT DO NOTHING";
        connection.execute(sql, params![row.number, process])?;
    }
    for (purpose, der) in &row.certificates {
        let sql = "INSERT INTO registry_certificate (organisation, purpose, der) VALUES (?1, ?2, ?3)";
        connection.execute(sql, params![row.number, purpose, der])?;
    }
    for (position, decided) in (0_u64..).zip(&row.overrides) {
        let (decision, service) = match &decided.decision {
            DecisionRow::Only(service) => ("ONLY", Some(service)),
            DecisionRow::Never(service) => ("NEVER", Some(service)),
            DecisionRow::Closed => ("CLOSED", None),
        };
        connection.execute(
            "INSERT INTO registry_override (organisation, position, process, decision, service, reason) \
             VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
            params![row.number, position, decided.process, decision, service, decided.reason],
        )?;
    }
    Ok(created)
}
