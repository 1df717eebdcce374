//! Events on their way to subscribers: an outbox in the order of their registration. An event goes in with the status that
//! it tells of, in the same transaction, and comes out when its subscriber has confirmed it.

use crate::database::{Connection, DatabaseError, Row, params};
use uuid::Uuid;

use super::record::Direction;
use super::{Store, StoreError};

/// An event that waits for a subscriber.
#[derive(Debug, Clone)]
pub struct Delivery {
    /// Row id; never used again.
    pub id: i64,
    /// What the subscriber knows it by, the same at each attempt.
    pub key: Uuid,
    /// Attempts so far.
    pub attempts: u32,
    /// When it was put here, ms.
    pub queued: i64,
    /// When it is tried next, ms.
    pub due: i64,
    /// Where it goes.
    pub push_endpoint: String,
    /// What it is signed with, sealed.
    pub secret: Vec<u8>,
    /// What it tells.
    pub event: Event,
}

/// A status, as subscribers are told of it. Spec: messaging API, 9.
#[derive(Debug, Clone)]
pub struct Event {
    /// Message id.
    pub message_id: String,
    /// Conversation id.
    pub conversation_id: String,
    /// Which way the message goes.
    pub direction: Direction,
    /// Service; may be empty.
    pub service: String,
    /// Value.
    pub status: String,
    /// For people.
    pub description: Option<String>,
    /// When, ms.
    pub at: i64,
}

/// How a subscriber is doing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WebhookReport {
    /// Of the subscription.
    pub id: i64,
    /// Of the subscription.
    pub name: String,
    /// Events that wait.
    pub pending: u64,
    /// When the oldest of them was put there, ms.
    pub oldest: Option<i64>,
    /// Why the last attempt that failed did.
    pub last_error: Option<String>,
    /// When, ms.
    pub last_error_at: Option<i64>,
    /// Events that were given up: too old, or too many.
    pub dropped: u64,
}

/// What became of a wish to have events again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Replay {
    /// There is no such subscription.
    Unknown,
    /// So many wait now.
    Queued(u64),
    /// Nothing was queued: more match than there is room for.
    TooMany {
        /// Events that can still wait for the subscription.
        room: u64,
    },
}

/// A status in `status` with its `conversation` that `subscription` asks for. Spec: messaging API, 9.
const WANTED: &str = "subscription.resource IN ('all', 'messages') AND subscription.event IN ('all', 'status') \
     AND (statuses IS NULL OR instr(statuses, ',' || upper(status.status) || ',') > 0) \
     AND (services IS NULL OR instr(services, ',' || upper(conversation.service) || ',') > 0) \
     AND (directions IS NULL OR instr(directions, ',' || conversation.direction || ',') > 0)";

/// Puts the event of a new status there for each subscriber that asks for it. The order of the join is forced, so that
/// without subscribers nothing is looked up.
pub(crate) fn tell(connection: &Connection, status: i64) -> Result<(), StoreError> {
    let sql = format!(
        "INSERT INTO webhook_delivery (subscription, status) SELECT subscription.id, status.id FROM subscription \
         CROSS JOIN status CROSS JOIN conversation WHERE status.id = ?1 AND conversation.id = status.conversation \
         AND {WANTED}"
    );
    connection.execute(&sql, params![status])?;
    Ok(())
}

fn drop_some(connection: &Connection, subscription: i64, removed: u64) -> Result<u64, StoreError> {
    if removed > 0 {
        connection.execute(
            "UPDATE subscription SET dropped = dropped + ?2 WHERE id = ?1",
            params![subscription, removed.cast_signed()],
        )?;
    }
    Ok(removed)
}

/// How many events can still wait for a subscription.
fn room(connection: &Connection, subscription: i64, limit: u64) -> Result<i64, StoreError> {
    let pending: i64 = connection.one(
        "SELECT count(*) FROM webhook_delivery WHERE subscription = ?1",
        params![subscription],
        |row| row.get(0),
    )?;
    Ok(limit.saturating_sub(pending.unsigned_abs()).cast_signed())
}

