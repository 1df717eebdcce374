//! The server's folder. `initdb` takes a second or two, so it runs once for each version and what it makes is copied.

use std::fs::{self, DirBuilder, File};
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

use crate::error::Error;
use crate::programs::{Account, output};

/// `data`, the log, and the socket. Removed when it goes.
pub(crate) struct Folder(TempDir);

impl Folder {
    /// With a fresh, empty cluster.
    pub(crate) fn new(programs: &Path, account: &Account) -> Result<Self, Error> {
        let template = template(programs, account)?;
        let folder = Self::empty(account)?;
        copy(&template, &folder.data(), account)?;
        Ok(folder)
    }

    fn empty(account: &Account) -> Result<Self, Error> {
        let folder = tempfile::Builder::new()
            .prefix("budstikke-postgres-")
            .tempdir()
            .map_err(Error::system("making a temporary folder"))?;
        account.give(folder.path())?;
        Ok(Self(folder))
    }

    pub(crate) fn path(&self) -> &Path {
        self.0.path()
    }

    pub(crate) fn data(&self) -> PathBuf {
        self.path().join("data")
    }

    pub(crate) fn log(&self) -> PathBuf {
        self.path().join("log")
    }

    /// For an error message.
    pub(crate) fn end_of_log(&self) -> String {
        let log = fs::read_to_string(self.log()).unwrap_or_else(|error| format!("no log: {error}"));
        let lines: Vec<&str> = log.lines().collect();
        lines[lines.len().saturating_sub(10)..].join("\n")
    }
}

/// Where test processes share things: beside what cargo builds.
fn common() -> Result<PathBuf, Error> {
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target"),
        PathBuf::from,
    );
    let common = target.join("test-postgres");
    fs::create_dir_all(&common).map_err(Error::system(format!("making {}", common.display())))?;
    Ok(common)
}

/// Held by one test process at a time.
pub(crate) fn common_lock() -> Result<File, Error> {
    let path = common()?.join("lock");
    let locked = File::create(&path).and_then(|file| file.lock().map(|()| file));
    locked.map_err(Error::system(format!("locking {}", path.display())))
}

/// The cluster to copy.
fn template(programs: &Path, account: &Account) -> Result<PathBuf, Error> {
    let version = output(Command::new(programs.join("postgres")).arg("--version"))?;
    let name = version
        .trim()
        .replace(|sign: char| !sign.is_ascii_alphanumeric() && sign != '.', "-");
    let template = common()?.join(name);
    let _alone = common_lock()?;
    if template.is_dir() {
        return Ok(template);
    }
    // Made elsewhere: the server's user may not be let into the target folder.
    let workshop = Folder::empty(account)?;
    initdb(programs, account, &workshop)?;
    let unfinished = common()?.join("unfinished");
    let failed = || Error::system(format!("making {}", template.display()));
    // Of a process that was killed.
    if unfinished.exists() {
        fs::remove_dir_all(&unfinished).map_err(failed())?;
    }
    copy(&workshop.data(), &unfinished, &Account::Own)?;
    fs::rename(&unfinished, &template).map_err(failed())?;
    Ok(template)
}

fn initdb(programs: &Path, account: &Account, folder: &Folder) -> Result<(), Error> {
    let mut words = account.prefix();
    words.push(programs.join("initdb").to_string_lossy().into_owned());
    let mut initdb = Command::new(&words[0]);
    initdb
        .args(&words[1..])
        .args([
            "--username=postgres",
            "--auth=trust",
            "--encoding=UTF8",
            "--no-locale",
            "--no-sync",
        ])
        .arg("--pgdata")
        .arg(folder.data())
        .current_dir(folder.path());
    output(&mut initdb).map(drop)
}

/// Folders are for the server's user alone; PostgreSQL insists on it.
fn copy(from: &Path, to: &Path, account: &Account) -> Result<(), Error> {
    let failed = || Error::system(format!("copying {} to {}", from.display(), to.display()));
    DirBuilder::new().mode(0o700).create(to).map_err(failed())?;
    account.give(to)?;
    for entry in fs::read_dir(from).map_err(failed())? {
        let entry = entry.map_err(failed())?;
        let (source, target) = (entry.path(), to.join(entry.file_name()));
        if entry.file_type().map_err(failed())?.is_dir() {
            copy(&source, &target, account)?;
        } else {
            fs::copy(&source, &target).map_err(failed())?;
            account.give(&target)?;
        }
    }
    Ok(())
}
