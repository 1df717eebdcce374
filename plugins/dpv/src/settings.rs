//! What the operator can write under `[adapters.<name>.settings]`.

use budstikke_sdk::http::Address;
use budstikke_sdk::settings::{self, SettingError};
use budstikke_sdk::{Description, Service, ServiceRule};

use crate::SERVICE;
use crate::notification::{Channel, LONGEST_SUBJECT, LONGEST_TEXT};
use crate::plain_text::characters;

/// The settings, checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// `correspondence-service-url`, required: the address of the Correspondence API at the proxy, without a slash at the end, such
    /// as `https://eformidling.no/altinn-proxy/correspondence/api/v1`.
    pub correspondence_service_url: String,
    /// `token-profile`: the profile that tokens come from. Default `altinn`.
    pub token_profile: String,
    /// `scope`: the scope of the tokens. Default `eformidling:dpv`.
    pub scope: String,
    /// `sensitive-resource`: messages under this resource are confidential. Default `eformidling-dpv-taushetsbelagt`.
    pub sensitive_resource: String,
    /// `notify-email` and `notify-sms`, both true by default: how receivers are notified when the message does not say. Neither of
    /// them means both.
    pub channel: Channel,
    /// `notification-text`: what the notification says when the message does not. `$reporterName$` is the sender's name,
    /// `$correspondenceRecipientName$` is filled in by Altinn. At most 2144 characters.
    pub notification_text: String,
    /// `sensitive-notification-text`: the same for confidential messages.
    pub sensitive_notification_text: String,
    /// `email-subject`: the subject of notifications by e-mail. Default `Melding mottatt i Altinn`; at most 512 characters.
    pub email_subject: String,
    /// `days-to-reply`: days until the answer is due when the message does not say. Default 7; 1 to 3650. None with
    /// `enable-due-date` false.
    pub days_to_reply: Option<u32>,
    /// `sender-name`: the sender's name when the registry has none. Default none: such a message fails.
    pub sender_name: Option<String>,
    /// `upload-limit`: bytes that the files of a message may have together. Default 250 MiB, 262144000.
    pub upload_limit: u64,
    /// `lifetime-hours`: hours that a message lives when its sender does not say. Default 24; 1 to 720.
    pub lifetime_hours: u32,
    /// `file-types`: the extensions that files may have, in lower case and without the dot. Default: those that Altinn takes.
    pub file_types: Vec<String>,
    /// `tracking-threshold-days`: days since its last status after which a message is looked at least often. Default 30; 1 to 3650.
    pub tracking_threshold_days: u32,
    /// `tracking-longest-minutes`: minutes between looks from then on. Default 60; 1 to 10080.
    pub tracking_longest_minutes: u32,
    /// `days-of-tracking`: days since its last status after which a message is not looked at any more. Default 365; 1 to 3650.
    pub days_of_tracking: u32,
    /// `generate-arkivmelding-receipts`: whether an arkivmelding that was delivered gives an `arkivmelding_kvittering` on the incoming
    /// queue. Default false.
    pub generate_arkivmelding_receipts: bool,
}

const KEYS: [&str; 19] = [
    "correspondence-service-url",
    "token-profile",
    "scope",
    "sensitive-resource",
    "notify-email",
    "notify-sms",
    "notification-text",
    "sensitive-notification-text",
    "email-subject",
    "enable-due-date",
    "days-to-reply",
    "sender-name",
    "upload-limit",
    "lifetime-hours",
    "file-types",
    "tracking-threshold-days",
    "tracking-longest-minutes",
    "days-of-tracking",
    "generate-arkivmelding-receipts",
];

const NOTIFICATION: &str = "$correspondenceRecipientName$: Du har mottatt en melding fra $reporterName$.";

const SENSITIVE_NOTIFICATION: &str = "$correspondenceRecipientName$: Du har mottatt en taushetsbelagt melding fra \
    $reporterName$. Meldingen ligger i Altinn, og kan bare leses av dem som har fått tilgang til tjenesten \
    «eformidling-dpv-taushetsbelagt». Er det ingen som har det ennå, må virksomheten gi noen tilgang. \
    Les mer om hvordan det gjøres på https://info.altinn.no/hjelp/.";

/// What Altinn takes. Spec: DPO and DPV, 4.8.
const FILE_TYPES: [&str; 20] = [
    "doc", "xls", "docx", "xlsx", "ppt", "pps", "zip", "pdf", "html", "txt", "xml", "jpg", "jpeg", "gif", "bmp", "png",
    "json", "csv", "dcm", "dicom",
];

const MIB: u64 = 1024 * 1024;

impl Settings {
    /// What the host has.
    pub(crate) fn load() -> Result<Self, SettingError> {
        Self::parse(&settings::Settings::load()?)
    }

