//! One of three nodes dies, freezes, is cut off or is told to stop. The others take over what it had in hand and what it
//! alone did, and what it says later changes nothing.

use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use budstikke_doubles::{Fault, Route};
use budstikke_e2e::{Cluster, Clusters, Fagsystem, Member, PATIENCE, SharedStore, Traffic};
use reqwest::StatusCode;

/// Messages that arrive before and after.
const SOME: u64 = 6;
/// An upload takes so long, so that there is always something in hand.
const UPLOAD: Duration = Duration::from_millis(700);
/// Longer than a silent node counts as alive.
const LONG_UPLOAD: Duration = Duration::from_secs(9);
/// Between looks into the database.
const LOOK: Duration = Duration::from_millis(20);

/// Three nodes of the sender, of which the first is in for trouble, and one of the receiver.
async fn under_load(
    upload: Duration,
    trouble: impl AsyncFnOnce(&mut Member, &SharedStore, &Traffic) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    let mut clusters = Clusters::new([3, 1]).await?;
    clusters.both[0].members[0]
        .node
        .edit(|text| text.replace("[server]\n", "[server]\ndrain-time = \"2s\"\n"))?;
    let mut traffic = clusters.start().await?;
    let result = survived(&mut clusters, &mut traffic, upload, trouble).await;
    clusters.told(result)
}

async fn survived(
    clusters: &mut Clusters,
    traffic: &mut Traffic,
    upload: Duration,
    trouble: impl AsyncFnOnce(&mut Member, &SharedStore, &Traffic) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    traffic.goes_on(SOME, PATIENCE).await.context("before the trouble")?;
    let faults = clusters.world.doubles.faults();
    faults.always(Route::Upload, Fault::Delay(upload));
    let Cluster { members, store } = &mut clusters.both[0];
    trouble(&mut members[0], store, traffic).await?;
    faults.clear();
    traffic.goes_on(SOME, PATIENCE).await.context("after the trouble")?;
    traffic.ends_well(3 * PATIENCE).await?;
    Ok(())
}

fn number(store: &SharedStore, sql: &str) -> anyhow::Result<i64> {
    let answer = tokio::task::block_in_place(|| store.database.psql(sql))?;
    answer.trim().parse().with_context(|| format!("{sql}: {answer}"))
}

/// The session of the first node, which also fetches for all.
fn first(store: &SharedStore) -> anyhow::Result<i64> {
    number(
        store,
        "SELECT session.id FROM session JOIN duty ON duty.session = session.id \
         WHERE session.name = 'node-1' AND duty.name = 'receive dpo'",
    )
}

/// Messages that a session has in hand.
fn in_hand(store: &SharedStore, session: i64) -> anyhow::Result<i64> {
    number(
        store,
        &format!("SELECT count(*) FROM sending WHERE state = 2 AND holder = {session}"),
    )
}

/// Stops a node in the middle of its work.
async fn caught(store: &SharedStore, session: i64, stop: impl Fn() -> anyhow::Result<()>) -> anyhow::Result<()> {
    let started = Instant::now();
    loop {
        if in_hand(store, session)? > 0 {
            stop()?;
            if in_hand(store, session)? > 0 {
                return Ok(());
            }
            return Err(anyhow::anyhow!("it had finished everything before it was stopped"));
        }
        ensure!(started.elapsed() < PATIENCE, "it never had anything in hand");
        tokio::time::sleep(LOOK).await;
    }
}

