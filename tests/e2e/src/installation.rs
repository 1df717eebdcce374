//! One integrasjonspunkt as an operator has it: a folder, a TOML file, a process.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};

use crate::fagsystem::{Fagsystem, USER};
use crate::guard;
use crate::shared_store::SharedStore;
use crate::world::{Organisation, World, system_user};

/// The process that every arkivmelding of the tests uses.
const PROCESS: &str = "urn:no:difi:profile:arkivmelding:administrasjon:ver1.0";
/// bcrypt of [`crate::fagsystem::PASSWORD`].
const HASH: &str = "$2b$04$abcdefghijklmnopqrstuuWmL4JtIt1luPpPxSJbKR3CQv3k4mbvm";
/// Lines of a log that a failed scene shows.
const TAIL: usize = 40;
/// How long a start may take before it counts as failed. Generous: compilation on a busy machine.
const START: Duration = Duration::from_mins(1);

/// See the module.
pub struct Installation {
    /// Its folder.
    pub folder: PathBuf,
    program: PathBuf,
    process: Option<Child>,
    listen: String,
}

impl Installation {
    /// Writes keys, plugin and TOML. Every organisation of the world can be written to.
    pub(crate) fn prepare(world: &World, organisation: &Organisation, folder: PathBuf) -> anyhow::Result<Self> {
        fs::create_dir_all(folder.join("plugins"))?;
        fs::copy(&world.programs.dpo, folder.join("plugins/dpo.wasm"))?;
        let installation = Self {
            folder,
            program: world.programs.budstikke.clone(),
            process: None,
            listen: "127.0.0.1:0".into(),
        };
        fs::write(installation.config(), configuration(world, organisation)?)?;
        Ok(installation)
    }

    /// The TOML file.
    pub fn config(&self) -> PathBuf {
        self.folder.join("budstikke.toml")
    }

    /// Changes the TOML before a start.
    pub fn edit(&self, change: impl FnOnce(String) -> String) -> anyhow::Result<()> {
        let text = fs::read_to_string(self.config())?;
        Ok(fs::write(self.config(), change(text))?)
    }

    /// Before a start: asks everybody for a password, which [`Fagsystem`] knows, and lets it be operator too.
    pub fn ask_for_passwords(&self) -> anyhow::Result<()> {
        self.edit(|text| {
            let asked = text.replace("open = true\n", "");
            format!(
                "{asked}\n[[server.users]]\nname = \"{USER}\"\npassword-hash = \"{HASH}\"\nroles = [\"fagsystem\", \"operator\"]\n"
            )
        })
    }

    /// Before a start: a failed attempt is repeated after one second, and what is compiled is kept beside the component, so
    /// that not every scene compiles it anew.
    pub fn hurry(&self, world: &World) -> anyhow::Result<()> {
        let compiled = world.programs.dpo.with_file_name("compiled");
        self.edit(|text| {
            let cache = format!("[plugins]\ncache = \"{}\"", compiled.display());
            format!(
                "{}\n[messages]\nretry-seconds = [1]\n",
                text.replace("[plugins]", &cache)
            )
        })
    }

    /// Before a start: keeps database and files where other nodes do too. `url`: the database, be it through a line.
    pub fn share(&self, store: &SharedStore, node: &str, url: &str) -> anyhow::Result<()> {
        self.edit(|text| text.replace("[store]\n", &store.section(node, url)))
    }

    /// What it has logged so far.
    pub fn log(&self) -> String {
        fs::read_to_string(self.folder.join("log.txt")).unwrap_or_default()
    }

    /// The last lines of it, for a scene that failed.
    pub fn end_of_log(&self) -> String {
        let log = self.log();
        let lines: Vec<&str> = log.lines().collect();
        lines
            .get(lines.len().saturating_sub(TAIL)..)
            .unwrap_or_default()
            .join("\n")
    }

    /// Starts the process and waits until it is ready.
    pub async fn start(&mut self) -> anyhow::Result<Fagsystem> {
        self.start_with(&[]).await
    }

    /// Starts the process with more environment variables.
    pub async fn start_with(&mut self, environment: &[(&str, &str)]) -> anyhow::Result<Fagsystem> {
        self.spawn(environment)?;
        self.ready().await
    }

    /// Starts the process and waits for nothing.
    pub fn spawn(&mut self, environment: &[(&str, &str)]) -> anyhow::Result<()> {
        self.stop();
        let _absent = fs::remove_file(self.address_file());
        let log = fs::File::options()
            .create(true)
            .append(true)
            .open(self.folder.join("log.txt"))?;
        let child = Command::new(&self.program)
            .arg("serve")
            .arg("--config")
            .arg(self.config())
            .envs(environment.iter().copied())
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .spawn()
            .with_context(|| self.program.display().to_string())?;
        guard::began(child.id())?;
        self.process = Some(child);
        Ok(())
    }

