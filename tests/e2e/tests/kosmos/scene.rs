//! An installation that is kept current: its folder, who publishes for it, and what can be seen of it.

use std::fmt::Write as _;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use budstikke_e2e::{Profile, Programs, python, target};
use serde_json::{Value, json};

use crate::gpg::{Gpg, key_file};
use crate::publisher::Publisher;

/// Generous: a busy machine.
pub(crate) const PATIENCE: Duration = Duration::from_mins(1);
pub(crate) const NEW: &str = "2.2.1";
pub(crate) const OLD: &str = "1.7.92-SNAPSHOT";

/// The program that plays releases.
pub(crate) fn release_program() -> PathBuf {
    PathBuf::from(env!("CARGO_BIN_EXE_release"))
}

/// The components of the policies, built once.
pub(crate) fn policies() -> &'static Path {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    BUILT.get_or_init(|| {
        let folder = target().join("policies-of-scenes");
        std::fs::create_dir_all(&folder).unwrap();
        for name in ["policy-standard", "policy-window", "policy-pin"] {
            let package = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../plugins").join(name);
            let component = budstikke_component_builder::build_component(&package).unwrap();
            let fresh = folder.join(format!("{name}.{}", std::process::id()));
            std::fs::copy(component, &fresh).unwrap();
            std::fs::rename(fresh, folder.join(format!("{name}.wasm"))).unwrap();
        }
        folder
    })
}

/// A port that nobody uses.
pub(crate) fn free_port() -> u16 {
    std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port()
}

/// A mail server.
struct MailServer {
    child: Child,
    folder: PathBuf,
}

/// See the module.
pub(crate) struct Scene {
    pub(crate) home: tempfile::TempDir,
    pub(crate) publisher: Publisher,
    pub(crate) port: u16,
    budstikke: PathBuf,
    mail: Option<MailServer>,
    properties: String,
    supervisor: Option<Child>,
}

/// How one run ended.
pub(crate) struct Run {
    pub(crate) status: ExitStatus,
    pub(crate) told: String,
}

impl Scene {
    /// One whose list of versions has `latest`, and whose releases are signed by the usual key.
    pub(crate) async fn new(latest: &str) -> Self {
        let scene = Self::bare().await;
        scene.lists(latest, latest);
        scene
    }

    async fn bare() -> Self {
        let budstikke = Programs::build(Profile::Debug).unwrap().budstikke;
        let home = tempfile::tempdir().unwrap();
        let bin = home.path().join("bin");
        std::fs::create_dir_all(&bin).unwrap();
        std::os::unix::fs::symlink(release_program(), bin.join("java")).unwrap();
        key_file(home.path(), "eformidling-key.asc", &[Gpg::usual()]);
        let publisher = Publisher::start().await;
        let port = free_port();
        let mut scene = Self {
            home,
            port,
            budstikke,
            mail: None,
            properties: String::new(),
            supervisor: None,
            publisher,
        };
        let url = scene.publisher.url().to_owned();
        scene.set(&format!(
            "difi.move.org.number=991825827
kosmos.integrasjonspunkt.profile=dev
kosmos.integrasjonspunkt.include-log=false
kosmos.integrasjonspunkt.baseURL=http://localhost:{port}
kosmos.integrasjonspunkt.versionsURL={url}/latest-versions.yml
kosmos.java-archive-repository-url={url}
kosmos.java-archive-repository-read-timeout-in-ms=2000
kosmos.schedulerCronExpression=0 0 3 1 1 *
kosmos.shutdownRetries=3
kosmos.shutdownPollIntervalInMs=200
kosmos.launchPollIntervalInMs=100
kosmos.launchTimeoutInMs=8000
kosmos.blocklist.enabled=true
"
        ));
        scene
    }

    /// Lines of `kosmos-local.properties`.
    pub(crate) fn set(&mut self, lines: &str) {
        self.properties.push_str(lines);
        std::fs::write(self.config(), &self.properties).unwrap();
    }

    pub(crate) fn config(&self) -> PathBuf {
        self.home.path().join("kosmos-local.properties")
    }

    /// Mails are sent, and can be read.
    pub(crate) fn with_mail(mut self) -> Self {
        let folder = self.home.path().join("mails");
        std::fs::create_dir_all(&folder).unwrap();
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("python/smtp.py");
        let mut child = Command::new(python("python3").unwrap())
            .arg(script)
            .arg(&folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap())
            .read_line(&mut line)
            .unwrap();
        let port = line.trim().parse().unwrap();
        self.mail = Some(MailServer { child, folder });
        self.mails_go_to(port);
        self
    }

    /// Mails are sent to a port.
    pub(crate) fn mails_go_to(&mut self, port: u16) {
        self.set(&format!(
            "kosmos.mail.recipient=drift@example.no\nkosmos.mail.from=noreply@example.no\nspring.mail.host=127.0.0.1\nspring.mail.port={port}\n"
        ));
    }

