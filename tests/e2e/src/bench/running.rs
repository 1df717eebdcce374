//! An installation of the sender that runs, as the benches of messages begin.

use std::time::Duration;

use anyhow::Context as _;
use budstikke_doubles::{DoublesConfig, Route};
use budstikke_e2e::{Fagsystem, File, Installation, Profile, World};

use crate::ground::Ground;
use crate::letters::{Way, arkivmelding, hand_over};
use crate::machine::cpu_seconds;
use crate::{RECEIVER, SENDER};

/// The longest wait for anything.
pub(crate) const PATIENCE: Duration = Duration::from_mins(5);

/// See the module.
pub(crate) struct Running {
    pub(crate) world: World,
    /// Runs as long as the value.
    _installation: Installation,
    pub(crate) fagsystem: Fagsystem,
    pub(crate) pid: u32,
    /// What is sent.
    pub(crate) file: File,
}

impl Running {
    /// Just started; it writes errors only.
    pub(crate) async fn start(ground: &Ground) -> anyhow::Result<Self> {
        Self::start_in(Self::world().await?, ground).await
    }

    /// Altinn's stand-ins, before anything is started.
    pub(crate) async fn world() -> anyhow::Result<World> {
        World::with(&[SENDER, RECEIVER], Profile::Release, None, DoublesConfig::default()).await
    }

    /// The same in a world that was prepared.
    pub(crate) async fn start_in(world: World, ground: &Ground) -> anyhow::Result<Self> {
        let mut installation = world.installation(SENDER)?;
        ground.lay(&installation)?;
        let fagsystem = installation.start_with(&[("RUST_LOG", "error")]).await?;
        let pid = installation.pid().context("not running")?;
        Ok(Self {
            world,
            _installation: installation,
            fagsystem,
            pid,
            file: arkivmelding()?,
        })
    }

    /// One message has left: tokens are fetched and the adapter is warm, as in an installation that has run for a minute.
    pub(crate) async fn warm(ground: &Ground) -> anyhow::Result<Self> {
        let running = Self::start(ground).await?;
        let id = uuid::Uuid::new_v4().to_string();
        hand_over(&running.fagsystem, Way::OneShot, &id, &running.file).await?;
        running.fagsystem.wait_for(&id, "SENDT", PATIENCE).await?;
        Ok(running)
    }

    /// Packages that have come to Altinn's stand-in. Counting is cheap; a look at every transfer is not, and would take
    /// processor time from what is measured.
    pub(crate) fn uploads(&self) -> u64 {
        self.world.doubles.count(Route::Upload)
    }

    /// Seconds of processor time: ours; that of clients and stand-ins.
    pub(crate) fn cpu(&self) -> anyhow::Result<(f64, f64)> {
        Ok((cpu_seconds(self.pid)?, cpu_seconds(std::process::id())?))
    }
}
