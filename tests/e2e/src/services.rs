//! Installations with more adapters than the first one: who also reads in Altinn's inbox, who is reached by KS.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, ensure};
use budstikke_doubles::{Mottakersystem, SvarUtAccount};

use crate::installation::Installation;
use crate::programs::component;
use crate::world::World;

/// Seconds between two polls of a mottakersystem: the adapter allows no fewer.
const POLL: u32 = 10;

impl World {
    /// The certificate that everything over SvarUt is sealed to, as a file.
    pub fn ks_certificate(&self) -> anyhow::Result<PathBuf> {
        let file = self.folder().join("ks.pem");
        std::fs::write(&file, self.doubles.ks().certificate())?;
        Ok(file)
    }

    /// Gives an organisation a mottakersystem at KS, with the certificate that it has.
    pub fn receives_over_ks(&self, number: &str) -> anyhow::Result<()> {
        let certificate = self.organisation(number)?.identity.certificate_pem();
        let receiver = Mottakersystem {
            level: 3,
            ..Mottakersystem::new(number, certificate)
        };
        self.doubles.put_mottakersystem(receiver);
        Ok(())
    }
}

impl Installation {
    /// Before a start: sends over DPV as well. `settings` are further lines of its settings.
    pub async fn serves_dpv(&self, world: &World, settings: &str) -> anyhow::Result<()> {
        self.takes("dpv").await?;
        let doubles = &world.doubles;
        let number = self.number(world)?;
        self.edit(|text| {
            format!(
                r#"{text}
[tokens.dpv]
url = "{token_url}"
audience = "{audience}"
client-id = "client-{number}"
scopes = ["eformidling:dpv"]
exchange-url = "{exchange_url}"

[adapters.dpv]
component = "dpv.wasm"
services = ["DPV"]

[adapters.dpv.grants]
interfaces = ["documents", "identity", "exchange", "registry"]
http = ["{base}"]
tokens = ["dpv"]

[adapters.dpv.limits]
cpu-time = "30s"

[adapters.dpv.settings]
correspondence-service-url = "{correspondence}"
token-profile = "dpv"
{settings}
"#,
                token_url = doubles.token_url(),
                audience = doubles.audience(),
                exchange_url = doubles.exchange_url(),
                base = doubles.url(),
                correspondence = doubles.correspondence_url(),
            )
        })
    }

    /// Before a start: sends over DPF as well, and fetches from its mottakersystem. `protocol` is `rest` or `soap`.
    pub async fn serves_dpf(&self, world: &World, protocol: &str) -> anyhow::Result<()> {
        self.takes("dpf").await?;
        let doubles = &world.doubles;
        let number = self.number(world)?;
        doubles
            .ks()
            .put_account(SvarUtAccount::new(&number).with_types(["byggesak"]));
        let account = doubles.ks().account_of(&number).context("no konto at SvarUt")?;
        self.edit(|text| {
            format!(
                r#"{text}
[tokens.ks]
url = "{token_url}"
audience = "{audience}"
client-id = "client-{number}"
scopes = ["ks:fiks"]

[adapters.dpf]
component = "dpf.wasm"
services = ["DPF"]

[adapters.dpf.grants]
interfaces = ["documents", "packaging", "identity", "exchange", "registry", "state"]
http = ["{base}"]
tokens = ["ks"]

[adapters.dpf.limits]
call-time = "2m"
cpu-time = "30s"
silence-time = "1m"

[adapters.dpf.settings]
protocol = "{protocol}"

[adapters.dpf.settings.ut]
endpoint-url = "{svarut}"
uncertain-wait = 1
username = "{user}"
password = "{password}"
kontoid = "{konto}"
integrasjon-id = "{integration}"
integrasjon-passord = "{integration_password}"

[adapters.dpf.settings.inn]
base-url = "{svarinn}"
username = "svarinn-{number}"
password = "mottak-{number}"
poll-interval = {POLL}
"#,
                token_url = doubles.token_url(),
                audience = doubles.audience(),
                base = doubles.url(),
                svarut = doubles.svarut_url(),
                svarinn = doubles.svarinn_url(),
                user = account.user,
                password = account.password,
                konto = account.konto,
                integration = account.integration_id,
                integration_password = account.integration_password,
            )
        })
    }

    /// Before a start: whoever stands in its own list is reached over another service. `more` are lines of each entry.
    pub fn reaches_all_over(&self, service: &str, certificate: Option<&Path>, more: &str) -> anyhow::Result<()> {
        self.edit(|text| {
            let lines = text.lines().map(|line| match line.strip_prefix("certificate = ") {
                Some(_) => match certificate {
                    Some(file) => format!("certificate = \"{}\"\n{more}", file.display()),
                    None => more.to_owned(),
                },
                None => line.replace("service = \"DPO\"", &format!("service = \"{service}\"")),
            });
            lines.collect::<Vec<_>>().join("\n")
        })
    }

    /// Before a start: gives those who stand in its own list a name.
    pub fn names(&self, numbers: &[&str]) -> anyhow::Result<()> {
        self.edit(|mut text| {
            for number in numbers {
                let entry = format!("identifier = \"{number}\"");
                text = text.replace(&entry, &format!("{entry}\nname = \"Organisasjon {number}\""));
            }
            text
        })
    }

    /// Puts the component of an adapter into its plugin folder.
    async fn takes(&self, adapter: &'static str) -> anyhow::Result<()> {
        let built = tokio::task::spawn_blocking(move || component(adapter)).await??;
        std::fs::copy(built, self.folder.join(format!("plugins/{adapter}.wasm")))?;
        Ok(())
    }

    /// The organisation whose folder it is in.
    fn number(&self, world: &World) -> anyhow::Result<String> {
        let owner = world
            .organisations
            .iter()
            .find(|organisation| self.folder.starts_with(&organisation.folder));
        ensure!(owner.is_some(), "the installation belongs to nobody of this world");
        Ok(owner.map(|owner| owner.number.clone()).unwrap_or_default())
    }
}
