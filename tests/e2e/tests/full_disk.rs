//! A disk that is really full: a small file system under the data folder. Needs the right to mount, which CI and root have;
//! without it the scene says so and ends.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use budstikke_e2e::{Fagsystem, File, World};

const SENDER: &str = "991825827";
const RECEIVER: &str = "910076787";

/// A file system of so many MiB, gone with the value.
struct SmallDisk(PathBuf);

impl SmallDisk {
    fn mount(at: &Path, size: u32) -> Option<Self> {
        std::fs::create_dir_all(at).unwrap();
        let options = format!("size={size}m");
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", &options, "tmpfs"])
            .arg(at)
            .output();
        mounted
            .is_ok_and(|output| output.status.success())
            .then(|| Self(at.to_owned()))
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _unmounted = Command::new("umount").arg("--lazy").arg(&self.0).status();
    }
}

#[tokio::test]
async fn a_full_disk_is_said_loses_nothing_and_is_over_when_there_is_room() {
    let world = World::new(&[SENDER, RECEIVER]).await.unwrap();
    let mut ours = world.installation(SENDER).unwrap();
    let Some(_disk) = SmallDisk::mount(&ours.folder.join("data"), 16) else {
        eprintln!("no right to mount a file system: the scene was not played");
        return;
    };
    let api = ours.start().await.unwrap();
    let id = uuid::Uuid::new_v4().to_string();
    api.create(&Fagsystem::arkivmelding(SENDER, RECEIVER, &id))
        .await
        .unwrap()
        .ok()
        .unwrap();

    let large = File::new("stor.bin", "application/pdf", vec![7; 20 << 20]);
    let refused = api.upload(&id, &large).await.unwrap();
    let body = refused.json();
    assert_eq!(refused.status.as_u16(), 507, "{body}");
    assert!(
        body["message"]
            .as_str()
            .unwrap_or_default()
            .to_lowercase()
            .contains("disk"),
        "{body}"
    );
    assert!(body["hint"].is_string(), "{body}");

    // What was half-written is gone, so there is room again, and the message goes on as if nothing had been.
    for file in File::examples().unwrap() {
        api.upload(&id, &file).await.unwrap().ok().unwrap();
    }
    api.send(&id).await.unwrap().ok().unwrap();
    let statuses = api.wait_for(&id, "SENDT", Duration::from_secs(30)).await.unwrap();
    assert_eq!(statuses, ["OPPRETTET", "SENDT"]);
    assert!(!ours.log().contains("panicked"));
}
