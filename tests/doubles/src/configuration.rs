//! What a test says when it starts the doubles.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use crate::correspondence::PostConfig;
use crate::maskinporten::key::{KeyError, PublicKey};
use crate::organisation::{NotAnOrganisation, Organisation};

/// Scope needed to initialise and upload.
pub const WRITE_SCOPE: &str = "altinn:broker.write";
/// Scope needed to list, download and confirm.
pub const READ_SCOPE: &str = "altinn:broker.read";
/// Scope needed to get past the proxy to Correspondence.
pub const DPV_SCOPE: &str = "eformidling:dpv";
/// The resource of eFormidling's own message service (Spec: DPO and DPV, 2.1).
pub const DPO_RESOURCE: &str = "eformidling-dpo-meldingsutveksling";

/// How to start the doubles. `DoublesConfig::default()` listens on a free loopback port, knows no client, publishes
/// uploads at once and gives tokens of normal life.
#[derive(Clone, Debug)]
pub struct DoublesConfig {
    /// Where uploaded files are kept. `None`: a temporary folder that goes away with the doubles.
    pub dir: Option<PathBuf>,
    /// Address to listen on. Port 0 takes a free one.
    pub listen: SocketAddr,
    /// Clients that Maskinporten knows.
    pub clients: Vec<Client>,
    /// System users in Altinn's register.
    pub system_users: Vec<SystemUser>,
    /// Resources that the broker knows.
    pub resources: Vec<String>,
    /// What `aud` of an assertion must be. `None`: the base URL of the doubles with a slash at the end.
    pub audience: Option<String>,
    /// Limits of the broker.
    pub limits: Limits,
    /// Time in `UploadProcessing`. Zero publishes before the upload is answered.
    pub virus_scan_delay: Duration,
    /// Life of an Altinn token (about 1800 s at Altinn).
    pub token_life: Duration,
    /// Life of a Maskinporten token (about 120 s at Maskinporten).
    pub maskinporten_token_life: Duration,
    /// When a download counts as begun.
    pub download_mark: DownloadMark,
    /// The proxy and Correspondence.
    pub correspondence: PostConfig,
}

impl Default for DoublesConfig {
    fn default() -> Self {
        Self {
            dir: None,
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            clients: Vec::new(),
            system_users: Vec::new(),
            resources: vec![DPO_RESOURCE.to_owned()],
            audience: None,
            limits: Limits::default(),
            virus_scan_delay: Duration::ZERO,
            token_life: Duration::from_mins(30),
            maskinporten_token_life: Duration::from_mins(2),
            download_mark: DownloadMark::WhenComplete,
            correspondence: PostConfig::default(),
        }
    }
}

/// Limits of the broker's resource (Spec: DPO and DPV, 2.1).
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Largest upload, in bytes.
    pub max_upload: u64,
    /// Age at which an unconfirmed transfer is purged.
    pub time_to_live: Duration,
    /// Time from the last confirmation to the purge.
    pub purge_grace: Duration,
    /// Ids in one answer to a list call.
    pub list_length: usize,
    /// Whether an upload without `Content-Length` is taken.
    pub chunked_upload: bool,
}

impl Default for Limits {
    fn default() -> Self {
        const DAY: u64 = 24 * 60 * 60;
        Self {
            max_upload: 1 << 30,
            time_to_live: Duration::from_secs(30 * DAY),
            purge_grace: Duration::from_secs(DAY),
            list_length: 100,
            chunked_upload: true,
        }
    }
}

/// When the recipient's status becomes `DownloadStarted`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DownloadMark {
    /// After the last byte was handed to the connection.
    WhenComplete,
    /// Before the first byte, so that a broken download also counts.
    WhenRequested,
}

/// A client registered at Maskinporten.
#[derive(Clone, Debug)]
pub struct Client {
    pub(crate) id: String,
    pub(crate) organisation: Organisation,
    pub(crate) keys: Vec<PublicKey>,
    pub(crate) scopes: Vec<String>,
}

/// A client or system user cannot be registered.
#[derive(Debug, thiserror::Error)]
pub enum RegistrationError {
    /// The organisation number is wrong.
    #[error(transparent)]
    Organisation(#[from] NotAnOrganisation),
    /// The certificate or key is wrong.
    #[error(transparent)]
    Key(#[from] KeyError),
}

impl Client {
    /// A client that signs with the key of a certificate (PEM), with the scopes [`WRITE_SCOPE`] and [`READ_SCOPE`].
    pub fn with_certificate(id: &str, organisation: &str, pem: &str) -> Result<Self, RegistrationError> {
        Ok(Self::new(
            id,
            organisation.parse()?,
            PublicKey::from_certificate_pem(pem)?,
        ))
    }

    /// The same, for the organisation that the subject of the certificate names.
    pub fn of_certificate(id: &str, pem: &str) -> Result<Self, RegistrationError> {
        Ok(Self::new(
            id,
            PublicKey::organisation_of_pem(pem)?,
            PublicKey::from_certificate_pem(pem)?,
        ))
    }

    /// A client that signs with a key registered as JWK (`kty` RSA, `kid`, `n`, `e`; private members are ignored),
    /// with the scopes [`WRITE_SCOPE`] and [`READ_SCOPE`].
    pub fn with_jwk(id: &str, organisation: &str, jwk: &str) -> Result<Self, RegistrationError> {
        Ok(Self::new(id, organisation.parse()?, PublicKey::from_jwk(jwk)?))
    }

    pub(crate) fn new(id: &str, organisation: Organisation, key: PublicKey) -> Self {
        let scopes = [WRITE_SCOPE, READ_SCOPE].map(str::to_owned).to_vec();
        Self {
            id: id.to_owned(),
            organisation,
            keys: vec![key],
            scopes,
        }
    }

    /// Replaces the granted scopes.
    #[must_use]
    pub fn scopes<S: Into<String>>(mut self, scopes: impl IntoIterator<Item = S>) -> Self {
        self.scopes = scopes.into_iter().map(Into::into).collect();
        self
    }

    /// Registers one more certificate (PEM), as during a change of keys.
    pub fn and_certificate(mut self, pem: &str) -> Result<Self, RegistrationError> {
        self.keys.push(PublicKey::from_certificate_pem(pem)?);
        Ok(self)
    }

    /// The client id, `iss` of its assertions.
    pub fn id(&self) -> &str {
        &self.id
    }
}

/// A system user in Altinn's register: an organisation's consent that a system acts for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SystemUser {
    pub(crate) organisation: Organisation,
    pub(crate) name: String,
    pub(crate) approved: bool,
}

impl SystemUser {
    /// An approved system user. `name` is its `externalRef`. Any client of the doubles may use it.
    pub fn new(organisation: &str, name: &str) -> Result<Self, RegistrationError> {
        Ok(Self {
            organisation: organisation.parse()?,
            name: name.to_owned(),
            approved: true,
        })
    }

    /// The same, still waiting for approval.
    #[must_use]
    pub fn not_approved(mut self) -> Self {
        self.approved = false;
        self
    }
}
