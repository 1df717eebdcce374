//! What a start makes of what was there before it, and of troubles that pass.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use budstikke_runtime::{FolderSettings, PluginEvent, PluginFolder, Slot, SlotState};
use serde_json::json;
use tokio::sync::broadcast::Receiver;

use crate::fixture::{fresh_loader, hostile, put, spec, version};
use crate::folder::settings;
use crate::house::House;

/// One life of a host.
struct Host {
    _folder: PluginFolder,
    slot: Arc<Slot>,
    events: Receiver<PluginEvent>,
}

impl Host {
    async fn start(home: &Path, cache: &Path, settings: FolderSettings) -> Self {
        let folder = PluginFolder::open(home, Arc::new(fresh_loader(cache)), settings).unwrap();
        let events = folder.subscribe();
        let slot = folder.add(spec(&House::new(json!({}))), "echo.wasm").await;
        Self {
            _folder: folder,
            slot,
            events,
        }
    }

    /// The first life, with a version that proves itself.
    async fn with_good_version(home: &Path, cache: &Path) -> Self {
        put(home, "echo.wasm", hostile());
        let mut host = Self::start(home, cache, settings()).await;
        for _ in 0..settings().trial_calls {
            host.slot.current().unwrap().receive().await.unwrap().unwrap();
        }
        host.event(|event| matches!(event, PluginEvent::Proven { .. })).await;
        host
    }

    fn version(&self) -> String {
        self.slot.current().unwrap().version().to_owned()
    }

    async fn fail(&mut self) {
        for _ in 0..settings().trial_faults {
            self.slot.current().unwrap().receive().await.unwrap_err();
        }
        self.event(|event| matches!(event, PluginEvent::SwapBack { .. })).await;
    }

    async fn event(&mut self, wanted: impl Fn(&PluginEvent) -> bool) {
        let wait = async { while !wanted(&self.events.recv().await.unwrap()) {} };
        tokio::time::timeout(Duration::from_secs(20), wait)
            .await
            .expect("the event did not come");
    }
}

async fn appears(file: &Path) {
    let wait = async {
        while !file.exists() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), wait).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_version_that_was_swapped_back_is_not_tried_again_after_a_restart() {
    let (home, cache) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let mut host = Host::with_good_version(home.path(), cache.path()).await;
    put(home.path(), "echo.wasm", &version(b'6'));
    host.event(|event| matches!(event, PluginEvent::Loaded { .. })).await;
    host.fail().await;
    appears(&cache.path().join("echo.rejected")).await;
    drop(host);

    let mut host = Host::start(home.path(), cache.path(), settings()).await;
    assert_eq!(host.version(), "1.0.0-fixture");
    host.slot.current().unwrap().receive().await.unwrap().unwrap();
    let refused = host.slot.status().refused.unwrap().reason;
    assert!(refused.contains("failed its first calls"), "{refused}");

    while host.events.try_recv().is_ok() {}
    put(home.path(), "echo.wasm", &version(b'2'));
    host.event(|event| matches!(event, PluginEvent::Loaded { .. })).await;
    assert_eq!(host.version(), "2.0.0-fixture");
    assert!(!cache.path().join("echo.rejected").exists());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_new_version_that_comes_with_the_restart_is_swapped_back_when_it_fails() {
    let (home, cache) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    drop(Host::with_good_version(home.path(), cache.path()).await);
    put(home.path(), "echo.wasm", &version(b'6'));
    let mut host = Host::start(home.path(), cache.path(), settings()).await;
    assert_eq!(host.version(), "6.0.0-fixture");
    host.fail().await;
    assert_eq!(host.version(), "1.0.0-fixture");
    host.slot.current().unwrap().receive().await.unwrap().unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_that_cannot_be_compiled_for_want_of_a_disk_is_tried_again() {
    let (home, cache) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let mut host = Host::start(home.path(), cache.path(), settings()).await;
    std::fs::remove_dir_all(cache.path()).unwrap();
    put(home.path(), "echo.wasm", hostile());
    for _ in 0..2 {
        host.event(|event| matches!(event, PluginEvent::Refused { .. })).await;
    }
    std::fs::create_dir(cache.path()).unwrap();
    host.event(|event| matches!(event, PluginEvent::Loaded { .. })).await;
    assert_eq!(host.version(), "1.0.0-fixture");
    assert_eq!(host.slot.status().refused, None);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_that_waits_is_left_alone_until_its_time() {
    let (home, cache) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let mut host = Host::start(home.path(), cache.path(), FolderSettings::default()).await;
    std::fs::remove_dir_all(cache.path()).unwrap();
    put(home.path(), "echo.wasm", hostile());
    host.event(|event| matches!(event, PluginEvent::Refused { .. })).await;
    std::fs::create_dir(cache.path()).unwrap();
    host.slot.look_closely().await;
    assert_eq!(host.slot.status().state, SlotState::Empty);
    host.event(|event| matches!(event, PluginEvent::Loaded { .. })).await;
}
