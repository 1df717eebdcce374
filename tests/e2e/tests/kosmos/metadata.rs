//! The attacks of `anchors`, on signed metadata that python-tuf made.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use budstikke_e2e::python;
use budstikke_kosmos::config::{Download, Repository};
use budstikke_kosmos::trust::tuf::Releases;
use serde_json::{Value, json};

use crate::publisher::{Fault, Publisher};

/// Repositories, step by step.
pub(crate) struct Repositories {
    pub(crate) folder: tempfile::TempDir,
}

impl Repositories {
    /// `files`: name and content; `steps` as the script has them.
    pub(crate) fn new(files: &[(&str, &[u8])], steps: &Value) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let input = folder.path().join("files");
        std::fs::create_dir_all(&input).unwrap();
        for (name, content) in files {
            std::fs::write(input.join(name), content).unwrap();
        }
        let asked = json!({ "out": folder.path().join("out"), "files": input, "steps": steps });
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("python/tuf_repository.py");
        let mut child = Command::new(python("python3").unwrap())
            .arg(script)
            .stdin(Stdio::piped())
            .spawn()
            .unwrap();
        std::fs::create_dir_all(folder.path().join("out")).unwrap();
        child
            .stdin
            .take()
            .unwrap()
            .write_all(asked.to_string().as_bytes())
            .unwrap();
        assert!(child.wait().unwrap().success());
        Self { folder }
    }

    pub(crate) fn step(&self, name: &str) -> PathBuf {
        self.folder.path().join("out").join(name)
    }

    pub(crate) fn root(&self) -> PathBuf {
        self.folder.path().join("out/root.json")
    }
}

struct Attacked {
    repositories: Repositories,
    publisher: Publisher,
    state: tempfile::TempDir,
}

fn listed(version: &str) -> Value {
    json!({ format!("budstikke-{version}"): { "file": version, "custom": { "version": version, "schema": 3, "released": "2026-11-01T00:00:00Z" } } })
}

impl Attacked {
    async fn new(steps: &Value) -> Self {
        let files: &[(&str, &[u8])] = &[("1.0.0", b"one"), ("2.0.0", b"two, which is longer")];
        Self {
            repositories: Repositories::new(files, steps),
            publisher: Publisher::start().await,
            state: tempfile::tempdir().unwrap(),
        }
    }

    fn releases(&self) -> Releases {
        let repository = Repository {
            root: self.repositories.root(),
            metadata_url: format!("{}/metadata/", self.publisher.url()),
            targets_url: format!("{}/targets/", self.publisher.url()),
            versions: "versions.yml".into(),
        };
        let limits = Download {
            silence_time: Duration::from_millis(500),
            size: 1 << 20,
            ..Download::default()
        };
        Releases::new(&repository, &limits, self.state.path()).unwrap()
    }

    async fn newest(&self, step: &str) -> Result<(), String> {
        self.publisher.serve(self.repositories.step(step));
        self.releases()
            .newest()
            .await
            .map(drop)
            .map_err(|error| error.to_string())
    }

    async fn fetch(&self, version: &str) -> Result<Vec<u8>, String> {
        let releases = self.releases();
        let newest = releases.newest().await.map_err(|error| error.to_string())?;
        let place = self.state.path().join("fetched");
        let file = newest
            .fetch(&format!("budstikke-{version}"), &place, releases.limits(), &|_, _| {})
            .await;
        let file = file.map_err(|error| error.to_string())?;
        Ok(std::fs::read(file.path()).unwrap())
    }
}

#[tokio::test]
async fn good_metadata_are_taken_and_what_they_list_is_fetched() {
    let scene = Attacked::new(
        &json!([{ "name": "one", "targets": listed("1.0.0") }, { "name": "two", "targets": listed("2.0.0") }]),
    )
    .await;
    scene.newest("one").await.unwrap();
    assert_eq!(scene.fetch("1.0.0").await, Ok(b"one".to_vec()));
    scene.newest("two").await.unwrap();
    assert_eq!(scene.fetch("2.0.0").await, Ok(b"two, which is longer".to_vec()));
    let listed = scene.releases().kept("budstikke-2.0.0", None).unwrap();
    assert_eq!(
        (listed.version.as_deref(), listed.schema, listed.length),
        (Some("2.0.0"), Some(3), 20)
    );
    assert_eq!(listed.released, Some(1_793_491_200));
    assert!(scene.releases().kept("budstikke-9.0.0", None).is_err());
}

#[tokio::test]
async fn a_wrong_key() {
    for role in ["targets", "snapshot", "timestamp"] {
        let scene =
            Attacked::new(&json!([{ "name": "one", "targets": listed("1.0.0") }, { "name": "forged", "forge": role }]))
                .await;
        scene.newest("one").await.unwrap();
        let told = scene.newest("forged").await.unwrap_err();
        assert!(told.contains("the signed metadata are refused"), "{role}: {told}");
    }
}

#[tokio::test]
async fn expired_and_frozen() {
    for role in ["targets", "snapshot", "timestamp", "root"] {
        let scene =
            Attacked::new(&json!([{ "name": "old", "targets": listed("1.0.0"), "expires": { role: -60 } }])).await;
        let told = scene.newest("old").await.unwrap_err();
        assert!(told.contains("expired") || told.contains("xpired"), "{role}: {told}");
    }
}

