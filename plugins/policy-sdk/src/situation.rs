//! What a policy can know, read once.

use crate::bindings::budstikke::plugin::situation::Update;
use crate::{Attempt, Blocked, Cause, Decision, version};

/// The channel of what the vendor offers to everybody.
pub const LATEST: &str = "latest";
/// The channel of what the vendor offers to those who want it early.
pub const EARLY_BIRD: &str = "earlybird";
/// The channel of what was run here before.
pub const ON_DISK: &str = "on-disk";

/// `situation.update` of the contract as data. Moments are seconds since 1970-01-01T00:00:00Z.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Situation {
    /// What is kept current, as the operator named it.
    pub target: String,
    /// The organisation, nine digits.
    pub organisation: String,
    /// `dev`, `itest`, `staging` or `production`.
    pub environment: String,
    /// Whether the operator wants versions early.
    pub early_bird: bool,
    /// Why there is something to decide.
    pub cause: Cause,
    /// The moment of the question.
    pub now: u64,
    /// The version that runs, as far as it could be found out.
    pub current: Option<String>,
    /// Whether it answers that it is well.
    pub healthy: bool,
    /// The version that proved itself last.
    pub last_good: Option<String>,
    /// The version that ran before the present one.
    pub previous: Option<String>,
    /// What could be run.
    pub candidates: Vec<Candidate>,
    /// Versions that failed here a short time ago.
    pub blocked: Vec<Blocked>,
    /// The newest changes, newest first.
    pub attempts: Vec<Attempt>,
    /// What the policies before this one said last.
    pub proposal: Option<Decision>,
}

/// A version that could be run, with all that is known of it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Candidate {
    /// Exactly as the vendor writes it.
    pub version: String,
    /// [`LATEST`], [`EARLY_BIRD`] or [`ON_DISK`].
    pub channel: String,
    /// When it was released, or seen for the first time.
    pub released: Option<u64>,
    /// The version of the database's schema that it wants.
    pub schema: Option<u32>,
}

impl Default for Cause {
    fn default() -> Self {
        Self::Start
    }
}

impl Situation {
    /// Asks the host for everything.
    pub(crate) fn read(update: &Update) -> Self {
        let candidates = update.candidates().into_iter().map(|candidate| Candidate {
            released: update.released(&candidate.version),
            schema: update.schema(&candidate.version),
            version: candidate.version,
            channel: candidate.channel,
        });
        Self {
            target: update.target(),
            organisation: update.organisation(),
            environment: update.environment(),
            early_bird: update.early_bird(),
            cause: update.cause(),
            now: update.now(),
            current: update.current(),
            healthy: update.healthy(),
            last_good: update.last_good(),
            previous: update.previous(),
            candidates: candidates.collect(),
            blocked: update.blocked(),
            attempts: update.attempts(),
            proposal: update.proposal(),
        }
    }

    /// What a channel offers; an empty version is none.
    pub fn offered(&self, channel: &str) -> Option<&Candidate> {
        self.candidates
            .iter()
            .find(|candidate| candidate.channel == channel && !candidate.version.trim().is_empty())
    }

    /// The moment until which a version is not to be run, when that is not over.
    pub fn blocked_until(&self, version: &str) -> Option<u64> {
        self.blocked
            .iter()
            .filter(|blocked| version::same(&blocked.version, version) && blocked.until > self.now)
            .map(|blocked| blocked.until)
            .max()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_channel_that_offers_an_empty_version_offers_nothing() {
        let offer = |version: &str| Situation {
            candidates: vec![Candidate {
                version: version.into(),
                channel: EARLY_BIRD.into(),
                ..Candidate::default()
            }],
            ..Situation::default()
        };
        assert_eq!(offer(" ").offered(EARLY_BIRD), None);
        assert_eq!(offer("v4.0.8").offered(LATEST), None);
        assert!(offer("v4.0.8").offered(EARLY_BIRD).is_some());
    }

    #[test]
    fn the_longest_block_of_a_version_counts_until_it_is_over() {
        let block = |version: &str, until| Blocked {
            version: version.into(),
            until,
        };
        let situation = Situation {
            now: 10,
            blocked: vec![block("4.0.8", 11), block("v4.0.8", 20), block("4.0.9", 10)],
            ..Situation::default()
        };
        assert_eq!(situation.blocked_until("v4.0.8"), Some(20));
        assert_eq!(situation.blocked_until("v4.0.9"), None);
    }
}
