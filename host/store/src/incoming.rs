//! The incoming queue: what a service handed over and the fagsystem has not taken yet.

use crate::database::{Connection, DatabaseError, Row, params};
use budstikke_message::status::Status;
use uuid::Uuid;

use super::blob::{self, StoredFile};
use super::condition::Where;
use super::creation::{self, NewOutgoing};
use super::outgoing::FROM;
use super::record::{
    ConversationFacts, Direction, ListedMessage, NewConversation, NewStatus, PageRequest, SealedSbd, add_status,
    conversation_of, insert_conversation, listed,
};
use super::seen::{self, SeenKey};
use super::{Store, StoreError};

/// A message that came from a service, with everything that its arrival causes; stored in one step.
#[derive(Debug, Clone)]
pub struct Arrival {
    /// What its conversation is made of.
    pub facts: ConversationFacts,
    /// The SBD's `type`.
    pub message_type: String,
    /// The SBD, with the key of the message.
    pub sbd: SealedSbd,
    /// The package, still sealed to us.
    pub package: Option<StoredFile>,
    /// Statuses of the new conversation.
    pub statuses: Vec<NewStatus>,
    /// False when its life had ended: the conversation is made, but there is nothing to take.
    pub queue: bool,
    /// The answer to send back.
    pub answer: Option<NewOutgoing>,
    /// A status for another message of ours, which this one is a receipt of.
    pub related: Option<(About, NewStatus)>,
    /// The service's own name of the transfer.
    pub reference: String,
    /// When, ms.
    pub now: i64,
}

/// Which message of ours a status is about. Only the party that we sent it to, over the service that it went, may say what
/// became of it.
#[derive(Debug, Clone)]
pub struct About {
    /// Message id.
    pub message_id: String,
    /// Service that the status came over.
    pub service: String,
    /// Bare identifier of who says it.
    pub sender: String,
}

impl About {
    fn conversation(&self, connection: &Connection) -> Result<Option<i64>, StoreError> {
        Ok(connection.maybe(
            "SELECT id FROM conversation WHERE message_id = ?1 AND direction = 'OUTGOING' AND service = ?2 \
                 AND receiver_identifier = ?3",
            params![self.message_id, self.service, self.sender],
            |row| row.get(0),
        )?)
    }
}

/// A message on the queue.
#[derive(Debug, Clone)]
pub struct IncomingMessage {
    /// Message id.
    pub message_id: String,
    /// The SBD's `type`.
    pub message_type: String,
    /// Service.
    pub service: String,
    /// The SBD, with the key of the message.
    pub sbd: SealedSbd,
    /// Name in the vault and size of the package.
    pub package: Option<(String, u64)>,
    /// The sender was told that it came, and is to be told that it was taken.
    pub answered: bool,
}

/// Names one lock of one message: made by a peek, and known only to who peeked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LockToken(String);

impl LockToken {
    fn new() -> Self {
        Self(Uuid::new_v4().to_string())
    }

    /// As a client gives it, whatever it is.
    pub fn given(text: &str) -> Self {
        Self(text.to_owned())
    }

