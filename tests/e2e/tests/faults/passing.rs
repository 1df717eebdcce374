//! Faults that pass: every message arrives once.

use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use budstikke_doubles::{DoublesConfig, DownloadMark, Fault, Route, TransferStatus};
use budstikke_e2e::{Fagsystem, Letter, PATIENCE, Pair, Reader, SEVERAL_POLLS, nothing_more_comes, together};

/// What every call may meet.
fn common() -> Vec<Fault> {
    vec![
        Fault::Status(500),
        Fault::unavailable(1),
        too_many(),
        Fault::Delay(Duration::from_millis(600)),
        Fault::CutRequestBody { after: 0 },
        Fault::CutResponseBody { after: 0 },
        Fault::CutResponseBody { after: 1 },
        Fault::AnswerLost,
        Fault::SlowBody { bytes_per_second: 2000 },
    ]
}

/// What calls with a token may meet besides.
fn with_token() -> Vec<Fault> {
    [
        common(),
        vec![Fault::Status(401), Fault::TokenRevoked, Fault::Status(409)],
    ]
    .concat()
}

/// Answers that are final for a message on its way out, and say nothing about one on its way in.
fn refusals() -> Vec<Fault> {
    vec![Fault::Status(400), Fault::Status(403), Fault::Status(404)]
}

fn too_many() -> Fault {
    Fault::Answer {
        status: 429,
        body: "slow down".into(),
        content_type: "text/plain".into(),
        retry_after: Some(1),
    }
}

