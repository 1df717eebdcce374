//! What goes wrong with the database, the bucket and Altinn. It always passes.

use std::sync::Arc;
use std::time::Duration;

use budstikke_doubles::{Fault, Route};
use budstikke_e2e::{Chance, Ledger, SharedStore, World};
use budstikke_test_bucket::Fault as BucketFault;
use budstikke_test_line::Line;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

/// Between two faults of the same kind of weather, ms.
const BETWEEN: (u64, u64) = (1_500, 6_000);
/// More requests than anybody makes while a fault lasts.
const EVERY: usize = 1_000_000;

/// What an organisation's nodes stand on.
pub(crate) struct Below {
    pub(crate) store: SharedStore,
    pub(crate) lines: Vec<Line>,
}

/// Altinn refuses, breaks off and forgets to answer.
pub(crate) async fn over_altinn(world: Arc<World>, ledger: Arc<Ledger>, mut chance: Chance, calm: CancellationToken) {
    let routes = [
        Route::Token,
        Route::Exchange,
        Route::Initialise,
        Route::Upload,
        Route::List,
        Route::Overview,
        Route::Download,
        Route::Confirm,
    ];
    while pause(&mut chance, &calm).await {
        let doubles = &world.doubles;
        let route = routes[chance.place(routes.len())];
        let times = u32::try_from(chance.of(1..4)).unwrap_or(1);
        match chance.of(0..6) {
            0 => {
                ledger.fault("Altinn's connections cut");
                doubles.cut_connections();
            }
            1 => {
                ledger.fault("Altinn away");
                doubles.faults().times(times, route, Fault::Status(503));
            }
            2 | 3 => {
                ledger.fault("an answer of Altinn lost");
                doubles.faults().times(times, route, Fault::AnswerLost);
            }
            4 => {
                ledger.fault("an upload cut");
                let after = chance.of(0..20_000);
                doubles.faults().once(Route::Upload, Fault::CutRequestBody { after });
            }
            _ => {
                ledger.fault("a token revoked");
                doubles.revoke_tokens();
            }
        }
    }
    world.doubles.faults().clear();
}

/// The database server and the lines to it.
pub(crate) async fn over_the_database(
    below: Arc<[Below; 2]>,
    ledger: Arc<Ledger>,
    mut chance: Chance,
    calm: CancellationToken,
) -> anyhow::Result<()> {
    let server = below[0].store.server.clone();
    while pause(&mut chance, &calm).await {
        let one = &below[chance.place(below.len())];
        let line = &one.lines[chance.place(one.lines.len())];
        let time = chance.millis(300..7_000);
        match chance.of(0..10) {
            0 => {
                ledger.fault("the database restarted");
                let server = server.clone();
                tokio::task::spawn_blocking(move || server.restart()).await??;
            }
            1 => {
                ledger.fault("the database killed");
                let server = server.clone();
                let time = time / 2;
                tokio::task::spawn_blocking(move || {
                    server.kill()?;
                    std::thread::sleep(time);
                    server.start_again()
                })
                .await??;
            }
            2 | 3 => {
                ledger.fault("connections ended");
                tokio::task::block_in_place(|| server.terminate_connections(&one.store.database))?;
            }
            4 | 5 => {
                ledger.fault("a line cut");
                line.cut()?;
                sleep(time).await;
            }
            6 | 7 => {
                ledger.fault("a line frozen");
                line.freeze()?;
                sleep(time).await;
            }
            8 => {
                ledger.fault("a line slow");
                line.delay(Duration::from_millis(chance.of(1..40)))?;
                sleep(time).await;
                line.delay(Duration::ZERO)?;
            }
            _ => {
                ledger.fault("a line cut in a statement");
                line.cut_after(chance.of(1..20_000))?;
                sleep(time).await;
            }
        }
        line.mend()?;
    }
    Ok(())
}

/// The buckets.
pub(crate) async fn over_the_buckets(
    below: Arc<[Below; 2]>,
    ledger: Arc<Ledger>,
    mut chance: Chance,
    calm: CancellationToken,
) {
    while pause(&mut chance, &calm).await {
        let bucket = &below[chance.place(below.len())].store.bucket;
        match chance.of(0..3) {
            0 => {
                ledger.fault("a bucket away");
                bucket.fail("", BucketFault::Refuse(503), EVERY);
                sleep(chance.millis(200..5_000)).await;
            }
            1 => {
                ledger.fault("a bucket slow");
                bucket.fail("", BucketFault::Delay(chance.millis(50..1_000)), EVERY);
                sleep(chance.millis(200..5_000)).await;
            }
            _ => {
                ledger.fault("answers of a bucket broken off");
                let times = usize::try_from(chance.of(1..6)).unwrap_or(1);
                bucket.fail("", BucketFault::BreakOff, times);
                sleep(chance.millis(200..2_000)).await;
            }
        }
        bucket.heal();
    }
}

/// False when it is calm.
async fn pause(chance: &mut Chance, calm: &CancellationToken) -> bool {
    tokio::select! {
        () = sleep(chance.millis(BETWEEN.0..BETWEEN.1)) => true,
        () = calm.cancelled() => false,
    }
}
