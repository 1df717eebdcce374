//! Organisations that have several nodes each, on one database server and a bucket for each organisation.

use std::sync::Arc;

use anyhow::Context as _;
use budstikke_doubles::DoublesConfig;
use budstikke_test_line::Line;
use budstikke_test_postgres::{Durability, Server};

use crate::installation::Installation;
use crate::pair::Pair;
use crate::programs::Profile;
use crate::shared_store::SharedStore;
use crate::traffic::{Ledger, Traffic};
use crate::world::World;

/// A node, and its own line to the database.
pub struct Member {
    /// The node.
    pub node: Installation,
    /// Its line.
    pub line: Line,
}

/// The nodes of one organisation.
pub struct Cluster {
    /// `node-1` is the first.
    pub members: Vec<Member>,
    /// What they share.
    pub store: SharedStore,
}

impl Cluster {
    /// Nodes that are not started yet, with short delays.
    pub async fn new(world: &World, number: &str, nodes: usize, server: &Server) -> anyhow::Result<Self> {
        let store = SharedStore::new(server).await?;
        let mut members = Vec::new();
        for place in 1..=nodes {
            let name = format!("node-{place}");
            let node = world.node(number, &name)?;
            node.hurry(world)?;
            let (line, url) = store.line()?;
            node.share(&store, &name, &url)?;
            members.push(Member { node, line });
        }
        Ok(Self { members, store })
    }
}

/// Two organisations that write to each other, for scenes: those of [`Pair`].
pub struct Clusters {
    /// Altinn's stand-ins and both organisations.
    pub world: Arc<World>,
    /// The nodes of [`Pair::SENDER`] and those of [`Pair::RECEIVER`].
    pub both: [Cluster; 2],
    /// The database server, which is theirs alone.
    pub server: Server,
}

impl Clusters {
    /// So many nodes of each, not started yet.
    pub async fn new(nodes: [usize; 2]) -> anyhow::Result<Self> {
        let numbers = [Pair::SENDER, Pair::RECEIVER];
        let world = World::with(&numbers, Profile::Debug, None, DoublesConfig::default()).await?;
        // A killed server loses nothing that it has handed to the system, which lives on.
        let server = tokio::task::spawn_blocking(|| Server::start(Durability::Fast)).await??;
        let ours = Cluster::new(&world, Pair::SENDER, nodes[0], &server).await?;
        let theirs = Cluster::new(&world, Pair::RECEIVER, nodes[1], &server).await?;
        Ok(Self {
            world: Arc::new(world),
            both: [ours, theirs],
            server,
        })
    }

    /// Starts all nodes, and messages between them.
    pub async fn start(&mut self) -> anyhow::Result<Traffic> {
        let most = self.both.iter().map(|cluster| cluster.members.len()).max().unwrap_or(0);
        let numbers = [Pair::SENDER, Pair::RECEIVER];
        let traffic = Traffic::begin(&self.world, numbers, most, 1, 1, &Arc::<Ledger>::default());
        for (side, cluster) in traffic.sides.iter().zip(&mut self.both) {
            for (place, member) in cluster.members.iter_mut().enumerate() {
                side.put(place, Some(member.node.start().await?));
            }
        }
        Ok(traffic)
    }

    /// A scene's result; when it failed, with the ends of all logs.
    pub fn told<T>(&self, result: anyhow::Result<T>) -> anyhow::Result<T> {
        result.with_context(|| {
            let nodes = self.both.iter().flat_map(|cluster| &cluster.members);
            let logs = nodes.map(|member| {
                let folder = member.node.folder.display();
                format!("--- log of {folder}\n{}", member.node.end_of_log())
            });
            format!("{}\nthe scene failed", logs.collect::<Vec<_>>().join("\n"))
        })
    }
}
