//! `budstikke serve` in a folder of its own, without adapters.

use std::fs;
use std::io::Write as _;
use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use budstikke_doubles::TestOrganisation;
use tempfile::TempDir;

const OWN: &str = "991825827";
/// How long a scene waits for what must come. Generous: the machine may be busy.
const PATIENCE: Duration = Duration::from_mins(1);

pub(crate) struct Process {
    command: &'static str,
    folder: TempDir,
    child: Option<Child>,
}

impl Process {
    /// Keys and a TOML file with this in it; not started yet.
    pub(crate) fn new(server: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let own = TestOrganisation::create(folder.path(), OWN).unwrap();
        let text = format!(
            "[organisation]\nnumber = \"{OWN}\"\nkeystore = {{ path = \"{}\", password = \"{}\" }}\n\n\
             [server]\nlisten = \"127.0.0.1:0\"\naddress-file = \"address\"\n{server}",
            own.p12_path().display(),
            own.password(),
        );
        fs::write(folder.path().join("budstikke.toml"), text).unwrap();
        Self {
            command: "serve",
            folder,
            child: None,
        }
    }

    /// The address service, with a key to sign with and this in its TOML file; not started yet.
    pub(crate) fn address_service(server: &str, rest: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let own = TestOrganisation::create(folder.path(), OWN).unwrap();
        let text = format!(
            "[server]\nlisten = \"127.0.0.1:0\"\naddress-file = \"address\"\n{server}\n\
             [signing]\nkeystore = {{ path = \"{}\", password = \"{}\" }}\n{rest}",
            own.p12_path().display(),
            own.password(),
        );
        fs::write(folder.path().join("budstikke.toml"), text).unwrap();
        Self {
            command: "registry",
            folder,
            child: None,
        }
    }

    /// `budstikke registry import` of a file with this content: whether it went well, and what it said.
    pub(crate) fn imports(&self, name: &str, content: &str) -> (bool, String) {
        self.imports_into("budstikke.toml", name, content)
    }

    /// The same with another TOML file of an address service.
    pub(crate) fn imports_into(&self, config: &str, name: &str, content: &str) -> (bool, String) {
        fs::write(self.path(name), content).unwrap();
        let output = program()
            .args(["registry", "import", "--config"])
            .args([self.path(config), self.path(name)])
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        (output.status.success(), said)
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// A certificate of its own for 127.0.0.1.
    pub(crate) fn install_certificate(&self) {
        let made = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).unwrap();
        fs::write(self.path("server.pem"), made.cert.pem()).unwrap();
        fs::write(self.path("server.key"), made.signing_key.serialize_pem()).unwrap();
    }

    fn command(&self) -> Command {
        let mut command = program();
        command
            .args([self.command, "--config"])
            .arg(self.path("budstikke.toml"));
        command.stdin(Stdio::null());
        command
    }

    /// Waits for its end: it is expected not to start.
    pub(crate) fn refuses(&self) -> String {
        let output = self.command().output().unwrap();
        assert!(!output.status.success());
        String::from_utf8_lossy(&output.stderr).into_owned()
    }

    /// Starts it, and waits until it is ready.
    pub(crate) fn start(mut self) -> Self {
        let log = fs::File::create(self.path("log.txt")).unwrap();
        self.child = Some(self.command().stderr(log).spawn().unwrap());
        self.until("it is ready", |this| this.path("address").exists());
        self
    }

    pub(crate) fn log(&self) -> String {
        fs::read_to_string(self.path("log.txt")).unwrap()
    }

    #[track_caller]
    pub(crate) fn until(&self, what: &str, mut done: impl FnMut(&Self) -> bool) {
        let begin = Instant::now();
        while !done(self) {
            assert!(begin.elapsed() < PATIENCE, "{what}; the log:\n{}", self.log());
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    pub(crate) fn signal(&self, name: &str) {
        let pid = self.child.as_ref().unwrap().id().to_string();
        assert!(Command::new("kill").args([name, &pid]).status().unwrap().success());
    }

    /// Another command of the program on its TOML file: whether it went well, and what it printed and said.
    pub(crate) fn tells(&self, command: &[&str], more: &[&str]) -> (bool, String) {
        let output = program()
            .args(command)
            .arg("--config")
            .arg(self.path("budstikke.toml"))
            .args(more)
            .output()
            .unwrap();
        let told = [output.stdout, output.stderr].concat();
        (output.status.success(), String::from_utf8_lossy(&told).into_owned())
    }

    /// Where it listens.
    pub(crate) fn address(&self) -> String {
        fs::read_to_string(self.path("address")).unwrap().trim().to_owned()
    }

    /// What curl prints.
    pub(crate) fn curl(&self, scheme: &str, path: &str, arguments: &[&str]) -> String {
        curl(&format!("{scheme}://{}{path}", self.address()), arguments)
    }

    pub(crate) fn status(&self, scheme: &str, path: &str, arguments: &[&str]) -> String {
        let only_status = ["--output", "/dev/null", "--write-out", "%{http_code}"];
        self.curl(scheme, path, &[&only_status, arguments].concat())
    }

    /// SIGTERM, and its end.
    pub(crate) fn ends(mut self) {
        self.signal("-TERM");
        let mut child = self.child.take().unwrap();
        assert!(child.wait().unwrap().success(), "{}", self.log());
    }
}

/// What curl prints.
pub(crate) fn curl(url: &str, arguments: &[&str]) -> String {
    let output = Command::new("curl")
        .args(["--silent", "--insecure", "--max-time", "60"])
        .args(arguments)
        .arg(url)
        .output()
        .unwrap();
    String::from_utf8_lossy(&output.stdout).into_owned()
}

impl Drop for Process {
    fn drop(&mut self) {
        if let Some(mut child) = self.child.take() {
            // It may have ended by itself.
            let _ended = child.kill();
            let _reaped = child.wait();
        }
    }
}

fn program() -> Command {
    Command::new(env!("CARGO_BIN_EXE_budstikke"))
}

/// `budstikke hash-password` with this on its standard input.
pub(crate) fn hash_password(input: &str) -> Output {
    let mut child = program()
        .arg("hash-password")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    child.wait_with_output().unwrap()
}
