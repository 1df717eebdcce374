//! Who may send through SvarUt, and who fetches from SvarInn.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// A sender's konto at SvarUt, with what it is reached by: an integrasjon (REST) and a user (SOAP).
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SvarUtAccount {
    /// Organisation number of its owner.
    pub number: String,
    /// Name of its owner.
    pub name: String,
    /// `kontoId`.
    pub konto: Uuid,
    /// `IntegrasjonId`.
    pub integration_id: Uuid,
    /// `IntegrasjonPassord`.
    pub integration_password: String,
    /// Whom tokens must be for: the consumer. As a rule the owner.
    pub authorised: String,
    /// User name for SOAP.
    pub user: String,
    /// Password for SOAP.
    pub password: String,
    /// Forsendelsestyper that the sender may use.
    pub types: Vec<String>,
}

impl SvarUtAccount {
    /// A konto with ids of its own. The passwords are `integrasjon-<number>` and `passord-<number>`, the user is `svarut-<number>`,
    /// and there are no forsendelsestyper.
    pub fn new(number: &str) -> Self {
        Self {
            number: number.to_owned(),
            name: format!("Organisasjon {number}"),
            konto: Uuid::new_v4(),
            integration_id: Uuid::new_v4(),
            integration_password: format!("integrasjon-{number}"),
            authorised: number.to_owned(),
            user: format!("svarut-{number}"),
            password: format!("passord-{number}"),
            types: Vec::new(),
        }
    }

    /// The same with forsendelsestyper.
    #[must_use]
    pub fn with_types<S: Into<String>>(mut self, types: impl IntoIterator<Item = S>) -> Self {
        self.types = types.into_iter().map(Into::into).collect();
        self
    }

    /// The same, whose integrasjon takes tokens of another organisation, a supplier say.
    #[must_use]
    pub fn authorised(mut self, number: &str) -> Self {
        number.clone_into(&mut self.authorised);
        self
    }
}

/// A mottakersystem: forsendelser to its organisations wait in SvarInn.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mottakersystem {
    /// Organisation numbers that it takes for.
    pub numbers: Vec<String>,
    /// User name.
    pub user: String,
    /// The generated service password.
    pub password: String,
    /// The certificate that was uploaded, in PEM: what waits is encrypted to it.
    pub certificate: String,
    /// Its level, 3 or 4.
    pub level: u8,
}

impl Mottakersystem {
    /// A mottakersystem of level 4 for one organisation; user `svarinn-<number>`, password `mottak-<number>`.
    pub fn new(number: &str, certificate: &str) -> Self {
        Self {
            numbers: vec![number.to_owned()],
            user: format!("svarinn-{number}"),
            password: format!("mottak-{number}"),
            certificate: certificate.to_owned(),
            level: 4,
        }
    }
}
