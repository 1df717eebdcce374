//! One writer for the whole process.
//!
//! SQLite has one writer at a time anyway. A thread of its own takes what is waiting, runs each piece in a savepoint, commits
//! once for all of them and answers only then: every caller gets the durability of its own commit at the price of a
//! shared one. An error in one piece rolls back that piece alone.

use std::sync::mpsc;
use std::thread::JoinHandle;

use rusqlite::Connection;
use tokio::sync::oneshot;

use super::StoreError;

/// How many pieces share one commit at most. Bounds the wait of the first.
const BATCH: usize = 256;

type Answer = Box<dyn FnOnce(Option<StoreError>) + Send>;
/// Runs with the connection of an open transaction, or is told that there is none.
type Job = Box<dyn FnOnce(Option<&Connection>) -> Ran + Send>;

/// A piece that has run and waits for the commit.
struct Ran {
    answer: Answer,
    disk_full: bool,
}

/// The door to the writer thread.
pub(crate) struct Writer {
    jobs: Option<mpsc::Sender<Job>>,
    thread: Option<JoinHandle<()>>,
}

impl Writer {
    pub(crate) fn start(connection: Connection) -> Result<Self, StoreError> {
        let (jobs, inbox) = mpsc::channel::<Job>();
        let thread = std::thread::Builder::new()
            .name("store-writer".into())
            .spawn(move || run(&connection, &inbox))
            .map_err(|error| StoreError::Closed(error.to_string()))?;
        Ok(Self {
            jobs: Some(jobs),
            thread: Some(thread),
        })
    }

    /// Runs `work` in the writer and returns its result when it is on disk.
    pub(crate) async fn write<T, F>(&self, work: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> Result<T, StoreError> + Send + 'static,
    {
        let (sender, receiver) = oneshot::channel();
        let job: Job = Box::new(move |connection| {
            let result = match connection {
                Some(connection) => in_savepoint(connection, work),
                None => Err(StoreError::Closed("no transaction could be started".into())),
            };
            let disk_full = result.as_ref().is_err_and(StoreError::is_disk_full);
            let answer: Answer = Box::new(move |commit_error| {
                // A caller that has gone away needs no answer; its work is done all the same.
                let _gone = sender.send(match commit_error {
                    Some(error) => Err(error),
                    None => result,
                });
            });
            Ran { answer, disk_full }
        });
        let jobs = self
            .jobs
            .as_ref()
            .ok_or_else(|| StoreError::Closed("the store is shut".into()))?;
        jobs.send(job)
            .map_err(|_| StoreError::Closed("the writer has stopped".into()))?;
        receiver
            .await
            .map_err(|_| StoreError::Closed("the writer stopped before it answered".into()))?
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.jobs = None;
        if let Some(thread) = self.thread.take() {
            // The thread ends when it has committed what was waiting.
            let _ended = thread.join();
        }
    }
}

fn in_savepoint<T>(
    connection: &Connection,
    work: impl FnOnce(&Connection) -> Result<T, StoreError>,
) -> Result<T, StoreError> {
    connection.execute_batch("SAVEPOINT piece")?;
    match work(connection) {
        Ok(value) => {
            connection.execute_batch("RELEASE piece")?;
            Ok(value)
        }
        Err(error) => {
            // A full disk has rolled back everything already, the savepoint with it.
            if !connection.is_autocommit() {
                connection.execute_batch("ROLLBACK TO piece; RELEASE piece")?;
            }
            Err(error)
        }
    }
}

fn run(connection: &Connection, inbox: &mpsc::Receiver<Job>) {
    while let Ok(first) = inbox.recv() {
        let began = connection.execute_batch("BEGIN IMMEDIATE");
        let mut batch = Vec::new();
        let mut next = Some(first);
        while let Some(job) = next {
            // Without a transaction every piece would commit by itself: refuse them all instead.
            batch.push(job(began.is_ok().then_some(connection)));
            let lost = began.is_ok() && connection.is_autocommit();
            next = if lost || batch.len() == BATCH {
                None
            } else {
                inbox.try_recv().ok()
            };
        }
        // Some errors, a full disk among them, make SQLite roll back the whole transaction on the spot.
        let error = match began {
            Err(error) => Some(error),
            Ok(()) => connection.execute_batch("COMMIT").err(),
        };
        let Some(error) = error else {
            for ran in batch {
                (ran.answer)(None);
            }
            continue;
        };
        let full = StoreError::from_commit(&error).is_disk_full() || batch.iter().any(|ran| ran.disk_full);
        tracing::error!(%error, full, pieces = batch.len(), "a commit failed; nothing of it was stored");
        if !connection.is_autocommit()
            && let Err(error) = connection.execute_batch("ROLLBACK")
        {
            tracing::error!(%error, "the failed commit could not be rolled back");
        }
        for ran in batch {
            (ran.answer)(Some(if full {
                StoreError::DiskFull
            } else {
                StoreError::from_commit(&error)
            }));
        }
    }
}