fn delivery(row: &dyn Row) -> Result<Delivery, DatabaseError> {
    Ok(Delivery {
        id: row.get(0)?,
        key: uuid::Builder::from_random_bytes(row.get(1)?).into_uuid(),
        attempts: row.get(2)?,
        queued: row.get(3)?,
        due: row.get(4)?,
        push_endpoint: row.get(5)?,
        secret: row.get(6)?,
        event: Event {
            message_id: row.get(7)?,
            conversation_id: row.get(8)?,
            direction: Direction::parse(&row.get::<String>(9)?),
            service: row.get(10)?,
            status: row.get(11)?,
            description: row.get(12)?,
            at: row.get(13)?,
        },
    })
}

impl Store {
    /// Subscriptions whose oldest event is due.
    pub async fn due_webhooks(&self, now: i64) -> Result<Vec<i64>, StoreError> {
        self.read(move |connection| {
            Ok(connection.all(
                "SELECT id FROM subscription WHERE (SELECT due FROM webhook_delivery \
                     WHERE subscription = subscription.id ORDER BY webhook_delivery.id LIMIT 1) <= ?1",
                params![now],
                |row| row.get(0),
            )?)
        })
        .await
    }

    /// The oldest event of a subscription.
    pub async fn next_delivery(&self, subscription: i64) -> Result<Option<Delivery>, StoreError> {
        self.read(move |connection| {
            Ok(connection.maybe(
                "SELECT queue.id, key, attempt, queued, due, push_endpoint, secret, message_id, conversation_id, \
                     direction, service, status.status, description, at FROM webhook_delivery AS queue \
                     JOIN subscription ON subscription.id = queue.subscription JOIN status ON status.id = queue.status \
                     JOIN conversation ON conversation.id = status.conversation WHERE queue.subscription = ?1 \
                     ORDER BY queue.id LIMIT 1",
                params![subscription],
                delivery,
            )?)
        })
        .await
    }

    /// The subscriber has confirmed an event.
    pub async fn delivered(&self, id: i64) -> Result<(), StoreError> {
        self.write(move |connection| {
            connection.execute("DELETE FROM webhook_delivery WHERE id = ?1", params![id])?;
            Ok(())
        })
        .await
    }

    /// An attempt failed; the next one is due at a time. Nothing changes when the subscriber got another endpoint
    /// meanwhile: that one is tried at once. Times in ms.
    pub async fn not_delivered(
        &self,
        attempted: &Delivery,
        due: i64,
        error: String,
        now: i64,
    ) -> Result<(), StoreError> {
        let (id, seen, endpoint) = (attempted.id, attempted.due, attempted.push_endpoint.clone());
        self.write(move |connection| {
            let subscription: Option<i64> = connection.maybe(
                "UPDATE webhook_delivery SET attempt = attempt + 1, due = ?2 WHERE id = ?1 AND due = ?3 \
                     AND EXISTS (SELECT 1 FROM subscription WHERE subscription.id = webhook_delivery.subscription \
                     AND push_endpoint = ?4) RETURNING subscription",
                params![id, due, seen, endpoint],
                |row| row.get(0),
            )?;
            connection.execute(
                "UPDATE subscription SET last_error = ?2, last_error_at = ?3 WHERE id = ?1",
                params![subscription, error, now],
            )?;
            Ok(())
        })
        .await
    }

    /// Gives up events of a subscription that were put there before a time, ms. Returns how many.
    pub async fn give_up_deliveries(&self, subscription: i64, before: i64) -> Result<u64, StoreError> {
        self.write(move |connection| {
            let removed = connection.execute(
                "DELETE FROM webhook_delivery WHERE subscription = ?1 AND queued < ?2",
                params![subscription, before],
            )?;
            drop_some(connection, subscription, removed)
        })
        .await
    }

