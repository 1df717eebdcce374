//! What keeps the database from growing when as much goes as comes: free pages, the log, marks of commits, parts of tallies.
//!
//! Every step is one small transaction beside the others.

use std::time::Duration;

use super::{Store, StoreError};
use crate::database::{Connection, Dialect, params};

/// Free pages that stay in the file, as a share of all: what goes today makes room for what comes tomorrow.
const FREE_SHARE: i64 = 10;
/// Free pages that always may stay.
const FREE: i64 = 256;
/// Pages that go back to the disk in one transaction, 2 MiB.
const RETURNED: i64 = 512;
/// A log that is longer is shortened, bytes. It is begun anew at about 16 MiB, but that never makes the file shorter.
const LONG_LOG: u64 = 24 * 1024 * 1024;
/// How long that may take.
const SHORT_WAIT: Duration = Duration::from_secs(1);
/// How long a mark is kept, ms. A commit whose answer was lost is asked for within a minute; the rest is for clocks of nodes that
/// differ.
const MARK_AGE: i64 = 60 * 60 * 1000;
/// Marks that are removed in one transaction.
const MARKS: u32 = 5000;

impl Store {
    /// Takes one step. True: there is more to do.
    pub async fn tidy(&self, now: i64) -> Result<bool, StoreError> {
        let more = self
            .write(move |connection| match connection.dialect() {
                Dialect::Sqlite => return_pages(connection),
                Dialect::Postgres => {
                    fold_tallies(connection)?;
                    forget_marks(connection, now)
                }
            })
            .await?;
        if !more {
            let backend = std::sync::Arc::clone(&self.backend);
            // When it cannot be done now, it will be another time.
            let _shortened = tokio::task::spawn_blocking(move || backend.shorten_log(LONG_LOG, SHORT_WAIT))
                .await
                .map_err(|error| StoreError::Closed(error.to_string()))??;
        }
        Ok(more)
    }
}

fn return_pages(connection: &Connection) -> Result<bool, StoreError> {
    let (free, all): (i64, i64) = connection.one(
        "SELECT freelist_count, page_count FROM pragma_freelist_count, pragma_page_count",
        &[],
        |row| Ok((row.get(0)?, row.get(1)?)),
    )?;
    let surplus = free - FREE.max(all / FREE_SHARE);
    if surplus <= 0 {
        return Ok(false);
    }
    let returned = surplus.min(RETURNED);
    // It goes on as long as it is asked for rows.
    connection.all(&format!("PRAGMA incremental_vacuum({returned})"), &[], |_| Ok(()))?;
    Ok(surplus > returned)
}

/// Removes old ones. True: there are more.
pub(crate) fn forget_marks(connection: &Connection, now: i64) -> Result<bool, StoreError> {
    let before = now.saturating_sub(MARK_AGE).max(0) << 20;
    let removed = connection.execute(
        "DELETE FROM commit_mark WHERE id IN (SELECT id FROM commit_mark WHERE id < ?1 ORDER BY id LIMIT ?2)",
        params![before, MARKS],
    )?;
    Ok(removed == u64::from(MARKS))
}

/// Adds up what connections that are gone have counted. Those that live go on in rows of their own, and are not waited for.
fn fold_tallies(connection: &Connection) -> Result<(), StoreError> {
    for (table, kind) in [
        ("conversation_tally", "direction, service, finished, tracked"),
        ("status_tally", "status"),
    ] {
        // Asked first: when nobody has gone there is nothing to write.
        let gone = format!("FROM {table} WHERE part <> 0 AND part NOT IN (SELECT pid FROM pg_stat_activity)");
        if connection.exists(&format!("SELECT 1 {gone} LIMIT 1"), &[])? {
            connection.execute(
                &format!(
                    "WITH gone AS (DELETE {gone} RETURNING *) INSERT INTO {table} AS tally ({kind}, part, count) \
                     SELECT {kind}, 0, sum(count) FROM gone GROUP BY {kind} \
                     ON CONFLICT ({kind}, part) DO UPDATE SET count = tally.count + excluded.count"
                ),
                &[],
            )?;
        }
    }
    Ok(())
}