    /// As a client gets it.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The answer to `take` and `locked`.
pub type Popped = IncomingMessage;

/// Filters of the queue; all that are given must match.
#[derive(Debug, Clone, Default)]
pub struct IncomingFilter {
    /// `messageId`.
    pub message_id: Option<String>,
    /// `conversationId`.
    pub conversation_id: Option<String>,
    /// Bare.
    pub receiver_identifier: Option<String>,
    /// Bare.
    pub sender_identifier: Option<String>,
    /// Service.
    pub service: Option<String>,
    /// Process.
    pub process: Option<String>,
}

impl IncomingFilter {
    pub(crate) fn condition(self) -> Where {
        let mut condition = Where::default();
        condition
            .equal("message_id", self.message_id)
            .equal("conversation_id", self.conversation_id)
            .equal("receiver_identifier", self.receiver_identifier)
            .equal("sender_identifier", self.sender_identifier)
            .equal("service", self.service)
            .equal("process", self.process);
        condition
    }
}

const COLUMNS: &str = "message_id, message_type, service, sbd, package, package_size, answered, data_key";
const LISTED: &str = "id, message_id, sbd, data_key";

/// Oldest first unless asked otherwise, as the index by age has them: the queue may be long.
pub(crate) fn in_order(page: &PageRequest) -> String {
    page.tail("last_updated ASC", "id")
}

/// Selects the oldest message that matches.
pub(crate) fn oldest(condition: &Where) -> String {
    let first = PageRequest {
        page: 0,
        size: 1,
        sort: Vec::new(),
    };
    format!("SELECT {COLUMNS} FROM incoming{}{}", condition.sql(), in_order(&first))
}

fn row(row: &dyn Row) -> Result<IncomingMessage, DatabaseError> {
    let package: Option<String> = row.get(4)?;
    let size: Option<u64> = row.get(5)?;
    Ok(IncomingMessage {
        message_id: row.get(0)?,
        message_type: row.get(1)?,
        service: row.get(2)?,
        sbd: SealedSbd {
            content: row.get(3)?,
            data_key: row.get(7)?,
        },
        package: package.map(|blob| (blob, size.unwrap_or(0))),
        answered: row.get(6)?,
    })
}

/// Removes a message from the queue; its package becomes garbage.
pub(crate) fn remove(connection: &Connection, message_id: &str) -> Result<(), StoreError> {
    let named = "SELECT package AS blob FROM incoming WHERE message_id = ?1 AND package IS NOT NULL";
    blob::release(connection, named, params![message_id])?;
    connection.execute("DELETE FROM incoming WHERE message_id = ?1", params![message_id])?;
    Ok(())
}

/// A locked message. With `token`: only when its lock is that one. `hold`: what keeps the row as it is until the commit.
fn locked(
    connection: &Connection,
    message_id: &str,
    token: Option<&LockToken>,
    now: i64,
    hold: &str,
) -> Result<IncomingMessage, StoreError> {
    let sql = format!("SELECT {COLUMNS}, locked_until, lock_token FROM incoming WHERE message_id = ?1{hold}");
    let found: Option<(IncomingMessage, Option<i64>, Option<String>)> =
        connection.maybe(&sql, params![message_id], |found| {
            Ok((row(found)?, found.get(8)?, found.get(9)?))
        })?;
    let (message, until, holder) = found.ok_or(StoreError::NotFound)?;
    if until.is_none_or(|until| until <= now) {
        return Err(StoreError::NotLocked);
    }
    if token.is_some_and(|token| holder.as_deref() != Some(token.as_str())) {
        return Err(StoreError::LockedByAnother);
    }
    Ok(message)
}

/// A status from the receiving side can come before the attempt that brought the message there has ended, or when it was
/// cut off. The message has left then, and its statuses stand in the order of its way.
fn add_answer(
    connection: &Connection,
    conversation: i64,
    message_id: &str,
    status: &NewStatus,
) -> Result<(), StoreError> {
    let attempted = format!("SELECT 1 FROM {FROM} WHERE kind = 'message' AND message_id = ?1 AND attempt > 0");
    let under_way = connection.exists(&attempted, params![message_id])?;
    if under_way && matches!(status.status, Status::Mottatt | Status::Levert | Status::Lest) {
        add_status(connection, conversation, &NewStatus::plain(Status::Sendt, status.at))?;
    }
    add_status(connection, conversation, status)?;
    Ok(())
}

impl Store {
    /// Stores an arrival. False when its message id is known: nothing changed then, its package is garbage.
    pub async fn arrive(&self, arrival: Arrival) -> Result<bool, StoreError> {
        self.write(move |connection| {
            let message_key = SeenKey::message(&arrival.facts.service, &arrival.facts.message_id);
            let known = seen::seen(connection, &message_key)?
                || conversation_of(connection, &arrival.facts.message_id, Direction::Incoming)?.is_some();
            seen::remember(
                connection,
                &SeenKey::reference(&arrival.facts.service, &arrival.reference),
                arrival.now,
            )?;
            if known {
                discard(connection, arrival.package.as_ref())?;
                return Ok(false);
            }
            seen::remember(connection, &message_key, arrival.now)?;
            let new = NewConversation {
                facts: &arrival.facts,
                description: None,
                route: None,
                now: arrival.now,
            };
            let conversation = insert_conversation(connection, Direction::Incoming, new)?;
            for status in &arrival.statuses {
                add_status(connection, conversation, status)?;
            }
            if arrival.queue {
                enqueue(connection, &arrival)?;
            } else {
                discard(connection, arrival.package.as_ref())?;
            }
            if let Some(answer) = &arrival.answer {
                creation::insert_answer(connection, answer, arrival.now)?;
            }
            if let Some((about, status)) = &arrival.related
                && let Some(related) = about.conversation(connection)?
            {
                add_answer(connection, related, &about.message_id, status)?;
            }
            Ok(true)
        })
        .await
    }

    /// Registers a status that came from a service for a message of ours. False when we sent no such message to its sender.
    pub async fn arrive_status(&self, reference: &str, about: About, status: NewStatus) -> Result<bool, StoreError> {
        let reference = SeenKey::reference(&about.service, reference);
        self.write(move |connection| {
            seen::remember(connection, &reference, status.at)?;
            match about.conversation(connection)? {
                None => Ok(false),
                Some(conversation) => {
                    add_answer(connection, conversation, &about.message_id, &status)?;
                    Ok(true)
                }
            }
        })
        .await
    }

