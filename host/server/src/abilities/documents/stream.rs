//! Between readers that block and readers that do not.

use std::io::{self, Read, Write};

use budstikke_runtime::services::ByteReader;
use bytes::Bytes;
use tokio::sync::mpsc;
use tokio_util::io::StreamReader;

/// Bytes that are handed on at a time between threads.
pub(super) const PIECE: usize = 256 * 1024;
/// Pieces that wait between the thread that makes them and the one that takes them.
const WAITING: usize = 2;

/// Copies in pieces that suit ciphers and disks.
pub fn copy(from: &mut dyn Read, to: &mut dyn Write) -> io::Result<()> {
    let mut buffer = vec![0; 64 * 1024];
    loop {
        match from.read(&mut buffer) {
            Ok(0) => return Ok(()),
            Ok(count) => to.write_all(buffer.get(..count).unwrap_or_default())?,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

/// What `make` writes on a blocking thread, to read here. An error of `make` is an error at the end of the stream.
pub fn made_by(make: impl FnOnce(&mut dyn Write) -> io::Result<()> + Send + 'static) -> ByteReader {
    let (sender, receiver) = mpsc::channel::<io::Result<Bytes>>(WAITING);
    tokio::task::spawn_blocking(move || {
        let mut out = Pieces {
            sender,
            buffer: Vec::new(),
        };
        let made = make(&mut out).and_then(|()| out.flush());
        if let Err(error) = made
            && error.kind() != io::ErrorKind::BrokenPipe
        {
            // When the reader has gone nobody wants to know.
            let _gone = out.sender.blocking_send(Err(error));
        }
    });
    let pieces = futures::stream::unfold(receiver, |mut receiver| async move {
        receiver.recv().await.map(|piece| (piece, receiver))
    });
    Box::pin(StreamReader::new(Box::pin(pieces)))
}

struct Pieces {
    sender: mpsc::Sender<io::Result<Bytes>>,
    buffer: Vec<u8>,
}

impl Write for Pieces {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.buffer.extend_from_slice(bytes);
        if self.buffer.len() >= PIECE {
            self.flush()?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        if self.buffer.is_empty() {
            return Ok(());
        }
        let piece = std::mem::take(&mut self.buffer);
        self.sender
            .blocking_send(Ok(piece.into()))
            .map_err(|_| io::ErrorKind::BrokenPipe.into())
    }
}

/// A blocking reader to read here: a thread is borrowed for each piece, and none is held while nobody reads.
pub fn read_on_demand(reader: Box<dyn Read + Send>) -> ByteReader {
    let pieces = futures::stream::try_unfold(reader, |mut reader| async move {
        let (piece, reader) = blocking(move || {
            let mut piece = Vec::with_capacity(PIECE);
            (&mut reader).take(PIECE as u64).read_to_end(&mut piece)?;
            Ok((piece, reader))
        })
        .await?;
        Ok::<_, io::Error>((!piece.is_empty()).then(|| (Bytes::from(piece), reader)))
    });
    Box::pin(StreamReader::new(Box::pin(pieces)))
}

/// Runs something that blocks.
pub async fn blocking<T: Send + 'static>(work: impl FnOnce() -> io::Result<T> + Send + 'static) -> io::Result<T> {
    tokio::task::spawn_blocking(work).await.map_err(io::Error::other)?
}
