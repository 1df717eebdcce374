//! SIGKILL in the middle of what goes over the other services: a letter to Altinn's inbox, a forsendelse to KS and from it.

use std::sync::Arc;

use anyhow::{Context as _, ensure};
use budstikke_e2e::{Fagsystem, File, Installation, PATIENCE, Pair, World, message_id, nothing_more_comes, together};

use super::points::reached;

/// Whose process is killed, and over which service the message goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Scene {
    /// The sender of a letter over DPV.
    Letter,
    /// The sender of a forsendelse over DPF, spoken to in one of two ways.
    Forsendelse(&'static str),
    /// The receiver of a forsendelse.
    Mottak,
}

struct Ground {
    world: Arc<World>,
    ours: Installation,
    theirs: Installation,
}

impl Ground {
    async fn new(scene: Scene) -> anyhow::Result<Self> {
        let world = World::new(&[Pair::SENDER, Pair::RECEIVER]).await?;
        let (ours, theirs) = (world.installation(Pair::SENDER)?, world.installation(Pair::RECEIVER)?);
        ours.hurry(&world)?;
        theirs.hurry(&world)?;
        match scene {
            Scene::Letter => {
                ours.serves_dpv(&world, "sender-name = \"Etat A\"").await?;
                let resource = "address = { resource = \"eformidling-dpv-administrasjon\" }";
                ours.reaches_all_over("DPV", None, resource)?;
            }
            Scene::Forsendelse(_) | Scene::Mottak => {
                let protocol = if scene == Scene::Forsendelse("soap") {
                    "soap"
                } else {
                    "rest"
                };
                world.receives_over_ks(Pair::RECEIVER)?;
                let certificate = world.ks_certificate()?;
                for installation in [&ours, &theirs] {
                    installation.serves_dpf(&world, protocol).await?;
                    installation.names(&[Pair::SENDER, Pair::RECEIVER])?;
                    installation.reaches_all_over("DPF", Some(&certificate), "")?;
                }
            }
        }
        Ok(Self {
            world: Arc::new(world),
            ours,
            theirs,
        })
    }

    fn told<T>(&self, result: anyhow::Result<T>) -> anyhow::Result<T> {
        let logs = || [&self.ours, &self.theirs].map(Installation::end_of_log).join("\n---\n");
        result.with_context(logs)
    }

    /// How many messages have arrived at the service.
    fn arrived(&self, scene: Scene) -> usize {
        match scene {
            Scene::Letter => self.world.doubles.correspondences().all().len(),
            Scene::Forsendelse(_) | Scene::Mottak => self.world.doubles.ks().forsendelser().len(),
        }
    }
}

async fn sent(sender: &Fagsystem) -> anyhow::Result<String> {
    let id = uuid::Uuid::new_v4().to_string();
    let sbd = Fagsystem::arkivmelding(Pair::SENDER, Pair::RECEIVER, &id);
    sender.send_message(&sbd, &File::examples()?).await?;
    Ok(id)
}

async fn kill_at(ground: &mut Ground, scene: Scene, point: &str) -> anyhow::Result<()> {
    let mark = ground.world.folder().join("reached");
    let armed = [
        ("BUDSTIKKE_FAIL_POINT", point),
        ("BUDSTIKKE_FAIL_FILE", mark.to_str().context("a path")?),
    ];
    let id = if scene == Scene::Mottak {
        ground.theirs.spawn(&armed)?;
        let sender = ground.ours.start().await?;
        let id = sent(&sender).await?;
        reached(&mark, point).await?;
        ground.theirs.kill();
        id
    } else {
        let sender = ground.ours.start_with(&armed).await?;
        let id = sent(&sender).await?;
        reached(&mark, point).await?;
        ground.ours.kill();
        ground.ours.start().await?;
        id
    };
    let sender = ground.ours.fagsystem();
    if scene == Scene::Letter {
        sender.wait_for(&id, "LEVERT", PATIENCE).await?;
        ensure!(sender.statuses(&id).await? == ["OPPRETTET", "SENDT", "LEVERT"]);
    } else {
        let receiver = ground.theirs.start().await?;
        let sbd = receiver.wait_and_peek("", PATIENCE).await?;
        let arrived = message_id(&sbd).context("a message without id")?.to_owned();
        receiver.pop(&arrived).await?.ok()?;
        receiver.take(&arrived).await?.ok()?;
        sender.wait_for(&id, "LEST", PATIENCE * 2).await?;
        ensure!(sender.statuses(&id).await? == ["OPPRETTET", "SENDT", "LEVERT", "LEST"]);
        nothing_more_comes(&receiver).await?;
    }
    let arrived = ground.arrived(scene);
    ensure!(arrived == 1, "{arrived} of it arrived");
    Ok(())
}

async fn play(scene: Scene, points: &[&'static str]) -> anyhow::Result<()> {
    let one = async |point| {
        let mut ground = Ground::new(scene).await?;
        let result = kill_at(&mut ground, scene, point).await;
        ground.told(result)
    };
    let named = |point: &&'static str| (format!("{scene:?} at {point}"), one(*point));
    together(points.iter().map(named)).await
}

/// Where a message is on its way out.
const SENDING: &[&str] = &[
    "send.after-claim",
    "send.after-checkpoint",
    "send.before-finish",
    "send.after-finish",
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_letter_is_in_altinns_inbox_once_wherever_its_sender_is_killed() -> anyhow::Result<()> {
    play(Scene::Letter, SENDING).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_forsendelse_is_at_svarut_once_wherever_its_sender_is_killed() -> anyhow::Result<()> {
    let points: Vec<_> = SENDING.iter().chain(&["send.after-keep"]).copied().collect();
    play(Scene::Forsendelse("rest"), &points).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_same_over_soap() -> anyhow::Result<()> {
    play(Scene::Forsendelse("soap"), SENDING).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_forsendelse_is_received_once_wherever_its_receiver_is_killed() -> anyhow::Result<()> {
    let points = [
        "receive.before-deliver",
        "receive.after-package",
        "receive.after-commit",
    ];
    play(Scene::Mottak, &points).await
}
