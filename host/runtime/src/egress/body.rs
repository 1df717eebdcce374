//! Bodies on their way through the gate: counted, never collected.

use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use futures::Stream;
use http_body::{Body, Frame, SizeHint};
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::{Instant, Sleep};
use wasmtime_wasi_http::{Error, WasiBody};

use crate::egress::Quota;

/// A request body: from the guest to the network.
pub(crate) struct Upload {
    body: Arc<Mutex<Option<WasiBody>>>,
    quota: Arc<Quota>,
    progress: Arc<Progress>,
}

/// Takes a request body away from the network when the request is given up: a connection that hangs would hold on to it,
/// and the guest would wait for it for ever.
pub(crate) struct GiveUp {
    body: Option<Arc<Mutex<Option<WasiBody>>>>,
}

impl GiveUp {
    /// The request is answered: what is left of its body may still be sent.
    pub(crate) fn answered(mut self) {
        self.body = None;
    }
}

impl Drop for GiveUp {
    fn drop(&mut self) {
        if let Some(body) = &self.body {
            body.lock().unwrap_or_else(PoisonError::into_inner).take();
        }
    }
}

impl Upload {
    pub(crate) fn new(body: WasiBody, quota: Arc<Quota>) -> Self {
        Self {
            body: Arc::new(Mutex::new(Some(body))),
            quota,
            progress: Arc::new(Progress::new()),
        }
    }

    pub(crate) fn progress(&self) -> Arc<Progress> {
        self.progress.clone()
    }

    pub(crate) fn give_up(&self) -> GiveUp {
        GiveUp {
            body: Some(self.body.clone()),
        }
    }

    pub(crate) fn is_end_stream(&self) -> bool {
        let body = self.body.lock().unwrap_or_else(PoisonError::into_inner);
        body.as_ref().is_none_or(Body::is_end_stream)
    }

    fn poll_body(&self, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        let mut body = self.body.lock().unwrap_or_else(PoisonError::into_inner);
        match body.as_mut() {
            Some(body) => Pin::new(body).poll_frame(cx),
            None => Poll::Ready(Some(Err(Error::ConnectionTerminated))),
        }
    }
}

impl Stream for Upload {
    type Item = Result<Bytes, Error>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        loop {
            self.progress.asked();
            let frame = self.poll_body(cx);
            self.progress.guest.store(frame.is_pending(), Relaxed);
            let Some(frame) = ready!(frame) else {
                self.progress.done.store(true, Relaxed);
                // A guest that broke off looks to the stream like one that finished. The service must not take half a
                // file for a whole one.
                return Poll::Ready(self.quota.is_over().then_some(Err(Error::ConnectionTerminated)));
            };
            // Trailers of requests are left out: no service of ours reads them.
            let Ok(bytes) = frame?.into_data() else { continue };
            if let Err(total) = self.quota.count_sent(bytes.len() as u64) {
                return Poll::Ready(Some(Err(Error::HttpRequestBodySize(Some(total)))));
            }
            return Poll::Ready(Some(Ok(bytes)));
        }
    }
}

/// When the network last took something from a request, so that a long upload is not taken for silence.
pub(crate) struct Progress {
    started: Instant,
    /// Milliseconds after the start.
    last: AtomicU64,
    begun: AtomicBool,
    /// The network waits for the guest, not the other way round.
    guest: AtomicBool,
    done: AtomicBool,
}

impl Progress {
    fn new() -> Self {
        Self {
            started: Instant::now(),
            last: AtomicU64::new(0),
            begun: AtomicBool::new(false),
            guest: AtomicBool::new(false),
            done: AtomicBool::new(false),
        }
    }

    fn asked(&self) {
        let elapsed = u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.last.store(elapsed, Relaxed);
        self.begun.store(true, Relaxed);
    }

    /// Ends when the service has been silent for too long, with what the guest is told. Connecting counts extra while
    /// nothing has been asked for.
    pub(crate) async fn silence(&self, connect: Duration, silence: Duration) -> Error {
        loop {
            let allowed = if self.begun.load(Relaxed) {
                silence
            } else {
                connect.saturating_add(silence)
            };
            if self.guest.load(Relaxed) {
                tokio::time::sleep(silence).await;
                continue;
            }
            let deadline = self.started + Duration::from_millis(self.last.load(Relaxed)) + allowed;
            if deadline <= Instant::now() {
                return if self.begun.load(Relaxed) && !self.done.load(Relaxed) {
                    Error::ConnectionWriteTimeout
                } else {
                    Error::ConnectionReadTimeout
                };
            }
            tokio::time::sleep_until(deadline).await;
        }
    }
}

/// A response body: from the network to the guest.
pub(crate) struct Download {
    body: reqwest::Body,
    quota: Arc<Quota>,
    between: Duration,
    silence: Pin<Box<Sleep>>,
    waiting: bool,
    _connection: OwnedSemaphorePermit,
}

impl Download {
    pub(crate) fn new(
        body: reqwest::Body,
        quota: Arc<Quota>,
        between: Duration,
        connection: OwnedSemaphorePermit,
    ) -> Self {
        let silence = Box::pin(tokio::time::sleep(between));
        Self {
            body,
            quota,
            between,
            silence,
            waiting: false,
            _connection: connection,
        }
    }
}

impl Body for Download {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        match Pin::new(&mut self.body).poll_frame(cx) {
            Poll::Pending => {
                // Silence is counted while somebody waits: a guest that takes its time is not the service's silence.
                if !self.waiting {
                    self.waiting = true;
                    let deadline = Instant::now() + self.between;
                    self.silence.as_mut().reset(deadline);
                }
                ready!(self.silence.as_mut().poll(cx));
                Poll::Ready(Some(Err(Error::ConnectionReadTimeout)))
            }
            Poll::Ready(None) => Poll::Ready(None),
            Poll::Ready(Some(Err(_))) => Poll::Ready(Some(Err(Error::HttpResponseIncomplete))),
            Poll::Ready(Some(Ok(frame))) => {
                self.waiting = false;
                let size = frame.data_ref().map_or(0, |bytes| bytes.len() as u64);
                match self.quota.count_received(size) {
                    Ok(()) => Poll::Ready(Some(Ok(frame))),
                    Err(total) => Poll::Ready(Some(Err(Error::HttpResponseBodySize(Some(total))))),
                }
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
