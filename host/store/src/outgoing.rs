//! Messages of the fagsystem that have not left: drafts, their files, and the call that queues them.

use std::collections::HashMap;

use super::blob;
use super::record::{
    ConversationFacts, Direction, ListedMessage, NewConversation, NewStatus, PageRequest, SealedSbd, Where,
    insert_conversations, listed, put_statuses,
};
use super::seen::{self, SeenKey};
use super::{Store, StoreError};
use crate::database::{Connection, DatabaseError, Row, Together, params, row};

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

/// A file of a message.
#[derive(Debug, Clone)]
pub struct Attachment {
    /// dokumentnummer, from 1 in the order of upload.
    pub number: u32,
    /// Name in the vault.
    pub blob: String,
    /// As uploaded.
    pub filename: String,
    /// As uploaded.
    pub title: Option<String>,
    /// MIME type.
    pub mime: String,
    /// Bytes.
    pub size: u64,
    /// Named by `hoveddokument`.
    pub primary: bool,
}

/// A file to add; its bytes are in the vault already.
#[derive(Debug, Clone)]
pub struct NewAttachment {
    /// The file; the store gives it its number.
    pub file: Attachment,
    /// Its encrypted bytes, when it is small.
    pub small: Option<Vec<u8>>,
    /// What it tells about the whole message.
    pub describes: Option<Description>,
}

/// What `arkivmelding.xml` tells about the message that it comes with. Spec: messaging API, 5.2.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Description {
    /// The conversation's `messageTitle`.
    pub title: String,
    /// The conversation's `messageReference`, when it has one of its own.
    pub reference: Option<String>,
}

/// What holds for all files of one message together.
#[derive(Debug, Clone, Copy)]
pub struct AttachmentRules {
    /// Largest sum of sizes, bytes.
    pub limit: u64,
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

pub(crate) const COLUMNS: &str = "id, message_id, conversation_id, process, document_type, message_type, sender, \
     sender_identifier, receiver, receiver_identifier, service, sbd, expiry, reply_channel, state, data_key";

const LISTED: &str = "id, message_id, sbd, data_key";

pub(crate) fn row(row: &dyn Row) -> Result<OutgoingMessage, DatabaseError> {
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

/// Stores an answer of our own.
pub(crate) fn insert_answer(connection: &Connection, new: &NewOutgoing, now: i64) -> Result<(), StoreError> {
    insert(connection, "answer", &[(new, now)]).map(drop)
}

/// Row ids by message id.
fn insert(
    connection: &Connection,
    kind: &str,
    all: &[(&NewOutgoing, i64)],
) -> Result<HashMap<String, i64>, StoreError> {
    if all.iter().any(|(new, _)| new.ready) {
        connection.hint();
    }
    let row = |(new, now): &(&NewOutgoing, i64)| {
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
            new.facts.service,
            new.sbd.content,
            new.facts.expiry,
            new.reply_channel,
            now,
            new.ready,
            now,
            new.facts.receiver_identifier.as_deref().unwrap_or("-"),
            new.sbd.data_key,
        ]
    };
    let added = connection.insert(
        "outgoing (kind, message_id, conversation_id, process, document_type, message_type, sender, sender_identifier, \
         receiver, receiver_identifier, service, sbd, expiry, reply_channel, last_updated, state, due, lane, data_key)",
        all.iter().map(row).collect(),
        " RETURNING message_id, id",
        |row| Ok((row.get(0)?, row.get(1)?)),
    )?;
    Ok(added.into_iter().collect())
}

/// `hold`: what keeps the row as it is until the commit.
fn find(connection: &Connection, message_id: &str, hold: &str) -> Result<Option<OutgoingMessage>, StoreError> {
    let sql = format!("SELECT {COLUMNS} FROM outgoing WHERE message_id = ?1 AND kind = 'message' AND state <> 3{hold}");
    Ok(connection.maybe(&sql, params![message_id], row)?)
}

pub(crate) fn attachments(connection: &Connection, outgoing: i64) -> Result<Vec<Attachment>, StoreError> {
    Ok(connection.all(
        "SELECT number, blob, filename, title, mime, size, is_primary FROM attachment WHERE outgoing = ?1 \
             ORDER BY is_primary DESC, number",
        params![outgoing],
        |row| {
            Ok(Attachment {
                number: row.get(0)?,
                blob: row.get(1)?,
                filename: row.get(2)?,
                title: row.get(3)?,
                mime: row.get(4)?,
                size: row.get(5)?,
                primary: row.get(6)?,
            })
        },
    )?)
}

/// The files of a message so far, as far as one more has to fit in with them.
#[derive(Default)]
struct Present {
    names: Vec<String>,
    total: u64,
    last: u32,
}

impl Present {
    fn of(files: Vec<Attachment>) -> Self {
        let mut present = Self::default();
        for file in files {
            present.last = present.last.max(file.number);
            present.total = present.total.saturating_add(file.size);
            present.names.push(file.filename);
        }
        present
    }

