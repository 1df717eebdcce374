//! Norsk Helsenett's address register, behind its adapter. Spec: service registry, 6.7.

use async_trait::async_trait;
use budstikke_message::identifier::Nhn as Identifier;
use reqwest::StatusCode;
use reqwest::header::ACCEPT;
use serde::Deserialize;

use super::open::OpenError;
use super::settings::{NorskHelsenett as Settings, Pace};
use super::wire::{PLACE, Wire};
use super::{HealthUnit, HealthUnits, RegisterError, certificate};
use crate::caller::CallerToken;

/// Its name in errors.
pub(super) const NAME: &str = "Norsk Helsenett";

/// The client.
pub(super) struct Nhn {
    wire: Wire,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Answer {
    her_id: u64,
    name: Option<String>,
    parent_her_id: Option<u64>,
    parent_name: Option<String>,
    org_number: String,
    der_certificate: Option<String>,
}

impl Nhn {
    pub(super) fn new(settings: &Settings, pace: &Pace) -> Result<Self, OpenError> {
        if !settings.url.contains(PLACE) {
            return Err(OpenError::Url {
                register: NAME,
                detail: format!("it must hold {PLACE}"),
            });
        }
        Ok(Self {
            wire: Wire::new(NAME, &settings.url, pace)?.for_the_caller(),
        })
    }
}

#[async_trait]
impl HealthUnits for Nhn {
    async fn unit(&self, identifier: &Identifier, token: &CallerToken) -> Result<Option<HealthUnit>, RegisterError> {
        let request = self
            .wire
            .get_filled(identifier.as_str())
            .bearer_auth(token.secret())
            .header(ACCEPT, "application/json");
        let Some(body) = self.wire.find(request, &[StatusCode::NOT_FOUND]).await? else {
            return Ok(None);
        };
        let answer: Answer = self.wire.json(&body)?;
        if identifier.her_id().is_some_and(|asked| asked != answer.her_id) {
            return Err(self.wire.unusable("herId is not the one that was asked for"));
        }
        let certificate = match answer.der_certificate.filter(|text| !text.trim().is_empty()) {
            Some(text) => {
                let read = certificate::read(&text);
                Some(read.ok_or_else(|| self.wire.unusable("derCertificate is no certificate"))?)
            }
            None => None,
        };
        Ok(Some(HealthUnit {
            her_id: answer.her_id,
            name: answer.name,
            parent_her_id: answer.parent_her_id,
            parent_name: answer.parent_name,
            organisation: answer.org_number,
            certificate,
        }))
    }
}
