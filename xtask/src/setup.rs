//! What a step needs besides Rust: installs it where it can, or says in one line what to install.

use std::process::Command;

use anyhow::bail;

use crate::run::{cargo, check, step, works};

/// A program that a step calls.
pub(crate) struct Need {
    program: &'static str,
    /// Makes the program say that it is well.
    probe: &'static str,
    from: From,
}

enum From {
    /// A Debian package.
    Debian(&'static str),
    /// A crate, built by cargo.
    Crate(&'static str),
}

const fn debian(program: &'static str, probe: &'static str, package: &'static str) -> Need {
    Need {
        program,
        probe,
        from: From::Debian(package),
    }
}

/// The demo and the benches make keys with openssl.
pub(crate) const DEMO: [Need; 3] = [
    debian("cc", "--version", "gcc"),
    debian("make", "--version", "make"),
    debian("openssl", "version", "openssl"),
];

/// The referees of the tests.
pub(crate) const TESTS: [Need; 12] = [
    debian("cc", "--version", "gcc"),
    debian("make", "--version", "make"),
    debian("openssl", "version", "openssl"),
    debian("unzip", "-v", "unzip"),
    debian(
        "python3",
        "-cimport sys; sys.exit(sys.version_info < (3, 11))",
        "python3",
    ),
    debian("python3", "-cimport ensurepip, venv", "python3-venv"),
    debian(
        "node",
        "--eval=process.exit(Number(parseInt(process.versions.node) < 18))",
        "nodejs",
    ),
    debian("curl", "--version", "curl"),
    debian("xmllint", "--version", "libxml2-utils"),
    debian("jq", "--version", "jq"),
    debian("faketime", "--version", "faketime"),
    debian("gpg", "--version", "gnupg"),
];

/// libFuzzer is C++.
pub(crate) const FUZZ: [Need; 2] = [debian("cc", "--version", "gcc"), debian("c++", "--version", "g++")];

pub(crate) const LINT: [Need; 1] = [Need {
    program: "cargo-deny",
    probe: "--version",
    from: From::Crate("cargo-deny"),
}];

/// Installs what is missing.
pub(crate) fn prepare(needs: &[Need]) -> anyhow::Result<()> {
    for need in needs.iter().filter(|need| !works(need.program, need.probe)) {
        match need.from {
            From::Debian(package) => install(need.program, package)?,
            From::Crate(name) => {
                step(&format!("installing {name}"));
                check(cargo().args(["install", "--locked", name]))?;
            }
        }
        if !works(need.program, need.probe) {
            bail!("{} was installed but does not run, or is too old", need.program);
        }
    }
    Ok(())
}

fn install(program: &str, package: &str) -> anyhow::Result<()> {
    let root = Command::new("id")
        .arg("-u")
        .output()
        .is_ok_and(|output| output.stdout == b"0\n");
    if !works("apt-get", "--version") || !root {
        bail!("{program} is missing or too old; install it first, on Debian: sudo apt-get install {package}");
    }
    step(&format!("installing the Debian package {package}"));
    check(Command::new("apt-get").args(["update", "--quiet"]))?;
    check(Command::new("apt-get").args(["install", "--yes", "--quiet", "--no-install-recommends", package]))
}
