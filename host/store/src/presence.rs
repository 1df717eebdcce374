//! Who is here: the nodes that share a database, and what only one of them does at a time.
//!
//! A run of a node is a session. It says again and again that it is alive; the database's own clock decides whether it is. What a
//! dead session had in hand is taken over: its leases are given back, its duties are free. A late word of the dead about a message
//! changes nothing, since a lease has a number that rises with each claim. What is done as a duty is harmless when it is done twice: what
//! comes in is known by its id, and events for webhooks come at least once.

use std::time::Duration;

use super::{Store, StoreError};
use crate::database::{Connection, Dialect, params};

/// How long a node counts as alive after its last word.
pub const ALIVE: Duration = Duration::from_secs(5);

/// The database's own time, ms.
fn clock(dialect: Dialect) -> &'static str {
    match dialect {
        Dialect::Sqlite => "CAST(unixepoch('now', 'subsec') * 1000 AS INTEGER)",
        Dialect::Postgres => "(extract(epoch FROM clock_timestamp()) * 1000)::bigint",
    }
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

/// Whether the others have not given a session up; they cannot until the transaction ends.
pub(crate) fn is_here(connection: &Connection, session: i64) -> Result<bool, StoreError> {
    let sql = format!("SELECT 1 FROM session WHERE id = ?1{}", connection.dialect().keep());
    Ok(connection.exists(&sql, params![session])?)
}

/// Gives back what a session had in hand. An attempt that was cut off may have sent its message.
fn give_back(connection: &Connection, session: i64) -> Result<u64, StoreError> {
    // First: it waits for a claim under way, whose messages are given back too.
    connection.execute("DELETE FROM session WHERE id = ?1", params![session])?;
    let given = connection.execute(
        "UPDATE sending SET state = 1, holder = NULL, uncertain = 1 WHERE holder = ?1 AND state = 2",
        params![session],
    )?;
    connection.hint();
    Ok(given)
}

/// Begins a session; `alone`: no other one can be alive.
pub(crate) fn arrive(connection: &Connection, name: &str, alive: Duration, alone: bool) -> Result<i64, StoreError> {
    if alone {
        for dead in connection.all("SELECT id FROM session", &[], |row| row.get(0))? {
            give_back(connection, dead)?;
        }
    }
    let now = clock(connection.dialect());
    let sql = format!("INSERT INTO session (name, started, alive_until) VALUES (?1, {now}, {now} + ?2) RETURNING id");
    Ok(connection.one(&sql, params![name, millis(alive)], |row| row.get(0))?)
}

/// A node that is here.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Present {
    /// Session.
    pub session: i64,
    /// Of the node.
    pub name: String,
    /// When it began, ms.
    pub started: i64,
    /// What it alone does.
    pub duties: Vec<String>,
}

impl Store {
    /// Says that this node is alive for so long from now on. False: the others had given it up, and it begins anew; what it had in
    /// hand is lost to it.
    pub async fn beat(&self, alive: Duration) -> Result<bool, StoreError> {
        let (session, name) = (self.session(), self.name().to_owned());
        let begun = self
            .write(move |connection| {
                let now = clock(connection.dialect());
                let sql = format!("UPDATE session SET alive_until = {now} + ?2 WHERE id = ?1");
                if connection.execute(&sql, params![session, millis(alive)])? > 0 {
                    Ok(None)
                } else {
                    arrive(connection, &name, alive, false).map(Some)
                }
            })
            .await?;
        if let Some(session) = begun {
            self.begin_session(session);
        }
        Ok(begun.is_none())
    }

    /// Takes over what dead nodes had in hand. Returns their names and how many messages they had.
    pub async fn bury_the_dead(&self) -> Result<Vec<(String, u64)>, StoreError> {
        let own = self.session();
        self.write(move |connection| {
            let sql = format!(
                "SELECT id, name FROM session WHERE id <> ?1 AND alive_until < {}{}",
                clock(connection.dialect()),
                connection.dialect().skip_locked()
            );
            let dead = connection.all(&sql, params![own], |row| Ok((row.get::<i64>(0)?, row.get(1)?)))?;
            dead.into_iter()
                .map(|(session, name)| Ok((name, give_back(connection, session)?)))
                .collect()
        })
        .await
    }

    /// Leaves: others may take what this node had, at once.
    pub async fn leave(&self) -> Result<(), StoreError> {
        let session = self.session();
        self.write(move |connection| give_back(connection, session).map(drop))
            .await
    }

    /// Takes a duty, or keeps it. Returns its number when it is this node's; it rises with each change of hands.
    pub async fn hold_duty(&self, name: &str) -> Result<Option<i64>, StoreError> {
        let (session, name) = (self.session(), name.to_owned());
        self.write(move |connection| {
            // Asked first: to keep a duty nothing has to be written.
            let held = connection.maybe(
                "SELECT number FROM duty WHERE name = ?1 AND session = ?2 \
                 AND EXISTS (SELECT 1 FROM session WHERE id = ?2)",
                params![name, session],
                |row| row.get(0),
            )?;
            if held.is_some() {
                return Ok(held);
            }
            Ok(connection.maybe(
                "INSERT INTO duty (name, session, number) SELECT ?1, id, 1 FROM session WHERE id = ?2 \
                 ON CONFLICT (name) DO UPDATE SET session = excluded.session, number = duty.number + 1 \
                 WHERE NOT EXISTS (SELECT 1 FROM session WHERE session.id = duty.session) RETURNING number",
                params![name, session],
                |row| row.get(0),
            )?)
        })
        .await
    }

    /// The nodes that are here, oldest first.
    pub async fn present(&self) -> Result<Vec<Present>, StoreError> {
        self.read(move |connection| {
            let mut all = connection.all("SELECT id, name, started FROM session ORDER BY id", &[], |row| {
                Ok(Present {
                    session: row.get(0)?,
                    name: row.get(1)?,
                    started: row.get(2)?,
                    duties: Vec::new(),
                })
            })?;
            for node in &mut all {
                node.duties = connection.all(
                    "SELECT name FROM duty WHERE session = ?1 ORDER BY name",
                    params![node.session],
                    |row| row.get(0),
                )?;
            }
            Ok(all)
        })
        .await
    }
}
