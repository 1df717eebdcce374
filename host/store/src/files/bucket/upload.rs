//! A file on its way into the bucket.

use std::collections::VecDeque;
use std::io::{self, Read, Seek, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread;
use std::time::Instant;

use object_store::path::Path as Key;
use object_store::{MultipartUpload, ObjectStoreExt, PutPayload};
use tempfile::SpooledTempFile;

use super::super::name::label;
use super::super::place::Draft;
use super::pending::Pending;
use super::refusal::Refusal;
use super::{Connection, spool_error};

/// Up to this many bytes are gathered in memory.
const IN_MEMORY: usize = 1024 * 1024;
/// Up to this many bytes go in one request.
const WHOLE: u64 = 16 * 1024 * 1024;
/// Bytes of a part of a larger upload.
const PART: u64 = 8 * 1024 * 1024;
/// The services count no further.
const PARTS: u64 = 10_000;
/// Parts that are under way, each in memory.
const AT_ONCE: usize = 3;

/// Bytes that wait for their name. The file below has none either: it goes with the process, however that ends.
pub(super) struct Gathering {
    connection: Arc<Connection>,
    spool: PathBuf,
    file: SpooledTempFile,
    size: u64,
}

impl Gathering {
    pub(super) fn new(connection: Arc<Connection>, spool: &Path) -> Self {
        Self {
            connection,
            spool: spool.to_owned(),
            file: tempfile::spooled_tempfile_in(IN_MEMORY, spool),
            size: 0,
        }
    }

    /// One try, from the first byte.
    fn send(&mut self, key: &Key) -> Result<(), Trouble> {
        self.file.rewind()?;
        if self.size > WHOLE {
            return self.send_in_parts(key);
        }
        let content = self.take(WHOLE)?;
        let (store, key) = (self.connection.store.clone(), key.clone());
        self.wait(async move { store.put(&key, content).await.map(drop) })
    }

    fn send_in_parts(&mut self, key: &Key) -> Result<(), Trouble> {
        let (store, key) = (self.connection.store.clone(), key.clone());
        let mut upload = self.wait(async move { store.put_multipart(&key).await })?;
        match self.send_parts(upload.as_mut()) {
            Ok(()) => self.complete(upload),
            Err(trouble) => {
                self.abort(upload);
                Err(trouble)
            }
        }
    }

    fn send_parts(&mut self, upload: &mut dyn MultipartUpload) -> Result<(), Trouble> {
        let mut under_way = VecDeque::new();
        let sent = self.start_parts(upload, &mut under_way);
        // Also after an error: a part that arrives behind the upload's end would stay in the bucket.
        under_way.into_iter().map(settle).fold(sent, Result::and)
    }

    fn start_parts(
        &mut self,
        upload: &mut dyn MultipartUpload,
        under_way: &mut VecDeque<Pending<object_store::Result<()>>>,
    ) -> Result<(), Trouble> {
        let length = PART.max(self.size.div_ceil(PARTS));
        loop {
            let part = self.take(length)?;
            if part.content_length() == 0 {
                return Ok(());
            }
            if under_way.len() == AT_ONCE
                && let Some(oldest) = under_way.pop_front()
            {
                settle(oldest)?;
            }
            under_way.push_back(Pending::start(&self.connection.runtime, upload.put_part(part)));
        }
    }

    fn complete(&self, mut upload: Box<dyn MultipartUpload>) -> Result<(), Trouble> {
        let work = async move { (upload.complete().await.map(drop), upload) };
        let (completed, upload) = Pending::start(&self.connection.runtime, work).wait()?;
        if completed.is_err() {
            self.abort(upload);
        }
        Ok(completed?)
    }

    /// The error that led here is the one to tell of.
    fn abort(&self, mut upload: Box<dyn MultipartUpload>) {
        let aborted = self.wait(async move { upload.abort().await });
        if let Err(trouble) = aborted
            && !trouble.is_missing()
        {
            let error = trouble.told(&self.connection, "an upload cannot be aborted");
            tracing::warn!(%error, "parts of an upload stay in the bucket until its rule for incomplete uploads removes them");
        }
    }

    /// The next bytes, fewer only at the end.
    fn take(&mut self, most: u64) -> io::Result<PutPayload> {
        let mut bytes = Vec::with_capacity(usize::try_from(most.min(self.size)).unwrap_or(0));
        (&mut self.file)
            .take(most)
            .read_to_end(&mut bytes)
            .map_err(|error| spool_error(&self.spool, &error))?;
        Ok(bytes.into())
    }

    fn wait<T: Send + 'static>(
        &self,
        work: impl Future<Output = object_store::Result<T>> + Send + 'static,
    ) -> Result<T, Trouble> {
        settle(Pending::start(&self.connection.runtime, work))
    }
}

impl Draft for Gathering {
    fn keep(mut self: Box<Self>, name: &str) -> io::Result<()> {
        let key = self.connection.key(name)?;
        let connection = Arc::clone(&self.connection);
        let patience = &connection.patience;
        let began = Instant::now();
        let mut uploads = 1;
        loop {
            let Err(trouble) = self.send(&key) else {
                return Ok(());
            };
            let again = uploads < patience.uploads && began.elapsed() < patience.altogether && trouble.is_temporary();
            let error = trouble.told(&connection, &format!("{} cannot be kept", label(name)));
            if !again {
                return Err(error);
            }
            uploads += 1;
            tracing::warn!(%error, "the upload begins anew");
            thread::sleep(patience.longest_wait);
        }
    }
}

impl Write for Gathering {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let taken = self
            .file
            .write(bytes)
            .map_err(|error| spool_error(&self.spool, &error))?;
        self.size += taken as u64;
        Ok(taken)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn settle<T: Send + 'static>(pending: Pending<object_store::Result<T>>) -> Result<T, Trouble> {
    Ok(pending.wait()??)
}

/// Why a try failed.
enum Trouble {
    Here(io::Error),
    There(Refusal),
}

impl Trouble {
    fn is_temporary(&self) -> bool {
        match self {
            Self::Here(_) => false,
            Self::There(refusal) => refusal.is_temporary(),
        }
    }

    fn is_missing(&self) -> bool {
        matches!(self, Self::There(refusal) if refusal.is_missing())
    }

    fn told(self, connection: &Connection, what: &str) -> io::Error {
        match self {
            Self::Here(error) => error,
            Self::There(refusal) => refusal.at(&connection.label, what),
        }
    }
}

impl From<io::Error> for Trouble {
    fn from(error: io::Error) -> Self {
        Self::Here(error)
    }
}

impl From<object_store::Error> for Trouble {
    fn from(error: object_store::Error) -> Self {
        Self::There(Refusal::new(&error))
    }
}
