//! Brings pages from the log to their places while the writer goes on.
//!
//! SQLite has the writer do it, after the commit that makes the log a thousand pages long: the larger the database, the more places
//! that is, and the longer those wait who come next. A thread with a connection of its own has done nearly all of it by then; the
//! writer brings the rest and begins the log anew.

use std::path::Path;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use rusqlite::OpenFlags;

use super::DatabaseError;

/// Between two rounds. A page that was changed twice in that time is brought once.
const PAUSE: Duration = Duration::from_millis(100);

pub(super) struct Carrier {
    bell: Option<SyncSender<()>>,
    thread: Option<JoinHandle<()>>,
    rung: Instant,
}

impl Carrier {
    pub(super) fn start(path: &Path) -> Result<Self, DatabaseError> {
        let flags = OpenFlags::SQLITE_OPEN_NO_MUTEX | OpenFlags::SQLITE_OPEN_READ_WRITE;
        let connection = rusqlite::Connection::open_with_flags(path, flags)?;
        // As the writer's: what has left the log is on disk.
        connection.pragma_update(None, "synchronous", "FULL")?;
        let (bell, rings) = sync_channel(1);
        let thread = std::thread::Builder::new()
            .name("store-log".into())
            .spawn(move || carry(&connection, &rings))
            .map_err(|error| DatabaseError::Other(error.to_string()))?;
        Ok(Self {
            bell: Some(bell),
            thread: Some(thread),
            rung: Instant::now(),
        })
    }

    /// There was a commit.
    pub(super) fn wake(&mut self) {
        if self.rung.elapsed() < PAUSE {
            return;
        }
        self.rung = Instant::now();
        if let Some(bell) = &self.bell {
            // When a round is due already, it will take this commit along.
            let _due_already = bell.try_send(());
        }
    }
}

impl Drop for Carrier {
    fn drop(&mut self) {
        self.bell = None;
        if let Some(thread) = self.thread.take() {
            let _ended = thread.join();
        }
    }
}

fn carry(connection: &rusqlite::Connection, rings: &Receiver<()>) {
    while rings.recv().is_ok() {
        // It waits for nobody and nobody waits for it. What it leaves, the writer brings.
        if let Err(error) = connection.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |_| Ok(())) {
            tracing::warn!(%error, "the database's log could not be brought to its places; the writer does it");
        }
    }
}
