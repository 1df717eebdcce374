//! Reading an answer.

use super::classify::{MAX_ERROR_BODY, classify, is_success};
use super::error::{HttpError, Reach};
use super::pump::{Broken, Pumped, pump};
use crate::bindings::wasi::http::types::{FutureTrailers, IncomingBody, IncomingResponse};
use crate::bindings::wasi::io::streams::{InputStream, StreamError};
use crate::{Document, Failure, Spool};

/// One read of a small body.
const PIECE: u64 = 64 * 1024;

/// An answer whose body has not been read. Dropping it gives the connection up.
pub struct Response {
    inner: IncomingResponse,
    target: String,
}

impl Response {
    pub(super) fn new(inner: IncomingResponse, target: String) -> Self {
        Self { inner, target }
    }

    /// The status, any from 100 to 599.
    pub fn status(&self) -> u16 {
        self.inner.status()
    }

    /// Method and URL of the request, without secrets.
    pub fn target(&self) -> &str {
        &self.target
    }

    /// The first header of that name, when it is text.
    pub fn header(&self, name: &str) -> Option<String> {
        let values = self.inner.headers().get(name);
        values
            .into_iter()
            .next()
            .and_then(|value| String::from_utf8(value).ok())
    }

    /// Seconds in `Retry-After`; none when absent or given as a date, which services for messages do not do.
    pub fn retry_after(&self) -> Option<u32> {
        self.header("retry-after")?.trim().parse().ok()
    }

    /// The body, for small answers. Longer than `limit` bytes is an error.
    pub fn bytes(self, limit: u32) -> Result<Vec<u8>, HttpError> {
        let (bytes, whole) = self.read(limit)?;
        if whole {
            Ok(bytes)
        } else {
            Err(HttpError::new(
                Reach::Unknown,
                &self.target,
                format!("the answer is longer than {limit} bytes"),
            ))
        }
    }

    /// The beginning of the body of a failed answer, at most 4 KiB; what cannot be read is left out.
    pub fn error_body(self) -> Vec<u8> {
        self.read(MAX_ERROR_BODY).map(|(bytes, _)| bytes).unwrap_or_default()
    }

    /// The answer itself when it is 2xx, otherwise the failure of [`classify`], with the request's address in its text.
    pub fn success(self, prefix: &str) -> Result<Self, Failure> {
        let status = self.status();
        if is_success(status) {
            return Ok(self);
        }
        let prefix = format!("{prefix}: {}", self.target);
        let retry_after = self.retry_after();
        Err(classify(&prefix, status, retry_after, &self.error_body()))
    }

    /// The body as a document: collected by the host, encrypted on disk, of any size up to the plugin's limit for downloads.
    /// The whole body or an error.
    pub fn into_spool(self, name: &str, media_type: &str) -> Result<Document, HttpError> {
        let failed = |detail: String| HttpError::new(Reach::Unknown, &self.target, detail);
        let host = |failure: Failure| failed(failure.line().to_string());
        let (body, stream) = self.open()?;
        let spool = Spool::new(name, media_type);
        let writer = spool.writer().map_err(host)?;
        match pump(&stream, &writer, None) {
            Ok(Pumped::Whole) => {}
            Ok(Pumped::Refused) => return Err(failed("the host takes no more of the answer".to_owned())),
            Err(Broken::Http(code)) => return Err(HttpError::from_code(&self.target, &code)),
            Err(Broken::Other(detail)) => return Err(failed(detail)),
        }
        drop(writer);
        drop(stream);
        self.finish(body)?;
        Spool::finish(spool).map_err(host)
    }

    fn open(&self) -> Result<(IncomingBody, InputStream), HttpError> {
        let taken = |()| HttpError::new(Reach::Unknown, &self.target, "the body was already taken");
        let body = self.inner.consume().map_err(taken)?;
        let stream = body.stream().map_err(taken)?;
        Ok((body, stream))
    }

    /// At most `limit` bytes, and whether that was all.
    fn read(&self, limit: u32) -> Result<(Vec<u8>, bool), HttpError> {
        let (body, stream) = self.open()?;
        let mut bytes = Vec::new();
        let limit = limit as usize;
        loop {
            match stream.blocking_read(PIECE) {
                Ok(piece) => bytes.extend_from_slice(&piece),
                Err(StreamError::Closed) => break,
                Err(StreamError::LastOperationFailed(error)) => {
                    let detail = format!("the answer broke off: {}", error.to_debug_string());
                    return Err(HttpError::new(Reach::Unknown, &self.target, detail));
                }
            }
            if bytes.len() > limit {
                bytes.truncate(limit);
                // A stream is a child of its body, and must go first.
                drop(stream);
                drop(body);
                return Ok((bytes, false));
            }
        }
        drop(stream);
        self.finish(body)?;
        Ok((bytes, true))
    }

    /// Waits for the end of the answer: only now is it certain that nothing was cut off.
    fn finish(&self, body: IncomingBody) -> Result<(), HttpError> {
        let trailers: FutureTrailers = IncomingBody::finish(body);
        loop {
            match trailers.get() {
                Some(Ok(Err(code))) => return Err(HttpError::from_code(&self.target, &code)),
                Some(_) => return Ok(()),
                None => trailers.subscribe().block(),
            }
        }
    }
}
