//! The four functions, and what a plugin can ask for in them.

use std::sync::atomic::Ordering::Relaxed;

use budstikke_runtime::Limits;
use budstikke_runtime::services::{Failure, ServiceRules};
use serde_json::json;

use crate::fixture::{behaving, with};
use crate::house::{Letter, Paper};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_plugin_describes_itself_and_unknown_rules_are_ignored() {
    let plugin = behaving("").await;
    assert_eq!(plugin.version(), "1.0.0-fixture");
    let description = plugin.description();
    assert_eq!(description.poll_interval, Some(60));
    let rules = ServiceRules {
        id: "ECHO".into(),
        upload_limit: Some(5 << 20),
        lifetime_hours: Some(24),
        channel: Some("echo".into()),
        answers_with_status: true,
        title_required: false,
    };
    assert_eq!(description.services, [rules]);
    assert_eq!(plugin.describe().await.unwrap().unwrap(), *description);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_message_is_sent_with_what_the_plugin_reads_from_it() {
    let plugin = behaving("").await;
    let sent = plugin.send(Letter::with_file(Paper::zeros(1))).await.unwrap().unwrap();
    assert_eq!(sent.reference.as_deref(), Some("echo-m-1"));
    assert_eq!(sent.track_after, Some(2));
    assert_eq!(sent.reports[0].status, "MOTTATT");
    assert_eq!(sent.reports[0].at, Some(1_800_000_000));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_kept_document_is_computed_once() {
    let plugin = behaving("keep").await;
    let letter = Letter::with_file(Paper::zeros(1));
    plugin.send(letter.clone()).await.unwrap().unwrap();
    assert_eq!(letter.computed.load(Relaxed), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_checkpoint_is_there_in_the_next_attempt() {
    let plugin = behaving("checkpoint").await;
    let letter = Letter::with_file(Paper::zeros(1));
    plugin.send(letter.clone()).await.unwrap().unwrap();
    let again = plugin.send(letter).await.unwrap().unwrap_err();
    assert_eq!(again, Failure::permanent("checkpoint", "known already"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn failures_are_values() {
    let plugin = behaving("temporary").await;
    let later = Failure::Temporary {
        detail: "later".into(),
        retry_after: Some(7),
    };
    assert_eq!(plugin.receive().await.unwrap().unwrap_err(), later);
    assert_eq!(plugin.track("m-1", "r-1").await.unwrap().unwrap_err(), later);
    let plugin = behaving("permanent").await;
    assert_eq!(
        plugin.receive().await.unwrap().unwrap_err(),
        Failure::permanent("echo", "never")
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_status_of_a_message_is_tracked() {
    let progress = behaving("").await.track("m-1", "r-1").await.unwrap().unwrap();
    assert_eq!(progress.reports[0].status, "m-1");
    assert_eq!(progress.reports[0].description.as_deref(), Some("r-1"));
    assert_eq!(progress.track_after, None);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn packages_are_made_and_opened_by_the_house() {
    assert_eq!(behaving("package").await.receive().await.unwrap().unwrap().handled, 11);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_message_is_delivered_once() {
    assert_eq!(behaving("deliver").await.receive().await.unwrap().unwrap().handled, 3);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn state_is_kept_between_calls() {
    assert_eq!(behaving("state").await.receive().await.unwrap().unwrap().handled, 42);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_written_to_a_spool_becomes_a_document() {
    let plugin = with(json!({"behaviour": "spool", "size": 100 << 10}), Limits::default()).await;
    assert_eq!(plugin.receive().await.unwrap().unwrap().handled, 100);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_token_is_given_for_a_granted_profile_only() {
    let plugin = with(json!({"behaviour": "token", "profile": "altinn"}), Limits::default()).await;
    assert_eq!(plugin.receive().await.unwrap().unwrap().handled, 1);
    let plugin = with(json!({"behaviour": "token", "profile": "ks"}), Limits::default()).await;
    match plugin.receive().await.unwrap().unwrap_err() {
        Failure::Permanent { code, detail } => {
            assert_eq!(code, "profile");
            assert!(
                detail.contains("`ks`") && detail.contains("[adapters.echo.grants]"),
                "{detail}"
            );
        }
        other => panic!("{other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn calls_share_nothing_and_are_counted() {
    let plugin = std::sync::Arc::new(behaving("").await);
    let before = plugin.stats();
    let calls: Vec<_> = (0..50)
        .map(|_| {
            let plugin = plugin.clone();
            tokio::spawn(async move { plugin.receive().await.unwrap().unwrap().handled })
        })
        .collect();
    for call in calls {
        assert_eq!(call.await.unwrap(), 1);
    }
    let after = plugin.stats();
    assert_eq!(after.calls - before.calls, 50);
    assert_eq!(after.faults, 0);
    assert!(after.peak_memory >= 1 << 16);
}
