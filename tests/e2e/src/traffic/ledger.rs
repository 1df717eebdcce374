//! What was promised, and what came of it.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::letter::{AT_RECEIVER, AT_SENDER, Letter};

/// Violations that are told at the end; there may be more.
const TOLD: usize = 40;

/// Which way a message goes: the place of its sender among the sides.
pub type Way = usize;

/// What is wrong with a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Wrong {
    /// A message, or what was handed over of it, is gone, or is not as it was sent.
    Lost,
    /// A message or a status came or left twice.
    Duplicated,
    /// The statuses of a message are not those of its way.
    Status,
    /// The program did something else that it must not.
    Other,
}

/// One message.
struct Entry {
    way: Way,
    /// Until it was compared with what came.
    letter: Option<Arc<Letter>>,
    accepted: bool,
    taken: bool,
    fate: Fate,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    /// Something is yet to come.
    Open,
    /// All statuses are there.
    Told,
    /// Counted as lost, or with wrong statuses: looked at no more.
    Spoilt,
}

#[derive(Default)]
struct Inner {
    entries: HashMap<String, Entry>,
    counts: Counts,
    kills: u64,
    at_points: BTreeMap<&'static str, u64>,
    faults: BTreeMap<&'static str, u64>,
    wrong: BTreeMap<Wrong, u64>,
    violations: Vec<String>,
}

/// How far messages are.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Counts {
    /// Begun by a fagsystem.
    pub begun: u64,
    /// The send was answered.
    pub accepted: u64,
    /// Taken by the other fagsystem.
    pub delivered: u64,
    /// And all statuses are there.
    pub told: u64,
    /// LEVERT came before MOTTATT.
    pub overtaken: u64,
}

/// See the module.
#[derive(Default)]
pub struct Ledger(Mutex<Inner>);

impl Ledger {
    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A fagsystem begins to hand a message over.
    pub(super) fn begun(&self, way: Way, letter: &Letter) {
        let mut inner = self.lock();
        inner.counts.begun += 1;
        let entry = Entry {
            way,
            letter: Some(Arc::new(letter.clone())),
            accepted: false,
            taken: false,
            fate: Fate::Open,
        };
        inner.entries.insert(letter.id.clone(), entry);
    }

    /// It was told that all of it has been handed over.
    pub(super) fn accepted(&self, id: &str) {
        let mut inner = self.lock();
        if let Some(entry) = inner.entries.get_mut(id) {
            entry.accepted = true;
            inner.counts.accepted += 1;
        }
    }

    /// What a message must be when it comes. The error says why it must not come at all.
    pub(super) fn expected(&self, way: Way, id: &str) -> Result<Arc<Letter>, &'static str> {
        match self.lock().entries.get(id) {
            None => Err("nobody has sent it"),
            Some(entry) if entry.way != way => Err("it came to its sender"),
            Some(entry) => entry.letter.clone().ok_or("it was taken before"),
        }
    }

    /// The fagsystem has it, and was told so.
    pub(super) fn taken(&self, id: &str) {
        let mut inner = self.lock();
        if let Some(entry) = inner.entries.get_mut(id) {
            entry.taken = true;
            entry.letter = None;
            inner.counts.delivered += 1;
        }
    }

    /// Messages of one way that have not been taken.
    pub(super) fn under_way(&self, way: Way) -> usize {
        let inner = self.lock();
        let under_way = |entry: &&Entry| entry.way == way && !entry.taken && entry.fate == Fate::Open;
        inner.entries.values().filter(under_way).count()
    }

    /// Messages whose statuses are to be looked at: those that were taken, or all that were ever told in full.
    pub(super) fn to_look_at(&self, way: Way, again: bool) -> Vec<String> {
        let fate = if again { Fate::Told } else { Fate::Open };
        let inner = self.lock();
        let wanted = |entry: &Entry| entry.way == way && entry.accepted && entry.taken && entry.fate == fate;
        let found = inner.entries.iter().filter(|(_, entry)| wanted(entry));
        found.map(|(id, _)| id.clone()).collect()
    }

    /// The statuses of both sides as they are now; `all`: nothing more may come.
    pub(super) fn statuses(&self, id: &str, at_sender: &[String], at_receiver: &[String]) {
        let overtaken = is_way(at_sender, &[AT_SENDER[0], AT_SENDER[1], AT_SENDER[3], AT_SENDER[2]]);
        let right = is_way(at_sender, &AT_SENDER) || overtaken;
        if !right || !is_way(at_receiver, &AT_RECEIVER) {
            if let Some(entry) = self.lock().entries.get_mut(id) {
                entry.fate = Fate::Spoilt;
            }
            let told = format!("{id} has {at_sender:?} at its sender and {at_receiver:?} at its receiver");
            return self.wrong(Wrong::Status, told);
        }
        let whole = at_sender.len() == AT_SENDER.len() && at_receiver.len() == AT_RECEIVER.len();
        let mut inner = self.lock();
        if whole
            && let Some(entry) = inner.entries.get_mut(id)
            && entry.fate == Fate::Open
        {
            entry.fate = Fate::Told;
            inner.counts.told += 1;
            inner.counts.overtaken += u64::from(overtaken && !is_way(at_sender, &AT_SENDER));
        }
    }

    /// Nothing is under way any more.
    pub fn is_settled(&self) -> bool {
        self.lock().entries.values().all(|entry| entry.fate != Fate::Open)
    }

    /// At the end: what has not come is lost, and what has not been told in full is wrong.
    pub fn close(&self) {
        let mut inner = self.lock();
        let mut found = Vec::new();
        for (id, entry) in inner.entries.iter_mut().filter(|(_, entry)| entry.fate == Fate::Open) {
            entry.fate = Fate::Spoilt;
            found.push(match (entry.accepted, entry.taken) {
                (true, true) => (Wrong::Status, format!("{id} never got all its statuses")),
                (true, false) => (Wrong::Lost, format!("{id} was accepted and never came")),
                (false, _) => (Wrong::Other, format!("{id} could not be handed over to the end")),
            });
        }
        drop(inner);
        for (wrong, told) in found {
            self.wrong(wrong, told);
        }
    }

    /// A message that is lost for good; it is not waited for.
    pub(super) fn lost(&self, id: &str, told: &str) {
        if let Some(entry) = self.lock().entries.get_mut(id) {
            entry.fate = Fate::Spoilt;
        }
        self.wrong(Wrong::Lost, format!("{id}: {told}"));
    }

    /// Something that must not be.
    pub fn wrong(&self, wrong: Wrong, mut told: String) {
        told.insert_str(0, &format!("{wrong:?}: "));
        eprintln!("\x1b[31m{told}\x1b[0m");
        let mut inner = self.lock();
        *inner.wrong.entry(wrong).or_default() += 1;
        if inner.violations.len() < TOLD {
            inner.violations.push(told);
        }
    }

    /// A process was killed, be it at a fail point.
    pub fn killed(&self, point: Option<&'static str>) {
        let mut inner = self.lock();
        inner.kills += 1;
        if let Some(point) = point {
            *inner.at_points.entry(point).or_default() += 1;
        }
    }

    /// Something else went wrong on order.
    pub fn fault(&self, name: &'static str) {
        *self.lock().faults.entry(name).or_default() += 1;
    }

    /// How far messages are.
    pub fn counts(&self) -> Counts {
        self.lock().counts
    }

    /// Kills, kills at a fail point, other faults.
    pub fn harm(&self) -> (u64, u64, u64) {
        let inner = self.lock();
        (inner.kills, inner.at_points.values().sum(), inner.faults.values().sum())
    }

    /// How often each fail point and each fault was met.
    pub fn harm_by_name(&self) -> Vec<(&'static str, u64)> {
        let inner = self.lock();
        let all = inner.at_points.iter().chain(&inner.faults);
        all.map(|(name, count)| (*name, *count)).collect()
    }

    /// How often this was wrong.
    pub fn count(&self, wrong: Wrong) -> u64 {
        self.lock().wrong.get(&wrong).copied().unwrap_or(0)
    }

    /// The first ones.
    pub fn violations(&self) -> Vec<String> {
        self.lock().violations.clone()
    }
}

