//! `budstikke backup` and `budstikke restore`

use std::fs;
use std::io::IsTerminal as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context as _;
use budstikke_store::Place;
use budstikke_store::backup::{self, About, InHand, Step};
use budstikke_store::files::StoredFiles;
use jiff::Timestamp;

use super::start;
use crate::config::{Config, Problems};

/// Copies everything into a folder; nodes may work meanwhile.
pub(super) fn make(config: &Path, to: &Path, progress: bool) -> ExitCode {
    ended(read(config).and_then(|config| {
        let (place, files) = ground(&config)?;
        let about = About {
            program: concat!("budstikke ", env!("CARGO_PKG_VERSION")).to_owned(),
            organisation: config.organisation.number.clone(),
            made: Timestamp::now().to_string(),
        };
        let made = backup::make(&place, &files.stored, to, about, &told(progress))?;
        println!(
            "{}: the database ({} bytes) and {} files ({} bytes)",
            to.display(),
            made.database,
            made.files,
            made.bytes
        );
        for (name, reason) in &made.unreadable {
            eprintln!("file {name} is named by the database and is lost: {reason}");
        }
        Ok(made.unreadable.is_empty())
    }))
}

/// Puts a backup in an empty place; nobody may work there yet.
pub(super) fn restore(config: &Path, from: &Path, resend: bool, aside: bool, progress: bool) -> ExitCode {
    ended(read(config).and_then(|config| {
        let data = &config.store.folder;
        fs::create_dir_all(data).with_context(|| data.display().to_string())?;
        let mut lock = start::lock(data)?;
        if aside {
            anyhow::ensure!(
                config.store.postgres.is_none() && config.store.bucket.is_none(),
                "--aside is for a store in a folder; what is in a server or a bucket must be moved by hand"
            );
            let old = put_aside(data)?;
            println!("{}: what was here before", old.display());
            fs::create_dir_all(data).with_context(|| data.display().to_string())?;
            lock = start::lock(data)?;
        }
        let _lock = lock;
        let (place, files) = ground(&config)?;
        let in_hand = if resend { InHand::Sent } else { InHand::HeldBack };
        let now = Timestamp::now().as_millisecond();
        let restored = backup::restore(from, &place, &files.stored, in_hand, now, &told(progress))?;
        println!(
            "restored the backup of {}: the database and {} files",
            restored.made, restored.files
        );
        match (restored.in_hand, in_hand) {
            (0, _) => {}
            (messages, InHand::HeldBack) => println!(
                "{messages} messages were on their way and are held back: GET /manage/given-up lists them, POST sends one again, \
                 DELETE drops it"
            ),
            (messages, InHand::Sent) => println!(
                "{messages} messages were on their way and are sent; those that left after the backup can arrive twice"
            ),
        }
        if restored.unreadable > 0 {
            println!("{} files were lost already when the backup was made", restored.unreadable);
        }
        Ok(true)
    }))
}

/// Renames the data folder; nothing of it is lost.
fn put_aside(data: &Path) -> anyhow::Result<PathBuf> {
    let name = data
        .file_name()
        .context("the data folder has no name")?
        .to_string_lossy();
    let at = Timestamp::now().strftime("%Y%m%dT%H%M%SZ");
    let old = data.with_file_name(format!("{name}.before-{at}"));
    fs::rename(data, &old).with_context(|| format!("{} to {}", data.display(), old.display()))?;
    Ok(old)
}

fn read(config: &Path) -> anyhow::Result<Config> {
    Config::read(config).map_err(|problems: Problems| anyhow::anyhow!("{problems}"))
}

/// `Ok(false)`: done, but not all was well.
fn ended(done: anyhow::Result<bool>) -> ExitCode {
    match done {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("{error:#}");
            ExitCode::FAILURE
        }
    }
}

/// The files, and what their bucket's requests run on.
struct Ground {
    stored: StoredFiles,
    _runtime: tokio::runtime::Runtime,
}

fn ground(config: &Config) -> anyhow::Result<(Place, Ground)> {
    let place = start::place(&config.store)?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .context("no threads can be started")?;
    let stored = match start::bucket(&config.store)? {
        None => {
            let folder = start::files_folder(&config.store);
            StoredFiles::folder(&folder).with_context(|| folder.display().to_string())?
        }
        Some((settings, spool)) => {
            StoredFiles::bucket(&settings, &spool, runtime.handle().clone()).context("[store.bucket]")?
        }
    };
    Ok((
        place,
        Ground {
            stored,
            _runtime: runtime,
        },
    ))
}

/// Lines of progress on standard error: a line that is written over, when somebody looks.
fn told(progress: bool) -> impl Fn(Step) {
    let looks = std::io::stderr().is_terminal();
    move |step| {
        if !progress {
            return;
        }
        match step {
            Step::Database => eprintln!("the database"),
            Step::Check => eprintln!("comparing with the digests"),
            Step::Files { done, all, bytes } if done == all => eprintln!("{done} of {all} files, {bytes} bytes"),
            Step::Files { done, all, bytes } if looks => eprint!("{done} of {all} files, {bytes} bytes\r"),
            Step::Files { done, all, bytes } if done.is_multiple_of(100) => {
                eprintln!("{done} of {all} files, {bytes} bytes");
            }
            Step::Files { .. } => {}
        }
    }
}
