//! Our own program and an adapter are kept current by signed metadata, with messages flowing.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use budstikke_e2e::{Fagsystem, File, Installation, Pair, newer_build};
use serde_json::{Value, json};

use crate::metadata::Repositories;
use crate::publisher::Publisher;
use crate::scene::{PATIENCE, ended, free_port, policies, release_program, version_at, within};

const VERSION: &str = env!("CARGO_PKG_VERSION");

/// A supervisor's configuration with one target.
fn config(folder: &Path, publisher: &Publisher, root: &Path, port: u16, target: &str) -> PathBuf {
    let text = format!(
        r#"
environment = "production"
state = "{folder}/kosmos"
policy-folder = "{policies}"

[organisation]
number = "991825827"

[schedule]
cron = "0 0 3 1 1 *"

[[targets]]
name = "own"

{target}

[targets.KIND.management]
url = "http://127.0.0.1:{port}"

[targets.KIND.repository]
root = "{root}"
metadata-url = "{url}/metadata/"
targets-url = "{url}/targets/"

[targets.KIND.launch]
poll = "100ms"
time = "30s"

[targets.KIND.soak]
time = "1s"
poll = "200ms"
"#,
        folder = folder.display(),
        policies = policies().display(),
        root = root.display(),
        url = publisher.url(),
    );
    let kind = if target.contains("plugin") {
        "plugin"
    } else {
        "budstikke"
    };
    let path = folder.join("kosmos.toml");
    std::fs::write(&path, text.replace("KIND", kind)).unwrap();
    path
}

async fn kosmos(program: &Path, config: &Path, command: &str) -> (bool, String) {
    let mut run = Command::new(program);
    run.arg("kosmos")
        .arg("--config")
        .arg(config)
        .arg(command)
        .stdin(Stdio::null());
    let run = ended(run).await;
    (run.status.success(), run.told)
}

fn list(product: &str, version: &str) -> Vec<u8> {
    format!("{product}:\n  environments:\n    production: {{ latest: {version} }}\n").into_bytes()
}

/// A message goes out and arrives.
async fn a_message_goes(sender: &Fagsystem, receiver: &Fagsystem) {
    let id = uuid::Uuid::new_v4().to_string();
    let sbd = Fagsystem::arkivmelding(Pair::SENDER, Pair::RECEIVER, &id);
    sender.send_message(&sbd, &File::examples().unwrap()).await.unwrap();
    receiver
        .wait_and_peek(&format!("?messageId={id}"), PATIENCE)
        .await
        .unwrap();
    receiver.take(&id).await.unwrap().ok().unwrap();
}

/// The installation's TOML file, with a port that stays and an open door to stop it.
fn fixed(ours: &Installation, port: u16) {
    let path = ours.folder.join("budstikke.toml");
    let text = std::fs::read_to_string(&path).unwrap();
    let text = text.replace(
        "listen = \"127.0.0.1:0\"",
        &format!("listen = \"127.0.0.1:{port}\"\nshutdown = true"),
    );
    let text = text.replace(
        "manage-open = [\"health\", \"info\"]",
        "manage-open = [\"health\", \"info\", \"shutdown\"]",
    );
    std::fs::write(path, text).unwrap();
}

struct Ended(PathBuf);

impl Drop for Ended {
    fn drop(&mut self) {
        drop(
            Command::new("pkill")
                .args(["-9", "-f", &self.0.display().to_string()])
                .status(),
        );
    }
}

/// Our own program, installed and running, with the next release at hand: a bad one that wants another schema, so that the store is
/// copied before.
struct Own {
    pair: Pair,
    port: u16,
    folder: PathBuf,
    publisher: Publisher,
    repositories: Repositories,
    config: PathBuf,
    sender: Fagsystem,
    receiver: Fagsystem,
    _ended: Ended,
}

const BAD: &str = "9.0.0";

