//! The body of a request as it arrives: counted, and not waited for without end.

use std::time::Duration;

use axum::body::{Body, BodyDataStream};
use bytes::Bytes;
use futures::StreamExt;
use tokio::time::timeout;

use super::error::{ApiError, ApiResult, kind};

/// What is read and dropped after an early answer, so that the client gets to read it: bytes and time.
const DRAINED: u64 = 8 * 1024 * 1024;
const DRAIN_TIME: Duration = Duration::from_secs(2);

/// A body that is being received.
pub(super) struct Arriving {
    stream: BodyDataStream,
    silence: Duration,
    received: u64,
}

impl Arriving {
    /// `silence`: how long the client may send nothing.
    pub(super) fn new(body: Body, silence: Duration) -> Self {
        Self {
            stream: body.into_data_stream(),
            silence,
            received: 0,
        }
    }

    /// Bytes so far.
    pub(super) fn received(&self) -> u64 {
        self.received
    }

    /// The next piece; none at the end. A body that breaks off is an error, never an end.
    pub(super) async fn next(&mut self) -> ApiResult<Option<Bytes>> {
        match timeout(self.silence, self.stream.next()).await {
            Ok(None) => Ok(None),
            Ok(Some(Ok(piece))) => {
                self.received = self.received.saturating_add(piece.len() as u64);
                Ok(Some(piece))
            }
            Ok(Some(Err(error))) => {
                tracing::info!(%error, received = self.received, "a request broke off");
                Err(ApiError::new(kind::CUT_OFF, "The request broke off before its end."))
            }
            Err(_) => {
                let text = format!(
                    "The request was silent for {} seconds before its end.",
                    self.silence.as_secs()
                );
                Err(ApiError::new(kind::CUT_OFF, text))
            }
        }
    }

    /// The rest, up to a limit in bytes.
    pub(super) async fn whole(mut self, limit: usize) -> ApiResult<Vec<u8>> {
        let mut whole = Vec::new();
        while let Some(piece) = self.next().await? {
            if whole.len().saturating_add(piece.len()) > limit {
                self.drain().await;
                let text = format!("The body is larger than {limit} bytes.");
                return Err(ApiError::new(kind::REQUEST_TOO_LARGE, text));
            }
            whole.extend_from_slice(&piece);
        }
        Ok(whole)
    }

    /// Reads on for a little: a connection that is closed with unread bytes in it can lose the answer.
    pub(super) async fn drain(mut self) {
        let read_on = async {
            let end = self.received.saturating_add(DRAINED);
            while self.received < end && matches!(self.next().await, Ok(Some(_))) {}
        };
        // When the time is up the client has had its chance.
        let _enough = timeout(DRAIN_TIME, read_on).await;
    }
}

#[cfg(test)]
mod tests {
    use std::io;

    use super::*;

    fn arriving(body: Body) -> Arriving {
        Arriving::new(body, Duration::from_mins(5))
    }

    #[tokio::test]
    async fn a_body_is_read_up_to_its_limit() {
        assert_eq!(arriving(Body::from("12345")).whole(5).await.unwrap(), b"12345");
        assert_eq!(arriving(Body::from("12345")).whole(4).await.unwrap_err().status(), 413);
    }

    #[tokio::test]
    async fn a_body_that_breaks_off_is_an_error() {
        let pieces = [
            Ok(Bytes::from("123")),
            Err(io::Error::from(io::ErrorKind::UnexpectedEof)),
        ];
        let body = Body::from_stream(futures::stream::iter(pieces));
        assert_eq!(arriving(body).whole(100).await.unwrap_err().kind(), kind::CUT_OFF);
    }
    #[tokio::test]
    async fn a_client_that_falls_silent_is_told_so() {
        let body = Body::from_stream(futures::stream::pending::<io::Result<Bytes>>());
        let error = Arriving::new(body, Duration::from_millis(20))
            .whole(100)
            .await
            .unwrap_err();
        assert_eq!(error.kind(), kind::CUT_OFF);
    }
}
