//! Checks that went well: a message to a receiver who was written to a moment ago need not wait for them again.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use aws_lc_rs::digest;
use jiff::Timestamp;

use super::Whose;

/// Most checks that are remembered.
const MOST: usize = 10_000;

/// What was checked: the SHA-256 of a certificate, and who it should belong to.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(super) struct Checked {
    fingerprint: Vec<u8>,
    whose: Whose,
}

impl Checked {
    pub(super) fn new(der: &[u8], whose: &Whose) -> Self {
        Self {
            fingerprint: digest::digest(&digest::SHA256, der).as_ref().to_vec(),
            whose: whose.clone(),
        }
    }
}

/// Until when each of them holds.
#[derive(Default)]
pub(super) struct Remembered(Mutex<HashMap<Checked, Timestamp>>);

impl Remembered {
    pub(super) fn holds(&self, checked: &Checked, now: Timestamp) -> bool {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.get(checked).is_some_and(|until| *until > now)
    }

    pub(super) fn keep(&self, checked: Checked, until: Timestamp, now: Timestamp) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= MOST {
            known.retain(|_, until| *until > now);
        }
        if known.len() >= MOST {
            known.clear();
        }
        known.insert(checked, until);
    }
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;

    use super::*;

    #[test]
    fn a_check_holds_for_its_certificate_its_owner_and_its_time() {
        let (remembered, now) = (Remembered::default(), Timestamp::now());
        let somebody = Whose::organisation("910076787".parse().unwrap());
        let checked = Checked::new(b"a", &somebody);
        let until = now + SignedDuration::from_mins(5);
        remembered.keep(checked.clone(), until, now);
        assert!(remembered.holds(&checked, now));
        assert!(!remembered.holds(&checked, until));
        assert!(!remembered.holds(&Checked::new(b"b", &somebody), now));
        assert!(!remembered.holds(&Checked::new(b"a", &Whose::default()), now));
    }

    #[test]
    fn no_more_than_ten_thousand_are_remembered() {
        let (remembered, now) = (Remembered::default(), Timestamp::now());
        let later = now + SignedDuration::from_mins(5);
        for number in 0..20_500_u32 {
            let checked = Checked::new(&number.to_be_bytes(), &Whose::default());
            remembered.keep(checked.clone(), later, now);
            assert!(remembered.holds(&checked, now));
            assert!(remembered.0.lock().unwrap().len() <= MOST);
        }
    }
}
