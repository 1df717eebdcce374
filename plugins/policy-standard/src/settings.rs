//! What the operator can write.

use budstikke_policy_sdk::time::Moment;
use budstikke_policy_sdk::version::{Pattern, major};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer};
use serde_json::Value;

/// `[policies.settings]`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Settings {
    /// The highest major version that is taken; `4`, `"4"` and `"4.1.0"` mean the same. Spec: KOSMOS, 7.
    #[serde(default, deserialize_with = "supported_major")]
    pub supported_major: Option<u64>,
    /// When given, only these.
    #[serde(default)]
    pub allowed: Option<Vec<Pattern>>,
    /// Never these.
    #[serde(default)]
    pub refused: Vec<Refused>,
    /// Whether a version lower than the present one is taken.
    #[serde(default)]
    pub allow_downgrade: bool,
    /// How long a version that failed is left alone; 0: not at all.
    #[serde(default = "retry_after_hours")]
    pub retry_after_hours: u64,
}

/// A version that is not to run.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Refused {
    /// Which.
    pub version: Pattern,
    /// Until when; none: for good.
    pub until: Option<Moment>,
    /// Why, for the operators of later.
    pub reason: Option<String>,
}

fn retry_after_hours() -> u64 {
    24
}

fn supported_major<'de, D: Deserializer<'de>>(value: D) -> Result<Option<u64>, D::Error> {
    let text = match Value::deserialize(value)? {
        Value::Null => return Ok(None),
        Value::Number(number) => number.to_string(),
        // An empty line in the Java configuration means no check.
        Value::String(text) if text.trim().is_empty() => return Ok(None),
        Value::String(text) => text,
        _ => return Err(D::Error::custom("write a major version like 4")),
    };
    major(&text)
        .map(Some)
        .map_err(|error| D::Error::custom(format!("{error}; write a major version like 4")))
}