    /// Waits until the process is ready.
    pub async fn ready(&mut self) -> anyhow::Result<Fagsystem> {
        let started = Instant::now();
        loop {
            if let Ok(address) = fs::read_to_string(self.address_file())
                && address.ends_with('\n')
            {
                address.trim().clone_into(&mut self.listen);
                return Ok(self.fagsystem());
            }
            if let Some(status) = self.ended() {
                bail!("the integrasjonspunkt ended with {status}; its log:\n{}", self.log());
            }
            if started.elapsed() > START {
                bail!(
                    "the integrasjonspunkt was not ready after {START:?}; its log:\n{}",
                    self.log()
                );
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    fn address_file(&self) -> PathBuf {
        self.folder.join("address")
    }

    /// How the process ended by itself.
    pub fn ended(&mut self) -> Option<ExitStatus> {
        self.process.as_mut()?.try_wait().ok().flatten()
    }

    /// Runs another command of the program on the same configuration, and waits for its end.
    pub async fn command(&self, command: &str, more: &[&str]) -> anyhow::Result<std::process::Output> {
        let mut process = Command::new(&self.program);
        process.arg(command).arg("--config").arg(self.config()).args(more);
        Ok(tokio::task::spawn_blocking(move || process.output()).await??)
    }

    /// A client of the running process.
    pub fn fagsystem(&self) -> Fagsystem {
        Fagsystem::new(&format!("http://{}", self.listen))
    }

    /// The process id.
    pub fn pid(&self) -> Option<u32> {
        self.process.as_ref().map(Child::id)
    }

    /// SIGKILL, at once.
    pub fn kill(&mut self) {
        self.stop();
    }

    /// SIGTERM, and waits for the end.
    pub async fn terminate(&mut self) -> anyhow::Result<ExitStatus> {
        self.signal("TERM")?;
        let mut child = self.process.take().context("not running")?;
        Ok(tokio::task::spawn_blocking(move || {
            let ended = child.wait();
            guard::ended(child.id());
            ended
        })
        .await??)
    }

    /// Any signal: `STOP` freezes the process, `CONT` lets it go on.
    pub fn signal(&self, name: &str) -> anyhow::Result<()> {
        let pid = self.pid().context("not running")?;
        let sent = Command::new("kill")
            .arg(format!("-{name}"))
            .arg(pid.to_string())
            .status()?;
        if !sent.success() {
            bail!("SIG{name} could not be sent");
        }
        Ok(())
    }

    /// Puts another component in the place of the adapter, the way an operator does: beside it, then renamed over it.
    pub fn drop_plugin(&self, component: &Path) -> anyhow::Result<()> {
        let fresh = self.folder.join("plugins/.dpo.wasm.new");
        fs::copy(component, &fresh)?;
        Ok(fs::rename(fresh, self.folder.join("plugins/dpo.wasm"))?)
    }

    fn stop(&mut self) {
        if let Some(mut child) = self.process.take() {
            // It may have ended by itself.
            let _ended = child.kill();
            guard::ended(child.id());
            let _reaped = child.wait();
        }
    }
}

impl Drop for Installation {
    fn drop(&mut self) {
        self.stop();
    }
}

fn configuration(world: &World, own: &Organisation) -> anyhow::Result<String> {
    let number = &own.number;
    let doubles = &world.doubles;
    let mut text = format!(
        r#"[organisation]
number = "{number}"

[organisation.keystore]
path = "{p12}"
password = "{password}"

[server]
listen = "127.0.0.1:0"
address-file = "address"
open = true
manage-open = ["health", "info"]

[store]
folder = "data"

[plugins]
folder = "plugins"
poll-seconds = 1

[tokens.altinn]
url = "{token_url}"
audience = "{audience}"
client-id = "client-{number}"
scopes = ["altinn:broker.read", "altinn:broker.write"]
exchange-url = "{exchange_url}"

[tokens.altinn.system-users]
"0192:{number}" = "{system_user}"

[adapters.dpo]
component = "dpo.wasm"
services = ["DPO"]

[adapters.dpo.grants]
interfaces = ["*"]
http = ["{base}"]
tokens = ["altinn"]

[adapters.dpo.limits]
call-time = "10m"
cpu-time = "30s"

[adapters.dpo.settings]
broker-url = "{broker}"
poll-interval = 1
"#,
        p12 = own.identity.p12_path().display(),
        password = own.identity.password(),
        token_url = doubles.token_url(),
        audience = doubles.audience(),
        exchange_url = doubles.exchange_url(),
        system_user = system_user(number),
        base = doubles.url(),
        broker = doubles.broker_url(),
    );
    for receiver in &world.organisations {
        write!(
            text,
            r#"
[[registry.receivers]]
identifier = "{}"

[[registry.receivers.capabilities]]
processes = [
    "{PROCESS}",
    "urn:no:difi:profile:arkivmelding:response:ver1.0",
    "urn:no:difi:profile:avtalt:avtalt:ver1.0",
]
service = "DPO"
document-types = [
    "urn:no:difi:arkivmelding:xsd::arkivmelding",
    "urn:no:difi:arkivmelding:xsd::arkivmelding_kvittering",
    "urn:no:difi:avtalt:xsd::avtalt",
]
certificate = "{}"
"#,
            receiver.number,
            receiver.identity.certificate_path().display()
        )?;
    }
    Ok(text)
}
