//! Files that come, change and go while the host runs.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use budstikke_runtime::{
    CallError, FolderSettings, PluginEvent, PluginFolder, PluginSpec, Slot, SlotState, Unavailable,
};
use serde_json::json;
use tokio::sync::broadcast::Receiver;

use crate::fixture::{fresh_loader, hostile, loader, put, spec, version};
use crate::house::House;

pub(crate) fn settings() -> FolderSettings {
    FolderSettings {
        still: Duration::from_millis(100),
        poll: Duration::from_millis(300),
        trial_calls: 5,
        trial_faults: 2,
        quarantine_faults: 3,
        first_pause: Duration::from_millis(300),
        first_retry: Duration::from_millis(100),
        ..FolderSettings::default()
    }
}

struct Scene {
    home: tempfile::TempDir,
    folder: PluginFolder,
    slot: Arc<Slot>,
    events: Receiver<PluginEvent>,
}

impl Scene {
    async fn with(bytes: Option<&[u8]>) -> Self {
        let home = tempfile::tempdir().unwrap();
        if let Some(bytes) = bytes {
            put(home.path(), "echo.wasm", bytes);
        }
        // The keepsakes of one test must not be found by another.
        let cache = tempfile::tempdir().unwrap().keep();
        let loader = Arc::new(fresh_loader(&cache));
        let folder = PluginFolder::open(home.path(), loader, settings()).unwrap();
        let mut events = folder.subscribe();
        let slot = folder.add(spec(&House::new(json!({}))), "echo.wasm").await;
        while events.try_recv().is_ok() {}
        Self {
            home,
            folder,
            slot,
            events,
        }
    }

    fn path(&self) -> &Path {
        self.home.path()
    }

    fn version(&self) -> String {
        self.slot.current().unwrap().version().to_owned()
    }

    async fn event(&mut self, wanted: impl Fn(&PluginEvent) -> bool) -> PluginEvent {
        let wait = async {
            loop {
                let event = self.events.recv().await.unwrap();
                if wanted(&event) {
                    return event;
                }
            }
        };
        tokio::time::timeout(Duration::from_secs(20), wait)
            .await
            .expect("the event did not come")
    }

