//! The readers of foreign bytes under libFuzzer. docs/testing.md tells of it.

use std::fmt;
use std::fs;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use anyhow::{Context as _, bail, ensure};

use crate::run::{cargo, check, root, step, target};

/// Seconds for each target in `cargo xtask test`.
const SHORT: u64 = 4;
/// Longest input, bytes.
const LONGEST: u64 = 16 * 1024;
/// An input that takes longer counts as a crash, seconds.
const SLOW: u64 = 20;
/// Memory of the whole process, MiB. What an input may take is bounded much closer by the targets themselves.
const MEMORY: u64 = 2048;

/// Runs some targets, or all of them, for so many minutes each.
pub(crate) fn long(names: &[String], minutes: u64) -> anyhow::Result<()> {
    let all = targets()?;
    let unknown = names.iter().find(|name| !all.contains(name));
    ensure!(
        unknown.is_none(),
        "there is no target {}; there are {}",
        unknown.map_or("", String::as_str),
        all.join(", ")
    );
    let chosen = if names.is_empty() { &all } else { names };
    run(chosen, minutes.saturating_mul(60))
}

/// Runs every target for a little.
pub(crate) fn short() -> anyhow::Result<()> {
    run(&targets()?, SHORT)
}

/// Every target has a folder of seeds.
fn targets() -> anyhow::Result<Vec<String>> {
    let seeds = root().join("tests/fuzz/seeds");
    let mut names = Vec::new();
    for entry in fs::read_dir(&seeds).with_context(|| seeds.display().to_string())? {
        names.push(entry?.file_name().to_string_lossy().into_owned());
    }
    names.sort();
    Ok(names)
}

fn run(names: &[String], seconds: u64) -> anyhow::Result<()> {
    step("building the fuzz targets");
    check(
        cargo()
            .args([
                "build",
                "--workspace",
                "--features",
                "budstikke-fuzz/libfuzzer",
                "--bin",
                "fuzz",
            ])
            .arg("--config")
            .arg("tests/fuzz/instrumented.toml")
            .env(
                "RUSTC_WORKSPACE_WRAPPER",
                fs::canonicalize(root().join("tests/fuzz/instrumented"))?,
            ),
    )?;
    let mut outcomes = Vec::new();
    for (number, name) in names.iter().enumerate() {
        step(&format!(
            "fuzzing {name} for {seconds} s ({} of {})",
            number + 1,
            names.len()
        ));
        let outcome = one(name, seconds)?;
        eprintln!("{outcome}");
        outcomes.push(outcome);
    }
    println!(
        "{:<14} {:>12} {:>9} {:>8} {:>7}",
        "target", "executions", "coverage", "corpus", "crashes"
    );
    for outcome in &outcomes {
        println!("{outcome}");
    }
    let crashes: Vec<String> = outcomes.iter().flat_map(Outcome::how_to_repeat).collect();
    if crashes.is_empty() {
        return Ok(());
    }
    bail!(
        "an input broke what its target promises. Repeat it with:\n{}\nPut the file into tests/fuzz/seeds/ once it is mended.",
        crashes.join("\n")
    )
}

/// What came of one target.
struct Outcome {
    name: String,
    executions: String,
    /// Edges of our code that were reached.
    coverage: String,
    /// Inputs that reach something of their own.
    corpus: usize,
    crashes: Vec<PathBuf>,
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{:<14} {:>12} {:>9} {:>8} {:>7}",
            self.name,
            self.executions,
            self.coverage,
            self.corpus,
            self.crashes.len()
        )
    }
}

impl Outcome {
    fn how_to_repeat(&self) -> Vec<String> {
        let fuzz = program();
        let line = |crash: &PathBuf| format!("{VARIABLE}={} {} {}", self.name, fuzz.display(), crash.display());
        self.crashes.iter().map(line).collect()
    }
}

/// Tells the program which target to run.
const VARIABLE: &str = "BUDSTIKKE_FUZZ_TARGET";

fn program() -> PathBuf {
    target().join("debug/fuzz")
}

/// Runs a target on its corpus and its seeds until the time is up or an input breaks it.
fn one(name: &str, seconds: u64) -> anyhow::Result<Outcome> {
    let folder = target().join("fuzz").join(name);
    let (corpus, found) = (folder.join("corpus"), folder.join("crashes"));
    fs::create_dir_all(&corpus)?;
    // libFuzzer names a file by its content: one of an earlier run would hide the same fault.
    if found.exists() {
        fs::remove_dir_all(&found)?;
    }
    fs::create_dir_all(&found)?;
    let log = folder.join("log.txt");
    let status = Command::new(program())
        .args([
            format!("-max_total_time={seconds}"),
            format!("-max_len={LONGEST}"),
            format!("-timeout={SLOW}"),
            format!("-rss_limit_mb={MEMORY}"),
            format!("-artifact_prefix={}/", found.display()),
            "-print_final_stats=1".to_owned(),
        ])
        .arg(&corpus)
        .arg(root().join("tests/fuzz/seeds").join(name))
        .env(VARIABLE, name)
        .stdout(Stdio::null())
        .stderr(fs::File::create(&log)?)
        .status()
        .with_context(|| program().display().to_string())?;
    let crashes = files(&found)?;
    let text = String::from_utf8_lossy(&fs::read(&log)?).into_owned();
    if !status.success() && crashes.is_empty() {
        bail!(
            "the target {name} ended with {status} and left no input; see {}",
            log.display()
        );
    }
    Ok(Outcome {
        name: name.to_owned(),
        executions: word_after(&text, "stat::number_of_executed_units:"),
        coverage: word_after(&text, " cov:"),
        corpus: files(&corpus)?.len(),
        crashes,
    })
}

fn files(folder: &PathBuf) -> anyhow::Result<Vec<PathBuf>> {
    fs::read_dir(folder)?.map(|entry| Ok(entry?.path())).collect()
}

/// The word behind the last mark, `?` when there is none.
fn word_after(text: &str, mark: &str) -> String {
    let word = text
        .rsplit_once(mark)
        .and_then(|(_, rest)| rest.split_whitespace().next());
    word.unwrap_or("?").to_owned()
}
