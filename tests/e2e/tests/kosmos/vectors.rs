//! The scenarios of the spec (KOSMOS, 15). Where the Java KOSMOS has a defect that ours must not have (16), the scene says so.

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use crate::scene::{NEW, OLD, PATIENCE, Scene, within};

fn good() -> Value {
    json!({ "kind": "good" })
}

fn local(hours: i64) -> String {
    let at = Timestamp::now() + SignedDuration::from_hours(hours);
    at.to_zoned(TimeZone::system()).datetime().to_string()
}

#[tokio::test]
async fn t1_an_upgrade() {
    let mut scene = Scene::new(NEW).await.with_mail();
    scene.set("kosmos.integrasjonspunkt.supported-major-version=2\n");
    scene.publish(NEW, good());
    scene.place(OLD, good());
    scene.runs(OLD).await;
    scene.run().await.good().tells(&format!("{NEW} runs, and is good"));
    scene.answers(NEW).await;
    let path = Scene::path(NEW);
    assert_eq!(
        scene.publisher.asked(),
        [
            "/latest-versions.yml".to_owned(),
            path.clone(),
            format!("{path}.sha1"),
            format!("{path}.asc")
        ]
    );
    assert!(scene.has("integrasjonspunkt-2.2.1.jar") && scene.has("integrasjonspunkt-2.2.1.allowlisted"));
    assert_eq!(scene.processes().len(), 1, "the old one has ended");
    assert_eq!(
        scene.mails(),
        [(
            "Upgrade SUCCESS integrasjonspunkt-2.2.1.jar".to_owned(),
            "Started IntegrasjonspunktApplication\n".to_owned()
        )]
    );
    let mark = std::fs::read(format!("/proc/{}/environ", scene.processes()[0])).unwrap();
    assert!(
        !String::from_utf8_lossy(&mark).contains("SPRING_MAIL_HOST_OF_OURS"),
        "capital letters do not count"
    );
    scene.nothing_is_left();
}

#[tokio::test]
async fn t2_an_upgrade_to_a_version_before_its_release() {
    let mut scene = Scene::new("4.1.0-beta").await.with_mail();
    scene.set("kosmos.integrasjonspunkt.supported-major-version=4\n");
    scene.publish("4.1.0-beta", good());
    scene.run().await.good();
    scene.answers("4.1.0-beta").await;
    assert_eq!(scene.mails()[0].0, "Upgrade SUCCESS integrasjonspunkt-4.1.0-beta.jar");
}

#[tokio::test]
async fn t3_early_birds_get_theirs() {
    let mut scene = Scene::new("0.0.0").await;
    scene.lists("0.0.0", NEW);
    scene.set("kosmos.integrasjonspunkt.earlybird=true\nkosmos.integrasjonspunkt.supported-major-version=2\n");
    scene.publish(NEW, good());
    scene.run().await.good();
    scene.answers(NEW).await;
}

#[tokio::test]
async fn t4_a_version_that_does_not_start_is_taken_back() {
    let scene = Scene::new(NEW).await.with_mail();
    scene.publish(NEW, json!({ "kind": "failing" }));
    scene.place(OLD, good());
    scene.runs(OLD).await;
    scene.run().await.bad("Application failed during startup!");
    scene.answers(OLD).await;
    assert_eq!(scene.processes().len(), 1);
    let blocked = std::fs::read_to_string(scene.file("integrasjonspunkt-2.2.1.blocklisted")).unwrap();
    assert!(blocked.parse::<jiff::civil::DateTime>().is_ok(), "{blocked}");
    assert!(!scene.has("integrasjonspunkt-2.2.1.allowlisted"));
    assert_eq!(
        scene.mails(),
        [
            (
                "Upgrade FAILED integrasjonspunkt-2.2.1.jar".to_owned(),
                "Application startup failed\n".to_owned()
            ),
            (
                "Rollback SUCCESS integrasjonspunkt-1.7.92-SNAPSHOT.jar".to_owned(),
                "Started IntegrasjonspunktApplication\n".to_owned()
            )
        ]
    );
}

