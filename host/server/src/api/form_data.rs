//! `multipart/form-data` as a stream. Spec: RFC 7578.
//!
//! Why an own reader: the usual one buffers as fast as a client can send, and headers of a part without a limit. This one
//! holds one piece of the body and one part's headers.

use bytes::{Bytes, BytesMut};
use http::{HeaderMap, HeaderName, HeaderValue};

use super::arriving::Arriving;
use super::error::{ApiError, ApiResult, kind};

/// Longest boundary. Spec: RFC 2046, 5.1.1.
const BOUNDARY: usize = 70;
/// Largest block of headers of one part, bytes.
const HEADERS: usize = 16 * 1024;
/// Most headers of one part.
const HEADER_LINES: usize = 32;

#[derive(PartialEq, Eq)]
enum State {
    /// Before the first boundary, or in a part.
    Content,
    /// Right after a boundary.
    Boundary,
    End,
}

/// A form that is being received.
pub(super) struct FormData {
    arriving: Arriving,
    limit: u64,
    /// `\r\n--boundary`
    delimiter: Vec<u8>,
    buffer: BytesMut,
    state: State,
}

fn malformed(what: &str) -> ApiError {
    ApiError::new(
        kind::BAD_MULTIPART,
        format!("The multipart request is malformed: {what}."),
    )
}

impl FormData {
    /// A form of at most `limit` bytes. The Content-Type names the boundary.
    pub(super) fn new(content_type: &HeaderValue, arriving: Arriving, limit: u64) -> ApiResult<Self> {
        let boundary = content_type.to_str().ok().and_then(boundary_of);
        let boundary = boundary.ok_or_else(|| malformed("its Content-Type has no boundary of 1 to 70 characters"))?;
        let delimiter = format!("\r\n--{boundary}").into_bytes();
        // The first boundary has no line break before it.
        Ok(Self {
            arriving,
            limit,
            delimiter,
            buffer: BytesMut::from(&b"\r\n"[..]),
            state: State::Content,
        })
    }

    /// The headers of the next part, whatever is left of this one; none after the last.
    pub(super) async fn next_part(&mut self) -> ApiResult<Option<HeaderMap>> {
        while self.piece().await?.is_some() {}
        if self.state == State::End {
            return Ok(None);
        }
        while self.buffer.len() < 2 {
            self.more().await?;
        }
        if self.buffer.starts_with(b"--") {
            self.state = State::End;
            return Ok(None);
        }
        let end = loop {
            if let Some(at) = find(&self.buffer, b"\r\n\r\n") {
                break at;
            }
            if self.buffer.len() > HEADERS {
                return Err(malformed("the headers of a part are longer than 16 KiB"));
            }
            self.more().await?;
        };
        let block = self.buffer.split_to(end.saturating_add(4));
        self.state = State::Content;
        headers_of(block.get(..end).unwrap_or_default()).map(Some)
    }

    /// The next piece of this part; none at its end.
    pub(super) async fn piece(&mut self) -> ApiResult<Option<Bytes>> {
        if self.state != State::Content {
            return Ok(None);
        }
        loop {
            match find(&self.buffer, &self.delimiter) {
                Some(0) => {
                    let _delimiter = self.buffer.split_to(self.delimiter.len());
                    self.state = State::Boundary;
                    return Ok(None);
                }
                Some(at) => return Ok(Some(self.buffer.split_to(at).freeze())),
                None if self.buffer.len() >= self.delimiter.len() => {
                    // All but what may be the begin of a delimiter.
                    let certain = self.buffer.len().saturating_sub(self.delimiter.len()).saturating_add(1);
                    return Ok(Some(self.buffer.split_to(certain).freeze()));
                }
                None => self.more().await?,
            }
        }
    }

    /// Reads what is left for a little, after an early answer.
    pub(super) async fn drain(self) {
        self.arriving.drain().await;
    }

    async fn more(&mut self) -> ApiResult<()> {
        let Some(piece) = self.arriving.next().await? else {
            return Err(malformed("it ends before its last boundary"));
        };
        if self.arriving.received() > self.limit {
            let text = format!("The request is larger than {} bytes.", self.limit);
            return Err(ApiError::new(kind::REQUEST_TOO_LARGE, text));
        }
        self.buffer.extend_from_slice(&piece);
        Ok(())
    }
}

fn find(text: &[u8], wanted: &[u8]) -> Option<usize> {
    let first = *wanted.first()?;
    let mut from = 0;
    loop {
        let at = from + text.get(from..)?.iter().position(|byte| *byte == first)?;
        if text.get(at..)?.starts_with(wanted) {
            return Some(at);
        }
        from = at + 1;
    }
}

fn boundary_of(content_type: &str) -> Option<String> {
    let (kind, mut rest) = content_type.split_once(';')?;
    if !kind.trim().eq_ignore_ascii_case("multipart/form-data") {
        return None;
    }
    loop {
        let (name, after) = rest.split_once('=')?;
        let (value, after) = match after.strip_prefix('"') {
            Some(quoted) => quoted.split_once('"')?,
            None => after
                .split_once(';')
                .map_or((after.trim_end(), ""), |(value, rest)| (value.trim_end(), rest)),
        };
        if name.trim_matches([' ', ';']).eq_ignore_ascii_case("boundary") {
            let good = (1..=BOUNDARY).contains(&value.len()) && value.bytes().all(|byte| (0x20..0x7f).contains(&byte));
            return good.then(|| value.to_owned());
        }
        rest = after;
    }
}

