//! Killed between telling a subscriber and remembering that it was told.

use anyhow::{Context as _, ensure};
use budstikke_e2e::{AT_SENDER, Letter, Pair, Reader, Subscriber};

use super::points::reached;

/// The place; the scene needs a subscriber, so it is not among the others.
pub(super) const POINT: &str = "webhook.after-post";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_subscriber_is_told_again_under_the_same_name() -> anyhow::Result<()> {
    let mut pair = Pair::new().await?;
    let result = told_again(&mut pair).await;
    pair.told(result)
}

async fn told_again(pair: &mut Pair) -> anyhow::Result<()> {
    let subscriber = Subscriber::start(&pair.world.folder().join("heard"))?;
    let mark = pair.world.folder().join("reached");
    let armed = [
        ("BUDSTIKKE_FAIL_POINT", POINT),
        ("BUDSTIKKE_FAIL_FILE", mark.to_str().context("a path")?),
    ];
    let (sender, receiver) = (pair.ours.start_with(&armed).await?, pair.theirs.start().await?);
    subscriber.subscribe(&sender, None).await?;
    let mut letter = Letter::new(Pair::SENDER, Pair::RECEIVER)?;
    tokio::select! {
        reached = reached(&mark, POINT) => reached?,
        sent = letter.go_on(&sender) => {
            sent?;
            reached(&mark, POINT).await?;
        }
    }
    pair.ours.kill();
    ensure!(subscriber.heard()?.len() == 1, "{:?}", subscriber.heard()?);

    let sender = pair.ours.start().await?;
    letter.go_on(&sender).await?;
    Reader::default().go_on(&receiver).await?;
    letter.has_arrived_once(&sender, &receiver).await?;
    let heard = subscriber.hears("LEVERT").await?;
    let told: Vec<&str> = heard.iter().filter_map(|told| told["status"].as_str()).collect();
    ensure!(
        told == ["OPPRETTET", "OPPRETTET", "SENDT", "MOTTATT", "LEVERT"],
        "{told:?}"
    );
    let mut names: Vec<&str> = heard.iter().filter_map(|told| told["delivery"].as_str()).collect();
    names.dedup();
    ensure!(
        names.len() == AT_SENDER.len(),
        "the repetition has another name: {heard:?}"
    );
    Ok(())
}
