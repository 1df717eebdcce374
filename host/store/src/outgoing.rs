//! Messages of the fagsystem that have not left: drafts, and the call that queues them.

use std::collections::HashMap;

use super::attachment::{Attachment, attachments};
use super::blob;
use super::condition::Where;
use super::record::{ConversationFacts, ListedMessage, PageRequest, SealedSbd, listed};
use super::seen::{self, SeenKey};
use super::{Store, StoreError};
use crate::database::{Connection, DatabaseError, Row, params};

/// A stored message of the fagsystem.
#[derive(Debug, Clone)]
pub struct OutgoingMessage {
    /// Row id.
    pub id: i64,
    /// What it is made of.
    pub facts: ConversationFacts,
    /// The SBD's `type`.
    pub message_type: String,
    /// The SBD, with the key of the message.
    pub sbd: SealedSbd,
    /// MessageChannel of the message that this one answers.
    pub reply_channel: Option<String>,
    /// True from `send` on.
    pub queued: bool,
}

/// Filters of the list of outgoing messages.
#[derive(Debug, Clone, Default)]
pub struct OutgoingFilter {
    /// `conversationId`.
    pub conversation_id: Option<String>,
    /// `messageId`.
    pub message_id: Option<String>,
    /// `processIdentifier`.
    pub process: Option<String>,
    /// Bare.
    pub receiver_identifier: Option<String>,
    /// Bare.
    pub sender_identifier: Option<String>,
    /// Service.
    pub service: Option<String>,
}

/// What `queue` did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum QueueOutcome {
    /// It is on its way now.
    Queued,
    /// It was already: sending twice is sending once.
    Already,
}

/// `state` of a message that a worker has in hand.
pub(crate) const LEASED: i64 = 2;

const COLUMNS: &str = "id, message_id, conversation_id, process, document_type, message_type, sender, \
     sender_identifier, receiver, receiver_identifier, service, sbd, expiry, reply_channel, state, data_key";
/// Whoever changes a message locks its row in this table, and nothing before it.
pub(crate) const SENDING: &str = "sending";
/// Messages and what is being done about them.
pub(crate) const FROM: &str = "outgoing JOIN sending ON sending.outgoing = outgoing.id";

const LISTED: &str = "id, message_id, sbd, data_key";

fn row(row: &dyn Row) -> Result<OutgoingMessage, DatabaseError> {
    Ok(OutgoingMessage {
        id: row.get(0)?,
        facts: ConversationFacts {
            message_id: row.get(1)?,
            conversation_id: row.get(2)?,
            process: row.get(3)?,
            document_type: row.get(4)?,
            sender: row.get(6)?,
            sender_identifier: row.get(7)?,
            receiver: row.get(8)?,
            receiver_identifier: row.get(9)?,
            service: row.get(10)?,
            channel: None,
            expiry: row.get(12)?,
        },
        message_type: row.get(5)?,
        sbd: SealedSbd {
            content: row.get(11)?,
            data_key: row.get(15)?,
        },
        reply_channel: row.get(13)?,
        queued: row.get(14)?,
    })
}

/// `hold`: what keeps the row as it is until the commit.
fn find(connection: &Connection, message_id: &str, hold: &str) -> Result<Option<OutgoingMessage>, StoreError> {
    let sql = format!("SELECT {COLUMNS} FROM {FROM} WHERE message_id = ?1 AND kind = 'message' AND state <> 3{hold}");
    Ok(connection.maybe(&sql, params![message_id], row)?)
}

/// A message that nobody else changes until the commit.
pub(crate) fn find_to_change(connection: &Connection, message_id: &str) -> Result<OutgoingMessage, StoreError> {
    find(connection, message_id, &connection.dialect().for_update_of(SENDING))?.ok_or(StoreError::NotFound)
}

/// The fagsystem has done something with a message; lists can be sorted by when.
pub(crate) fn touch(connection: &Connection, id: i64, now: i64) -> Result<(), StoreError> {
    connection.execute("UPDATE outgoing SET last_updated = ?2 WHERE id = ?1", params![id, now])?;
    Ok(())
}

/// Messages by row id.
pub(crate) fn by_id(connection: &Connection, ids: &[i64]) -> Result<HashMap<i64, OutgoingMessage>, StoreError> {
    let sql = format!("SELECT {COLUMNS} FROM {FROM} WHERE id");
    let found = connection.among(&sql, ids, "", row)?;
    Ok(found.into_iter().map(|message| (message.id, message)).collect())
}

