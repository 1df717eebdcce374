//! What the operator can write under `[adapters.<name>.settings]`.

use budstikke_sdk::http::Address;
use budstikke_sdk::settings::{self, SettingError};
use budstikke_sdk::{Description, Service, ServiceRule};

use crate::SERVICE;
use crate::channel::Channel;

/// The settings, checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// `broker-url`, required: the address of the Broker API, without a slash at the end, such as
    /// `https://platform.altinn.no/broker/api/v1`.
    pub broker_url: String,
    /// `resource`: the resource in Altinn's register. Default `eformidling-dpo-meldingsutveksling`.
    pub resource: String,
    /// `token-profile`: the profile that tokens come from, and whose subjects we send and poll for. Default `altinn`.
    pub token_profile: String,
    /// `write-scope`: the scope to initialise and upload. Default `altinn:broker.write`.
    pub write_scope: String,
    /// `read-scope`: the scope to list, look up, download and confirm. Default `altinn:broker.read`.
    pub read_scope: String,
    /// `message-channel`: for several installations of one organisation; this one then takes only what is addressed to the
    /// channel. At most 25 of `a-z`, `A-Z`, `0-9`, `-` and `_`. Absent or empty: the installation that takes ordinary
    /// messages.
    pub message_channel: Option<Channel>,
    /// `upload-limit`: bytes that the files of a message may have together. Default 1 GiB, 1073741824.
    pub upload_limit: u64,
    /// `lifetime-hours`: hours that a message lives when its sender does not say. Default 24; 1 to 720, since Altinn keeps
    /// a transfer for 30 days.
    pub lifetime_hours: u32,
    /// `poll-interval`: seconds from the end of one poll to the next. Default 15; 1 to 86400.
    pub poll_interval: u32,
    /// `max-per-poll`: messages that are fetched in one poll before other work gets its turn. Default 50; 1 to 1000.
    pub max_per_poll: u32,
}

const KEYS: [&str; 10] = [
    "broker-url",
    "resource",
    "token-profile",
    "write-scope",
    "read-scope",
    "message-channel",
    "upload-limit",
    "lifetime-hours",
    "poll-interval",
    "max-per-poll",
];

const GIB: u64 = 1024 * 1024 * 1024;

impl Settings {
    /// What the host has.
    pub(crate) fn load() -> Result<Self, SettingError> {
        Self::parse(&settings::Settings::load()?)
    }

    fn parse(given: &settings::Settings) -> Result<Self, SettingError> {
        given.refuse_unknown(&KEYS)?;
        let broker_url = given.required_text("broker-url")?;
        if broker_url.ends_with('/') {
            return Err(SettingError::invalid("broker-url", "must not end with a slash"));
        }
        if Address::parse(broker_url).is_none() || broker_url.contains(['?', '#']) {
            return Err(SettingError::invalid(
                "broker-url",
                "must be an http or https address without a query",
            ));
        }
        let message_channel = match given.text("message-channel")? {
            None | Some("") => None,
            Some(name) => Some(Channel::parse(name).ok_or_else(|| {
                SettingError::invalid("message-channel", "must be at most 25 of a-z, A-Z, 0-9, - and _")
            })?),
        };
        let text = |key, default: &str| match given.text(key)? {
            None => Ok(default.to_owned()),
            Some("") => Err(SettingError::invalid(key, "must not be empty")),
            Some(text) => Ok(text.to_owned()),
        };
        let small = |key, default: u32, most: u32| {
            let number = given.number(key, u64::from(default), 1, u64::from(most))?;
            u32::try_from(number).map_err(|_| SettingError::invalid(key, "is too large"))
        };
        Ok(Self {
            broker_url: broker_url.to_owned(),
            resource: text("resource", "eformidling-dpo-meldingsutveksling")?,
            token_profile: text("token-profile", "altinn")?,
            write_scope: text("write-scope", "altinn:broker.write")?,
            read_scope: text("read-scope", "altinn:broker.read")?,
            message_channel,
            upload_limit: given.number("upload-limit", GIB, 1, 1024 * GIB)?,
            lifetime_hours: small("lifetime-hours", 24, 720)?,
            poll_interval: small("poll-interval", 15, 86_400)?,
            max_per_poll: small("max-per-poll", 50, 1000)?,
        })
    }