#[tokio::test]
async fn rolled_back_mixed_and_replayed() {
    let scene = Attacked::new(&json!([
        { "name": "one", "targets": listed("1.0.0") },
        { "name": "two", "targets": listed("2.0.0") },
        { "name": "mixed", "keep": { "targets": "one" } },
        { "name": "half", "keep": { "snapshot": "one", "targets": "one" } },
    ]))
    .await;
    scene.newest("two").await.unwrap();
    scene.newest("one").await.unwrap_err();
    scene.newest("mixed").await.unwrap_err();
    scene.newest("half").await.unwrap_err();
    assert!(
        scene.releases().kept("budstikke-2.0.0", None).is_ok(),
        "what was good before is good still"
    );
}

#[tokio::test]
async fn a_key_that_was_taken_back() {
    let scene = Attacked::new(&json!([
        { "name": "one", "targets": listed("1.0.0") },
        { "name": "revoked", "revoke": true, "targets": listed("2.0.0") },
        { "name": "thief", "old_keys": true },
        { "name": "hidden", "old_keys": true, "roots": 1 },
    ]))
    .await;
    scene.newest("one").await.unwrap();
    assert!(scene.releases().kept("budstikke-1.0.0", None).is_ok());
    scene.newest("revoked").await.unwrap();
    scene.newest("thief").await.unwrap_err();
    // A server that hides the new root gains nothing: the last one that was trusted is where we begin.
    scene.newest("hidden").await.unwrap_err();
    // Nor does a file whose list was signed by the lost key, kept beside it.
    let beside = scene.state.path().join("beside.json");
    std::fs::copy(scene.repositories.step("one").join("metadata/1.targets.json"), &beside).unwrap();
    std::fs::remove_file(scene.state.path().join("trusted/targets.json")).unwrap();
    assert!(scene.releases().kept("budstikke-1.0.0", Some(&beside)).is_err());
}

#[tokio::test]
async fn endless_cut_off_slow_and_silent() {
    let scene = Attacked::new(&json!([{ "name": "one", "targets": listed("2.0.0") }])).await;
    for end in ["timestamp.json", "snapshot.json", "targets.json", "budstikke-2.0.0"] {
        for fault in [Fault::Endless, Fault::Truncated, Fault::Silent, Fault::Status(500)] {
            scene.publisher.serve(scene.repositories.step("one"));
            scene.publisher.fault(end, Some(fault));
            assert!(scene.fetch("2.0.0").await.is_err(), "{end}: {fault:?}");
            scene.publisher.fault(end, None);
        }
    }
    assert!(scene.fetch("2.0.0").await.is_ok());
    assert_eq!(
        std::fs::read_dir(scene.state.path()).unwrap().count(),
        1,
        "only what is trusted"
    );
}

#[tokio::test]
async fn another_content_under_a_listed_name() {
    let scene = Attacked::new(&json!([{ "name": "one", "targets": listed("2.0.0") }])).await;
    let targets = scene.repositories.step("one").join("targets");
    let file = std::fs::read_dir(&targets).unwrap().next().unwrap().unwrap().path();
    std::fs::write(&file, &b"evil, which is as long"[..20]).unwrap();
    scene.publisher.serve(scene.repositories.step("one"));
    let told = scene.fetch("2.0.0").await.unwrap_err();
    assert!(told.contains("budstikke-2.0.0"), "{told}");
    assert!(
        scene
            .fetch("3.0.0")
            .await
            .unwrap_err()
            .contains("is not in the signed metadata")
    );
}

#[tokio::test]
async fn a_clock_that_was_set_back() {
    let scene = Attacked::new(&json!([{ "name": "one", "targets": listed("1.0.0") }, { "name": "two" }])).await;
    scene.newest("one").await.unwrap();
    std::fs::write(
        scene.state.path().join("trusted/latest_known_time.json"),
        "\"2099-01-01T00:00:00Z\"",
    )
    .unwrap();
    let told = scene.newest("two").await.unwrap_err();
    assert!(told.to_lowercase().contains("time"), "{told}");
    assert!(
        scene.releases().kept("budstikke-1.0.0", None).is_ok(),
        "what was verified can be started"
    );
}

#[tokio::test]
async fn a_full_disk() {
    let scene = Attacked::new(&json!([{ "name": "one", "targets": listed("2.0.0") }])).await;
    scene.newest("one").await.unwrap();
    let small = scene.state.path().join("small");
    std::fs::create_dir_all(&small).unwrap();
    let mounted = Command::new("mount")
        .args(["-t", "tmpfs", "-o", "size=4k", "tmpfs"])
        .arg(&small)
        .output();
    if !mounted.is_ok_and(|output| output.status.success()) {
        eprintln!("no right to mount a file system: the scene was not played");
        return;
    }
    std::fs::write(small.join("filler"), vec![0; 4096]).unwrap();
    let releases = scene.releases();
    let newest = releases.newest().await.unwrap();
    let told = newest
        .fetch("budstikke-2.0.0", &small.join("x"), releases.limits(), &|_, _| {})
        .await
        .unwrap_err()
        .to_string();
    drop(newest);
    assert!(
        Command::new("umount")
            .arg("--lazy")
            .arg(&small)
            .status()
            .unwrap()
            .success()
    );
    assert!(told.contains("cannot be written"), "{told}");
    assert!(
        scene.releases().kept("budstikke-2.0.0", None).is_ok(),
        "what was verified can be started"
    );
}