    /// Locks the oldest free message that matches and returns it, with the name of the lock.
    pub async fn peek(
        &self,
        filter: IncomingFilter,
        now: i64,
        locked_until: i64,
    ) -> Result<Option<(IncomingMessage, LockToken)>, StoreError> {
        self.write(move |connection| {
            let mut condition = filter.clone().condition();
            condition.compare("coalesce(locked_until, 0)", "<=", Some(now));
            let sql = format!("{}{}", oldest(&condition), connection.dialect().skip_locked());
            let found = connection.maybe(&sql, condition.params(), row)?;
            let Some(message) = found else {
                return Ok(None);
            };
            let token = LockToken::new();
            connection.execute(
                "UPDATE incoming SET locked_until = ?2, lock_token = ?3 WHERE message_id = ?1",
                params![message.message_id, locked_until, token.as_str()],
            )?;
            Ok(Some((message, token)))
        })
        .await
    }

    /// A message that a peek has locked; with `token`, that very peek.
    pub async fn locked(
        &self,
        message_id: &str,
        token: Option<LockToken>,
        now: i64,
    ) -> Result<IncomingMessage, StoreError> {
        let message_id = message_id.to_owned();
        self.read(move |connection| locked(connection, &message_id, token.as_ref(), now, ""))
            .await
    }

    /// Gives a lock back: the message can be peeked again at once, in its old place.
    pub async fn unlock(&self, message_id: &str, token: LockToken, now: i64) -> Result<(), StoreError> {
        let message_id = message_id.to_owned();
        self.write(move |connection| {
            locked(
                connection,
                &message_id,
                Some(&token),
                now,
                connection.dialect().for_update(),
            )?;
            connection.execute(
                "UPDATE incoming SET locked_until = NULL, lock_token = NULL WHERE message_id = ?1",
                params![message_id],
            )?;
            Ok(())
        })
        .await
    }

    /// The fagsystem has the message: it leaves the queue, `delivered` is registered and the answer is on its way.
    pub async fn take(
        &self,
        message_id: &str,
        token: Option<LockToken>,
        delivered: NewStatus,
        answer: Option<NewOutgoing>,
    ) -> Result<IncomingMessage, StoreError> {
        let message_id = message_id.to_owned();
        self.write(move |connection| {
            let message = locked(
                connection,
                &message_id,
                token.as_ref(),
                delivered.at,
                connection.dialect().for_update(),
            )?;
            remove(connection, &message_id)?;
            if let Some(conversation) = conversation_of(connection, &message_id, Direction::Incoming)? {
                add_status(connection, conversation, &delivered)?;
            }
            if let Some(answer) = &answer {
                creation::insert_answer(connection, answer, delivered.at)?;
            }
            Ok(message)
        })
        .await
    }

    /// Looks through a page of the queue, locked ones included: `each` puts one message after the other into `seen`. Returns
    /// that, and how many messages the whole list has.
    pub async fn look_through_incoming<T: Send + 'static>(
        &self,
        filter: IncomingFilter,
        page: PageRequest,
        mut seen: T,
        each: impl Fn(&mut T, ListedMessage) + Send + 'static,
    ) -> Result<(T, u64), StoreError> {
        self.read(move |connection| {
            let tail = in_order(&page);
            let condition = filter.condition();
            let total = condition.look_through(connection, LISTED, "incoming", &tail, listed, |message| {
                each(&mut seen, message);
            })?;
            Ok((seen, total))
        })
        .await
    }

    /// A message of the queue by the row id that the list gave.
    pub async fn listed_incoming(&self, id: i64) -> Result<Option<ListedMessage>, StoreError> {
        self.read(move |connection| {
            Ok(connection.maybe(
                &format!("SELECT {LISTED} FROM incoming WHERE id = ?1"),
                params![id],
                listed,
            )?)
        })
        .await
    }

    /// How many messages wait for the fagsystem.
    pub async fn incoming_length(&self) -> Result<u64, StoreError> {
        self.read(|connection| {
            let count: i64 = connection.one("SELECT count(*) FROM incoming", &[], |row| row.get(0))?;
            Ok(count.unsigned_abs())
        })
        .await
    }
}

fn discard(connection: &Connection, package: Option<&StoredFile>) -> Result<(), StoreError> {
    match package {
        Some(file) if file.small.is_none() => blob::discard(connection, &file.blob),
        _ => Ok(()),
    }
}

fn enqueue(connection: &Connection, arrival: &Arrival) -> Result<(), StoreError> {
    connection.execute(
        "INSERT INTO incoming (message_id, conversation_id, process, message_type, sender_identifier, \
             receiver_identifier, service, sbd, package, package_size, answered, last_updated, data_key) \
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)",
        params![
            arrival.facts.message_id,
            arrival.facts.conversation_id,
            arrival.facts.process,
            arrival.message_type,
            arrival.facts.sender_identifier,
            arrival.facts.receiver_identifier.clone().unwrap_or_default(),
            arrival.facts.service,
            arrival.sbd.content,
            arrival.package.as_ref().map(|package| &package.blob),
            arrival.package.as_ref().map(|package| package.size),
            arrival.answer.is_some(),
            arrival.now,
            arrival.sbd.data_key,
        ],
    )?;
    match &arrival.package {
        Some(package) => blob::keep_one(connection, &package.blob, package.small.as_deref()),
        None => Ok(()),
    }
}
