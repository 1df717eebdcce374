//! The functions of a plugin, and what a plugin can ask for in them.

use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

use budstikke_runtime::Limits;
use budstikke_runtime::services::{Draft, Failure, SentMessage, ServiceRules};
use serde_json::json;

use crate::fixture::{behaving, with};
use crate::house::{Letter, Paper};

fn left(id: &str) -> SentMessage {
    SentMessage {
        message_id: id.into(),
        sender: "0192:991825827".into(),
        process: "urn:p".into(),
        reference: Some(format!("r-{id}")),
        last_update: 17,
        ..SentMessage::default()
    }
}

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
        checked: true,
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
    let answers = plugin.track(vec![left("m-1")]).await.unwrap();
    assert_eq!(answers, [Err(later)]);
    let plugin = behaving("permanent").await;
    assert_eq!(
        plugin.receive().await.unwrap().unwrap_err(),
        Failure::permanent("echo", "never")
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_statuses_of_messages_are_tracked() {
    let answers = behaving("").await.track(vec![left("m-1"), left("m-2")]).await.unwrap();
    let [Ok(first), Ok(second)] = answers.as_slice() else {
        panic!("{answers:?}")
    };
    assert_eq!(first.reports[0].status, "m-1");
    assert_eq!(first.reports[0].description.as_deref(), Some("r-m-1"));
    assert_eq!(first.reports[0].raw_receipt.as_deref(), Some("0192:991825827 urn:p"));
    assert_eq!(first.reports[0].at, Some(17));
    assert_eq!(first.track_after, None);
    assert_eq!(second.reports[0].status, "m-2");
    assert!(
        behaving("track-trap")
            .await
            .track(vec![left("m-1"), left("m-2")])
            .await
            .is_err()
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_plugin_looks_at_a_message_before_it_is_accepted() {
    let draft = |files: Option<usize>| {
        Arc::new(Draft {
            message_id: "m-1".into(),
            receiver: "0192:910076787".into(),
            files: files.map(|count| (0..count).map(|_| Paper::zeros(1)).collect()),
            ..Draft::default()
        })
    };
    assert_eq!(behaving("").await.check(draft(None)).await.unwrap(), Ok(()));
    let refused = behaving("check-refuse").await.check(draft(None)).await.unwrap();
    assert_eq!(refused, Err(Failure::permanent("NotToday", "0192:910076787")));
    let refused = behaving("check-files").await.check(draft(Some(2))).await.unwrap();
    assert_eq!(refused, Err(Failure::permanent("files", "2 of m-1")));
    assert!(behaving("check-trap").await.check(draft(None)).await.is_err());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn others_are_looked_up_and_a_key_is_handed_over() {
    assert_eq!(behaving("look-up").await.receive().await.unwrap().unwrap().handled, 1);
    assert_eq!(behaving("queue-key").await.receive().await.unwrap().unwrap().handled, 6);
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
