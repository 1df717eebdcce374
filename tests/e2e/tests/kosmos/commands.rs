//! What an operator can ask on the command line.

use serde_json::json;

use crate::scene::{NEW, OLD, Scene};

#[tokio::test]
async fn plan_says_what_would_be_done_and_why_and_changes_nothing() {
    let scene = Scene::new(NEW).await;
    scene.publish(NEW, json!({ "kind": "good" }));
    scene.place(OLD, json!({ "kind": "good" }));
    scene.runs(OLD).await;
    let plan = scene.run_command(scene.command(&["plan"])).await;
    plan.good()
        .tells("decision    update to 2.2.1")
        .tells("policy standard:")
        .tells("runs        1.7.92-SNAPSHOT");
    assert_eq!(scene.version().await.as_deref(), Some(OLD));
    assert!(!scene.has("integrasjonspunkt-2.2.1.jar"));
    assert!(scene.journal().is_null());
}

#[tokio::test]
async fn status_says_what_runs_and_replay_shows_why_once_more() {
    let mut scene = Scene::new(NEW).await;
    scene.publish(NEW, json!({ "kind": "good" }));
    scene
        .run_command(scene.command(&["status"]))
        .await
        .good()
        .tells("no supervisor runs");
    scene.supervise(&[]);
    scene.says("runs, and is good", 1).await;
    let status = scene.run_command(scene.command(&["status"])).await;
    status
        .good()
        .tells("next run")
        .tells("installed   2.2.1")
        .tells("last good   2.2.1")
        .tells("good");
    status.tells(&format!("supervisor: process {}", scene.supervisor_pid()));
    scene
        .run_command(scene.command(&["run-now"]))
        .await
        .good()
        .tells("already runs");
    let all = scene.run_command(scene.command(&["replay", "all"])).await;
    let first = all.good().told.lines().next().unwrap().to_owned();
    let replay = scene.run_command(scene.command(&["replay", &first])).await;
    replay
        .good()
        .tells("update to 2.2.1")
        .tells("says the same again (the same component)");
    scene
        .run_command(scene.command(&["replay", "../x"]))
        .await
        .bad("is no name of a decision");
}

#[tokio::test]
async fn a_policy_that_cannot_work_with_its_settings_is_named_at_the_start() {
    let scene = Scene::new(NEW).await;
    let config = crate::life::toml(&scene, "");
    let text = std::fs::read_to_string(&config).unwrap();
    let text = text.replace(
        "component = \"policy-standard.wasm\"\n",
        "component = \"policy-standard.wasm\"\nsettings = { suported-major = 4 }\n",
    );
    std::fs::write(&config, text).unwrap();
    let told = scene.run_command(scene.command_with(&config, &["check"])).await;
    told.bad("policy standard: settings").tells("suported-major");
}

/// A pin and a window after the standard policy, in the order of the file.
#[tokio::test]
async fn policies_decide_one_after_the_other() {
    let scene = Scene::new(NEW).await;
    scene.publish(NEW, json!({ "kind": "good" }));
    scene.place(OLD, json!({ "kind": "good" }));
    scene.runs(OLD).await;
    let config = crate::life::toml(&scene, "");
    let more = "[[policies]]\nname = \"window\"\ncomponent = \"policy-window.wasm\"\n\
                settings = { freezes = [{ from = \"2020-01-01\", to = \"2099-12-31\", reason = \"a long one\" }] }\n\n[[targets]]";
    let text = std::fs::read_to_string(&config).unwrap().replace("[[targets]]", more);
    std::fs::write(&config, &text).unwrap();
    let run = scene.run_command(scene.command_with(&config, &["run-now"])).await;
    run.good().tells("a long one");
    assert_eq!(scene.version().await.as_deref(), Some(OLD));
    let pin = format!(
        "[[policies]]\nname = \"pin\"\ncomponent = \"policy-pin.wasm\"\nsettings = {{ version = \"{NEW}\" }}\n\n[[targets]]"
    );
    std::fs::write(&config, text.replace("[[targets]]", &pin)).unwrap();
    scene
        .run_command(scene.command_with(&config, &["run-now"]))
        .await
        .good();
    scene.answers(NEW).await;
}

#[tokio::test]
async fn what_is_wrong_with_the_file_is_named_by_line_and_key() {
    let mut scene = Scene::new(NEW).await;
    scene.set("kosmos.launchTimeoutInMs=soon\n");
    scene
        .run()
        .await
        .bad("kosmos.launchTimeoutInMs: must be a number of milliseconds");
    let config = crate::life::toml(&scene, "");
    let text = std::fs::read_to_string(&config)
        .unwrap()
        .replace("environment = \"dev\"", "environment = \"prod\"");
    std::fs::write(&config, text).unwrap();
    scene
        .run_command(scene.command_with(&config, &["check"]))
        .await
        .bad("kosmos.toml:2: environment");
}
