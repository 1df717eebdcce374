//! The example clients, as a vendor runs them: every one sends to its own kind, and python's zipfile is the referee of what
//! arrived.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

#[path = "clients/client.rs"]
mod client;
#[path = "clients/forgetful.rs"]
mod forgetful;

use std::path::{Path, PathBuf};

use budstikke_doubles::{Fault, Route};
use budstikke_e2e::{Fagsystem, PATIENCE, Pair, message_id};
use tokio::process::Command;

use client::{AWKWARD, CLIENTS, Door, EXIT_FAILED, EXIT_LOST, EXIT_UNDECIDED, EXIT_USAGE};
use forgetful::forgetful;

/// Two running installations, and the files of a message.
struct Scene {
    pair: Pair,
    sender: Fagsystem,
    receiver: Fagsystem,
    files: PathBuf,
}

impl Scene {
    async fn new() -> Self {
        Self::of(Pair::new().await.unwrap()).await
    }

    async fn of(mut pair: Pair) -> Self {
        let (sender, receiver) = pair.start().await.unwrap();
        let files = pair.world.folder().join("files");
        std::fs::create_dir_all(&files).unwrap();
        let examples = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/message");
        for name in ["arkivmelding.xml", "brev.pdf"] {
            std::fs::copy(examples.join(name), files.join(name)).unwrap();
        }
        std::fs::write(files.join(AWKWARD), "Blåbærsyltetøy\n".repeat(10_000)).unwrap();
        Self {
            pair,
            sender,
            receiver,
            files,
        }
    }

    /// Transfers with files that left the sender; statuses and kvitteringer have none.
    fn with_files(&self) -> usize {
        let transfers = self.pair.uploaded(Pair::SENDER);
        let packages = transfers.iter().map(|transfer| transfer.read().unwrap());
        packages
            .filter(|package| package.windows(8).any(|name| name == b"asic.zip"))
            .count()
    }

    fn inbox(&self, name: &str) -> PathBuf {
        self.pair.world.folder().join(name)
    }
}

async fn unzipped(package: &Path, to: &Path) {
    let done = Command::new("python3")
        .args(["-m", "zipfile", "-e"])
        .args([package, to])
        .status()
        .await
        .unwrap();
    assert!(done.success(), "{}", package.display());
}

#[tokio::test]
async fn every_client_sends_receives_and_gives_a_kvittering() {
    let scene = Scene::new().await;
    for client in &CLIENTS {
        for way in [&[][..], &["--multipart"][..]] {
            let played = format!("{}{}", client.language, way.concat());
            println!("{played}");
            let (theirs, ours) = (
                scene.inbox(&format!("{played}-in")),
                scene.inbox(&format!("{played}-answer")),
            );
            let (sent, received) = tokio::join!(
                client.send(&scene.sender, &scene.files, way),
                client.receive(&scene.receiver, &theirs)
            );
            let sent = sent.good();
            received.good();
            let id = sent.message_id();
            // LEST travels by itself, and can come first.
            assert!(
                sent.out.contains(" LEVERT") || sent.out.contains(" LEST"),
                "{}",
                sent.told()
            );

            let content = theirs.join("content");
            unzipped(&theirs.join(&id).join("asic.zip"), &content).await;
            for name in ["arkivmelding.xml", "brev.pdf", AWKWARD] {
                let arrived = std::fs::read(content.join(name)).unwrap();
                assert!(arrived == std::fs::read(scene.files.join(name)).unwrap(), "{name}");
            }

            for status in ["OPPRETTET", "SENDT", "MOTTATT", "LEVERT", "LEST"] {
                scene.sender.wait_for(&id, status, PATIENCE).await.unwrap();
            }
            let answered = client.receive(&scene.sender, &ours).await.good();
            assert!(answered.out.contains("arkivmelding_kvittering"), "{}", answered.told());
            assert!(scene.sender.peek("").await.unwrap().is_none());
            assert!(scene.receiver.peek("").await.unwrap().is_none());
        }
    }
}

