//! Conversations and statuses: the lasting record of a message.

use super::condition::Where;
use super::outgoing::{FROM, Removal, SENDING};
use super::record::{
    CONVERSATION_COLUMNS, Change, Conversation, Direction, NewStatus, PageOf, PageRequest, StatusRow, add_status,
    change, conversation_of, conversation_row,
};
use super::seen::{self, SeenKey};
use super::{Store, StoreError};
use crate::database::{Connection, DatabaseError, Row, ToValue as _, Value, params};

/// Filters of the conversation list; all that are given must match.
#[derive(Debug, Clone, Default)]
pub struct ConversationFilter {
    /// `conversationId`.
    pub conversation_id: Option<String>,
    /// `messageId`.
    pub message_id: Option<String>,
    /// Full identifier.
    pub receiver: Option<String>,
    /// Bare identifier.
    pub receiver_identifier: Option<String>,
    /// Full identifier.
    pub sender: Option<String>,
    /// Bare identifier.
    pub sender_identifier: Option<String>,
    /// Service.
    pub service: Option<String>,
    /// `messageReference`.
    pub message_reference: Option<String>,
    /// `messageTitle`.
    pub message_title: Option<String>,
    /// Still tracked.
    pub pollable: Option<bool>,
    /// Finished.
    pub finished: Option<bool>,
    /// Which way.
    pub direction: Option<Direction>,
    /// From this time on, ms.
    pub updated_from: Option<i64>,
    /// Before this time, ms.
    pub updated_before: Option<i64>,
}

impl ConversationFilter {
    /// The rows of the tally that make the total, when the filter asks for nothing that the tally does not know: counting
    /// half a million rows takes longer than reading a page of them.
    fn tally(&self) -> Option<Where> {
        let Self {
            conversation_id: None,
            message_id: None,
            receiver: None,
            receiver_identifier: None,
            sender: None,
            sender_identifier: None,
            service,
            message_reference: None,
            message_title: None,
            pollable,
            finished,
            direction,
            updated_from: None,
            updated_before: None,
        } = self
        else {
            return None;
        };
        let mut tally = Where::default();
        tally
            .equal("service", service.clone())
            .equal("tracked", *pollable)
            .equal("finished", *finished)
            .equal("direction", direction.map(|direction| direction.as_str().to_owned()));
        Some(tally)
    }
}

/// Filters of the status list.
#[derive(Debug, Clone, Default)]
pub struct StatusFilter {
    /// Row id.
    pub id: Option<i64>,
    /// `conversationId`.
    pub conversation_id: Option<String>,
    /// `messageId`.
    pub message_id: Option<String>,
    /// Exact value.
    pub status: Option<String>,
    /// Inclusive, ms.
    pub from: Option<i64>,
    /// Inclusive, ms.
    pub to: Option<i64>,
}

impl StatusFilter {
    /// As for conversations.
    fn tally(&self) -> Option<Where> {
        let Self {
            id: None,
            conversation_id: None,
            message_id: None,
            status,
            from: None,
            to: None,
        } = self
        else {
            return None;
        };
        let mut tally = Where::default();
        tally.equal("status", status.clone());
        Some(tally)
    }
}

/// What a look at the service brought about one message.
#[derive(Debug, Clone)]
pub struct Tracked {
    /// Row id of the conversation.
    pub conversation: i64,
    /// New statuses.
    pub statuses: Vec<NewStatus>,
    /// When to look again, ms; none: no more.
    pub next: Option<i64>,
}

pub(crate) const STATUS_COLUMNS: &str = "status.id, status.conversation, conversation.message_id, conversation.conversation_id, \
     status.status, status.description, status.raw_receipt, status.at";
/// Without the raw receipt, which conversations do not show.
const STATUS_OF_CONVERSATION: &str = "status.id, status.conversation, conversation.message_id, \
     conversation.conversation_id, status.status, status.description, NULL, status.at";
