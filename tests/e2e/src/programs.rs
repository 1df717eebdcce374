//! The program and the plugins, built once for a test run.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use anyhow::{Context as _, bail};

/// How the program is built.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Profile {
    /// With fail points.
    Debug,
    /// As operators get it.
    Release,
}

/// Where the built things are.
#[derive(Debug, Clone)]
pub struct Programs {
    /// The program `budstikke`.
    pub budstikke: PathBuf,
    /// The DPO adapter.
    pub dpo: PathBuf,
}

/// The checkout.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

impl Programs {
    /// Builds what is not up to date. The same answer for every later call of this process.
    pub fn build(profile: Profile) -> anyhow::Result<Self> {
        static BUILT: OnceLock<Result<Programs, String>> = OnceLock::new();
        BUILT
            .get_or_init(|| Self::really_build(profile).map_err(|error| format!("{error:#}")))
            .clone()
            .map_err(anyhow::Error::msg)
    }

    fn really_build(profile: Profile) -> anyhow::Result<Self> {
        let budstikke = match std::env::var_os("BUDSTIKKE_PROGRAM") {
            Some(program) => PathBuf::from(program),
            None => build_program(profile)?,
        };
        let dpo = component("dpo")?;
        Ok(Self { budstikke, dpo })
    }
}

/// The component of a plugin. Builds it when it is not up to date.
pub fn component(adapter: &str) -> anyhow::Result<PathBuf> {
    let package = root().join("plugins").join(adapter);
    Ok(budstikke_component_builder::build_component(&package)?)
}

/// A program of the Python environment that `cargo xtask test` makes in the target folder.
pub fn python(program: &str) -> anyhow::Result<PathBuf> {
    let path = target().join("python/bin").join(program);
    if !path.is_file() {
        bail!("{} is missing: cargo xtask test installs it", path.display());
    }
    Ok(path)
}

/// Where cargo builds to.
pub fn target() -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), PathBuf::from)
}

/// For those who run a test by hand; `cargo xtask` has built it already and says where it is.
fn build_program(profile: Profile) -> anyhow::Result<PathBuf> {
    let mut build = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    // The whole workspace is selected, as everywhere else, so that dependencies are built once with the same features.
    build
        .current_dir(root())
        .args(["build", "--quiet", "--workspace", "--bin", "budstikke"]);
    let folder = match profile {
        Profile::Debug => "debug",
        Profile::Release => {
            build.arg("--release");
            "release"
        }
    };
    if !build.status().context("running cargo")?.success() {
        bail!("the program could not be built");
    }
    Ok(target().join(folder).join("budstikke"))
}

/// The same component once more with other bytes, as a rebuild gives: a custom section more.
pub fn newer_build(component: &Path, target: &Path) -> anyhow::Result<PathBuf> {
    let note = b"\x07comment another build";
    let mut bytes = std::fs::read(component)?;
    bytes.push(0);
    bytes.push(u8::try_from(note.len())?);
    bytes.extend_from_slice(note);
    std::fs::write(target, bytes)?;
    Ok(target.to_owned())
}
