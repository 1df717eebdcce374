//! How messages begin: message, conversation, first status and files in one step, many with the same statements.

use std::collections::HashMap;

use super::attachment::{self, AttachmentRules, NewAttachment, Present};
use super::record::{
    ConversationFacts, Direction, NewConversation, NewStatus, SealedSbd, insert_conversations, put_statuses,
};
use super::{Store, StoreError, seen};
use crate::database::{Connection, OwnedRow, Together, row};

/// A message, or an answer of our own, to store.
#[derive(Debug, Clone)]
pub struct NewOutgoing {
    /// Everything that its conversation is made of as well.
    pub facts: ConversationFacts,
    /// The SBD's `type`.
    pub message_type: String,
    /// The SBD, with the key of the message.
    pub sbd: SealedSbd,
    /// MessageChannel of the message that this one answers.
    pub reply_channel: Option<String>,
    /// On its way from the start; else a draft.
    pub ready: bool,
    /// Why it goes where it goes, JSON of at most [`ROUTE_BYTES`](crate::ROUTE_BYTES). Never person data.
    pub route: Option<String>,
}

/// Stores an answer of our own.
pub(crate) fn insert_answer(connection: &Connection, new: &NewOutgoing, now: i64) -> Result<(), StoreError> {
    insert(connection, "answer", &[(new, now)]).map(drop)
}

/// Stores messages, and what is to be done about them. Row ids by message id.
fn insert(
    connection: &Connection,
    kind: &str,
    all: &[(&NewOutgoing, i64)],
) -> Result<HashMap<String, i64>, StoreError> {
    if all.iter().any(|(new, _)| new.ready) {
        connection.hint();
    }
    let message = |(new, now): &(&NewOutgoing, i64)| {
        row![
            kind,
            new.facts.message_id,
            new.facts.conversation_id,
            new.facts.process,
            new.facts.document_type,
            new.message_type,
            new.facts.sender,
            new.facts.sender_identifier,
            new.facts.receiver,
            new.facts.receiver_identifier,
            new.sbd.content,
            new.facts.expiry,
            new.reply_channel,
            now,
            new.sbd.data_key,
        ]
    };
    let added = connection.insert(
        "outgoing (kind, message_id, conversation_id, process, document_type, message_type, sender, sender_identifier, \
         receiver, receiver_identifier, sbd, expiry, reply_channel, last_updated, data_key)",
        all.iter().map(message).collect(),
        " RETURNING message_id, id",
        |row| Ok((row.get(0)?, row.get(1)?)),
    )?;
    let ids: HashMap<String, i64> = added.into_iter().collect();
    let work = |(new, now): &(&NewOutgoing, i64)| -> Result<OwnedRow, StoreError> {
        let id = ids.get(&new.facts.message_id).ok_or(StoreError::NotFound)?;
        Ok(row![
            id,
            new.facts.service,
            new.facts.receiver_identifier.as_deref().unwrap_or("-"),
            (kind == "answer").then_some(new.facts.message_id.as_str()),
            new.ready,
            if new.ready { *now } else { new.facts.expiry },
        ])
    };
    connection.insert(
        "sending (outgoing, service, lane, answers, state, due)",
        all.iter().map(work).collect::<Result<_, _>>()?,
        "",
        |_| Ok(()),
    )?;
    Ok(ids)
}

/// A message that is to be stored.
struct Creation {
    new: NewOutgoing,
    files: Vec<NewAttachment>,
    rules: AttachmentRules,
    created: NewStatus,
}

impl Creation {
    /// A number for each file.
    fn numbers(&self) -> Result<Vec<u32>, StoreError> {
        let mut present = Present::default();
        let take = |file: &NewAttachment| present.take(&file.file, self.rules);
        self.files.iter().map(take).collect()
    }
}

impl Together for Creation {
    type Answer = ();

    fn run(connection: &Connection, all: &[Self]) -> Result<Vec<Result<(), StoreError>>, StoreError> {
        let ids: Vec<&str> = all.iter().map(|one| one.new.facts.message_id.as_str()).collect();
        let mut known = seen::ours_among(connection, &ids)?;
        let (mut results, mut accepted) = (Vec::new(), Vec::new());
        for one in all {
            let id = &one.new.facts.message_id;
            results.push(if known.contains(id) {
                Err(StoreError::MessageExists)
            } else {
                one.numbers().map(|numbers| {
                    known.insert(id.clone());
                    accepted.push((one, numbers));
                })
            });
        }
        store(connection, &accepted)?;
        Ok(results)
    }
}

/// Stores messages with their conversations and their files, which have these numbers.
fn store(connection: &Connection, all: &[(&Creation, Vec<u32>)]) -> Result<(), StoreError> {
    let conversations: Vec<_> = all
        .iter()
        .map(|(one, _)| {
            let description = one.files.iter().filter_map(|file| file.describes.as_ref()).next_back();
            NewConversation {
                facts: &one.new.facts,
                description,
                route: one.new.route.as_deref(),
                now: one.created.at,
            }
        })
        .collect();
    let conversations = insert_conversations(connection, Direction::Outgoing, &conversations)?;
    let outgoing: Vec<_> = all.iter().map(|(one, _)| (&one.new, one.created.at)).collect();
    let outgoing = insert(connection, "message", &outgoing)?;
    let (mut statuses, mut files) = (Vec::new(), Vec::new());
    for (one, numbers) in all {
        let id = &one.new.facts.message_id;
        let (Some(conversation), Some(outgoing)) = (conversations.get(id), outgoing.get(id)) else {
            return Err(StoreError::NotFound);
        };
        // It finishes nothing, and comes at the time that the conversation bears already.
        statuses.push((*conversation, &one.created));
        files.extend(
            numbers
                .iter()
                .zip(&one.files)
                .map(|(number, file)| (*outgoing, *number, file)),
        );
    }
    put_statuses(connection, &statuses)?;
    attachment::add(connection, &files)
}

impl Store {
    /// True when an outgoing message or any conversation has the id, or a message left under it within the memory's 400 days.
    /// Spec: messaging API, 5.1 step 5.
    pub async fn knows_message(&self, message_id: &str) -> Result<bool, StoreError> {
        let message_id = message_id.to_owned();
        self.read(move |connection| Ok(!seen::ours_among(connection, &[&message_id])?.is_empty()))
            .await
    }

    /// Stores a message with its conversation and its files, in one step.
    pub async fn create(
        &self,
        new: NewOutgoing,
        files: Vec<NewAttachment>,
        rules: AttachmentRules,
        created: NewStatus,
    ) -> Result<(), StoreError> {
        self.write_together(Creation {
            new,
            files,
            rules,
            created,
        })
        .await
    }
}
