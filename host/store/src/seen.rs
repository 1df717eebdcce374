//! The memory of ids: what was received or handled, and what left under an id, is known for 400 days at least.
//!
//! An id is sixteen bytes of a digest, which tell nothing of whom or what it is about. It is a row of `seen` first. When its day is
//! over it is folded into a page of `seen_page`, which holds about a hundred ids of one generation in their order: a row for each would
//! take more room than the id. A generation is forgotten as a whole, when its last day is too long ago.
//!
//! A look asks for the row and for the one page of each generation in one statement, so it finds an id at every moment of the fold.

use std::collections::{BTreeSet, HashSet};

use aws_lc_rs::digest;

use super::{Store, StoreError};
use crate::database::{Connection, Dialect, params, row};

const DAY: i64 = 24 * 60 * 60 * 1000;
/// Days that an id is remembered at least.
const MEMORY_DAYS: i64 = 400;
/// Days of a generation. Each generation costs a look one page more.
const GENERATION_DAYS: i64 = 56;
/// Ids of a page at most: PostgreSQL keeps a row of that size in one piece.
const PAGE: usize = 112;
/// Ids that are folded in one transaction.
const FOLDED: u32 = 500;
/// Rows that are forgotten in one transaction.
const FORGOTTEN: u32 = 500;
/// Any number, as long as all nodes use the same.
const FOLDING: i64 = 0x6275_6473_666f_6c64;

/// Asks for the row of an id and for the pages that may hold it. What `instr` finds is looked at again: it does not know where
/// an id begins.
const SEEN: &str = "SELECT key FROM seen WHERE key = ?1 UNION ALL SELECT keys FROM (SELECT (SELECT keys FROM seen_page \
     WHERE seen_page.generation = seen_generation.generation AND low <= ?1 ORDER BY low DESC LIMIT 1) AS keys \
     FROM seen_generation) AS page WHERE instr(keys, ?1) > 0";

const LENGTH: usize = 16;
type Key = [u8; LENGTH];

/// Sixteen bytes that stand for a message id or a transfer of one service.
pub(crate) struct SeenKey(Key);

impl SeenKey {
    /// A message that came over a service.
    pub(crate) fn message(service: &str, message_id: &str) -> Self {
        Self::of("message", service, message_id)
    }

    /// A service's own name of a transfer.
    pub(crate) fn reference(service: &str, reference: &str) -> Self {
        Self::of("reference", service, reference)
    }

    /// A message of ours that may have left, over whatever service.
    pub(crate) fn sent(message_id: &str) -> Self {
        Self::of("sent", "", message_id)
    }

    /// Whether it is one of the ids of a page.
    fn is_in(&self, keys: &[u8]) -> bool {
        keys.chunks_exact(LENGTH).any(|one| one == self.0)
    }

    #[cfg(test)]
    pub(crate) fn raw(key: Key) -> Self {
        Self(key)
    }

    fn of(kind: &str, service: &str, id: &str) -> Self {
        let full = digest::digest(&digest::SHA256, format!("{kind}\0{service}\0{id}").as_bytes());
        let mut key = [0; LENGTH];
        key.iter_mut().zip(full.as_ref()).for_each(|(to, from)| *to = *from);
        Self(key)
    }
}

pub(crate) fn seen(connection: &Connection, key: &SeenKey) -> Result<bool, StoreError> {
    let found = connection.all(SEEN, params![&key.0[..]], |row| row.get::<Vec<u8>>(0))?;
    Ok(found.iter().any(|keys| key.is_in(keys)))
}

