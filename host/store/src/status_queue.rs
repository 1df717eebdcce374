//! Statuses that one fagsystem takes one by one, oldest first. Spec: messaging API, 8.

use super::conversation::{STATUS_COLUMNS, STATUS_FROM, status_row};
use super::record::StatusRow;
use super::{Store, StoreError};
use crate::database::{Connection, params};

/// Puts a new status on the queue, when its conversation's service feeds the queue.
pub(crate) fn enqueue(connection: &Connection, status: i64, conversation: i64) -> Result<(), StoreError> {
    connection.execute(
        "INSERT INTO status_queue (status) SELECT ?1 FROM status_queue_service AS fed CROSS JOIN conversation \
             WHERE conversation.id = ?2 AND conversation.service = fed.service",
        params![status, conversation],
    )?;
    Ok(())
}

impl Store {
    /// From now on the statuses of these services go on the queue, and no others. What is there stays there.
    pub async fn feed_status_queue(&self, services: Vec<String>) -> Result<(), StoreError> {
        self.write(move |connection| {
            connection.execute("DELETE FROM status_queue_service", &[])?;
            for service in &services {
                connection.execute(
                    "INSERT INTO status_queue_service (service) VALUES (?1) ON CONFLICT DO NOTHING",
                    params![service],
                )?;
            }
            Ok(())
        })
        .await
    }

    /// The oldest status on the queue; it stays there.
    pub async fn peek_status(&self) -> Result<Option<StatusRow>, StoreError> {
        self.read(|connection| {
            let sql = format!(
                "SELECT {STATUS_COLUMNS} FROM {STATUS_FROM} WHERE status.id = (SELECT min(status) FROM status_queue)"
            );
            Ok(connection.maybe(&sql, &[], status_row)?)
        })
        .await
    }

    /// Takes a status off the queue; the status itself stays. False: it is not there.
    pub async fn dequeue_status(&self, status: i64) -> Result<bool, StoreError> {
        self.write(move |connection| {
            let removed = connection.execute("DELETE FROM status_queue WHERE status = ?1", params![status])?;
            Ok(removed > 0)
        })
        .await
    }
}