    /// What the host must know about us.
    pub(crate) fn description(&self) -> Description {
        let mut rules = vec![
            ServiceRule::UploadLimit(self.upload_limit),
            ServiceRule::LifetimeHours(self.lifetime_hours),
            ServiceRule::AnswersWithStatus,
        ];
        if let Some(channel) = &self.message_channel {
            rules.push(ServiceRule::Channel(channel.as_str().to_owned()));
        }
        Description {
            name: "DPO over Altinn Formidling".to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            services: vec![Service {
                id: SERVICE.to_owned(),
                rules,
            }],
            poll_interval: Some(self.poll_interval),
        }
    }
}

#[cfg(test)]
pub(crate) fn from_json(json: &str) -> Result<Settings, SettingError> {
    Settings::parse(&settings::Settings::from_json(json)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    const URL: &str = "https://platform.altinn.no/broker/api/v1";

    fn with(extra: &str) -> Result<Settings, SettingError> {
        from_json(&format!(r#"{{"broker-url":"{URL}"{extra}}}"#))
    }

    #[test]
    fn the_address_is_all_that_must_be_said() {
        let settings = with("").unwrap();
        assert_eq!(settings.broker_url, URL);
        assert_eq!(settings.resource, "eformidling-dpo-meldingsutveksling");
        assert_eq!(settings.token_profile, "altinn");
        assert_eq!(settings.write_scope, "altinn:broker.write");
        assert_eq!(settings.read_scope, "altinn:broker.read");
        assert_eq!(settings.message_channel, None);
        assert_eq!(settings.upload_limit, 1_073_741_824);
        assert_eq!(
            (settings.lifetime_hours, settings.poll_interval, settings.max_per_poll),
            (24, 15, 50)
        );
    }

    #[test]
    fn every_setting_is_heeded() {
        let settings = with(concat!(
            r#","resource":"r","token-profile":"p","write-scope":"w","read-scope":"d","message-channel":"fag-1""#,
            r#","upload-limit":7,"lifetime-hours":48,"poll-interval":30,"max-per-poll":5"#
        ))
        .unwrap();
        assert_eq!(
            settings,
            Settings {
                broker_url: URL.to_owned(),
                resource: "r".to_owned(),
                token_profile: "p".to_owned(),
                write_scope: "w".to_owned(),
                read_scope: "d".to_owned(),
                message_channel: Channel::parse("fag-1"),
                upload_limit: 7,
                lifetime_hours: 48,
                poll_interval: 30,
                max_per_poll: 5,
            }
        );
    }

    #[test]
    fn a_wrong_setting_is_named() {
        let key = |error: SettingError| error.to_string().split('`').nth(1).map(str::to_owned).unwrap();
        assert_eq!(key(from_json("{}").unwrap_err()), "broker-url");
        for url in ["https://a.example/", "a.example", "https://a.example/b?c=d"] {
            assert_eq!(
                key(from_json(&format!(r#"{{"broker-url":"{url}"}}"#)).unwrap_err()),
                "broker-url",
                "{url}"
            );
        }
        for (name, value) in [
            ("resource", r#""""#),
            ("message-channel", r#""med mellomrom""#),
            ("message-channel", r#""abcdefghijklmnopqrstuvwxyz""#),
            ("upload-limit", "0"),
            ("lifetime-hours", "721"),
            ("poll-interval", "0"),
            ("max-per-poll", r#""fifty""#),
            ("mesage_channel", r#""fag-1""#),
        ] {
            assert_eq!(key(with(&format!(r#","{name}":{value}"#)).unwrap_err()), name);
        }
    }

    #[test]
    fn the_description_carries_the_rules_of_the_service() {
        let description = with(r#","message-channel":"fag-1""#).unwrap().description();
        assert_eq!(description.poll_interval, Some(15));
        let [service] = description.services.as_slice() else {
            panic!("one service")
        };
        assert_eq!(service.id, "DPO");
        let rules = format!("{:?}", service.rules);
        for rule in [
            "UploadLimit(1073741824)",
            "LifetimeHours(24)",
            "AnswersWithStatus",
            "Channel(\"fag-1\")",
        ] {
            assert!(rules.contains(rule), "{rule} in {rules}");
        }
        assert!(!format!("{:?}", with("").unwrap().description().services).contains("Channel"));
    }
}
