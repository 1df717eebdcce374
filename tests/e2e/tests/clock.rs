//! The clock of the machines jumps by hours, back and forth, while messages flow. Altinn's does not, so it gives no tokens
//! meanwhile.
//!
//! Attempts are a second apart here, less than the clock is wrong: an attempt that is put off by a clock that is early waits
//! until a right clock shows the same time.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, ensure};
use budstikke_doubles::{Fault, Route};
use budstikke_e2e::{Ledger, PATIENCE, Pair, Traffic};
use jiff::Timestamp;

/// Messages that arrive before and after a jump.
const SOME: u64 = 6;
/// How long the clock is wrong.
const WRONG: Duration = Duration::from_secs(4);

/// The clock of the programs that are started with it.
struct Clock {
    library: PathBuf,
    offset: PathBuf,
}

impl Clock {
    fn new(folder: &Path) -> anyhow::Result<Self> {
        let places = fs::read_dir("/usr/lib")?.filter_map(|entry| Some(entry.ok()?.path()));
        let library = places
            .map(|folder| folder.join("faketime/libfaketimeMT.so.1"))
            .find(|library| library.exists())
            .context("libfaketime is missing: cargo xtask test installs it, on Debian: apt-get install faketime")?;
        let clock = Self {
            library,
            offset: folder.join("offset"),
        };
        clock.jump("+0")?;
        Ok(clock)
    }

    /// From the right time; `+3h`, `-2d`.
    fn jump(&self, offset: &str) -> anyhow::Result<()> {
        let fresh = self.offset.with_extension("new");
        fs::write(&fresh, offset)?;
        Ok(fs::rename(fresh, &self.offset)?)
    }

    fn environment(&self) -> anyhow::Result<[(&str, &str); 4]> {
        Ok([
            ("LD_PRELOAD", self.library.to_str().context("a path")?),
            ("FAKETIME_TIMESTAMP_FILE", self.offset.to_str().context("a path")?),
            ("FAKETIME_NO_CACHE", "1"),
            ("FAKETIME_DONT_FAKE_MONOTONIC", "1"),
        ])
    }
}

/// Load, a jump, the right time again, load.
async fn under_load(offset: &str) -> anyhow::Result<()> {
    let mut pair = Pair::new().await?;
    let result = survived(&mut pair, offset).await;
    pair.told(result)
}

async fn survived(pair: &mut Pair, offset: &str) -> anyhow::Result<()> {
    let clock = Clock::new(pair.world.folder())?;
    let numbers = [Pair::SENDER, Pair::RECEIVER];
    let mut traffic = Traffic::begin(&pair.world, numbers, 1, 1, 1, &Arc::<Ledger>::default());
    for (installation, side) in [&mut pair.ours, &mut pair.theirs].into_iter().zip(traffic.sides.iter()) {
        side.put(0, Some(installation.start_with(&clock.environment()?).await?));
    }
    traffic.goes_on(SOME, PATIENCE).await.context("before the jump")?;
    clock.jump(offset)?;
    // So that something is written down that is to be done later, by the wrong clock.
    let faults = pair.world.doubles.faults();
    faults.always(Route::Upload, Fault::Status(503));
    tokio::time::sleep(WRONG).await;
    clock.jump("+0")?;
    faults.clear();
    traffic.goes_on(SOME, PATIENCE).await.context("after the jump")?;
    for installation in [&pair.ours, &pair.theirs] {
        ensure!(jumped(&installation.log())?, "its clock did not jump");
    }
    traffic.ends_well(2 * PATIENCE).await?;
    Ok(())
}

/// Whether neighbouring lines of a log are hours apart.
fn jumped(log: &str) -> anyhow::Result<bool> {
    let times = log.lines().filter_map(|line| {
        let time = line.split_whitespace().next()?;
        // In colour.
        let plain = time.trim_start_matches("\u{1b}[2m").trim_end_matches("\u{1b}[0m");
        plain.parse::<Timestamp>().ok()
    });
    let times: Vec<Timestamp> = times.collect();
    ensure!(times.len() > 10, "the log was not read");
    Ok(times
        .windows(2)
        .any(|pair| (pair[1].as_second() - pair[0].as_second()).abs() > 3600))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_clock_that_was_hours_late_costs_nothing() -> anyhow::Result<()> {
    under_load("-3h").await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_clock_that_was_hours_early_costs_nothing() -> anyhow::Result<()> {
    under_load("+3h").await
}