#[tokio::test]
async fn t5_the_first_installation() {
    let scene = Scene::new(NEW).await.with_mail();
    scene.publish(NEW, good());
    scene.run().await.good();
    scene.answers(NEW).await;
    assert_eq!(scene.mails().len(), 1);
}

#[tokio::test]
async fn t6_nothing_to_do() {
    let scene = Scene::new("1.7.93-SNAPSHOT").await.with_mail();
    scene.place("1.7.93-SNAPSHOT", good());
    scene.runs("1.7.93-SNAPSHOT").await;
    let before = scene.processes();
    scene.run().await.good().tells("already runs");
    assert_eq!(scene.processes(), before);
    assert_eq!(scene.publisher.asked(), ["/latest-versions.yml"]);
    assert_eq!(scene.mails(), []);
}

#[tokio::test]
async fn t7_a_blocked_version_is_not_started() {
    let scene = Scene::new("1.7.93-SNAPSHOT").await.with_mail();
    scene.place("1.7.93-SNAPSHOT", good());
    scene.place(OLD, good());
    scene.runs(OLD).await;
    std::fs::write(scene.file("integrasjonspunkt-1.7.93-SNAPSHOT.blocklisted"), local(1)).unwrap();
    scene.run().await.good().tells("blocked");
    assert_eq!(scene.version().await.as_deref(), Some(OLD));
    assert_eq!(scene.mails(), []);
}

#[tokio::test]
async fn t8_an_expired_block_is_lifted() {
    let scene = Scene::new("1.7.93-SNAPSHOT").await.with_mail();
    scene.place("1.7.93-SNAPSHOT", good());
    scene.place(OLD, good());
    scene.runs(OLD).await;
    std::fs::write(scene.file("integrasjonspunkt-1.7.93-SNAPSHOT.blocklisted"), local(-1)).unwrap();
    scene.run().await.good();
    scene.answers("1.7.93-SNAPSHOT").await;
    assert!(!scene.has("integrasjonspunkt-1.7.93-SNAPSHOT.blocklisted"));
    assert_eq!(scene.publisher.asked(), ["/latest-versions.yml"], "the jar is here");
    assert_eq!(
        scene.mails()[0].0,
        "Upgrade SUCCESS integrasjonspunkt-1.7.93-SNAPSHOT.jar"
    );
}

/// The Java KOSMOS starts the new one on top of one that does not stop, and takes the old one's health for its success (16: 3 and 4).
/// What we know to be the old jar's process is ended with a signal; what we do not know is left alone, and nothing is put on top of it.
#[tokio::test]
async fn t9_one_that_refuses_to_stop() {
    let scene = Scene::new("1.7.93-SNAPSHOT").await.with_mail();
    scene.place("1.7.93-SNAPSHOT", good());
    std::fs::write(scene.file("integrasjonspunkt-1.7.93-SNAPSHOT.allowlisted"), local(-1)).unwrap();
    // A process of a jar that is nowhere in this home.
    scene.place("1.7.90", json!({ "kind": "stubborn" }));
    std::fs::create_dir_all(scene.file("elsewhere")).unwrap();
    std::fs::rename(
        scene.file("integrasjonspunkt-1.7.90.jar"),
        scene.file("elsewhere/integrasjonspunkt-1.7.90.jar"),
    )
    .unwrap();
    scene
        .runs_file("elsewhere/integrasjonspunkt-1.7.90.jar", "1.7.90")
        .await;
    scene.run().await.bad("Shutdown failed!");
    assert_eq!(scene.version().await.as_deref(), Some("1.7.90"));
    assert_eq!(scene.processes().len(), 1, "nothing was put on top of it");
    assert_eq!(
        scene.mails()[0].0,
        "Upgrade FAILED integrasjonspunkt-1.7.93-SNAPSHOT.jar"
    );

    // The same from a jar that is ours.
    std::fs::copy(
        scene.file("elsewhere/integrasjonspunkt-1.7.90.jar"),
        scene.file("integrasjonspunkt-1.7.90.jar"),
    )
    .unwrap();
    for pid in scene.processes() {
        assert!(
            std::process::Command::new("kill")
                .args(["-9", &pid.to_string()])
                .status()
                .unwrap()
                .success()
        );
    }
    assert!(within(PATIENCE, || scene.processes().is_empty()).await);
    scene.runs("1.7.90").await;
    scene.run().await.good();
    scene.answers("1.7.93-SNAPSHOT").await;
    assert_eq!(scene.processes().len(), 1);
    assert!(scene.has("integrasjonspunkt-1.7.93-SNAPSHOT.allowlisted"));
}

