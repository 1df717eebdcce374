//! What the figures were measured on, and what a process has used of it.

use std::io::Write as _;
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{RSA_PKCS1_SHA256, RsaKeyPair};

/// Ticks of `/proc/PID/stat` in a second; Linux shows 100 whatever its own clock does.
const TICKS: f64 = 100.0;

/// How long each look at the machine's pace takes.
const LOOK: Duration = Duration::from_millis(500);

/// The machine in two lines: what it is, and how fast it is today. Processors that are shared with others are not the same each day.
pub(crate) fn print() -> anyhow::Result<()> {
    let cores = std::thread::available_parallelism().map_or(0, std::num::NonZero::get);
    let memory = field("/proc/meminfo", "MemTotal")
        .and_then(|text| kib(&text))
        .unwrap_or(0)
        >> 20;
    let model = field("/proc/cpuinfo", "model name").unwrap_or_else(|| "unknown processor".into());
    let kernel = read("/proc/sys/kernel/osrelease");
    let rustc = Command::new("rustc").arg("--version").output();
    let rustc = rustc.map_or_else(
        |_| "rustc unknown".into(),
        |answer| String::from_utf8_lossy(&answer.stdout).into_owned(),
    );
    println!(
        "{cores} cores, {model}, {memory} GiB, Linux {}, {}",
        kernel.trim(),
        rustc.trim()
    );
    println!(
        "one core signs {:.0} times a second (RSA 2048), a file is synced {:.0} times a second",
        signatures()?,
        syncs()?
    );
    Ok(())
}

/// Each second, on one core.
fn signatures() -> anyhow::Result<f64> {
    let failed = |_| anyhow::anyhow!("a signature cannot be made");
    let key = RsaKeyPair::generate(KeySize::Rsa2048).map_err(failed)?;
    let random = SystemRandom::new();
    let mut signature = vec![0; key.public_modulus_len()];
    pace(|| {
        key.sign(&RSA_PKCS1_SHA256, &random, b"budstikke", &mut signature)
            .map_err(failed)
    })
}

/// Each second, of a page in the folder of temporary files.
fn syncs() -> anyhow::Result<f64> {
    let mut file = tempfile::tempfile()?;
    pace(|| {
        file.write_all(&[0; 4096])?;
        Ok(file.sync_data()?)
    })
}

fn pace(mut work: impl FnMut() -> anyhow::Result<()>) -> anyhow::Result<f64> {
    let (begun, mut done) = (Instant::now(), 0_u32);
    while begun.elapsed() < LOOK {
        work()?;
        done += 1;
    }
    Ok(f64::from(done) / begun.elapsed().as_secs_f64())
}

/// The most memory that a process has had resident, MiB.
pub(crate) fn peak_mib(pid: u32) -> anyhow::Result<f64> {
    memory_mib(pid, "VmHWM")
}

/// The memory that a process has resident now, MiB.
pub(crate) fn resident_mib(pid: u32) -> anyhow::Result<f64> {
    memory_mib(pid, "VmRSS")
}

fn memory_mib(pid: u32, name: &str) -> anyhow::Result<f64> {
    let line = field(&format!("/proc/{pid}/status"), name).context("the process is gone")?;
    let kib = kib(&line).with_context(|| format!("{name} is no number"))?;
    Ok(f64::from(u32::try_from(kib)?) / 1024.0)
}

/// Seconds of processor time that a process has used, kernel included.
pub(crate) fn cpu_seconds(pid: u32) -> anyhow::Result<f64> {
    let stat = read(&format!("/proc/{pid}/stat"));
    // The name in parentheses may hold anything; user and system time are the 12th and 13th field after it.
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
    let ticks = |index: usize| fields.get(index).and_then(|text| text.parse::<u32>().ok());
    let (user, system) = ticks(11).zip(ticks(12)).context("the process is gone")?;
    Ok((f64::from(user) + f64::from(system)) / TICKS)
}

fn kib(text: &str) -> Option<u64> {
    text.trim().trim_end_matches(" kB").parse().ok()
}

fn field(path: &str, name: &str) -> Option<String> {
    let text = read(path);
    let line = text.lines().find(|line| line.starts_with(name))?;
    Some(line.split_once(':')?.1.trim().to_owned())
}

fn read(path: &str) -> String {
    std::fs::read_to_string(path).unwrap_or_default()
}
