//! Kills at moments that nobody chose, while messages go both ways.

use std::ops::Range;
use std::sync::Arc;

use anyhow::ensure;
use budstikke_e2e::{Chance, Ledger, PATIENCE, Pair, Traffic};

const KILLS: usize = 6;
/// Between two kills, ms.
const BETWEEN: Range<u64> = 300..2500;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn kills_under_load_lose_nothing_and_double_nothing() -> anyhow::Result<()> {
    let mut pair = Pair::new().await?;
    let result = under_load(&mut pair).await;
    pair.told(result)
}

async fn under_load(pair: &mut Pair) -> anyhow::Result<()> {
    let seed = u64::from(uuid::Uuid::new_v4().as_fields().0);
    println!("seed {seed}");
    let mut chance = Chance::new(seed);
    let numbers = [Pair::SENDER, Pair::RECEIVER];
    let mut traffic = Traffic::begin(&pair.world, numbers, 1, 1, seed, &Arc::<Ledger>::default());
    let (ours, theirs) = pair.start().await?;
    traffic.sides[0].put(0, Some(ours));
    traffic.sides[1].put(0, Some(theirs));
    for kill in 0..KILLS {
        tokio::time::sleep(chance.millis(BETWEEN)).await;
        let (victim, side) = if kill % 2 == 0 {
            (&mut pair.ours, &traffic.sides[0])
        } else {
            (&mut pair.theirs, &traffic.sides[1])
        };
        side.put(0, None);
        victim.kill();
        side.put(0, Some(victim.start().await?));
    }
    let counts = traffic.ends_well(3 * PATIENCE).await?;
    ensure!(counts.delivered > 10, "hardly anything was under way: {counts:?}");
    // A kill between an announcement and its checkpoint leaves an announced transfer without a file behind, which nobody
    // ever sees. Of those with a file there is one for each message and its two statuses.
    let uploaded: usize = numbers.map(|number| pair.uploaded(number).len()).iter().sum();
    ensure!(
        uploaded as u64 == 3 * counts.accepted,
        "{uploaded} transfers: {counts:?}"
    );
    Ok(())
}
