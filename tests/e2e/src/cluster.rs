//! Several nodes of one organisation.

use budstikke_test_line::Line;
use budstikke_test_postgres::Server;

use crate::fagsystem::Fagsystem;
use crate::installation::Installation;
use crate::shared_store::SharedStore;
use crate::world::World;

/// A node, and its own line to the database.
pub struct Member {
    /// The node.
    pub node: Installation,
    /// Its line.
    pub line: Line,
}

/// See the module.
pub struct Cluster {
    /// Its nodes; `node-1` is the first.
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

    /// Starts all of them, one after the other.
    pub async fn start(&mut self) -> anyhow::Result<Vec<Fagsystem>> {
        let mut clients = Vec::new();
        for member in &mut self.members {
            clients.push(member.node.start().await?);
        }
        Ok(clients)
    }
}
