//! `budstikke backup` and `budstikke restore`

use std::fs::{self, File};
use std::io::IsTerminal as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context as _;
use budstikke_store::Place;
use budstikke_store::backup::{self, About, InHand, Restored, Step};
use budstikke_store::files::StoredFiles;
use jiff::Timestamp;

use super::start;
use crate::config::{self, Config, Problems};

/// Copies everything into a folder; nodes may work meanwhile.
pub(super) fn make(config: &Path, to: &Path, progress: bool) -> ExitCode {
    ended(read(config).and_then(|config| {
        let (place, files) = ground(&config.store)?;
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

/// Puts a backup in an empty place; nobody may work there yet. `aside`: what is there is moved when the backup is whole beside it.
pub(super) fn restore(config: &Path, from: &Path, resend: bool, aside: bool, progress: bool) -> ExitCode {
    ended(read(config).and_then(|config| {
        let in_hand = if resend { InHand::Sent } else { InHand::HeldBack };
        let restored = if aside {
            restore_aside(&config, from, in_hand, progress)?
        } else {
            let _lock = locked(&config.store.folder)?;
            let (place, files) = ground(&config.store)?;
            backup::restore(from, &place, &files.stored, in_hand, now(), &told(progress))?
        };
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

/// Restores beside the data folder, and then puts that in its place: whatever goes wrong, there is a whole one.
fn restore_aside(config: &Config, from: &Path, in_hand: InHand, progress: bool) -> anyhow::Result<Restored> {
    let store = &config.store;
    anyhow::ensure!(
        store.postgres.is_none() && store.bucket.is_none(),
        "--aside is for a store in a folder; what is in a server or a bucket must be moved by hand"
    );
    let data = &store.folder;
    let _lock = locked(data)?;
    let fresh = beside(data, "restoring")?;
    if fresh.exists() {
        // A restore that was cut off.
        fs::remove_dir_all(&fresh).with_context(|| fresh.display().to_string())?;
    }
    let put = || -> anyhow::Result<Restored> {
        let store = config::Store {
            folder: fresh.clone(),
            ..config::Store::default()
        };
        let _lock = locked(&fresh)?;
        let (place, files) = ground(&store)?;
        Ok(backup::restore(
            from,
            &place,
            &files.stored,
            in_hand,
            now(),
            &told(progress),
        )?)
    };
    let moved = |restored: Restored| -> anyhow::Result<(Restored, PathBuf)> {
        let old = beside(data, &format!("before-{}", Timestamp::now().strftime("%Y%m%dT%H%M%SZ")))?;
        fs::rename(data, &old).with_context(|| format!("{} to {}", data.display(), old.display()))?;
        if let Err(error) = fs::rename(&fresh, data) {
            fs::rename(&old, data).with_context(|| format!("{} is now {}", data.display(), old.display()))?;
            return Err(error).with_context(|| format!("{} to {}", fresh.display(), data.display()));
        }
        if let Some(parent) = data.parent().filter(|parent| !parent.as_os_str().is_empty()) {
            File::open(parent)
                .and_then(|parent| parent.sync_all())
                .with_context(|| parent.display().to_string())?;
        }
        Ok((restored, old))
    };
    let (restored, old) = put()
        .and_then(moved)
        // Half of one is of no use.
        .inspect_err(|_| drop(fs::remove_dir_all(&fresh)))?;
    println!("{}: what was here before", old.display());
    Ok(restored)
}

/// Named after it, in the same folder.
fn beside(data: &Path, what: &str) -> anyhow::Result<PathBuf> {
    let name = data
        .file_name()
        .context("the data folder has no name")?
        .to_string_lossy();
    Ok(data.with_file_name(format!("{name}.{what}")))
}

/// The data folder, which is made when it is not there, for nobody else.
fn locked(data: &Path) -> anyhow::Result<File> {
    fs::create_dir_all(data).with_context(|| data.display().to_string())?;
    start::lock(data)
}

fn now() -> i64 {
    Timestamp::now().as_millisecond()
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

fn ground(store: &config::Store) -> anyhow::Result<(Place, Ground)> {
    let place = start::place(store)?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .context("no threads can be started")?;
    let stored = match start::bucket(store)? {
        None => {
            let folder = start::files_folder(store);
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
