//! Running other programs.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, bail};

/// The checkout.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// Where cargo builds to.
pub(crate) fn target() -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), |given| root().join(given))
}

/// Says what happens now.
pub(crate) fn step(what: &str) {
    eprintln!("\x1b[1m» {what}\x1b[0m");
}

/// The cargo that runs us, at the root of the checkout.
pub(crate) fn cargo() -> Command {
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.current_dir(root());
    cargo
}

/// Runs a program to its end; the error names it.
pub(crate) fn check(command: &mut Command) -> anyhow::Result<()> {
    let status = command
        .status()
        .with_context(|| format!("{} cannot be started", command.get_program().display()))?;
    if !status.success() {
        bail!(
            "{} {} ended with {status}",
            command.get_program().display(),
            arguments(command)
        );
    }
    Ok(())
}

/// True when a program is there and says that it is well.
pub(crate) fn works(program: impl AsRef<OsStr>, argument: &str) -> bool {
    Command::new(program)
        .arg(argument)
        .output()
        .is_ok_and(|output| output.status.success())
}

fn arguments(command: &Command) -> String {
    command
        .get_args()
        .map(|argument| argument.display().to_string())
        .collect::<Vec<_>>()
        .join(" ")
}
