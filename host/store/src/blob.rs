//! The files that rows name: small ones stand in the database, others in the file store.

use std::collections::HashSet;

use super::{Store, StoreError};
use crate::database::{Connection, Value, params, row};

/// Keeps the encrypted bytes of a file that a row of the same transaction names. None: they are in the file store already.
pub(crate) fn keep_one(connection: &Connection, name: &str, small: Option<&[u8]>) -> Result<(), StoreError> {
    small.map_or(Ok(()), |content| keep(connection, &[(name, content)]))
}

/// The same for several, by name.
pub(crate) fn keep(connection: &Connection, files: &[(&str, &[u8])]) -> Result<(), StoreError> {
    let rows = files.iter().map(|(name, content)| row![name, content]).collect();
    connection.insert("small_file (name, content)", rows, "", |_| Ok(()))?;
    Ok(())
}

/// Lets go of the files that `select` names in its only column: small ones are gone with the commit, others are garbage from then
/// on, to be removed from the file store.
pub(crate) fn release(connection: &Connection, select: &str, values: &[Value<'_>]) -> Result<(), StoreError> {
    connection.execute(
        &format!(
            "INSERT INTO garbage SELECT blob FROM ({select}) AS gone \
             WHERE NOT EXISTS (SELECT 1 FROM small_file WHERE name = blob) ON CONFLICT DO NOTHING"
        ),
        values,
    )?;
    connection.execute(&format!("DELETE FROM small_file WHERE name IN ({select})"), values)?;
    Ok(())
}

/// Puts a file of the file store on the list of garbage: it came for something that is known already.
pub(crate) fn discard(connection: &Connection, name: &str) -> Result<(), StoreError> {
    connection.execute(
        "INSERT INTO garbage (blob) VALUES (?1) ON CONFLICT DO NOTHING",
        params![name],
    )?;
    Ok(())
}

/// A file that was written, on its way to a row.
#[derive(Debug, Clone)]
pub struct StoredFile {
    /// Its name.
    pub blob: String,
    /// Bytes of its content.
    pub size: u64,
    /// Its encrypted bytes, when it is small.
    pub small: Option<Vec<u8>>,
}

impl From<&crate::files::NewFile> for StoredFile {
    fn from(file: &crate::files::NewFile) -> Self {
        Self {
            blob: file.name().to_owned(),
            size: file.size(),
            small: file.small().map(<[u8]>::to_vec),
        }
    }
}

impl Store {
    /// The encrypted bytes of a small file; none when the file is not small, or not there. Blocks.
    pub fn small_file(&self, name: &str) -> Result<Option<Vec<u8>>, StoreError> {
        self.read_here(|connection| {
            Ok(
                connection.maybe("SELECT content FROM small_file WHERE name = ?1", params![name], |row| {
                    row.get(0)
                })?,
            )
        })
    }

    /// Files that no row needs any more, in the file store.
    pub async fn garbage(&self, limit: u32) -> Result<Vec<String>, StoreError> {
        self.read(move |connection| {
            Ok(connection.all("SELECT blob FROM garbage LIMIT ?1", params![limit], |row| row.get(0))?)
        })
        .await
    }

    /// These files are gone from the file store.
    pub async fn garbage_removed(&self, blobs: Vec<String>) -> Result<(), StoreError> {
        self.write(move |connection| {
            for blob in &blobs {
                connection.execute("DELETE FROM garbage WHERE blob = ?1", params![blob])?;
            }
            Ok(())
        })
        .await
    }

    /// Which of these files some row names; the others were left by a crash. Blocks.
    pub fn in_use(&self, names: &[String]) -> Result<HashSet<String>, StoreError> {
        self.read_here(|connection| {
            let mut used = HashSet::new();
            for name in names {
                let found = connection.exists(
                    "SELECT 1 FROM attachment WHERE blob = ?1 UNION ALL SELECT 1 FROM kept WHERE blob = ?1 \
                     UNION ALL SELECT 1 FROM incoming WHERE package = ?1 UNION ALL SELECT 1 FROM set_aside WHERE blob = ?1 \
                     UNION ALL SELECT 1 FROM garbage WHERE blob = ?1 LIMIT 1",
                    params![name],
                )?;
                if found {
                    used.insert(name.clone());
                }
            }
            Ok(used)
        })
    }
}
