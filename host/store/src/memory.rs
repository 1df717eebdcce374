//! What is kept beside messages: adapters' own state, things set aside.

use crate::database::{Connection, DatabaseError, Row, params};

use super::seen::{SeenKey, remember};
use super::{Store, StoreError, blob};

/// Keys that one adapter may keep.
const STATE_KEYS: u64 = 100_000;

const SET_ASIDE: &str = "service, reference, reason, blob, size, at, id, data_key";

fn set_aside_row(row: &dyn Row) -> Result<SetAside, DatabaseError> {
    Ok(SetAside {
        service: row.get(0)?,
        reference: row.get(1)?,
        reason: row.get(2)?,
        blob: row.get(3)?,
        size: row.get(4)?,
        at: row.get(5)?,
        id: row.get(6)?,
        data_key: row.get(7)?,
    })
}

pub(crate) fn forget_set_aside(connection: &Connection, condition: &str, value: i64) -> Result<u64, StoreError> {
    let named = format!("SELECT blob FROM set_aside WHERE blob IS NOT NULL AND {condition}");
    blob::release(connection, &named, params![value])?;
    Ok(connection.execute(&format!("DELETE FROM set_aside WHERE {condition}"), params![value])?)
}

/// Something from a service that is no message, kept for the operator.
#[derive(Debug, Clone, serde::Serialize)]
pub struct SetAside {
    /// Row id; 0 before it is stored.
    pub id: i64,
    /// Service.
    pub service: String,
    /// The service's own name of it.
    pub reference: String,
    /// Why.
    pub reason: String,
    /// Name in the vault, when it had content.
    pub blob: Option<String>,
    /// Bytes.
    pub size: Option<u64>,
    /// The key of its content, wrapped.
    #[serde(skip)]
    pub data_key: Option<Vec<u8>>,
    /// When, ms.
    pub at: i64,
}

impl Store {
    /// Keeps something aside; `small`: its encrypted bytes, when it is small. The same reference again changes nothing, and its
    /// new file is garbage.
    pub async fn set_aside(&self, item: SetAside, small: Option<Vec<u8>>) -> Result<(), StoreError> {
        self.write(move |connection| {
            remember(connection, &SeenKey::reference(&item.service, &item.reference), item.at)?;
            let added = connection.execute(
                "INSERT INTO set_aside (service, reference, reason, blob, size, at, data_key) \
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) ON CONFLICT (service, reference) DO NOTHING",
                params![
                    item.service,
                    item.reference,
                    item.reason,
                    item.blob,
                    item.size,
                    item.at,
                    item.data_key,
                ],
            )?;
            match &item.blob {
                Some(blob) if added > 0 => blob::keep_one(connection, blob, small.as_deref()),
                Some(blob) if small.is_none() => blob::discard(connection, blob),
                _ => Ok(()),
            }
        })
        .await
    }

    /// Something set aside, by row id.
    pub async fn thing_set_aside(&self, id: i64) -> Result<Option<SetAside>, StoreError> {
        self.read(move |connection| {
            let sql = format!("SELECT {SET_ASIDE} FROM set_aside WHERE id = ?1");
            Ok(connection.maybe(&sql, params![id], set_aside_row)?)
        })
        .await
    }

    /// Removes something set aside, with its file. True when it was there.
    pub async fn remove_set_aside(&self, id: i64) -> Result<bool, StoreError> {
        self.write(move |connection| forget_set_aside(connection, "id = ?1", id).map(|removed| removed > 0))
            .await
    }

    /// The newest things set aside, at most `limit`.
    pub async fn things_set_aside(&self, limit: u32) -> Result<Vec<SetAside>, StoreError> {
        self.read(move |connection| {
            let sql = format!("SELECT {SET_ASIDE} FROM set_aside ORDER BY id DESC LIMIT ?1");
            Ok(connection.all(&sql, params![limit], set_aside_row)?)
        })
        .await
    }

    /// A value of an adapter's state.
    pub async fn state(&self, adapter: &str, key: &str, now: i64) -> Result<Option<Vec<u8>>, StoreError> {
        let (adapter, key) = (adapter.to_owned(), key.to_owned());
        self.read(move |connection| {
            Ok(connection.maybe(
                "SELECT value FROM adapter_state WHERE adapter = ?1 AND key = ?2 AND coalesce(expires, ?3) >= ?3",
                params![adapter, key, now],
                |row| row.get(0),
            )?)
        })
        .await
    }

    /// Sets a value of an adapter's state.
    pub async fn set_state(
        &self,
        adapter: &str,
        key: &str,
        value: Vec<u8>,
        expires: Option<i64>,
    ) -> Result<(), StoreError> {
        let (adapter, key) = (adapter.to_owned(), key.to_owned());
        self.write(move |connection| {
            let others: i64 = connection.one(
                "SELECT count(*) FROM adapter_state WHERE adapter = ?1 AND key <> ?2",
                params![adapter, key],
                |row| row.get(0),
            )?;
            if others.unsigned_abs() >= STATE_KEYS {
                return Err(StoreError::StateFull(others.unsigned_abs()));
            }
            connection.execute(
                "INSERT INTO adapter_state (adapter, key, value, expires) VALUES (?1, ?2, ?3, ?4) \
                     ON CONFLICT (adapter, key) DO UPDATE SET value = excluded.value, expires = excluded.expires",
                params![adapter, key, value, expires],
            )?;
            Ok(())
        })
        .await
    }

    /// Removes a value of an adapter's state.
    pub async fn remove_state(&self, adapter: &str, key: &str) -> Result<(), StoreError> {
        let (adapter, key) = (adapter.to_owned(), key.to_owned());
        self.write(move |connection| {
            connection.execute(
                "DELETE FROM adapter_state WHERE adapter = ?1 AND key = ?2",
                params![adapter, key],
            )?;
            Ok(())
        })
        .await
    }

    /// Removes state whose time has passed.
    pub async fn forget_state(&self, now: i64) -> Result<u64, StoreError> {
        self.write(move |connection| {
            Ok(connection.execute("DELETE FROM adapter_state WHERE expires < ?1", params![now])?)
        })
        .await
    }
}