/// Whether these are the first statuses of a way.
fn is_way(statuses: &[String], way: &[&str]) -> bool {
    statuses.len() <= way.len() && statuses.iter().zip(way).all(|(has, wanted)| has == wanted)
}

#[cfg(test)]
mod tests {
    use crate::fagsystem::File;

    use super::*;

    fn words(text: &str) -> Vec<String> {
        text.split_whitespace().map(ToOwned::to_owned).collect()
    }

    fn ledger() -> (Ledger, Letter) {
        let (ledger, letter) = (
            Ledger::default(),
            Letter::with("1", "2", vec![File::new("a", "b", "c")]),
        );
        ledger.begun(0, &letter);
        ledger.accepted(&letter.id);
        (ledger, letter)
    }

    #[test]
    fn an_accepted_message_that_never_comes_is_lost() {
        let (ledger, _) = ledger();
        ledger.close();
        assert_eq!(ledger.count(Wrong::Lost), 1);
    }

    #[test]
    fn a_message_that_comes_again_is_not_expected() {
        let (ledger, letter) = ledger();
        assert!(ledger.expected(0, &letter.id).is_ok());
        assert!(ledger.expected(1, &letter.id).is_err());
        ledger.taken(&letter.id);
        assert!(ledger.expected(0, &letter.id).is_err());
        assert_eq!(ledger.under_way(0), 0);
    }

    #[test]
    fn statuses_must_be_those_of_the_way_and_come_to_its_end() {
        for (sender, receiver, wrong, told) in [
            (
                "OPPRETTET SENDT MOTTATT LEVERT",
                "OPPRETTET INNKOMMENDE_MOTTATT INNKOMMENDE_LEVERT",
                0,
                1,
            ),
            (
                "OPPRETTET SENDT LEVERT MOTTATT",
                "OPPRETTET INNKOMMENDE_MOTTATT INNKOMMENDE_LEVERT",
                0,
                1,
            ),
            ("OPPRETTET SENDT", "OPPRETTET INNKOMMENDE_MOTTATT", 0, 0),
            ("OPPRETTET SENDT FEIL", "OPPRETTET", 1, 0),
            ("OPPRETTET SENDT SENDT MOTTATT LEVERT", "OPPRETTET", 1, 0),
        ] {
            let (ledger, letter) = ledger();
            ledger.taken(&letter.id);
            ledger.statuses(&letter.id, &words(sender), &words(receiver));
            assert_eq!(
                (ledger.count(Wrong::Status), ledger.counts().told),
                (wrong, told),
                "{sender}"
            );
            ledger.close();
            assert_eq!(ledger.count(Wrong::Status), u64::from(told == 0), "{sender}");
        }
    }
}