    /// Gives up the oldest events of subscriptions that more than `limit` wait for. Returns which subscriptions, and how
    /// many.
    pub async fn trim_deliveries(&self, limit: u64) -> Result<Vec<(i64, u64)>, StoreError> {
        let over: Vec<i64> = self
            .read(move |connection| {
                Ok(connection.all(
                    "SELECT subscription FROM webhook_delivery GROUP BY subscription HAVING count(*) > ?1",
                    params![limit.cast_signed()],
                    |row| row.get(0),
                )?)
            })
            .await?;
        if over.is_empty() {
            return Ok(Vec::new());
        }
        self.write(move |connection| {
            let mut trimmed = Vec::new();
            for &subscription in &over {
                let removed = connection.execute(
                    "DELETE FROM webhook_delivery WHERE id IN (SELECT id FROM webhook_delivery \
                         WHERE subscription = ?1 ORDER BY id DESC LIMIT 9223372036854775807 OFFSET ?2)",
                    params![subscription, limit.cast_signed()],
                )?;
                if removed > 0 {
                    trimmed.push((subscription, drop_some(connection, subscription, removed)?));
                }
            }
            Ok(trimmed)
        })
        .await
    }

    /// Puts the events of statuses in a range of time there once more, oldest first. Both ends are included, ms. `limit`:
    /// how many events may wait for one subscription.
    pub async fn replay(&self, subscription: i64, from: i64, to: i64, limit: u64) -> Result<Replay, StoreError> {
        let matching = format!(
            "FROM subscription CROSS JOIN status CROSS JOIN conversation WHERE subscription.id = ?1 \
             AND status.at BETWEEN ?2 AND ?3 AND conversation.id = status.conversation AND {WANTED}"
        );
        let count = format!("SELECT count(*) FROM (SELECT 1 {matching} LIMIT ?4) AS found");
        let counted = self
            .read(move |connection| {
                let known = connection.exists("SELECT 1 FROM subscription WHERE id = ?1", params![subscription])?;
                if !known {
                    return Ok(None);
                }
                let room = room(connection, subscription, limit)?;
                let found: i64 =
                    connection.one(&count, params![subscription, from, to, room.saturating_add(1)], |row| {
                        row.get(0)
                    })?;
                Ok(Some(found))
            })
            .await?;
        let Some(found) = counted else {
            return Ok(Replay::Unknown);
        };
        self.write(move |connection| {
            // Others may have filled the room since the count.
            let room = room(connection, subscription, limit)?;
            if found > room {
                return Ok(Replay::TooMany {
                    room: room.unsigned_abs(),
                });
            }
            let queued = connection.execute(
                &format!(
                    "INSERT INTO webhook_delivery (subscription, status) SELECT subscription.id, status.id {matching} \
                     ORDER BY status.id LIMIT ?4"
                ),
                params![subscription, from, to, found],
            )?;
            Ok(Replay::Queued(queued))
        })
        .await
    }

    /// How every subscriber is doing.
    pub async fn webhook_reports(&self) -> Result<Vec<WebhookReport>, StoreError> {
        self.read(|connection| {
            Ok(connection.all(
                "SELECT subscription.id, name, count(queue.id), min(queued), last_error, last_error_at, dropped \
                     FROM subscription LEFT JOIN webhook_delivery AS queue ON queue.subscription = subscription.id \
                     GROUP BY subscription.id ORDER BY subscription.id",
                &[],
                |row| {
                    Ok(WebhookReport {
                        id: row.get(0)?,
                        name: row.get(1)?,
                        pending: row.get::<i64>(2)?.unsigned_abs(),
                        oldest: row.get(3)?,
                        last_error: row.get(4)?,
                        last_error_at: row.get(5)?,
                        dropped: row.get::<i64>(6)?.unsigned_abs(),
                    })
                },
            )?)
        })
        .await
    }
}
