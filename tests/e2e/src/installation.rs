//! One integrasjonspunkt as an operator has it: a folder, a TOML file, a process.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitStatus;

use crate::address_service::PROCESSES;
use crate::fagsystem::{Fagsystem, USER};
use crate::process::Process;
use crate::shared_store::SharedStore;
use crate::world::{Organisation, World, system_user};

/// bcrypt of [`crate::fagsystem::PASSWORD`].
const HASH: &str = "$2b$04$abcdefghijklmnopqrstuuWmL4JtIt1luPpPxSJbKR3CQv3k4mbvm";
/// Lines of a log that a failed scene shows.
const TAIL: usize = 40;
/// How an installation knows who can receive what.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Known<'a> {
    /// Every organisation of the world stands in its own list.
    List,
    /// An address service that is part of it; the path of its TOML file.
    Embedded(&'a Path),
    /// An address service at a URL, which is asked about every message anew.
    AddressService(&'a str),
}

/// See the module.
pub struct Installation {
    /// Its folder.
    pub folder: PathBuf,
    process: Process,
}

impl Installation {
    /// Writes keys, plugin and TOML.
    pub(crate) fn prepare(
        world: &World,
        organisation: &Organisation,
        folder: PathBuf,
        known: Known<'_>,
    ) -> anyhow::Result<Self> {
        fs::create_dir_all(folder.join("plugins"))?;
        fs::copy(&world.programs.dpo, folder.join("plugins/dpo.wasm"))?;
        let process = Process::new(
            &world.programs.budstikke,
            "serve",
            folder.join("budstikke.toml"),
            &folder,
        );
        let installation = Self { folder, process };
        let registry = match known {
            Known::List => own_list(world)?,
            Known::Embedded(file) => format!("\n[registry]\nembedded = \"{}\"\n", file.display()),
            Known::AddressService(url) => format!("\n[registry]\nurl = \"{url}\"\ncache-seconds = 0\n"),
        };
        fs::write(
            installation.config(),
            format!("{}{registry}", configuration(world, organisation)),
        )?;
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
        self.process.log()
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
        self.process.spawn(environment)
    }

    /// Waits until the process is ready.
    pub async fn ready(&mut self) -> anyhow::Result<Fagsystem> {
        self.process.ready().await?;
        Ok(self.fagsystem())
    }

    /// How the process ended by itself.
    pub fn ended(&mut self) -> Option<ExitStatus> {
        self.process.ended()
    }

    /// Runs another command of the program on the same configuration, and waits for its end.
    pub async fn command(&self, command: &str, more: &[&str]) -> anyhow::Result<std::process::Output> {
        let config = self.config();
        let mut arguments: Vec<&str> = command.split(' ').collect();
        let config = config.to_string_lossy();
        arguments.extend(["--config", &*config]);
        arguments.extend(more);
        self.process.run(&arguments).await
    }

    /// A client of the running process.
    pub fn fagsystem(&self) -> Fagsystem {
        Fagsystem::new(&format!("http://{}", self.process.address()))
    }

    /// The process id.
    pub fn pid(&self) -> Option<u32> {
        self.process.pid()
    }

    /// SIGKILL, at once.
    pub fn kill(&mut self) {
        self.process.stop();
    }

    /// SIGTERM, and waits for the end.
    pub async fn terminate(&mut self) -> anyhow::Result<ExitStatus> {
        self.process.terminate().await
    }

    /// Any signal: `STOP` freezes the process, `CONT` lets it go on.
    pub fn signal(&self, name: &str) -> anyhow::Result<()> {
        self.process.signal(name)
    }

    /// Puts another component in the place of the adapter, the way an operator does: beside it, then renamed over it.
    pub fn drop_plugin(&self, component: &Path) -> anyhow::Result<()> {
        let fresh = self.folder.join("plugins/.dpo.wasm.new");
        fs::copy(component, &fresh)?;
        Ok(fs::rename(fresh, self.folder.join("plugins/dpo.wasm"))?)
    }
}

fn configuration(world: &World, own: &Organisation) -> String {
    let number = &own.number;
    let doubles = &world.doubles;
    format!(
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
    )
}

/// Every organisation of the world can be written to.
fn own_list(world: &World) -> anyhow::Result<String> {
    let mut text = String::new();
    for receiver in &world.organisations {
        write!(
            text,
            r#"
[[registry.receivers]]
identifier = "{}"

[[registry.receivers.capabilities]]
processes = {PROCESSES:?}
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
