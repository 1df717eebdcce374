//! Holds a version, for good or until a moment: the operator's last word while something is looked into.
//!
//! A pin goes down too, and takes what only lies on disk. It does not lift the block of a version that has just failed.

use budstikke_policy_sdk::time::{Moment, spoken};
use budstikke_policy_sdk::{Calendar, Candidate, Decision, Policy, Situation, version};
use serde::Deserialize;

/// `[policies.settings]`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// What is to run. A `v` in front does not count.
    pub version: String,
    /// Until when; none: for good.
    pub until: Option<Moment>,
    /// Why, for the operators of later.
    pub reason: Option<String>,
}

/// The component.
pub struct Pin;

impl Policy for Pin {
    type Settings = Settings;

    fn check(settings: &Settings) -> Result<(), String> {
        let version = settings.version.trim();
        if version::bare(version).is_empty() || version != settings.version {
            return Err("setting `version`: write one version like `v4.0.8`, without blanks".into());
        }
        if version.contains('*') {
            return Err("setting `version`: a pin holds one version; several are `allowed` of policy-standard".into());
        }
        Ok(())
    }

    fn decide(about: &Situation, calendar: &dyn Calendar, settings: &Settings) -> Result<Decision, String> {
        let wanted = &settings.version;
        if let Some(until) = settings.until
            && until.0 <= about.now
        {
            let ended = spoken(calendar, until.0);
            return Ok(Decision::pass(format!("the pin on {wanted} ended {ended}")));
        }
        let pin = pin(calendar, settings);
        if let Some(current) = &about.current
            && version::same(current, wanted)
        {
            return Ok(Decision::stay(format!("{pin}; it runs")));
        }
        let Some(candidate) = find(about, wanted) else {
            return Ok(Decision::stay(format!(
                "{pin}, but it is not to be had: {}",
                to_be_had(about)
            )));
        };
        if let Some(until) = about.blocked_until(wanted) {
            let until = spoken(calendar, until);
            return Ok(Decision::stay(format!(
                "{pin}, but it failed here and is blocked until {until}"
            )));
        }
        let from = match &about.current {
            None => "nothing is known to run".to_owned(),
            Some(current) if version::is_lower(wanted, current) == Some(true) => {
                format!("this goes down from {current}")
            }
            Some(current) => format!("{current} runs"),
        };
        Ok(Decision::update(&candidate.version, format!("{pin}; {from}")))
    }
}

/// `pinned to v4.0.8 until Tuesday 2026-02-17 11:00 (DPO is slow)`
fn pin(calendar: &dyn Calendar, settings: &Settings) -> String {
    let until = settings
        .until
        .map(|until| format!(" until {}", spoken(calendar, until.0)));
    let reason = settings.reason.as_ref().map(|reason| format!(" ({reason})"));
    format!(
        "pinned to {}{}{}",
        settings.version,
        until.unwrap_or_default(),
        reason.unwrap_or_default()
    )
}

/// Of any channel; one that is written as the operator writes it comes first.
fn find<'a>(about: &'a Situation, wanted: &str) -> Option<&'a Candidate> {
    let candidates = || about.candidates.iter();
    candidates()
        .find(|candidate| candidate.version == wanted)
        .or_else(|| candidates().find(|candidate| version::same(&candidate.version, wanted)))
}

fn to_be_had(about: &Situation) -> String {
    /// Old versions can be many.
    const MOST: usize = 20;
    let shown = about
        .candidates
        .iter()
        .filter(|candidate| !candidate.version.is_empty())
        .take(MOST)
        .map(|candidate| format!("{} ({})", candidate.version, candidate.channel));
    match shown.collect::<Vec<_>>().as_slice() {
        [] => "nothing is offered, and nothing is on disk".into(),
        shown => format!("there are {}", shown.join(", ")),
    }
}

// The names of a component's exports are none that a native linker takes.
#[cfg(target_family = "wasm")]
budstikke_policy_sdk::export!(Pin with_types_in budstikke_policy_sdk::bindings);

#[cfg(test)]
mod tests {
    use budstikke_policy_sdk::testing::{Oslo, moment, updates};
    use budstikke_policy_sdk::{Blocked, LATEST, ON_DISK, settings};

    use super::*;

    const PIN: &str = r#"{"version":"4.0.8","until":"2026-03-01T12:00:00+01:00","reason":"DPO is slow in 4.1"}"#;

