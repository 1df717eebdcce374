//! The work of sending: leases, retries, checkpoints.
//!
//! A claim raises the lease number of the message, and every later write of the worker names the number it got: a worker
//! that lost its lease changes nothing.

use super::outgoing::{self, Attachment, OutgoingMessage};
use super::record::{Direction, NewStatus, add_status, conversation_of};
use super::{Store, StoreError};
use crate::database::{Connection, params};

/// A message that a worker has in hand.
#[derive(Debug, Clone)]
pub struct Claimed {
    /// What to send.
    pub message: OutgoingMessage,
    /// True for an answer of our own: it has no conversation and gets no status.
    pub answer: bool,
    /// The number that the worker's writes carry.
    pub lease: i64,
    /// 1 at the first try.
    pub attempt: u32,
    /// Primary first.
    pub files: Vec<Attachment>,
    /// By name.
    pub checkpoints: Vec<(String, Vec<u8>)>,
    /// What earlier attempts kept.
    pub kept: Vec<Kept>,
}

/// A document that was computed once and is kept with its message.
#[derive(Debug, Clone)]
pub struct Kept {
    /// Name that the adapter gave.
    pub name: String,
    /// Name in the vault.
    pub blob: String,
    /// MIME type.
    pub media_type: String,
    /// Bytes.
    pub size: u64,
    /// 16 bytes.
    pub md5: Vec<u8>,
    /// 32 bytes.
    pub sha256: Vec<u8>,
}

/// How an attempt ended.
#[derive(Debug, Clone)]
pub enum Outcome {
    /// It left. The message and its files go; the conversation gets the statuses.
    Sent {
        /// `SENDT` and what the adapter reported.
        statuses: Vec<NewStatus>,
        /// The service's own name.
        reference: Option<String>,
        /// When to ask the service first, ms.
        track_at: Option<i64>,
    },
    /// Again at a time.
    Retry {
        /// ms.
        due: i64,
        /// For the operator.
        error: String,
    },
    /// No further attempt. The content stays for the operator, unless `discard`.
    GaveUp {
        /// `FEIL` or `LEVETID_UTLOPT`.
        status: NewStatus,
        /// Remove the content at once.
        discard: bool,
        /// When, ms.
        now: i64,
    },
}

/// Messages of a service that wait for their turn. The answers to one message leave one after the other: `LEVERT` must not
/// overtake `MOTTATT`.
const WAITING: &str = "service = ?1 AND state = 1 AND NOT (kind = 'answer' AND EXISTS (SELECT 1 FROM outgoing AS older \
     WHERE older.kind = 'answer' AND older.message_id = outgoing.message_id AND older.id < outgoing.id))";

fn holds(connection: &Connection, id: i64, lease: i64) -> Result<(), StoreError> {
    let held = connection.exists(
        "SELECT 1 FROM outgoing WHERE id = ?1 AND lease = ?2 AND state = 2",
        params![id, lease],
    )?;
    if held { Ok(()) } else { Err(StoreError::LeaseLost) }
}

fn kept_of(connection: &Connection, id: i64) -> Result<Vec<Kept>, StoreError> {
    Ok(connection.all(
        "SELECT name, blob, media_type, size, md5, sha256 FROM kept WHERE outgoing = ?1",
        params![id],
        |row| {
            Ok(Kept {
                name: row.get(0)?,
                blob: row.get(1)?,
                media_type: row.get(2)?,
                size: row.get(3)?,
                md5: row.get(4)?,
                sha256: row.get(5)?,
            })
        },
    )?)
}

fn claim_one(connection: &Connection, id: i64) -> Result<Claimed, StoreError> {
    let (lease, attempt, kind) = connection.one(
        "UPDATE outgoing SET state = 2, lease = lease + 1, attempt = attempt + 1 WHERE id = ?1 \
             RETURNING lease, attempt, kind",
        params![id],
        |row| Ok((row.get(0)?, row.get(1)?, row.get::<String>(2)?)),
    )?;
    let sql = format!("SELECT {} FROM outgoing WHERE id = ?1", outgoing::COLUMNS);
    let message = connection.one(&sql, params![id], outgoing::row)?;
    let checkpoints = connection.all(
        "SELECT name, value FROM checkpoint WHERE outgoing = ?1",
        params![id],
        |row| Ok((row.get(0)?, row.get(1)?)),
    )?;
    Ok(Claimed {
        message,
        answer: kind == "answer",
        lease,
        attempt,
        files: outgoing::attachments(connection, id)?,
        checkpoints,
        kept: kept_of(connection, id)?,
    })
}

impl Store {
    /// Takes up to `limit` due messages of one service, oldest first.
    pub async fn claim(&self, service: &str, now: i64, limit: usize) -> Result<Vec<Claimed>, StoreError> {
        let service = service.to_owned();
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        self.write(move |connection| {
            let sql = format!("SELECT id FROM outgoing WHERE {WAITING} AND due <= ?2 ORDER BY due, id LIMIT ?3");
            let due: Vec<i64> = connection.all(&sql, params![service, now, limit], |row| row.get(0))?;
            due.into_iter().map(|id| claim_one(connection, id)).collect()
        })
        .await
    }

