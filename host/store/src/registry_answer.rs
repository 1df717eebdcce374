//! The last good answers of the address service: what is known of a receiver while it cannot be reached. Sealed by the caller; the
//! receiver itself stands beside, so that an erasure finds it.

use super::{Store, StoreError};
use crate::database::{Connection, params};

/// Answers that are removed in one transaction.
const STEP: u32 = 1000;

/// The last good answer to one question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LastAnswer {
    /// As it was given to [`Store::keep_answer`].
    pub sealed: Vec<u8>,
    /// When it was given, ms.
    pub at: i64,
}

/// The number of a party without its prefix, as receivers are asked for.
fn bare(party: &str) -> &str {
    party.strip_prefix("0192:").unwrap_or(party)
}

/// The condition on answers about a party, of `?1`. A person number is looked for inside of names too: it stands in that of the
/// person's general practitioner.
fn condition(party: &str) -> &'static str {
    if party.len() == 11 && party.bytes().all(|byte| byte.is_ascii_digit()) {
        "replace(receiver, ?1, '') <> receiver"
    } else {
        "receiver = ?1"
    }
}

pub(crate) fn count(connection: &Connection, party: &str) -> Result<u64, StoreError> {
    let party = bare(party);
    let sql = format!("SELECT count(*) FROM registry_answer WHERE {}", condition(party));
    Ok(connection.one(&sql, params![party], |row| row.get(0))?)
}

pub(crate) fn forget(connection: &Connection, party: &str) -> Result<u64, StoreError> {
    let party = bare(party);
    let sql = format!("DELETE FROM registry_answer WHERE {}", condition(party));
    Ok(connection.execute(&sql, params![party])?)
}

impl Store {
    /// Keeps an answer in place of an earlier one. `question`: what was asked about the receiver, as text. `at` in ms.
    pub async fn keep_answer(
        &self,
        receiver: &str,
        question: &str,
        sealed: Vec<u8>,
        at: i64,
    ) -> Result<(), StoreError> {
        let (receiver, question) = (receiver.to_owned(), question.to_owned());
        self.write(move |connection| {
            connection.execute(
                "INSERT INTO registry_answer (receiver, question, sealed, at) VALUES (?1, ?2, ?3, ?4) \
                 ON CONFLICT (receiver, question) DO UPDATE SET sealed = excluded.sealed, at = excluded.at \
                 WHERE excluded.at >= registry_answer.at",
                params![receiver, question, sealed, at],
            )?;
            Ok(())
        })
        .await
    }

    /// The last answer to a question, unless it is from before `since`, ms.
    pub async fn last_answer(
        &self,
        receiver: &str,
        question: &str,
        since: i64,
    ) -> Result<Option<LastAnswer>, StoreError> {
        let (receiver, question) = (receiver.to_owned(), question.to_owned());
        self.read(move |connection| {
            Ok(connection.maybe(
                "SELECT sealed, at FROM registry_answer WHERE receiver = ?1 AND question = ?2 AND at >= ?3",
                params![receiver, question, since],
                |row| {
                    Ok(LastAnswer {
                        sealed: row.get(0)?,
                        at: row.get(1)?,
                    })
                },
            )?)
        })
        .await
    }

    /// Forgets the answer to a question: the address service says now that there is none.
    pub async fn forget_answer(&self, receiver: &str, question: &str) -> Result<(), StoreError> {
        let (receiver, question) = (receiver.to_owned(), question.to_owned());
        self.write(move |connection| {
            connection.execute(
                "DELETE FROM registry_answer WHERE receiver = ?1 AND question = ?2",
                params![receiver, question],
            )?;
            Ok(())
        })
        .await
    }

    /// Forgets answers from before `before`, ms, at most 1000 in one call. True: there may be more.
    pub async fn forget_old_answers(&self, before: i64) -> Result<bool, StoreError> {
        self.write(move |connection| {
            let removed = connection.execute(
                "DELETE FROM registry_answer WHERE (receiver, question) IN \
                 (SELECT receiver, question FROM registry_answer WHERE at < ?1 LIMIT ?2)",
                params![before, STEP],
            )?;
            Ok(removed == u64::from(STEP))
        })
        .await
    }
}
