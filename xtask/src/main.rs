//! `cargo xtask …`: everything that one does with this checkout, set-up included.
#![forbid(unsafe_code)]

mod plugins;
mod run;
mod setup;

use std::path::{self, PathBuf};
use std::process;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use run::{cargo, step, target};

/// Tells tests, demo and benches which program to run, so that they need not build it.
const PROGRAM: &str = "BUDSTIKKE_PROGRAM";

#[derive(Parser)]
#[command(name = "cargo xtask", arg_required_else_help = true)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Builds everything and shows the main job: an arkivmelding travels between two organisations.
    Demo {
        /// Ends by itself: exit 0 when all of it happened, 1 with the reason otherwise.
        #[arg(long)]
        once: bool,
        /// Leaves the sent files and the popped asic.zip in this folder.
        #[arg(long)]
        keep: Option<PathBuf>,
    },
    /// Builds everything and runs every test.
    Test,
    /// Builds the plugins as components into dist/plugins.
    Plugins,
    /// Measures and prints the figures of docs/performance.md.
    Bench {
        /// Only these: call, large, throughput, start.
        names: Vec<String>,
    },
    /// Format, lints and licences, without tests.
    Lint,
}

fn main() -> ExitCode {
    let done = match Arguments::parse().command {
        Command::Demo { once, keep } => demo(once, keep),
        Command::Test => test(),
        Command::Plugins => plugins::build().map(drop),
        Command::Bench { names } => bench(&names),
        Command::Lint => lint(),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("cargo xtask: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn demo(once: bool, keep: Option<PathBuf>) -> anyhow::Result<()> {
    setup::prepare(&setup::DEMO)?;
    plugins::build()?;
    step("building the program (the first time takes some minutes)");
    run::check(cargo().args(["build", "--workspace", "--bins"]))?;
    let mut demo = built("debug", "demo");
    if once {
        demo.arg("--once");
    }
    if let Some(keep) = keep {
        demo.arg("--keep").arg(path::absolute(keep)?);
    }
    run::check(&mut demo)
}

fn test() -> anyhow::Result<()> {
    setup::prepare(&setup::TESTS)?;
    plugins::build()?;
    step("building and running every test (the first time takes some minutes)");
    run::check(
        cargo()
            .args(["test", "--workspace"])
            .env(PROGRAM, target().join("debug/budstikke")),
    )
}

fn bench(names: &[String]) -> anyhow::Result<()> {
    setup::prepare(&setup::DEMO)?;
    plugins::build()?;
    step("building for release (the first time takes many minutes)");
    run::check(cargo().args(["build", "--release", "--workspace", "--bins"]))?;
    run::check(built("release", "bench").args(names))
}

/// A program of ours that has just been built, told where the main program is.
fn built(profile: &str, name: &str) -> process::Command {
    let folder = target().join(profile);
    let mut program = process::Command::new(folder.join(name));
    program.env(PROGRAM, folder.join("budstikke")).current_dir(run::root());
    program
}

fn lint() -> anyhow::Result<()> {
    setup::prepare(&setup::LINT)?;
    step("format");
    run::check(cargo().args(["fmt", "--all", "--check"]))?;
    step("lints");
    run::check(cargo().args(["clippy", "--workspace", "--all-targets", "--", "--deny", "warnings"]))?;
    step("licences, banned crates, sources");
    run::check(cargo().args(["deny", "--all-features", "check", "bans", "licenses", "sources"]))
}