    fn parse(given: &settings::Settings) -> Result<Self, SettingError> {
        given.refuse_unknown(&KEYS)?;
        let text = |key, default: &str, longest: usize| match given.text(key)? {
            None => Ok(default.to_owned()),
            Some(text) if text.trim().is_empty() => Err(SettingError::invalid(key, "must not be empty")),
            Some(text) if characters(text) > longest => Err(SettingError::invalid(
                key,
                format!("must have at most {longest} characters"),
            )),
            Some(text) => Ok(text.to_owned()),
        };
        let small = |key, default: u32, most: u32| {
            let number = given.number(key, u64::from(default), 1, u64::from(most))?;
            u32::try_from(number).map_err(|_| SettingError::invalid(key, "is too large"))
        };
        let has_due_date = given.flag("enable-due-date", true)?;
        Ok(Self {
            correspondence_service_url: url(given, "correspondence-service-url")?,
            token_profile: text("token-profile", "altinn", usize::MAX)?,
            scope: text("scope", "eformidling:dpv", usize::MAX)?,
            sensitive_resource: text("sensitive-resource", "eformidling-dpv-taushetsbelagt", usize::MAX)?,
            channel: Channel::from_flags(given.flag("notify-email", true)?, given.flag("notify-sms", true)?),
            notification_text: text("notification-text", NOTIFICATION, LONGEST_TEXT)?,
            sensitive_notification_text: text("sensitive-notification-text", SENSITIVE_NOTIFICATION, LONGEST_TEXT)?,
            email_subject: text("email-subject", "Melding mottatt i Altinn", LONGEST_SUBJECT)?,
            days_to_reply: Some(small("days-to-reply", 7, 3650)?).filter(|_| has_due_date),
            sender_name: match given.text("sender-name")? {
                None => None,
                Some(_) => Some(text("sender-name", "", 255)?),
            },
            upload_limit: given.number("upload-limit", 250 * MIB, 1, 1024 * 1024 * MIB)?,
            lifetime_hours: small("lifetime-hours", 24, 720)?,
            file_types: file_types(given, "file-types")?,
            tracking_threshold_days: small("tracking-threshold-days", 30, 3650)?,
            tracking_longest_minutes: small("tracking-longest-minutes", 60, 10_080)?,
            days_of_tracking: small("days-of-tracking", 365, 3650)?,
            generate_arkivmelding_receipts: given.flag("generate-arkivmelding-receipts", false)?,
        })
    }

    /// What the host must know about us.
    pub(crate) fn description(&self) -> Description {
        Description {
            name: "DPV over Altinn Melding".to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            services: vec![Service {
                id: SERVICE.to_owned(),
                rules: vec![
                    ServiceRule::UploadLimit(self.upload_limit),
                    ServiceRule::LifetimeHours(self.lifetime_hours),
                    ServiceRule::TitleRequired,
                    ServiceRule::Checked,
                ],
            }],
            poll_interval: None,
        }
    }
}

fn url(given: &settings::Settings, key: &str) -> Result<String, SettingError> {
    let url = given.required_text(key)?;
    if url.ends_with('/') {
        return Err(SettingError::invalid(key, "must not end with a slash"));
    }
    if Address::parse(url).is_none() || url.contains(['?', '#']) {
        let reason = "must be an http or https address without a query";
        return Err(SettingError::invalid(key, reason));
    }
    Ok(url.to_owned())
}

fn file_types(given: &settings::Settings, key: &str) -> Result<Vec<String>, SettingError> {
    let types = given.texts(key)?.unwrap_or_else(|| FILE_TYPES.to_vec());
    let good = |extension: &&str| {
        let plain = |letter: char| letter.is_ascii_lowercase() || letter.is_ascii_digit();
        !extension.is_empty() && extension.chars().all(plain)
    };
    if types.is_empty() || !types.iter().all(good) {
        let reason = "must be a list of extensions in lower case and without a dot";
        return Err(SettingError::invalid(key, reason));
    }
    Ok(types.into_iter().map(str::to_owned).collect())
}

