//! `cargo xtask …`: everything that one does with this checkout, set-up included.
#![forbid(unsafe_code)]

mod fuzz;
mod plugins;
mod python;
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
    /// Builds everything and runs every test, and every fuzz target for a few seconds.
    Test,
    /// Lets schemathesis look for what the API does and its description does not say.
    Schemathesis {
        /// Requests that are made up for each operation.
        #[arg(long, default_value_t = 500)]
        examples: u32,
        /// Where the made-up values start from.
        #[arg(long, default_value_t = 1)]
        seed: u32,
    },
    /// Feeds the readers of foreign bytes with what libFuzzer thinks of.
    Fuzz {
        /// Only these targets; their names are those of the folders in tests/fuzz/seeds.
        names: Vec<String>,
        /// For each target.
        #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u64).range(1..=1440))]
        minutes: u64,
    },
    /// Kills, cuts and freezes while messages go both ways; ends with 1 when anything was lost, doubled or told wrongly.
    Chaos {
        /// Of faults, on each ground.
        #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u64).range(1..=10_080))]
        minutes: u64,
        /// sqlite, postgres, or both one after the other.
        #[arg(long, default_value = "both", value_parser = ["sqlite", "postgres", "both"])]
        ground: String,
        /// Repeats the choices of an earlier run.
        #[arg(long)]
        seed: Option<u64>,
    },
    /// Builds the plugins as components into dist/plugins.
    Plugins,
    /// Measures and prints the figures of docs/performance.md.
    Bench {
        /// Names of some, and `--on sqlite` or `--on postgres`. docs/performance.md lists them.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<String>,
    },
    /// Format, lints and licences, without tests.
    Lint,
}

fn main() -> ExitCode {
    let done = match Arguments::parse().command {
        Command::Demo { once, keep } => demo(once, keep),
        Command::Test => test(),
        Command::Schemathesis { examples, seed } => schemathesis(examples, seed),
        Command::Fuzz { names, minutes } => fuzz(&names, minutes),
        Command::Chaos { minutes, ground, seed } => chaos(minutes, &ground, seed),
        Command::Plugins => plugins::build().map(drop),
        Command::Bench { arguments } => bench(&arguments),
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
    setup::prepare(&setup::FUZZ)?;
    python::prepare()?;
    plugins::build()?;
    step("building and running every test (the first time takes some minutes)");
    run::check(
        cargo()
            .args(["test", "--workspace"])
            .env(PROGRAM, target().join("debug/budstikke")),
    )?;
    fuzz::short()
}

fn fuzz(names: &[String], minutes: u64) -> anyhow::Result<()> {
    setup::prepare(&setup::FUZZ)?;
    fuzz::long(names, minutes)
}

fn chaos(minutes: u64, ground: &str, seed: Option<u64>) -> anyhow::Result<()> {
    setup::prepare(&setup::DEMO)?;
    plugins::build()?;
    step("building the program (the first time takes some minutes)");
    run::check(cargo().args(["build", "--workspace", "--bins"]))?;
    let mut chaos = built("debug", "chaos");
    chaos.args(["--minutes", &minutes.to_string(), "--ground", ground]);
    if let Some(seed) = seed {
        chaos.args(["--seed", &seed.to_string()]);
    }
    run::check(&mut chaos)
}

fn schemathesis(examples: u32, seed: u32) -> anyhow::Result<()> {
    setup::prepare(&setup::TESTS)?;
    python::prepare()?;
    plugins::build()?;
    step("building the program and running schemathesis");
    // The whole workspace is selected, so that dependencies are built once with the same features.
    run::check(cargo().args(["build", "--workspace", "--bin", "budstikke"]))?;
    run::check(
        cargo()
            .args([
                "test",
                "--workspace",
                "--test",
                "description",
                "schemathesis",
                "--",
                "--nocapture",
            ])
            .env(PROGRAM, target().join("debug/budstikke"))
            .env("BUDSTIKKE_EXAMPLES", examples.to_string())
            .env("BUDSTIKKE_SEED", seed.to_string()),
    )
}

fn bench(arguments: &[String]) -> anyhow::Result<()> {
    setup::prepare(&setup::DEMO)?;
    plugins::build()?;
    step("building for release (the first time takes many minutes)");
    run::check(cargo().args(["build", "--release", "--workspace", "--bins"]))?;
    run::check(built("release", "bench").args(arguments))
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
