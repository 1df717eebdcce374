//! The work of sending: leases, retries, checkpoints.
//!
//! A claim raises the lease number of the message, and every later write of the worker names the number it got: a worker
//! that lost its lease changes nothing.

use std::collections::HashMap;

use super::attachment::{Attachment, attachments};
use super::blob;
use super::outgoing::{self, OutgoingMessage};
use super::presence;
use super::record::{self, Change, NewStatus, add_status};
use super::{Store, StoreError};
use crate::database::{Connection, Together, params};

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
    /// Whom it goes to, as one queue among others.
    pub lane: String,
    /// An earlier attempt ended without anybody knowing whether the message had left.
    pub uncertain: bool,
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
        /// Nobody knows whether it left: the next attempt has to find out first.
        uncertain: bool,
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

/// The answers to one message leave one after the other: `LEVERT` must not overtake `MOTTATT`.
const IN_TURN: &str = "NOT (answers IS NOT NULL AND EXISTS (SELECT 1 FROM sending AS older \
     WHERE older.answers = sending.answers AND older.outgoing < sending.outgoing))";
/// Messages that waited for their time and are made ready with one claim.
const MADE_READY: u32 = 500;

/// What a worker asks for.
#[derive(Debug, Clone, Default)]
pub struct Turn {
    /// Lanes (receivers) with less room than the others, and how many messages they may still get; 0: none.
    pub rooms: Vec<(String, usize)>,
    /// The lane that was served last: the next one comes first now.
    pub after: String,
    /// Messages at most.
    pub limit: usize,
    /// Messages of one lane at most.
    pub lane_limit: usize,
}

impl Turn {
    fn room(&self, lane: &str) -> usize {
        let scarce = self.rooms.iter().find(|(name, _)| name == lane);
        scarce.map_or(self.lane_limit, |(_, room)| *room)
    }
}

/// What a worker's write finds when it still holds its lease, and keeps until the commit.
fn held(connection: &Connection) -> String {
    format!(
        "FROM sending WHERE outgoing = ?1 AND lease = ?2 AND state = 2{}",
        connection.dialect().for_update()
    )
}

/// An error unless the worker still holds its lease.
fn holds(connection: &Connection, id: i64, lease: i64) -> Result<(), StoreError> {
    let held = connection.exists(&format!("SELECT 1 {}", held(connection)), params![id, lease])?;
    if held { Ok(()) } else { Err(StoreError::LeaseLost) }
}

/// Lanes with something ready after `after`, in their order, at most `limit`. One look at the index for each, however long its
/// queue is.
fn lanes(connection: &Connection, service: &str, after: &str, limit: usize) -> Result<Vec<String>, StoreError> {
    Ok(connection.all(
        "WITH RECURSIVE turn (lane, number) AS (\
         SELECT (SELECT lane FROM sending WHERE service = ?1 AND state = 1 AND lane > ?2 ORDER BY lane LIMIT 1), 1 \
         UNION ALL SELECT (SELECT next.lane FROM sending AS next WHERE next.service = ?1 AND next.state = 1 \
         AND next.lane > turn.lane ORDER BY next.lane LIMIT 1), number + 1 FROM turn \
         WHERE turn.lane IS NOT NULL AND number < ?3) SELECT lane FROM turn WHERE lane IS NOT NULL ORDER BY number",
        params![service, after, limit as u64],
        |row| row.get(0),
    )?)
}

/// What a worker may do from now on: the message, and its lease.
struct Taken {
    id: i64,
    lease: i64,
    attempt: u32,
    uncertain: bool,
    lane: String,
    answer: bool,
}

fn take(
    connection: &Connection,
    session: i64,
    service: &str,
    lane: &str,
    limit: usize,
) -> Result<Vec<Taken>, StoreError> {
    let sql = format!(
        "UPDATE sending SET state = 2, lease = lease + 1, attempt = attempt + 1, holder = ?4 WHERE outgoing IN \
         (SELECT outgoing FROM sending WHERE service = ?1 AND state = 1 AND lane = ?2 AND {IN_TURN} \
         ORDER BY outgoing LIMIT ?3{}) RETURNING outgoing, lease, attempt, uncertain, lane, answers IS NOT NULL",
        connection.dialect().skip_locked(),
    );
    let mut taken = connection.all(&sql, params![service, lane, limit as u64, session], |row| {
        Ok(Taken {
            id: row.get(0)?,
            lease: row.get(1)?,
            attempt: row.get(2)?,
            uncertain: row.get(3)?,
            lane: row.get(4)?,
            answer: row.get(5)?,
        })
    })?;
    taken.sort_by_key(|one| one.id);
    Ok(taken)
}

