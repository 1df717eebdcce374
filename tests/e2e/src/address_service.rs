//! The address service, with the stand-ins as its outside registers: as a process of its own, or as a part of an installation.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, ensure};
use budstikke_doubles::{Content, INTEGRATION_ID, INTEGRATION_PASSWORD, KS_SCOPE};

use crate::process::Process;
use crate::world::{Organisation, World};

/// What every organisation of the tests takes, over the DPO stand-in.
pub(crate) const PROCESSES: [&str; 4] = [
    "urn:no:difi:profile:arkivmelding:administrasjon:ver1.0",
    "urn:no:difi:profile:arkivmelding:response:ver1.0",
    "urn:no:difi:profile:avtalt:avtalt:ver1.0",
    "urn:no:difi:profile:arkivmelding:taushetsbelagt:ver1.0",
];
/// The document types of these, each with its process.
const REGISTRATIONS: [(&str, &str); 4] = [
    ("urn:no:difi:arkivmelding:xsd::arkivmelding", PROCESSES[0]),
    ("urn:no:difi:arkivmelding:xsd::arkivmelding_kvittering", PROCESSES[1]),
    ("urn:no:difi:avtalt:xsd::avtalt", PROCESSES[2]),
    ("urn:no:difi:arkivmelding:xsd::arkivmelding", PROCESSES[3]),
];
/// What virksert calls the use of certificates.
const DPO_USE: &str = "cenbii-procid-ubl::urn:no:difi:profile:dpo:ver1.0";

/// See the module.
pub struct AddressService {
    folder: PathBuf,
    process: Process,
}

impl AddressService {
    /// Writes the TOML of one that clients call. `own` signs.
    pub(crate) fn prepare(world: &World, own: &Organisation, folder: &Path) -> anyhow::Result<Self> {
        Self::with(world, folder, &format!("{}{}", serving(own), look_ups(world, own)?))
    }

    /// The same of one that is a part of an installation.
    pub(crate) fn prepare_embedded(world: &World, own: &Organisation, folder: &Path) -> anyhow::Result<Self> {
        Self::with(world, folder, &look_ups(world, own)?)
    }

    fn with(world: &World, folder: &Path, configuration: &str) -> anyhow::Result<Self> {
        fs::create_dir_all(folder)?;
        let config = folder.join("registry.toml");
        fs::write(&config, configuration)?;
        Ok(Self {
            folder: folder.to_owned(),
            process: Process::new(&world.programs.budstikke, "registry", config, folder),
        })
    }

    /// The TOML file.
    pub fn config(&self) -> PathBuf {
        self.folder.join("registry.toml")
    }

    /// Writes a TOML file with organisations into its own data, also while it runs.
    pub async fn import(&self, organisations: &str) -> anyhow::Result<()> {
        let file = self.folder.join("organisations.toml");
        fs::write(&file, organisations)?;
        let (config, file) = (self.config(), file);
        let (config, file) = (config.to_string_lossy(), file.to_string_lossy());
        let done = self
            .process
            .run(&["registry", "import", "--config", &config, &file])
            .await?;
        let said = String::from_utf8_lossy(&done.stderr).into_owned();
        ensure!(done.status.success(), "the import failed:\n{said}");
        Ok(())
    }

    /// Starts it, and waits until it is ready. Another start takes the same address.
    pub async fn start(&mut self) -> anyhow::Result<()> {
        self.start_with(&[]).await
    }

    /// The same with more environment variables.
    pub async fn start_with(&mut self, environment: &[(&str, &str)]) -> anyhow::Result<()> {
        self.process.spawn(environment)?;
        self.process.ready().await?;
        let text = fs::read_to_string(self.config())?;
        let taken = format!("listen = \"{}\"", self.process.address());
        Ok(fs::write(
            self.config(),
            text.replace("listen = \"127.0.0.1:0\"", &taken),
        )?)
    }

    /// Where its API is.
    pub fn url(&self) -> String {
        format!("http://{}/adressetjeneste", self.process.address())
    }

    /// The process id.
    pub fn pid(&self) -> anyhow::Result<u32> {
        self.process.pid().context("not running")
    }

    /// SIGKILL, at once.
    pub fn kill(&mut self) {
        self.process.stop();
    }

    /// What it has logged so far.
    pub fn log(&self) -> String {
        self.process.log()
    }
}

/// Who asks, and what signs.
fn serving(own: &Organisation) -> String {
    format!(
        r#"[server]
listen = "127.0.0.1:0"
address-file = "address"

[clients]
open = true
organisation = "{number}"

[signing]
keystore = {{ path = "{p12}", password = "{password}" }}

"#,
        number = own.number,
        p12 = own.identity.p12_path().display(),
        password = own.identity.password(),
    )
}

/// Services and registers.
fn look_ups(world: &World, own: &Organisation) -> anyhow::Result<String> {
    let doubles = &world.doubles;
    Ok(format!(
        r#"[store]
folder = "data"

[services.DPO]
endpoint-url = "{base}"
resource = "eformidling-dpo-meldingsutveksling"

[services.DPV]
endpoint-url = "{base}"

[services.DPF]
endpoint-url = "{base}"
certificate = "{certificate}"

[registers.brreg]
url = "{base}/brreg/"

[registers.elma]
url = "{base}/smp"

[registers.virksert]
url = "{base}/virksert/"
uses = {{ DPO = "{DPO_USE}", DPE = "{DPO_USE}" }}

[registers.svarut]
url = "{base}/svarut/api/v2"
integrasjon-id = "{INTEGRATION_ID}"
integrasjon-passord = "{INTEGRATION_PASSWORD}"

[token]
url = "{token_url}"
audience = "{audience}"
client-id = "client-{number}"
scopes = ["{KS_SCOPE}"]

[certificates]
trust-anchors = ["{authority}"]
"#,
        base = doubles.url(),
        certificate = world.ks_certificate()?.display(),
        token_url = doubles.token_url(),
        audience = doubles.audience(),
        number = own.number,
        authority = own.identity.authority_path().display(),
    ))
}

/// Some organisations of a world, as a file for own data.
pub fn organisations(world: &World, numbers: &[&str]) -> String {
    let one = |organisation: &Organisation| {
        format!(
            r#"
[[organisations]]
number = "{number}"
name = "EKSEMPELETATEN {number}"
form = "ORGL"
address = {{ lines = ["Postboks 1 Sentrum"], postal-code = "0101", postal-area = "OSLO", country = "Norge" }}
registrations = {PROCESSES:?}
certificates = {{ DPO = """{certificate}""" }}
"#,
            number = organisation.number,
            certificate = organisation.identity.certificate_pem(),
        )
    };
    let among = |organisation: &&Organisation| numbers.contains(&organisation.number.as_str());
    world.organisations.iter().filter(among).map(one).collect()
}

/// Puts every organisation of a world into the stand-ins of the registers: Enhetsregisteret, ELMA and virksert.
pub fn register_everybody(world: &World) {
    register_but(world, "");
}

/// The same but one, which has no integrasjonspunkt that the registers know of.
pub fn register_but(world: &World, one: &str) {
    let registers = world.doubles.registers();
    let others = world
        .organisations
        .iter()
        .filter(|organisation| organisation.number != one);
    for Organisation { number, identity, .. } in others {
        registers.put(Content::unit(number, &format!("EKSEMPELETATEN {number}"), "ORGL"));
        for (document_type, process) in REGISTRATIONS {
            registers.put(Content::registration(number, document_type, &[process]));
        }
        registers.put(Content::certificate(number, DPO_USE, identity.certificate_pem()));
    }
}
