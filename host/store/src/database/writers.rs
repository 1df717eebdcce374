//! Those who change the database.
//!
//! Each writer is a thread with a connection of its own. It takes the pieces that are waiting, runs one after the other in one
//! transaction, commits once for all of them and answers only then: every caller gets the durability of its own commit at
//! the price of a shared one.
//!
//! A piece can be run more than once, so it is a function that can be called again. When one fails after it has changed something,
//! the transaction is taken back, the others run again together and the failed one alone. When the connection is lost, everything
//! runs again on a new one; when it was lost during the commit, the database is asked first whether the commit took place.
//!
//! Pieces of a kind that can be run [`together`] become one while they wait; when it fails, each of them is run alone.

#[cfg(test)]
mod tests;
mod together;

use std::any::Any;
use std::sync::{Arc, Condvar, Mutex, PoisonError, mpsc};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use tokio::sync::oneshot;

use super::{Backend, Commit, Connection, DatabaseError};
use crate::StoreError;
use together::Company;
pub(crate) use together::Together;

/// Pauses between attempts to reach the database.
const PAUSE: Duration = Duration::from_millis(200);
/// Hints to other nodes are at least so far apart.
const HINTS: Duration = Duration::from_millis(100);
/// How long a writer's statements may keep the next one waiting.
const SLOW: Duration = Duration::from_millis(20);
/// Under load: how long the first piece waits for others that share its commit.
const COMPANY: Duration = Duration::from_millis(1);
/// Pieces of the commit before, from which on there is load.
const LOAD: usize = 4;
/// How often a piece that met another transaction is tried again.
const CONFLICTS: u32 = 20;

/// A piece of work that waits for its turn.
trait Job: Send {
    /// Runs it; the result is kept for the answer.
    fn run(&mut self, connection: &Connection) -> Ran;
    /// Answers with the result, or with what happened to all.
    fn answer(self: Box<Self>, failure: Option<StoreError>);
    /// Takes another piece in, and leaves it empty. False: it is of another kind, or there are enough.
    fn join(&mut self, _other: &mut dyn Job) -> bool {
        false
    }
    /// How many pieces it was made of.
    fn size(&self) -> usize {
        1
    }
    /// The pieces that it was made of.
    fn part(self: Box<Self>) -> Waiting;
    /// For [`Job::join`].
    fn as_any(&mut self) -> &mut dyn Any;
}

/// How a piece came out.
enum Ran {
    /// Its changes, if any, are to be committed.
    Done,
    /// It found a reason not to, such as a message that is not there.
    Refused,
    /// The database did not let it.
    Broken(DatabaseError),
}

struct Piece<T, F> {
    work: F,
    result: Option<Result<T, StoreError>>,
    caller: oneshot::Sender<Result<T, StoreError>>,
}

impl<T, F> Job for Piece<T, F>
where
    T: Send + 'static,
    F: Fn(&Connection) -> Result<T, StoreError> + Send + 'static,
{
    fn run(&mut self, connection: &Connection) -> Ran {
        let result = (self.work)(connection);
        match (connection.failure(), result) {
            (None, result) => {
                let ran = if result.is_ok() { Ran::Done } else { Ran::Refused };
                self.result = Some(result);
                ran
            }
            (Some(failure), result) => {
                // Whatever the work made of the error, it cannot have succeeded.
                let error = result.err().unwrap_or_else(|| StoreError::Database(failure.clone()));
                self.result = Some(Err(error));
                Ran::Broken(failure)
            }
        }
    }

    fn answer(self: Box<Self>, failure: Option<StoreError>) {
        let answer = match (failure, self.result) {
            (None, Some(result)) => result,
            (Some(failure), _) => Err(failure),
            (None, None) => Err(StoreError::Closed("the work was never run".into())),
        };
        // A caller that has gone away needs no answer; its work is done all the same.
        let _gone = self.caller.send(answer);
    }

    fn part(self: Box<Self>) -> Waiting {
        vec![self]
    }

    fn as_any(&mut self) -> &mut dyn Any {
        self
    }
}

type Waiting = Vec<Box<dyn Job>>;
type Inbox = Arc<Mutex<mpsc::Receiver<Box<dyn Job>>>>;

/// The door to the writers.
pub(crate) struct Writers {
    jobs: Option<mpsc::Sender<Box<dyn Job>>>,
    threads: Vec<JoinHandle<()>>,
}

