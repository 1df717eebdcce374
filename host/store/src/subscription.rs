//! Who wants to be told of what happens. Spec: messaging API, 9.

use super::condition::Where;
use super::event_filter::EventFilter;
use super::record::{PageOf, PageRequest};
use super::{Store, StoreError};
use crate::database::{Connection, DatabaseError, Row, params};

/// One webhook.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subscription {
    /// Row id; never used again after a deletion.
    pub id: i64,
    /// Chosen by the client.
    pub name: String,
    /// Where events are posted to.
    pub push_endpoint: String,
    /// `all` or `messages`.
    pub resource: String,
    /// `all` or `status`.
    pub event: String,
    /// As the client wrote it.
    pub filter: Option<String>,
}

/// A webhook to store.
#[derive(Debug, Clone)]
pub struct NewSubscription {
    /// With the endpoint, unique.
    pub name: String,
    /// Where events are posted to.
    pub push_endpoint: String,
    /// `all` or `messages`.
    pub resource: String,
    /// `all` or `status`.
    pub event: String,
    /// Which events; none: all.
    pub filter: Option<EventFilter>,
    /// What events are signed with, sealed.
    pub secret: Vec<u8>,
}

/// What becomes different; a member that is none stays as it is.
#[derive(Debug, Clone, Default)]
pub struct SubscriptionChange {
    /// Name.
    pub name: Option<String>,
    /// Where events are posted to.
    pub push_endpoint: Option<String>,
    /// `all` or `messages`.
    pub resource: Option<String>,
    /// `all` or `status`.
    pub event: Option<String>,
    /// Which events.
    pub filter: Option<EventFilter>,
    /// What events are signed with, sealed.
    pub secret: Option<Vec<u8>>,
}

/// A webhook after a change.
#[derive(Debug, Clone)]
pub struct Changed {
    /// As it is now.
    pub subscription: Subscription,
    /// What events are signed with, sealed.
    pub secret: Vec<u8>,
    /// Whether events go to another URL than before.
    pub moved: bool,
}

const COLUMNS: &str = "id, name, push_endpoint, resource, event, filter";

fn row(row: &dyn Row) -> Result<Subscription, DatabaseError> {
    Ok(Subscription {
        id: row.get(0)?,
        name: row.get(1)?,
        push_endpoint: row.get(2)?,
        resource: row.get(3)?,
        event: row.get(4)?,
        filter: row.get(5)?,
    })
}

fn find(connection: &Connection, id: i64) -> Result<Option<Subscription>, StoreError> {
    Ok(connection.maybe(
        &format!("SELECT {COLUMNS} FROM subscription WHERE id = ?1"),
        params![id],
        row,
    )?)
}

fn refuse_twin(connection: &Connection, id: Option<i64>, name: &str, push_endpoint: &str) -> Result<(), StoreError> {
    let twin = connection.exists(
        "SELECT 1 FROM subscription WHERE name = ?1 AND push_endpoint = ?2 AND id IS DISTINCT FROM ?3",
        params![name, push_endpoint, id],
    )?;
    if twin {
        Err(StoreError::SubscriptionExists)
    } else {
        Ok(())
    }
}

fn columns(filter: Option<&EventFilter>) -> [Option<String>; 3] {
    filter.map(EventFilter::columns).unwrap_or_default()
}

impl Store {
    /// Adds a webhook; it is told of what happens from now on.
    pub async fn subscribe(&self, new: NewSubscription) -> Result<Subscription, StoreError> {
        self.write(move |connection| {
            refuse_twin(connection, None, &new.name, &new.push_endpoint)?;
            let filter = new.filter.as_ref();
            let [statuses, services, directions] = columns(filter);
            let filter = filter.map(EventFilter::as_str);
            let id = connection.one(
                "INSERT INTO subscription (name, push_endpoint, resource, event, filter, statuses, services, \
                     directions, secret) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9) RETURNING id",
                params![
                    new.name,
                    new.push_endpoint,
                    new.resource,
                    new.event,
                    filter,
                    statuses,
                    services,
                    directions,
                    new.secret,
                ],
                |row| row.get(0),
            )?;
            Ok(Subscription {
                id,
                filter: filter.map(str::to_owned),
                name: new.name.clone(),
                push_endpoint: new.push_endpoint.clone(),
                resource: new.resource.clone(),
                event: new.event.clone(),
            })
        })
        .await
    }

    /// Changes a webhook. None: there is no such one. What waits for a URL that has become another is tried at once.
    pub async fn change_subscription(
        &self,
        id: i64,
        change: SubscriptionChange,
    ) -> Result<Option<Changed>, StoreError> {
        self.write(move |connection| {
            let Some(before) = find(connection, id)? else {
                return Ok(None);
            };
            let name = change.name.as_ref().unwrap_or(&before.name);
            let push_endpoint = change.push_endpoint.as_ref().unwrap_or(&before.push_endpoint);
            refuse_twin(connection, Some(id), name, push_endpoint)?;
            let filter = change.filter.as_ref();
            let [statuses, services, directions] = columns(filter);
            let secret = connection.one("UPDATE subscription SET name = ?2, push_endpoint = ?3, resource = coalesce(?4, resource), \
                     event = coalesce(?5, event), filter = coalesce(?6, filter), \
                     statuses = CASE WHEN ?6 IS NULL THEN statuses ELSE ?7 END, services = CASE WHEN ?6 IS NULL THEN services ELSE ?8 END, \
                     directions = CASE WHEN ?6 IS NULL THEN directions ELSE ?9 END, secret = coalesce(?10, secret) WHERE id = ?1 \
                     RETURNING secret", params![
                        id,
                        name,
                        push_endpoint,
                        change.resource,
                        change.event,
                        filter.map(EventFilter::as_str),
                        statuses,
                        services,
                        directions,
                        change.secret,
                    ], |row| row.get(0))?;
            let moved = *push_endpoint != before.push_endpoint;
            if moved {
                connection.execute("UPDATE webhook_delivery SET due = 0 WHERE subscription = ?1 AND due > 0", params![id])?;
            }
            let subscription = find(connection, id)?.ok_or(StoreError::NotFound)?;
            Ok(Some(Changed {
                subscription,
                secret,
                moved,
            }))
        })
        .await
    }

    /// One webhook.
    pub async fn subscription(&self, id: i64) -> Result<Option<Subscription>, StoreError> {
        self.read(move |connection| find(connection, id)).await
    }

    /// A page of webhooks.
    pub async fn subscriptions(&self, page: PageRequest) -> Result<PageOf<Subscription>, StoreError> {
        self.read(move |connection| {
            let tail = page.tail("id ASC", "id");
            let all = Where::default();
            Ok(PageOf {
                total: all.total(connection, "count(*)", "subscription")?,
                items: all.rows(connection, COLUMNS, "subscription", &tail, row)?,
            })
        })
        .await
    }

    /// Removes a webhook with all that waits for it. False: there is no such one.
    pub async fn unsubscribe(&self, id: i64) -> Result<bool, StoreError> {
        self.write(move |connection| {
            let removed = connection.execute("DELETE FROM subscription WHERE id = ?1", params![id])?;
            Ok(removed > 0)
        })
        .await
    }

    /// Removes every webhook.
    pub async fn unsubscribe_all(&self) -> Result<(), StoreError> {
        self.write(|connection| {
            connection.execute("DELETE FROM subscription", &[])?;
            Ok(())
        })
        .await
    }
}
