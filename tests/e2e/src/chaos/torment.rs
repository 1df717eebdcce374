//! The life and death of one node: started, perhaps frozen, killed, again and again.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, bail};
use budstikke_e2e::{Chance, Installation, Ledger, Side, Wrong};
use tokio::time::{Instant, sleep, sleep_until};
use tokio_util::sync::CancellationToken;

/// Between looks whether a fail point was reached.
const LOOK: Duration = Duration::from_millis(10);
/// Before a start that failed is repeated, as a service manager does.
const AGAIN: Duration = Duration::from_millis(200);
/// The last start, in the calm, must succeed by then.
const LAST_START: Duration = Duration::from_mins(2);

/// How long lives are, milliseconds.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Rhythm {
    /// Some die while they start.
    pub(crate) early: (u64, u64),
    /// Most live so long.
    pub(crate) usual: (u64, u64),
    /// Some live longer.
    pub(crate) long: (u64, u64),
    /// Some die at a fail point, or after this time when they do not come to it.
    pub(crate) at_point: u64,
    /// Some are frozen for a while first.
    pub(crate) frozen: (u64, u64),
    /// A start may fail, because something that it needs is away.
    pub(crate) may_fail_to_start: bool,
}

/// A choice.
struct Life {
    time: Duration,
    point: Option<&'static str>,
    frozen: Option<Duration>,
}

impl Rhythm {
    fn choose(self, chance: &mut Chance, points: &[&'static str]) -> Life {
        let mut life = Life {
            time: Duration::ZERO,
            point: None,
            frozen: None,
        };
        let (from, to) = match chance.of(0..100) {
            0..12 => self.early,
            12..37 => {
                life.point = points.get(chance.place(points.len())).copied();
                (self.at_point, self.at_point + 1)
            }
            37..45 => {
                life.frozen = Some(chance.millis(self.frozen.0..self.frozen.1));
                self.usual
            }
            45..80 => self.usual,
            _ => self.long,
        };
        life.time = chance.millis(from..to);
        life
    }
}

/// A node, and who looks after it.
pub(crate) struct Victim {
    pub(crate) node: Installation,
    /// Its place among the nodes of its side.
    pub(crate) place: usize,
    /// The place of its side.
    pub(crate) side: usize,
    pub(crate) sides: Arc<[Side; 2]>,
    pub(crate) ledger: Arc<Ledger>,
    pub(crate) chance: Chance,
    pub(crate) rhythm: Rhythm,
    pub(crate) points: Arc<[&'static str]>,
}

impl Victim {
    /// Lives and dies until it is calm. Then it is up, and stays so for as long as the value that is returned.
    pub(crate) async fn suffer(mut self, calm: CancellationToken) -> anyhow::Result<Installation> {
        let mut up = false;
        while !calm.is_cancelled() {
            let life = self.rhythm.choose(&mut self.chance, &self.points);
            up = self.live(&life, &calm).await? && life.point.is_none();
        }
        if !up {
            self.rise().await?;
        }
        Ok(self.node)
    }

    /// One life. True when calm came before death.
    async fn live(&mut self, life: &Life, calm: &CancellationToken) -> anyhow::Result<bool> {
        let mark = self.node.folder.join("reached");
        let _absent = std::fs::remove_file(&mark);
        let armed = match life.point {
            Some(point) => vec![
                ("BUDSTIKKE_FAIL_POINT", point),
                ("BUDSTIKKE_FAIL_FILE", mark.to_str().context("a path")?),
            ],
            None => Vec::new(),
        };
        let end = Instant::now() + life.time;
        self.node.spawn(&armed)?;
        let ready = tokio::select! {
            ready = self.node.ready() => Some(ready),
            () = sleep_until(end) => None,
        };
        let (starting, mut reached) = (ready.is_none(), None);
        match ready {
            None => {}
            Some(Err(error)) => {
                if self.rhythm.may_fail_to_start {
                    self.ledger.fault("a start while something was away");
                } else {
                    self.ledger.wrong(Wrong::Other, format!("a start failed: {error:#}"));
                }
                sleep(AGAIN).await;
                return Ok(false);
            }
            Some(Ok(client)) => {
                self.side().put(self.place, Some(client));
                if let Some(frozen) = life.frozen {
                    self.freeze(frozen).await?;
                }
                tokio::select! {
                    () = sleep_until(end) => {}
                    () = at(&mark), if life.point.is_some() => reached = life.point,
                    () = calm.cancelled() => return Ok(true),
                }
            }
        }
        self.side().put(self.place, None);
        // While it was starting, it may have ended for want of something.
        if let Some(status) = self.node.ended()
            && !(starting && self.rhythm.may_fail_to_start)
        {
            let told = format!("a node of {} ended by itself with {status}", self.side().number);
            self.ledger.wrong(Wrong::Other, told);
        }
        self.node.kill();
        self.ledger.killed(reached);
        Ok(false)
    }

    /// Later it goes on, and does not know that it was away.
    async fn freeze(&mut self, time: Duration) -> anyhow::Result<()> {
        // At a moment when it has something in hand.
        sleep(self.chance.millis(0..1000)).await;
        self.ledger.fault("a process frozen");
        self.node.signal("STOP")?;
        sleep(time).await;
        self.node.signal("CONT")
    }

    async fn rise(&mut self) -> anyhow::Result<()> {
        let limit = Instant::now() + LAST_START;
        loop {
            match self.node.start().await {
                Ok(client) => {
                    self.side().put(self.place, Some(client));
                    return Ok(());
                }
                Err(error) if Instant::now() > limit => bail!("a node did not start any more: {error:#}"),
                Err(_) => sleep(AGAIN).await,
            }
        }
    }

    fn side(&self) -> &Side {
        &self.sides[self.side]
    }
}

/// Until somebody stands at the fail point.
async fn at(mark: &Path) {
    let mark: PathBuf = mark.to_owned();
    while !mark.exists() {
        sleep(LOOK).await;
    }
}
