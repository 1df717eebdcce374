//! Quantities as an operator writes them: `128MiB`, `30s`. Plain numbers are bytes, or seconds.

use std::time::Duration;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer};

/// A quantity that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not {kind}")]
pub struct QuantityError {
    text: String,
    kind: &'static str,
}

/// Bytes per unit; decimal and binary units as in IEC 80000-13.
const SIZES: &[(&str, u64)] = &[
    ("", 1),
    ("B", 1),
    ("KB", 1000),
    ("KIB", 1 << 10),
    ("MB", 1_000_000),
    ("MIB", 1 << 20),
    ("GB", 1_000_000_000),
    ("GIB", 1 << 30),
];

/// Milliseconds per unit.
const TIMES: &[(&str, u64)] = &[
    ("", 1000),
    ("MS", 1),
    ("S", 1000),
    ("M", 60_000),
    ("MIN", 60_000),
    ("H", 3_600_000),
];

/// Reads a size such as `128MiB`.
pub fn parse_size(text: &str) -> Result<u64, QuantityError> {
    parse(text, SIZES).ok_or(QuantityError {
        text: shorten(text),
        kind: "a size such as 128MiB",
    })
}

/// Reads a time such as `30s` or `250ms`.
pub fn parse_time(text: &str) -> Result<Duration, QuantityError> {
    parse(text, TIMES).map(Duration::from_millis).ok_or(QuantityError {
        text: shorten(text),
        kind: "a time such as 30s or 250ms",
    })
}

fn shorten(text: &str) -> String {
    text.chars().take(40).collect()
}

fn parse(text: &str, units: &[(&str, u64)]) -> Option<u64> {
    let text = text.trim();
    let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let number: u64 = number.parse().ok()?;
    let unit = unit.trim().to_ascii_uppercase();
    let (_, factor) = units.iter().find(|(name, _)| *name == unit)?;
    number.checked_mul(*factor)
}

#[derive(Deserialize)]
#[serde(untagged, expecting = "expected a whole number, or a text with a unit")]
enum Written {
    Number(u64),
    Text(String),
}

impl Written {
    fn read<T>(self, number: impl Fn(u64) -> T, text: impl Fn(&str) -> Result<T, QuantityError>) -> Result<T, String> {
        match self {
            Self::Number(plain) => Ok(number(plain)),
            Self::Text(written) => text(&written).map_err(|error| error.to_string()),
        }
    }
}

/// Bytes, for `#[serde(deserialize_with)]`.
pub fn size<'de, D: Deserializer<'de>, T: TryFrom<u64>>(from: D) -> Result<T, D::Error> {
    let bytes = Written::deserialize(from)?
        .read(|bytes| bytes, parse_size)
        .map_err(D::Error::custom)?;
    T::try_from(bytes).map_err(|_| D::Error::custom("the size does not fit this machine"))
}

/// A time, for `#[serde(deserialize_with)]`: seconds when it is a plain number.
pub fn time<'de, D: Deserializer<'de>>(from: D) -> Result<Duration, D::Error> {
    Written::deserialize(from)?
        .read(Duration::from_secs, parse_time)
        .map_err(D::Error::custom)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_read_with_and_without_unit() {
        assert_eq!(parse_size("128MiB"), Ok(128 << 20));
        assert_eq!(parse_size("2 GiB"), Ok(2 << 30));
        assert_eq!(parse_size("1000"), Ok(1000));
        assert_eq!(parse_size("5kB"), Ok(5000));
    }

    #[test]
    fn times_are_read_with_and_without_unit() {
        assert_eq!(parse_time("30s"), Ok(Duration::from_secs(30)));
        assert_eq!(parse_time("250ms"), Ok(Duration::from_millis(250)));
        assert_eq!(parse_time("2h"), Ok(Duration::from_hours(2)));
        assert_eq!(parse_time("7"), Ok(Duration::from_secs(7)));
    }

    #[test]
    fn what_is_no_quantity_is_refused_and_named() {
        for text in [
            "",
            "MiB",
            "-1",
            "1.5GiB",
            "3 apples",
            "99999999999999999999",
            "18446744073709551615GiB",
        ] {
            assert!(parse_size(text).is_err(), "{text}");
        }
        assert_eq!(
            parse_time("soon").unwrap_err().to_string(),
            "`soon` is not a time such as 30s or 250ms"
        );
    }
}