    /// Takes one more in. Returns its number.
    fn take(&mut self, new: &Attachment, rules: AttachmentRules) -> Result<u32, StoreError> {
        if self.names.contains(&new.filename) {
            return Err(StoreError::DuplicateFilename);
        }
        let total = self.total.saturating_add(new.size);
        if total > rules.limit {
            return Err(StoreError::TooLarge {
                total,
                limit: rules.limit,
            });
        }
        self.total = total;
        self.last = self.last.saturating_add(1);
        self.names.push(new.filename.clone());
        Ok(self.last)
    }
}

/// A file to add: the message's row, the number, the file.
type NumberedFile<'a> = (i64, u32, &'a NewAttachment);

fn add(connection: &Connection, files: &[NumberedFile<'_>]) -> Result<(), StoreError> {
    let row = |(outgoing, number, new): &NumberedFile<'_>| {
        let file = &new.file;
        row![
            outgoing,
            number,
            file.blob,
            file.filename,
            file.title,
            file.mime,
            file.size,
            file.primary,
        ]
    };
    connection.insert(
        "attachment (outgoing, number, blob, filename, title, mime, size, is_primary)",
        files.iter().map(row).collect(),
        "",
        |_| Ok(()),
    )?;
    let small = files
        .iter()
        .filter_map(|(_, _, new)| Some((new.file.blob.as_str(), new.small.as_deref()?)));
    blob::keep(connection, &small.collect::<Vec<_>>())
}

fn describe(connection: &Connection, message_id: &str, description: &Description) -> Result<(), StoreError> {
    connection.execute(
        "UPDATE conversation SET message_title = ?2, message_reference = coalesce(?3, message_reference) \
             WHERE message_id = ?1 AND direction = 'OUTGOING'",
        params![message_id, description.title, description.reference],
    )?;
    Ok(())
}

/// Removes a message with all that hangs on it, its files too.
pub(crate) fn remove(connection: &Connection, id: i64) -> Result<(), StoreError> {
    blob::release(
        connection,
        "SELECT blob FROM attachment WHERE outgoing = ?1 UNION SELECT blob FROM kept WHERE outgoing = ?1",
        params![id],
    )?;
    connection.execute("DELETE FROM outgoing WHERE id = ?1", params![id])?;
    Ok(())
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
    add(connection, &files)
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
        "SELECT id, state, lease FROM outgoing WHERE message_id = ?1 AND kind = 'message'{}",
        connection.dialect().for_update()
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
            remove(connection, id).map(|()| Removal::Removed)
        }
    }
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

    /// Adds a file to a draft. Returns its dokumentnummer.
    pub async fn attach(
        &self,
        message_id: &str,
        file: NewAttachment,
        rules: AttachmentRules,
        now: i64,
    ) -> Result<u32, StoreError> {
        let message_id = message_id.to_owned();
        self.write(move |connection| {
            let message =
                find(connection, &message_id, connection.dialect().for_update())?.ok_or(StoreError::NotFound)?;
            if message.queued {
                return Err(StoreError::AlreadyQueued);
            }
            connection.execute(
                "UPDATE outgoing SET last_updated = ?2 WHERE id = ?1",
                params![message.id, now],
            )?;
            let number = Present::of(attachments(connection, message.id)?).take(&file.file, rules)?;
            add(connection, &[(message.id, number, &file)])?;
            if let Some(description) = &file.describes {
                describe(connection, &message_id, description)?;
            }
            Ok(number)
        })
        .await
    }

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
                let files = attachments(connection, message.id)?;
                Ok(Some((message, files)))
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
            let total = condition.look_through(connection, LISTED, "outgoing", &tail, listed, |message| {
                each(&mut seen, message);
            })?;
            Ok((seen, total))
        })
        .await
    }

    /// A message that has not left, by the row id that the list gave.
    pub async fn listed_outgoing(&self, id: i64) -> Result<Option<ListedMessage>, StoreError> {
        self.read(move |connection| {
            let sql = format!("SELECT {LISTED} FROM outgoing WHERE id = ?1 AND kind = 'message' AND state <> 3");
            Ok(connection.maybe(&sql, params![id], listed)?)
        })
        .await
    }

    /// Puts a draft on its way.
    pub async fn queue(&self, message_id: &str, now: i64) -> Result<QueueOutcome, StoreError> {
        let message_id = message_id.to_owned();
        self.write(move |connection| {
            let message =
                find(connection, &message_id, connection.dialect().for_update())?.ok_or(StoreError::NotFound)?;
            if message.queued {
                return Ok(QueueOutcome::Already);
            }
            connection.execute(
                "UPDATE outgoing SET state = 1, due = ?2, last_updated = ?2 WHERE id = ?1",
                params![message.id, now],
            )?;
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
