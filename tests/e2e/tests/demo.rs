//! The demo does what it says, and says so with its exit code.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

use std::process::Command;

#[test]
fn the_demo_ends_well_and_leaves_what_was_sent_and_popped() {
    let folder = tempfile::tempdir().unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_demo"))
        .arg("--once")
        .arg("--keep")
        .arg(folder.path())
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(
        output.status.success(),
        "{text}{}",
        String::from_utf8_lossy(&output.stderr)
    );
    for word in [
        "rule arkivmelding-registered decides",
        "registered-for-process: yes, says own data",
        "rule arkivmelding-everybody-else decides",
        "receiver-system-at-level: no, says SvarUt",
        "DPO is chosen, by the adapter dpo.",
        "OPPRETTET",
        "SENDT",
        "MOTTATT",
        "LEVERT",
        "LEST",
        "INNKOMMENDE_LEVERT",
        "All of it happened.",
    ] {
        assert!(text.contains(word), "no {word} in:\n{text}");
    }
    for file in ["arkivmelding.xml", "brev.pdf", "asic.zip"] {
        assert!(folder.path().join(file).is_file(), "{file}");
    }
    let tested = Command::new("unzip")
        .arg("-tq")
        .arg(folder.path().join("asic.zip"))
        .status()
        .unwrap();
    assert!(tested.success());
}