/// Those of the ids under which a message of ours has left, or has a conversation, or has not left yet. Each look is one of its
/// own: a join could read whole tables through.
pub(crate) fn ours_among(connection: &Connection, message_ids: &[&str]) -> Result<HashSet<String>, StoreError> {
    let mut ours = HashSet::new();
    let ids = message_ids.iter().map(|id| row![&SeenKey::sent(id).0[..], id]);
    for (given, values) in connection.given(ids.collect()) {
        let sql = format!(
            "WITH given (key, message_id) AS ({given}) SELECT message_id, key FROM given WHERE \
             (SELECT day FROM seen WHERE seen.key = given.key) IS NOT NULL OR \
             (SELECT 1 FROM conversation WHERE conversation.message_id = given.message_id LIMIT 1) IS NOT NULL OR \
             (SELECT 1 FROM outgoing WHERE outgoing.message_id = given.message_id AND kind = 'message') IS NOT NULL \
             UNION ALL SELECT message_id, keys FROM (SELECT message_id, key, (SELECT keys FROM seen_page \
             WHERE seen_page.generation = seen_generation.generation AND low <= key ORDER BY low DESC LIMIT 1) AS keys \
             FROM given CROSS JOIN seen_generation) AS page WHERE instr(keys, key) > 0"
        );
        let found = connection.all(&sql, &values, |row| Ok((row.get::<String>(0)?, row.get::<Vec<u8>>(1)?)))?;
        ours.extend(
            found
                .into_iter()
                .filter(|(id, keys)| SeenKey::sent(id).is_in(keys))
                .map(|(id, _)| id),
        );
    }
    Ok(ours)
}

pub(crate) fn remember(connection: &Connection, key: &SeenKey, now: i64) -> Result<(), StoreError> {
    connection.execute(
        "INSERT INTO seen (key, day) VALUES (?1, ?2) ON CONFLICT DO NOTHING",
        params![&key.0[..], now.div_euclid(DAY)],
    )?;
    Ok(())
}

/// Folds ids of the oldest day that is over. Returns how many.
pub(crate) fn fold(connection: &Connection, now: i64) -> Result<usize, StoreError> {
    let oldest: Option<i64> = connection.one("SELECT min(day) FROM seen", &[], |row| row.get(0))?;
    // A day more, because clocks of nodes differ: an id of today must not be moved while somebody else remembers it.
    let Some(day) = oldest.filter(|day| *day < now.div_euclid(DAY) - 1) else {
        return Ok(0);
    };
    if connection.dialect() == Dialect::Postgres {
        // Two nodes may both believe that it is their turn; a page that both change would lose ids.
        connection.batch(&format!("SELECT pg_advisory_xact_lock({FOLDING})"))?;
    }
    let mut keys: Vec<Key> = connection.all(
        "DELETE FROM seen WHERE key IN (SELECT key FROM seen WHERE day = ?1 ORDER BY key LIMIT ?2) RETURNING key",
        params![day, FOLDED],
        |row| row.get(0),
    )?;
    keys.sort_unstable();
    let generation = day.div_euclid(GENERATION_DAYS);
    begin(connection, generation)?;
    let mut rest = &keys[..];
    while let Some(first) = rest.first() {
        let page = Page::of(connection, generation, first)?;
        let (here, later) = rest.split_at(rest.partition_point(|key| page.holds(key)));
        page.add(connection, here)?;
        rest = later;
    }
    Ok(keys.len())
}

/// A generation begins with one empty page, below all ids.
fn begin(connection: &Connection, generation: i64) -> Result<(), StoreError> {
    let added = connection.execute(
        "INSERT INTO seen_generation (generation) VALUES (?1) ON CONFLICT DO NOTHING",
        params![generation],
    )?;
    if added > 0 {
        connection.execute(
            "INSERT INTO seen_page (generation, low, keys) VALUES (?1, ?2, ?2)",
            params![generation, &[][..]],
        )?;
    }
    Ok(())
}

/// The ids of one generation from `low` on, up to where the next page begins.
struct Page {
    generation: i64,
    low: Vec<u8>,
    keys: Vec<u8>,
    next: Option<Vec<u8>>,
}