pub(crate) const STATUS_FROM: &str = "status JOIN conversation ON conversation.id = status.conversation";

pub(crate) fn status_row(row: &dyn Row) -> Result<StatusRow, DatabaseError> {
    Ok(StatusRow {
        id: row.get(0)?,
        conversation: row.get(1)?,
        message_id: row.get(2)?,
        conversation_id: row.get(3)?,
        status: row.get(4)?,
        description: row.get(5)?,
        raw_receipt: row.get(6)?,
        at: row.get(7)?,
    })
}

/// Removes a conversation with its statuses and their events. The id of a message that has left, or still can, is remembered:
/// another message under it would be lost at the receiver, who knows it. True when there was one.
pub(crate) fn remove(connection: &Connection, id: i64, now: i64) -> Result<bool, StoreError> {
    let left: Option<String> = connection.maybe(
        "SELECT message_id FROM conversation WHERE id = ?1 AND direction = 'OUTGOING' AND (EXISTS \
             (SELECT 1 FROM status WHERE status.conversation = ?1 AND status.status NOT IN ('OPPRETTET', 'LEVETID_UTLOPT')) \
             OR EXISTS (SELECT 1 FROM outgoing WHERE outgoing.message_id = conversation.message_id \
             AND kind = 'message'))",
        params![id],
        |row| row.get(0),
    )?;
    if let Some(message_id) = left {
        seen::remember(connection, &SeenKey::sent(&message_id), now)?;
    }
    Ok(connection.execute("DELETE FROM conversation WHERE id = ?1", params![id])? > 0)
}

pub(crate) fn with_statuses(connection: &Connection, conversation: &mut Conversation) -> Result<(), StoreError> {
    let sql =
        format!("SELECT {STATUS_OF_CONVERSATION} FROM {STATUS_FROM} WHERE status.conversation = ?1 ORDER BY status.id");
    conversation.statuses = connection.all(&sql, params![conversation.id], status_row)?;
    Ok(())
}

impl Store {
    /// A page of conversations, newest change first unless asked otherwise.
    pub async fn conversations(
        &self,
        filter: ConversationFilter,
        page: PageRequest,
    ) -> Result<PageOf<Conversation>, StoreError> {
        let tally = filter.tally();
        self.read(move |connection| {
            let mut condition = Where::default();
            condition
                .equal("conversation_id", filter.conversation_id)
                .equal("message_id", filter.message_id)
                .equal("receiver", filter.receiver)
                .equal("receiver_identifier", filter.receiver_identifier)
                .equal("sender", filter.sender)
                .equal("sender_identifier", filter.sender_identifier)
                .equal("service", filter.service)
                .equal("message_reference", filter.message_reference)
                .equal("message_title", filter.message_title)
                .equal(
                    "direction",
                    filter.direction.map(|direction| direction.as_str().to_owned()),
                )
                .compare("last_update", ">=", filter.updated_from)
                .compare("last_update", "<", filter.updated_before);
            // Written out: a value that is bound could not use the index of those that are not finished.
            match filter.finished {
                Some(true) => condition.raw("finished = 1"),
                Some(false) => condition.raw("finished = 0"),
                None => &mut condition,
            };
            match filter.pollable {
                Some(true) => condition.raw("track_at IS NOT NULL"),
                Some(false) => condition.raw("track_at IS NULL"),
                None => &mut condition,
            };
            let total = match &tally {
                Some(tally) => tally.total(connection, "CAST(sum(count) AS BIGINT)", "conversation_tally")?,
                None => condition.total(connection, "count(*)", "conversation")?,
            };
            let tail = page.tail("last_update DESC", "id");
            let items = condition.rows(
                connection,
                CONVERSATION_COLUMNS,
                "conversation",
                &tail,
                conversation_row,
            )?;
            let mut found = PageOf { items, total };
            for conversation in &mut found.items {
                with_statuses(connection, conversation)?;
            }
            Ok(found)
        })
        .await
    }

