//! What the nodes stand on goes away for a while, under load.

use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use budstikke_doubles::{Fault as Altinn, Route};
use budstikke_e2e::{Chance, Clusters, File, Letter, PATIENCE, Pair, Reader, Traffic};
use budstikke_test_bucket::Fault;
use budstikke_test_postgres::Server;

/// Messages that arrive before and after a trouble.
const SOME: u64 = 6;
/// How long a trouble lasts.
const WHILE: Duration = Duration::from_secs(3);
/// More requests than anybody makes.
const EVERY: usize = 1_000_000;

/// Load, trouble, load again, and everything is as it was promised.
async fn under_load(trouble: impl AsyncFnOnce(&Clusters) -> anyhow::Result<()>) -> anyhow::Result<()> {
    let mut clusters = Clusters::new([1, 1]).await?;
    let mut traffic = clusters.start().await?;
    let result = survived(&clusters, &mut traffic, trouble).await;
    clusters.told(result)
}

async fn survived(
    clusters: &Clusters,
    traffic: &mut Traffic,
    trouble: impl AsyncFnOnce(&Clusters) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    traffic.goes_on(SOME, PATIENCE).await.context("before the trouble")?;
    trouble(clusters).await?;
    traffic.goes_on(SOME, 2 * PATIENCE).await.context("after the trouble")?;
    traffic.ends_well(3 * PATIENCE).await?;
    Ok(())
}

/// Harm to a server takes a moment in which others go on.
async fn harm(
    clusters: &Clusters,
    order: impl FnOnce(&Server) -> Result<(), budstikke_test_postgres::Error> + Send + 'static,
) -> anyhow::Result<()> {
    let server = clusters.server.clone();
    Ok(tokio::task::spawn_blocking(move || order(&server)).await??)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_that_is_restarted_costs_nothing() -> anyhow::Result<()> {
    under_load(async |clusters| harm(clusters, Server::restart).await).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_that_is_killed_and_comes_back_costs_nothing() -> anyhow::Result<()> {
    under_load(async |clusters| {
        harm(clusters, |server| {
            server.kill()?;
            std::thread::sleep(WHILE);
            server.start_again()
        })
        .await
    })
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn connections_that_are_ended_again_and_again_cost_nothing() -> anyhow::Result<()> {
    under_load(async |clusters| {
        let mut ended = 0;
        for _ in 0..10 {
            for cluster in &clusters.both {
                let database = &cluster.store.database;
                ended += tokio::task::block_in_place(|| clusters.server.terminate_connections(database))?;
            }
            tokio::time::sleep(WHILE / 10).await;
        }
        ensure!(ended > 20, "only {ended} connections were ended");
        Ok(())
    })
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_that_refuses_connections_for_a_while_costs_nothing() -> anyhow::Result<()> {
    under_load(async |clusters| {
        for member in clusters.both.iter().flat_map(|cluster| &cluster.members) {
            member.line.cut()?;
        }
        tokio::time::sleep(WHILE).await;
        for member in clusters.both.iter().flat_map(|cluster| &cluster.members) {
            member.line.mend()?;
        }
        Ok(())
    })
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_that_does_not_answer_for_a_while_costs_nothing() -> anyhow::Result<()> {
    under_load(async |clusters| {
        for member in clusters.both.iter().flat_map(|cluster| &cluster.members) {
            member.line.freeze()?;
        }
        // Longer than a node counts as alive.
        tokio::time::sleep(3 * WHILE).await;
        for member in clusters.both.iter().flat_map(|cluster| &cluster.members) {
            member.line.mend()?;
        }
        Ok(())
    })
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_bucket_that_is_away_for_a_while_costs_nothing() -> anyhow::Result<()> {
    under_load(async |clusters| {
        for cluster in &clusters.both {
            cluster.store.bucket.fail("", Fault::Refuse(503), EVERY);
        }
        tokio::time::sleep(2 * WHILE).await;
        for cluster in &clusters.both {
            cluster.store.bucket.heal();
            cluster.store.bucket.fail("", Fault::BreakOff, 5);
        }
        Ok(())
    })
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_package_that_cannot_be_read_for_a_moment_is_not_made_anew() -> anyhow::Result<()> {
    let mut clusters = Clusters::new([1, 1]).await?;
    let result = kept_through(&mut clusters).await;
    clusters.told(result)
}

/// A package that is made anew is another one, while Altinn waits for the first: it could not be sent before Altinn's
/// upload counts as given up, hours later.
async fn kept_through(clusters: &mut Clusters) -> anyhow::Result<()> {
    let [ours, theirs] = &mut clusters.both;
    let sender = ours.members[0].node.start().await?;
    let receiver = theirs.members[0].node.start().await?;
    let altinn = &clusters.world.doubles;
    altinn.faults().once(Route::Upload, Altinn::Status(503));
    // Too large for the database.
    let mut files = File::examples()?;
    files[1].content = Chance::new(1).bytes(200_000);
    let mut letter = Letter::with(Pair::SENDER, Pair::RECEIVER, files);
    letter.go_on(&sender).await?;
    let started = Instant::now();
    while !ours.members[0].node.log().contains("it is tried again") {
        ensure!(started.elapsed() < PATIENCE, "the first attempt did not fail");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    ours.store.bucket.fail("GET", Fault::Refuse(403), 1);
    let (_, package) = Reader::default().go_on(&receiver).await?;
    letter.is_in(&package)?;
    letter.has_arrived_once(&sender, &receiver).await?;
    let transfers = altinn.transfers();
    let sent = transfers
        .iter()
        .filter(|transfer| transfer.sender.number() == Pair::SENDER);
    ensure!(sent.count() == 1, "it was announced again: {transfers:?}");
    Ok(())
}
