//! Components for the tests, and loaders to load them with.

use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use budstikke_runtime::{Compiler, Engine, Grants, Limits, Loader, Plugin, PluginSpec, PoolSettings};
use serde_json::json;

use crate::house::House;

fn built(name: &str) -> Vec<u8> {
    let package = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../tests/fixtures")
        .join(name);
    std::fs::read(budstikke_component_builder::build_component(&package).unwrap()).unwrap()
}

/// The plugin that does what its settings say.
pub(crate) fn hostile() -> &'static [u8] {
    static BYTES: OnceLock<Vec<u8>> = OnceLock::new();
    BYTES.get_or_init(|| built("hostile"))
}

/// The same with another version: `6` traps in every `receive`, `7` fails in `describe`.
pub(crate) fn version(first: u8) -> Vec<u8> {
    let mut bytes = hostile().to_vec();
    let sign = b"1.0.0-fixture";
    let places: Vec<usize> = (0..bytes.len() - sign.len())
        .filter(|at| bytes[*at..].starts_with(sign))
        .collect();
    assert_eq!(places.len(), 1, "the fixture's version must stand in one place");
    bytes[places[0]] = first;
    bytes
}

/// The plugin that imports what nobody offers.
pub(crate) fn stranger() -> &'static [u8] {
    static BYTES: OnceLock<Vec<u8>> = OnceLock::new();
    BYTES.get_or_init(|| built("stranger"))
}

/// One engine for all tests, as in the server.
pub(crate) fn engine() -> Engine {
    static ENGINE: OnceLock<Engine> = OnceLock::new();
    ENGINE
        .get_or_init(|| Engine::new(PoolSettings::default()).unwrap())
        .clone()
}

/// A loader with a cache that all tests share, so that the fixture is compiled once.
pub(crate) fn loader() -> Arc<Loader> {
    static LOADER: OnceLock<(Arc<Loader>, tempfile::TempDir)> = OnceLock::new();
    let (loader, _) = LOADER.get_or_init(|| {
        let cache = tempfile::tempdir().unwrap();
        let loader = Loader::new(engine(), cache.path(), Compiler::InProcess).unwrap();
        (Arc::new(loader), cache)
    });
    loader.clone()
}

/// A loader with an empty cache of its own.
pub(crate) fn fresh_loader(cache: &Path) -> Loader {
    Loader::new(engine(), cache, Compiler::InProcess).unwrap()
}

/// Everything granted, no HTTP host, default limits.
pub(crate) fn spec(house: &Arc<House>) -> PluginSpec {
    PluginSpec {
        name: "echo".into(),
        grants: Grants {
            interfaces: vec!["*".into()],
            tokens: vec!["altinn".into()],
            http: vec![],
        },
        limits: Limits::default(),
        services: house.clone(),
        roots: vec![],
    }
}

/// The hostile plugin with a behaviour.
pub(crate) async fn behaving(behaviour: &str) -> Plugin {
    with(json!({"behaviour": behaviour}), Limits::default()).await
}

/// The hostile plugin with settings and limits.
pub(crate) async fn with(settings: serde_json::Value, limits: Limits) -> Plugin {
    let house = House::new(settings);
    loader()
        .load_bytes(&PluginSpec { limits, ..spec(&house) }, hostile().to_vec())
        .await
        .unwrap()
}

/// Puts a component into a folder the way a careful operator does: written beside, then renamed.
pub(crate) fn put(folder: &Path, name: &str, bytes: &[u8]) -> PathBuf {
    let (fresh, file) = (folder.join(format!("{name}.part")), folder.join(name));
    std::fs::write(&fresh, bytes).unwrap();
    std::fs::rename(&fresh, &file).unwrap();
    file
}
