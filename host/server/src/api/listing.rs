//! The answer of a list, row by row: what is held in memory does not grow with the page. Spec: messaging API, 1.1.
//!
//! A page is looked through once before it is answered, so that its counts and its damaged rows are known. Rows that are small
//! together are kept from that look; those behind them are read again when their turn comes.

use std::future::Future;
use std::io;

use axum::body::Body;
use axum::http::{HeaderName, HeaderValue};
use axum::response::IntoResponse as _;
use budstikke_store::Vault;
use budstikke_store::{ListedMessage, PageRequest, StoreError};
use bytes::Bytes;
use futures::{Stream, StreamExt as _, stream};
use http::header::CONTENT_TYPE;
use serde::Serialize;

use super::error::{ApiError, ApiResult, kind};
use super::page::Envelope;
use crate::abilities::documents::blocking;
use crate::sealed_sbd;

/// What is kept of the rows of one page, bytes.
const HELD: usize = 4 * 1024 * 1024;
/// Names the messages that were left out of a list because what is stored of them cannot be read.
const UNREADABLE: HeaderName = HeaderName::from_static("budstikke-unreadable");
/// Most ids that the header names: it must stay a header that clients accept.
const NAMED: usize = 50;

/// A row of a page.
enum Row {
    /// As it goes out.
    Written(Vec<u8>),
    /// To be read again, by its id.
    Later(i64),
}

impl Row {
    fn written(self) -> Option<Vec<u8>> {
        match self {
            Self::Written(json) => Some(json),
            Self::Later(_) => None,
        }
    }
}

/// The rows of a page, in their order.
#[derive(Default)]
pub(super) struct Rows {
    seen: Vec<Row>,
    held: usize,
    unreadable: Vec<String>,
}

impl Rows {
    /// Adds a row that is JSON already.
    pub(super) fn add(&mut self, id: i64, json: Vec<u8>) {
        let held = self.held.saturating_add(json.len());
        if held > HELD {
            self.seen.push(Row::Later(id));
        } else {
            self.held = held;
            self.seen.push(Row::Written(json));
        }
    }

    /// Adds a row that is still to be written.
    pub(super) fn write(&mut self, id: i64, row: &impl Serialize) {
        match row_json(row) {
            Ok(json) => self.add(id, json),
            // Its turn shows what is wrong with it.
            Err(_) => self.seen.push(Row::Later(id)),
        }
    }

    /// Notes a row that cannot be read: it is left out.
    fn leave_out(&mut self, message_id: &str, error: &io::Error) {
        unreadable(message_id, error);
        self.unreadable.push(message_id.to_owned());
    }
}

fn unreadable(message_id: &str, error: &io::Error) {
    tracing::error!(%error, message_id, "the stored SBD of a message cannot be read; it is left out of the list");
}

/// Adds a stored message, or leaves it out when it cannot be read.
pub(super) fn add_message(vault: &Vault, rows: &mut Rows, message: &ListedMessage) {
    match sealed_sbd::open_proven(vault, &message.message_id, &message.sbd) {
        Ok(json) => rows.add(message.id, json),
        Err(error) => rows.leave_out(&message.message_id, &error),
    }
}

/// A message that is read again: none when it has gone, or cannot be read any more.
pub(super) async fn message_again(
    vault: Vault,
    found: Result<Option<ListedMessage>, StoreError>,
) -> io::Result<Option<Vec<u8>>> {
    let Some(message) = found.map_err(io::Error::other)? else {
        return Ok(None);
    };
    blocking(
        move || match sealed_sbd::open_proven(&vault, &message.message_id, &message.sbd) {
            Ok(json) => Ok(Some(json)),
            Err(error) => {
                unreadable(&message.message_id, &error);
                Ok(None)
            }
        },
    )
    .await
}

/// A row as it goes out.
pub(super) fn row_json(row: &impl Serialize) -> io::Result<Vec<u8>> {
    serde_json::to_vec_pretty(row).map_err(io::Error::other)
}

/// Puts the rows into the envelope of a page. `again` reads a row by its id; a row that has gone since is left out.
/// `sorted`: the list has an order of its own when none is asked for.
pub(super) fn answer<A, F>(rows: Rows, total: u64, asked: &PageRequest, sorted: bool, again: A) -> ApiResult
where
    A: Fn(i64) -> F + Send + 'static,
    F: Future<Output = io::Result<Option<Vec<u8>>>> + Send + 'static,
{
    let names: Vec<&str> = rows.unreadable.iter().take(NAMED).map(String::as_str).collect();
    let unreadable = (!names.is_empty()).then(|| HeaderValue::from_str(&names.join(", ")));
    let envelope = Envelope::new(total, asked, sorted);
    let body = if rows.seen.iter().all(|row| matches!(row, Row::Written(_))) {
        whole(rows.seen, envelope)?
    } else {
        Body::from_stream(pieces(rows.seen, envelope, again))
    };
    let mut response = body.into_response();
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    if let Some(Ok(unreadable)) = unreadable {
        headers.insert(UNREADABLE, unreadable);
    }
    Ok(response)
}

