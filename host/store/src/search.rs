//! Looking for conversations by words, as the page for people does.

use super::conversation::with_statuses;
use super::record::{CONVERSATION_COLUMNS, Conversation, Direction, conversation_row};
use super::{Store, StoreError};
use crate::database::{Connection, ToValue, Value};

/// Conversations that one search looks through, the newest first. A search without a match would read all of them.
pub const SEARCHED: u64 = 100_000;

/// Where words are looked for.
const COLUMNS: [&str; 8] = [
    "message_id",
    "conversation_id",
    "sender",
    "receiver",
    "message_title",
    "message_reference",
    "process",
    "external_reference",
];

/// What is looked for.
#[derive(Debug, Clone, Default)]
pub struct ConversationSearch {
    /// One of these lists must be found, each with all its words; empty: everything is found.
    pub any: Vec<Vec<String>>,
    /// Which way.
    pub direction: Option<Direction>,
    /// Created from this time on, ms.
    pub created_from: Option<i64>,
    /// Created before this time, ms.
    pub created_before: Option<i64>,
}

/// A page of what was found, newest first.
#[derive(Debug, Clone)]
pub struct Found {
    /// The rows.
    pub items: Vec<Conversation>,
    /// There is another page.
    pub more: bool,
    /// There were more conversations than are looked through.
    pub cut: bool,
}

/// SQL and its values, put together side by side.
#[derive(Default)]
struct Condition {
    clauses: Vec<String>,
    values: Vec<Value<'static>>,
}

impl Condition {
    /// Adds a value and gives its place.
    fn place(&mut self, value: impl ToValue) -> String {
        self.values.push(value.value().into_owned());
        format!("?{}", self.values.len())
    }

    fn sql(&self) -> String {
        if self.clauses.is_empty() {
            String::new()
        } else {
            format!(" WHERE {}", self.clauses.join(" AND "))
        }
    }

    fn range(search: &ConversationSearch) -> Self {
        let mut condition = Self::default();
        if let Some(direction) = search.direction {
            let place = condition.place(direction.as_str());
            condition.clauses.push(format!("direction = {place}"));
        }
        let mut times = Vec::new();
        for (operator, time) in [(">=", search.created_from), ("<", search.created_before)] {
            if let Some(time) = time {
                times.push(format!(" AND at {operator} {}", condition.place(time)));
            }
        }
        if !times.is_empty() {
            condition.clauses.push(format!(
                "id IN (SELECT conversation FROM status WHERE status = 'OPPRETTET'{})",
                times.concat()
            ));
        }
        condition
    }

    /// One of the lists, each with all its words, each in any of the columns.
    fn words(&mut self, any: &[Vec<String>], like: &str) -> String {
        let mut alternatives = Vec::new();
        for all in any {
            let mut found = Vec::new();
            for word in all {
                let place = self.place(pattern(word));
                let columns = COLUMNS.map(|column| format!("{column} {like} {place} ESCAPE '\\'"));
                found.push(format!("({})", columns.join(" OR ")));
            }
            alternatives.push(format!("({})", found.join(" AND ")));
        }
        if alternatives.is_empty() {
            String::new()
        } else {
            format!(" WHERE {}", alternatives.join(" OR "))
        }
    }
}

/// A word anywhere; its own `%` and `_` mean themselves.
fn pattern(word: &str) -> String {
    let mut pattern = String::from("%");
    for character in word.chars() {
        if matches!(character, '%' | '_' | '\\') {
            pattern.push('\\');
        }
        pattern.push(character);
    }
    pattern.push('%');
    pattern
}

fn is_cut(connection: &Connection, range: &Condition) -> Result<bool, StoreError> {
    let sql = format!(
        "SELECT count(*) FROM (SELECT 1 FROM conversation{} LIMIT {}) AS looked_at",
        range.sql(),
        SEARCHED + 1
    );
    let present: i64 = connection.one(&sql, &range.values, |row| row.get(0))?;
    Ok(present.unsigned_abs() > SEARCHED)
}

impl Store {
    /// Conversations that hold the words, among the newest [`SEARCHED`] of the direction and the days; without words, all of
    /// these. Capital letters do not count; in SQLite, those outside ASCII do. `page` from 0, of `size` rows.
    pub async fn search_conversations(
        &self,
        search: ConversationSearch,
        page: u64,
        size: u64,
    ) -> Result<Found, StoreError> {
        self.read(move |connection| {
            let mut condition = Condition::range(&search);
            let cut = !search.any.is_empty() && is_cut(connection, &condition)?;
            let range = condition.sql();
            let bound = if search.any.is_empty() {
                String::new()
            } else {
                format!(" LIMIT {SEARCHED}")
            };
            let words = condition.words(&search.any, connection.dialect().like());
            let offset = page.saturating_mul(size).min(i64::MAX as u64);
            let sql = format!(
                "SELECT {CONVERSATION_COLUMNS} FROM (SELECT * FROM conversation{range} ORDER BY id DESC{bound}) AS newest\
                 {words} ORDER BY id DESC LIMIT {} OFFSET {offset}",
                size.saturating_add(1)
            );
            let mut items = connection.all(&sql, &condition.values, conversation_row)?;
            let more = items.len() as u64 > size;
            items.truncate(usize::try_from(size).unwrap_or(usize::MAX));
            for conversation in &mut items {
                with_statuses(connection, conversation)?;
            }
            Ok(Found { items, more, cut })
        })
        .await
    }
}