impl Page {
    /// The page that an id belongs to.
    fn of(connection: &Connection, generation: i64, key: &Key) -> Result<Self, StoreError> {
        Ok(connection.one(
            "SELECT low, keys, (SELECT low FROM seen_page AS next WHERE next.generation = ?1 AND next.low > ?2 \
             ORDER BY next.low LIMIT 1) FROM seen_page WHERE generation = ?1 AND low <= ?2 ORDER BY seen_page.low DESC LIMIT 1",
            params![generation, &key[..]],
            |row| {
                Ok(Self {
                    generation,
                    low: row.get(0)?,
                    keys: row.get(1)?,
                    next: row.get(2)?,
                })
            },
        )?)
    }

    fn holds(&self, key: &Key) -> bool {
        self.next.as_deref().is_none_or(|next| &key[..] < next)
    }

    /// Adds ids that belong here. A page that would get too large becomes several of the same size.
    fn add(self, connection: &Connection, new: &[Key]) -> Result<(), StoreError> {
        let mut all: BTreeSet<&[u8]> = self.keys.chunks_exact(LENGTH).collect();
        all.extend(new.iter().map(|key| &key[..]));
        let all: Vec<&[u8]> = all.into_iter().collect();
        let pages = all.len().div_ceil(PAGE).max(1);
        let mut parts = all.chunks(all.len().div_ceil(pages).max(1));
        let first = parts.next().unwrap_or_default();
        connection.execute(
            "UPDATE seen_page SET keys = ?3 WHERE generation = ?1 AND low = ?2",
            params![self.generation, self.low, first.concat()],
        )?;
        for part in parts {
            connection.execute(
                "INSERT INTO seen_page (generation, low, keys) VALUES (?1, ?2, ?3)",
                params![self.generation, part.first().copied(), part.concat()],
            )?;
        }
        Ok(())
    }
}

/// Forgets what is too old. Returns how many rows went.
fn forget(connection: &Connection, now: i64) -> Result<u64, StoreError> {
    let before = now.div_euclid(DAY) - MEMORY_DAYS;
    // Those that were never folded: nobody was here for long.
    let alone = connection.execute(
        "DELETE FROM seen WHERE key IN (SELECT key FROM seen WHERE day < ?1 LIMIT ?2)",
        params![before, FORGOTTEN],
    )?;
    let before = before.div_euclid(GENERATION_DAYS);
    let pages = connection.execute(
        "DELETE FROM seen_page WHERE (generation, low) IN \
         (SELECT generation, low FROM seen_page WHERE generation < ?1 ORDER BY generation, low LIMIT ?2)",
        params![before, FORGOTTEN],
    )?;
    let generations = connection.execute(
        "DELETE FROM seen_generation WHERE generation < ?1 AND NOT EXISTS \
         (SELECT 1 FROM seen_page WHERE seen_page.generation = seen_generation.generation)",
        params![before],
    )?;
    Ok(alone + pages + generations)
}

impl Store {
    /// True when a transfer was handed over or set aside within the memory's 400 days.
    pub async fn was_handled(&self, service: &str, reference: &str) -> Result<bool, StoreError> {
        let key = SeenKey::reference(service, reference);
        self.read(move |connection| seen(connection, &key)).await
    }

    /// True when a message id was received from a service within the memory's 400 days.
    pub async fn was_received(&self, service: &str, message_id: &str) -> Result<bool, StoreError> {
        let key = SeenKey::message(service, message_id);
        self.read(move |connection| seen(connection, &key)).await
    }

    /// Makes the memory of days that are over smaller, 500 ids in one transaction. Returns how many; 0: nothing is
    /// left to fold.
    pub async fn fold_ids(&self, now: i64) -> Result<usize, StoreError> {
        self.write(move |connection| fold(connection, now)).await
    }

    /// Forgets ids of more than 400 days ago, 500 rows in one transaction. Returns how many went; 0: nothing is left to forget.
    pub async fn forget_ids(&self, now: i64) -> Result<u64, StoreError> {
        self.write(move |connection| forget(connection, now)).await
    }
}
