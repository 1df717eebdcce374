//! The files of a message that has not left.

use std::collections::HashMap;

use super::blob;
use super::outgoing::{self, find_to_change};
use super::{Store, StoreError};
use crate::database::{Connection, params, row};

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

/// The files of messages by the message's row: primary first, then by number.
pub(crate) fn attachments(
    connection: &Connection,
    outgoing: &[i64],
) -> Result<HashMap<i64, Vec<Attachment>>, StoreError> {
    let sql = "SELECT outgoing, number, blob, filename, title, mime, size, is_primary FROM attachment WHERE outgoing";
    let found = connection.among(sql, outgoing, " ORDER BY is_primary DESC, number", |row| {
        let file = Attachment {
            number: row.get(1)?,
            blob: row.get(2)?,
            filename: row.get(3)?,
            title: row.get(4)?,
            mime: row.get(5)?,
            size: row.get(6)?,
            primary: row.get(7)?,
        };
        Ok((row.get(0)?, file))
    })?;
    let mut files: HashMap<i64, Vec<Attachment>> = HashMap::new();
    for (outgoing, file) in found {
        files.entry(outgoing).or_default().push(file);
    }
    Ok(files)
}

/// The files of a message so far, as far as one more has to fit in with them.
#[derive(Default)]
pub(crate) struct Present {
    names: Vec<String>,
    total: u64,
    last: u32,
}

impl Present {
    pub(crate) fn of(files: Vec<Attachment>) -> Self {
        let mut present = Self::default();
        for file in files {
            present.last = present.last.max(file.number);
            present.total = present.total.saturating_add(file.size);
            present.names.push(file.filename);
        }
        present
    }

    /// Takes one more in. Returns its number.
    pub(crate) fn take(&mut self, new: &Attachment, rules: AttachmentRules) -> Result<u32, StoreError> {
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
pub(crate) type NumberedFile<'a> = (i64, u32, &'a NewAttachment);

pub(crate) fn add(connection: &Connection, files: &[NumberedFile<'_>]) -> Result<(), StoreError> {
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

impl Store {
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
            let message = find_to_change(connection, &message_id)?;
            if message.queued {
                return Err(StoreError::AlreadyQueued);
            }
            outgoing::touch(connection, message.id, now)?;
            let present = attachments(connection, &[message.id])?.remove(&message.id);
            let number = Present::of(present.unwrap_or_default()).take(&file.file, rules)?;
            add(connection, &[(message.id, number, &file)])?;
            if let Some(description) = &file.describes {
                describe(connection, &message_id, description)?;
            }
            Ok(number)
        })
        .await
    }
}