/// Until the others have given a session up, have nothing of it in its hands, and one of them fetches.
async fn taken_over(store: &SharedStore, session: i64) -> anyhow::Result<()> {
    let started = Instant::now();
    let left = format!(
        "SELECT (SELECT count(*) FROM session WHERE id = {session}) \
         + (SELECT count(*) FROM sending WHERE state = 2 AND holder = {session}) \
         + (SELECT count(*) FROM duty WHERE name = 'receive dpo' AND session = {session})"
    );
    while number(store, &left)? > 0 {
        ensure!(started.elapsed() < PATIENCE, "nobody took over");
        tokio::time::sleep(LOOK).await;
    }
    println!("taken over after {:?}", started.elapsed());
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_killed_node_had_in_hand_is_taken_over() -> anyhow::Result<()> {
    under_load(UPLOAD, async |member, store, traffic| {
        let session = first(store)?;
        // It stands still first, so that what it has in hand stays there.
        caught(store, session, || member.node.signal("STOP")).await?;
        traffic.sides[0].put(0, None);
        member.node.kill();
        taken_over(store, session).await
    })
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_frozen_node_that_comes_back_late_changes_nothing() -> anyhow::Result<()> {
    under_load(UPLOAD, async |member, store, traffic| {
        let session = first(store)?;
        caught(store, session, || member.node.signal("STOP")).await?;
        taken_over(store, session).await?;
        traffic.goes_on(SOME, PATIENCE).await.context("without it")?;
        member.node.signal("CONT")?;
        comes_back(member).await
    })
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_that_was_cut_off_from_the_database_changes_nothing() -> anyhow::Result<()> {
    under_load(UPLOAD, async |member, store, traffic| {
        let session = first(store)?;
        caught(store, session, || Ok(member.line.freeze()?)).await?;
        taken_over(store, session).await?;
        // A load balancer sees that it does not answer.
        traffic.sides[0].put(0, None);
        traffic.goes_on(SOME, PATIENCE).await.context("without it")?;
        member.line.mend()?;
        comes_back(member).await?;
        traffic.sides[0].put(0, Some(member.node.fagsystem()));
        Ok(())
    })
    .await
}

/// Until the node has heard that it was given up, and that somebody else has what it had in hand.
async fn comes_back(member: &Member) -> anyhow::Result<()> {
    let started = Instant::now();
    loop {
        let log = member.node.log();
        if log.contains("the others had given this node up") && log.contains("another worker took the message") {
            return Ok(());
        }
        ensure!(
            started.elapsed() < PATIENCE,
            "it did not notice that the others had given it up"
        );
        tokio::time::sleep(LOOK).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_that_is_told_to_stop_loses_no_call() -> anyhow::Result<()> {
    under_load(UPLOAD, async |member, store, traffic| {
        let session = first(store)?;
        let node = member.node.fagsystem();
        let calls = tokio::spawn(calls_until_not_ready(node));
        // Some calls while all is well.
        tokio::time::sleep(Duration::from_millis(500)).await;
        let mut stopping = std::pin::pin!(member.node.terminate());
        let calls = tokio::select! {
            calls = calls => calls??,
            status = &mut stopping => anyhow::bail!("it stopped with {:?} before it said that it would", status?),
        };
        // The load balancer has seen that it is not ready.
        traffic.sides[0].put(0, None);
        let status = stopping.await?;
        ensure!(status.success(), "{status}");
        ensure!(calls > 3, "only {calls} calls");
        // It said goodbye: nobody has to wait until it counts as dead.
        let there = format!("SELECT count(*) FROM session WHERE id = {session}");
        ensure!(number(store, &there)? == 0, "its session is still there");
        ensure!(in_hand(store, session)? == 0, "it left with something in hand");
        Ok(())
    })
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_that_is_told_to_stop_finishes_a_long_upload_and_nobody_takes_it_over() -> anyhow::Result<()> {
    under_load(LONG_UPLOAD, async |member, store, traffic| {
        let session = first(store)?;
        let started = Instant::now();
        while in_hand(store, session)? == 0 {
            ensure!(started.elapsed() < PATIENCE, "it never had anything in hand");
            tokio::time::sleep(LOOK).await;
        }
        traffic.sides[0].put(0, None);
        let status = member.node.terminate().await?;
        ensure!(status.success(), "{status}");
        let given_up = number(store, "SELECT count(*) FROM sending WHERE uncertain = 1")?;
        ensure!(given_up == 0, "{given_up} messages were taken for cut off");
        ensure!(
            !member.node.log().contains("another worker took the message"),
            "it was taken over"
        );
        Ok(())
    })
    .await
}

/// Calls of which each is answered, until the node says that it wants no more. How many there were.
async fn calls_until_not_ready(node: Fagsystem) -> anyhow::Result<u32> {
    let mut calls = 0;
    loop {
        if node.get("/manage/health/readiness").await?.status == StatusCode::SERVICE_UNAVAILABLE {
            // A load balancer looks only now and then: until it has, there are calls.
            for _ in 0..5 {
                node.get("/api/messages/out").await?.ok()?;
                calls += 1;
            }
            return Ok(calls);
        }
        node.get("/api/messages/out").await?.ok()?;
        calls += 1;
    }
}