impl Own {
    async fn installed() -> Self {
        let mut pair = Pair::new().await.unwrap();
        let program = pair.world.programs.budstikke.clone();
        let port = free_port();
        fixed(&pair.ours, port);
        let receiver = pair.theirs.start().await.unwrap();
        let folder = pair.world.folder().to_owned();
        let good = std::fs::read(&program).unwrap();
        let bad = std::fs::read(release_program()).unwrap();
        let file = |version: &str| format!("budstikke-{version}-{}", std::env::consts::ARCH);
        let repositories = Repositories::new(
            &[
                ("good", &good),
                ("bad", &bad),
                ("list", &list("budstikke", VERSION)),
                ("list-bad", &list("budstikke", BAD)),
            ],
            &json!([
                { "name": "good", "targets": {
                    file(VERSION): { "file": "good", "custom": { "version": VERSION, "schema": 3 } },
                    "versions.yml": { "file": "list" } } },
                { "name": "bad", "targets": {
                    file(BAD): { "file": "bad", "custom": { "version": BAD, "schema": 99 } },
                    "versions.yml": { "file": "list-bad" } } },
            ]),
        );
        let publisher = Publisher::start().await;
        publisher.serve(repositories.step("good"));
        let target = format!(
            "[targets.budstikke]\nhome = \"{home}/program\"\nconfig = \"{config}\"\nself-update = true\n",
            home = folder.display(),
            config = pair.ours.folder.join("budstikke.toml").display()
        );
        let config = config(&folder, &publisher, &repositories.root(), port, &target);
        let own = Self {
            _ended: Ended(folder.clone()),
            pair,
            port,
            folder,
            publisher,
            repositories,
            config,
            sender: Fagsystem::new(&format!("http://127.0.0.1:{port}")),
            receiver,
        };
        let (good, told) = kosmos(&program, &own.config, "run-now").await;
        assert!(good, "{told}");
        assert_eq!(version_at(port).await.as_deref(), Some(VERSION));
        own.a_message_goes().await;
        own
    }

    async fn a_message_goes(&self) {
        a_message_goes(&self.sender, &self.receiver).await;
    }

    /// From now on the bad one is the newest. Its part lies beside it, where a release program looks for it.
    fn publish_the_bad_one(&self) {
        self.publisher.serve(self.repositories.step("bad"));
        let release = self.folder.join("program/releases").join(BAD);
        std::fs::create_dir_all(&release).unwrap();
        std::fs::write(release.join("part.json"), json!({ "kind": "failing" }).to_string()).unwrap();
    }

    /// What all supervisors of this scene have said.
    fn told(&self) -> String {
        std::fs::read_to_string(self.folder.join("supervisor.log")).unwrap_or_default()
    }

    async fn says(&self, text: &str) {
        assert!(
            within(PATIENCE, || self.told().contains(text)).await,
            "{text}: {}",
            self.told()
        );
    }

    fn supervise(&self) -> Supervisor {
        self.supervise_with(&[])
    }

    fn supervise_with(&self, environment: &[(&str, &str)]) -> Supervisor {
        let log = self.folder.join("supervisor.log");
        let log = std::fs::File::options().create(true).append(true).open(log).unwrap();
        let mut command = Command::new(&self.pair.world.programs.budstikke);
        command
            .arg("kosmos")
            .arg("--config")
            .arg(&self.config)
            .envs(environment.iter().copied())
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log);
        Supervisor(command.spawn().unwrap())
    }

    /// A supervisor that is killed when it comes to this step.
    async fn supervise_until(&self, point: &str) {
        let here = self.folder.join("here").join(point);
        std::fs::create_dir_all(here.parent().unwrap()).unwrap();
        let _killed = self.supervise_with(&[
            ("BUDSTIKKE_FAIL_POINT", point),
            ("BUDSTIKKE_FAIL_FILE", here.to_str().unwrap()),
        ]);
        assert!(within(PATIENCE, || here.exists()).await, "{point}: {}", self.told());
    }

    fn journal(&self) -> Value {
        serde_json::from_slice(&std::fs::read(self.folder.join("kosmos/own/journal.json")).unwrap()).unwrap()
    }

    /// How often a store was put aside for its copy.
    fn restored(&self) -> usize {
        let entries = std::fs::read_dir(&self.pair.ours.folder).unwrap();
        entries
            .filter(|entry| {
                let name = entry.as_ref().unwrap().file_name();
                name.to_string_lossy().starts_with("data.before-")
            })
            .count()
    }
}

