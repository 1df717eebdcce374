//! The power fails, again and again. What a disk had not been told to keep is gone, or half of it; what was promised is there.
//!
//! On Linux with a C compiler, which the tests need anyway.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

#[path = "power_cut/disk.rs"]
mod disk;

use std::ops::Range;
use std::sync::Arc;

use anyhow::{Context as _, ensure};
use budstikke_e2e::{Chance, Counts, Installation, Ledger, PATIENCE, Pair, Traffic};

use disk::{Disk, Unsynced};

const CUTS: usize = 8;
/// Between two cuts, ms.
const BETWEEN: Range<u64> = 400..1_800;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_promised_survives_power_cuts() -> anyhow::Result<()> {
    let mut pair = Pair::new().await?;
    let result = under_load(&mut pair, false).await;
    let counts = pair.told(result)?;
    ensure!(counts.delivered > 10, "hardly anything was under way: {counts:?}");
    Ok(())
}

/// Else the scene above could not fail.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_disk_that_lies_is_found_out() -> anyhow::Result<()> {
    let mut pair = Pair::new().await?;
    let result = under_load(&mut pair, true).await;
    let error = format!("{:#}", result.err().context("nothing was missed")?);
    // A message that is gone, one that a fagsystem held by its lock and that is gone, or a database in pieces, which is told at the start.
    let found_out = ["Lost", "404 Not Found", "budstikke.db: the database:"];
    ensure!(found_out.iter().any(|word| error.contains(word)), "{error}");
    Ok(())
}

async fn under_load(pair: &mut Pair, deaf: bool) -> anyhow::Result<Counts> {
    let seed = u64::from(uuid::Uuid::new_v4().as_fields().0);
    println!("seed {seed}");
    let mut chance = Chance::new(seed);
    let numbers = [Pair::SENDER, Pair::RECEIVER];
    let mut traffic = Traffic::begin(&pair.world, numbers, 1, 1, seed, &Arc::<Ledger>::default());
    let mut victims = [&mut pair.ours, &mut pair.theirs];
    let mut disks = Vec::new();
    for (victim, side) in victims.iter_mut().zip(traffic.sides.iter()) {
        let disk = Disk::new(&victim.folder.join("data"), deaf)?;
        side.put(0, Some(start(victim, &disk).await?));
        disks.push(disk);
    }
    for cut in 0..CUTS {
        tokio::time::sleep(chance.millis(BETWEEN)).await;
        let place = cut % 2;
        let (victim, disk, side) = (&mut *victims[place], &disks[place], &traffic.sides[place]);
        side.put(0, None);
        victim.kill();
        let unsynced = match cut / 2 % 2 {
            0 => Unsynced::Lost,
            _ => Unsynced::Torn(&mut chance),
        };
        disk.cut(unsynced)?;
        side.put(0, Some(start(victim, disk).await.context("after a power cut")?));
        let wrong = traffic.ledger.violations();
        ensure!(wrong.is_empty(), "{}", wrong.join("\n"));
    }
    traffic.ends_well(3 * PATIENCE).await
}

async fn start(installation: &mut Installation, disk: &Disk) -> anyhow::Result<budstikke_e2e::Fagsystem> {
    installation.start_with(&disk.environment()?).await
}