#[tokio::test]
async fn every_client_goes_on_where_an_earlier_run_of_it_ended() {
    let scene = Scene::new().await;
    let mut expected = 0;
    for client in &CLIENTS {
        let id = uuid::Uuid::new_v4().to_string();
        // An earlier run came as far as the first file.
        let sbd = Fagsystem::arkivmelding(Pair::SENDER, Pair::RECEIVER, &id);
        scene.sender.create(&sbd).await.unwrap().ok().unwrap();
        let file = budstikke_e2e::File::examples().unwrap().remove(0);
        scene.sender.upload(&id, &file).await.unwrap().ok().unwrap();
        let go_on = ["--message-id", id.as_str(), "--patience", "0"];
        let undecided = client.send(&scene.sender, &scene.files, &go_on).await;
        assert_eq!(undecided.code, Some(EXIT_UNDECIDED), "{}", undecided.told());
        assert!(undecided.error.contains(&id), "{}", undecided.told());

        let inbox = scene.inbox(client.language);
        client.receive(&scene.receiver, &inbox).await.good();
        scene.sender.wait_for(&id, "LEST", PATIENCE).await.unwrap();
        for way in [&[][..], &["--multipart"][..]] {
            let again = [&["--message-id", id.as_str()], way].concat();
            client.send(&scene.sender, &scene.files, &again).await.good();
        }
        expected += 1;
        let transfers = scene.with_files();
        assert_eq!(transfers, expected, "{} sent it again", client.language);

        // A kvittering that was not sent, because the run was cut off after the message was taken.
        std::fs::remove_file(inbox.join(&id).join("kvittering.sent")).unwrap();
        let nothing = ["receive", "--inbox", inbox.to_str().unwrap()];
        let repeated = client.run(&scene.receiver, &nothing).await.good();
        assert!(repeated.out.contains(&format!("for {id}")), "{}", repeated.told());
        assert!(inbox.join(&id).join("kvittering.sent").exists());
        client.receive(&scene.sender, &scene.inbox("answers")).await.good();
    }
}

#[tokio::test]
async fn every_client_gets_through_when_every_other_answer_is_lost() {
    let scene = Scene::new().await;
    let (sender, receiver) = (forgetful(&scene.sender).await, forgetful(&scene.receiver).await);
    let mut expected = 0;
    for client in &CLIENTS {
        for way in [&[][..], &["--multipart"][..]] {
            let inbox = scene.inbox(&format!("{}{}", client.language, way.concat()));
            let (sent, received) = tokio::join!(
                client.send(&sender, &scene.files, way),
                client.receive(&receiver, &inbox)
            );
            let (sent, received) = (sent.good(), received.good());
            let id = sent.message_id();
            assert!(received.out.contains(&id), "{}", received.told());
            scene.sender.wait_for(&id, "LEST", PATIENCE).await.unwrap();
            expected += 1;
            let transfers = scene.with_files();
            assert_eq!(transfers, expected, "{} sent it again", client.language);
            let answer = scene.sender.wait_and_peek("", PATIENCE).await.unwrap();
            let answer = message_id(&answer).unwrap();
            scene.sender.take(answer).await.unwrap().ok().unwrap();
            assert!(scene.sender.peek("").await.unwrap().is_none(), "a second kvittering");
        }
    }
}

/// A certificate for this machine that vouches for itself: its file and that of its key.
async fn certificate(folder: &Path) -> (PathBuf, PathBuf) {
    let (certificate, key) = (folder.join("server.pem"), folder.join("server.key"));
    let made = Command::new("openssl")
        .args([
            "req",
            "-x509",
            "-newkey",
            "rsa:2048",
            "-nodes",
            "-days",
            "2",
            "-subj",
            "/CN=localhost",
        ])
        .args(["-addext", "subjectAltName=IP:127.0.0.1"])
        .arg("-keyout")
        .arg(&key)
        .arg("-out")
        .arg(&certificate)
        .output()
        .await
        .unwrap();
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    (certificate, key)
}

#[tokio::test]
async fn every_client_gets_in_over_https_with_a_password_and_is_told_when_it_is_wrong() {
    let pair = Pair::new().await.unwrap();
    let (certificate, key) = certificate(pair.world.folder()).await;
    for installation in [&pair.ours, &pair.theirs] {
        installation.ask_for_passwords().unwrap();
        let tls = format!(
            "\n[server.tls]\ncertificate = \"{}\"\nkey = \"{}\"\n",
            certificate.display(),
            key.display()
        );
        installation.edit(|text| text + &tls).unwrap();
    }
    let scene = Scene::of(pair).await;
    let door = |fagsystem: &Fagsystem| Door {
        url: fagsystem.base().replace("http:", "https:"),
        authority: Some(certificate.clone()),
        ..Door::from(fagsystem)
    };
    let (sender, receiver) = (door(&scene.sender), door(&scene.receiver));
    for client in &CLIENTS {
        let inbox = scene.inbox(client.language);
        let (sent, received) = tokio::join!(
            client.send(sender.clone(), &scene.files, &[]),
            client.receive(receiver.clone(), &inbox)
        );
        let (sent, received) = (sent.good(), received.good());
        assert!(received.out.contains(&sent.message_id()), "{}", received.told());
        client.receive(sender.clone(), &inbox).await.good();

        let stranger = Door {
            password: "feil",
            ..sender.clone()
        };
        let refused = client.send(stranger, &scene.files, &[]).await;
        assert_eq!(refused.code, Some(EXIT_FAILED), "{}", refused.told());
        assert!(refused.error.contains(" 401 "), "{}", refused.told());
    }
}