/// How many requests meet the fault, so that it also strikes the one who is not asked first.
fn strikes(route: Route) -> u32 {
    match route {
        // Both installations make these calls all the time.
        Route::List | Route::Overview | Route::Token | Route::Exchange => 2,
        _ => 1,
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn troubles_on_the_way_out_pass() -> anyhow::Result<()> {
    survive([
        (Route::Token, common()),
        (Route::Exchange, common()),
        (Route::Initialise, with_token()),
        (Route::Upload, with_token()),
    ])
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn troubles_on_the_way_in_pass() -> anyhow::Result<()> {
    // Not 404: to the sender, who looks what became of its transfer, that says that it is gone.
    let of_overview = vec![Fault::Status(400), Fault::Status(403), Fault::WrongChecksum];
    survive([
        (Route::List, [with_token(), refusals()].concat()),
        (Route::Overview, [with_token(), of_overview].concat()),
        (
            Route::Download,
            [with_token(), refusals(), vec![Fault::WrongChecksum]].concat(),
        ),
        (Route::Confirm, [with_token(), refusals()].concat()),
    ])
    .await
}

/// Altinn has a part of it then, and may still be working on it: the adapter waits half a minute before it uploads again,
/// into the same transfer.
#[tokio::test]
async fn an_upload_cut_in_the_middle_goes_into_the_same_transfer() -> anyhow::Result<()> {
    survive([(Route::Upload, vec![Fault::CutRequestBody { after: 1000 }])]).await
}

/// At an Altinn that counts a download as begun with its first byte.
#[tokio::test]
async fn a_download_cut_in_the_middle_is_begun_again() -> anyhow::Result<()> {
    let mut pair = Pair::with(DoublesConfig {
        download_mark: DownloadMark::WhenRequested,
        ..DoublesConfig::default()
    })
    .await?;
    let faults = vec![Fault::CutResponseBody { after: 1000 }, Fault::AnswerLost];
    let result = all_arrive(&mut pair, Route::Download, faults).await;
    pair.told(result)
}

/// A client that is locked, or an organisation that has not approved its system user yet: somebody puts that right, and
/// no message fails meanwhile.
#[tokio::test]
async fn while_no_token_is_given_messages_wait() -> anyhow::Result<()> {
    let mut pair = Pair::new().await?;
    let result = without_token(&mut pair).await;
    pair.told(result)
}

async fn without_token(pair: &mut Pair) -> anyhow::Result<()> {
    let (sender, receiver) = pair.start().await?;
    let doubles = &pair.world.doubles;
    let mut letters = Vec::new();
    for (route, fault) in [
        (Route::Token, Fault::TokenRevoked),
        (Route::Token, Fault::Status(400)),
        (Route::Exchange, Fault::Status(403)),
    ] {
        doubles.faults().always(route, fault);
        doubles.revoke_tokens();
        let mut letter = Letter::new(Pair::SENDER, Pair::RECEIVER)?;
        letter.go_on(&sender).await?;
        tokio::time::sleep(SEVERAL_POLLS).await;
        let statuses = sender.statuses(&letter.id).await?;
        ensure!(statuses == ["OPPRETTET"], "without a token: {statuses:?}");
        doubles.faults().clear();
        letters.push(letter);
    }
    for _ in &letters {
        Reader::default().go_on(&receiver).await?;
    }
    for letter in &letters {
        letter.has_arrived_under_trouble(&sender, &receiver).await?;
    }
    nothing_more_comes(&receiver).await
}

#[tokio::test]
async fn restarts_of_altinn_under_load_lose_nothing() -> anyhow::Result<()> {
    let mut pair = Pair::new().await?;
    let result = restarts(&mut pair).await;
    pair.told(result)
}

/// At most so many messages for one pair, or the slowest route would take as long as all others.
const SHARE: usize = 7;

async fn survive(routes: impl IntoIterator<Item = (Route, Vec<Fault>)>) -> anyhow::Result<()> {
    let scene = async |route, faults| {
        let mut pair = Pair::new().await?;
        let result = all_arrive(&mut pair, route, faults).await;
        pair.told(result)
    };
    let mut scenes = Vec::new();
    for (route, faults) in routes {
        for share in faults.chunks(SHARE) {
            scenes.push((format!("{route:?} with {share:?}"), scene(route, share.to_vec())));
        }
    }
    together(scenes).await
}

/// Whether the next fault may be switched on while the last statuses are still to be fetched: it cannot strike them.
fn strikes_no_status(route: Route) -> bool {
    !matches!(route, Route::Overview | Route::Download | Route::Confirm)
}

/// One message for each fault, one after the other.
async fn all_arrive(pair: &mut Pair, route: Route, faults: Vec<Fault>) -> anyhow::Result<()> {
    pair.theirs.ask_for_passwords()?;
    let (sender, receiver) = pair.start().await?;
    let messages = faults.len();
    let mut letters = Vec::new();
    for fault in faults {
        let letter = arrives(pair, (&sender, &receiver), route, fault.clone())
            .await
            .with_context(|| format!("{fault:?}"))?;
        letters.push((letter, fault));
        let answered = || pair.uploaded(Pair::RECEIVER).len() == 2 * letters.len();
        until(answered).await.context("no status went back")?;
    }
    for (letter, fault) in &letters {
        letter
            .has_arrived_under_trouble(&sender, &receiver)
            .await
            .with_context(|| format!("{fault:?}"))?;
    }
    nothing_more_comes(&receiver).await?;
    let doubles = &pair.world.doubles;
    // Announcements whose answers were lost stay empty: Altinn tells nobody of them.
    let lost = pair.announced(Pair::SENDER).len() - pair.uploaded(Pair::SENDER).len();
    ensure!(
        lost == 0 || route == Route::Initialise,
        "{lost} transfers were begun and left"
    );
    let (out, back) = (pair.uploaded(Pair::SENDER).len(), pair.uploaded(Pair::RECEIVER).len());
    ensure!(
        (out, back) == (messages, 2 * messages),
        "{out} transfers went out and {back} back for {messages} messages"
    );
    let all_confirmed = doubles
        .wait_for(PATIENCE, |transfers| {
            let uploaded = |status| status != TransferStatus::Initialized;
            transfers
                .iter()
                .filter(|transfer| uploaded(transfer.status))
                .all(|transfer| transfer.status == TransferStatus::AllConfirmedDownloaded)
        })
        .await;
    ensure!(all_confirmed, "not everything was confirmed");
    if route == Route::Confirm {
        let downloads = doubles.count(Route::Download);
        ensure!(
            downloads == 3 * messages as u64,
            "{downloads} downloads of {messages} messages with two statuses each"
        );
    }
    let aside = receiver.get("/manage/set-aside").await?.ok()?.json();
    ensure!(
        aside["content"].as_array().is_some_and(Vec::is_empty),
        "set aside: {aside}"
    );
    Ok(())
}

async fn arrives(
    pair: &Pair,
    (sender, receiver): (&Fagsystem, &Fagsystem),
    route: Route,
    fault: Fault,
) -> anyhow::Result<Letter> {
    let doubles = &pair.world.doubles;
    doubles.faults().times(strikes(route), route, fault);
    if matches!(route, Route::Token | Route::Exchange) {
        // Else nobody would ask for a token for a while.
        doubles.revoke_tokens();
    }
    let mut letter = Letter::new(Pair::SENDER, Pair::RECEIVER)?;
    letter.go_on(sender).await?;
    let (id, package) = Reader::default().go_on(receiver).await?;
    ensure!(id == letter.id, "another message was on the queue");
    letter.is_in(&package)?;
    if !strikes_no_status(route) {
        letter.has_arrived_under_trouble(sender, receiver).await?;
    }
    until(|| doubles.faults().pending() == 0)
        .await
        .context("the fault struck nobody")?;
    Ok(letter)
}

async fn until(enough: impl Fn() -> bool) -> anyhow::Result<()> {
    let started = Instant::now();
    while !enough() {
        ensure!(started.elapsed() < PATIENCE, "not within {PATIENCE:?}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    Ok(())
}

async fn restarts(pair: &mut Pair) -> anyhow::Result<()> {
    const LOAD: usize = 12;
    let (sender, receiver) = pair.start().await?;
    let mut letters = Vec::new();
    for number in 0..LOAD {
        let mut letter = Letter::new(Pair::SENDER, Pair::RECEIVER)?;
        letter.go_on(&sender).await?;
        letters.push(letter);
        if number % 4 == 1 {
            pair.world.doubles.cut_connections();
            pair.world.doubles.revoke_tokens();
        }
    }
    for _ in 0..LOAD {
        let (id, package) = Reader::default().go_on(&receiver).await?;
        letters
            .iter()
            .find(|letter| letter.id == id)
            .context("a message that nobody sent")?
            .is_in(&package)?;
        pair.world.doubles.cut_connections();
    }
    for letter in &letters {
        letter.has_arrived_under_trouble(&sender, &receiver).await?;
    }
    nothing_more_comes(&receiver).await
}