struct Supervisor(Child);

impl Drop for Supervisor {
    fn drop(&mut self) {
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

#[tokio::test]
async fn our_own_program_is_installed_a_bad_release_is_taken_back_and_no_message_is_lost() {
    let own = Own::installed().await;
    // It has to be watched by somebody until it counts as good. Then the supervisor goes on as the new program, in the same process.
    tokio::time::sleep(Duration::from_secs(1)).await;
    let supervisor = own.supervise();
    own.says("going on as the new version").await;
    let release = own.folder.join(format!("program/releases/{VERSION}/budstikke"));
    let release = std::fs::canonicalize(release).unwrap();
    let exe = format!("/proc/{}/exe", supervisor.0.id());
    let is_release = || std::fs::read_link(&exe).is_ok_and(|exe| exe == release);
    assert!(within(PATIENCE, is_release).await, "{}", own.told());
    own.says("already runs").await;
    assert_eq!(version_at(own.port).await.as_deref(), Some(VERSION));
    drop(supervisor);

    // A bad one. The supervisor is killed when the store has been copied, and goes on from there.
    own.publish_the_bad_one();
    own.supervise_until("backed-up").await;
    let _supervisor = own.supervise();
    own.says(&format!("{VERSION} runs again")).await;
    own.says("copying the store").await;
    own.says("putting back the copy").await;
    assert_eq!(version_at(own.port).await.as_deref(), Some(VERSION));
    own.a_message_goes().await;
    assert_eq!(own.restored(), 1, "what the bad one made of the store is kept");
}

#[tokio::test]
async fn the_old_version_never_starts_without_its_store_and_gets_it_back_once() {
    let own = Own::installed().await;
    own.publish_the_bad_one();
    own.supervise_until("going-back").await;

    // The copy cannot be put back: nothing starts, nothing is forgotten, and it is tried again.
    let copy = PathBuf::from(own.journal()["change"]["backup"]["folder"].as_str().unwrap());
    let elsewhere = own.folder.join("elsewhere");
    std::fs::rename(&copy, &elsewhere).unwrap();
    let supervisor = own.supervise();
    let failed = || own.told().matches("the copy of the store cannot be put back").count();
    assert!(within(PATIENCE, || failed() >= 1).await, "{}", own.told());
    let once = failed();
    assert!(within(PATIENCE, || failed() > once).await, "{}", own.told());
    drop(supervisor);
    assert_eq!(version_at(own.port).await, None, "{}", own.told());
    let journal = own.journal();
    assert_eq!(journal["change"]["stage"], "going-back", "{journal}");
    let attempts = journal["attempts"].to_string();
    assert!(!attempts.contains(BAD), "the attempt has not ended: {attempts}");
    assert_eq!(own.restored(), 0, "what was there is where it was");

    // It is there again. The supervisor is killed when it has put it back and started the old version.
    std::fs::rename(&elsewhere, &copy).unwrap();
    own.supervise_until("spawn-noted").await;
    let answers = async || version_at(own.port).await.as_deref() == Some(VERSION);
    let begun = Instant::now();
    while !answers().await {
        assert!(begun.elapsed() < PATIENCE, "{}", own.told());
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let process = own.journal()["child"]["process"].clone();
    own.a_message_goes().await;
    assert_eq!(own.restored(), 1, "{}", own.told());

    // The next one leaves it alone, with what it has stored since.
    let _supervisor = own.supervise();
    own.says(&format!("{VERSION} runs again")).await;
    assert_eq!(own.journal()["child"]["process"], process);
    assert_eq!(own.restored(), 1, "{}", own.told());
    own.a_message_goes().await;
}

#[tokio::test]
async fn an_adapter_is_swapped_and_one_that_is_none_is_taken_back() {
    let mut pair = Pair::new().await.unwrap();
    let (sender, receiver) = pair.start().await.unwrap();
    let port = sender.base().rsplit_once(':').unwrap().1.parse().unwrap();
    let folder = pair.world.folder().to_owned();
    let program = pair.world.programs.budstikke.clone();
    let newer = std::fs::read(newer_build(&pair.world.programs.dpo, &folder.join("newer.wasm")).unwrap()).unwrap();
    let list = |version: &str| list("dpo", version);
    let repositories = Repositories::new(
        &[
            ("newer", &newer),
            ("none", b"\0asm no component"),
            ("list", &list("9.1.0")),
            ("list-none", &list("9.2.0")),
        ],
        &json!([
            { "name": "newer", "targets": {
                "dpo-9.1.0.wasm": { "file": "newer", "custom": { "version": "9.1.0" } }, "versions.yml": { "file": "list" } } },
            { "name": "none", "targets": {
                "dpo-9.2.0.wasm": { "file": "none", "custom": { "version": "9.2.0" } }, "versions.yml": { "file": "list-none" } } },
        ]),
    );
    let publisher = Publisher::start().await;
    publisher.serve(repositories.step("newer"));
    let target = format!(
        "[targets.plugin]\nfolder = \"{}\"\ncomponent = \"dpo.wasm\"\nadapter = \"dpo\"\nproduct = \"dpo\"\n",
        pair.ours.folder.join("plugins").display()
    );
    let config = config(&folder, &publisher, &repositories.root(), port, &target);
    // A version counts as good only when it has brought a message to the other side.
    let sbd = folder.join("loop-back.json");
    std::fs::write(
        &sbd,
        Fagsystem::arkivmelding(Pair::SENDER, Pair::RECEIVER, "x").to_string(),
    )
    .unwrap();
    let examples = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/message");
    let mut text = std::fs::read_to_string(&config).unwrap();
    write!(
        text,
        "\n[targets.plugin.soak.loop-back]\nsbd = \"{}\"\nfiles = [\"{}\", \"{}\"]\nstatus = \"MOTTATT\"\ntime = \"20s\"\n",
        sbd.display(),
        examples.join("arkivmelding.xml").display(),
        examples.join("brev.pdf").display()
    )
    .unwrap();
    std::fs::write(&config, text).unwrap();
    let present = || std::fs::read(pair.ours.folder.join("plugins/dpo.wasm")).unwrap();
    a_message_goes(&sender, &receiver).await;
    let (good, told) = kosmos(&program, &config, "run-now").await;
    assert!(good, "{told}");
    assert_eq!(present(), newer);
    a_message_goes(&sender, &receiver).await;
    // The supervisor goes on watching, until it is good.
    let mut supervisor = Command::new(&program)
        .arg("kosmos")
        .arg("--config")
        .arg(&config)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(std::fs::File::create(folder.join("supervisor.log")).unwrap())
        .spawn()
        .unwrap();
    let log = || std::fs::read_to_string(folder.join("supervisor.log")).unwrap();
    assert!(
        within(PATIENCE, || log().contains("9.1.0 runs, and is good")).await,
        "{}",
        log()
    );
    assert!(
        log().contains("sending a message to see whether it is brought"),
        "{}",
        log()
    );
    let looped = receiver.wait_and_peek("", PATIENCE).await.unwrap();
    receiver
        .take(budstikke_e2e::message_id(&looped).unwrap())
        .await
        .unwrap()
        .ok()
        .unwrap();
    publisher.serve(repositories.step("none"));
    let (good, told) = kosmos(&program, &config, "run-now").await;
    supervisor.kill().unwrap();
    supervisor.wait().unwrap();
    assert!(!good && told.contains("9.1.0 runs again"), "{told}");
    assert!(told.contains("is not a WebAssembly component"), "{told}");
    assert_eq!(present(), newer, "{told}");
    a_message_goes(&sender, &receiver).await;
}
