//! The content of documents and spools as `wasi:io` streams.
//!
//! The stock adapters copy 64 KiB at a time through a task and a channel. These read and write in the call itself, in
//! chunks that make one crossing of the border per 256 KiB, and never hold more than one chunk.

use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};

use bytes::{Buf as _, Bytes, BytesMut};
use wasmtime_wasi::async_trait;
use wasmtime_wasi::p2::{InputStream, OutputStream, Pollable, StreamError, StreamResult};

use crate::services::{ByteReader, ByteWriter};

/// Bytes that are moved at once.
pub(crate) const CHUNK: usize = 256 << 10;

/// A document's content on its way into the guest or into another stream.
pub(crate) struct DocumentStream {
    reader: ByteReader,
    buffer: BytesMut,
    end: End,
}

enum End {
    NotYet,
    Failed(io::Error),
    Closed,
}

impl DocumentStream {
    pub(crate) fn new(reader: ByteReader) -> Self {
        Self {
            reader,
            buffer: BytesMut::new(),
            end: End::NotYet,
        }
    }

    /// Ready when there is something to give: bytes, an error or the end.
    fn poll_fill(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        while matches!(self.end, End::NotYet) && self.buffer.len() < CHUNK {
            if self.buffer.is_empty() {
                self.buffer.reserve(CHUNK);
            }
            match tokio_util::io::poll_read_buf(self.reader.as_mut(), cx, &mut self.buffer) {
                Poll::Pending if self.buffer.is_empty() => return Poll::Pending,
                Poll::Pending => break,
                Poll::Ready(Ok(0)) => self.end = End::Closed,
                Poll::Ready(Ok(_)) => {}
                Poll::Ready(Err(error)) => self.end = End::Failed(error),
            }
        }
        Poll::Ready(())
    }
}

#[async_trait]
impl InputStream for DocumentStream {
    fn read(&mut self, size: usize) -> StreamResult<Bytes> {
        if self.buffer.is_empty() {
            let mut cx = Context::from_waker(futures::task::noop_waker_ref());
            if self.poll_fill(&mut cx).is_pending() {
                return Ok(Bytes::new());
            }
        }
        if !self.buffer.is_empty() {
            let size = size.min(self.buffer.len());
            return Ok(self.buffer.split_to(size).freeze());
        }
        match std::mem::replace(&mut self.end, End::Closed) {
            End::Failed(error) => Err(StreamError::LastOperationFailed(wasmtime::Error::new(error))),
            End::NotYet | End::Closed => Err(StreamError::Closed),
        }
    }
}

#[async_trait]
impl Pollable for DocumentStream {
    async fn ready(&mut self) {
        if self.buffer.is_empty() {
            std::future::poll_fn(|cx| self.poll_fill(cx)).await;
        }
    }
}

/// How the writing of a spool went, told to `spool.finish`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Writing {
    /// The writer is still in the guest's hands.
    Open,
    /// Everything is written.
    Done,
    /// Bytes are missing.
    Failed(String),
}

/// The writing end of a spool.
pub(crate) struct SpoolStream {
    writer: ByteWriter,
    /// Accepted and not yet written.
    pending: Bytes,
    flush: bool,
    left: u64,
    limit: u64,
    writing: Arc<Mutex<Writing>>,
}

impl SpoolStream {
    pub(crate) fn new(writer: ByteWriter, limit: u64, writing: Arc<Mutex<Writing>>) -> Self {
        Self {
            writer,
            pending: Bytes::new(),
            flush: false,
            left: limit,
            limit,
            writing,
        }
    }

    fn accept(&mut self, bytes: Bytes) -> StreamResult<()> {
        self.still_good()?;
        let len = bytes.len() as u64;
        if len > self.left {
            let reason = format!("larger than the {} bytes that a download may have", self.limit);
            return Err(self.fail(io::Error::new(io::ErrorKind::FileTooLarge, reason)));
        }
        self.left -= len;
        self.pending = bytes;
        Ok(())
    }

    fn still_good(&self) -> StreamResult<()> {
        match &*self.writing.lock().unwrap_or_else(PoisonError::into_inner) {
            Writing::Failed(_) => Err(StreamError::Closed),
            Writing::Open | Writing::Done => Ok(()),
        }
    }

    fn fail(&mut self, error: io::Error) -> StreamError {
        self.pending.clear();
        self.tell(Writing::Failed(error.to_string()));
        StreamError::LastOperationFailed(wasmtime::Error::new(error))
    }

    fn tell(&self, writing: Writing) {
        *self.writing.lock().unwrap_or_else(PoisonError::into_inner) = writing;
    }

    fn poll_drain(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while !self.pending.is_empty() {
            let written = ready!(self.writer.as_mut().poll_write(cx, &self.pending))?;
            if written == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            self.pending.advance(written);
        }
        if self.flush {
            ready!(self.writer.as_mut().poll_flush(cx))?;
            self.flush = false;
        }
        Poll::Ready(Ok(()))
    }

    async fn drain(&mut self) -> StreamResult<()> {
        match std::future::poll_fn(|cx| self.poll_drain(cx)).await {
            Ok(()) => Ok(()),
            Err(error) => Err(self.fail(error)),
        }
    }
}

