//! Random choices that a seed repeats.

use std::ops::Range;
use std::time::Duration;

/// `SplitMix64`: small, and good enough to choose a victim.
#[derive(Debug, Clone)]
pub struct Chance(u64);

impl Chance {
    /// The same seed, the same choices.
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// One for somebody else, whose choices do not depend on when they are made.
    #[must_use]
    pub fn fork(&mut self) -> Self {
        Self(self.next())
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number of the range, or its beginning when that is empty.
    pub fn of(&mut self, range: Range<u64>) -> u64 {
        let width = range.end.saturating_sub(range.start).max(1);
        range.start + self.next() % width
    }

    /// One place of a list so long.
    pub fn place(&mut self, length: usize) -> usize {
        usize::try_from(self.of(0..length as u64)).unwrap_or(0)
    }

    /// A time of the range in milliseconds.
    pub fn millis(&mut self, range: Range<u64>) -> Duration {
        Duration::from_millis(self.of(range))
    }

    /// Bytes that no compression makes smaller.
    pub fn bytes(&mut self, length: usize) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(length + 8);
        while bytes.len() < length {
            bytes.extend_from_slice(&self.next().to_le_bytes());
        }
        bytes.truncate(length);
        bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_repeats_its_choices_and_stays_in_the_range() {
        let (mut one, mut same, mut other) = (Chance::new(7), Chance::new(7), Chance::new(8));
        let choices: Vec<u64> = (0..100).map(|_| one.of(3..9)).collect();
        assert_eq!(choices, (0..100).map(|_| same.of(3..9)).collect::<Vec<_>>());
        assert_ne!(choices, (0..100).map(|_| other.of(3..9)).collect::<Vec<_>>());
        assert!((3..9).all(|number| choices.contains(&number)), "{choices:?}");
        assert!(choices.iter().all(|choice| (3..9).contains(choice)), "{choices:?}");
        assert_eq!(one.of(5..5), 5);
        assert_eq!(one.bytes(13).len(), 13);
    }
}
