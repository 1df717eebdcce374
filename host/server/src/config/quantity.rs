//! Sizes and times in the file: a plain number, or text with a unit.

use std::time::Duration;

use budstikke_runtime::{QuantityError, parse_size, parse_time};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer};

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

/// Bytes.
pub(super) fn size<'de, D: Deserializer<'de>, T: TryFrom<u64>>(from: D) -> Result<T, D::Error> {
    let bytes = Written::deserialize(from)?
        .read(|bytes| bytes, parse_size)
        .map_err(D::Error::custom)?;
    T::try_from(bytes).map_err(|_| D::Error::custom("the size does not fit this machine"))
}

/// Seconds when it is a plain number.
pub(super) fn time<'de, D: Deserializer<'de>>(from: D) -> Result<Duration, D::Error> {
    Written::deserialize(from)?
        .read(Duration::from_secs, parse_time)
        .map_err(D::Error::custom)
}
