//! Why a message went where it went: kept with its conversation, and gone with it.

use super::{Store, StoreError};
use crate::database::{DatabaseError, Row, params};

/// Largest decision that is kept, bytes of JSON.
pub const ROUTE_BYTES: usize = 4096;

/// What is kept about the way of a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptRoute {
    /// Row id of the conversation.
    pub conversation: i64,
    /// The message.
    pub message_id: String,
    /// The JSON that was given when the message was created; none when nothing was kept.
    pub decision: Option<String>,
}

impl Store {
    /// The way of an outgoing message, by the row id of its conversation.
    pub async fn route(&self, conversation: i64) -> Result<Option<KeptRoute>, StoreError> {
        self.read(move |connection| {
            Ok(connection.maybe(
                "SELECT id, message_id, route FROM conversation WHERE id = ?1 AND direction = 'OUTGOING'",
                params![conversation],
                row,
            )?)
        })
        .await
    }

    /// The same by the id of the message.
    pub async fn route_of_message(&self, message_id: &str) -> Result<Option<KeptRoute>, StoreError> {
        let message_id = message_id.to_owned();
        self.read(move |connection| {
            Ok(connection.maybe(
                "SELECT id, message_id, route FROM conversation WHERE message_id = ?1 AND direction = 'OUTGOING'",
                params![message_id],
                row,
            )?)
        })
        .await
    }
}

fn row(row: &dyn Row) -> Result<KeptRoute, DatabaseError> {
    Ok(KeptRoute {
        conversation: row.get(0)?,
        message_id: row.get(1)?,
        decision: row.get(2)?,
    })
}
