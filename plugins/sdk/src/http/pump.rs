//! Moving bytes from stream to stream inside the host.

use crate::bindings::wasi::http::types::{ErrorCode, http_error_code};
use crate::bindings::wasi::io::error::Error as IoError;
use crate::bindings::wasi::io::streams::{InputStream, OutputStream, StreamError};

/// Bytes per splice. The host moves them in its own pieces; this only bounds one call.
const PIECE: u64 = 1024 * 1024;

/// `blocking-write-and-flush` takes no more at once (wasi:io).
const WRITE: usize = 4096;

/// How a transfer ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Pumped {
    /// Every byte was taken.
    Whole,
    /// The sink takes no more, perhaps because it has everything.
    Refused,
}

/// Why a transfer broke.
#[derive(Debug)]
pub(crate) enum Broken {
    /// The HTTP side says why.
    Http(ErrorCode),
    /// The other side does.
    Other(String),
}

impl From<IoError> for Broken {
    fn from(error: IoError) -> Self {
        http_error_code(&error).map_or_else(|| Self::Other(error.to_debug_string()), Self::Http)
    }
}

/// Splices the whole source into the sink and flushes it. After an error, what was written is not the whole.
pub(crate) fn pump(source: &InputStream, sink: &OutputStream, size: Option<u64>) -> Result<Pumped, Broken> {
    let mut moved: u64 = 0;
    while size != Some(moved) {
        let wanted = size.map_or(PIECE, |size| PIECE.min(size - moved));
        match sink.blocking_splice(source, wanted) {
            Ok(count) if count > wanted => return Err(Broken::Other("the stream gave more than its size".to_owned())),
            Ok(count) => moved += count,
            Err(StreamError::LastOperationFailed(error)) => return Err(error.into()),
            // Either side may be the closed one; the source can be asked without harm.
            Err(StreamError::Closed) => match source.blocking_read(1) {
                Err(StreamError::Closed) if size.is_none() => break,
                // A connection that has all it was promised closes its end, which can overtake the answer to our last
                // piece: only a sink that is still open has been given too little.
                Err(StreamError::Closed) if sink.check_write().is_ok() => {
                    return Err(Broken::Other("the content ended before its size".to_owned()));
                }
                Err(StreamError::LastOperationFailed(error)) => return Err(error.into()),
                Ok(_) | Err(StreamError::Closed) => return Ok(Pumped::Refused),
            },
        }
    }
    match sink.blocking_flush() {
        Ok(()) => Ok(Pumped::Whole),
        Err(StreamError::Closed) => Ok(Pumped::Refused),
        Err(StreamError::LastOperationFailed(error)) => Err(error.into()),
    }
}

/// Writes bytes at hand.
pub(super) fn pump_bytes(bytes: &[u8], sink: &OutputStream) -> Pumped {
    if bytes
        .chunks(WRITE)
        .all(|piece| sink.blocking_write_and_flush(piece).is_ok())
    {
        Pumped::Whole
    } else {
        Pumped::Refused
    }
}
