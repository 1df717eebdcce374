//! A narrow door to the readers of requests, for `tests/fuzz` alone. Not part of the program: behind the feature `fuzzing`.

use std::io;
use std::time::Duration;

use axum::body::Body;
use bytes::Bytes;
use http::HeaderValue;

use super::arriving::Arriving;
use super::disposition::Disposition;
use super::form_data::FormData;
use super::page;
use super::params::Params;
use super::statuses::{FILTERS, SORTABLE};
use super::time;

/// Nothing waits for a network here.
const SILENCE: Duration = Duration::from_mins(1);

/// A part of a form as it was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// Names and values in their order.
    pub headers: Vec<(String, Vec<u8>)>,
    /// Content.
    pub content: Vec<u8>,
}

/// Reads a form that arrives in these pieces, at most `limit` bytes; the HTTP status of the refusal if it is refused.
/// None when `content_type` can be no header.
pub async fn form(content_type: &[u8], pieces: Vec<Bytes>, limit: u64) -> Option<Result<Vec<Part>, u16>> {
    let content_type = HeaderValue::from_bytes(content_type).ok()?;
    let stream = futures::stream::iter(pieces.into_iter().map(Ok::<_, io::Error>));
    let arriving = Arriving::new(Body::from_stream(stream), SILENCE);
    let read = async {
        let mut form = FormData::new(&content_type, arriving, limit)?;
        let mut parts = Vec::new();
        while let Some(headers) = form.next_part().await? {
            let mut part = Part {
                headers: headers
                    .iter()
                    .map(|(name, value)| (name.to_string(), value.as_bytes().to_vec()))
                    .collect(),
                content: Vec::new(),
            };
            while let Some(piece) = form.piece().await? {
                part.content.extend_from_slice(&piece);
            }
            parts.push(part);
        }
        Ok(parts)
    };
    Some(
        read.await
            .map_err(|error: super::error::ApiError| error.status().as_u16()),
    )
}

/// Name and filename of a Content-Disposition; the reason if it is refused.
pub fn disposition(header: &[u8]) -> Result<(Option<String>, Option<String>), String> {
    Disposition::parse(header)
        .map(|read| (read.name, read.filename))
        .map_err(|error| error.to_string())
}

/// What a query asks of the list of statuses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Query {
    /// Page, from 0.
    pub page: u64,
    /// Elements of a page.
    pub size: u64,
    /// Columns, and whether the largest comes first.
    pub sort: Vec<(&'static str, bool)>,
    /// `messageId`.
    pub message_id: Option<String>,
    /// `fromDateTime`, ms.
    pub from: Option<i64>,
    /// `serviceIdentifier`.
    pub service: Option<String>,
    /// `id`.
    pub id: Option<i64>,
    /// `finished`.
    pub finished: Option<bool>,
}

/// Reads a query; the HTTP status of the refusal if it is refused.
pub fn query(text: &str) -> Result<Query, u16> {
    let params = Params::parse(text);
    let read = || {
        params.refuse_near_misses(FILTERS)?;
        let asked = page::asked_for(&params, SORTABLE)?;
        Ok(Query {
            page: asked.page,
            size: asked.size,
            sort: asked.sort,
            message_id: params.filter("messageId")?,
            from: params.time("fromDateTime")?,
            service: params.service()?,
            id: params.number("id")?,
            finished: params.flag("finished")?,
        })
    };
    read().map_err(|error: super::error::ApiError| error.status().as_u16())
}

/// A time as the API writes it.
pub fn time_written(millis: i64) -> String {
    time::written(millis)
}

/// A time of a query, ms.
pub fn time_read(text: &str) -> Option<i64> {
    time::read(text)
}

/// The first millisecond of a day in Norway and the first one after it.
pub fn day(text: &str) -> Option<(i64, i64)> {
    time::start_of_day(text).zip(time::end_of_day(text))
}
