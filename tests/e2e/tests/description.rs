//! The API does what its description says, and says what it does: two programs of others are the referees.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

use std::process::Output;

use budstikke_doubles::{Fault, Route};
use budstikke_e2e::{Fagsystem, Letter, PATIENCE, Pair, message_id, python};
use reqwest::Method;
use serde_json::json;
use tokio::process::Command;

/// Made-up requests for each operation, where nobody asks for more.
const EXAMPLES: &str = "12";
const SEED: &str = "1";

/// What schemathesis looks at. Left out are those that the wire contract of the Java integrasjonspunkt forbids:
/// `positive_data_acceptance` and `negative_data_rejection`, because unknown members and query parameters are skipped, and
/// rules of an SBD depend on the receiver; and `use_after_free` and `ensure_resource_availability`, because deleting is 200
/// for what is not there, and a created message lives on as a conversation. `ignored_auth` is left out because it gives wrong
/// passwords until it is told to wait.
const CHECKS: &str = "not_a_server_error,status_code_conformance,content_type_conformance,response_headers_conformance,\
                      response_schema_conformance,missing_required_header,unsupported_method,allow_header_conformance";

#[tokio::test]
async fn the_served_document_is_valid_openapi() {
    let mut pair = Pair::new().await.unwrap();
    let api = pair.ours.start().await.unwrap();
    let document = pair.world.folder().join("openapi.json");
    let served = api.get("/openapi.json").await.unwrap().ok().unwrap().body;
    std::fs::write(&document, served).unwrap();
    let checked = Command::new(python("openapi-spec-validator").unwrap())
        .args(["--schema", "3.1"])
        .arg(&document)
        .output()
        .await
        .unwrap();
    assert!(checked.status.success(), "{}", told(&checked));
}

#[tokio::test]
async fn schemathesis_finds_nothing_that_the_description_does_not_say() {
    let mut pair = Pair::new().await.unwrap();
    for installation in [&pair.ours, &pair.theirs] {
        installation.ask_for_passwords().unwrap();
        // Everything asks for a password, as the description says.
        installation
            .edit(|text| text.replace("manage-open = [\"health\", \"info\"]\n", ""))
            .unwrap();
    }
    let (sender, receiver) = pair.start().await.unwrap();
    every_state(&pair, &sender, &receiver).await.unwrap();
    // At the receiver, which has messages on the queue; it sends as well.
    for api in [&receiver, &sender] {
        let before = subscriptions(api).await;
        let run = schemathesis(&pair, api).await;
        println!("{}", told(&run));
        assert!(run.status.success(), "schemathesis found something");
        // An answer 401 is described everywhere: only what it changed shows that it was let in.
        let after = subscriptions(api).await;
        assert!(after > before + 1, "schemathesis made no subscription; was it let in?");
    }
    for installation in [&pair.ours, &pair.theirs] {
        assert!(!installation.log().contains("panicked"), "{}", installation.log());
    }
}

/// Makes a subscription and tells its id, which counts all that were made before.
async fn subscriptions(api: &Fagsystem) -> i64 {
    let endpoint = json!({ "name": uuid::Uuid::new_v4().to_string(), "pushEndpoint": "http://127.0.0.1:9/", "resource": "all", "event": "all" });
    let made = api.request(Method::POST, "/api/subscriptions").json(&endpoint);
    let made = api.ask(made).await.unwrap().ok().unwrap().json();
    made["id"].as_i64().unwrap()
}

async fn schemathesis(pair: &Pair, api: &Fagsystem) -> Output {
    let setting = |name: &str, default: &str| std::env::var(name).unwrap_or_else(|_| default.to_owned());
    Command::new(python("schemathesis").unwrap())
        .args(["run", &format!("{}/openapi.json", api.base())])
        .args(["--auth", &api.credentials()])
        .args(["--checks", CHECKS, "--no-color", "--warnings", "off"])
        .args(["--phases", "examples,coverage,fuzzing,stateful"])
        .args(["--seed", &setting("BUDSTIKKE_SEED", SEED)])
        .args(["--max-examples", &setting("BUDSTIKKE_EXAMPLES", EXAMPLES)])
        .args(["--generation-database", "none", "--continue-on-failure", "--no-shrink"])
        .args(["--suppress-health-check", "all"])
        .env("NO_PROXY", "127.0.0.1")
        // It leaves reports where it runs.
        .current_dir(pair.world.folder())
        .output()
        .await
        .unwrap()
}

/// Leaves messages of every state on both sides: created, sent, failed, received, locked, taken, answered.
async fn every_state(pair: &Pair, sender: &Fagsystem, receiver: &Fagsystem) -> anyhow::Result<()> {
    let draft = Fagsystem::arkivmelding(Pair::SENDER, Pair::RECEIVER, &uuid::Uuid::new_v4().to_string());
    sender.create(&draft).await?.ok()?;
    let mut taken = Letter::new(Pair::SENDER, Pair::RECEIVER)?;
    taken.go_on(sender).await?;
    let sbd = receiver.wait_and_peek("", PATIENCE).await?;
    receiver.take(message_id(&sbd).unwrap_or_default()).await?.ok()?;
    sender.wait_for(&taken.id, "LEVERT", PATIENCE).await?;
    pair.world.doubles.faults().once(Route::Initialise, Fault::Status(403));
    let mut failed = Letter::new(Pair::SENDER, Pair::RECEIVER)?;
    failed.go_on(sender).await?;
    sender.wait_for(&failed.id, "FEIL", PATIENCE).await?;
    for (from, to, at) in [
        (Pair::SENDER, Pair::RECEIVER, (sender, receiver)),
        (Pair::RECEIVER, Pair::SENDER, (receiver, sender)),
    ] {
        for _ in 0..3 {
            let mut waiting = Letter::new(from, to)?;
            waiting.go_on(at.0).await?;
            at.0.wait_for(&waiting.id, "MOTTATT", PATIENCE).await?;
        }
        // One of them is locked.
        at.1.wait_and_peek("", PATIENCE).await?;
    }
    Ok(())
}

fn told(output: &Output) -> String {
    let text = |bytes| String::from_utf8_lossy(bytes).into_owned();
    format!("{}{}", text(&output.stdout), text(&output.stderr))
}