    /// When the next message of a service is due, ms.
    pub async fn next_due(&self, service: &str) -> Result<Option<i64>, StoreError> {
        let service = service.to_owned();
        self.read(move |connection| {
            let sql = format!("SELECT min(due) FROM outgoing WHERE {WAITING}");
            Ok(connection.one(&sql, params![service], |row| row.get(0))?)
        })
        .await
    }

    /// Remembers a step of an attempt.
    pub async fn save_checkpoint(&self, id: i64, lease: i64, name: String, value: Vec<u8>) -> Result<(), StoreError> {
        self.write(move |connection| {
            holds(connection, id, lease)?;
            connection.execute(
                "INSERT INTO checkpoint (outgoing, name, value) VALUES (?1, ?2, ?3) \
                     ON CONFLICT (outgoing, name) DO UPDATE SET value = excluded.value",
                params![id, name, value],
            )?;
            Ok(())
        })
        .await
    }

    /// Remembers a kept document; its bytes are in the vault already. An older one of that name becomes garbage.
    pub async fn save_kept(&self, id: i64, lease: i64, kept: Kept) -> Result<(), StoreError> {
        self.write(move |connection| {
            holds(connection, id, lease)?;
            drop_kept(connection, id, &kept.name)?;
            connection.execute(
                "INSERT INTO kept (outgoing, name, blob, media_type, size, md5, sha256) \
                     VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
                params![
                    id,
                    kept.name,
                    kept.blob,
                    kept.media_type,
                    kept.size,
                    kept.md5,
                    kept.sha256,
                ],
            )?;
            Ok(())
        })
        .await
    }

    /// Forgets a kept document.
    pub async fn forget_kept(&self, id: i64, lease: i64, name: String) -> Result<(), StoreError> {
        self.write(move |connection| {
            holds(connection, id, lease)?;
            drop_kept(connection, id, &name)
        })
        .await
    }

    /// Ends an attempt.
    pub async fn finish(&self, id: i64, lease: i64, outcome: Outcome) -> Result<(), StoreError> {
        self.write(move |connection| {
            holds(connection, id, lease)?;
            match &outcome {
                Outcome::Sent {
                    statuses,
                    reference,
                    track_at,
                } => {
                    if let Some(conversation) = conversation_of_work(connection, id)? {
                        connection.execute(
                            "UPDATE conversation SET track_at = ?2, \
                                 external_reference = coalesce(?3, external_reference) WHERE id = ?1",
                            params![conversation, track_at, reference],
                        )?;
                        for status in statuses {
                            add_status(connection, conversation, status)?;
                        }
                    }
                    outgoing::remove(connection, id)
                }
                Outcome::Retry { due, error } => {
                    connection.execute(
                        "UPDATE outgoing SET state = 1, due = ?2, last_error = ?3 WHERE id = ?1",
                        params![id, due, error],
                    )?;
                    Ok(())
                }
                Outcome::GaveUp { status, discard, now } => {
                    let conversation = conversation_of_work(connection, id)?;
                    if let Some(conversation) = conversation {
                        add_status(connection, conversation, status)?;
                    }
                    if *discard || conversation.is_none() {
                        return outgoing::remove(connection, id);
                    }
                    connection.execute(
                        "UPDATE outgoing SET state = 3, last_updated = ?2, last_error = ?3 WHERE id = ?1",
                        params![id, now, status.raw_receipt],
                    )?;
                    Ok(())
                }
            }
        })
        .await
    }

    /// How many messages wait or are under way, by service.
    pub async fn queue_lengths(&self) -> Result<Vec<(String, u64)>, StoreError> {
        self.read(|connection| {
            Ok(connection.all(
                "SELECT service, count(*) FROM outgoing WHERE state IN (1, 2) GROUP BY service",
                &[],
                |row| Ok((row.get(0)?, row.get::<i64>(1)?.unsigned_abs())),
            )?)
        })
        .await
    }
}

fn drop_kept(connection: &Connection, id: i64, name: &str) -> Result<(), StoreError> {
    connection.execute(
        "INSERT INTO garbage SELECT blob FROM kept WHERE outgoing = ?1 AND name = ?2 ON CONFLICT DO NOTHING",
        params![id, name],
    )?;
    connection.execute("DELETE FROM kept WHERE outgoing = ?1 AND name = ?2", params![id, name])?;
    Ok(())
}

fn conversation_of_work(connection: &Connection, id: i64) -> Result<Option<i64>, StoreError> {
    let message: Option<String> = connection.maybe(
        "SELECT message_id FROM outgoing WHERE id = ?1 AND kind = 'message'",
        params![id],
        |row| row.get(0),
    )?;
    match message {
        None => Ok(None),
        Some(message_id) => conversation_of(connection, &message_id, Direction::Outgoing),
    }
}
