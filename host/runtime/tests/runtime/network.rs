//! The gate to the network, from inside a plugin.

use std::sync::atomic::Ordering::Relaxed;
use std::time::{Duration, Instant};

use budstikke_runtime::services::Failure;
use budstikke_runtime::{CallError, HostGrant, Limits, Plugin, PluginSpec};
use serde_json::json;

use crate::fixture::{hostile, loader, spec};
use crate::house::{House, Letter, Paper};
use crate::service::Service;

async fn granted(settings: serde_json::Value, limits: Limits, hosts: &[String]) -> Plugin {
    let house = House::new(settings);
    let mut spec = PluginSpec { limits, ..spec(&house) };
    spec.grants.http = hosts.iter().map(|host| host.parse::<HostGrant>().unwrap()).collect();
    loader().load_bytes(&spec, hostile().to_vec()).await.unwrap()
}

/// A plugin that may call the service and does it as its settings say.
async fn calling(service: &Service, behaviour: &str, path: &str, limits: Limits) -> Plugin {
    let settings = json!({"behaviour": behaviour, "url": service.url(path), "count": 5});
    granted(settings, limits, &[service.url("")]).await
}

async fn receive(plugin: &Plugin) -> Result<u32, String> {
    match plugin.receive().await.unwrap() {
        Ok(received) => Ok(received.handled),
        Err(
            Failure::Permanent { detail, .. } | Failure::Temporary { detail, .. } | Failure::Unknown { detail, .. },
        ) => Err(detail),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_granted_host_is_reached() {
    let service = Service::start().await;
    assert_eq!(
        receive(&calling(&service, "get", "/ok", Limits::default()).await).await,
        Ok(200)
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_host_that_was_not_granted_is_refused_without_a_connection() {
    let service = Service::start().await;
    for (url, grant) in [
        (service.url("/"), "http://127.0.0.1:1".to_owned()),
        (service.url("/"), "https://127.0.0.1".to_owned()),
        (format!("http://localhost:{}/", service.port), service.url("")),
        (
            format!("http://2130706433:{}/", service.port),
            "http://localhost:9".to_owned(),
        ),
        (format!("http://127.0.0.1.nip.io:{}/", service.port), service.url("")),
    ] {
        let plugin = granted(json!({"behaviour": "get", "url": url}), Limits::default(), &[grant]).await;
        let error = receive(&plugin).await.unwrap_err();
        assert!(error.contains("HttpRequestDenied"), "{url}: {error}");
        assert_eq!(plugin.stats().refused_requests, 1);
    }
    assert_eq!(service.seen.connections.load(Relaxed), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_any_grant_nothing_is_reached() {
    let service = Service::start().await;
    let plugin = granted(
        json!({"behaviour": "get", "url": service.url("/")}),
        Limits::default(),
        &[],
    )
    .await;
    assert!(receive(&plugin).await.unwrap_err().contains("HttpRequestDenied"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn localhost_is_reached_when_it_was_granted_by_name() {
    let service = Service::start().await;
    let host = format!("http://localhost:{}", service.port);
    let plugin = granted(
        json!({"behaviour": "get", "url": host}),
        Limits::default(),
        std::slice::from_ref(&host),
    )
    .await;
    assert_eq!(receive(&plugin).await, Ok(200));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_redirect_is_not_followed() {
    let service = Service::start().await;
    assert_eq!(
        receive(&calling(&service, "get", "/redirect", Limits::default()).await).await,
        Ok(302)
    );
    assert_eq!(service.seen.requests.load(Relaxed), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn connections_are_used_again_by_later_calls() {
    let service = Service::start().await;
    // Each response is read to its end, or its connection could not be used again.
    let plugin = calling(&service, "slow-download", "/ok", Limits::default()).await;
    for _ in 0..5 {
        receive(&plugin).await.unwrap();
    }
    assert_eq!(service.seen.requests.load(Relaxed), 5);
    assert_eq!(service.seen.connections.load(Relaxed), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_large_download_passes_through_a_small_plugin() {
    let service = Service::start().await;
    let limits = Limits {
        memory: 4 << 20,
        ..Limits::default()
    };
    let plugin = calling(&service, "download", "/mib/64", limits).await;
    assert_eq!(receive(&plugin).await, Ok(64));
    assert_eq!(plugin.stats().bytes_in, 64 << 20);
    assert!(plugin.stats().peak_memory < 2 << 20, "{}", plugin.stats().peak_memory);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_large_upload_passes_through_a_small_plugin_with_its_length() {
    let service = Service::start().await;
    let limits = Limits {
        memory: 4 << 20,
        ..Limits::default()
    };
    let plugin = calling(&service, "upload", "/upload", limits).await;
    plugin
        .send(Letter::with_file(Paper::zeros(64 << 20)))
        .await
        .unwrap()
        .unwrap();
    assert_eq!(service.seen.uploaded.load(Relaxed), 64 << 20);
    assert_eq!(service.seen.chunked.load(Relaxed), 0);
    assert_eq!(plugin.stats().bytes_out, 64 << 20);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_response_over_the_limit_is_broken_off() {
    let service = Service::start().await;
    let limits = Limits {
        response_bytes: 1 << 20,
        ..Limits::default()
    };
    let announced = calling(&service, "download", "/mib/2", limits.clone()).await;
    assert!(receive(&announced).await.unwrap_err().contains("HttpResponseBodySize"));
    let endless = calling(&service, "download", "/endless", limits).await;
    assert!(receive(&endless).await.unwrap_err().contains("body size exceeds limit"));
    assert!(endless.stats().bytes_in < 3 << 20);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_request_over_the_limit_is_broken_off() {
    let service = Service::start().await;
    let limits = Limits {
        request_bytes: 1 << 20,
        ..Limits::default()
    };
    let plugin = calling(&service, "upload", "/upload", limits).await;
    match plugin
        .send(Letter::with_file(Paper::zeros(2 << 20)))
        .await
        .unwrap()
        .unwrap_err()
    {
        Failure::Permanent { detail, .. } => assert!(detail.contains("HttpRequestBodySize"), "{detail}"),
        other => panic!("{other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn more_requests_than_one_call_may_make_are_refused() {
    let service = Service::start().await;
    let limits = Limits {
        requests: 4,
        ..Limits::default()
    };
    let plugin = calling(&service, "many-requests", "/ok", limits).await;
    assert!(receive(&plugin).await.unwrap_err().contains("HttpRequestDenied"));
    assert_eq!(service.seen.requests.load(Relaxed), 4);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn more_connections_than_allowed_are_refused() {
    let service = Service::start().await;
    let limits = Limits {
        connections: 0,
        ..Limits::default()
    };
    let plugin = calling(&service, "get", "/ok", limits).await;
    assert!(receive(&plugin).await.unwrap_err().contains("ConnectionLimitReached"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_service_that_is_silent_is_given_up() {
    let service = Service::start().await;
    let short = Duration::from_millis(200);
    let limits = Limits {
        silence_time: short,
        connect_time: short,
        ..Limits::default()
    };
    let started = Instant::now();
    let silent = calling(&service, "get", "/silent", limits.clone()).await;
    assert!(receive(&silent).await.unwrap_err().contains("ConnectionReadTimeout"));
    let stalls = calling(&service, "slow-download", "/stalls", limits.clone()).await;
    assert!(receive(&stalls).await.unwrap_err().contains("timeout"));
    let never_reads = calling(&service, "upload", "/never-reads", limits).await;
    match never_reads
        .send(Letter::with_file(Paper::zeros(64 << 20)))
        .await
        .unwrap()
        .unwrap_err()
    {
        Failure::Permanent { detail, .. } => assert!(detail.contains("ConnectionWriteTimeout"), "{detail}"),
        other => panic!("{other:?}"),
    }
    assert!(started.elapsed() < Duration::from_secs(10));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_service_that_is_slow_but_not_silent_is_waited_for() {
    let service = Service::start().await;
    let limits = Limits {
        silence_time: Duration::from_millis(300),
        ..Limits::default()
    };
    let plugin = calling(&service, "slow-download", "/drips", limits).await;
    assert!(receive(&plugin).await.unwrap() >= 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_guests_own_patience_counts_when_it_is_shorter() {
    let service = Service::start().await;
    let settings = json!({"behaviour": "slow-download", "url": service.url("/drips"), "silence-ms": 10});
    let plugin = granted(settings, Limits::default(), &[service.url("")]).await;
    assert!(receive(&plugin).await.unwrap_err().contains("timeout"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_response_that_breaks_off_is_an_error_and_not_an_end() {
    let service = Service::start().await;
    let plugin = calling(&service, "slow-download", "/breaks-off", Limits::default()).await;
    let error = receive(&plugin).await.unwrap_err();
    assert!(error.contains("incomplete") || error.contains("Incomplete"), "{error}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_closed_port_is_a_refused_connection() {
    let port = {
        let service = Service::start().await;
        service.port
    };
    tokio::time::sleep(Duration::from_millis(50)).await;
    let url = format!("http://127.0.0.1:{port}");
    let plugin = granted(
        json!({"behaviour": "get", "url": url}),
        Limits::default(),
        std::slice::from_ref(&url),
    )
    .await;
    assert!(receive(&plugin).await.unwrap_err().contains("ConnectionRefused"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn waiting_for_a_service_costs_wall_clock_and_not_cpu() {
    let service = Service::start().await;
    let limits = Limits {
        call_time: Duration::from_millis(400),
        cpu_time: Duration::from_millis(150),
        ..Limits::default()
    };
    let plugin = calling(&service, "get", "/silent", limits).await;
    let error = plugin.receive().await.unwrap_err();
    assert!(matches!(error, CallError::OutOfTime { .. }), "{error}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_guest_that_breaks_off_does_not_send_a_whole_request() {
    let service = Service::start().await;
    let limits = Limits {
        cpu_time: Duration::from_millis(100),
        ..Limits::default()
    };
    for _ in 0..20 {
        let plugin = calling(&service, "half-upload", "/chunked", limits.clone()).await;
        assert!(matches!(plugin.receive().await.unwrap_err(), CallError::Trap { .. }));
    }
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert_eq!(service.seen.chunked.load(Relaxed), 20);
    assert_eq!(service.seen.whole.load(Relaxed), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_service_is_trusted_by_the_roots_that_the_operator_gave() {
    let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    let service = Service::start_tls(&made).await;
    let host = format!("https://localhost:{}", service.port);
    let house = House::new(json!({"behaviour": "get", "url": host}));
    let mut spec = spec(&house);
    spec.grants.http = vec![host.parse().unwrap()];
    let stranger = loader().load_bytes(&spec, hostile().to_vec()).await.unwrap();
    assert!(receive(&stranger).await.unwrap_err().contains("TlsCertificateError"));
    spec.roots = vec![made.cert.pem().into_bytes()];
    let friend = loader().load_bytes(&spec, hostile().to_vec()).await.unwrap();
    assert_eq!(receive(&friend).await, Ok(200));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_call_that_moves_a_file_has_more_time_than_one_that_hangs_but_not_all_time() {
    let service = Service::start().await;
    let limits = Limits {
        call_time: Duration::from_millis(400),
        ..Limits::default()
    };
    // 16 MiB, one MiB each 100 ms.
    let plugin = calling(&service, "download", "/steady", limits.clone()).await;
    assert_eq!(receive(&plugin).await, Ok(16));
    let limits = Limits {
        transfer_time: Duration::from_millis(800),
        ..limits
    };
    let plugin = calling(&service, "download", "/steady", limits).await;
    match plugin.receive().await.unwrap_err() {
        CallError::OutOfTime { limit, .. } => assert_eq!(limit, Duration::from_millis(800)),
        other => panic!("{other}"),
    }
}
