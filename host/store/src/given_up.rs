//! Messages that were given up: their content stays for a while, so that somebody can send them again.

use super::outgoing::{self, FROM, SENDING};
use super::{Store, StoreError};
use crate::database::{Connection, DatabaseError, Row, params};

/// A message that was given up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GivenUp {
    /// Message id.
    pub message_id: String,
    /// Service.
    pub service: String,
    /// Attempts that were made.
    pub attempts: u32,
    /// Nobody knows whether it had left.
    pub uncertain: bool,
    /// Why the last attempt failed.
    pub error: Option<String>,
    /// When it was given up, ms.
    pub at: i64,
}

fn row(row: &dyn Row) -> Result<GivenUp, DatabaseError> {
    Ok(GivenUp {
        message_id: row.get(0)?,
        service: row.get(1)?,
        attempts: row.get(2)?,
        uncertain: row.get(3)?,
        error: row.get(4)?,
        at: row.get(5)?,
    })
}

fn find(connection: &Connection, message_id: &str) -> Result<Option<i64>, StoreError> {
    let sql = format!(
        "SELECT id FROM {FROM} WHERE message_id = ?1 AND kind = 'message' AND state = 3{}",
        connection.dialect().for_update_of(SENDING)
    );
    Ok(connection.maybe(&sql, params![message_id], |row| row.get(0))?)
}

impl Store {
    /// The newest messages that were given up, at most `limit`.
    pub async fn given_up(&self, limit: u32) -> Result<Vec<GivenUp>, StoreError> {
        self.read(move |connection| {
            let sql = format!(
                "SELECT message_id, service, attempt, uncertain, last_error, due FROM {FROM} WHERE state = 3 \
                 ORDER BY due DESC, sending.outgoing DESC LIMIT ?1"
            );
            Ok(connection.all(&sql, params![limit], row)?)
        })
        .await
    }

    /// Puts a message that was given up on its way again, with all its attempts. It lives until `expiry`, ms, when it would have
    /// ended before. False: there is no such message.
    pub async fn resend(&self, message_id: &str, expiry: i64, now: i64) -> Result<bool, StoreError> {
        let message_id = message_id.to_owned();
        self.write(move |connection| {
            let Some(id) = find(connection, &message_id)? else {
                return Ok(false);
            };
            connection.execute(
                "UPDATE sending SET state = 1, attempt = 0, due = ?2 WHERE outgoing = ?1",
                params![id, now],
            )?;
            connection.execute(
                "UPDATE outgoing SET last_updated = ?2, expiry = CASE WHEN expiry < ?3 THEN ?3 ELSE expiry END WHERE id = ?1",
                params![id, now, expiry],
            )?;
            connection.hint();
            connection.execute(
                "UPDATE conversation SET finished = 0, last_update = ?2, \
                 expiry = CASE WHEN expiry < ?3 THEN ?3 ELSE expiry END \
                 WHERE message_id = ?1 AND direction = 'OUTGOING'",
                params![message_id, now, expiry],
            )?;
            Ok(true)
        })
        .await
    }

    /// Removes a message that was given up, with its content; its conversation stays. False: there is no such message.
    pub async fn drop_given_up(&self, message_id: &str) -> Result<bool, StoreError> {
        let message_id = message_id.to_owned();
        self.write(move |connection| match find(connection, &message_id)? {
            None => Ok(false),
            Some(id) => outgoing::remove(connection, &[id]).map(|()| true),
        })
        .await
    }
}