    /// Subject and body of each mail.
    pub(crate) fn mails(&self) -> Vec<(String, String)> {
        let mut paths: Vec<_> = std::fs::read_dir(&self.mail.as_ref().unwrap().folder)
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .filter(|path| path.extension().is_some_and(|end| end == "json"))
            .collect();
        paths.sort();
        let read = |path: &PathBuf| {
            let mail: Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
            assert_eq!(
                (&mail["from"], &mail["to"]),
                (&json!("noreply@example.no"), &json!(["drift@example.no"]))
            );
            (
                mail["subject"].as_str().unwrap().to_owned(),
                mail["body"].as_str().unwrap().to_owned(),
            )
        };
        paths.iter().map(read).collect()
    }

    /// What the vendor approves.
    pub(crate) fn lists(&self, latest: &str, earlybird: &str) {
        let list =
            format!("integrasjonspunkt:\n  environments:\n    dev: {{ latest: {latest}, earlybird: {earlybird} }}\n");
        self.publisher.put("/latest-versions.yml", list);
    }

    /// A jar of a version that plays a part.
    pub(crate) fn jar(&self, version: &str, part: Value) -> Vec<u8> {
        let mut part = part;
        part["port"] = json!(self.port);
        part["version"] = json!(version);
        jar(version, &part)
    }

    /// A release, signed by GnuPG.
    pub(crate) fn publish(&self, version: &str, part: Value) {
        self.publish_signed(version, &self.jar(version, part), Gpg::usual());
    }

    pub(crate) fn path(version: &str) -> String {
        format!("/felleslosninger/efm-integrasjonspunkt/releases/download/{version}/integrasjonspunkt-{version}.jar")
    }

    pub(crate) fn publish_signed(&self, version: &str, jar: &[u8], signer: &Gpg) {
        let path = Self::path(version);
        self.publisher.put(&path, jar);
        self.publisher.put(&format!("{path}.sha1"), format!("{}\n", sha1(jar)));
        self.publisher.put(&format!("{path}.asc"), signer.sign(jar));
    }

    /// A version that is on disk already.
    pub(crate) fn place(&self, version: &str, part: Value) {
        let jar = self.jar(version, part);
        std::fs::write(self.file(&format!("integrasjonspunkt-{version}.jar")), &jar).unwrap();
        let signature = Gpg::usual().sign(&jar);
        std::fs::write(self.file(&format!("integrasjonspunkt-{version}.jar.asc")), signature).unwrap();
    }

    pub(crate) fn file(&self, name: &str) -> PathBuf {
        // As the supervisor writes it.
        std::fs::canonicalize(self.home.path()).unwrap().join(name)
    }

    pub(crate) fn has(&self, name: &str) -> bool {
        self.file(name).exists()
    }

    /// Runs a version as somebody else would have.
    pub(crate) async fn runs(&self, version: &str) {
        self.runs_file(&format!("integrasjonspunkt-{version}.jar"), version)
            .await;
    }

