//! The rows that callers see.

use std::collections::{HashMap, HashSet};

use crate::database::{Connection, DatabaseError, Row, params, row};
use budstikke_message::status::Status;

use super::attachment::Description;
use super::{StoreError, status_queue, webhook};

/// Which way a message goes, from here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, utoipa::ToSchema)]
#[serde(rename_all = "UPPERCASE")]
pub enum Direction {
    /// Sent by our fagsystem.
    Outgoing,
    /// Received for our fagsystem.
    Incoming,
}

impl Direction {
    /// As the API and the database write it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Outgoing => "OUTGOING",
            Self::Incoming => "INCOMING",
        }
    }

    pub(crate) fn parse(text: &str) -> Self {
        if text == "INCOMING" {
            Self::Incoming
        } else {
            Self::Outgoing
        }
    }
}

/// What a conversation is made of. Spec: messaging API, 7.
#[derive(Debug, Clone)]
pub struct ConversationFacts {
    /// SBD instanceIdentifier.
    pub message_id: String,
    /// ConversationId scope.
    pub conversation_id: String,
    /// Full identifier, may hold a part.
    pub sender: String,
    /// Bare: the part when there is one.
    pub sender_identifier: String,
    /// Full identifier; none for print without a receiver.
    pub receiver: Option<String>,
    /// Bare.
    pub receiver_identifier: Option<String>,
    /// Process.
    pub process: String,
    /// The SBD's `standard`.
    pub document_type: String,
    /// Service.
    pub service: String,
    /// MessageChannel of an incoming message: its answers carry it.
    pub channel: Option<String>,
    /// End of life, ms.
    pub expiry: i64,
}

/// A conversation with its statuses. Times in ms.
#[derive(Debug, Clone)]
pub struct Conversation {
    /// Row id.
    pub id: i64,
    /// Which way.
    pub direction: Direction,
    /// What it was made of.
    pub facts: ConversationFacts,
    /// From arkivmelding.xml, else the conversation id.
    pub message_reference: String,
    /// From arkivmelding.xml, else empty.
    pub message_title: String,
    /// The service's own name of the message.
    pub external_reference: Option<String>,
    /// When the row last changed.
    pub last_update: i64,
    /// No further status is owed.
    pub finished: bool,
    /// The service is still asked.
    pub pollable: bool,
    /// In the order of their registration.
    pub statuses: Vec<StatusRow>,
}

/// One registered status.
#[derive(Debug, Clone)]
pub struct StatusRow {
    /// Row id.
    pub id: i64,
    /// The conversation's row id.
    pub conversation: i64,
    /// Message id.
    pub message_id: String,
    /// Conversation id.
    pub conversation_id: String,
    /// Value.
    pub status: String,
    /// For people.
    pub description: Option<String>,
    /// The service's answer. Not read for the statuses of a conversation.
    pub raw_receipt: Option<String>,
    /// When, ms.
    pub at: i64,
}

/// A status to register.
#[derive(Debug, Clone)]
pub struct NewStatus {
    /// Value; its table says what it means for the conversation.
    pub status: Status,
    /// For people.
    pub description: Option<String>,
    /// The service's answer.
    pub raw_receipt: Option<String>,
    /// When, ms.
    pub at: i64,
}

impl NewStatus {
    /// A status with nothing more to say.
    pub fn plain(status: Status, at: i64) -> Self {
        Self {
            status,
            description: None,
            raw_receipt: None,
            at,
        }
    }

    /// With a text for people.
    #[must_use]
    pub fn saying(mut self, description: impl Into<String>) -> Self {
        self.description = Some(description.into());
        self
    }

    /// With what the service answered.
    #[must_use]
    pub fn with_receipt(mut self, raw: impl Into<String>) -> Self {
        self.raw_receipt = Some(raw.into());
        self
    }
}

/// A page of a list, as asked for.
#[derive(Debug, Clone)]
pub struct PageRequest {
    /// From 0.
    pub page: u64,
    /// 1 to 2000.
    pub size: u64,
    /// Columns, already checked against the list's own, with true for descending.
    pub sort: Vec<(&'static str, bool)>,
}

impl PageRequest {
    /// ` ORDER BY … LIMIT … OFFSET …` with `fallback` when nothing was asked for. Ends with the row id, so that pages
    /// never overlap.
    pub(crate) fn tail(&self, fallback: &str, id: &str) -> String {
        let mut order: Vec<String> = self
            .sort
            .iter()
            .map(|(column, descending)| format!("{column} {}", if *descending { "DESC" } else { "ASC" }))
            .collect();
        if order.is_empty() {
            order.push(fallback.to_owned());
        }
        order.push(format!("{id} ASC"));
        let offset = self.page.saturating_mul(self.size).min(i64::MAX as u64);
        format!(" ORDER BY {} LIMIT {} OFFSET {offset}", order.join(", "), self.size)
    }
}

/// A page of a list.
#[derive(Debug, Clone)]
pub struct PageOf<T> {
    /// The rows.
    pub items: Vec<T>,
    /// How many rows the whole list has.
    pub total: u64,
}

/// An SBD, sealed with the key of its message, and that key, wrapped with the store's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SealedSbd {
    /// The SBD's JSON.
    pub content: Vec<u8>,
    /// The key of everything that the message holds.
    pub data_key: Vec<u8>,
}