impl Writers {
    /// Starts them. The first one takes over a connection that is open already.
    pub(crate) fn start(backend: &Arc<dyn Backend>, first: Connection) -> Result<Self, StoreError> {
        let (jobs, inbox) = mpsc::channel();
        let inbox: Inbox = Arc::new(Mutex::new(inbox));
        let mut first = Some(first);
        let turns = Arc::new(Turns::default());
        let mut threads = Vec::new();
        for number in 0..backend.writers().max(1) {
            let mut writer = Writer {
                backend: Arc::clone(backend),
                turns: Arc::clone(&turns),
                turn: None,
                connection: first.take(),
                hinted: None,
            };
            let inbox = Arc::clone(&inbox);
            let thread = std::thread::Builder::new()
                .name(format!("store-writer-{number}"))
                .spawn(move || writer.run(&inbox))
                .map_err(|error| StoreError::Closed(error.to_string()))?;
            threads.push(thread);
        }
        Ok(Self {
            jobs: Some(jobs),
            threads,
        })
    }

    /// Runs `work` and returns its result when it is on disk.
    pub(crate) async fn write<T, F>(&self, work: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: Fn(&Connection) -> Result<T, StoreError> + Send + 'static,
    {
        let (caller, answer) = oneshot::channel();
        let piece = Piece {
            work,
            result: None,
            caller,
        };
        self.wait_for(Box::new(piece), answer).await
    }

    /// The same for a piece that may be run together with others of its kind.
    pub(crate) async fn write_together<P: Together>(&self, piece: P) -> Result<P::Answer, StoreError> {
        let (caller, answer) = oneshot::channel();
        self.wait_for(Box::new(Company::of_one(piece, caller)), answer).await
    }

    async fn wait_for<T>(
        &self,
        job: Box<dyn Job>,
        answer: oneshot::Receiver<Result<T, StoreError>>,
    ) -> Result<T, StoreError> {
        let jobs = self
            .jobs
            .as_ref()
            .ok_or_else(|| StoreError::Closed("the store is shut".into()))?;
        jobs.send(job)
            .map_err(|_| StoreError::Closed("the writers have stopped".into()))?;
        answer
            .await
            .map_err(|_| StoreError::Closed("the writer stopped before it answered".into()))?
    }
}

impl Drop for Writers {
    fn drop(&mut self) {
        self.jobs = None;
        for thread in self.threads.drain(..) {
            // It ends when it has committed what was waiting.
            let _ended = thread.join();
        }
    }
}

/// How the attempt to commit a number of pieces ended.
enum Attempt {
    Committed,
    /// This one must be taken out: the others can go without it.
    Without(usize),
    /// Nothing was stored; the same again can succeed.
    Again(DatabaseError),
    /// Nothing was stored, for a reason that all share.
    Failed(DatabaseError),
    /// Nobody knows.
    Unclear(String),
}

/// How many writers run their statements. While one has its turn, pieces gather for the next: many that share statements and a commit
/// cost hardly more than one. Commits are waited for outside of turns.
#[derive(Default)]
struct Turns {
    taken: Mutex<usize>,
    free: Condvar,
}

impl Turns {
    /// Waits for a turn; a slow one does not hold up the others for long.
    fn take(self: &Arc<Self>) -> Turn {
        let taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        let waited = self.free.wait_timeout_while(taken, SLOW, |taken| *taken > 0);
        let (mut taken, _) = waited.unwrap_or_else(PoisonError::into_inner);
        *taken += 1;
        Turn(Arc::clone(self))
    }
}

/// Ends when it is dropped.
struct Turn(Arc<Turns>);

impl Drop for Turn {
    fn drop(&mut self) {
        *self.0.taken.lock().unwrap_or_else(PoisonError::into_inner) -= 1;
        self.0.free.notify_one();
    }
}

struct Writer {
    backend: Arc<dyn Backend>,
    turns: Arc<Turns>,
    turn: Option<Turn>,
    connection: Option<Connection>,
    /// When the others were told last that there is work.
    hinted: Option<Instant>,
}

impl Writer {
    fn run(&mut self, inbox: &Inbox) {
        let mut load = false;
        while let Some((waiting, turn)) = take(inbox, &self.turns, self.backend.batch(), load) {
            load = waiting.iter().map(|job| job.size()).sum::<usize>() >= LOAD;
            self.turn = Some(turn);
            self.commit(waiting);
            self.turn = None;
        }
    }

    /// Commits what can be committed together, then the rest one by one.
    fn commit(&mut self, mut together: Waiting) {
        let mut alone = Vec::new();
        self.settle(&mut together, &mut alone);
        for job in alone.into_iter().flat_map(Job::part) {
            let mut rest = Vec::new();
            self.settle(&mut vec![job], &mut rest);
            // Taken out of a company of one: its own error is its answer.
            for job in rest {
                job.answer(None);
            }
        }
    }

