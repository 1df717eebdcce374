//! The programs of PostgreSQL that copy a database out and in.

use std::path::Path;
use std::process::{Command, Stdio};

use url::Url;

use super::BackupError;

/// Writes a dump of an exported snapshot, in PostgreSQL's own format.
pub(super) fn dump(url: &str, moment: &str, to: &Path) -> Result<(), BackupError> {
    let mut command = program("pg_dump", url)?;
    command
        .args(["--format=custom", "--no-owner", "--no-privileges", "--schema=public"])
        .arg(format!("--snapshot={moment}"))
        .arg("--file")
        .arg(to);
    run("pg_dump", command)
}

/// Reads a dump into a database, all of it or nothing. What an earlier attempt has put there is replaced.
pub(super) fn restore(url: &str, from: &Path) -> Result<(), BackupError> {
    // The schema itself is there, or the dump would want to make it.
    let mut list = Command::new("pg_restore");
    list.arg("--list").arg(from);
    let listed = output("pg_restore", &mut list)?;
    let wanted: String = listed
        .lines()
        .filter(|line| !line.contains(" SCHEMA - public") && !line.contains(" COMMENT - SCHEMA public"))
        .fold(String::new(), |text, line| text + line + "\n");
    let chosen = tempfile::NamedTempFile::new().map_err(|error| failed("pg_restore", &error))?;
    std::fs::write(chosen.path(), wanted).map_err(|error| failed("pg_restore", &error))?;
    let mut command = program("pg_restore", url)?;
    command
        .args([
            "--single-transaction",
            "--exit-on-error",
            "--no-owner",
            "--no-privileges",
        ])
        .args(["--clean", "--if-exists"])
        .arg("--use-list")
        .arg(chosen.path())
        .arg(from);
    run("pg_restore", command)
}

/// The password goes through the environment, which others cannot read as they can read arguments.
fn program(name: &'static str, url: &str) -> Result<Command, BackupError> {
    let unusable = || BackupError::Program {
        program: name,
        why: "the address of the database cannot be read".into(),
    };
    let mut address = Url::parse(url).map_err(|_| unusable())?;
    let mut command = Command::new(name);
    if let Some(password) = address.password() {
        let password = percent_encoding::percent_decode_str(password).decode_utf8();
        command.env("PGPASSWORD", password.map_err(|_| unusable())?.as_ref());
        address.set_password(None).map_err(|()| unusable())?;
    }
    command.arg("--no-password").arg(format!("--dbname={address}"));
    Ok(command)
}

fn run(name: &'static str, mut command: Command) -> Result<(), BackupError> {
    output(name, &mut command).map(drop)
}

fn output(name: &'static str, command: &mut Command) -> Result<String, BackupError> {
    let ended = command
        .stdin(Stdio::null())
        .output()
        .map_err(|error| match error.kind() {
            std::io::ErrorKind::NotFound => BackupError::Program {
                program: name,
                why: format!(
                    "is not installed; it comes with PostgreSQL's client programs (postgresql-client), of the server's version or \
                     newer. Or copy the database by its server's own means, and the files as docs/operations.md says ({error})"
                ),
            },
            _ => failed(name, &error),
        })?;
    if ended.status.success() {
        return Ok(String::from_utf8_lossy(&ended.stdout).into_owned());
    }
    Err(BackupError::Program {
        program: name,
        why: String::from_utf8_lossy(&ended.stderr).trim().to_owned(),
    })
}

fn failed(program: &'static str, error: &std::io::Error) -> BackupError {
    BackupError::Program {
        program,
        why: error.to_string(),
    }
}