    fn about(current: Option<&str>) -> Situation {
        let candidate = |channel: &str, version: &str| Candidate {
            version: version.into(),
            channel: channel.into(),
            ..Candidate::default()
        };
        Situation {
            now: moment("2026-02-17T11:00:00Z"),
            current: current.map(ToOwned::to_owned),
            candidates: vec![candidate(LATEST, "v4.1.0"), candidate(ON_DISK, "v4.0.8")],
            proposal: Some(Decision::update("v4.1.0", "newest")),
            ..Situation::default()
        }
    }

    fn decide(about: &Situation, json: &str) -> Decision {
        let settings = settings(json).unwrap();
        Pin::check(&settings).unwrap();
        Pin::decide(about, &Oslo, &settings).unwrap()
    }

    #[test]
    fn a_pinned_version_that_runs_is_left_alone() {
        assert_eq!(
            decide(&about(Some("v4.0.8")), PIN),
            Decision::stay("pinned to 4.0.8 until Sunday 2026-03-01 12:00 (DPO is slow in 4.1); it runs")
        );
    }

    #[test]
    fn a_pin_goes_down_to_what_lies_on_disk_and_says_so() {
        let decision = decide(&about(Some("v4.1.0")), PIN);
        assert_eq!(updates(&decision), Some(("v4.0.8", None)));
        assert!(
            decision.reason().ends_with("; this goes down from v4.1.0"),
            "{decision:?}"
        );
    }

    #[test]
    fn a_pin_goes_up_and_starts_what_does_not_run() {
        let up = decide(&about(Some("v4.0.7")), r#"{"version":"v4.1.0"}"#);
        assert_eq!(up, Decision::update("v4.1.0", "pinned to v4.1.0; v4.0.7 runs"));
        let start = decide(&about(None), r#"{"version":"v4.1.0"}"#);
        assert!(start.reason().ends_with("nothing is known to run"));
    }

    #[test]
    fn the_spelling_of_the_operator_comes_first() {
        let mut about = about(Some("v4.1.0"));
        about.candidates.push(Candidate {
            version: "4.0.8".into(),
            channel: ON_DISK.into(),
            ..Candidate::default()
        });
        assert_eq!(updates(&decide(&about, PIN)), Some(("4.0.8", None)));
    }

    #[test]
    fn a_pinned_version_that_is_not_to_be_had_changes_nothing_and_says_what_there_is() {
        let mut about = about(Some("v4.1.0"));
        let decision = decide(&about, r#"{"version":"4.0.1"}"#);
        assert_eq!(
            decision,
            Decision::stay("pinned to 4.0.1, but it is not to be had: there are v4.1.0 (latest), v4.0.8 (on-disk)")
        );
        about.candidates.clear();
        assert!(decide(&about, PIN).reason().ends_with("nothing is on disk"));
    }

    #[test]
    fn a_pinned_version_that_has_just_failed_is_not_tried_again_at_once() {
        let mut about = about(Some("v4.1.0"));
        about.blocked.push(Blocked {
            version: "v4.0.8".into(),
            until: moment("2026-02-17T12:00:00Z"),
        });
        let decision = decide(&about, PIN);
        assert!(
            decision.reason().ends_with("is blocked until Tuesday 2026-02-17 13:00"),
            "{decision:?}"
        );
    }

    #[test]
    fn a_pin_that_is_over_leaves_it_to_the_others() {
        let mut about = about(Some("v4.0.8"));
        about.now = moment("2026-03-01T11:00:00Z");
        assert_eq!(
            decide(&about, PIN),
            Decision::pass("the pin on 4.0.8 ended Sunday 2026-03-01 12:00")
        );
        about.now -= 1;
        assert!(matches!(decide(&about, PIN), Decision::Stay(_)));
    }

    #[test]
    fn wrong_settings_are_refused_by_the_name_of_their_key() {
        let wrong = |json: &str| match settings::<Settings>(json) {
            Ok(settings) => Pin::check(&settings).unwrap_err(),
            Err(error) => error,
        };
        for (json, told) in [
            ("{}", "settings: missing field `version`"),
            (r#"{"version":4}"#, "setting `version`: invalid type"),
            (r#"{"version":"v"}"#, "setting `version`: write one version"),
            (r#"{"version":" 4.0.8"}"#, "setting `version`: write one version"),
            (r#"{"version":"4.*"}"#, "setting `version`: a pin holds one version"),
            (
                r#"{"version":"4.0.8","until":"2026-03-01"}"#,
                "setting `until`: `2026-03-01` is no date and time",
            ),
            (r#"{"version":"4.0.8","reason":1}"#, "setting `reason`: invalid type"),
            (r#"{"version":"4.0.8","untill":"x"}"#, "setting `untill`: unknown field"),
        ] {
            assert!(wrong(json).starts_with(told), "{json}: {}", wrong(json));
        }
    }
}
