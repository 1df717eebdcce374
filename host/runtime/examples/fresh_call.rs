//! How long a whole fresh call takes: store, instance from the pool, `describe`, everything dropped.
//!
//! `cargo run --release -p budstikke-runtime --example fresh_call`. Target: median at most 25 µs on two cores.

#![allow(clippy::unwrap_used, reason = "shared with the tests")]

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use budstikke_runtime::{Compiler, Engine, Grants, Limits, Loader, Plugin, PluginSpec, PoolSettings};

#[path = "../tests/runtime/house.rs"]
#[allow(dead_code, reason = "shared with the tests, which use more of it")]
mod house;
#[path = "../tests/runtime/service.rs"]
#[allow(dead_code, reason = "shared with the tests, which use more of it")]
mod service;

const CALLS: u32 = 20_000;

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let package = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures/hostile");
    let component = std::fs::read(budstikke_component_builder::build_component(&package)?)?;
    let engine = Engine::new(PoolSettings::default())?;
    println!("{}", engine.pool_report());
    let cache = tempfile::tempdir()?;
    let loader = Loader::new(engine, cache.path(), Compiler::InProcess)?;
    let load = async |settings: serde_json::Value, http: Vec<String>| {
        let grants = Grants {
            interfaces: vec!["*".into()],
            http: http.iter().filter_map(|host| host.parse().ok()).collect(),
            ..Grants::default()
        };
        let limits = Limits {
            concurrency: 64,
            ..Limits::default()
        };
        let services = house::House::new(settings);
        let spec = PluginSpec {
            name: "echo".into(),
            grants,
            limits,
            services,
            roots: vec![],
        };
        loader.load_bytes(&spec, component.clone()).await
    };

    let plugin = Arc::new(load(serde_json::json!({}), vec![]).await?);
    // A task of the pool, not the main thread, as in the server.
    let one = tokio::spawn(measure(plugin.clone(), CALLS)).await?;
    report("one caller", one);
    let started = Instant::now();
    let pair = [
        tokio::spawn(measure(plugin.clone(), CALLS)),
        tokio::spawn(measure(plugin.clone(), CALLS)),
    ];
    let mut both = Vec::new();
    for task in pair {
        both.extend(task.await?);
    }
    let rate = f64::from(2 * CALLS) / started.elapsed().as_secs_f64();
    report("two callers", both);
    println!("{rate:.0} calls per second");

    let service = service::Service::start().await;
    let host = vec![service.url("")];
    let settings = serde_json::json!({"behaviour": "download", "url": service.url("/mib/1024")});
    let plugin = load(settings, host.clone()).await?;
    let before = peak_mib();
    let started = Instant::now();
    let received = plugin.receive().await?.map_err(|failure| failure.to_string())?;
    println!(
        "download of {} MiB: {:?}, {} MiB more memory",
        received.handled,
        started.elapsed(),
        peak_mib() - before
    );

    let plugin = load(
        serde_json::json!({"behaviour": "upload", "url": service.url("/upload")}),
        host,
    )
    .await?;
    let before = peak_mib();
    let started = Instant::now();
    plugin
        .send(house::Letter::with_file(house::Paper::zeros(1 << 30)))
        .await?
        .map_err(|failure| failure.to_string())?;
    println!(
        "upload of 1024 MiB: {:?}, {} MiB more memory",
        started.elapsed(),
        peak_mib() - before
    );
    Ok(())
}

async fn measure(plugin: Arc<Plugin>, calls: u32) -> Vec<Duration> {
    for _ in 0..1000 {
        drop(plugin.describe().await);
    }
    let mut times = Vec::new();
    for _ in 0..calls {
        let started = Instant::now();
        if let Err(error) = plugin.describe().await {
            println!("{error}");
        }
        times.push(started.elapsed());
    }
    times
}

fn report(what: &str, mut times: Vec<Duration>) {
    times.sort();
    let at = |share: usize| times.get(times.len() * share / 1000).copied().unwrap_or_default();
    println!("{what}: p50 {:?}, p99 {:?}, p99.9 {:?}", at(500), at(990), at(999));
}

/// The most memory that this process has had, MiB.
fn peak_mib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))
        .unwrap_or("0");
    line.trim().trim_end_matches(" kB").parse::<u64>().unwrap_or(0) / 1024
}
