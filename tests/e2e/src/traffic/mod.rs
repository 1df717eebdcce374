//! Messages both ways between two organisations, whatever happens to their installations, and the proof at the end: every
//! message that was accepted arrived once, as it was sent, with the right statuses.
//!
//! | file | holds |
//! |---|---|
//! | `side` | one organisation as its fagsystem finds it |
//! | `load` | the fagsystems: they send, read, and look at statuses |
//! | `ledger` | what was promised, and what came of it |
//! | `shelf` | what Altinn's stand-in has: nothing twice |
//! | `chance` | random choices that a seed repeats |

mod chance;
mod ledger;
mod load;
mod shelf;
mod side;

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{bail, ensure};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

pub use chance::Chance;
pub use ledger::{Counts, Ledger, Way, Wrong};
pub use side::Side;

use crate::letter::SEVERAL_POLLS;
use crate::world::World;
use shelf::Shelf;

/// Between looks whether everything has arrived.
const LOOK: Duration = Duration::from_millis(200);

/// See the module. It ends with the value.
pub struct Traffic {
    /// Where the nodes are put that are up.
    pub sides: Arc<[Side; 2]>,
    /// What came of it so far.
    pub ledger: Arc<Ledger>,
    world: Arc<World>,
    shelf: Shelf,
    enough: CancellationToken,
    fagsystems: JoinSet<()>,
}

impl Traffic {
    /// Begins between organisations that have so many nodes each, of which none is up yet. `senders`: messages of each that are
    /// handed over at the same time.
    pub fn begin(
        world: &Arc<World>,
        numbers: [&'static str; 2],
        nodes: usize,
        senders: usize,
        seed: u64,
        ledger: &Arc<Ledger>,
    ) -> Self {
        let sides: Arc<[Side; 2]> = Arc::new(numbers.map(|number| Side::new(number, nodes)));
        let (enough, mut chance) = (CancellationToken::new(), Chance::new(seed));
        let mut fagsystems = JoinSet::new();
        for way in 0..2 {
            fagsystems.spawn(load::read(way, sides.clone(), ledger.clone()));
            fagsystems.spawn(load::watch(way, sides.clone(), ledger.clone()));
            for _ in 0..senders {
                let (sides, ledger) = (sides.clone(), ledger.clone());
                fagsystems.spawn(load::send(way, sides, ledger, chance.fork(), enough.clone()));
            }
        }
        Self {
            sides,
            ledger: ledger.clone(),
            world: world.clone(),
            shelf: Shelf::default(),
            enough,
            fagsystems,
        }
    }

    /// Looks at what Altinn has; gives the messages and statuses that have left so far.
    pub fn look(&mut self) -> usize {
        tokio::task::block_in_place(|| self.shelf.look(&self.world.doubles, &self.ledger));
        self.shelf.transfers()
    }

    /// Until so many more messages were taken than now.
    pub async fn goes_on(&self, messages: u64, patience: Duration) -> anyhow::Result<()> {
        let (started, wanted) = (Instant::now(), self.ledger.counts().delivered + messages);
        while self.ledger.counts().delivered < wanted {
            ensure!(
                started.elapsed() < patience,
                "not {messages} messages arrived in {patience:?}: {:?}",
                self.ledger.counts()
            );
            tokio::time::sleep(LOOK).await;
        }
        Ok(())
    }

    /// Nothing new is sent from now on.
    pub fn enough(&self) {
        self.enough.cancel();
    }

    /// Everything has arrived, or will not: looks at all of it once more, and closes the books.
    pub async fn close(&mut self) {
        // What would come twice has time to come.
        tokio::time::sleep(SEVERAL_POLLS).await;
        for way in 0..2 {
            load::look(way, &self.sides, &self.ledger, true).await;
        }
        self.look();
        self.ledger.close();
        self.fagsystems.abort_all();
    }

    /// The end of a scene: nothing new is sent, everything arrives in this time, and nothing is wrong. Gives how much it was.
    pub async fn ends_well(&mut self, patience: Duration) -> anyhow::Result<Counts> {
        self.enough();
        let started = Instant::now();
        while !self.ledger.is_settled() && started.elapsed() < patience {
            tokio::time::sleep(LOOK).await;
        }
        self.close().await;
        let violations = self.ledger.violations();
        if !violations.is_empty() {
            bail!("{}", violations.join("\n"));
        }
        Ok(self.ledger.counts())
    }
}