#[cfg(test)]
pub(crate) fn from_json(json: &str) -> Result<Settings, SettingError> {
    Settings::parse(&settings::Settings::from_json(json)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(extra: &str) -> Result<Settings, SettingError> {
        from_json(&format!(
            r#"{{"correspondence-service-url":"https://proxy.example/v1"{extra}}}"#
        ))
    }

    #[test]
    fn the_address_is_all_that_must_be_said() {
        let settings = with("").unwrap();
        assert_eq!(settings.scope, "eformidling:dpv");
        assert_eq!(settings.upload_limit, 262_144_000);
        assert_eq!(settings.file_types.len(), 20);
        assert_eq!(
            (settings.channel, settings.days_to_reply),
            (Channel::EmailAndSms, Some(7))
        );
        assert!(!settings.generate_arkivmelding_receipts);
        for text in [&settings.notification_text, &settings.sensitive_notification_text] {
            assert!(text.contains("$correspondenceRecipientName$") && text.contains("$reporterName$"));
        }
    }

    #[test]
    fn every_setting_is_read() {
        let extra = r#","token-profile":"p","scope":"s","sensitive-resource":"r","notify-email":false,"notify-sms":true,
            "notification-text":"n","sensitive-notification-text":"t","email-subject":"e","enable-due-date":true,
            "days-to-reply":22,"sender-name":"Etat A","upload-limit":7,"lifetime-hours":48,"file-types":["pdf"],
            "tracking-threshold-days":3,"tracking-longest-minutes":9,"days-of-tracking":30,
            "generate-arkivmelding-receipts":true"#;
        assert_eq!(
            with(extra).unwrap(),
            Settings {
                correspondence_service_url: "https://proxy.example/v1".to_owned(),
                token_profile: "p".to_owned(),
                scope: "s".to_owned(),
                sensitive_resource: "r".to_owned(),
                channel: Channel::Sms,
                notification_text: "n".to_owned(),
                sensitive_notification_text: "t".to_owned(),
                email_subject: "e".to_owned(),
                days_to_reply: Some(22),
                sender_name: Some("Etat A".to_owned()),
                upload_limit: 7,
                lifetime_hours: 48,
                file_types: vec!["pdf".to_owned()],
                tracking_threshold_days: 3,
                tracking_longest_minutes: 9,
                days_of_tracking: 30,
                generate_arkivmelding_receipts: true,
            }
        );
    }

    #[test]
    fn a_wrong_setting_is_named() {
        let key = |error: SettingError| error.to_string().split('`').nth(1).map(str::to_owned).unwrap();
        assert_eq!(key(from_json("{}").unwrap_err()), "correspondence-service-url");
        for url in ["https://a.example/", "a.example", "https://a.example/b?c=d"] {
            let error = from_json(&format!(r#"{{"correspondence-service-url":"{url}"}}"#)).unwrap_err();
            assert_eq!(key(error), "correspondence-service-url", "{url}");
        }
        let long = format!("\"{}\"", "a".repeat(2145));
        for (name, value) in [
            ("scope", r#""""#),
            ("sender-name", r#"" ""#),
            ("notification-text", long.as_str()),
            ("sensitive-notification-text", long.as_str()),
            ("email-subject", long.as_str()),
            ("enable-due-date", "0"),
            ("days-to-reply", "0"),
            ("upload-limit", "0"),
            ("lifetime-hours", "721"),
            ("file-types", r#"["PDF"]"#),
            ("file-types", r#"[".pdf"]"#),
            ("file-types", "[]"),
            ("file-types", r#""pdf""#),
            ("tracking-threshold-days", "0"),
            ("tracking-longest-minutes", "0"),
            ("days-of-tracking", "0"),
            ("generate-arkivmelding-receipts", "1"),
            ("notifySms", "true"),
        ] {
            assert_eq!(key(with(&format!(r#","{name}":{value}"#)).unwrap_err()), name);
        }
    }

    #[test]
    fn the_example_shows_every_setting_with_its_default() {
        let example = include_str!("../../../examples/budstikke.toml");
        let (_, section) = example.split_once("#   [adapters.dpv]").unwrap();
        let (section, _) = section.split_once("# ----").unwrap();
        let lines = section.lines().filter_map(|line| line.strip_prefix("#   "));
        let shown = lines.collect::<Vec<_>>().join("\n");
        let settings = |text: &str| {
            let file: toml::Table = format!("[adapters.dpv]\n{text}").parse().unwrap();
            file["adapters"]["dpv"]["settings"].as_table().unwrap().clone()
        };
        let mut keys: Vec<_> = settings(&shown).keys().cloned().collect();
        let mut known = KEYS.map(str::to_owned);
        keys.sort();
        known.sort();
        assert_eq!(keys, known);
        let json = |table: &toml::Table| serde_json::to_string(table).unwrap();
        assert!(from_json(&json(&settings(&shown))).is_ok());
        let url = "https://eformidling.no/altinn-proxy/correspondence/api/v1";
        let default = from_json(&format!(r#"{{"correspondence-service-url":"{url}"}}"#)).unwrap();
        let mut usual = settings(&shown);
        for own in ["sensitive-notification-text", "sender-name"] {
            usual.remove(own).unwrap();
        }
        assert_eq!(from_json(&json(&usual)).unwrap(), default);
    }

    #[test]
    fn the_description_carries_the_rules_of_the_service() {
        let description = with("").unwrap().description();
        assert_eq!(description.poll_interval, None);
        let [service] = description.services.as_slice() else {
            panic!("one service")
        };
        assert_eq!(service.id, "DPV");
        let rules = format!("{:?}", service.rules);
        for rule in [
            "UploadLimit(262144000)",
            "LifetimeHours(24)",
            "TitleRequired",
            "Checked",
        ] {
            assert!(rules.contains(rule), "{rule} in {rules}");
        }
    }
}