fn headers_of(block: &[u8]) -> ApiResult<HeaderMap> {
    let mut headers = HeaderMap::new();
    let mut rest = block;
    let mut first = true;
    loop {
        let at = find(rest, b"\r\n");
        let line = rest.get(..at.unwrap_or(rest.len())).unwrap_or_default();
        if first {
            if !line.iter().all(|byte| matches!(byte, b' ' | b'\t')) {
                return Err(malformed("there is something behind a boundary"));
            }
        } else {
            let colon = line
                .iter()
                .position(|byte| *byte == b':')
                .ok_or_else(|| malformed("a header has no colon"))?;
            let name = HeaderName::from_bytes(line.get(..colon).unwrap_or_default());
            let value = HeaderValue::from_bytes(line.get(colon + 1..).unwrap_or_default().trim_ascii());
            let (Ok(name), Ok(value)) = (name, value) else {
                return Err(malformed("a part has an invalid header"));
            };
            if headers.len() >= HEADER_LINES {
                return Err(malformed("a part has more than 32 headers"));
            }
            headers.append(name, value);
        }
        first = false;
        match at {
            Some(at) => rest = rest.get(at + 2..).unwrap_or_default(),
            None => return Ok(headers),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use axum::body::Body;

    use super::*;

    const FORM: &str = "preamble\r\n--B\r\nContent-Disposition: form-data; name=\"sbd\"\r\nContent-Type: application/json\r\n\r\n\
        {}\r\n--B \r\ncontent-disposition: form-data; name=t; filename=æ.txt\r\n\r\nline\r\n--A\r\r\n--B\r\n\r\n\r\n--B--\r\nepilogue";

    fn form(text: &[u8], step: usize, limit: u64) -> FormData {
        let pieces: Vec<Result<Bytes, std::io::Error>> = text
            .chunks(step)
            .map(|chunk| Ok(Bytes::copy_from_slice(chunk)))
            .collect();
        let body = Body::from_stream(futures::stream::iter(pieces));
        let content_type = HeaderValue::from_static("multipart/form-data; charset=utf-8; boundary=B");
        FormData::new(&content_type, Arriving::new(body, Duration::from_mins(1)), limit).unwrap()
    }

    async fn parts(mut form: FormData) -> ApiResult<Vec<(HeaderMap, Vec<u8>)>> {
        let mut parts = Vec::new();
        while let Some(headers) = form.next_part().await? {
            let mut content = Vec::new();
            while let Some(piece) = form.piece().await? {
                content.extend_from_slice(&piece);
            }
            parts.push((headers, content));
        }
        Ok(parts)
    }

    #[tokio::test]
    async fn parts_come_whole_however_the_bytes_arrive() {
        for step in 1..FORM.len() {
            let parts = parts(form(FORM.as_bytes(), step, 10_000)).await.unwrap();
            let contents: Vec<&[u8]> = parts.iter().map(|(_, content)| content.as_slice()).collect();
            assert_eq!(contents, [&b"{}"[..], b"line\r\n--A\r", b""], "step {step}");
            let headers: Vec<usize> = parts.iter().map(|(headers, _)| headers.len()).collect();
            assert_eq!(headers, [2, 1, 0], "step {step}");
            let disposition = parts[1].0.get("content-disposition").unwrap();
            assert_eq!(disposition.as_bytes(), "form-data; name=t; filename=æ.txt".as_bytes());
        }
    }

    #[tokio::test]
    async fn a_part_that_is_not_wanted_is_passed_over() {
        let mut form = form(FORM.as_bytes(), 7, 10_000);
        for _ in 0..3 {
            assert!(form.next_part().await.unwrap().is_some());
        }
        assert!(form.next_part().await.unwrap().is_none());
        assert!(form.next_part().await.unwrap().is_none());
    }

    #[tokio::test]
    async fn a_form_that_is_cut_off_anywhere_is_refused() {
        let end = FORM.find("--B--").unwrap() + 4;
        for length in 0..end {
            let result = parts(form(&FORM.as_bytes()[..length], 9, 10_000)).await;
            assert_eq!(result.unwrap_err().kind(), kind::BAD_MULTIPART, "length {length}");
        }
    }

    #[tokio::test]
    async fn a_form_over_its_limit_is_refused() {
        assert_eq!(parts(form(FORM.as_bytes(), 9, 100)).await.unwrap_err().status(), 413);
    }

    #[tokio::test]
    async fn endless_headers_are_refused() {
        let text = format!("--B\r\nx: {}", "y".repeat(HEADERS * 2));
        assert_eq!(
            parts(form(text.as_bytes(), 1000, 1 << 20)).await.unwrap_err().kind(),
            kind::BAD_MULTIPART
        );
    }

    #[test]
    fn the_boundary_is_found_in_quotes_and_without() {
        assert_eq!(
            boundary_of("multipart/form-data; boundary=\"a;b\"").as_deref(),
            Some("a;b")
        );
        assert_eq!(
            boundary_of("Multipart/Form-Data; a=\"x\"; Boundary=ab ; c=d").as_deref(),
            Some("ab")
        );
        assert_eq!(boundary_of("multipart/form-data"), None);
        assert_eq!(boundary_of("multipart/mixed; boundary=a"), None);
        assert_eq!(boundary_of("multipart/form-data; boundary="), None);
        assert_eq!(
            boundary_of(&format!("multipart/form-data; boundary={}", "b".repeat(71))),
            None
        );
    }
}
