//! What becomes of versions after their start, of the supervisor, and of those who are told.

use std::fmt::Write as _;
use std::time::Duration;

use serde_json::{Value, json};

use crate::publisher::Fault;
use crate::scene::{NEW, OLD, PATIENCE, Scene, within};

fn good() -> Value {
    json!({ "kind": "good" })
}

/// The TOML file that says the same as the properties, with more under `[targets.java]`.
pub(crate) fn toml(scene: &Scene, more: &str) -> std::path::PathBuf {
    let home = scene.home.path().display();
    let url = scene.publisher.url();
    let text = format!(
        r#"
environment = "dev"
state = "{home}/.kosmos"

[organisation]
number = "991825827"

[schedule]
cron = "0 0 3 1 1 *"

[[policies]]
name = "standard"
component = "policy-standard.wasm"

[[targets]]
name = "integrasjonspunkt"

[targets.java]
home = "{home}"
versions-url = "{url}/latest-versions.yml"
repository = "{url}/felleslosninger/efm-integrasjonspunkt/"
keys = ["{home}/eformidling-key.asc"]

[targets.java.management]
url = "http://127.0.0.1:{port}"

[targets.java.launch]
poll = "100ms"
time = "8s"

[targets.java.shutdown]
poll = "200ms"
grace = "3s"

[targets.java.blocklist]
enabled = true
{more}"#,
        port = scene.port,
    );
    let path = scene.home.path().join("kosmos.toml");
    std::fs::write(&path, text).unwrap();
    path
}

/// Watched for three seconds.
pub(crate) const SOAK: &str = "
[targets.java.soak]
time = \"3s\"
poll = \"200ms\"
failures = 2
";

/// Runs the supervisor on a version that is offered while the old one runs; ends when the old one answers again.
async fn goes_back(part: Value, more: &str, word: &str) -> Scene {
    let mut scene = Scene::new(NEW).await;
    scene.publish(NEW, part);
    scene.place(OLD, good());
    scene.runs(OLD).await;
    let config = toml(&scene, more);
    scene.supervise_with(scene.command_with(&config, &[]), &[]);
    scene.says(word, 1).await;
    scene.says(&format!("{OLD} runs again"), 1).await;
    assert_eq!(scene.version().await.as_deref(), Some(OLD));
    assert_eq!(scene.processes().len(), 1);
    assert!(scene.has("integrasjonspunkt-2.2.1.blocklisted") && !scene.has("integrasjonspunkt-2.2.1.allowlisted"));
    scene
}

#[tokio::test]
async fn a_release_that_hangs_is_taken_back() {
    let launch = "\n[targets.java.soak]\ntime = 0\n";
    goes_back(json!({ "kind": "hanging" }), launch, "was not ready after 8 s").await;
}

/// The Java KOSMOS takes any UP for success (16: 3).
#[tokio::test]
async fn a_release_that_lies_about_its_version_is_taken_back() {
    goes_back(json!({ "kind": "good", "says": "9.9.9" }), "", "version 9.9.9 answers").await;
}

#[tokio::test]
async fn a_release_that_answers_garbage_is_taken_back() {
    goes_back(json!({ "kind": "garbage" }), "", "is no JSON").await;
}

#[tokio::test]
async fn a_release_that_ends_while_it_is_watched_is_taken_back() {
    goes_back(
        json!({ "kind": "good", "dies": 1000 }),
        SOAK,
        "does not last: it has ended",
    )
    .await;
}

#[tokio::test]
async fn a_release_that_becomes_unwell_while_it_is_watched_is_taken_back() {
    goes_back(
        json!({ "kind": "good", "unwell": 1000 }),
        SOAK,
        "does not last: is not well",
    )
    .await;
}

#[tokio::test]
async fn a_release_whose_calls_fail_is_taken_back() {
    let errors = format!("{SOAK}\n[targets.java.soak.errors]\ncounter = \"http_server_requests_seconds_count\"\n");
    goes_back(
        json!({ "kind": "good", "fails": 1000 }),
        &errors,
        "50.0 % of its calls fail",
    )
    .await;
}