/// Removes messages with all that hangs on them, their files too.
pub(crate) fn remove(connection: &Connection, ids: &[i64]) -> Result<(), StoreError> {
    for (one_of, values) in connection.one_of(ids) {
        let files = format!(
            "SELECT blob FROM attachment WHERE outgoing {one_of} UNION ALL SELECT blob FROM kept WHERE outgoing {one_of}"
        );
        blob::release(connection, &files, &values)?;
        connection.execute(&format!("DELETE FROM outgoing WHERE id {one_of}"), &values)?;
    }
    Ok(())
}

/// What became of a message that was to be removed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Removal {
    /// It is gone.
    Removed,
    /// A worker has it.
    Leased,
    /// There was none.
    Absent,
}

/// The id of a message that may have left is remembered.
pub(crate) fn remove_unless_leased(connection: &Connection, message_id: &str, now: i64) -> Result<Removal, StoreError> {
    let sql = format!(
        "SELECT id, state, lease FROM {FROM} WHERE message_id = ?1 AND kind = 'message'{}",
        connection.dialect().for_update_of(SENDING)
    );
    let found = connection.maybe(&sql, params![message_id], |row| {
        Ok((row.get(0)?, row.get::<i64>(1)? == LEASED, row.get::<i64>(2)? > 0))
    })?;
    match found {
        None => Ok(Removal::Absent),
        Some((_, true, _)) => Ok(Removal::Leased),
        Some((id, false, attempted)) => {
            if attempted {
                seen::remember(connection, &SeenKey::sent(message_id), now)?;
            }
            remove(connection, &[id]).map(|()| Removal::Removed)
        }
    }
}

impl Store {
    /// A message that has not left.
    pub async fn outgoing(&self, message_id: &str) -> Result<Option<OutgoingMessage>, StoreError> {
        let message_id = message_id.to_owned();
        self.read(move |connection| find(connection, &message_id, "")).await
    }

    /// A message that has not left with its files: primary first, then by number.
    pub async fn outgoing_with_files(
        &self,
        message_id: &str,
    ) -> Result<Option<(OutgoingMessage, Vec<Attachment>)>, StoreError> {
        let message_id = message_id.to_owned();
        self.read(move |connection| match find(connection, &message_id, "")? {
            None => Ok(None),
            Some(message) => {
                let files = attachments(connection, &[message.id])?.remove(&message.id);
                Ok(Some((message, files.unwrap_or_default())))
            }
        })
        .await
    }

    /// Looks through a page of the messages that have not left: `each` puts one after the other into `seen`. Returns that, and
    /// how many messages the whole list has.
    pub async fn look_through_outgoing<T: Send + 'static>(
        &self,
        filter: OutgoingFilter,
        page: PageRequest,
        mut seen: T,
        each: impl Fn(&mut T, ListedMessage) + Send + 'static,
    ) -> Result<(T, u64), StoreError> {
        self.read(move |connection| {
            let mut condition = Where::default();
            condition
                .raw("kind = 'message'")
                .raw("state <> 3")
                .equal("conversation_id", filter.conversation_id)
                .equal("message_id", filter.message_id)
                .equal("process", filter.process)
                .equal("receiver_identifier", filter.receiver_identifier)
                .equal("sender_identifier", filter.sender_identifier)
                .equal("service", filter.service);
            let tail = page.tail("id ASC", "id");
            let total = condition.look_through(connection, LISTED, FROM, &tail, listed, |message| {
                each(&mut seen, message);
            })?;
            Ok((seen, total))
        })
        .await
    }

    /// A message that has not left, by the row id that the list gave.
    pub async fn listed_outgoing(&self, id: i64) -> Result<Option<ListedMessage>, StoreError> {
        self.read(move |connection| {
            let sql = format!("SELECT {LISTED} FROM {FROM} WHERE id = ?1 AND kind = 'message' AND state <> 3");
            Ok(connection.maybe(&sql, params![id], listed)?)
        })
        .await
    }

    /// Puts a draft on its way.
    pub async fn queue(&self, message_id: &str, now: i64) -> Result<QueueOutcome, StoreError> {
        let message_id = message_id.to_owned();
        self.write(move |connection| {
            let message = find_to_change(connection, &message_id)?;
            if message.queued {
                return Ok(QueueOutcome::Already);
            }
            connection.execute(
                "UPDATE sending SET state = 1, due = ?2 WHERE outgoing = ?1",
                params![message.id, now],
            )?;
            touch(connection, message.id, now)?;
            connection.hint();
            Ok(QueueOutcome::Queued)
        })
        .await
    }

    /// Removes a message that has not left; its conversation stays. False when there is none, or a worker has it.
    pub async fn delete_outgoing(&self, message_id: &str, now: i64) -> Result<bool, StoreError> {
        let message_id = message_id.to_owned();
        self.write(move |connection| Ok(remove_unless_leased(connection, &message_id, now)? == Removal::Removed))
            .await
    }
}