    /// One conversation by its row id.
    pub async fn conversation(&self, id: i64) -> Result<Option<Conversation>, StoreError> {
        self.one_conversation("id = ?1", id.value().into_owned()).await
    }

    /// The outgoing conversation of a message.
    pub async fn outgoing_conversation(&self, message_id: &str) -> Result<Option<Conversation>, StoreError> {
        self.one_conversation(
            "message_id = ?1 AND direction = 'OUTGOING'",
            message_id.value().into_owned(),
        )
        .await
    }

    async fn one_conversation(
        &self,
        condition: &'static str,
        value: Value<'static>,
    ) -> Result<Option<Conversation>, StoreError> {
        self.read(move |connection| {
            let sql = format!("SELECT {CONVERSATION_COLUMNS} FROM conversation WHERE {condition}");
            let found = connection.maybe(&sql, std::slice::from_ref(&value), conversation_row)?;
            match found {
                None => Ok(None),
                Some(mut conversation) => {
                    with_statuses(connection, &mut conversation)?;
                    Ok(Some(conversation))
                }
            }
        })
        .await
    }

    /// Erases a conversation and its statuses by row id. True when there was one.
    pub async fn delete_conversation(&self, id: i64, now: i64) -> Result<bool, StoreError> {
        self.write(move |connection| remove(connection, id, now)).await
    }

    /// Erases the conversations of a message, both directions.
    pub async fn delete_conversations_of(&self, message_id: &str, now: i64) -> Result<bool, StoreError> {
        let message_id = message_id.to_owned();
        self.write(move |connection| {
            let mut removed = false;
            for direction in [Direction::Outgoing, Direction::Incoming] {
                if let Some(id) = conversation_of(connection, &message_id, direction)? {
                    removed |= remove(connection, id, now)?;
                }
            }
            Ok(removed)
        })
        .await
    }

