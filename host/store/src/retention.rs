//! What is old enough to go. A rule says what, of whom, and how old.
//!
//! A purge walks along an index by age: it looks at a few rows, removes those that the rule means, and goes on from there the next
//! time. Every row is looked at once, also when millions of old ones stay.

use std::sync::Arc;

use budstikke_message::status::Status;

use super::record::{Direction, NewStatus, add_status, conversation_of};
use super::{Store, StoreError, conversation, incoming, memory, outgoing};
use crate::database::{Connection, DatabaseError, Row, params};

/// Rows that one step looks at.
const STEP: u32 = 200;

/// What a rule removes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Removes {
    /// Finished conversations with their statuses; also what was given up of them.
    Conversations,
    /// Messages that could not be sent, with their key and files. Their conversations stay.
    GivenUp,
    /// Received messages that nobody took, with their key and files. Their conversations stay, and say so.
    NotTaken,
    /// What came from a service and was no message.
    SetAside,
}

/// A rule of retention.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RetentionRule {
    /// What it removes.
    pub removes: Removes,
    /// Only of this direction.
    pub direction: Option<Direction>,
    /// Only of these services; empty: of all.
    pub services: Vec<String>,
    /// Only of these processes; empty: of all.
    pub processes: Vec<String>,
    /// Only conversations that ended with one of these; empty: with any.
    pub statuses: Vec<Status>,
    /// Time since the last change, ms.
    pub age: i64,
}

impl RetentionRule {
    fn means(&self, old: &Old) -> bool {
        let one_of = |list: &[String], value: &str| list.is_empty() || list.iter().any(|one| one == value);
        self.direction
            .is_none_or(|direction| old.direction == direction.as_str())
            && one_of(&self.services, &old.service)
            && one_of(&self.processes, &old.process)
            && (self.statuses.is_empty() || self.statuses.iter().any(|status| old.ended == status.name()))
    }
}

/// How far a purge has come. Begins before everything.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Walk {
    at: i64,
    id: i64,
}

/// What one step did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Purged {
    /// How many were removed.
    pub removed: usize,
    /// Where the next step goes on.
    pub walk: Walk,
    /// False: nothing else is old enough now.
    pub more: bool,
}

/// A row that is old enough.
#[derive(Debug, Clone)]
struct Old {
    id: i64,
    at: i64,
    direction: String,
    service: String,
    process: String,
    /// The status that ended its conversation.
    ended: String,
}

fn old(row: &dyn Row) -> Result<Old, DatabaseError> {
    Ok(Old {
        id: row.get(0)?,
        at: row.get(1)?,
        direction: row.get(2)?,
        service: row.get(3)?,
        process: row.get(4)?,
        ended: row.get::<Option<String>>(5)?.unwrap_or_default(),
    })
}

/// The rows before `?1`, from `?2` and `?3` on, by age.
pub(crate) fn select(removes: Removes) -> String {
    let (columns, table, id, at, only) = match removes {
        Removes::Conversations => {
            let ends: Vec<String> = Status::all()
                .filter(|status| status.finished())
                .map(|status| format!("'{}'", status.name()))
                .collect();
            let ended = format!(
                "(SELECT status.status FROM status WHERE status.conversation = conversation.id \
                 AND status.status IN ({}) ORDER BY status.id DESC LIMIT 1)",
                ends.join(", ")
            );
            (
                format!("direction, service, process, {ended}"),
                "conversation",
                "id",
                "last_update",
                "",
            )
        }
        Removes::GivenUp => (
            "'OUTGOING', service, process, ''".to_owned(),
            outgoing::FROM,
            "sending.outgoing",
            "due",
            "state = 3 AND ",
        ),
        Removes::NotTaken => (
            "'INCOMING', service, process, ''".to_owned(),
            "incoming",
            "id",
            "last_updated",
            "",
        ),
        Removes::SetAside => ("'INCOMING', service, '', ''".to_owned(), "set_aside", "id", "at", ""),
    };
    format!(
        "SELECT {id}, {at}, {columns} FROM {table} WHERE {only}{at} < ?1 AND {at} >= ?2 AND ({at} > ?2 OR {id} > ?3) \
         ORDER BY {at}, {id} LIMIT {STEP}"
    )
}

