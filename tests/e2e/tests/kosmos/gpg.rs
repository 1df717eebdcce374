//! Keys and signatures by GnuPG, each key in a home of its own.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

/// A signer.
pub(crate) struct Gpg {
    home: tempfile::TempDir,
    /// `--faked-system-time` for the key and what it signs.
    time: Option<&'static str>,
}

impl Gpg {
    /// A key of a kind such as `rsa2048`, for so long (`never`, `2y`, `seconds=5`), made at a time (`20200101T000000`).
    pub(crate) fn new(kind: &str, expires: &str, time: Option<&'static str>) -> Self {
        // Its agent's socket must have a short path.
        let home = tempfile::Builder::new().prefix("g").tempdir_in("/tmp").unwrap();
        let gpg = Self { home, time };
        gpg.run(&[
            "--quick-gen-key",
            "Kodesignering <test@example.no>",
            kind,
            "sign",
            expires,
        ]);
        gpg
    }

    /// One key for all who need no special one.
    pub(crate) fn usual() -> &'static Self {
        static USUAL: OnceLock<Gpg> = OnceLock::new();
        USUAL.get_or_init(|| Self::new("rsa2048", "never", None))
    }

    /// Runs it with more arguments.
    pub(crate) fn run(&self, arguments: &[&str]) -> Vec<u8> {
        let mut command = Command::new("gpg");
        command.args([
            "--batch",
            "--quiet",
            "--yes",
            "--pinentry-mode",
            "loopback",
            "--passphrase",
            "",
            "--homedir",
        ]);
        command.arg(self.home.path());
        if let Some(time) = self.time {
            command.args(["--faked-system-time", time]);
        }
        let ended = command.args(arguments).stdin(Stdio::null()).output().unwrap();
        assert!(
            ended.status.success(),
            "gpg {arguments:?}: {}",
            String::from_utf8_lossy(&ended.stderr)
        );
        ended.stdout
    }

    /// The public key.
    pub(crate) fn public(&self) -> Vec<u8> {
        self.run(&["--armor", "--export"])
    }

    /// An armoured detached signature.
    pub(crate) fn sign(&self, content: &[u8]) -> Vec<u8> {
        self.sign_with(content, &[])
    }

    /// The same with more options.
    pub(crate) fn sign_with(&self, content: &[u8], options: &[&str]) -> Vec<u8> {
        let file = self.home.path().join(uuid::Uuid::new_v4().to_string());
        std::fs::write(&file, content).unwrap();
        let name = file.display().to_string();
        let signature = self.run(&[options, &["--armor", "--detach-sign", "--output", "-", &name]].concat());
        std::fs::remove_file(file).unwrap();
        signature
    }

    /// The fingerprint of the key.
    pub(crate) fn fingerprint(&self) -> String {
        let listed = String::from_utf8(self.run(&["--with-colons", "--list-keys"])).unwrap();
        let line = listed.lines().find(|line| line.starts_with("fpr")).unwrap();
        line.split(':').nth(9).unwrap().to_owned()
    }

    /// Takes the key back, for a reason: 1 lost, 2 replaced, 3 no longer used.
    pub(crate) fn revoke(&self, reason: u8) {
        let certificate = self.home.path().join("revocation.asc");
        let key = self.fingerprint();
        let mut child = Command::new("gpg")
            .args([
                "--command-fd",
                "0",
                "--quiet",
                "--yes",
                "--no-tty",
                "--pinentry-mode",
                "loopback",
                "--passphrase",
                "",
            ])
            .args(["--homedir"])
            .arg(self.home.path())
            .args(
                self.time
                    .map(|time| ["--faked-system-time", time])
                    .into_iter()
                    .flatten(),
            )
            .args(["--output"])
            .arg(&certificate)
            .args(["--gen-revoke", &key])
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        child
            .stdin
            .take()
            .unwrap()
            .write_all(format!("y\n{reason}\n\ny\n").as_bytes())
            .unwrap();
        assert!(child.wait().unwrap().success());
        self.run(&["--import", &certificate.display().to_string()]);
    }
}

impl Drop for Gpg {
    fn drop(&mut self) {
        drop(
            Command::new("gpgconf")
                .arg("--homedir")
                .arg(self.home.path())
                .args(["--kill", "all"])
                .status(),
        );
    }
}

/// A file with the public keys of some signers.
pub(crate) fn key_file(folder: &Path, name: &str, signers: &[&Gpg]) -> PathBuf {
    let path = folder.join(name);
    let keys: Vec<u8> = signers.iter().flat_map(|signer| signer.public()).collect();
    std::fs::write(&path, keys).unwrap();
    path
}
