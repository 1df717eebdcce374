//! A file name that is taken arrives as it was written; one that is not is refused with the reason.

use std::collections::BTreeSet;
use std::process::Command;

use budstikke_message::asic::AsicWriter;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use proptest::prelude::*;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::TestRunner;
use serde_json::json;

use super::*;

/// Reads the names of a zip with another library than ours.
const FOREIGN_READER: &str = "import json, sys, zipfile
with zipfile.ZipFile(sys.argv[1]) as container:
    print(json.dumps({entry.filename: container.read(entry).decode(errors=\"replace\") for entry in container.infolist()}))";

/// Any text, and what is near to the rules.
fn name() -> impl Strategy<Value = String> {
    prop_oneof![
        3 => any::<String>(),
        2 => "[ -~]{1,20}",
        1 => "\\PC{1,80}\\.pdf",
        1 => "[\\.]{0,3}[a-z/\\\\:]{0,3}",
        1 => "(mimetype|manifest\\.xml|META-INF|meta-inf)(/x)?",
        1 => "[a\u{85}\u{ad}\u{200e}\u{2028}\u{e000}\u{fdd0}\u{feff}\u{fffd}\u{fffe}\u{ffff}\u{1fffe}\u{10ffff}]{1,3}",
    ]
}

#[tokio::test]
async fn a_file_name_survives_the_way_or_is_refused_with_its_reason() {
    let house = House::new().await;
    let id = house.draft(sbd("avtalt", &json!({}))).await;
    let mut runner = TestRunner::default();
    let mut taken = BTreeSet::new();
    for _ in 0..300 {
        let name = name().new_tree(&mut runner).unwrap().current();
        if taken.contains(&name) {
            continue;
        }
        let encoded = utf8_percent_encode(&name, NON_ALPHANUMERIC);
        let upload = house
            .client
            .put(house.url(&format!("/api/messages/out/{id}")))
            .header("content-type", "text/plain")
            .header("content-disposition", format!("attachment; filename*=UTF-8''{encoded}"))
            .body(name.clone());
        let (status, body) = answer(upload).await;
        match status.as_u16() {
            200 => drop(taken.insert(name)),
            400 => {
                assert_eq!(
                    body["errors"][0]["field"], "Content-Disposition.filename",
                    "{name:?}: {body}"
                );
                let reason = body["errors"][0]["defaultMessage"].as_str().unwrap();
                assert!(reason.starts_with("the file name "), "{name:?}: {reason}");
            }
            other => panic!("{name:?}: {other} {body}"),
        }
    }
    assert!(taken.len() > 50, "hardly any name was taken");

    let (message, files) = house.node.store.outgoing_with_files(&id).await.unwrap().unwrap();
    let key = house.node.vault.key_of(&id, &message.sbd).unwrap();
    let mut container = AsicWriter::new(Vec::new()).unwrap();
    for file in &files {
        let mut content = house.node.vault.read(&key, &file.blob).unwrap();
        container.add(&file.filename, &file.mime, &mut content).unwrap();
    }
    let path = house.folder.path().join("asic.zip");
    std::fs::write(&path, container.finish(&OWN).unwrap()).unwrap();
    let read = Command::new("python3")
        .args(["-c", FOREIGN_READER])
        .arg(&path)
        .output()
        .unwrap();
    assert!(read.status.success(), "{}", String::from_utf8_lossy(&read.stderr));
    let found: std::collections::BTreeMap<String, String> = serde_json::from_slice(&read.stdout).unwrap();
    for name in &taken {
        assert_eq!(found.get(name), Some(name), "{name:?}");
    }
    assert_eq!(
        found.len(),
        taken.len() + 4,
        "mimetype, two manifests and a signature come on top"
    );
}