#[async_trait]
impl OutputStream for SpoolStream {
    fn write(&mut self, bytes: Bytes) -> StreamResult<()> {
        if !self.pending.is_empty() || bytes.len() > CHUNK {
            return Err(StreamError::trap("wrote more than check-write allowed"));
        }
        self.accept(bytes)
    }

    fn flush(&mut self) -> StreamResult<()> {
        self.still_good()?;
        self.flush = true;
        Ok(())
    }

    fn check_write(&mut self) -> StreamResult<usize> {
        self.still_good()?;
        let mut cx = Context::from_waker(futures::task::noop_waker_ref());
        match self.poll_drain(&mut cx) {
            Poll::Pending => Ok(0),
            Poll::Ready(Ok(())) => Ok(CHUNK),
            Poll::Ready(Err(error)) => Err(self.fail(error)),
        }
    }

    /// Also the second half of a splice. Written through, and flushed once at the end: nobody can see a spool before
    /// it is finished.
    async fn blocking_write_and_flush(&mut self, bytes: Bytes) -> StreamResult<()> {
        self.drain().await?;
        self.accept(bytes)?;
        self.drain().await
    }

    async fn write_ready(&mut self) -> StreamResult<usize> {
        self.still_good()?;
        self.drain().await?;
        Ok(CHUNK)
    }

    /// The guest has dropped the writer. What cannot be written now is told by `finish`.
    async fn cancel(&mut self) {
        if self.still_good().is_err() || self.drain().await.is_err() {
            return;
        }
        let shut = std::future::poll_fn(|cx| Pin::as_mut(&mut self.writer).poll_shutdown(cx)).await;
        match shut {
            Ok(()) => self.tell(Writing::Done),
            Err(error) => drop(self.fail(error)),
        }
    }
}

#[async_trait]
impl Pollable for SpoolStream {
    async fn ready(&mut self) {
        // An error is remembered and told by the next `check-write`.
        drop(self.drain().await);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::AsyncReadExt as _;

    fn writing() -> Arc<Mutex<Writing>> {
        Arc::new(Mutex::new(Writing::Open))
    }

    #[tokio::test]
    async fn a_document_is_read_in_large_chunks() {
        let content = vec![7u8; 3 * CHUNK + 5];
        let mut stream = DocumentStream::new(Box::pin(std::io::Cursor::new(content.clone())));
        let (mut read, mut chunks) = (Vec::new(), 0);
        while let Ok(bytes) = stream.blocking_read(usize::MAX).await {
            read.extend_from_slice(&bytes);
            chunks += 1;
        }
        assert_eq!(read, content);
        assert_eq!(chunks, 4);
    }

    #[tokio::test]
    async fn an_error_comes_after_the_bytes_before_it() {
        let broken = tokio_test_reader(b"half", io::ErrorKind::UnexpectedEof);
        let mut stream = DocumentStream::new(Box::pin(broken));
        assert_eq!(stream.blocking_read(100).await.unwrap(), "half");
        assert!(matches!(
            stream.blocking_read(100).await,
            Err(StreamError::LastOperationFailed(_))
        ));
        assert!(matches!(stream.blocking_read(100).await, Err(StreamError::Closed)));
    }

    fn tokio_test_reader(bytes: &'static [u8], error: io::ErrorKind) -> impl tokio::io::AsyncRead + Send {
        let chunks = futures::stream::iter([Ok(Bytes::from_static(bytes)), Err(io::Error::from(error))]);
        tokio_util::io::StreamReader::new(chunks)
    }

    #[tokio::test]
    async fn a_spool_that_grows_over_its_limit_fails_and_stays_failed() {
        let outcome = writing();
        let mut stream = SpoolStream::new(Box::pin(Vec::new_in_cursor()), 10, outcome.clone());
        stream
            .blocking_write_and_flush(Bytes::from_static(b"0123456789"))
            .await
            .unwrap();
        assert!(stream.blocking_write_and_flush(Bytes::from_static(b"x")).await.is_err());
        assert!(matches!(stream.check_write(), Err(StreamError::Closed)));
        stream.cancel().await;
        assert!(matches!(&*outcome.lock().unwrap(), Writing::Failed(_)));
    }

    #[tokio::test]
    async fn a_slow_disk_holds_the_guest_back() {
        let (near, mut far) = tokio::io::duplex(64);
        let outcome = writing();
        let mut stream = SpoolStream::new(Box::pin(near), 1 << 20, outcome.clone());
        assert_eq!(stream.check_write().unwrap(), CHUNK);
        stream.write(Bytes::from(vec![1; 100])).unwrap();
        assert_eq!(stream.check_write().unwrap(), 0);
        let reading = tokio::spawn(async move {
            let mut all = Vec::new();
            far.read_to_end(&mut all).await.unwrap();
            all.len()
        });
        stream.ready().await;
        assert_eq!(stream.check_write().unwrap(), CHUNK);
        stream.cancel().await;
        assert_eq!(*outcome.lock().unwrap(), Writing::Done);
        drop(stream);
        assert_eq!(reading.await.unwrap(), 100);
    }

    trait NewInCursor {
        fn new_in_cursor() -> std::io::Cursor<Vec<u8>>;
    }
    impl NewInCursor for Vec<u8> {
        fn new_in_cursor() -> std::io::Cursor<Vec<u8>> {
            std::io::Cursor::new(Self::new())
        }
    }
}
