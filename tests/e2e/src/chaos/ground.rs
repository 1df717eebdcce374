//! What a run is played on, and the run itself.

use std::cell::Cell;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use budstikke_doubles::DoublesConfig;
use budstikke_e2e::{Chance, Cluster, Installation, Ledger, Profile, Side, Traffic, World, Wrong, fail_points, target};
use budstikke_test_postgres::{Durability, Server};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::torment::{Rhythm, Victim};
use crate::weather::{self, Below};
use crate::{RECEIVER, SENDER};

/// Nodes of an organisation on PostgreSQL.
const NODES: usize = 3;
/// Between lines of progress.
const PROGRESS: Duration = Duration::from_secs(10);
/// Between looks at Altinn's shelf.
const LOOK: Duration = Duration::from_secs(2);
/// Something must arrive in every such time after the last fault, until all has. Pauses after failures grow to five minutes.
const CALM: Duration = Duration::from_mins(6);
/// Fagsystems of each side that send.
const SENDERS: usize = 3;

/// One process is killed after about a second: it recovers at once, since nobody else can have its folder.
const ALONE: Rhythm = Rhythm {
    early: (0, 300),
    usual: (300, 1_500),
    long: (1_500, 4_000),
    at_point: 2_000,
    frozen: (200, 2_000),
    may_fail_to_start: false,
};
/// Of six nodes each lives longer, so that some live until they take over from the dead.
const AMONG_OTHERS: Rhythm = Rhythm {
    early: (0, 400),
    usual: (500, 4_000),
    long: (4_000, 14_000),
    at_point: 4_000,
    frozen: (1_000, 12_000),
    may_fail_to_start: true,
};

/// See the module.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ground {
    /// One process for each organisation.
    Sqlite,
    /// Three nodes for each.
    Postgres,
}

impl fmt::Display for Ground {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Sqlite => "SQLite and folders",
            Self::Postgres => "PostgreSQL and buckets",
        })
    }
}

impl Ground {
    /// Plays a run: so much time with faults, then a calm. False when something was wrong.
    pub(crate) async fn play(self, time: Duration, seed: u64) -> anyhow::Result<bool> {
        let folder = self.folder()?;
        println!(
            "\n\x1b[1mChaos on {self}, {} min, seed {seed}\x1b[0m",
            time.as_secs() / 60
        );
        let run = Run::begin(self, &folder).await?;
        let ledger = Arc::clone(&run.ledger);
        let played = run.play(time, seed).await;
        for log in logs(&folder)? {
            for line in std::fs::read_to_string(&log)?
                .lines()
                .filter(|line| line.contains("panicked at"))
            {
                ledger.wrong(Wrong::Other, format!("{}: {line}", log.display()));
            }
        }
        played?;
        let wrongs = [Wrong::Lost, Wrong::Duplicated, Wrong::Status, Wrong::Other];
        let good = wrongs.iter().all(|wrong| ledger.count(*wrong) == 0);
        summary(self, time, seed, &ledger);
        if good {
            std::fs::remove_dir_all(&folder)?;
        } else {
            println!("  logs, databases, files      {}", folder.display());
        }
        Ok(good)
    }

    /// An empty one. What a run that failed left is kept until the next one.
    fn folder(self) -> anyhow::Result<PathBuf> {
        let name = match self {
            Self::Sqlite => "sqlite",
            Self::Postgres => "postgres",
        };
        let folder = std::path::absolute(target())?.join("chaos").join(name);
        if folder.exists() {
            std::fs::remove_dir_all(&folder).with_context(|| folder.display().to_string())?;
        }
        std::fs::create_dir_all(&folder)?;
        Ok(folder)
    }
}

struct Run {
    ground: Ground,
    world: Arc<World>,
    ledger: Arc<Ledger>,
    nodes: [Vec<Installation>; 2],
    below: Option<Arc<[Below; 2]>>,
}

