//! Which of the offered versions is meant. Spec: KOSMOS, 6.3.

use budstikke_policy_sdk::{EARLY_BIRD, LATEST, Situation};

/// A version, and what it is in words.
pub(crate) struct Choice {
    pub(crate) version: String,
    pub(crate) what: &'static str,
}

/// The early one for those who want it, else the latest. What only lies on disk is no offer.
pub(crate) fn choose(about: &Situation) -> Option<Choice> {
    let found = |channel, what| {
        about.offered(channel).map(|candidate| Choice {
            version: candidate.version.clone(),
            what,
        })
    };
    if about.early_bird {
        let fallback = "the latest version (none is offered to early birds)";
        found(EARLY_BIRD, "the version for early birds").or_else(|| found(LATEST, fallback))
    } else {
        found(LATEST, "the latest version")
    }
}
