//! One scene for every fail point of the program.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use budstikke_e2e::{Fagsystem, Letter, PATIENCE, Pair, Reader, fail_points, nothing_more_comes, together};
use budstikke_test_postgres::Server;

use super::told;

/// Whose process is killed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Victim {
    /// The one that sends the message, and receives its statuses.
    Sender,
    /// The one that receives the message, and sends the statuses.
    Receiver,
}

/// What both stand on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ground {
    /// SQLite and folders.
    Folders,
    /// PostgreSQL and buckets.
    Postgres,
}

/// A scene: its name, the victim, the fail point.
type Scene = (&'static str, Victim, &'static str);

/// A scene for each line; those of one group are played together.
macro_rules! scenes {
    ($($group:ident { $($name:ident: $victim:ident at $point:literal;)* })*) => {
        /// Every scene.
        const SCENES: &[Scene] = &[$($((stringify!($name), Victim::$victim, $point),)*)*];

        $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn $group() -> anyhow::Result<()> {
            play(&[$((stringify!($name), Victim::$victim, $point),)*], Ground::Folders).await
        })*

        /// The same with a database and a bucket, where a killed process cannot know at its next start that nobody else is there.
        mod on_postgres {
            use super::*;

            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $group() -> anyhow::Result<()> {
                play(&[$((stringify!($name), Victim::$victim, $point),)*], Ground::Postgres).await
            })*
        }
    };
}

scenes! {
    killed_while_the_fagsystem_hands_a_message_over {
        a_create_that_was_not_committed_is_repeated: Sender at "create.before-commit";
        a_create_whose_answer_was_lost_exists: Sender at "create.after-commit";
        an_upload_that_was_not_committed_is_repeated: Sender at "upload.before-commit";
        an_upload_whose_answer_was_lost_is_there: Sender at "upload.after-commit";
        a_send_whose_answer_was_lost_is_done: Sender at "queue.after-commit";
    }
    killed_while_a_message_is_sent {
        a_claimed_message_is_claimed_again: Sender at "send.after-claim";
        a_package_that_was_made_goes_out: Sender at "send.after-keep";
        a_transfer_that_was_announced_is_used: Sender at "send.after-checkpoint";
        an_upload_that_arrived_is_not_repeated: Sender at "send.before-finish";
        a_message_that_has_left_is_not_sent_again: Sender at "send.after-finish";
    }
    killed_while_a_message_is_received {
        a_message_that_was_not_stored_is_fetched_again: Receiver at "receive.before-deliver";
        a_package_without_its_message_is_fetched_again: Receiver at "receive.after-package";
        a_stored_message_is_confirmed_and_not_stored_again: Receiver at "receive.after-commit";
        a_take_that_was_not_committed_is_repeated: Receiver at "take.before-commit";
        a_take_whose_answer_was_lost_is_done: Receiver at "take.after-commit";
    }
    killed_while_a_status_goes_back {
        a_claimed_status_is_claimed_again: Receiver at "send.after-claim";
        a_status_that_was_packed_goes_out: Receiver at "send.after-keep";
        a_status_that_was_announced_goes_out: Receiver at "send.after-checkpoint";
        a_status_that_arrived_is_not_repeated: Receiver at "send.before-finish";
        a_status_that_has_left_is_not_sent_again: Receiver at "send.after-finish";
        a_status_that_was_not_registered_is_fetched_again: Sender at "receive.before-deliver";
    }
}

/// Points right after a commit of something to send, or of what it had to wait for: it is on its way while the victim stands
/// still.
const BEGINS_TO_SEND: &[&str] = &[
    "queue.after-commit",
    "receive.after-commit",
    "send.after-finish",
    "take.after-commit",
];

#[test]
fn every_fail_point_has_a_scene() {
    let names = fail_points();
    assert!(names.len() > 10, "the list was not read: {names:?}");
    for name in names.iter().filter(|name| **name != told::POINT) {
        let on_the_way_in = name.starts_with("receive.") || name.starts_with("take.");
        let victim = if on_the_way_in {
            Victim::Receiver
        } else {
            Victim::Sender
        };
        assert!(
            SCENES.iter().any(|(_, who, point)| *who == victim && point == name),
            "{name} has no scene in which the {victim:?} is killed there"
        );
    }
    assert!(names.contains(&told::POINT));
    for point in SCENES.iter().map(|(_, _, point)| point).chain(BEGINS_TO_SEND) {
        assert!(names.contains(point), "{point} is no fail point");
    }
}