#[tokio::test]
async fn t10_a_major_version_that_is_not_supported() {
    let mut scene = Scene::new("2.0.0").await.with_mail();
    scene.set("kosmos.integrasjonspunkt.supported-major-version=1\n");
    scene.place("1.9.0", good());
    scene.place("2.0.0", good());
    scene.runs("1.9.0").await;
    scene.run().await.good().tells("supported-major");
    assert_eq!(scene.version().await.as_deref(), Some("1.9.0"));
    assert_eq!(scene.mails(), []);
}

#[tokio::test]
async fn t11_the_same_for_early_birds() {
    let mut scene = Scene::new("1.9.0").await.with_mail();
    scene.lists("1.9.0", "3.0.0-SNAPSHOT");
    scene.set("kosmos.integrasjonspunkt.early-bird=true\nkosmos.integrasjonspunkt.supported-major-version=2\n");
    scene.place("1.9.0", good());
    scene.runs("1.9.0").await;
    scene.run().await.good().tells("supported-major");
    assert_eq!(scene.mails(), []);
}

#[tokio::test]
async fn t12_a_download_that_fails_and_a_signature_of_somebody_else() {
    let scene = Scene::new("1.7.93-SNAPSHOT").await.with_mail();
    scene.place(OLD, good());
    scene.runs(OLD).await;
    scene.run().await.bad("Error occurred when downloading latest version");
    let stranger = crate::gpg::Gpg::new("rsa2048", "never", None);
    let jar = scene.jar("1.7.93-SNAPSHOT", good());
    scene.publish_signed("1.7.93-SNAPSHOT", &jar, &stranger);
    scene
        .run()
        .await
        .bad("Error validating jar: Signer public key not found in keyring");
    assert!(!scene.has("integrasjonspunkt-1.7.93-SNAPSHOT.jar"));
    // And again: the Java KOSMOS would start the file that it left (16: 1).
    scene.run().await.bad("Error validating jar");
    assert_eq!(scene.version().await.as_deref(), Some(OLD));
    assert_eq!(scene.mails(), []);
    scene.nothing_is_left();
}

/// A dead integrasjonspunkt is started again at the next run, also when the list of versions cannot be had (16: 8).
#[tokio::test]
async fn what_should_run_is_started_again_also_when_the_list_is_not_to_be_had() {
    let scene = Scene::new(NEW).await;
    scene.place(NEW, good());
    scene.place(OLD, good());
    std::fs::write(scene.file("integrasjonspunkt-2.2.1.allowlisted"), local(-1)).unwrap();
    scene
        .publisher
        .fault("latest-versions.yml", Some(crate::publisher::Fault::Status(503)));
    scene.run().await.bad("Error getting latest version");
    scene.answers(NEW).await;
}

/// With a `v` in front (16: 6): compared without, named with it.
#[tokio::test]
async fn a_v_in_front_is_part_of_the_name_and_nothing_else() {
    let mut scene = Scene::new("v4.0.8").await;
    scene.set("kosmos.integrasjonspunkt.supported-major-version=4\n");
    scene.publish("v4.0.8", json!({ "kind": "good", "says": "4.0.8" }));
    scene.run().await.good();
    scene.answers("4.0.8").await;
    assert!(scene.has("integrasjonspunkt-v4.0.8.jar") && scene.has("integrasjonspunkt-v4.0.8.allowlisted"));
    let before = scene.processes();
    scene.run().await.good().tells("already runs");
    assert_eq!(scene.processes(), before, "it is not started again at every run");
}

#[tokio::test]
async fn no_lower_version_is_installed_in_silence() {
    let scene = Scene::new("1.0.0").await;
    scene.publish("1.0.0", good());
    scene.place(OLD, good());
    scene.runs(OLD).await;
    scene.run().await.good().tells("lower");
    assert_eq!(scene.version().await.as_deref(), Some(OLD));
}
