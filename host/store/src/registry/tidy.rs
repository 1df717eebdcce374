//! What keeps the address service's tables from growing: changes of long ago, marks of commits.

use super::RegistryData;
use super::read::last_change;
use crate::StoreError;
use crate::database::{Connection, Dialect, params};
use crate::tidy::forget_marks;

/// Changes that are kept. The newest always is: other nodes see by its number that something is new.
const KEPT: i64 = 10_000;
/// Changes that are removed in one transaction.
const REMOVED: u32 = 5000;

impl RegistryData {
    /// Takes one step, at this time (ms). True: there is more to do.
    pub async fn tidy(&self, now: i64) -> Result<bool, StoreError> {
        self.writers
            .write(move |connection| {
                let changes = forget_changes(connection)?;
                let marks = match connection.dialect() {
                    Dialect::Sqlite => false,
                    Dialect::Postgres => forget_marks(connection, now)?,
                };
                Ok(changes || marks)
            })
            .await
    }
}

fn forget_changes(connection: &Connection) -> Result<bool, StoreError> {
    let newest = last_change(connection)?.saturating_sub(KEPT);
    let removed = connection.execute(
        "DELETE FROM registry_change WHERE number IN \
         (SELECT number FROM registry_change WHERE number <= ?1 ORDER BY number LIMIT ?2)",
        params![newest, REMOVED],
    )?;
    Ok(removed == u64::from(REMOVED))
}
