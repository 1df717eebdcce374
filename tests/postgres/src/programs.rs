//! Where PostgreSQL's programs are, how they are installed, and as whom they run.

use std::ffi::OsStr;
use std::os::unix::fs::chown;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::error::Error;
use crate::folder::common_lock;

/// Debian's folder with one folder for each version.
const DEBIAN: &str = "/usr/lib/postgresql";

/// What is needed together, from one folder.
pub(crate) struct Need {
    programs: &'static [&'static str],
    package: &'static str,
}

pub(crate) const SERVER: Need = Need {
    programs: &["postgres", "initdb", "psql"],
    package: "postgresql",
};

/// For a server that somebody else made.
pub(crate) const CLIENT: Need = Need {
    programs: &["psql"],
    package: "postgresql-client",
};

impl Need {
    /// The folder with the programs, after an installation where that is needed and possible.
    pub(crate) fn ready(&self) -> Result<PathBuf, Error> {
        if let Some(folder) = self.find() {
            return Ok(folder);
        }
        let _alone = common_lock()?;
        if let Some(folder) = self.find() {
            return Ok(folder);
        }
        let missing = Error::Missing {
            program: self.programs[0],
            package: self.package,
        };
        if !rustix::process::geteuid().is_root() || apt(&["--version"]).is_err() {
            return Err(missing);
        }
        eprintln!("installing the Debian package {}", self.package);
        apt(&["update", "--quiet"])?;
        apt(&["install", "--yes", "--quiet", "--no-install-recommends", self.package])?;
        self.find().ok_or(missing)
    }

    fn find(&self) -> Option<PathBuf> {
        let complete = |folder: &PathBuf| self.programs.iter().all(|program| folder.join(program).is_file());
        folders().into_iter().find(complete)
    }
}

/// Where programs may be, best first.
fn folders() -> Vec<PathBuf> {
    let told = Command::new("pg_config").arg("--bindir").output();
    let mut folders: Vec<PathBuf> = told
        .iter()
        .map(|told| String::from_utf8_lossy(&told.stdout).trim().into())
        .collect();
    let mut versions: Vec<PathBuf> = std::fs::read_dir(DEBIAN)
        .into_iter()
        .flatten()
        .flatten()
        .map(|version| version.path())
        .collect();
    versions.sort_by_key(|version| {
        version
            .file_name()
            .and_then(OsStr::to_str)
            .and_then(|name| name.parse::<u32>().ok())
    });
    folders.extend(versions.iter().rev().map(|version| version.join("bin")));
    folders.extend(std::env::var_os("PATH").iter().flat_map(std::env::split_paths));
    folders
}

fn apt(arguments: &[&str]) -> Result<String, Error> {
    let mut apt = Command::new("apt-get");
    apt.args(["-o", "DPkg::Lock::Timeout=600"])
        .args(arguments)
        .env("DEBIAN_FRONTEND", "noninteractive");
    output(&mut apt)
}

/// Runs to the end, with standard output as the answer.
pub(crate) fn output(command: &mut Command) -> Result<String, Error> {
    let program = PathBuf::from(command.get_program());
    let output = command
        .stdin(Stdio::null())
        .output()
        .map_err(Error::system(format!("running {}", program.display())))?;
    if !output.status.success() {
        return Err(Error::Refused {
            program,
            status: output.status,
            output: String::from_utf8_lossy(&output.stderr).trim().to_owned(),
        });
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// The user that the server runs as. PostgreSQL does not run as root; Debian's package makes a user for it.
pub(crate) enum Account {
    Own,
    Postgres { user: u32, group: u32 },
}

impl Account {
    pub(crate) fn find() -> Result<Self, Error> {
        if !rustix::process::geteuid().is_root() {
            return Ok(Self::Own);
        }
        let id = |which| {
            let answer = output(Command::new("id").args([which, "postgres"]))?;
            answer.trim().parse().map_err(|_| Error::Answer(answer))
        };
        Ok(Self::Postgres {
            user: id("-u")?,
            group: id("-g")?,
        })
    }

    /// What a command begins with.
    pub(crate) fn prefix(&self) -> Vec<String> {
        match self {
            Self::Own => Vec::new(),
            Self::Postgres { user, group } => vec![
                "setpriv".into(),
                format!("--reuid={user}"),
                format!("--regid={group}"),
                "--clear-groups".into(),
            ],
        }
    }

    pub(crate) fn give(&self, path: &Path) -> Result<(), Error> {
        match self {
            Self::Own => Ok(()),
            Self::Postgres { user, group } => chown(path, Some(*user), Some(*group))
                .map_err(Error::system(format!("giving {} to the user postgres", path.display()))),
        }
    }
}