    async fn loaded(&mut self) {
        self.event(|event| matches!(event, PluginEvent::Loaded { .. })).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_moved_over_the_old_one_is_swapped_in_while_calls_run() {
    let mut scene = Scene::with(Some(hostile())).await;
    let (slot, stop) = (scene.slot.clone(), Arc::new(std::sync::atomic::AtomicBool::new(false)));
    let load = tokio::spawn({
        let stop = stop.clone();
        async move {
            let mut versions = std::collections::BTreeSet::new();
            while !stop.load(std::sync::atomic::Ordering::Relaxed) {
                let plugin = slot.current().unwrap();
                versions.insert(plugin.version().to_owned());
                plugin.receive().await.unwrap().unwrap();
            }
            versions
        }
    });
    put(scene.path(), "echo.wasm", &version(b'2'));
    scene.loaded().await;
    tokio::time::sleep(Duration::from_millis(100)).await;
    stop.store(true, std::sync::atomic::Ordering::Relaxed);
    let versions: Vec<String> = load.await.unwrap().into_iter().collect();
    assert_eq!(versions, ["1.0.0-fixture", "2.0.0-fixture"]);
    assert_eq!(scene.slot.generation(), 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_that_comes_later_is_loaded() {
    let mut scene = Scene::with(None).await;
    assert!(matches!(scene.slot.current(), Err(Unavailable::NotLoaded { .. })));
    assert_eq!(scene.slot.status().state, SlotState::Empty);
    assert!(scene.slot.status().missing);
    put(scene.path(), "echo.wasm", hostile());
    scene.loaded().await;
    assert_eq!(scene.version(), "1.0.0-fixture");
    assert!(!scene.slot.status().missing);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_that_is_written_slowly_is_read_when_it_is_whole() {
    let mut scene = Scene::with(Some(hostile())).await;
    let bytes = version(b'2');
    let mut file = std::fs::File::create(scene.path().join("echo.wasm")).unwrap();
    for piece in bytes.chunks(bytes.len() / 8 + 1) {
        std::io::Write::write_all(&mut file, piece).unwrap();
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    drop(file);
    let event = scene.event(|_| true).await;
    assert!(matches!(event, PluginEvent::Loaded { .. }), "{event:?}");
    assert_eq!(scene.version(), "2.0.0-fixture");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_half_copied_file_changes_nothing_and_the_whole_one_is_taken() {
    let mut scene = Scene::with(Some(hostile())).await;
    let bytes = version(b'2');
    std::fs::write(scene.path().join("echo.wasm"), &bytes[..bytes.len() / 2]).unwrap();
    scene.event(|event| matches!(event, PluginEvent::Refused { .. })).await;
    assert_eq!(scene.version(), "1.0.0-fixture");
    assert!(
        scene
            .slot
            .status()
            .refused
            .unwrap()
            .reason
            .contains("not a valid component")
    );
    std::fs::write(scene.path().join("echo.wasm"), &bytes).unwrap();
    scene.loaded().await;
    assert_eq!(scene.version(), "2.0.0-fixture");
    assert_eq!(scene.slot.status().refused, None);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_bad_file_is_refused_visibly_within_two_seconds_and_once() {
    let mut scene = Scene::with(Some(hostile())).await;
    let started = std::time::Instant::now();
    put(scene.path(), "echo.wasm", &version(b'7'));
    scene.event(|event| matches!(event, PluginEvent::Refused { .. })).await;
    assert!(started.elapsed() < Duration::from_secs(2), "{:?}", started.elapsed());
    assert_eq!(scene.version(), "1.0.0-fixture");
    tokio::time::sleep(Duration::from_millis(800)).await;
    scene.slot.look_closely().await;
    assert!(scene.events.try_recv().is_err());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_touched_file_is_not_loaded_again() {
    let mut scene = Scene::with(Some(hostile())).await;
    put(scene.path(), "echo.wasm", hostile());
    tokio::time::sleep(Duration::from_millis(900)).await;
    assert!(scene.events.try_recv().is_err());
    assert_eq!(scene.slot.generation(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_deleted_file_leaves_the_plugin_running() {
    let mut scene = Scene::with(Some(hostile())).await;
    std::fs::remove_file(scene.path().join("echo.wasm")).unwrap();
    scene.event(|event| matches!(event, PluginEvent::Missing { .. })).await;
    assert!(scene.slot.status().missing);
    scene.slot.current().unwrap().receive().await.unwrap().unwrap();
    put(scene.path(), "echo.wasm", &version(b'2'));
    scene.loaded().await;
    assert_eq!(scene.version(), "2.0.0-fixture");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_new_version_that_traps_is_swapped_back_and_not_tried_again() {
    let mut scene = Scene::with(Some(hostile())).await;
    put(scene.path(), "echo.wasm", &version(b'6'));
    scene.loaded().await;
    assert_eq!(scene.slot.status().state, SlotState::OnTrial);
    for _ in 0..2 {
        assert!(matches!(
            scene.slot.current().unwrap().receive().await,
            Err(CallError::Trap { .. })
        ));
    }
    scene.event(|event| matches!(event, PluginEvent::SwapBack { .. })).await;
    assert_eq!(scene.version(), "1.0.0-fixture");
    scene.slot.current().unwrap().receive().await.unwrap().unwrap();
    scene.slot.look_closely().await;
    assert_eq!(scene.version(), "1.0.0-fixture");
    assert!(
        scene
            .slot
            .status()
            .refused
            .unwrap()
            .reason
            .contains("failed its first calls")
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_new_version_proves_itself_and_the_old_one_is_let_go() {
    let mut scene = Scene::with(Some(hostile())).await;
    let old = Arc::downgrade(&scene.slot.current().unwrap());
    put(scene.path(), "echo.wasm", &version(b'2'));
    scene.loaded().await;
    assert!(old.upgrade().is_some());
    for _ in 0..5 {
        scene.slot.current().unwrap().receive().await.unwrap().unwrap();
    }
    scene.event(|event| matches!(event, PluginEvent::Proven { .. })).await;
    assert!(old.upgrade().is_none());
    assert_eq!(scene.slot.status().state, SlotState::Active);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn calls_that_never_ran_prove_nothing() {
    let mut scene = Scene::with(Some(hostile())).await;
    let mut spec = spec(&House::new(json!({"behaviour": "loop"})));
    spec.limits.concurrency = 1;
    spec.limits.queue_time = Duration::from_millis(10);
    scene.slot.reconfigure(spec).await;
    scene.loaded().await;
    let plugin = scene.slot.current().unwrap();
    let running = tokio::spawn({
        let plugin = plugin.clone();
        async move { plugin.receive().await }
    });
    tokio::time::sleep(Duration::from_millis(100)).await;
    for _ in 0..settings().trial_calls {
        assert!(matches!(plugin.receive().await, Err(CallError::Busy { .. })));
    }
    assert_eq!(scene.slot.status().state, SlotState::OnTrial);
    running.abort();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_plugin_that_traps_again_and_again_is_paused_and_tried_again() {
    let mut scene = Scene::with(Some(&version(b'6'))).await;
    for _ in 0..3 {
        scene.slot.current().unwrap().receive().await.unwrap_err();
    }
    scene.event(|event| matches!(event, PluginEvent::Paused { .. })).await;
    match scene.slot.current() {
        Err(Unavailable::Paused { reason, .. }) => assert!(reason.contains("trapped"), "{reason}"),
        other => panic!("{other:?}"),
    }
    assert!(matches!(scene.slot.status().state, SlotState::Paused(_)));
    tokio::time::sleep(Duration::from_millis(350)).await;
    scene.slot.current().unwrap().receive().await.unwrap_err();
    match scene.event(|event| matches!(event, PluginEvent::Paused { .. })).await {
        PluginEvent::Paused { pause, .. } => assert_eq!(pause, Duration::from_millis(600)),
        other => panic!("{other:?}"),
    }
    put(scene.path(), "echo.wasm", hostile());
    scene.loaded().await;
    scene.slot.current().unwrap().receive().await.unwrap().unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn after_a_restart_with_a_bad_file_the_last_good_version_runs() {
    let home = tempfile::tempdir().unwrap();
    let cache = tempfile::tempdir().unwrap();
    put(home.path(), "echo.wasm", hostile());
    let house = House::new(json!({}));
    {
        let folder = PluginFolder::open(home.path(), Arc::new(fresh_loader(cache.path())), settings()).unwrap();
        let slot = folder.add(spec(&house), "echo.wasm").await;
        for _ in 0..5 {
            slot.current().unwrap().receive().await.unwrap().unwrap();
        }
    }
    put(home.path(), "echo.wasm", b"rubbish");
    let folder = PluginFolder::open(home.path(), Arc::new(fresh_loader(cache.path())), settings()).unwrap();
    let slot = folder.add(spec(&house), "echo.wasm").await;
    slot.current().unwrap().receive().await.unwrap().unwrap();
    assert!(
        slot.status()
            .refused
            .unwrap()
            .reason
            .contains("not a WebAssembly component")
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn changed_settings_are_taken_into_use_without_a_changed_file() {
    let mut scene = Scene::with(Some(hostile())).await;
    let spec = PluginSpec {
        ..spec(&House::new(json!({"behaviour": "state"})))
    };
    scene.slot.reconfigure(spec).await;
    scene.loaded().await;
    assert_eq!(
        scene.slot.current().unwrap().receive().await.unwrap().unwrap().handled,
        42
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn files_that_nobody_configured_are_listed() {
    let scene = Scene::with(Some(hostile())).await;
    let other = put(scene.path(), "other.wasm", b"whatever");
    assert_eq!(scene.folder.unclaimed(), [other]);
    scene.folder.remove("echo");
    assert_eq!(scene.folder.unclaimed().len(), 2);
    drop(loader());
}