const HEAD: &[u8] = b"{\n  \"content\": [";

fn whole(rows: Vec<Row>, envelope: Envelope) -> ApiResult<Body> {
    let mut json = HEAD.to_vec();
    let mut count = 0;
    for row in rows.into_iter().filter_map(Row::written) {
        separate(&mut json, count);
        json.extend_from_slice(&row);
        count += 1;
    }
    let tail = tail(envelope, count).map_err(|error| {
        tracing::error!(%error, "a list cannot be written");
        ApiError::new(kind::INTERNAL, "The list cannot be written.")
    })?;
    json.extend_from_slice(&tail);
    Ok(json.into())
}

fn separate(json: &mut Vec<u8>, count: usize) {
    json.extend_from_slice(if count == 0 { b"\n" } else { b",\n" });
}

/// What stands behind the rows: the end of `content`, and the members of the envelope.
fn tail(envelope: Envelope, count: usize) -> io::Result<Vec<u8>> {
    let members = serde_json::to_vec_pretty(&envelope.counting(count)).map_err(io::Error::other)?;
    let mut tail = b"\n  ],".to_vec();
    tail.extend_from_slice(members.strip_prefix(b"{").unwrap_or(&members));
    Ok(tail)
}

/// Where a list that is being written has come to.
struct Writing<A> {
    rows: std::vec::IntoIter<Row>,
    envelope: Option<Envelope>,
    count: usize,
    again: A,
}

fn pieces<A, F>(rows: Vec<Row>, envelope: Envelope, again: A) -> impl Stream<Item = io::Result<Bytes>>
where
    A: Fn(i64) -> F,
    F: Future<Output = io::Result<Option<Vec<u8>>>>,
{
    let writing = Writing {
        rows: rows.into_iter(),
        envelope: Some(envelope),
        count: 0,
        again,
    };
    let rest = stream::try_unfold(writing, |mut writing| async move {
        while let Some(row) = writing.rows.next() {
            let row = match row {
                Row::Written(row) => Some(row),
                Row::Later(id) => (writing.again)(id).await?,
            };
            if let Some(row) = row {
                let mut piece = Vec::with_capacity(row.len().saturating_add(2));
                separate(&mut piece, writing.count);
                piece.extend_from_slice(&row);
                writing.count += 1;
                return Ok(Some((Bytes::from(piece), writing)));
            }
        }
        match writing.envelope.take() {
            None => Ok(None),
            Some(envelope) => Ok(Some((tail(envelope, writing.count)?.into(), writing))),
        }
    });
    stream::once(async { Ok(Bytes::from_static(HEAD)) }).chain(rest)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::page;
    use crate::api::params::Params;

    fn asked() -> PageRequest {
        page::asked_for(&Params::parse("size=2000"), &[]).unwrap()
    }

    async fn read(rows: Rows, total: u64) -> serde_json::Value {
        let again = |id: i64| async move {
            Ok((id != 3).then(|| serde_json::to_vec(&serde_json::json!({ "again": id })).unwrap()))
        };
        let response = answer(rows, total, &asked(), false, again).unwrap();
        let body = axum::body::to_bytes(response.into_body(), usize::MAX).await.unwrap();
        serde_json::from_slice(&body).unwrap()
    }

    #[tokio::test]
    async fn small_rows_are_answered_from_the_first_look() {
        let mut rows = Rows::default();
        for id in 0..3 {
            rows.add(id, id.to_string().into_bytes());
        }
        let page = read(rows, 30).await;
        assert_eq!(page["content"], serde_json::json!([0, 1, 2]));
        assert_eq!(
            (page["numberOfElements"].as_u64(), page["totalElements"].as_u64()),
            (Some(3), Some(30))
        );
    }

    #[tokio::test]
    async fn no_more_is_held_than_a_few_megabytes_however_large_the_page() {
        let mut rows = Rows::default();
        let large = format!("\"{}\"", "x".repeat(HELD / 2));
        for id in 0..2000 {
            rows.add(id, large.clone().into_bytes());
        }
        let held: usize = rows
            .seen
            .iter()
            .map(|row| if let Row::Written(row) = row { row.len() } else { 0 })
            .sum();
        assert!(held <= HELD, "{held}");
        let page = read(rows, 2000).await;
        assert_eq!(page["content"][0], large.trim_matches('"'));
        assert_eq!(page["content"][1]["again"], 1);
        // Row 3 has gone in between.
        assert_eq!(page["content"][3]["again"], 4);
        assert_eq!(page["numberOfElements"], 1999);
    }

    #[tokio::test]
    async fn an_empty_page_has_its_whole_envelope() {
        let page = read(Rows::default(), 0).await;
        assert_eq!(page["content"], serde_json::json!([]));
        assert_eq!(page["empty"], true);
    }
}
