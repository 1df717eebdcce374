//! A commit whose answer is lost, on a database that plays it.

use super::*;
use crate::database::{Dialect, Driver, EachRow, Mark, Value};

/// Loses the answer to its first commit.
struct Played {
    /// Whether that one took place.
    took_place: bool,
    /// What is said of it later.
    settled: Result<bool, DatabaseError>,
    lost: Mutex<bool>,
    /// Changes that were committed.
    stored: Mutex<u64>,
}

struct Stage {
    played: Arc<Played>,
    changes: u64,
}

impl Backend for Arc<Played> {
    fn connect(&self, _writes: bool) -> Result<Box<dyn Driver>, DatabaseError> {
        Ok(Box::new(Stage {
            played: Arc::clone(self),
            changes: 0,
        }))
    }

    fn settle(&self, _mark: Mark) -> Result<bool, DatabaseError> {
        self.settled.clone()
    }

    fn writers(&self) -> usize {
        1
    }

    fn batch(&self) -> usize {
        10
    }

    fn readers(&self) -> usize {
        1
    }

    fn patience(&self) -> Duration {
        Duration::from_mins(1)
    }
}

impl Driver for Stage {
    fn dialect(&self) -> Dialect {
        Dialect::Postgres
    }

    fn execute(&mut self, _sql: &str, _values: &[Value<'_>]) -> Result<u64, DatabaseError> {
        self.changes += 1;
        Ok(1)
    }

    fn query(&mut self, _sql: &str, _values: &[Value<'_>], _each: &mut EachRow<'_>) -> Result<(), DatabaseError> {
        Ok(())
    }

    fn batch(&mut self, _sql: &str) -> Result<(), DatabaseError> {
        Ok(())
    }

    fn begin(&mut self) -> Result<(), DatabaseError> {
        self.changes = 0;
        Ok(())
    }

    fn commit(&mut self) -> Result<(), Commit> {
        let first = !std::mem::replace(&mut *self.played.lost.lock().unwrap(), true);
        if !first || self.played.took_place {
            *self.played.stored.lock().unwrap() += self.changes;
        }
        if first { Err(Commit::Unknown(Mark(1))) } else { Ok(()) }
    }

    fn rollback(&mut self) {
        self.changes = 0;
    }

    fn is_usable(&self) -> bool {
        true
    }
}

/// The answer to one change, and how often it was stored.
async fn lost(took_place: bool, settled: Result<bool, DatabaseError>) -> (Result<(), StoreError>, u64) {
    let played = Arc::new(Played {
        took_place,
        settled,
        lost: Mutex::new(false),
        stored: Mutex::new(0),
    });
    let backend: Arc<dyn Backend> = Arc::new(Arc::clone(&played));
    let first = Connection::new(backend.connect(true).unwrap());
    let writers = Writers::start(&backend, first).unwrap();
    let change = |connection: &Connection| {
        connection.execute("UPDATE", &[])?;
        Ok(())
    };
    let answer = writers.write(change).await;
    let stored = *played.stored.lock().unwrap();
    (answer, stored)
}

#[tokio::test]
async fn one_that_took_place_is_not_done_again() {
    let (answer, stored) = lost(true, Ok(true)).await;
    assert!(answer.is_ok());
    assert_eq!(stored, 1);
}

#[tokio::test]
async fn one_that_did_not_is_done_again() {
    let (answer, stored) = lost(false, Ok(false)).await;
    assert!(answer.is_ok());
    assert_eq!(stored, 1);
}

#[tokio::test]
async fn one_that_nobody_knows_of_is_said_to_be_unclear() {
    for took_place in [true, false] {
        let (answer, _) = lost(took_place, Err(DatabaseError::Away("no answer".into()))).await;
        assert!(answer.unwrap_err().is_unclear());
    }
}

/// Notes with how many others it was run.
struct Guest(u64);

impl Together for Guest {
    type Answer = (u64, usize);

    fn run(connection: &Connection, all: &[Self]) -> Result<Vec<Result<(u64, usize), StoreError>>, StoreError> {
        connection.execute("UPDATE", &[])?;
        if all.len() > 1 && all.iter().any(|guest| guest.0 == 13) {
            return Err(StoreError::NotFound);
        }
        let answer = |guest: &Self| match guest.0 {
            7 => Err(StoreError::MessageExists),
            13 => Err(StoreError::NotFound),
            number => Ok((number, all.len())),
        };
        Ok(all.iter().map(answer).collect())
    }
}

fn commit_together(numbers: std::ops::Range<u64>, limit: usize) -> Vec<Result<(u64, usize), StoreError>> {
    let played = Arc::new(Played {
        took_place: true,
        settled: Ok(true),
        lost: Mutex::new(true),
        stored: Mutex::new(0),
    });
    let (sender, inbox) = mpsc::channel::<Box<dyn Job>>();
    let mut answers = Vec::new();
    for number in numbers {
        let (caller, answer) = oneshot::channel();
        sender.send(Box::new(Company::of_one(Guest(number), caller))).unwrap();
        answers.push(answer);
    }
    let inbox = Arc::new(Mutex::new(inbox));
    let mut writer = Writer {
        backend: Arc::new(played),
        turns: Arc::default(),
        turn: None,
        connection: None,
        hinted: None,
    };
    drop(sender);
    while let Some((waiting, turn)) = take(&inbox, &writer.turns, limit, false) {
        writer.turn = Some(turn);
        writer.commit(waiting);
        writer.turn = None;
    }
    answers
        .into_iter()
        .map(|mut answer| answer.try_recv().unwrap())
        .collect()
}

#[test]
fn pieces_of_a_kind_are_run_together_and_each_gets_its_own_answer() {
    let answers = commit_together(0..12, 100);
    for (number, answer) in (0..).zip(answers) {
        match answer {
            Ok(answer) => assert_eq!(answer, (number, 12)),
            Err(StoreError::MessageExists) => assert_eq!(number, 7),
            Err(other) => panic!("{other}"),
        }
    }
    let sizes = |limit| -> Vec<usize> {
        let answers = commit_together(20..100, limit);
        answers.into_iter().map(|answer| answer.unwrap().1).collect()
    };
    assert_eq!(sizes(100), [vec![64; 64], vec![16; 16]].concat());
    // However many are one, a commit has no more pieces than it may.
    assert_eq!(sizes(10), vec![10; 80]);
}

#[test]
fn one_that_fails_takes_no_other_of_its_company_with_it() {
    let answers = commit_together(8..20, 100);
    for (number, answer) in (8..).zip(answers) {
        match answer {
            Ok(answer) => assert_eq!(answer, (number, 1)),
            Err(StoreError::NotFound) => assert_eq!(number, 13),
            Err(other) => panic!("{other}"),
        }
    }
}

/// What the next one waits for a turn, while somebody has it for so long.
fn waits_for_one_of(length: Duration) -> Duration {
    let turns = Arc::new(Turns::default());
    let first = turns.take();
    let began = Instant::now();
    let next = std::thread::spawn({
        let turns = Arc::clone(&turns);
        move || {
            let _turn = turns.take();
            Instant::now()
        }
    });
    std::thread::sleep(length);
    drop(first);
    next.join().unwrap() - began
}

#[test]
fn statements_are_waited_for_but_not_slow_ones() {
    let short = SLOW / 4;
    assert!(waits_for_one_of(short) >= short);
    assert!(waits_for_one_of(SLOW * 50) < SLOW * 50);
    // Two that overlapped are both over before the next goes on.
    let turns = Arc::new(Turns::default());
    let (slow, other) = (turns.take(), turns.take());
    drop(slow);
    assert_eq!(*turns.taken.lock().unwrap(), 1);
    drop(other);
    assert_eq!(*turns.taken.lock().unwrap(), 0);
}
