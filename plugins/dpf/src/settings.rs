//! What the operator can write under `[adapters.<name>.settings]`. Names are near those of eFormidling (`difi.move.fiks.*`).

mod accounts;
mod incoming;
mod outgoing;

use budstikke_sdk::settings::{self, SettingError};
use budstikke_sdk::{Description, Service, ServiceRule};

use crate::SERVICE;

pub(crate) use accounts::is_organisation;
pub use accounts::{Account, Login};
pub use incoming::Incoming;
pub use outgoing::{Outgoing, Protocol, Seal};

/// The settings, checked.
#[derive(Clone, PartialEq, Eq)]
pub struct Settings {
    /// `protocol`: `rest` (version 3) or `soap` (version 9), for all senders. Default `rest`.
    pub protocol: Protocol,
    /// `kryptert`: what SvarUt is told; documents are encrypted in any case. Default true.
    pub encrypted: bool,
    /// `generate-arkivmelding-receipts`: whether an `arkivmelding_kvittering` is put on the incoming queue when a message has been read.
    /// Default false.
    pub receipts: bool,
    /// `ut`: sending. None: this installation only receives.
    pub out: Option<Outgoing>,
    /// `inn`: receiving. None: this installation only sends.
    pub inn: Option<Incoming>,
}

const KEYS: [&str; 5] = ["protocol", "kryptert", "generate-arkivmelding-receipts", "ut", "inn"];

/// Hours that a message lives, and bytes that its files may have, where `ut` does not say.
const LIFETIME: u32 = 24;

impl Settings {
    /// What the host has.
    pub(crate) fn load() -> Result<Self, SettingError> {
        Self::parse(&settings::Settings::load()?)
    }

    fn parse(given: &settings::Settings) -> Result<Self, SettingError> {
        given.refuse_unknown(&KEYS)?;
        let protocol = match given.text("protocol")? {
            None | Some("rest") => Protocol::Rest,
            Some("soap") => Protocol::Soap,
            Some(_) => return Err(SettingError::invalid("protocol", "must be \"rest\" or \"soap\"")),
        };
        let out = given.table("ut")?;
        let out = out.map(|out| Outgoing::parse(&out, protocol)).transpose()?;
        let inn = match given.table("inn")? {
            Some(inn) => Incoming::parse(&inn)?,
            None => None,
        };
        if out.is_none() && inn.is_none() {
            return Err(SettingError::Missing("ut".to_owned()));
        }
        Ok(Self {
            protocol,
            encrypted: given.flag("kryptert", true)?,
            receipts: given.flag("generate-arkivmelding-receipts", false)?,
            out,
            inn,
        })
    }

    /// Hours that a message lives when its sender does not say.
    pub(crate) fn lifetime_hours(&self) -> u32 {
        self.out.as_ref().map_or(LIFETIME, |out| out.lifetime_hours)
    }

    /// What the host must know about us.
    pub(crate) fn description(&self) -> Description {
        let mut rules = vec![ServiceRule::LifetimeHours(self.lifetime_hours()), ServiceRule::Checked];
        if let Some(out) = &self.out {
            rules.push(ServiceRule::UploadLimit(out.upload_limit));
        }
        Description {
            name: "DPF over KS SvarUt and SvarInn".to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            services: vec![Service {
                id: SERVICE.to_owned(),
                rules,
            }],
            poll_interval: self.inn.as_ref().map(|inn| inn.poll_interval),
        }
    }
}

/// An address without a slash at the end and without a query.
fn address(given: &settings::Settings, key: &str, text: &str) -> Result<String, SettingError> {
    let wrong = |reason: &str| Err(SettingError::invalid(&given.name(key), reason));
    if text.ends_with('/') {
        return wrong("must not end with a slash");
    }
    if budstikke_sdk::http::Address::parse(text).is_none() || text.contains(['?', '#']) {
        return wrong("must be an http or https address without a query");
    }
    Ok(text.to_owned())
}

/// A text that may not be empty, or the default.
fn text_or(given: &settings::Settings, key: &str, default: &str) -> Result<String, SettingError> {
    match given.text(key)? {
        None => Ok(default.to_owned()),
        Some("") => Err(SettingError::invalid(&given.name(key), "must not be empty")),
        Some(text) => Ok(text.to_owned()),
    }
}

/// A whole number from `least` to `most`.
fn small(given: &settings::Settings, key: &str, default: u32, least: u32, most: u32) -> Result<u32, SettingError> {
    let number = given.number(key, u64::from(default), u64::from(least), u64::from(most))?;
    u32::try_from(number).map_err(|_| SettingError::invalid(&given.name(key), "is too large"))
}

#[cfg(test)]
pub(crate) fn from_json(json: &str) -> Result<Settings, SettingError> {
    Settings::parse(&settings::Settings::from_json(json)?)
}

#[cfg(test)]
mod tests;