/// A message in a list: no more of it than the list shows.
#[derive(Debug, Clone)]
pub struct ListedMessage {
    /// Row id.
    pub id: i64,
    /// Message id.
    pub message_id: String,
    /// The SBD.
    pub sbd: SealedSbd,
}

pub(crate) fn listed(row: &dyn Row) -> Result<ListedMessage, DatabaseError> {
    Ok(ListedMessage {
        id: row.get(0)?,
        message_id: row.get(1)?,
        sbd: SealedSbd {
            content: row.get(2)?,
            data_key: row.get(3)?,
        },
    })
}

pub(crate) const CONVERSATION_COLUMNS: &str = "id, direction, message_id, conversation_id, sender, sender_identifier, \
     receiver, receiver_identifier, process, document_type, service, channel, expiry, message_reference, message_title, \
     external_reference, last_update, finished, track_at";

pub(crate) fn conversation_row(row: &dyn Row) -> Result<Conversation, DatabaseError> {
    Ok(Conversation {
        id: row.get(0)?,
        direction: Direction::parse(&row.get::<String>(1)?),
        facts: ConversationFacts {
            message_id: row.get(2)?,
            conversation_id: row.get(3)?,
            sender: row.get(4)?,
            sender_identifier: row.get(5)?,
            receiver: row.get(6)?,
            receiver_identifier: row.get(7)?,
            process: row.get(8)?,
            document_type: row.get(9)?,
            service: row.get(10)?,
            channel: row.get(11)?,
            expiry: row.get(12)?,
        },
        message_reference: row.get(13)?,
        message_title: row.get(14)?,
        external_reference: row.get(15)?,
        last_update: row.get(16)?,
        finished: row.get(17)?,
        pollable: row.get::<Option<i64>>(18)?.is_some(),
        statuses: Vec::new(),
    })
}

/// A conversation to begin.
#[derive(Clone, Copy)]
pub(crate) struct NewConversation<'a> {
    /// What it is made of.
    pub(crate) facts: &'a ConversationFacts,
    /// What its files tell about it.
    pub(crate) description: Option<&'a Description>,
    /// Why it goes where it goes.
    pub(crate) route: Option<&'a str>,
    /// ms.
    pub(crate) now: i64,
}

pub(crate) fn insert_conversation(
    connection: &Connection,
    direction: Direction,
    new: NewConversation<'_>,
) -> Result<i64, StoreError> {
    let added = insert_conversations(connection, direction, &[new])?;
    let (_, id) = added.into_iter().next().ok_or(StoreError::NotFound)?;
    Ok(id)
}

/// Row ids by message id.
pub(crate) fn insert_conversations(
    connection: &Connection,
    direction: Direction,
    all: &[NewConversation<'_>],
) -> Result<HashMap<String, i64>, StoreError> {
    let row = |new: &NewConversation<'_>| {
        let facts = new.facts;
        let title = new.description.map_or("", |known| known.title.as_str());
        let reference = new.description.and_then(|known| known.reference.as_ref());
        row![
            facts.message_id,
            direction.as_str(),
            facts.conversation_id,
            facts.sender,
            facts.sender_identifier,
            facts.receiver,
            facts.receiver_identifier,
            facts.process,
            facts.document_type,
            facts.service,
            facts.channel,
            facts.expiry,
            reference.unwrap_or(&facts.conversation_id),
            title,
            new.now,
            new.route,
        ]
    };
    let added = connection.insert(
        "conversation (message_id, direction, conversation_id, sender, sender_identifier, receiver, receiver_identifier, \
         process, document_type, service, channel, expiry, message_reference, message_title, last_update, route)",
        all.iter().map(row).collect(),
        " RETURNING message_id, id",
        |row| Ok((row.get(0)?, row.get(1)?)),
    )?;
    Ok(added.into_iter().collect())
}

