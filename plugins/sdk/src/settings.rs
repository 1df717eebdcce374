//! What the operator wrote under `[adapters.<name>.settings]`, with errors that name the key.

use serde_json::{Map, Value};

use crate::Failure;
use crate::bindings::budstikke::plugin::settings as host;

/// A setting that cannot be used. Becomes a permanent failure with code `settings`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SettingError {
    /// The settings are not a JSON object; a fault of the host.
    #[error("the settings cannot be read: {0}")]
    Unreadable(String),
    /// A key that must be there is not.
    #[error("setting `{0}` is missing")]
    Missing(String),
    /// The value has the wrong type or is outside its limits.
    #[error("setting `{key}`: {reason}")]
    Invalid {
        /// The dotted name.
        key: String,
        /// What is wrong with it; never the value, which can be a secret.
        reason: String,
    },
    /// A key that the adapter does not know, most often a slip of the pen.
    #[error("setting `{key}` is unknown; known are {known}")]
    Unknown {
        /// The key as written.
        key: String,
        /// The keys that exist.
        known: String,
    },
}

impl SettingError {
    /// An error about the value of `key`.
    pub fn invalid(key: &str, reason: impl Into<String>) -> Self {
        Self::Invalid {
            key: key.to_owned(),
            reason: reason.into(),
        }
    }
}

impl From<SettingError> for Failure {
    fn from(error: SettingError) -> Self {
        Self::permanent("settings", error.to_string())
    }
}

/// The settings of one adapter.
#[derive(Debug, Clone)]
pub struct Settings {
    values: Map<String, Value>,
}

impl Settings {
    /// Asks the host.
    pub fn load() -> Result<Self, SettingError> {
        Self::from_json(&host::json())
    }

    /// From the JSON object that the host gives, or that a test writes.
    pub fn from_json(json: &str) -> Result<Self, SettingError> {
        match serde_json::from_str(json) {
            Ok(Value::Object(values)) => Ok(Self { values }),
            Ok(_) => Err(SettingError::Unreadable("not a JSON object".to_owned())),
            // Line and column only: the value can be a secret.
            Err(error) => Err(SettingError::Unreadable(format!(
                "line {}, column {}",
                error.line(),
                error.column()
            ))),
        }
    }

    /// Refuses every top-level key that is not in `known`.
    pub fn refuse_unknown(&self, known: &[&str]) -> Result<(), SettingError> {
        match self.values.keys().find(|key| !known.contains(&key.as_str())) {
            None => Ok(()),
            Some(key) => Err(SettingError::Unknown {
                key: key.clone(),
                known: known.join(", "),
            }),
        }
    }

    /// A text; none when absent.
    pub fn text(&self, key: &str) -> Result<Option<&str>, SettingError> {
        match self.value(key) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(_) => Err(SettingError::invalid(key, "must be a text in quotes")),
        }
    }

    /// A text that must be there and not be empty.
    pub fn required_text(&self, key: &str) -> Result<&str, SettingError> {
        match self.text(key)? {
            None => Err(SettingError::Missing(key.to_owned())),
            Some("") => Err(SettingError::invalid(key, "must not be empty")),
            Some(text) => Ok(text),
        }
    }

    /// A whole number from `least` to `most`, or `default` when absent.
    pub fn number(&self, key: &str, default: u64, least: u64, most: u64) -> Result<u64, SettingError> {
        let Some(value) = self.value(key) else {
            return Ok(default);
        };
        match value.as_u64() {
            Some(number) if (least..=most).contains(&number) => Ok(number),
            _ => Err(SettingError::invalid(
                key,
                format!("must be a whole number from {least} to {most}"),
            )),
        }
    }

    /// True or false, or `default` when absent.
    pub fn flag(&self, key: &str, default: bool) -> Result<bool, SettingError> {
        match self.value(key) {
            None => Ok(default),
            Some(Value::Bool(flag)) => Ok(*flag),
            Some(_) => Err(SettingError::invalid(key, "must be true or false")),
        }
    }

    /// A list of texts; none when absent.
    pub fn texts(&self, key: &str) -> Result<Option<Vec<&str>>, SettingError> {
        let Some(value) = self.value(key) else {
            return Ok(None);
        };
        let texts = value
            .as_array()
            .and_then(|list| list.iter().map(Value::as_str).collect());
        match texts {
            Some(texts) => Ok(Some(texts)),
            None => Err(SettingError::invalid(key, "must be a list of texts in quotes")),
        }
    }

    fn value(&self, dotted: &str) -> Option<&Value> {
        let (table, rest) = dotted
            .split_once('.')
            .map_or((dotted, None), |(table, rest)| (table, Some(rest)));
        let mut value = self.values.get(table)?;
        for key in rest.into_iter().flat_map(|rest| rest.split('.')) {
            value = value.get(key)?;
        }
        Some(value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings() -> Settings {
        Settings::from_json(r#"{"url":"https://a","broker":{"retries":3},"quick":true,"empty":""}"#).unwrap()
    }

    #[test]
    fn a_missing_key_is_named() {
        let failure = Failure::from(settings().required_text("resource").unwrap_err());
        assert_eq!(failure.code(), Some("settings"));
        assert_eq!(failure.detail(), "setting `resource` is missing");
        assert!(settings().required_text("empty").is_err());
    }

    #[test]
    fn a_dotted_name_reaches_into_a_table() {
        assert_eq!(settings().number("broker.retries", 1, 0, 9).unwrap(), 3);
        assert_eq!(settings().number("broker.absent", 1, 0, 9).unwrap(), 1);
        assert_eq!(settings().text("url").unwrap(), Some("https://a"));
        assert!(settings().flag("quick", false).unwrap());
    }

    #[test]
    fn a_value_of_the_wrong_type_or_size_is_refused_without_being_shown() {
        assert_eq!(
            settings().number("broker.retries", 1, 5, 9).unwrap_err().to_string(),
            "setting `broker.retries`: must be a whole number from 5 to 9"
        );
        assert!(settings().text("quick").is_err());
        assert!(settings().flag("url", true).is_err());
        assert!(settings().number("url", 1, 0, 9).is_err());
    }

    #[test]
    fn a_list_holds_texts_and_nothing_else() {
        let settings =
            Settings::from_json(r#"{"types":["pdf","txt"],"mixed":["pdf",1],"one":"pdf","none":[]}"#).unwrap();
        assert_eq!(settings.texts("types").unwrap(), Some(vec!["pdf", "txt"]));
        assert_eq!(settings.texts("none").unwrap(), Some(vec![]));
        assert_eq!(settings.texts("absent").unwrap(), None);
        assert!(settings.texts("mixed").is_err() && settings.texts("one").is_err());
    }

    #[test]
    fn a_slip_of_the_pen_is_found() {
        let error = settings().refuse_unknown(&["url", "broker", "quick"]).unwrap_err();
        assert_eq!(
            error.to_string(),
            "setting `empty` is unknown; known are url, broker, quick"
        );
    }

    #[test]
    fn broken_settings_do_not_leak_into_the_error() {
        let error = Settings::from_json(r#"{"password":"hemmelig"#).unwrap_err();
        assert!(!error.to_string().contains("hemmelig"));
        assert!(Settings::from_json("[]").is_err());
    }
}
