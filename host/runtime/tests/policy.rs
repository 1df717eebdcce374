//! Policies as the host runs them: loaded, asked, counted, and refused when they are something else.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test may fail")]

use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use budstikke_runtime::policy::{Attempt, Candidate, Decision, Outcome, Policy, PolicyError, Situation};
use budstikke_runtime::{Compiler, Engine, LoadError, LoadReason, Loader, PoolSettings};
use serde_json::{Map, Value, json};

/// 2026-02-17T11:00:00Z
const NOON: u64 = 1_771_326_000;

fn built(plugin: &str) -> PathBuf {
    let package = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../plugins").join(plugin);
    budstikke_component_builder::build_component(&package).unwrap()
}

/// A loader with a cache that all tests share, so that each component is compiled once.
fn loader() -> &'static Loader {
    static LOADER: OnceLock<(Loader, tempfile::TempDir)> = OnceLock::new();
    let (loader, _) = LOADER.get_or_init(|| {
        let cache = tempfile::tempdir().unwrap();
        let loader = Loader::new(Engine::for_policies().unwrap(), cache.path(), Compiler::InProcess).unwrap();
        (loader, cache)
    });
    loader
}

async fn policy(plugin: &str) -> Policy {
    Policy::load(loader(), plugin, &built(plugin)).await.unwrap()
}

fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(object) => object,
        other => panic!("{other}"),
    }
}

/// v4.0.7 runs, and the vendor offers v4.0.8.
fn situation(settings: Value) -> Situation {
    Situation {
        target: "integrasjonspunkt".into(),
        organisation: "991825827".into(),
        environment: "production".into(),
        now: NOON,
        zone: "Europe/Oslo".into(),
        current: Some("v4.0.7".into()),
        healthy: true,
        candidates: vec![Candidate {
            version: "v4.0.8".into(),
            channel: "latest".into(),
            released: Some(NOON - 86_400),
            schema: None,
        }],
        settings: object(settings),
        ..Situation::default()
    }
}

fn update(reason: &str, not_before: Option<u64>) -> Decision {
    Decision::Update {
        version: "v4.0.8".into(),
        reason: reason.into(),
        not_before,
    }
}

#[tokio::test]
async fn a_policy_decides_about_a_situation() {
    let policy = policy("policy-standard").await;
    let judgement = policy.decide(&Arc::new(situation(json!({})))).await.unwrap();
    assert_eq!(
        judgement.decision,
        Ok(update("v4.0.8 is the latest version; v4.0.7 runs", None))
    );
    assert_eq!(judgement.log, Vec::<String>::new());
}

#[tokio::test]
async fn the_same_situation_gets_the_same_answer_for_the_same_work() {
    let policy = policy("policy-standard").await;
    let mut situation = situation(json!({"supported-major": 4, "refused": [{"version": "5.*"}]}));
    situation.attempts.push(Attempt {
        version: "v4.0.8".into(),
        at: NOON - 3600,
        outcome: Outcome::Failed("ended with 1".into()),
    });
    let situation = Arc::new(situation);
    let first = policy.decide(&situation).await.unwrap();
    let reason = first.decision.clone().unwrap().reason().to_owned();
    assert!(
        reason.contains("failed Tuesday 2026-02-17 11:00 (ended with 1)"),
        "{reason}"
    );
    assert!((1..10_000_000).contains(&first.fuel), "{}", first.fuel);
    assert_eq!(policy.decide(&situation).await.unwrap(), first);
    let again = self::policy("policy-standard").await;
    assert_eq!(again.digest(), policy.digest());
    assert_eq!(again.decide(&situation).await.unwrap(), first);
}

#[tokio::test]
async fn policies_stand_in_a_row() {
    let (standard, window) = (policy("policy-standard").await, policy("policy-window").await);
    let chosen = standard.decide(&Arc::new(situation(json!({})))).await.unwrap();
    let next = Situation {
        proposal: Some(chosen.decision.unwrap()),
        ..situation(json!({"windows": [{"from": "22:00", "to": "05:00"}]}))
    };
    let judgement = window.decide(&Arc::new(next)).await.unwrap();
    let reason = "v4.0.8 is the latest version; v4.0.7 runs; not before Tuesday 2026-02-17 22:00: updates are made every day \
                  22:00-05:00";
    assert_eq!(judgement.decision, Ok(update(reason, Some(NOON + 10 * 3600))));
}

#[tokio::test]
async fn a_pin_holds_a_version_on_disk() {
    let pin = policy("policy-pin").await;
    let mut situation = situation(json!({"version": "4.0.6"}));
    situation.candidates.push(Candidate {
        version: "v4.0.6".into(),
        channel: "on-disk".into(),
        released: None,
        schema: None,
    });
    let judgement = pin.decide(&Arc::new(situation)).await.unwrap();
    assert_eq!(
        judgement.decision,
        Ok(Decision::Update {
            version: "v4.0.6".into(),
            reason: "pinned to 4.0.6; this goes down from v4.0.7".into(),
            not_before: None,
        })
    );
}

#[tokio::test]
async fn a_policy_that_computes_for_too_long_is_stopped() {
    let policy = policy("policy-standard").await.with_fuel(1000);
    let error = policy.decide(&Arc::new(situation(json!({})))).await.unwrap_err();
    assert_eq!(error, PolicyError::OutOfFuel(1000));
    assert_eq!(policy.check("{}").await.unwrap_err(), PolicyError::OutOfFuel(1000));
}

#[tokio::test]
async fn wrong_settings_are_refused_in_the_policys_own_words() {
    let policy = policy("policy-standard").await;
    assert_eq!(policy.check(r#"{"supported-major":"4.1.0"}"#).await, Ok(Ok(())));
    let told = "setting `retry-after-hours`: invalid type: string \"soon\", expected u64";
    let wrong = json!({"retry-after-hours": "soon"});
    assert_eq!(policy.check(&wrong.to_string()).await, Ok(Err(told.into())));
    let judgement = policy.decide(&Arc::new(situation(wrong))).await.unwrap();
    assert_eq!(judgement.decision, Err(told.into()));
}

#[tokio::test]
async fn an_adapter_is_no_policy_and_its_import_is_named() {
    let LoadError { plugin, reason } = Policy::load(loader(), "standard", &built("dpv")).await.unwrap_err();
    assert_eq!(plugin, "standard");
    let told = reason.to_string();
    assert!(matches!(reason, LoadReason::Import(_)), "{told}");
    assert!(
        told.starts_with("imports `budstikke:plugin/") || told.starts_with("imports `wasi:http/"),
        "{told}"
    );
}

#[tokio::test]
async fn a_loader_of_adapters_loads_no_policy() {
    let cache = tempfile::tempdir().unwrap();
    let settings = PoolSettings {
        slots: 8,
        ..PoolSettings::default()
    };
    let loader = Loader::new(Engine::new(settings).unwrap(), cache.path(), Compiler::InProcess).unwrap();
    let error = Policy::load(&loader, "standard", Path::new("policy.wasm"))
        .await
        .unwrap_err();
    assert!(matches!(error.reason, LoadReason::NotAComponent(_)), "{error}");
}
