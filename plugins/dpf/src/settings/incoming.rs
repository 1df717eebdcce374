//! `inn`: receiving through SvarInn.

use std::collections::BTreeMap;

use budstikke_sdk::settings::{SettingError, Settings};

use super::accounts::{self, LOGIN_KEYS, Login, is_organisation};
use super::{address, small, text_or};

/// How messages are fetched.
#[derive(Clone, PartialEq, Eq)]
pub struct Incoming {
    /// `base-url`, required: `https://svarut.ks.no/tjenester/svarinn`, in test `https://test.svarut.ks.no/tjenester/svarinn`.
    pub base_url: String,
    /// `fallback-sender-org-nr`: the sender of a forsendelse that names none. Default 999999999.
    pub fallback_sender: String,
    /// `process` of what comes. Default `urn:no:difi:profile:arkivmelding:administrasjon:ver1.0`.
    pub process: String,
    /// `document-type` of what comes. Default `urn:no:difi:arkivmelding:xsd::arkivmelding`.
    pub document_type: String,
    /// `poll-interval`: seconds from the end of one poll to the next. Default 900; 10 to 86400.
    pub poll_interval: u32,
    /// `max-per-poll`: forsendelser that are fetched in one poll before other work gets its turn. Default 50; 1 to 1000.
    pub max_per_poll: u32,
    /// `reject-permanently`: whether SvarUt is told to use another channel (Altinn, print) for what we cannot open. Default false: it stays
    /// in SvarInn.
    pub reject_permanently: bool,
    /// `username` and `password`: our own mottakersystem.
    pub own: Option<Login>,
    /// `paa-vegne-av`: further mottakersystemer, by organisation number.
    pub others: BTreeMap<String, Login>,
}

pub(super) const KEYS: [&str; 11] = [
    "enable",
    "base-url",
    "fallback-sender-org-nr",
    "process",
    "document-type",
    "poll-interval",
    "max-per-poll",
    "reject-permanently",
    "paa-vegne-av",
    "username",
    "password",
];

impl Incoming {
    /// None when it is switched off (`enable = false`): with several installations only one may fetch.
    pub(super) fn parse(given: &Settings) -> Result<Option<Self>, SettingError> {
        given.refuse_unknown(&KEYS)?;
        if !given.flag("enable", true)? {
            return Ok(None);
        }
        let fallback = text_or(given, "fallback-sender-org-nr", "999999999")?;
        if !is_organisation(&fallback) {
            let reason = "must be an organisation number";
            return Err(SettingError::invalid(&given.name("fallback-sender-org-nr"), reason));
        }
        let inn = Self {
            base_url: address(given, "base-url", given.required_text("base-url")?)?,
            fallback_sender: fallback,
            process: text_or(
                given,
                "process",
                "urn:no:difi:profile:arkivmelding:administrasjon:ver1.0",
            )?,
            document_type: text_or(given, "document-type", "urn:no:difi:arkivmelding:xsd::arkivmelding")?,
            poll_interval: small(given, "poll-interval", 900, 10, 86_400)?,
            max_per_poll: small(given, "max-per-poll", 50, 1, 1000)?,
            reject_permanently: given.flag("reject-permanently", false)?,
            own: accounts::login(given)?,
            others: accounts::by_organisation(given, &LOGIN_KEYS, accounts::login, "username")?,
        };
        if inn.own.is_none() && inn.others.is_empty() {
            return Err(SettingError::Missing(given.name("username")));
        }
        Ok(Some(inn))
    }
}
