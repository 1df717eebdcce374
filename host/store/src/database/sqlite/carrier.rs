//! Brings pages from the log to their places while the writer goes on.
//!
//! SQLite has the writer do it, after the commit that makes the log a thousand pages long: the larger the database, the more places
//! that is, and the longer those wait who come next. Here a thread with a connection of its own does it. What it cannot do is begin the
//! log anew, for new pages come all the time: the writer brings the last few, when the log is long and few are left.

use std::path::Path;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::JoinHandle;

use rusqlite::{Connection, OpenFlags};

use super::DatabaseError;

/// Pages that are worth a round.
const ROUND: i64 = 1000;
/// Rounds in a row: each leaves what came meanwhile, which is less each time.
const ROUNDS: usize = 4;
/// Pages that the writer brings itself.
const FEW: i64 = 250;
/// Pages of a log that is begun anew when few are left, 16 MiB.
const LONG: i64 = 4000;
/// Pages of a log that is begun anew however many are left, 64 MiB: the thread does not keep up.
const TOO_LONG: i64 = 16_000;

/// The thread. It ends with the value, when it has ended what it is about.
pub(super) struct Carrier {
    bell: Option<SyncSender<()>>,
    thread: Option<JoinHandle<()>>,
}

/// How many pages the log has, and how many of them are not in their places.
struct Log {
    pages: i64,
    left: i64,
}

impl Log {
    fn after(connection: &Connection, checkpoint: &str) -> rusqlite::Result<Self> {
        connection.prepare_cached(checkpoint)?.query_row([], |row| {
            let (pages, brought): (i64, i64) = (row.get(1)?, row.get(2)?);
            Ok(Self {
                pages,
                left: pages - brought,
            })
        })
    }

    fn look(connection: &Connection) -> rusqlite::Result<Self> {
        Self::after(connection, "PRAGMA wal_checkpoint(NOOP)")
    }

    /// Waits for nobody, and nobody waits for it.
    fn bring(connection: &Connection) -> rusqlite::Result<Self> {
        Self::after(connection, "PRAGMA wal_checkpoint(PASSIVE)")
    }
}

impl Carrier {
    /// For the writer with this connection.
    pub(super) fn start(path: &Path, writer: &Connection) -> Result<Self, DatabaseError> {
        writer.pragma_update(None, "wal_autocheckpoint", 0)?;
        let flags = OpenFlags::SQLITE_OPEN_NO_MUTEX | OpenFlags::SQLITE_OPEN_READ_WRITE;
        let connection = Connection::open_with_flags(path, flags)?;
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
        })
    }

    /// There was a commit of this connection.
    pub(super) fn committed(&self, writer: &Connection) -> rusqlite::Result<()> {
        let log = Log::look(writer)?;
        if log.pages >= TOO_LONG || log.pages >= LONG && log.left <= FEW {
            Log::bring(writer)?;
        } else if log.left >= ROUND
            && let Some(bell) = &self.bell
        {
            // When a round is due already, it takes this commit along.
            let _due_already = bell.try_send(());
        }
        Ok(())
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

fn carry(connection: &Connection, rings: &Receiver<()>) {
    let mut told = false;
    while rings.recv().is_ok() {
        for _ in 0..ROUNDS {
            match Log::bring(connection) {
                Ok(log) => {
                    told = false;
                    if log.left <= FEW {
                        break;
                    }
                }
                Err(error) => {
                    // A full disk, say. It is tried again at the next commit, and told once.
                    if !told {
                        tracing::warn!(%error, "the database's log grows: its pages could not be brought to their places");
                    }
                    told = true;
                    break;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use super::*;

    struct Written {
        carrier: Carrier,
        connection: Connection,
        _folder: tempfile::TempDir,
    }

    impl Written {
        fn new() -> Self {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("budstikke.db");
            let connection = Connection::open(&path).unwrap();
            connection.pragma_update(None, "journal_mode", "WAL").unwrap();
            connection
                .execute_batch("CREATE TABLE page (content BLOB NOT NULL)")
                .unwrap();
            Self {
                carrier: Carrier::start(&path, &connection).unwrap(),
                connection,
                _folder: folder,
            }
        }

        /// A commit of about a hundred pages.
        fn commit(&self) -> Log {
            self.connection.execute_batch("BEGIN IMMEDIATE").unwrap();
            for _ in 0..100 {
                self.connection
                    .execute("INSERT INTO page VALUES (zeroblob(4000))", [])
                    .unwrap();
            }
            self.connection.execute_batch("COMMIT").unwrap();
            self.carrier.committed(&self.connection).unwrap();
            Log::look(&self.connection).unwrap()
        }
    }

    /// Older ones can damage a database when one connection begins the log anew while another brings pages
    /// (<https://sqlite.org/wal.html#walresetbug>).
    #[test]
    fn sqlite_is_one_that_bears_two_who_bring_pages() {
        assert!(rusqlite::version_number() >= 3_051_003, "{}", rusqlite::version());
    }

    #[test]
    fn pages_come_to_their_places_without_the_writer() {
        let written = Written::new();
        let mut commits = 1;
        while written.commit().left < ROUND && commits < 100 {
            commits += 1;
        }
        let begun = Instant::now();
        while Log::look(&written.connection).unwrap().left > FEW {
            assert!(begun.elapsed() < Duration::from_secs(30), "nobody brings them");
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    #[test]
    fn the_log_is_begun_anew_however_fast_pages_come() {
        let written = Written::new();
        let (mut longest, mut anew) = (0, 0);
        let mut before = 0;
        for _ in 0..400 {
            let pages = written.commit().pages;
            anew += usize::from(pages < before);
            longest = longest.max(pages);
            before = pages;
        }
        assert!(anew > 0, "{longest} pages");
        // While a round is under way the writer cannot begin it anew, so it may be longer for a moment.
        assert!(longest < 2 * TOO_LONG, "{longest} pages");
        let rows: i64 = written
            .connection
            .query_row("SELECT count(*) FROM page", [], |row| row.get(0))
            .unwrap();
        assert_eq!(rows, 40_000);
        let whole: String = written
            .connection
            .query_row("PRAGMA integrity_check", [], |row| row.get(0))
            .unwrap();
        assert_eq!(whole, "ok");
    }
}