async fn play(scenes: &[Scene], ground: Ground) -> anyhow::Result<()> {
    let scene = async |victim, point| {
        let mut pair = match ground {
            Ground::Folders => Pair::new().await?,
            Ground::Postgres => {
                let server = tokio::task::spawn_blocking(Server::shared).await??;
                Pair::on_postgres(&server).await?
            }
        };
        let result = kill_at(&mut pair, victim, point).await;
        pair.told(result)
    };
    let named = |(name, victim, point): &Scene| {
        let (victim, point) = (*victim, *point);
        (
            format!("{name} (the {victim:?} killed at {point})"),
            scene(victim, point),
        )
    };
    together(scenes.iter().map(named)).await
}

async fn kill_at(pair: &mut Pair, victim: Victim, point: &str) -> anyhow::Result<()> {
    let mark = pair.world.folder().join("reached");
    let armed = [
        ("BUDSTIKKE_FAIL_POINT", point),
        ("BUDSTIKKE_FAIL_FILE", mark.to_str().context("a path")?),
    ];
    let (mut sender, mut receiver) = match victim {
        Victim::Sender => (pair.ours.start_with(&armed).await?, pair.theirs.start().await?),
        Victim::Receiver => (pair.ours.start().await?, pair.theirs.start_with(&armed).await?),
    };
    let mut letter = Letter::new(Pair::SENDER, Pair::RECEIVER)?;
    let mut reader = Reader::default();

    // Until the victim stands still at the point. Calls that hang there are never answered.
    tokio::select! {
        reached = reached(&mark, point) => reached?,
        over = main_job(&mut letter, &mut reader, &sender, &receiver) => {
            over?;
            // The last status may still be on its way through the victim.
            reached(&mark, point).await?;
        }
    }
    match victim {
        Victim::Sender => {
            pair.ours.kill();
            sender = pair.ours.start().await?;
        }
        Victim::Receiver => {
            pair.theirs.kill();
            receiver = pair.theirs.start().await?;
        }
    }

    let package = main_job(&mut letter, &mut reader, &sender, &receiver).await?;
    letter.is_in(&package)?;
    // An adapter puts a transfer that a call ended with behind the others, so that one which kills it holds up nobody: LEVERT
    // can overtake a MOTTATT.
    let overtaken = (victim, point) == (Victim::Sender, "receive.before-deliver");
    // Looked at twice: nothing is added meanwhile.
    for look in 0..2 {
        if overtaken {
            letter.has_arrived_under_trouble(&sender, &receiver).await?;
        } else {
            letter.has_arrived_once(&sender, &receiver).await?;
        }
        if look == 0 {
            nothing_more_comes(&receiver).await?;
        }
    }
    // One for the message, and one for each of MOTTATT and LEVERT.
    let (out, back) = (pair.uploaded(Pair::SENDER).len(), pair.uploaded(Pair::RECEIVER).len());
    ensure!((out, back) == (1, 2), "{out} transfers went out, {back} came back");
    // A node that dies between the announcement of a transfer and its checkpoint announces another one, and Altinn purges
    // the one that never got a file. No point lies there, but a point after which another task begins to send can be met at
    // that moment.
    let announced = pair.announced(Pair::SENDER).len() + pair.announced(Pair::RECEIVER).len();
    let spare = usize::from(BEGINS_TO_SEND.contains(&point));
    ensure!(announced <= out + back + spare, "{announced} transfers were announced");
    Ok(())
}

/// Both fagsystems do what is left of their parts.
async fn main_job(
    letter: &mut Letter,
    reader: &mut Reader,
    sender: &Fagsystem,
    receiver: &Fagsystem,
) -> anyhow::Result<Vec<u8>> {
    letter.go_on(sender).await?;
    let (id, package) = reader.go_on(receiver).await?;
    ensure!(id == letter.id, "another message was on the queue");
    Ok(package)
}

pub(super) async fn reached(mark: &Path, point: &str) -> anyhow::Result<()> {
    let mark: PathBuf = mark.to_owned();
    let started = Instant::now();
    loop {
        if std::fs::read_to_string(&mark).is_ok_and(|name| name == point) {
            return Ok(());
        }
        ensure!(started.elapsed() < PATIENCE, "nobody came to {point}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}