#[tokio::test]
async fn every_client_says_what_went_wrong_and_shows_it_in_its_exit_code() {
    let mut pair = Pair::new().await.unwrap();
    let (sender, _) = pair.start().await.unwrap();
    let files = pair.world.folder().join("files");
    std::fs::create_dir_all(&files).unwrap();
    for (name, content) in [("arkivmelding.xml", "<nothing/>"), ("brev.pdf", "x"), (AWKWARD, "y")] {
        std::fs::write(files.join(name), content).unwrap();
    }
    for client in &CLIENTS {
        let refused = client.send(&sender, &files, &[]).await;
        assert_eq!(refused.code, Some(EXIT_FAILED), "{}", refused.told());
        assert!(refused.error.contains("InvalidDocumentException"), "{}", refused.told());
        assert!(refused.error.contains("What to do: "), "{}", refused.told());

        let unknown = client.send(&sender, &files, &["--to", "999999999"]).await;
        assert_eq!(unknown.code, Some(EXIT_FAILED), "{}", unknown.told());
        assert!(
            unknown.error.contains("IdentifierNotFoundException"),
            "{}",
            unknown.told()
        );

        let usage = client.run(&sender, &["send", "--from", Pair::SENDER]).await;
        assert_eq!(usage.code, Some(EXIT_USAGE), "{}", usage.told());
        assert!(usage.error.contains("usage"), "{}", usage.told());
    }
}

#[tokio::test]
async fn every_client_shows_a_message_that_failed() {
    let scene = Scene::new().await;
    for client in &CLIENTS {
        let refusal = Fault::Status(403);
        scene.pair.world.doubles.faults().once(Route::Initialise, refusal);
        let failed = client.send(&scene.sender, &scene.files, &[]).await;
        assert_eq!(failed.code, Some(EXIT_LOST), "{}", failed.told());
        assert!(failed.out.contains(" FEIL "), "{}", failed.told());
    }
}

#[tokio::test]
async fn every_client_refuses_a_package_that_is_not_what_was_signed() {
    let scene = Scene::new().await;
    let python = &CLIENTS[0];
    let inbox = scene.inbox("inbox");
    let sent = python.send(&scene.sender, &scene.files, &["--patience", "0"]).await;
    python.receive(&scene.receiver, &inbox).await.good();
    let good = inbox.join(sent.message_id()).join("asic.zip");
    let changes = [
        ("brev.pdf", "a document changed"),
        ("META-INF/ASiCManifest.xml", "the list of digests changed"),
        ("one-more.pdf", "a document more"),
        ("mimetype", "another format"),
    ];
    for client in &CLIENTS {
        assert!(client.takes(&good).await, "{} refuses a good package", client.language);
        for (name, change) in changes {
            let bad = scene.inbox("bad.zip");
            changed(&good, &bad, name).await;
            assert!(!client.takes(&bad).await, "{} takes it with {change}", client.language);
        }
        let whole = std::fs::read(&good).unwrap();
        let cut = scene.inbox("cut.zip");
        std::fs::write(&cut, &whole[..whole.len() / 2]).unwrap();
        assert!(!client.takes(&cut).await, "{} takes half a package", client.language);
    }
}

/// Writes a package once more with the content of one entry replaced, or with an entry more.
async fn changed(package: &Path, to: &Path, name: &str) {
    let program = "import sys, zipfile
package, to, name = sys.argv[1:]
with zipfile.ZipFile(package) as old, zipfile.ZipFile(to, 'w') as new:
    for entry in old.namelist():
        if entry != name:
            new.writestr(entry, old.read(entry))
    new.writestr(name, '<x/>')
";
    let done = Command::new("python3")
        .args(["-c", program])
        .args([package, to])
        .arg(name)
        .status()
        .await
        .unwrap();
    assert!(done.success());
}
