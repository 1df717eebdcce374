//! A Python of our own, with the packages that scenes run: a virtual environment in the target folder.

use std::process::Command;

use anyhow::Context as _;

use crate::run::{check, root, step, target, works};

/// Makes it, when it is not there or not of the present list of packages.
pub(crate) fn prepare() -> anyhow::Result<()> {
    let folder = target().join("python");
    let list = root().join("tests/e2e/python/requirements.txt");
    let wanted = std::fs::read(&list).with_context(|| list.display().to_string())?;
    // Written last, so that an interrupted installation begins anew.
    let installed = folder.join("requirements.txt");
    let runs = || works(folder.join("bin/schemathesis"), "--version");
    if std::fs::read(&installed).is_ok_and(|present| present == wanted) && runs() {
        return Ok(());
    }
    step("installing schemathesis and openapi-spec-validator");
    check(Command::new("python3").args(["-m", "venv", "--clear"]).arg(&folder))?;
    check(
        Command::new(folder.join("bin/pip"))
            .args([
                "install",
                "--quiet",
                "--disable-pip-version-check",
                "--require-hashes",
                "--requirement",
            ])
            .arg(&list),
    )?;
    Ok(std::fs::write(installed, wanted)?)
}
