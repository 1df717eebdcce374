//! Pieces of one kind that are run as one: what is a statement for each of them alone is one statement for all.

use std::any::Any;

use tokio::sync::oneshot;

use super::{Job, Ran, Waiting};
use crate::StoreError;
use crate::database::Connection;

/// As many at most: what is run again, one by one, when one of them fails.
const COMPANY: usize = 64;

/// A piece that can be run together with others of its kind.
pub(crate) trait Together: Send + 'static {
    /// What its caller gets.
    type Answer: Send + 'static;

    /// Runs all of them; gives an answer for each, in their order. One that is refused has changed nothing.
    fn run(connection: &Connection, all: &[Self]) -> Result<Vec<Result<Self::Answer, StoreError>>, StoreError>
    where
        Self: Sized;
}

type Caller<P> = oneshot::Sender<Result<<P as Together>::Answer, StoreError>>;

/// Those that are run as one.
pub(super) struct Company<P: Together> {
    pieces: Vec<P>,
    callers: Vec<Caller<P>>,
    results: Result<Vec<Result<P::Answer, StoreError>>, StoreError>,
}

impl<P: Together> Company<P> {
    pub(super) fn of_one(piece: P, caller: Caller<P>) -> Self {
        Self {
            pieces: vec![piece],
            callers: vec![caller],
            results: Err(StoreError::Closed("the work was never run".into())),
        }
    }
}

impl<P: Together> Job for Company<P> {
    fn run(&mut self, connection: &Connection) -> Ran {
        self.results = P::run(connection, &self.pieces);
        let Some(failure) = connection.failure() else {
            return if self.results.is_ok() { Ran::Done } else { Ran::Refused };
        };
        if self.results.is_ok() {
            // Whatever the work made of the error, it cannot have succeeded.
            self.results = Err(StoreError::Database(failure.clone()));
        }
        Ran::Broken(failure)
    }

    fn answer(self: Box<Self>, failure: Option<StoreError>) {
        let (results, failure) = match (failure, self.results) {
            (None, Ok(results)) => (results, StoreError::Closed("the work has no answer".into())),
            (Some(failure), _) | (None, Err(failure)) => (Vec::new(), failure),
        };
        let mut results = results.into_iter();
        for caller in self.callers {
            // A caller that has gone away needs no answer; its work is done all the same.
            let _gone = caller.send(results.next().unwrap_or_else(|| Err(failure.clone())));
        }
    }

    fn join(&mut self, other: &mut dyn Job) -> bool {
        let Some(other) = other.as_any().downcast_mut::<Self>() else {
            return false;
        };
        if self.pieces.len() + other.pieces.len() > COMPANY {
            return false;
        }
        self.pieces.append(&mut other.pieces);
        self.callers.append(&mut other.callers);
        true
    }

    fn size(&self) -> usize {
        self.pieces.len()
    }

    fn part(self: Box<Self>) -> Waiting {
        let Self { pieces, callers, .. } = *self;
        let alone = pieces.into_iter().zip(callers);
        alone
            .map(|(piece, caller)| Box::new(Self::of_one(piece, caller)) as Box<dyn Job>)
            .collect()
    }

    fn as_any(&mut self) -> &mut dyn Any {
        self
    }
}
