//! Bodies that break off or crawl.

use std::io;
use std::time::Duration;

use axum::body::Body;
use bytes::Bytes;
use futures::{Stream, StreamExt as _, stream};

use crate::wire::Connection;

/// Time for bytes on their way to reach the peer before a reset would throw them away.
const FLUSH: Duration = Duration::from_millis(100);
/// Pieces per second of a slow body.
const PIECES_PER_SECOND: u64 = 20;

fn broken() -> io::Error {
    io::Error::new(io::ErrorKind::ConnectionReset, "cut on purpose")
}

/// Passes on `after` bytes, then cuts the connection. A shorter body is cut at its end.
pub(crate) fn cut(body: Body, after: u64, connection: Connection, flush: bool) -> Body {
    let pieces = body.into_data_stream();
    let cut = stream::unfold(Some((pieces, after)), move |state| {
        let connection = connection.clone();
        async move {
            let (mut pieces, left) = state?;
            if left > 0
                && let Some(Ok(piece)) = pieces.next().await
            {
                let length = usize::try_from(left).unwrap_or(usize::MAX).min(piece.len());
                return Some((Ok(piece.slice(..length)), Some((pieces, left - length as u64))));
            }
            if flush {
                tokio::time::sleep(FLUSH).await;
            }
            connection.cut();
            Some((Err(broken()), None))
        }
    });
    Body::from_stream(cut)
}

/// Passes on the bytes at no more than the given speed.
pub(crate) fn slow(body: Body, bytes_per_second: u64) -> Body {
    let size = usize::try_from(bytes_per_second.max(1).div_ceil(PIECES_PER_SECOND)).unwrap_or(usize::MAX);
    let pause = Duration::from_secs_f64(approximate(size) / approximate(bytes_per_second.max(1)));
    let pieces = body.into_data_stream().flat_map(move |piece| split(piece, size));
    let paced = pieces.then(move |piece| async move {
        tokio::time::sleep(pause).await;
        piece
    });
    Body::from_stream(paced)
}

#[allow(clippy::cast_precision_loss, reason = "a pace, not an amount")]
fn approximate(number: impl TryInto<u64>) -> f64 {
    number.try_into().unwrap_or(u64::MAX) as f64
}

fn split(piece: Result<Bytes, axum::Error>, size: usize) -> impl Stream<Item = Result<Bytes, axum::Error>> {
    let pieces: Vec<_> = match piece {
        Ok(mut bytes) => {
            std::iter::from_fn(move || (!bytes.is_empty()).then(|| Ok(bytes.split_to(size.min(bytes.len()))))).collect()
        }
        Err(error) => vec![Err(error)],
    };
    stream::iter(pieces)
}

/// Reads a body to its end and forgets it.
pub(crate) async fn drain(body: Body) {
    let mut pieces = body.into_data_stream();
    while let Some(Ok(_)) = pieces.next().await {}
}
