//! Citizens by national identity number. Spec: documents and packaging, 2.3.

use std::fmt;

const FIRST_WEIGHTS: [u32; 9] = [3, 7, 6, 1, 8, 9, 4, 5, 2];
const SECOND_WEIGHTS: [u32; 10] = [5, 4, 3, 2, 7, 6, 5, 4, 3, 2];

/// A person number with both control digits right. The date in it is not checked, so D-numbers and synthetic numbers
/// pass. `Debug` and `Display` hide the number.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Person(String);

impl Person {
    /// What stands in a log instead of a person number.
    pub(super) const MASK: &'static str = "***********";

    /// Reads eleven digits.
    pub fn parse(text: &str) -> Option<Self> {
        let digits: Vec<u32> = Some(text)
            .filter(|text| Self::looks_like_one(text))?
            .chars()
            .filter_map(|c| c.to_digit(10))
            .collect();
        let right = control_digit(&digits, &FIRST_WEIGHTS) == digits.get(9).copied()
            && control_digit(&digits, &SECOND_WEIGHTS) == digits.get(10).copied();
        right.then(|| Self(text.to_owned()))
    }

    /// Whether a text should be hidden in logs, right control digits or not.
    pub(super) fn looks_like_one(text: &str) -> bool {
        text.len() == 11 && text.bytes().all(|byte| byte.is_ascii_digit())
    }

    /// The person number itself. Not for logs.
    pub fn number(&self) -> &str {
        &self.0
    }
}

fn control_digit(digits: &[u32], weights: &[u32]) -> Option<u32> {
    let sum: u32 = digits.iter().zip(weights).map(|(digit, weight)| digit * weight).sum();
    match 11 - sum % 11 {
        11 => Some(0),
        10 => None,
        digit => Some(digit),
    }
}

impl fmt::Display for Person {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(Self::MASK)
    }
}

impl fmt::Debug for Person {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Person({self})")
    }
}