    fn settle(&mut self, jobs: &mut Waiting, alone: &mut Waiting) {
        let deadline = Instant::now() + self.backend.patience();
        let mut conflicts = 0;
        while !jobs.is_empty() {
            let failure = match self.attempt(jobs) {
                Attempt::Committed => None,
                Attempt::Without(index) => {
                    alone.push(jobs.remove(index));
                    continue;
                }
                Attempt::Again(DatabaseError::Conflict(reason)) if conflicts < CONFLICTS => {
                    tracing::debug!(reason, "two transactions met; trying again");
                    conflicts += 1;
                    continue;
                }
                Attempt::Again(DatabaseError::Away(reason)) if Instant::now() < deadline => {
                    tracing::warn!(reason, "the database is away; trying again");
                    self.connection = None;
                    std::thread::sleep(PAUSE);
                    continue;
                }
                Attempt::Again(error) | Attempt::Failed(error) => {
                    tracing::error!(%error, pieces = jobs.len(), "a commit failed; nothing of it was stored");
                    Some(StoreError::Database(error))
                }
                Attempt::Unclear(reason) => {
                    tracing::error!(reason, pieces = jobs.len(), "nobody knows whether a commit took place");
                    Some(StoreError::Closed(reason))
                }
            };
            for job in jobs.drain(..) {
                job.answer(failure.clone());
            }
        }
    }

    fn attempt(&mut self, jobs: &mut Waiting) -> Attempt {
        let ended = self.transaction(jobs);
        if self.connection.as_ref().is_some_and(|open| !open.is_usable()) {
            self.connection = None;
        }
        match ended {
            Ok(()) => {
                self.hint();
                Attempt::Committed
            }
            Err(Ended::Piece(index)) => Attempt::Without(index),
            Err(Ended::Nothing(error @ (DatabaseError::Conflict(_) | DatabaseError::Away(_)))) => Attempt::Again(error),
            Err(Ended::Nothing(error)) => Attempt::Failed(error),
            Err(Ended::Unknown(mark)) => match self.backend.settle(mark) {
                Ok(true) => Attempt::Committed,
                Ok(false) => Attempt::Again(DatabaseError::Away("the connection was lost before the commit".into())),
                Err(error) => Attempt::Unclear(error.to_string()),
            },
        }
    }

    /// Tells the others that there is work, outside of any transaction and not too often: they would look by themselves a little
    /// later, so a hint that is lost is no loss.
    fn hint(&mut self) {
        let Some(connection) = &mut self.connection else { return };
        let lately = self.hinted.is_some_and(|when| when.elapsed() < HINTS);
        if connection.hinted() && !lately {
            self.hinted = Some(Instant::now());
            if let Err(error) = connection.driver().hint() {
                tracing::debug!(%error, "the other nodes could not be told that there is work");
            }
        }
    }

    fn transaction(&mut self, jobs: &mut Waiting) -> Result<(), Ended> {
        let connection = match &mut self.connection {
            Some(connection) => connection,
            none => none.insert(Connection::new(self.backend.connect(true).map_err(Ended::Nothing)?)),
        };
        connection.driver().begin().map_err(Ended::Nothing)?;
        let mut wrote = false;
        for (index, job) in jobs.iter_mut().enumerate() {
            let (_wrote, _failed) = (connection.wrote(), connection.failure());
            let failed = match job.run(connection) {
                Ran::Done => {
                    wrote |= connection.wrote();
                    continue;
                }
                Ran::Refused if !connection.wrote() => continue,
                Ran::Broken(error @ (DatabaseError::Conflict(_) | DatabaseError::Away(_))) => Ended::Nothing(error),
                Ran::Refused | Ran::Broken(_) => Ended::Piece(index),
            };
            connection.driver().rollback();
            return Err(failed);
        }
        if !wrote {
            // A peek at an empty queue, say: there is nothing to wait for.
            connection.driver().rollback();
            return Ok(());
        }
        self.turn = None;
        match connection.driver().commit() {
            Ok(()) => Ok(()),
            Err(Commit::Failed(error)) => {
                connection.driver().rollback();
                Err(Ended::Nothing(error))
            }
            Err(Commit::Unknown(mark)) => Err(Ended::Unknown(mark)),
        }
    }
}

/// Why a transaction did not come to its end.
enum Ended {
    Piece(usize),
    Nothing(DatabaseError),
    Unknown(super::Mark),
}

/// Waits for a piece and for a turn, and takes what else is there. None: no more will come.
fn take(inbox: &Inbox, turns: &Arc<Turns>, limit: usize, load: bool) -> Option<(Waiting, Turn)> {
    let inbox = inbox.lock().unwrap_or_else(PoisonError::into_inner);
    let mut taken = vec![inbox.recv().ok()?];
    let turn = turns.take();
    if load {
        std::thread::sleep(COMPANY);
    }
    let mut pieces = 1;
    while pieces < limit
        && let Ok(mut job) = inbox.try_recv()
    {
        pieces += job.size();
        if !taken.iter_mut().any(|other| other.join(&mut *job)) {
            taken.push(job);
        }
    }
    Some((taken, turn))
}