/// What was taken, with all that hangs on it, in the order in which it was taken.
fn whole(connection: &Connection, taken: Vec<Taken>) -> Result<Vec<Claimed>, StoreError> {
    let ids: Vec<i64> = taken.iter().map(|one| one.id).collect();
    let mut messages = outgoing::by_id(connection, &ids)?;
    let mut files = attachments(connection, &ids)?;
    taken
        .into_iter()
        .map(|one| {
            let again = one.lease > 1;
            Ok(Claimed {
                message: messages.remove(&one.id).ok_or(StoreError::NotFound)?,
                answer: one.answer,
                lease: one.lease,
                attempt: one.attempt,
                files: files.remove(&one.id).unwrap_or_default(),
                lane: one.lane,
                uncertain: one.uncertain,
                // Only what was in somebody's hand before has something kept.
                checkpoints: if again {
                    checkpoints_of(connection, one.id)?
                } else {
                    Vec::new()
                },
                kept: if again {
                    kept_of(connection, one.id)?
                } else {
                    Vec::new()
                },
            })
        })
        .collect()
}

fn checkpoints_of(connection: &Connection, id: i64) -> Result<Vec<(String, Vec<u8>)>, StoreError> {
    Ok(connection.all(
        "SELECT name, value FROM checkpoint WHERE outgoing = ?1",
        params![id],
        |row| Ok((row.get(0)?, row.get(1)?)),
    )?)
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

/// Messages whose time has come wait no longer.
fn make_ready(connection: &Connection, service: &str, now: i64) -> Result<(), StoreError> {
    let due = format!(
        "SELECT outgoing FROM sending WHERE service = ?1 AND state = 4 AND due <= ?2 ORDER BY due LIMIT {MADE_READY}{}",
        connection.dialect().skip_locked()
    );
    // Asked first: an update that changes nothing would still be a change to write down.
    if connection.exists(&due, params![service, now])? {
        connection.execute(
            &format!("UPDATE sending SET state = 1 WHERE outgoing IN ({due})"),
            params![service, now],
        )?;
    }
    Ok(())
}

impl Store {
    /// Takes messages of one service: a few of each lane in turn, the oldest of each first.
    pub async fn claim(&self, service: &str, now: i64, turn: Turn) -> Result<Vec<Claimed>, StoreError> {
        let (service, session) = (service.to_owned(), self.session());
        self.write(move |connection| {
            make_ready(connection, &service, now)?;
            // One for each message, and those that have no room beside them.
            let wanted = turn.limit + turn.rooms.len();
            let mut lanes_in_turn = lanes(connection, &service, &turn.after, wanted)?;
            if lanes_in_turn.len() < wanted {
                // Round the corner: those up to the lane that was served last.
                let first = lanes(connection, &service, "", wanted)?;
                lanes_in_turn.extend(first.into_iter().filter(|lane| *lane <= turn.after));
            }
            lanes_in_turn.retain(|lane| turn.room(lane) > 0);
            // What a session claimed that was given up meanwhile, nobody would ever give back.
            if !lanes_in_turn.is_empty() && !presence::is_here(connection, session)? {
                return Ok(Vec::new());
            }
            let mut taken = Vec::new();
            let mut left = lanes_in_turn.len();
            for lane in &lanes_in_turn {
                let room = turn.limit - taken.len();
                if room == 0 {
                    break;
                }
                let share = room.div_ceil(left).min(turn.room(lane));
                taken.extend(take(connection, session, &service, lane, share)?);
                left -= 1;
            }
            whole(connection, taken)
        })
        .await
    }

    /// When the next message of a service is due, ms: at once, when one is ready.
    pub async fn next_due(&self, service: &str) -> Result<Option<i64>, StoreError> {
        let service = service.to_owned();
        self.read(move |connection| {
            let ready = format!("SELECT 1 FROM sending WHERE service = ?1 AND state = 1 AND {IN_TURN} LIMIT 1");
            if connection.exists(&ready, params![service])? {
                return Ok(Some(0));
            }
            Ok(connection.one(
                "SELECT min(due) FROM sending WHERE service = ?1 AND state = 4",
                params![service],
                |row| row.get(0),
            )?)
        })
        .await
    }

    /// Remembers a step of an attempt.
    pub async fn save_checkpoint(&self, id: i64, lease: i64, name: String, value: Vec<u8>) -> Result<(), StoreError> {
        self.write(move |connection| {
            let saved = connection.execute(
                &format!(
                    "INSERT INTO checkpoint (outgoing, name, value) SELECT outgoing, ?3, ?4 {} \
                     ON CONFLICT (outgoing, name) DO UPDATE SET value = excluded.value",
                    held(connection)
                ),
                params![id, lease, name, value],
            )?;
            if saved == 0 { Err(StoreError::LeaseLost) } else { Ok(()) }
        })
        .await
    }

    /// Remembers a kept document; `small`: its encrypted bytes, when it is small. An older one of that name becomes garbage.
    pub async fn save_kept(&self, id: i64, lease: i64, kept: Kept, small: Option<Vec<u8>>) -> Result<(), StoreError> {
        self.write(move |connection| {
            drop_kept(connection, id, &kept.name)?;
            let saved = connection.execute(
                &format!(
                    "INSERT INTO kept (outgoing, name, blob, media_type, size, md5, sha256) \
                     SELECT outgoing, ?3, ?4, ?5, ?6, ?7, ?8 {}",
                    held(connection)
                ),
                params![
                    id,
                    lease,
                    kept.name,
                    kept.blob,
                    kept.media_type,
                    kept.size,
                    kept.md5,
                    kept.sha256,
                ],
            )?;
            if saved == 0 {
                return Err(StoreError::LeaseLost);
            }
            blob::keep_one(connection, &kept.blob, small.as_deref())
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
        self.write_together(Ended { id, lease, outcome }).await
    }

    /// How many messages wait or are under way, by service.
    pub async fn queue_lengths(&self) -> Result<Vec<(String, u64)>, StoreError> {
        self.read(|connection| {
            Ok(connection.all(
                "SELECT service, count(*) FROM sending WHERE state IN (1, 2, 4) GROUP BY service",
                &[],
                |row| Ok((row.get(0)?, row.get::<i64>(1)?.unsigned_abs())),
            )?)
        })
        .await
    }
}

/// An attempt that ended.
struct Ended {
    id: i64,
    lease: i64,
    outcome: Outcome,
}

impl Together for Ended {
    type Answer = ();

    fn run(connection: &Connection, all: &[Self]) -> Result<Vec<Result<(), StoreError>>, StoreError> {
        let held = held_among(connection, &all.iter().map(|one| one.id).collect::<Vec<_>>())?;
        let (mut results, mut left, mut gone) = (Vec::new(), Vec::new(), Vec::new());
        for one in all {
            let conversation = match held.get(&one.id) {
                Some((lease, conversation)) if *lease == one.lease => *conversation,
                _ => {
                    results.push(Err(StoreError::LeaseLost));
                    continue;
                }
            };
            results.push(Ok(()));
            match &one.outcome {
                Outcome::Sent {
                    statuses,
                    reference,
                    track_at,
                } => {
                    gone.push(one.id);
                    left.extend(conversation.map(|conversation| Change {
                        conversation,
                        statuses,
                        track_at: *track_at,
                        reference: reference.as_deref(),
                    }));
                }
                Outcome::Retry { due, error, uncertain } => {
                    connection.execute(
                        "UPDATE sending SET state = 4, holder = NULL, due = ?2, last_error = ?3, uncertain = ?4 \
                         WHERE outgoing = ?1",
                        params![one.id, due, error, uncertain],
                    )?;
                }
                Outcome::GaveUp { status, discard, now } => {
                    if let Some(conversation) = conversation {
                        failed(connection, conversation, status, *now)?;
                    }
                    if *discard || conversation.is_none() {
                        gone.push(one.id);
                        continue;
                    }
                    connection.execute(
                        "UPDATE sending SET state = 3, holder = NULL, due = ?2, last_error = ?3 WHERE outgoing = ?1",
                        params![one.id, now, status.raw_receipt],
                    )?;
                }
            }
        }
        record::change(connection, &left)?;
        outgoing::remove(connection, &gone)?;
        Ok(results)
    }
}

/// Lease and conversation of those messages that a worker has in hand, by id; kept until the commit. An answer has no conversation.
fn held_among(connection: &Connection, ids: &[i64]) -> Result<HashMap<i64, (i64, Option<i64>)>, StoreError> {
    let found = connection.among(
        "SELECT outgoing, lease, (SELECT conversation.id FROM outgoing JOIN conversation \
         ON conversation.message_id = outgoing.message_id AND direction = 'OUTGOING' \
         WHERE outgoing.id = sending.outgoing AND kind = 'message') FROM sending WHERE state = 2 AND outgoing",
        ids,
        connection.dialect().for_update(),
        |row| Ok((row.get(0)?, (row.get(1)?, row.get(2)?))),
    )?;
    Ok(found.into_iter().collect())
}

/// Nothing more is tried.
fn failed(connection: &Connection, conversation: i64, status: &NewStatus, now: i64) -> Result<(), StoreError> {
    if !add_status(connection, conversation, status)? {
        // Given up for the second time: the status is there, but the conversation was opened again.
        connection.execute(
            "UPDATE conversation SET finished = 1, last_update = ?2 WHERE id = ?1",
            params![conversation, now],
        )?;
    }
    Ok(())
}

fn drop_kept(connection: &Connection, id: i64, name: &str) -> Result<(), StoreError> {
    let dropped: Option<String> = connection.maybe(
        "DELETE FROM kept WHERE outgoing = ?1 AND name = ?2 RETURNING blob",
        params![id, name],
        |row| row.get(0),
    )?;
    match dropped {
        Some(blob) => blob::release(connection, "SELECT CAST(?1 AS TEXT) AS blob", params![blob]),
        None => Ok(()),
    }
}
