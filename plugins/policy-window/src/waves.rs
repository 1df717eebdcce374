//! Who goes first: a share of all organisations at a time, so that a bad version is noticed while few have it.

use budstikke_policy_sdk::version;
use serde::Deserialize;

/// Hundredths of a percent in all.
const PLACES: u64 = 10_000;

/// From so many hours after the release on, so many percent of all organisations.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Wave {
    /// All that may go by then, those of the waves before included.
    pub percent: u8,
    /// Since the release.
    pub after_hours: u64,
}

/// Each wave takes more organisations than the one before, later, and the last one takes all.
pub(crate) fn check(waves: &[Wave]) -> Result<(), String> {
    for (number, pair) in waves.windows(2).enumerate() {
        if let [before, wave] = pair {
            let number = number + 1;
            if wave.percent <= before.percent {
                return Err(format!(
                    "setting `waves[{number}].percent`: must be more than in the wave before"
                ));
            }
            if wave.after_hours < before.after_hours {
                return Err(format!(
                    "setting `waves[{number}].after-hours`: must not be less than in the wave before"
                ));
            }
        }
    }
    match waves.last() {
        Some(last) if last.percent != 100 => Err(format!(
            "setting `waves[{}].percent`: the last wave takes all; write 100",
            waves.len() - 1
        )),
        _ => Ok(()),
    }
}

/// The wave of an organisation; none when there are none.
pub(crate) fn wave_of(waves: &[Wave], organisation: &str, version: &str) -> Option<Wave> {
    let place = place(organisation, version);
    waves.iter().copied().find(|wave| place < u64::from(wave.percent) * 100)
}

/// Where an organisation stands in the queue for a version. The version is part of it, so that not always the same go first.
///
/// FNV-1a, 64 bits: the same in every language that someone may want to look it up in.
pub(crate) fn place(organisation: &str, version: &str) -> u64 {
    let text = format!("{organisation}:{}", version::bare(version));
    let hash = text.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    });
    hash % PLACES
}