/// The row id of a message's conversation.
pub(crate) fn conversation_of(
    connection: &Connection,
    message_id: &str,
    direction: Direction,
) -> Result<Option<i64>, StoreError> {
    Ok(connection.maybe(
        "SELECT id FROM conversation WHERE message_id = ?1 AND direction = ?2",
        params![message_id, direction.as_str()],
        |row| row.get(0),
    )?)
}

/// Registers a status once, tells subscribers and feeds the status queue. False when the conversation has the value already:
/// nothing changes then. Spec: messaging API, 8.1.
pub(crate) fn add_status(connection: &Connection, conversation: i64, status: &NewStatus) -> Result<bool, StoreError> {
    if !put_status(connection, conversation, status)? {
        return Ok(false);
    }
    connection.execute(
        "UPDATE conversation SET last_update = ?2, finished = CASE WHEN ?3 = 1 THEN 1 ELSE finished END, \
             track_at = CASE WHEN ?4 = 1 THEN NULL ELSE track_at END WHERE id = ?1",
        params![
            conversation,
            status.at,
            status.status.finished(),
            status.status.stops_polling()
        ],
    )?;
    Ok(true)
}

/// What is new about the conversation of a message that left.
pub(crate) struct Change<'a> {
    /// Row id.
    pub(crate) conversation: i64,
    /// As in [`add_status`].
    pub(crate) statuses: &'a [NewStatus],
    /// When to ask the service, ms; none: no more.
    pub(crate) track_at: Option<i64>,
    /// The service's own name of the message, when it is new.
    pub(crate) reference: Option<&'a str>,
}

/// Registers statuses, and what else is new about several conversations, each another one.
pub(crate) fn change(connection: &Connection, all: &[Change<'_>]) -> Result<(), StoreError> {
    let statuses: Vec<_> = all
        .iter()
        .flat_map(|one| one.statuses.iter().map(|status| (one.conversation, status)))
        .collect();
    let added = put_statuses(connection, &statuses)?;
    let row = |one: &Change<'_>| {
        let new = |status: &&NewStatus| added.contains(&(one.conversation, status.status.name().to_owned()));
        let new: Vec<&NewStatus> = one.statuses.iter().filter(new).collect();
        let stops = new.iter().any(|status| status.status.stops_polling());
        row![
            one.conversation,
            one.track_at.filter(|_| !stops),
            one.reference,
            new.last().map(|status| status.at),
            new.iter().any(|status| status.status.finished()),
        ]
    };
    for (table, values) in connection.given(all.iter().map(row).collect()) {
        let sql = format!(
            "WITH given (id, track_at, reference, at, finished) AS ({table}) UPDATE conversation SET \
             track_at = given.track_at, external_reference = coalesce(given.reference, external_reference), \
             last_update = coalesce(given.at, last_update), \
             finished = CASE WHEN given.finished = 1 THEN 1 ELSE conversation.finished END \
             FROM given WHERE conversation.id = given.id"
        );
        connection.execute(&sql, &values)?;
    }
    Ok(())
}

/// The same as [`add_status`] without what it changes in its conversation.
fn put_status(connection: &Connection, conversation: i64, status: &NewStatus) -> Result<bool, StoreError> {
    Ok(!put_statuses(connection, &[(conversation, status)])?.is_empty())
}

/// The same for several. Returns those that were new: conversation and value.
pub(crate) fn put_statuses(
    connection: &Connection,
    all: &[(i64, &NewStatus)],
) -> Result<HashSet<(i64, String)>, StoreError> {
    let row = |(conversation, status): &(i64, &NewStatus)| {
        row![
            conversation,
            status.status.name(),
            status.description,
            status.raw_receipt,
            status.at
        ]
    };
    let added = connection.insert(
        "status (conversation, status, description, raw_receipt, at)",
        all.iter().map(row).collect(),
        " ON CONFLICT (conversation, status) DO NOTHING \
          RETURNING id, conversation, status, EXISTS (SELECT 1 FROM subscription), \
          EXISTS (SELECT 1 FROM status_queue_service)",
        |row| {
            let (subscribed, queued): (bool, bool) = (row.get(3)?, row.get(4)?);
            let (id, conversation, status): (i64, i64, String) = (row.get(0)?, row.get(1)?, row.get(2)?);
            Ok((id, conversation, status, subscribed, queued))
        },
    )?;
    let mut new = HashSet::with_capacity(added.len());
    for (id, conversation, status, subscribed, queued) in added {
        if subscribed {
            webhook::tell(connection, id)?;
        }
        if queued {
            status_queue::enqueue(connection, id, conversation)?;
        }
        new.insert((conversation, status));
    }
    Ok(new)
}
