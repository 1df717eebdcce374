//! Each limit, tripped.

use std::sync::Arc;
use std::time::{Duration, Instant};

use budstikke_runtime::services::Failure;
use budstikke_runtime::{CallError, Limits, PluginSpec};
use serde_json::json;

use crate::fixture::{behaving, hostile, loader, spec, with};
use crate::house::House;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_loop_without_end_is_interrupted_when_its_cpu_time_is_over() {
    let limits = Limits {
        cpu_time: Duration::from_millis(200),
        ..Limits::default()
    };
    let plugin = with(json!({"behaviour": "loop"}), limits).await;
    let started = Instant::now();
    let error = plugin.receive().await.unwrap_err();
    assert!(matches!(error, CallError::OutOfCpu { .. }), "{error}");
    assert!(started.elapsed() < Duration::from_secs(5), "{:?}", started.elapsed());
    assert_eq!(
        error.to_string(),
        "plugin echo: receive timed out: computed for more than 0.2 s (limit cpu-time)"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_loop_without_end_is_dropped_when_its_wall_clock_is_over() {
    let limits = Limits {
        call_time: Duration::from_millis(200),
        ..Limits::default()
    };
    let error = with(json!({"behaviour": "loop"}), limits)
        .await
        .receive()
        .await
        .unwrap_err();
    assert!(matches!(error, CallError::OutOfTime { .. }), "{error}");
}

#[tokio::test]
async fn a_loop_without_end_lets_its_neighbours_work() {
    // One thread for everything: without yielding, the neighbour would wait for the loop's end.
    let limits = Limits {
        cpu_time: Duration::from_secs(2),
        ..Limits::default()
    };
    let loops = with(json!({"behaviour": "loop"}), limits).await;
    let neighbour = behaving("").await;
    let looping = tokio::spawn(async move { loops.receive().await });
    tokio::time::sleep(Duration::from_millis(50)).await;
    neighbour.receive().await.unwrap().unwrap();
    assert!(!looping.is_finished(), "the neighbour waited for the end of the loop");
    assert!(matches!(looping.await.unwrap(), Err(CallError::OutOfCpu { .. })));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn memory_without_end_is_refused_and_named() {
    let limits = Limits {
        memory: 16 << 20,
        ..Limits::default()
    };
    let error = with(json!({"behaviour": "memory"}), limits)
        .await
        .receive()
        .await
        .unwrap_err();
    assert!(
        matches!(error, CallError::OutOfMemory { limit, .. } if limit == 16 << 20),
        "{error}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_trap_is_the_plugins_fault_and_the_next_call_works() {
    let plugin = behaving("trap").await;
    let error = plugin.receive().await.unwrap_err();
    assert!(
        matches!(error, CallError::Trap { .. }) && error.blames_plugin(),
        "{error}"
    );
    assert!(plugin.describe().await.unwrap().is_ok());
    assert_eq!(plugin.stats().faults, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn more_calls_than_allowed_wait_and_then_are_told_so() {
    let limits = Limits {
        concurrency: 1,
        queue_time: Duration::from_millis(100),
        cpu_time: Duration::from_millis(800),
        ..Limits::default()
    };
    let plugin = Arc::new(with(json!({"behaviour": "loop"}), limits).await);
    let first = tokio::spawn({
        let plugin = plugin.clone();
        async move { plugin.receive().await }
    });
    tokio::time::sleep(Duration::from_millis(100)).await;
    let error = plugin.describe().await.unwrap_err();
    assert!(
        matches!(error, CallError::Busy { limit: 1, .. }) && !error.blames_plugin(),
        "{error}"
    );
    first.await.unwrap().unwrap_err();
    assert!(plugin.describe().await.unwrap().is_ok());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn more_calls_than_the_pool_has_slots_all_get_their_turn() {
    let limits = Limits {
        concurrency: 500,
        ..Limits::default()
    };
    let plugin = Arc::new(with(json!({}), limits).await);
    let calls: Vec<_> = (0..500)
        .map(|_| {
            let plugin = plugin.clone();
            tokio::spawn(async move { plugin.receive().await.unwrap().unwrap() })
        })
        .collect();
    for call in calls {
        call.await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_flood_of_handles_ends_the_call() {
    let limits = Limits {
        handles: 1000,
        ..Limits::default()
    };
    let error = with(json!({"behaviour": "handles"}), limits)
        .await
        .receive()
        .await
        .unwrap_err();
    assert!(
        matches!(error, CallError::OverLimit { limit: "handles", .. }),
        "{error}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_huge_list_ends_the_call() {
    let limits = Limits {
        hostcall_bytes: 1 << 20,
        ..Limits::default()
    };
    let error = with(json!({"behaviour": "huge-list", "size": 2 << 20}), limits)
        .await
        .receive()
        .await
        .unwrap_err();
    assert!(
        matches!(
            error,
            CallError::OverLimit {
                limit: "hostcall-bytes",
                ..
            }
        ),
        "{error}"
    );
    let settings = json!({"behaviour": "huge-list", "size": 17 << 20});
    let error = with(settings, Limits::default()).await.receive().await.unwrap_err();
    assert!(
        matches!(
            error,
            CallError::OverLimit {
                limit: "from-bytes",
                ..
            }
        ),
        "{error}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn documents_made_in_memory_end_at_their_limit() {
    let limits = Limits {
        document_bytes: 1 << 20,
        ..Limits::default()
    };
    let of_size = |size: u32| with(json!({"behaviour": "huge-list", "size": size}), limits.clone());
    of_size(1 << 20).await.receive().await.unwrap().unwrap();
    let error = of_size((1 << 20) + 1).await.receive().await.unwrap_err();
    let document_bytes = |error: &CallError| {
        matches!(
            error,
            CallError::OverLimit {
                limit: "document-bytes",
                ..
            }
        )
    };
    assert!(document_bytes(&error), "{error}");
    assert!(error.blames_plugin(), "{error}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn documents_without_number_end_the_call_though_handles_are_left() {
    let limits = Limits {
        handles: 100_000,
        ..Limits::default()
    };
    let plugin = with(json!({"behaviour": "handles"}), limits).await;
    let error = plugin.receive().await.unwrap_err();
    assert!(
        matches!(error, CallError::OverLimit { limit: "recipes", .. }),
        "{error}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn too_few_tables_or_instances_keep_a_plugin_out() {
    let house = House::new(json!({}));
    for (limits, name) in [
        (
            Limits {
                table_elements: 1,
                ..Limits::default()
            },
            "table-elements",
        ),
        (
            Limits {
                instances: 0,
                ..Limits::default()
            },
            "instances",
        ),
        (
            Limits {
                memory: 1 << 16,
                ..Limits::default()
            },
            "memory",
        ),
    ] {
        let spec = PluginSpec { limits, ..spec(&house) };
        let error = loader()
            .load_bytes(&spec, hostile().to_vec())
            .await
            .unwrap_err()
            .to_string();
        assert!(error.contains(name), "{name}: {error}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn more_memory_than_the_pool_has_is_refused_at_the_load() {
    let house = House::new(json!({}));
    let spec = PluginSpec {
        limits: Limits {
            memory: 1 << 30,
            ..Limits::default()
        },
        ..spec(&house)
    };
    let error = loader()
        .load_bytes(&spec, hostile().to_vec())
        .await
        .unwrap_err()
        .to_string();
    assert!(error.contains("limit memory"), "{error}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_flood_of_log_lines_is_cut_and_the_call_goes_on() {
    assert_eq!(behaving("log-flood").await.receive().await.unwrap().unwrap().handled, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_spool_cannot_grow_over_the_limit_for_downloads() {
    let limits = Limits {
        download_bytes: 64 << 10,
        ..Limits::default()
    };
    let plugin = with(json!({"behaviour": "spool", "size": 100 << 10}), limits).await;
    match plugin.receive().await.unwrap().unwrap_err() {
        Failure::Permanent { code, .. } => assert_eq!(code, "stream"),
        other => panic!("{other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_value_that_is_too_large_for_the_state_is_refused() {
    match behaving("big-state").await.receive().await.unwrap().unwrap_err() {
        Failure::Permanent { code, .. } => assert_eq!(code, "limit"),
        other => panic!("{other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn random_numbers_come_in_small_portions() {
    let settings = json!({"behaviour": "random", "size": 32});
    assert_eq!(
        with(settings, Limits::default())
            .await
            .receive()
            .await
            .unwrap()
            .unwrap()
            .handled,
        32
    );
    let settings = json!({"behaviour": "random", "size": 1 << 20});
    assert!(with(settings, Limits::default()).await.receive().await.is_err());
}
