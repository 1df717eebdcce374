//! Altinn's stand-ins, and organisations that write to each other.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use budstikke_doubles::{
    DPV_SCOPE, Doubles, DoublesConfig, KS_SCOPE, READ_SCOPE, SystemUser, TestOrganisation, WRITE_SCOPE,
};

use crate::address_service::{self, AddressService};
use crate::installation::{Installation, Known};
use crate::programs::{Profile, Programs};

/// An organisation with its keys and its folder.
pub struct Organisation {
    /// Nine digits.
    pub number: String,
    /// Keys and certificate.
    pub identity: TestOrganisation,
    /// Where its installation lives.
    pub folder: PathBuf,
}

/// Stand-ins and organisations.
pub struct World {
    /// The stand-ins.
    pub doubles: Doubles,
    /// What was built.
    pub programs: Programs,
    /// Who takes part.
    pub organisations: Vec<Organisation>,
    folder: PathBuf,
    _temporary: Option<tempfile::TempDir>,
}

/// The name of an organisation's system user.
pub(crate) fn system_user(number: &str) -> String {
    format!("{number}_integrasjonspunkt_systembruker_{number}")
}

impl World {
    /// Organisations with these numbers, and Altinn, in a folder that goes away afterwards.
    pub async fn new(numbers: &[&str]) -> anyhow::Result<Self> {
        Self::with(numbers, Profile::Debug, None, DoublesConfig::default()).await
    }

    /// The same, with a say in everything.
    pub async fn with(
        numbers: &[&str],
        profile: Profile,
        folder: Option<&Path>,
        mut doubles: DoublesConfig,
    ) -> anyhow::Result<Self> {
        let programs = tokio::task::spawn_blocking(move || Programs::build(profile)).await??;
        let (folder, temporary) = if let Some(folder) = folder {
            (folder.to_owned(), None)
        } else {
            let temporary = tempfile::tempdir()?;
            (temporary.path().to_owned(), Some(temporary))
        };
        let mut organisations = Vec::new();
        for number in numbers {
            let keys = folder.join("keys");
            std::fs::create_dir_all(&keys)?;
            let identity = TestOrganisation::create(&keys, number)?;
            let client = identity.client(&format!("client-{number}"))?;
            let scopes = [WRITE_SCOPE, READ_SCOPE, DPV_SCOPE, KS_SCOPE];
            doubles.clients.push(client.scopes(scopes));
            doubles
                .system_users
                .push(SystemUser::new(number, &system_user(number))?);
            organisations.push(Organisation {
                number: (*number).into(),
                identity,
                folder: folder.join(number),
            });
        }
        if doubles.dir.is_none() {
            doubles.dir = Some(folder.join("altinn"));
        }
        let doubles = Doubles::start(doubles).await.context("the stand-ins did not start")?;
        Ok(Self {
            doubles,
            programs,
            organisations,
            folder,
            _temporary: temporary,
        })
    }

    /// Everything of this world is below here.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// An installation for one of the organisations, not started yet.
    pub fn installation(&self, number: &str) -> anyhow::Result<Installation> {
        let organisation = self.organisation(number)?;
        Installation::prepare(self, organisation, organisation.folder.clone(), Known::List)
    }

    /// The same with an address service in it, whose own data has some organisations.
    pub async fn installation_with_address_service(
        &self,
        number: &str,
        known: &[&str],
    ) -> anyhow::Result<Installation> {
        let organisation = self.organisation(number)?;
        let folder = &organisation.folder;
        let registry = AddressService::prepare_embedded(self, organisation, &folder.join("registry"))?;
        let embedded = Known::Embedded(&registry.config());
        let installation = Installation::prepare(self, organisation, folder.clone(), embedded)?;
        registry.import(&address_service::organisations(self, known)).await?;
        Ok(installation)
    }

    /// The same that asks an address service at a URL, about every message anew.
    pub fn installation_asking(&self, number: &str, url: &str) -> anyhow::Result<Installation> {
        let organisation = self.organisation(number)?;
        let known = Known::AddressService(url);
        Installation::prepare(self, organisation, organisation.folder.clone(), known)
    }

    /// An address service of one of the organisations, as a process of its own; not started yet.
    pub fn address_service(&self, number: &str) -> anyhow::Result<AddressService> {
        AddressService::prepare(self, self.organisation(number)?, &self.folder.join("registry"))
    }

    /// One of several nodes of an organisation, with a folder of its own below the organisation's.
    pub fn node(&self, number: &str, name: &str) -> anyhow::Result<Installation> {
        let organisation = self.organisation(number)?;
        Installation::prepare(self, organisation, organisation.folder.join(name), Known::List)
    }

    pub(crate) fn organisation(&self, number: &str) -> anyhow::Result<&Organisation> {
        self.organisations
            .iter()
            .find(|organisation| organisation.number == number)
            .with_context(|| format!("no organisation {number} in this world"))
    }
}
