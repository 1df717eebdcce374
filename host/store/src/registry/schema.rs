//! The steps of the address service's tables. They only go forward; one that was released is never changed.

use crate::StoreError;
use crate::database::{Connection, Dialect};

const SQLITE: &[&str] = &[include_str!("schema/sqlite/1.sql")];
const POSTGRES: &[&str] = &[include_str!("schema/postgres/1.sql")];
const _: () = assert!(
    SQLITE.len() == POSTGRES.len(),
    "both kinds of database take the same steps"
);

/// Any number, as long as all nodes use the same.
const MIGRATING: i64 = 0x6164_7265_7373_6521;

/// Takes the remaining steps. Whoever starts beside waits, and finds them taken.
pub(super) fn migrate(connection: &Connection) -> Result<(), StoreError> {
    match connection.dialect() {
        Dialect::Sqlite => {
            // An import and the service can meet a new file at the same time: the version counts only with the lock in hand.
            connection.batch("BEGIN IMMEDIATE")?;
            let taken = take(connection, SQLITE);
            connection.batch(if taken.is_ok() { "COMMIT" } else { "ROLLBACK" })?;
            taken
        }
        Dialect::Postgres => {
            // Nodes that start together take turns.
            connection.batch(&format!("SELECT pg_advisory_lock({MIGRATING})"))?;
            connection.batch("BEGIN")?;
            let taken = take(connection, POSTGRES);
            connection.batch(if taken.is_ok() { "COMMIT" } else { "ROLLBACK" })?;
            connection.batch(&format!("SELECT pg_advisory_unlock({MIGRATING})"))?;
            taken
        }
    }
}

fn take(connection: &Connection, steps: &[&str]) -> Result<(), StoreError> {
    connection.batch("CREATE TABLE IF NOT EXISTS registry_schema_version (version BIGINT NOT NULL)")?;
    let found: i64 = connection.one("SELECT count(*) FROM registry_schema_version", &[], |row| row.get(0))?;
    let taken = usize::try_from(found).unwrap_or(usize::MAX);
    let rest = steps.get(taken..).ok_or(StoreError::TooNew { found })?;
    for (version, step) in (taken + 1..).zip(rest) {
        connection.batch(&format!(
            "{step} INSERT INTO registry_schema_version VALUES ({version});"
        ))?;
    }
    Ok(())
}
