//! From a file to a plugin, and everything that is refused on the way.

use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use budstikke_runtime::{Compiler, Grants, LoadReason, Loader, PluginSpec};
use serde_json::json;

use crate::fixture::{engine, fresh_loader, hostile, loader, spec, stranger, version};
use crate::house::House;

async fn refusal(bytes: &[u8]) -> String {
    let house = House::new(json!({}));
    loader()
        .load_bytes(&spec(&house), bytes.to_vec())
        .await
        .unwrap_err()
        .to_string()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_no_component_is_refused_and_named() {
    for (bytes, words) in [
        (
            &b""[..],
            "plugin echo: the file is not a WebAssembly component (it is empty)",
        ),
        (
            b"#!/bin/sh",
            "plugin echo: the file is not a WebAssembly component (it is something else)",
        ),
        (b"\0asm\x01\0\0\0", "a core module; make a component of it"),
        (b"\0asm\x0d\0\x01\0broken", "not a valid component"),
    ] {
        let error = refusal(bytes).await;
        assert!(error.contains(words), "{error}");
    }
    let half = &hostile()[..hostile().len() / 2];
    assert!(refusal(half).await.contains("not a valid component"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn machine_code_is_refused() {
    let cache = tempfile::tempdir().unwrap();
    let house = House::new(json!({}));
    fresh_loader(cache.path())
        .load_bytes(&spec(&house), hostile().to_vec())
        .await
        .unwrap();
    let code = std::fs::read(code_file(cache.path())).unwrap();
    assert!(refusal(&code).await.contains("compiled machine code"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_import_that_nobody_offers_is_named_with_what_is_offered() {
    let error = refusal(stranger()).await;
    assert!(
        error.contains("`acme:gpu/compute@1.0.0`, which does not exist here"),
        "{error}"
    );
    assert!(error.contains("`budstikke:plugin/exchange`"), "{error}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_import_that_was_not_granted_is_named_with_the_line_that_grants_it() {
    let house = House::new(json!({}));
    let interfaces = [
        "documents",
        "packaging",
        "identity",
        "exchange",
        "registry",
        "queue-key",
        "http",
    ]
    .map(String::from)
    .to_vec();
    let spec = PluginSpec {
        grants: Grants {
            interfaces,
            ..Grants::default()
        },
        ..spec(&house)
    };
    let error = loader().load_bytes(&spec, hostile().to_vec()).await.unwrap_err();
    assert!(matches!(error.reason, LoadReason::Import(_)));
    assert_eq!(
        error.to_string(),
        "plugin echo: imports `budstikke:plugin/state@0.1.0`, which is not granted; to grant it, write \
         `interfaces = [\"state\"]` under `[adapters.echo.grants]`"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_plugin_whose_describe_fails_is_refused() {
    assert_eq!(
        refusal(&version(b'7')).await,
        "plugin echo: describe failed: settings: broker.url is missing"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_plugin_whose_describe_never_ends_is_refused() {
    let house = House::new(json!({"behaviour": "describe-loop"}));
    let mut spec = spec(&house);
    spec.limits.cpu_time = std::time::Duration::from_millis(100);
    let error = loader()
        .load_bytes(&spec, hostile().to_vec())
        .await
        .unwrap_err()
        .to_string();
    assert!(error.contains("describe timed out"), "{error}");
}

fn code_file(cache: &std::path::Path) -> PathBuf {
    std::fs::read_dir(cache)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .find(|path| path.extension().is_some_and(|end| end == "code"))
        .unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn compiled_code_is_kept_in_private_and_used_again() {
    let home = tempfile::tempdir().unwrap();
    let cache = home.path().join("plugins");
    let house = House::new(json!({}));
    fresh_loader(&cache)
        .load_bytes(&spec(&house), hostile().to_vec())
        .await
        .unwrap();
    let mode = |path: &std::path::Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&cache), 0o700);
    assert_eq!(mode(&cache.join("key")), 0o600);
    let code = code_file(&cache);
    let written = std::fs::metadata(&code).unwrap().modified().unwrap();
    fresh_loader(&cache)
        .load_bytes(&spec(&house), hostile().to_vec())
        .await
        .unwrap();
    assert_eq!(std::fs::metadata(&code).unwrap().modified().unwrap(), written);
}

#[test]
fn a_cache_that_others_can_write_to_is_refused() {
    let home = tempfile::tempdir().unwrap();
    let cache = home.path().join("plugins");
    let chmod = |path: &Path, mode| std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
    let open = || Loader::new(engine(), &cache, Compiler::InProcess).map(drop);
    std::fs::create_dir(&cache).unwrap();
    for mode in [0o720, 0o702, 0o777] {
        chmod(&cache, mode);
        let error = open().unwrap_err().to_string();
        assert!(
            error.contains(&format!("is open to other users (mode {mode:o})")),
            "{error}"
        );
    }
    chmod(&cache, 0o755);
    open().unwrap();
    assert_eq!(std::fs::metadata(&cache).unwrap().permissions().mode() & 0o777, 0o700);
    chmod(&cache.join("key"), 0o640);
    let error = open().unwrap_err().to_string();
    assert!(error.contains("key is open to other users (mode 640)"), "{error}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn damaged_code_or_a_foreign_key_only_means_compiling_again() {
    let cache = tempfile::tempdir().unwrap();
    let house = House::new(json!({}));
    fresh_loader(cache.path())
        .load_bytes(&spec(&house), hostile().to_vec())
        .await
        .unwrap();
    let code = code_file(cache.path());

    let good = std::fs::read(&code).unwrap();
    let mut bad = good.clone();
    let middle = bad.len() / 2;
    bad[middle] ^= 1;
    std::fs::write(&code, &bad).unwrap();
    fresh_loader(cache.path())
        .load_bytes(&spec(&house), hostile().to_vec())
        .await
        .unwrap();
    assert!(std::fs::read(&code).unwrap() != bad, "damaged code was used");

    std::fs::write(cache.path().join("key"), [9; 32]).unwrap();
    fresh_loader(cache.path())
        .load_bytes(&spec(&house), hostile().to_vec())
        .await
        .unwrap();

    std::fs::write(cache.path().join("key"), b"short").unwrap();
    std::fs::remove_file(code.with_extension("mac")).unwrap();
    fresh_loader(cache.path())
        .load_bytes(&spec(&house), hostile().to_vec())
        .await
        .unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_code_of_one_component_cannot_stand_in_for_another() {
    let cache = tempfile::tempdir().unwrap();
    let house = House::new(json!({}));
    let loader = fresh_loader(cache.path());
    loader.load_bytes(&spec(&house), hostile().to_vec()).await.unwrap();
    let first = code_file(cache.path());
    let other = loader.load_bytes(&spec(&house), version(b'2')).await.unwrap();
    let name = first.file_name().unwrap().to_str().unwrap();
    let stolen = cache.path().join(format!("{}{}", other.digest(), &name[64..]));
    std::fs::remove_file(&stolen).unwrap();
    std::fs::copy(&first, &stolen).unwrap();
    std::fs::copy(first.with_extension("mac"), stolen.with_extension("mac")).unwrap();
    let plugin = fresh_loader(cache.path())
        .load_bytes(&spec(&house), version(b'2'))
        .await
        .unwrap();
    assert_eq!(plugin.version(), "2.0.0-fixture");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_that_is_too_large_is_not_read_to_its_end() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("huge.wasm");
    std::fs::File::create(&file).unwrap().set_len(1 << 40).unwrap();
    let house = House::new(json!({}));
    let error = loader().load(&spec(&house), &file).await.unwrap_err().to_string();
    assert_eq!(error, "plugin echo: the file is larger than 64 MiB");
}

#[test]
fn the_pool_tells_its_size() {
    assert!(engine().pool_report().to_string().starts_with("plugin "));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn code_of_another_engine_is_swept_away_and_ours_stays() {
    let cache = tempfile::tempdir().unwrap();
    let house = House::new(json!({}));
    fresh_loader(cache.path())
        .load_bytes(&spec(&house), hostile().to_vec())
        .await
        .unwrap();
    let ours = code_file(cache.path());
    let foreign = cache.path().join(format!("{}-0000000000000000.code", "0".repeat(64)));
    let at_work = cache.path().join("x.fresh");
    std::fs::write(&foreign, b"code").unwrap();
    std::fs::write(&at_work, b"half").unwrap();
    fresh_loader(cache.path());
    assert!(ours.exists() && at_work.exists() && !foreign.exists());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn roots_that_are_no_certificates_are_refused() {
    let house = House::new(json!({}));
    let roots = vec![b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n".to_vec()];
    let error = loader()
        .load_bytes(&PluginSpec { roots, ..spec(&house) }, hostile().to_vec())
        .await
        .unwrap_err();
    assert!(matches!(error.reason, LoadReason::Egress(_)), "{error}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_base_that_stock_builds_import_is_there_and_empty() {
    // The fixture imports 0.2.6 of it; the host has a later one.
    let plugin = crate::fixture::behaving("look-around").await;
    assert!(
        plugin
            .imports()
            .iter()
            .any(|import| import == "wasi:cli/environment@0.2.6")
    );
    assert_eq!(plugin.receive().await.unwrap().unwrap().handled, 0);
}