impl Run {
    async fn begin(ground: Ground, folder: &Path) -> anyhow::Result<Self> {
        let organisations = [SENDER, RECEIVER];
        let world = World::with(&organisations, Profile::Debug, Some(folder), DoublesConfig::default()).await?;
        let (nodes, below) = match ground {
            Ground::Sqlite => {
                let (ours, theirs) = (world.installation(SENDER)?, world.installation(RECEIVER)?);
                ours.hurry(&world)?;
                theirs.hurry(&world)?;
                ([vec![ours], vec![theirs]], None)
            }
            Ground::Postgres => {
                let server = tokio::task::spawn_blocking(|| Server::start(Durability::Full)).await??;
                let (ours, our_ground) = apart(Cluster::new(&world, SENDER, NODES, &server).await?);
                let (theirs, their_ground) = apart(Cluster::new(&world, RECEIVER, NODES, &server).await?);
                ([ours, theirs], Some(Arc::new([our_ground, their_ground])))
            }
        };
        Ok(Self {
            ground,
            world: Arc::new(world),
            ledger: Arc::default(),
            nodes,
            below,
        })
    }

    async fn play(mut self, time: Duration, seed: u64) -> anyhow::Result<()> {
        let (mut chance, calm) = (Chance::new(seed), CancellationToken::new());
        let nodes = self.nodes[0].len();
        let mut traffic = Traffic::begin(&self.world, [SENDER, RECEIVER], nodes, SENDERS, seed, &self.ledger);
        self.first_start(&traffic.sides).await?;
        let mut victims = self.torment(&traffic.sides, &mut chance, &calm);
        let mut weathers = self.weather(&mut chance, &calm);

        let started = Instant::now();
        watch(&mut traffic, started, |_| started.elapsed() >= time).await;
        calm.cancel();
        let mut alive = Vec::new();
        while let Some(node) = victims.join_next().await {
            alive.push(node??);
        }
        while let Some(over) = weathers.join_next().await {
            over??;
        }
        println!("  calm: no more faults, everything that is under way must arrive");
        traffic.enough();
        let last = Cell::new((traffic.ledger.counts(), Instant::now()));
        watch(&mut traffic, started, |ledger| {
            let counts = ledger.counts();
            if counts != last.get().0 {
                last.set((counts, Instant::now()));
            }
            ledger.is_settled() || last.get().1.elapsed() > CALM
        })
        .await;
        if !self.ledger.is_settled() {
            for line in self.under_way()? {
                println!("    {line}");
            }
        }
        traffic.close().await;
        for node in &mut alive {
            if let Some(status) = node.ended() {
                self.ledger
                    .wrong(Wrong::Other, format!("a node ended by itself with {status}"));
            }
        }
        Ok(())
    }

    /// What the databases have of messages that have not left, and whose hands they are in.
    fn under_way(&self) -> anyhow::Result<Vec<String>> {
        const SQL: &str = "SELECT 'outgoing ' || kind || ' ' || message_id || ' state ' || state || ' holder ' || \
             coalesce(holder, 0) || ' lease ' || lease || ' attempt ' || attempt || ' due ' || due FROM outgoing JOIN sending ON sending.outgoing = outgoing.id \
             UNION ALL SELECT 'incoming ' || message_id || ' locked until ' || coalesce(locked_until, 0) FROM incoming \
             UNION ALL SELECT 'session ' || id || ' of ' || name || ' alive until ' || alive_until FROM session";
        let mut found = Vec::new();
        match &self.below {
            Some(below) => {
                for below in below.iter() {
                    found.extend(below.store.database.psql(SQL)?.lines().map(ToOwned::to_owned));
                }
            }
            None => {
                for organisation in &self.world.organisations {
                    let file = organisation.folder.join("data/budstikke.db");
                    let database = rusqlite::Connection::open(&file)?;
                    let mut rows = database.prepare(SQL)?;
                    let lines = rows.query_map([], |row| row.get(0))?;
                    found.extend(lines.collect::<Result<Vec<String>, _>>()?);
                }
            }
        }
        Ok(found)
    }

    /// The first start makes databases and compiles plugins; nobody is killed in it.
    async fn first_start(&mut self, sides: &[Side; 2]) -> anyhow::Result<()> {
        for (side, nodes) in sides.iter().zip(&mut self.nodes) {
            for (place, node) in nodes.iter_mut().enumerate() {
                side.put(place, Some(node.start().await?));
            }
        }
        Ok(())
    }