#[tokio::test]
async fn a_release_that_lasts_counts_as_good_after_its_time() {
    let mut scene = Scene::new(NEW).await;
    scene.publish(NEW, good());
    let config = toml(&scene, SOAK);
    scene.supervise_with(scene.command_with(&config, &[]), &[]);
    scene.answers(NEW).await;
    scene.says("is watched until", 1).await;
    assert!(!scene.has("integrasjonspunkt-2.2.1.allowlisted"), "not yet");
    let watched = scene.run_command(scene.command_with(&config, &["run-now"])).await;
    watched.good().tells("is being watched until");
    scene.says("runs, and is good", 1).await;
    assert!(scene.has("integrasjonspunkt-2.2.1.allowlisted"));
}

/// One that closes its door long before it is gone, and holds its database meanwhile (16: 4).
#[tokio::test]
async fn the_new_one_waits_for_the_end_of_the_old_one_and_not_for_its_door() {
    let scene = Scene::new(NEW).await;
    scene.publish(NEW, good());
    scene.place(OLD, json!({ "kind": "good", "lingers": 2000 }));
    scene.runs(OLD).await;
    let old = scene.processes();
    let ended = scene.run();
    tokio::pin!(ended);
    loop {
        tokio::select! {
            ended = &mut ended => { ended.good(); break }
            () = tokio::time::sleep(Duration::from_millis(20)) => {
                let now = scene.processes();
                assert!(now.len() <= 1 || !now.iter().any(|pid| old.contains(pid)), "two at the same time");
            }
        }
    }
    scene.answers(NEW).await;
}

#[tokio::test]
async fn one_that_says_that_it_stops_and_does_not_is_ended() {
    let mut scene = Scene::new(NEW).await;
    scene.publish(NEW, good());
    scene.place(OLD, json!({ "kind": "deaf" }));
    scene.runs(OLD).await;
    let config = toml(&scene, "");
    scene.supervise_with(scene.command_with(&config, &[]), &[]);
    scene.answers(NEW).await;
    assert_eq!(scene.processes().len(), 1);
}

/// The Java KOSMOS does not go back when the mail server fails (16: 5).
#[tokio::test]
async fn a_mail_server_that_is_away_keeps_nobody_from_going_back_and_the_mail_arrives_later() {
    let mut scene = Scene::new(NEW).await;
    scene.publish(NEW, json!({ "kind": "failing" }));
    scene.place(OLD, good());
    scene.runs(OLD).await;
    scene.mails_go_to(crate::scene::free_port());
    scene.run().await.bad("runs again").tells("a notice was not taken");
    scene.answers(OLD).await;
    let mut scene = scene.with_mail();
    scene.supervise(&[]);
    assert!(within(PATIENCE, || scene.mails().len() == 2).await, "{:?}", scene.log());
    assert!(scene.mails()[1].0.starts_with("Rollback SUCCESS"));
}

#[tokio::test]
async fn a_list_that_is_away_keeps_nobody_from_going_back() {
    let mut scene = Scene::new(NEW).await;
    scene.publish(NEW, json!({ "kind": "good", "dies": 1500 }));
    scene.place(OLD, good());
    scene.runs(OLD).await;
    let config = toml(&scene, SOAK);
    scene.supervise_with(scene.command_with(&config, &[]), &[]);
    scene.answers(NEW).await;
    scene.publisher.fault("latest-versions.yml", Some(Fault::Status(503)));
    scene.publisher.fault(".jar", Some(Fault::Status(503)));
    scene.says("runs again", 1).await;
    scene.answers(OLD).await;
}

/// The supervisor's folder is full when the new version ends: nothing can be written down, and the old one comes back.
#[tokio::test]
async fn a_full_disk_keeps_nobody_from_going_back() {
    let mut scene = Scene::new(NEW).await;
    let state = scene.home.path().join("small");
    std::fs::create_dir_all(&state).unwrap();
    let mounted = std::process::Command::new("mount")
        .args(["-t", "tmpfs", "-o", "size=32m,mode=700", "tmpfs"])
        .arg(&state)
        .output();
    if !mounted.is_ok_and(|output| output.status.success()) {
        eprintln!("no right to mount a file system: the scene was not played");
        return;
    }
    scene.publish(NEW, json!({ "kind": "good", "dies": 2500 }));
    scene.place(OLD, good());
    scene.runs(OLD).await;
    let config = toml(&scene, SOAK);
    let text = std::fs::read_to_string(&config).unwrap();
    let text = text
        .replace("/.kosmos\"", "/small\"")
        .replace("time = \"3s\"", "time = \"20s\"");
    std::fs::write(&config, text).unwrap();
    scene.supervise_with(scene.command_with(&config, &[]), &[]);
    scene.answers(NEW).await;
    scene.says("is watched until", 1).await;
    let filler = std::process::Command::new("dd")
        .args(["if=/dev/zero", "bs=64k"])
        .arg(format!("of={}", state.join("filler").display()))
        .output();
    assert!(!filler.unwrap().status.success(), "the disk is full");
    scene.says("runs again", 1).await;
    scene.answers(OLD).await;
    scene.says("the journal cannot be written", 1).await;
    scene.kill_supervisor();
    assert!(
        std::process::Command::new("umount")
            .arg("--lazy")
            .arg(&state)
            .status()
            .unwrap()
            .success()
    );
}

