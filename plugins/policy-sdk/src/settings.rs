//! What the operator wrote under a policy's `settings`, with errors that name the key.

use serde::de::DeserializeOwned;
use serde_json::Value;

/// Reads the JSON object that the host gives, or that a test writes.
pub fn settings<T: DeserializeOwned>(json: &str) -> Result<T, String> {
    let value: Value = serde_json::from_str(json).map_err(|error| format!("the settings cannot be read: {error}"))?;
    if !value.is_object() {
        return Err("the settings are no table".into());
    }
    // From a value and not from the text, whose errors speak of lines and columns that the operator never wrote.
    serde_path_to_error::deserialize(value).map_err(|error| match error.path().to_string() {
        path if path == "." => format!("settings: {}", error.inner()),
        path => format!("setting `{path}`: {}", error.inner()),
    })
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields, rename_all = "kebab-case")]
    struct Mine {
        #[allow(dead_code, reason = "only read")]
        retry_hours: u64,
        #[serde(default)]
        #[allow(dead_code, reason = "only read")]
        rules: Vec<Rule>,
    }

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Rule {
        #[allow(dead_code, reason = "only read")]
        percent: u8,
    }

    #[test]
    fn every_error_names_its_key() {
        for (json, told) in [
            ("{}", "settings: missing field `retry-hours`"),
            (
                r#"{"retry-hours":"4"}"#,
                "setting `retry-hours`: invalid type: string \"4\", expected u64",
            ),
            (
                r#"{"retry-hours":4,"rules":[{"percent":1},{"percent":300}]}"#,
                "setting `rules[1].percent`: invalid value: integer `300`, expected u8",
            ),
            (
                r#"{"retry-hours":4,"rules":[{"percents":1}]}"#,
                "setting `rules[0].percents`: unknown field `percents`, expected `percent`",
            ),
            (
                r#"{"retry-hour":4}"#,
                "setting `retry-hour`: unknown field `retry-hour`, expected `retry-hours` or `rules`",
            ),
            ("[]", "the settings are no table"),
        ] {
            assert_eq!(settings::<Mine>(json).unwrap_err(), told, "{json}");
        }
        assert!(
            settings::<Mine>("{")
                .unwrap_err()
                .starts_with("the settings cannot be read")
        );
        settings::<Mine>(r#"{"retry-hours":4,"rules":[{"percent":1}]}"#).unwrap();
    }
}
