//! The steps from an empty database to the newest schema. They only go forward; one that was released is never changed.

use std::cmp::Ordering;

use crate::StoreError;
use crate::backup::UNDER_WAY;
use crate::database::{Connection, Dialect};

const SQLITE: &[&str] = &[
    include_str!("schema/sqlite/1.sql"),
    include_str!("schema/sqlite/2.sql"),
    include_str!("schema/sqlite/3.sql"),
];
const POSTGRES: &[&str] = &[
    include_str!("schema/postgres/1.sql"),
    include_str!("schema/postgres/2.sql"),
    include_str!("schema/postgres/3.sql"),
];

/// The version that this program knows.
pub(crate) const NEWEST: usize = SQLITE.len();
const _: () = assert!(
    SQLITE.len() == POSTGRES.len(),
    "both kinds of database take the same steps"
);

/// The steps of one kind of database.
pub(crate) fn steps(dialect: Dialect) -> &'static [&'static str] {
    match dialect {
        Dialect::Sqlite => SQLITE,
        Dialect::Postgres => POSTGRES,
    }
}

/// Any number, as long as all nodes use the same.
const MIGRATING: i64 = 0x6275_6473_7469_6b6b;

/// Takes the remaining steps, each in a transaction of its own.
pub(crate) fn migrate(connection: &Connection, steps: &[&'static str]) -> Result<(), StoreError> {
    match connection.dialect() {
        Dialect::Sqlite => {
            for (version, step) in remaining(version_of_file(connection)?, steps)? {
                connection.batch(&format!(
                    "BEGIN IMMEDIATE; {step} PRAGMA user_version = {version}; COMMIT;"
                ))?;
            }
            Ok(())
        }
        Dialect::Postgres => {
            // Nodes that start together take turns.
            connection.batch(&format!("SELECT pg_advisory_lock({MIGRATING})"))?;
            let migrated = migrate_server(connection, steps);
            connection.batch(&format!("ROLLBACK; SELECT pg_advisory_unlock({MIGRATING})"))?;
            migrated
        }
    }
}

fn migrate_server(connection: &Connection, steps: &[&'static str]) -> Result<(), StoreError> {
    let restoring = format!("SELECT 1 FROM pg_tables WHERE schemaname = 'public' AND tablename = '{UNDER_WAY}'");
    if connection.exists(&restoring, &[])? {
        return Err(StoreError::Restoring);
    }
    connection.batch("CREATE TABLE IF NOT EXISTS schema_version (version BIGINT NOT NULL)")?;
    let found = connection.one("SELECT count(*) FROM schema_version", &[], |row| row.get(0))?;
    for (version, step) in remaining(found, steps)? {
        tracing::info!(version, "changing the schema of the database");
        connection.batch(&format!(
            "BEGIN; {step} INSERT INTO schema_version VALUES ({version}); COMMIT;"
        ))?;
    }
    Ok(())
}

/// An error when not all steps were taken, or more.
pub(crate) fn must_be_newest(connection: &Connection) -> Result<(), StoreError> {
    let found = match connection.dialect() {
        Dialect::Sqlite => version_of_file(connection)?,
        Dialect::Postgres => connection.one("SELECT count(*) FROM schema_version", &[], |row| row.get(0))?,
    };
    match usize::try_from(found).unwrap_or(usize::MAX).cmp(&NEWEST) {
        Ordering::Less => Err(StoreError::TooOld { found }),
        Ordering::Equal => Ok(()),
        Ordering::Greater => Err(StoreError::TooNew { found }),
    }
}

fn version_of_file(connection: &Connection) -> Result<i64, StoreError> {
    Ok(connection.one("SELECT user_version FROM pragma_user_version", &[], |row| row.get(0))?)
}

/// The steps that a database of version `found` has not had, with their numbers.
fn remaining(found: i64, steps: &[&'static str]) -> Result<impl Iterator<Item = (usize, &'static str)>, StoreError> {
    let taken = usize::try_from(found).unwrap_or(usize::MAX);
    let rest = steps.get(taken..).ok_or(StoreError::TooNew { found })?;
    Ok((taken + 1..).zip(rest.iter().copied()))
}