    fn torment(
        &mut self,
        sides: &Arc<[Side; 2]>,
        chance: &mut Chance,
        calm: &CancellationToken,
    ) -> JoinSet<anyhow::Result<Installation>> {
        let points: Arc<[&'static str]> = fail_points()
            .into_iter()
            // Nobody subscribes here.
            .filter(|point| !point.starts_with("webhook."))
            .collect();
        let mut victims = JoinSet::new();
        for (side, nodes) in self.nodes.iter_mut().enumerate() {
            for (place, node) in std::mem::take(nodes).into_iter().enumerate() {
                let victim = Victim {
                    node,
                    place,
                    side,
                    sides: sides.clone(),
                    ledger: self.ledger.clone(),
                    chance: chance.fork(),
                    rhythm: match self.ground {
                        Ground::Sqlite => ALONE,
                        Ground::Postgres => AMONG_OTHERS,
                    },
                    points: points.clone(),
                };
                victims.spawn(victim.suffer(calm.clone()));
            }
        }
        victims
    }

    fn weather(&self, chance: &mut Chance, calm: &CancellationToken) -> JoinSet<anyhow::Result<()>> {
        let mut weathers = JoinSet::new();
        let (world, ledger) = (self.world.clone(), self.ledger.clone());
        let altinn = weather::over_altinn(world, ledger, chance.fork(), calm.clone());
        weathers.spawn(async {
            altinn.await;
            Ok(())
        });
        if let Some(below) = &self.below {
            let (ground, ledger) = (below.clone(), self.ledger.clone());
            weathers.spawn(weather::over_the_database(ground, ledger, chance.fork(), calm.clone()));
            let (ground, ledger) = (below.clone(), self.ledger.clone());
            let buckets = weather::over_the_buckets(ground, ledger, chance.fork(), calm.clone());
            weathers.spawn(async {
                buckets.await;
                Ok(())
            });
        }
        weathers
    }
}

/// Shows how it goes, and looks at Altinn's shelf, until something holds.
async fn watch(traffic: &mut Traffic, started: Instant, over: impl Fn(&Ledger) -> bool) {
    let mut told = Instant::now();
    while !over(&traffic.ledger) {
        tokio::time::sleep(LOOK).await;
        let transfers = traffic.look();
        if told.elapsed() >= PROGRESS {
            told = Instant::now();
            progress(&traffic.ledger, transfers, started.elapsed());
        }
    }
    let transfers = traffic.look();
    progress(&traffic.ledger, transfers, started.elapsed());
}

/// The nodes go to those who kill them, what is below to those who make the weather.
fn apart(cluster: Cluster) -> (Vec<Installation>, Below) {
    let (nodes, lines) = cluster
        .members
        .into_iter()
        .map(|member| (member.node, member.line))
        .unzip();
    (
        nodes,
        Below {
            store: cluster.store,
            lines,
        },
    )
}

fn logs(folder: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() && !path.ends_with("data") && !path.ends_with("altinn") {
            found.extend(logs(&path)?);
        } else if path.ends_with("log.txt") {
            found.push(path);
        }
    }
    Ok(found)
}

fn progress(ledger: &Ledger, transfers: usize, elapsed: Duration) {
    let (kills, at_points, faults) = ledger.harm();
    let counts = ledger.counts();
    let seconds = elapsed.as_secs();
    println!(
        "  {:>3}:{:02}  kills {kills} ({at_points} at a fail point)  other faults {faults}  accepted {}  delivered {}  \
         with all statuses {}  transfers {transfers}",
        seconds / 60,
        seconds % 60,
        counts.accepted,
        counts.delivered,
        counts.told,
    );
}

fn summary(ground: Ground, time: Duration, seed: u64, ledger: &Ledger) {
    let (kills, at_points, faults) = ledger.harm();
    let counts = ledger.counts();
    println!("\n\x1b[1mChaos on {ground}\x1b[0m");
    println!("  minutes                     {}", time.as_secs() / 60);
    println!("  seed                        {seed}");
    println!("  kills                       {kills}");
    println!("    of those at a fail point  {at_points}");
    println!("  other faults                {faults}");
    for (name, count) in ledger.harm_by_name() {
        println!("    {name:<40}{count:>6}");
    }
    println!("  messages accepted           {}", counts.accepted);
    println!("  messages delivered          {}", counts.delivered);
    println!("    LEVERT before MOTTATT     {}", counts.overtaken);
    println!("  lost                        {}", ledger.count(Wrong::Lost));
    println!("  duplicated                  {}", ledger.count(Wrong::Duplicated));
    println!("  wrong statuses              {}", ledger.count(Wrong::Status));
    println!("  other violations            {}", ledger.count(Wrong::Other));
    for violation in ledger.violations() {
        println!("    {violation}");
    }
}
