//! Two installations that write to each other, with short delays, for scenes.

use std::sync::Arc;

use anyhow::Context as _;
use budstikke_doubles::{DoublesConfig, Transfer, TransferStatus};
use budstikke_test_postgres::Server;

use crate::fagsystem::Fagsystem;
use crate::installation::Installation;
use crate::programs::Profile;
use crate::shared_store::SharedStore;
use crate::world::World;

/// See the module.
pub struct Pair {
    /// Altinn's stand-ins and both organisations.
    pub world: Arc<World>,
    /// The installation of [`Pair::SENDER`].
    pub ours: Installation,
    /// The installation of [`Pair::RECEIVER`].
    pub theirs: Installation,
    /// What they stand on, unless that is their folders.
    pub stores: Vec<SharedStore>,
}

impl Pair {
    /// Who sends in most scenes.
    pub const SENDER: &'static str = "991825827";
    /// Who receives in most scenes.
    pub const RECEIVER: &'static str = "910076787";

    /// Two installations, not started yet, which try again after one second.
    pub async fn new() -> anyhow::Result<Self> {
        Self::with(DoublesConfig::default()).await
    }

    /// The same, with other stand-ins.
    pub async fn with(doubles: DoublesConfig) -> anyhow::Result<Self> {
        let world = World::with(&[Self::SENDER, Self::RECEIVER], Profile::Debug, None, doubles).await?;
        let (ours, theirs) = (world.installation(Self::SENDER)?, world.installation(Self::RECEIVER)?);
        ours.hurry(&world)?;
        theirs.hurry(&world)?;
        Ok(Self {
            world: Arc::new(world),
            ours,
            theirs,
            stores: Vec::new(),
        })
    }

    /// The same, each with a database and a bucket of its own.
    pub async fn on_postgres(server: &Server) -> anyhow::Result<Self> {
        let mut pair = Self::new().await?;
        for installation in [&pair.ours, &pair.theirs] {
            let store = SharedStore::new(server).await?;
            installation.share(&store, "node-1", store.database.url())?;
            pair.stores.push(store);
        }
        Ok(pair)
    }

    /// Starts both: the client of the sender, the client of the receiver.
    pub async fn start(&mut self) -> anyhow::Result<(Fagsystem, Fagsystem)> {
        Ok((self.ours.start().await?, self.theirs.start().await?))
    }

    /// Transfers from one organisation that were uploaded, whatever became of them.
    pub fn uploaded(&self, sender: &str) -> Vec<Transfer> {
        let begun = |transfer: &Transfer| {
            !matches!(
                transfer.status,
                TransferStatus::Initialized | TransferStatus::UploadStarted
            )
        };
        self.announced(sender).into_iter().filter(begun).collect()
    }

    /// Transfers from one organisation, those that never got a file included.
    pub fn announced(&self, sender: &str) -> Vec<Transfer> {
        let transfers = self.world.doubles.transfers();
        transfers
            .into_iter()
            .filter(|transfer| transfer.sender.number() == sender)
            .collect()
    }

    /// A scene's result; when it failed, with the ends of both logs.
    pub fn told<T>(&self, result: anyhow::Result<T>) -> anyhow::Result<T> {
        result.with_context(|| {
            let logs = [("sender", &self.ours), ("receiver", &self.theirs)]
                .map(|(name, installation)| format!("--- log of the {name}\n{}", installation.end_of_log()));
            format!("{}\nthe scene failed", logs.join("\n"))
        })
    }
}
