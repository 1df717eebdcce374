//! Erasure on request: all that is kept about a message, a conversation or a party.
//!
//! Conversations go with their statuses, receipts and events; messages on their way or waiting go with their key and files. What stays
//! is the memory of ids, sixteen bytes of a digest for each, which names nobody and keeps the same letter from coming twice.

use std::time::Duration;

use super::outgoing::{FROM, SENDING};
use super::seen::{self, SeenKey};
use super::{Store, StoreError, conversation, incoming, outgoing, registry_answer};
use crate::database::{Connection, params};

/// Rows of each kind that go in one transaction.
const STEP: u32 = 100;
/// How long emptying the log may take: a reader that was there before is waited for.
const LOG: Duration = Duration::from_secs(5);

/// Whose data it is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Subject {
    /// A message id, in both directions.
    Message(String),
    /// A conversation id: the message that began it, and the answers.
    Conversation(String),
    /// A party, sender or receiver: a person or organisation number, with or without its prefix.
    Party(String),
}

impl Subject {
    fn value(&self) -> &str {
        match self {
            Self::Message(value) | Self::Conversation(value) | Self::Party(value) => value,
        }
    }

    /// The condition on `conversation` and `outgoing`, of `?1`.
    fn condition(&self) -> &'static str {
        match self {
            Self::Message(_) => "message_id = ?1",
            Self::Conversation(_) => "conversation_id = ?1",
            // A letter to a person's general practitioner is addressed by the person's number.
            Self::Party(_) => {
                "(sender_identifier = ?1 OR receiver_identifier IN (?1, 'fastlege-for:' || ?1) OR sender = ?1 OR receiver = ?1)"
            }
        }
    }

    /// The condition on `incoming`, which has the bare identifiers only.
    fn of_incoming(&self) -> &'static str {
        match self {
            Self::Party(_) => "(sender_identifier = ?1 OR receiver_identifier = ?1)",
            _ => self.condition(),
        }
    }
}

/// How much there is, or was.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Traces {
    /// Conversations.
    pub conversations: u64,
    /// Their statuses, with receipts.
    pub statuses: u64,
    /// Messages and answers on their way out, drafts and given up ones too.
    pub outgoing: u64,
    /// Of these: being sent at this moment, which cannot be stopped.
    pub being_sent: u64,
    /// Messages that the fagsystem has not taken.
    pub incoming: u64,
    /// Files of both.
    pub files: u64,
    /// Events that subscribers have not confirmed.
    pub events: u64,
    /// Kept answers of the address service about the party.
    pub answers: u64,
}

impl Traces {
    /// Nothing.
    pub fn is_nothing(&self) -> bool {
        *self == Self::default()
    }
}

fn count(connection: &Connection, subject: &Subject) -> Result<Traces, StoreError> {
    let (condition, of_incoming) = (subject.condition(), subject.of_incoming());
    let ask = |sql: String| -> Result<u64, StoreError> {
        Ok(connection.one(&sql, params![subject.value()], |row| row.get(0))?)
    };
    let conversations = format!("SELECT id FROM conversation WHERE {condition}");
    let outgoing = format!("SELECT id FROM outgoing WHERE {condition}");
    Ok(Traces {
        conversations: ask(format!("SELECT count(*) FROM conversation WHERE {condition}"))?,
        statuses: ask(format!(
            "SELECT count(*) FROM status WHERE conversation IN ({conversations})"
        ))?,
        outgoing: ask(format!("SELECT count(*) FROM outgoing WHERE {condition}"))?,
        being_sent: ask(format!("SELECT count(*) FROM {FROM} WHERE {condition} AND state = 2"))?,
        incoming: ask(format!("SELECT count(*) FROM incoming WHERE {of_incoming}"))?,
        files: ask(format!(
            "SELECT count(*) FROM attachment WHERE outgoing IN ({outgoing})"
        ))? + ask(format!("SELECT count(*) FROM kept WHERE outgoing IN ({outgoing})"))?
            + ask(format!(
                "SELECT count(*) FROM incoming WHERE {of_incoming} AND package IS NOT NULL"
            ))?,
        events: ask(format!(
            "SELECT count(*) FROM webhook_delivery JOIN status ON status.id = webhook_delivery.status \
             WHERE status.conversation IN ({conversations})"
        ))?,
        answers: match subject {
            Subject::Party(party) => registry_answer::count(connection, party)?,
            Subject::Message(_) | Subject::Conversation(_) => 0,
        },
    })
}

/// Erases some. Returns how many rows of the three kinds went.
fn erase_some(connection: &Connection, subject: &Subject, now: i64) -> Result<usize, StoreError> {
    let (condition, value) = (subject.condition(), subject.value());
    let conversations: Vec<i64> = connection.all(
        &format!("SELECT id FROM conversation WHERE {condition} LIMIT {STEP}"),
        params![value],
        |row| row.get(0),
    )?;
    for id in &conversations {
        conversation::remove(connection, *id, now)?;
    }
    let messages: Vec<(i64, String, bool)> = connection.all(
        &format!(
            "SELECT id, message_id, CASE WHEN lease > 0 THEN 1 ELSE 0 END FROM {FROM} WHERE {condition} LIMIT {STEP}{}",
            connection.dialect().for_update_of(SENDING)
        ),
        params![value],
        |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)),
    )?;
    for (id, message_id, tried) in &messages {
        if *tried {
            seen::remember(connection, &SeenKey::sent(message_id), now)?;
        }
        outgoing::remove(connection, &[*id])?;
    }
    let received: Vec<String> = connection.all(
        &format!(
            "SELECT message_id FROM incoming WHERE {} LIMIT {STEP}",
            subject.of_incoming()
        ),
        params![value],
        |row| row.get(0),
    )?;
    for message_id in &received {
        incoming::remove(connection, message_id)?;
    }
    if let Subject::Party(party) = subject {
        registry_answer::forget(connection, party)?;
    }
    Ok(conversations.len() + messages.len() + received.len())
}

impl Store {
    /// How much is kept about a subject.
    pub async fn kept_about(&self, subject: Subject) -> Result<Traces, StoreError> {
        self.read(move |connection| count(connection, &subject)).await
    }

    /// Erases all that is kept about a subject, 100 rows of each kind in one transaction, and returns how much it was. Files are
    /// garbage from then on. A worker that has one of the messages in hand loses it.
    pub async fn erase(&self, subject: Subject, now: i64) -> Result<Traces, StoreError> {
        let kept = self.kept_about(subject.clone()).await?;
        loop {
            let subject = subject.clone();
            let erased = self
                .write(move |connection| erase_some(connection, &subject, now))
                .await?;
            if erased == 0 {
                break;
            }
        }
        // What was erased stands in the log until it is begun anew.
        let backend = std::sync::Arc::clone(&self.backend);
        let shortened = tokio::task::spawn_blocking(move || backend.shorten_log(0, LOG))
            .await
            .map_err(|error| StoreError::Closed(error.to_string()))??;
        if !shortened {
            tracing::warn!(
                "what was erased stands in the database's log until the log is begun anew; somebody reads for long"
            );
        }
        Ok(kept)
    }
}