    pub(crate) async fn runs_file(&self, name: &str, version: &str) {
        let jar = self.file(name);
        let child = Command::new(release_program())
            .arg("-jar")
            .arg(jar)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        // Nobody waits for it: the tests end it with all the others.
        std::thread::spawn(move || {
            let mut child = child;
            let _ended = child.wait();
        });
        self.answers(version).await;
    }

    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        self.command_with(&self.config(), arguments)
    }

    pub(crate) fn command_with(&self, config: &Path, arguments: &[&str]) -> Command {
        let path = format!(
            "{}:{}",
            self.home.path().join("bin").display(),
            std::env::var("PATH").unwrap()
        );
        let mut command = Command::new(&self.budstikke);
        command
            .arg("kosmos")
            .arg("--config")
            .arg(config)
            .arg("--policies")
            .arg(policies())
            .args(arguments)
            .env("PATH", path)
            .env("SPRING_MAIL_HOST_OF_OURS", "leak")
            .stdin(Stdio::null());
        command
    }

    /// One run, to its end.
    pub(crate) async fn run(&self) -> Run {
        self.run_command(self.command(&["run-now"])).await
    }

    pub(crate) async fn run_command(&self, command: Command) -> Run {
        ended(command).await
    }

    /// The supervisor, until the value ends. Its log is `supervisor.log`.
    pub(crate) fn supervise(&mut self, environment: &[(&str, &str)]) {
        let command = self.command(&[]);
        self.supervise_with(command, environment);
    }

    pub(crate) fn supervise_with(&mut self, mut command: Command, environment: &[(&str, &str)]) {
        self.kill_supervisor();
        let log = std::fs::File::options()
            .create(true)
            .append(true)
            .open(self.home.path().join("supervisor.log"))
            .unwrap();
        let child = command
            .envs(environment.iter().copied())
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .spawn()
            .unwrap();
        self.supervisor = Some(child);
    }

    /// SIGKILL.
    pub(crate) fn kill_supervisor(&mut self) {
        if let Some(mut child) = self.supervisor.take() {
            child.kill().unwrap();
            child.wait().unwrap();
        }
    }

    /// SIGTERM, and waits for the end.
    pub(crate) async fn stop_supervisor(&mut self) -> ExitStatus {
        let mut child = self.supervisor.take().unwrap();
        assert!(
            Command::new("kill")
                .arg(child.id().to_string())
                .status()
                .unwrap()
                .success()
        );
        tokio::task::spawn_blocking(move || child.wait())
            .await
            .unwrap()
            .unwrap()
    }

    pub(crate) fn supervisor_pid(&self) -> u32 {
        self.supervisor.as_ref().unwrap().id()
    }

    pub(crate) fn log(&self) -> String {
        std::fs::read_to_string(self.home.path().join("supervisor.log")).unwrap_or_default()
    }

    /// Waits until the supervisor's log has a text so many times.
    pub(crate) async fn says(&self, text: &str, times: usize) {
        let done = || self.log().matches(text).count() >= times;
        assert!(within(PATIENCE, done).await, "never said «{text}»:\n{}", self.log());
    }

    /// The version that answers.
    pub(crate) async fn version(&self) -> Option<String> {
        version_at(self.port).await
    }

    /// Waits until a version answers.
    pub(crate) async fn answers(&self, version: &str) {
        let deadline = Instant::now() + PATIENCE;
        while self.version().await.as_deref() != Some(version) {
            assert!(
                Instant::now() < deadline,
                "{version} never answers, but {:?} does:\n{}",
                self.version().await,
                self.log()
            );
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// Processes that run from this home.
    pub(crate) fn processes(&self) -> Vec<i32> {
        let home = self.home.path().display().to_string();
        let entries = std::fs::read_dir("/proc").unwrap();
        let pids = entries.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse::<i32>().ok());
        pids.filter(|pid| {
            let line = std::fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
            let line = String::from_utf8_lossy(&line).into_owned();
            line.contains(&home) && line.contains("-jar")
        })
        .collect()
    }

    pub(crate) fn journal(&self) -> Value {
        let bytes = std::fs::read(self.home.path().join(".kosmos/integrasjonspunkt/journal.json")).unwrap_or_default();
        serde_json::from_slice(&bytes).unwrap_or_default()
    }

    /// Nothing but whole and verified files has a name.
    pub(crate) fn nothing_is_left(&self) {
        for entry in std::fs::read_dir(self.home.path()).unwrap() {
            let name = entry.unwrap().file_name().into_string().unwrap();
            assert!(!name.starts_with(".kosmos-download-"), "{name} was left");
        }
    }
}

impl Drop for Scene {
    fn drop(&mut self) {
        self.kill_supervisor();
        for pid in self.processes() {
            drop(Command::new("kill").args(["-9", &pid.to_string()]).status());
        }
        if let Some(mail) = &mut self.mail {
            drop(mail.child.kill());
            drop(mail.child.wait());
        }
        if std::thread::panicking() {
            eprintln!("the supervisor's log:\n{}", self.log());
        }
    }
}

impl Run {
    #[track_caller]
    pub(crate) fn good(&self) -> &Self {
        assert!(self.status.success(), "{}", self.told);
        self
    }

    #[track_caller]
    pub(crate) fn bad(&self, reason: &str) -> &Self {
        assert!(!self.status.success(), "{}", self.told);
        self.tells(reason)
    }

    #[track_caller]
    pub(crate) fn tells(&self, text: &str) -> &Self {
        assert!(self.told.contains(text), "«{text}» is not in\n{}", self.told);
        self
    }
}

/// Runs a command to its end.
pub(crate) async fn ended(mut command: Command) -> Run {
    let output = tokio::task::spawn_blocking(move || command.output())
        .await
        .unwrap()
        .unwrap();
    let told = format!(
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    Run {
        status: output.status,
        told,
    }
}

/// Whether something is true in time.
pub(crate) async fn within(time: Duration, done: impl Fn() -> bool) -> bool {
    let deadline = Instant::now() + time;
    while Instant::now() < deadline {
        if done() {
            return true;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    done()
}

pub(crate) async fn version_at(port: u16) -> Option<String> {
    let answer = reqwest::get(format!("http://127.0.0.1:{port}/manage/info"))
        .await
        .ok()?;
    let info: Value = answer.json().await.ok()?;
    info["build"]["version"].as_str().map(ToOwned::to_owned)
}

pub(crate) fn jar(version: &str, part: &Value) -> Vec<u8> {
    let mut zip = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    let options = zip::write::SimpleFileOptions::default();
    let mut info = String::new();
    writeln!(
        info,
        "build.artifact=integrasjonspunkt\nbuild.version={}",
        version.trim_start_matches('v')
    )
    .unwrap();
    for (name, content) in [
        ("BOOT-INF/classes/META-INF/build-info.properties", info),
        ("part.json", part.to_string()),
    ] {
        zip.start_file(name, options).unwrap();
        zip.write_all(content.as_bytes()).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

fn sha1(bytes: &[u8]) -> String {
    let mut child = Command::new("sha1sum")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(bytes).unwrap();
    let output = child.wait_with_output().unwrap();
    String::from_utf8(output.stdout)
        .unwrap()
        .split_whitespace()
        .next()
        .unwrap()
        .to_owned()
}
