//! Plugins as operators get them.

use std::path::PathBuf;

use anyhow::Context as _;
use budstikke_component_builder::build_component;

use crate::run::{root, step};

/// Folder below `plugins/` and file name of each.
const PLUGINS: [(&str, &str); 6] = [
    ("dpf", "dpf.wasm"),
    ("dpo", "dpo.wasm"),
    ("dpv", "dpv.wasm"),
    ("policy-pin", "policy-pin.wasm"),
    ("policy-standard", "policy-standard.wasm"),
    ("policy-window", "policy-window.wasm"),
];

/// Builds them all; gives the folder they are in.
pub(crate) fn build() -> anyhow::Result<PathBuf> {
    let folder = root().join("dist/plugins");
    std::fs::create_dir_all(&folder)?;
    for (package, file) in PLUGINS {
        step(&format!("building the plugin {file}"));
        let component = build_component(&root().join("plugins").join(package))?;
        let target = folder.join(file);
        std::fs::copy(&component, &target).with_context(|| target.display().to_string())?;
    }
    Ok(folder)
}
