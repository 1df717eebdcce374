//! The supervisor is killed at every step of a good and of a bad change, and started again: the change is finished or taken back, one
//! integrasjonspunkt runs, and nothing that was not verified ever does.

use budstikke_kosmos::fail_point::NAMES;
use serde_json::{Value, json};

use crate::scene::{NEW, OLD, PATIENCE, Scene, within};

/// Kills at a step; false when the change does not pass it.
async fn killed_at(point: &str, part: Value, ends_as: &str) -> bool {
    let mut scene = Scene::new(NEW).await;
    scene.set("kosmos.launchTimeoutInMs=3000\n");
    scene.publish(NEW, part);
    scene.place(OLD, json!({ "kind": "good" }));
    scene.runs(OLD).await;
    let here = scene.home.path().join("here");
    let environment = [
        ("BUDSTIKKE_FAIL_POINT", point.to_owned()),
        ("BUDSTIKKE_FAIL_FILE", here.display().to_string()),
    ];
    let environment: Vec<(&str, &str)> = environment
        .iter()
        .map(|(name, value)| (*name, value.as_str()))
        .collect();
    scene.supervise(&environment);
    let ended = || scene.log().contains("Finished synchronization");
    assert!(
        within(PATIENCE, || here.exists() || ended()).await,
        "{point}: {}",
        scene.log()
    );
    let passed = here.exists();
    scene.kill_supervisor();
    scene.supervise(&[]);
    scene.answers(ends_as).await;
    let settled = || {
        let journal = scene.journal();
        journal["change"].is_null()
            && journal["attempts"]
                .as_array()
                .is_some_and(|attempts| !attempts.is_empty())
    };
    assert!(
        within(PATIENCE, settled).await,
        "{point}: {}\n{}",
        scene.journal(),
        scene.log()
    );
    scene.answers(ends_as).await;
    assert_eq!(scene.processes().len(), 1, "{point}");
    assert_eq!(
        scene.has("integrasjonspunkt-2.2.1.allowlisted"),
        ends_as == NEW,
        "{point}"
    );
    scene.nothing_is_left();
    passed
}

#[tokio::test]
async fn an_update_is_finished_whenever_the_supervisor_was_killed() {
    for point in NAMES {
        println!("{point}");
        let passed = killed_at(point, json!({ "kind": "good" }), NEW).await;
        // No store is copied for a jar, nothing is watched, and nothing goes back.
        let not_here = ["backed-up", "soaking", "going-back", "gone-back"].contains(point);
        assert_eq!(passed, !not_here, "{point}");
    }
}

#[tokio::test]
async fn a_bad_update_is_taken_back_whenever_the_supervisor_was_killed() {
    for point in [
        "verified",
        "stopped",
        "before-spawn",
        "after-spawn",
        "spawn-noted",
        "going-back",
        "gone-back",
    ] {
        println!("{point}");
        // It does not end at once, so that it is there to be found.
        assert!(
            killed_at(point, json!({ "kind": "good", "says": "9" }), OLD).await,
            "{point}"
        );
    }
}

#[tokio::test]
async fn a_version_that_is_being_watched_is_watched_on_whenever_the_supervisor_was_killed() {
    let mut scene = Scene::new(NEW).await;
    scene.publish(NEW, json!({ "kind": "good" }));
    let config = crate::life::toml(&scene, crate::life::SOAK);
    let here = scene.home.path().join("here");
    let environment = [
        ("BUDSTIKKE_FAIL_POINT", "soaking"),
        ("BUDSTIKKE_FAIL_FILE", here.to_str().unwrap()),
    ];
    scene.supervise_with(scene.command_with(&config, &[]), &environment);
    assert!(within(PATIENCE, || here.exists()).await, "{}", scene.log());
    let child = scene.processes();
    scene.kill_supervisor();
    scene.supervise_with(scene.command_with(&config, &[]), &[]);
    scene.says("runs, and is good", 1).await;
    assert_eq!(scene.processes(), child);
    assert!(scene.has("integrasjonspunkt-2.2.1.allowlisted"));
}