    /// Looks through a page of statuses, oldest first unless asked otherwise: `each` puts one after the other into `seen`.
    /// Returns that, and how many statuses the whole list has.
    pub async fn look_through_statuses<T: Send + 'static>(
        &self,
        filter: StatusFilter,
        page: PageRequest,
        mut seen: T,
        each: impl Fn(&mut T, StatusRow) + Send + 'static,
    ) -> Result<(T, u64), StoreError> {
        let tally = filter.tally();
        self.read(move |connection| {
            let mut condition = Where::default();
            condition
                .equal("status.id", filter.id)
                .equal("conversation.conversation_id", filter.conversation_id)
                .equal("conversation.message_id", filter.message_id)
                .equal("status.status", filter.status)
                .compare("status.at", ">=", filter.from)
                .compare("status.at", "<=", filter.to);
            let tail = page.tail("status.id ASC", "status.id");
            let total = match &tally {
                Some(tally) => tally.total(connection, "CAST(sum(count) AS BIGINT)", "status_tally")?,
                None => condition.total(connection, "count(*)", STATUS_FROM)?,
            };
            condition.each(connection, STATUS_COLUMNS, STATUS_FROM, &tail, status_row, |status| {
                each(&mut seen, status);
            })?;
            Ok((seen, total))
        })
        .await
    }

    /// One status by its row id.
    pub async fn status(&self, id: i64) -> Result<Option<StatusRow>, StoreError> {
        self.read(move |connection| {
            let sql = format!("SELECT {STATUS_COLUMNS} FROM {STATUS_FROM} WHERE status.id = ?1");
            Ok(connection.maybe(&sql, params![id], status_row)?)
        })
        .await
    }

    /// Registers a status on a message's conversation. None: no such conversation; false: it had the value already.
    pub async fn register_status(
        &self,
        message_id: &str,
        direction: Direction,
        status: NewStatus,
    ) -> Result<Option<bool>, StoreError> {
        let message_id = message_id.to_owned();
        self.write(
            move |connection| match conversation_of(connection, &message_id, direction)? {
                None => Ok(None),
                Some(conversation) => add_status(connection, conversation, &status).map(Some),
            },
        )
        .await
    }

    /// The MessageChannel that an incoming message carried, for the answers to it.
    pub async fn channel_of(&self, message_id: &str) -> Result<Option<String>, StoreError> {
        let message_id = message_id.to_owned();
        self.read(move |connection| {
            Ok(connection
                .maybe(
                    "SELECT channel FROM conversation WHERE message_id = ?1 AND direction = 'INCOMING'",
                    params![message_id],
                    |row| row.get(0),
                )?
                .flatten())
        })
        .await
    }

    /// Messages of these services whose services are due to be asked.
    pub async fn due_for_tracking(
        &self,
        services: Vec<String>,
        now: i64,
        limit: u32,
    ) -> Result<Vec<Conversation>, StoreError> {
        let due = format!(
            "SELECT {CONVERSATION_COLUMNS} FROM conversation WHERE track_at <= ?1 AND service = ?2 \
             ORDER BY track_at LIMIT ?3"
        );
        self.read(move |connection| {
            let mut found = Vec::new();
            for service in &services {
                found.extend(connection.all(&due, params![now, service, limit], conversation_row)?);
            }
            Ok(found)
        })
        .await
    }

    /// What looks at the service brought.
    pub async fn tracked(&self, all: Vec<Tracked>) -> Result<(), StoreError> {
        self.write(move |connection| {
            let changes: Vec<_> = all
                .iter()
                .map(|one| Change {
                    conversation: one.conversation,
                    statuses: &one.statuses,
                    track_at: one.next,
                    reference: None,
                })
                .collect();
            change(connection, &changes)
        })
        .await
    }

    /// Ends the life of conversations whose time has passed, but for messages that are being sent or may have left: their
    /// sender finds that out. Registers `expired` on each, removes what the fagsystem has not taken, and drafts;
    /// also drafts whose conversation was erased. Returns how many conversations and such drafts, at most 500 of each.
    /// Spec: documents and packaging, 11.2.
    pub async fn expire(&self, now: i64, expired: NewStatus) -> Result<usize, StoreError> {
        self.write(move |connection| {
            let due = format!(
                "SELECT id, message_id, direction FROM conversation WHERE finished = 0 AND expiry < ?1 \
                     AND NOT (direction = 'OUTGOING' AND EXISTS (SELECT 1 FROM {FROM} \
                     WHERE outgoing.message_id = conversation.message_id AND kind = 'message' AND (state = 2 OR uncertain = 1 OR \
                     EXISTS (SELECT 1 FROM checkpoint WHERE checkpoint.outgoing = outgoing.id)))) LIMIT 500"
            );
            let due: Vec<(i64, String, String)> = connection.all(&due, params![now], |row| {
                Ok((row.get(0)?, row.get(1)?, row.get(2)?))
            })?;
            let mut ended = 0;
            for (conversation, message_id, direction) in &due {
                if direction == "INCOMING" {
                    super::incoming::remove(connection, message_id)?;
                } else if super::outgoing::remove_unless_leased(connection, message_id, now)? == Removal::Leased {
                    // Taken in hand since the look: its sender finds out.
                    continue;
                }
                add_status(connection, *conversation, &expired)?;
                ended += 1;
            }
            let alone = format!(
                "SELECT id FROM {FROM} WHERE state = 0 AND due < ?1 AND NOT EXISTS \
                     (SELECT 1 FROM conversation WHERE conversation.message_id = outgoing.message_id \
                     AND direction = 'OUTGOING') LIMIT 500{}",
                connection.dialect().for_update_of(SENDING)
            );
            let alone: Vec<i64> = connection.all(&alone, params![now], |row| row.get(0))?;
            for draft in &alone {
                super::outgoing::remove(connection, &[*draft])?;
            }
            Ok(ended + alone.len())
        })
        .await
    }
}
