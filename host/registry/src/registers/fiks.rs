//! The Fiks IO catalogue: accounts by their UUID, and the certificate that messages to one are sealed to. Spec: service registry,
//! 5.8; DPF and DPFIO.

use std::sync::Arc;

use async_trait::async_trait;
use reqwest::StatusCode;
use serde::Deserialize;

use super::ks::Ks;
use super::open::OpenError;
use super::settings::{Fiks as Settings, Pace};
use super::token::TokenSource;
use super::wire::Wire;
use super::{Account, Accounts, RegisterError, certificate};

/// Its name in errors.
pub(super) const NAME: &str = "the Fiks IO catalogue";

/// The client.
pub(super) struct Fiks {
    ks: Ks,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Answer {
    konto_id: String,
    konto_navn: Option<String>,
    status: Status,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Status {
    gyldig_mottaker: bool,
}

#[derive(Deserialize)]
struct Key {
    nokkel: String,
    /// What the catalogue thinks of its own key.
    #[serde(default = "yes")]
    valid: bool,
}

fn yes() -> bool {
    true
}

impl Fiks {
    pub(super) fn new(settings: &Settings, pace: &Pace, token: Arc<dyn TokenSource>) -> Result<Self, OpenError> {
        let wire = Wire::new(NAME, &settings.url, pace)?.quoting();
        let ks = Ks::new(wire, &settings.integrasjon_id, &settings.integrasjon_passord, token);
        Ok(Self { ks })
    }

    async fn find(&self, segments: &[&str]) -> Result<Option<Vec<u8>>, RegisterError> {
        let question = || self.ks.wire.get(segments);
        self.ks.find(question, &[StatusCode::NOT_FOUND]).await
    }
}

#[async_trait]
impl Accounts for Fiks {
    async fn account(&self, id: &str) -> Result<Option<Account>, RegisterError> {
        let wire = &self.ks.wire;
        if !is_uuid(id) {
            return Err(wire.rejected("the id of an account must be a UUID"));
        }
        let Some(body) = self.find(&["kontoer", id]).await? else {
            return Ok(None);
        };
        let account: Answer = wire.json(&body)?;
        if !account.konto_id.eq_ignore_ascii_case(id) {
            return Err(wire.unusable("kontoId is not the one that was asked for"));
        }
        let key = match self.find(&["kontoer", id, "offentligNokkel"]).await? {
            Some(body) => Some(wire.json::<Key>(&body)?).filter(|key| key.valid),
            None => None,
        };
        let certificate = match key {
            Some(key) => Some(certificate::read(&key.nokkel).ok_or_else(|| wire.unusable("nokkel is no certificate"))?),
            None => None,
        };
        Ok(Some(Account {
            id: account.konto_id,
            name: account.konto_navn,
            receives: account.status.gyldig_mottaker,
            certificate,
        }))
    }
}

/// Eight, four, four, four and twelve hexadecimal digits.
fn is_uuid(text: &str) -> bool {
    let groups: Vec<&str> = text.split('-').collect();
    groups.iter().map(|group| group.len()).eq([8, 4, 4, 4, 12])
        && groups
            .iter()
            .all(|group| group.bytes().all(|byte| byte.is_ascii_hexdigit()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_uuid_is_asked_for() {
        assert!(is_uuid("f0e1d2c3-0011-4a5b-8c7d-0123456789AB"));
        for text in [
            "",
            "..",
            "f0e1d2c300114a5b8c7d0123456789ab",
            "f0e1d2c3-0011-4a5b-8c7d-0123456789ag",
        ] {
            assert!(!is_uuid(text), "{text}");
        }
    }
}