/// Removes one, unless it has changed since it was looked at or somebody has it in hand. True when it is gone.
fn remove(connection: &Connection, removes: Removes, one: &Old, now: i64) -> Result<bool, StoreError> {
    match removes {
        Removes::Conversations => remove_conversation(connection, one, now),
        Removes::GivenUp => {
            let sql = format!(
                "SELECT 1 FROM sending WHERE outgoing = ?1 AND state = 3 AND due = ?2{}",
                connection.dialect().for_update()
            );
            if !connection.exists(&sql, params![one.id, one.at])? {
                return Ok(false);
            }
            outgoing::remove(connection, &[one.id]).map(|()| true)
        }
        Removes::NotTaken => remove_not_taken(connection, one, now),
        Removes::SetAside => Ok(memory::forget_set_aside(connection, "id = ?1", one.id)? > 0),
    }
}

fn remove_conversation(connection: &Connection, one: &Old, now: i64) -> Result<bool, StoreError> {
    let sql = format!(
        "SELECT message_id, direction FROM conversation WHERE id = ?1 AND last_update = ?2 AND finished = 1{}",
        connection.dialect().for_update()
    );
    let found: Option<(String, String)> =
        connection.maybe(&sql, params![one.id, one.at], |row| Ok((row.get(0)?, row.get(1)?)))?;
    let Some((message_id, direction)) = found else {
        return Ok(false);
    };
    let in_hand = if direction == Direction::Incoming.as_str() {
        "SELECT id, 1 FROM incoming WHERE message_id = ?1".to_owned()
    } else {
        format!(
            "SELECT id, CASE WHEN state = 3 THEN 0 ELSE 1 END FROM {} WHERE message_id = ?1 AND kind = 'message'{}",
            outgoing::FROM,
            connection.dialect().for_update_of(outgoing::SENDING)
        )
    };
    let left = connection.maybe(&in_hand, params![message_id], |row| {
        Ok((row.get::<i64>(0)?, row.get::<bool>(1)?))
    })?;
    match left {
        Some((_, true)) => return Ok(false),
        Some((given_up, false)) => outgoing::remove(connection, &[given_up])?,
        None => {}
    }
    conversation::remove(connection, one.id, now)
}

fn remove_not_taken(connection: &Connection, one: &Old, now: i64) -> Result<bool, StoreError> {
    let sql = format!(
        "SELECT message_id FROM incoming WHERE id = ?1 AND coalesce(locked_until, 0) <= ?2{}",
        connection.dialect().for_update()
    );
    let Some(message_id) = connection.maybe(&sql, params![one.id, now], |row| row.get::<String>(0))? else {
        return Ok(false);
    };
    incoming::remove(connection, &message_id)?;
    if let Some(conversation) = conversation_of(connection, &message_id, Direction::Incoming)? {
        let days = (now - one.at) / (24 * 60 * 60 * 1000);
        let status = NewStatus::plain(Status::LevetidUtlopt, now).saying(format!(
            "Nobody took the message in {days} days; a rule of retention removed it."
        ));
        add_status(connection, conversation, &status)?;
    }
    Ok(true)
}

impl Store {
    /// Takes one step of a purge: looks at some rows that are old enough, removes those that the rule means. `now` in ms.
    pub async fn purge(&self, rule: &Arc<RetentionRule>, walk: Walk, now: i64) -> Result<Purged, StoreError> {
        let (removes, before) = (rule.removes, now.saturating_sub(rule.age));
        let found: Vec<Old> = self
            .read(move |connection| Ok(connection.all(&select(removes), params![before, walk.at, walk.id], old)?))
            .await?;
        let Some(last) = found.last() else {
            return Ok(Purged {
                removed: 0,
                walk,
                more: false,
            });
        };
        let next = Walk {
            at: last.at,
            id: last.id,
        };
        let meant: Vec<Old> = found.iter().filter(|one| rule.means(one)).cloned().collect();
        let removed = if meant.is_empty() {
            0
        } else {
            self.write(move |connection| {
                let mut removed = 0;
                for one in &meant {
                    removed += usize::from(remove(connection, removes, one, now)?);
                }
                Ok(removed)
            })
            .await?
        };
        Ok(Purged {
            removed,
            walk: next,
            more: found.len() == STEP as usize,
        })
    }
}