/// Neither orphaned nor killed: it goes on, and is found again.
#[tokio::test]
async fn what_was_started_outlives_the_supervisor_and_is_found_again() {
    let mut scene = Scene::new(NEW).await;
    scene.publish(NEW, good());
    scene.supervise(&[]);
    scene.says("runs, and is good", 1).await;
    let child = scene.processes();
    assert!(scene.stop_supervisor().await.success());
    assert_eq!(scene.processes(), child, "after SIGTERM");
    scene.supervise(&[]);
    scene.says("Finished synchronization", 2).await;
    scene.kill_supervisor();
    assert_eq!(scene.processes(), child, "after SIGKILL");
    scene.lists("2.2.2", "2.2.2");
    scene.publish("2.2.2", good());
    scene.supervise(&[]);
    scene.answers("2.2.2").await;
    assert_eq!(scene.processes().len(), 1, "the one before was stopped");
}

#[tokio::test]
async fn what_ends_by_itself_is_started_again_when_that_is_wanted() {
    let mut scene = Scene::new(NEW).await;
    scene.publish(NEW, good());
    let config = toml(&scene, "").display().to_string();
    let text = std::fs::read_to_string(&config)
        .unwrap()
        .replace("[targets.java]\n", "[targets.java]\nkeep-alive = true\n");
    std::fs::write(&config, text).unwrap();
    scene.supervise_with(scene.command_with(config.as_ref(), &[]), &[]);
    scene.says("runs, and is good", 1).await;
    let first = scene.processes();
    assert!(
        std::process::Command::new("kill")
            .args(["-9", &first[0].to_string()])
            .status()
            .unwrap()
            .success()
    );
    scene.says("runs, and is good", 2).await;
    scene.answers(NEW).await;
    assert_ne!(scene.processes(), first);
}

#[tokio::test]
async fn a_second_supervisor_is_refused() {
    let mut scene = Scene::new(NEW).await;
    scene.publish(NEW, good());
    scene.supervise(&[]);
    scene.says("Finished synchronization", 1).await;
    scene
        .run_command(scene.command(&[]))
        .await
        .bad("another supervisor uses");
}

#[tokio::test]
async fn a_notice_goes_to_a_webhook_with_a_signature() {
    let scene = Scene::new(NEW).await;
    scene.publish(NEW, good());
    let config = toml(&scene, "").display().to_string();
    let mut text = std::fs::read_to_string(&config).unwrap();
    let url = scene.publisher.url();
    text.push_str("\n[notify.webhook]\nsecret = \"0123456789abcdef\"\n");
    writeln!(text, "url = \"{url}/told\"").unwrap();
    std::fs::write(&config, text).unwrap();
    scene
        .run_command(scene.command_with(config.as_ref(), &["run-now"]))
        .await
        .good();
    let told = scene.publisher.posted();
    assert_eq!(told.len(), 1);
    let (signature, body) = &told[0];
    let notice: Value = serde_json::from_slice(body).unwrap();
    assert_eq!(
        (&notice["event"], &notice["success"], &notice["version"]),
        (&json!("upgrade"), &json!(true), &json!(NEW))
    );
    // openssl is the referee of the signature.
    let (time, sum) = signature
        .as_deref()
        .unwrap()
        .strip_prefix("t=")
        .unwrap()
        .split_once(",v1=")
        .unwrap();
    let signed = scene.home.path().join("signed");
    std::fs::write(&signed, [time.as_bytes(), b".", body].concat()).unwrap();
    let openssl = std::process::Command::new("openssl")
        .args(["dgst", "-sha256", "-hmac", "0123456789abcdef"])
        .arg(&signed)
        .output()
        .unwrap();
    assert!(String::from_utf8_lossy(&openssl.stdout).trim().ends_with(sum));
}
