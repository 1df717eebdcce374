//! `ut`: sending through SvarUt.

use std::collections::BTreeMap;

use budstikke_sdk::settings::{SettingError, Settings};

use super::accounts::{self, ACCOUNT_KEYS, Account};
use super::{address, small, text_or};

/// How SvarUt is spoken to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Protocol {
    /// REST, version 3 of sending.
    Rest,
    /// SOAP, version 9.
    Soap,
}

/// How the key of a document's encryption travels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Seal {
    /// RSAES-OAEP with SHA-256.
    Oaep,
    /// RSAES-PKCS1-v1_5, which some keystores of KS's older clients knew alone.
    Pkcs1,
}

/// How messages are sent.
#[derive(Clone, PartialEq, Eq)]
pub struct Outgoing {
    /// `endpoint-url`, required: `https://svarut.ks.no`, in test `https://test.svarut.ks.no`. Older configurations have the address
    /// of a SOAP service here; what is before it is taken.
    pub endpoint: String,
    /// `ws-endpoint-url`: the SOAP service. Default: version 9 below `endpoint-url`.
    pub ws_endpoint: String,
    /// `token-profile`: the profile that tokens for REST come from. Default `ks`.
    pub token_profile: String,
    /// `scope`: the scope of these tokens. Default `ks:fiks`.
    pub scope: String,
    /// `konteringskode`: at most 20 letters, digits, `-`, `_` and `.`. Default: none.
    pub accounting_code: Option<String>,
    /// `kun-digital-levering`: never print. Default false.
    pub digital_only: bool,
    /// `ekskluderes-fra-print`: extensions of files that are not printed; `*` is all but pdf, which is what KS wants. Default `["*"]`.
    pub not_printed: Vec<String>,
    /// `upload-size-limit`: bytes that the files of a message may have together. Default 1 GiB, 1073741824.
    pub upload_limit: u64,
    /// `default-ttl-hours`: hours that a message lives when its sender does not say. Default 24; 1 to 8760.
    pub lifetime_hours: u32,
    /// `idle-timeout`: seconds that SvarUt may take to answer. Default 960: it gives up by itself after 900. 10 to 3600.
    pub idle_timeout: u32,
    /// `uncertain-wait`: seconds that a forsendelse is given to turn up after its answer was lost, before it is sent again over REST.
    /// Default 960; 0 to 86400.
    pub uncertain_wait: u32,
    /// `seal`: `oaep` or `pkcs1`. Default `oaep`.
    pub seal: Seal,
    /// `track-days`: days that a message is asked about. Default 90; 1 to 400.
    pub track_days: u32,
    /// Our own account.
    pub own: Option<Account>,
    /// `paa-vegne-av`: accounts of the organisations that we send for, by number.
    pub others: BTreeMap<String, Account>,
}

pub(super) const KEYS: [&str; 14] = [
    "endpoint-url",
    "ws-endpoint-url",
    "token-profile",
    "scope",
    "konteringskode",
    "kun-digital-levering",
    "ekskluderes-fra-print",
    "upload-size-limit",
    "default-ttl-hours",
    "idle-timeout",
    "uncertain-wait",
    "seal",
    "track-days",
    "paa-vegne-av",
];

const GIB: u64 = 1024 * 1024 * 1024;
const SERVICE: &str = "/tjenester/forsendelseservice/";

impl Outgoing {
    pub(super) fn parse(given: &Settings, protocol: Protocol) -> Result<Self, SettingError> {
        let known: Vec<&str> = KEYS.iter().chain(&ACCOUNT_KEYS).copied().collect();
        given.refuse_unknown(&known)?;
        let endpoint = given.required_text("endpoint-url")?;
        // Spec: DPF and DPFIO, 14, sharp edge 16.
        let endpoint = endpoint.split_once(SERVICE).map_or(endpoint, |(before, _)| before);
        let endpoint = address(given, "endpoint-url", endpoint)?;
        let ws_endpoint = match given.text("ws-endpoint-url")? {
            None | Some("") => format!("{endpoint}{SERVICE}ForsendelsesServiceV9"),
            Some(text) => address(given, "ws-endpoint-url", text)?,
        };
        let out = Self {
            ws_endpoint,
            endpoint,
            token_profile: text_or(given, "token-profile", "ks")?,
            scope: text_or(given, "scope", "ks:fiks")?,
            accounting_code: accounting_code(given)?,
            digital_only: given.flag("kun-digital-levering", false)?,
            not_printed: {
                let extensions = given.texts("ekskluderes-fra-print")?.unwrap_or_else(|| vec!["*"]);
                extensions.into_iter().map(str::to_owned).collect()
            },
            upload_limit: given.number("upload-size-limit", GIB, 1, 1024 * GIB)?,
            lifetime_hours: small(given, "default-ttl-hours", 24, 1, 8760)?,
            idle_timeout: small(given, "idle-timeout", 960, 10, 3600)?,
            uncertain_wait: small(given, "uncertain-wait", 960, 0, 86_400)?,
            seal: match given.text("seal")? {
                None | Some("oaep") => Seal::Oaep,
                Some("pkcs1") => Seal::Pkcs1,
                Some(_) => {
                    let reason = "must be \"oaep\" or \"pkcs1\"";
                    return Err(SettingError::invalid(&given.name("seal"), reason));
                }
            },
            track_days: small(given, "track-days", 90, 1, 400)?,
            own: accounts::account(given, protocol)?,
            others: accounts::by_organisation(
                given,
                &ACCOUNT_KEYS,
                |account| accounts::account(account, protocol),
                first_key(protocol),
            )?,
        };
        if out.own.is_none() && out.others.is_empty() {
            return Err(SettingError::Missing(given.name(first_key(protocol))));
        }
        Ok(out)
    }
}

fn first_key(protocol: Protocol) -> &'static str {
    match protocol {
        Protocol::Rest => "kontoid",
        Protocol::Soap => "username",
    }
}

fn accounting_code(given: &Settings) -> Result<Option<String>, SettingError> {
    let Some(code) = given.text("konteringskode")?.filter(|code| !code.is_empty()) else {
        return Ok(None);
    };
    let good = |char: char| char.is_ascii_alphanumeric() || "æøåÆØÅ-_.".contains(char);
    if code.chars().count() > 20 || !code.chars().all(good) {
        let reason = "must be at most 20 letters, digits, -, _ and .";
        return Err(SettingError::invalid(&given.name("konteringskode"), reason));
    }
    Ok(Some(code.to_owned()))
}
