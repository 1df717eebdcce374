//! Spec: KOSMOS, 15, as far as it is about which version is taken.

use budstikke_policy_sdk::testing::{Oslo, moment, updates};
use budstikke_policy_sdk::{
    Attempt, Blocked, Candidate, Cause, Decision, EARLY_BIRD, LATEST, ON_DISK, Outcome, Policy as _, Situation,
    settings,
};

use crate::{Settings, Standard};

const NOON: &str = "2026-02-17T11:00:00Z";

fn read(json: &str) -> Settings {
    settings(json).unwrap()
}

fn wrong(json: &str) -> String {
    settings::<Settings>(json).unwrap_err()
}

fn candidate(channel: &str, version: &str) -> Candidate {
    Candidate {
        version: version.into(),
        channel: channel.into(),
        ..Candidate::default()
    }
}

/// `current` runs, and the vendor offers `latest`.
fn offered(current: &str, latest: &str) -> Situation {
    Situation {
        environment: "production".into(),
        now: moment(NOON),
        cause: Cause::Schedule,
        current: Some(current.into()),
        healthy: true,
        candidates: vec![candidate(LATEST, latest)],
        ..Situation::default()
    }
}

fn decide(about: &Situation, json: &str) -> Decision {
    Standard::decide(about, &Oslo, &read(json)).unwrap()
}

fn taken(about: &Situation, json: &str) -> String {
    let decision = decide(about, json);
    let (version, not_before) = updates(&decision).unwrap_or_else(|| panic!("{decision:?}"));
    assert_eq!(not_before, None);
    version.to_owned()
}

fn stays(about: &Situation, json: &str) -> String {
    match decide(about, json) {
        Decision::Stay(reason) => reason,
        other => panic!("{other:?}"),
    }
}

#[test]
fn t1_a_newer_version_within_the_supported_major_is_taken() {
    let about = offered("1.7.92-SNAPSHOT", "2.2.1");
    assert_eq!(taken(&about, r#"{"supported-major":2}"#), "2.2.1");
    assert_eq!(
        decide(&about, "{}").reason(),
        "2.2.1 is the latest version; 1.7.92-SNAPSHOT runs"
    );
}

#[test]
fn t2_a_pre_release_is_taken() {
    let about = offered("1.7.92-SNAPSHOT", "4.1.0-beta");
    assert_eq!(taken(&about, r#"{"supported-major":4}"#), "4.1.0-beta");
}

#[test]
fn t3_an_early_bird_gets_the_early_version() {
    let mut about = offered("1.7.92-SNAPSHOT", "0.0.0");
    about.candidates.push(candidate(EARLY_BIRD, "2.2.1"));
    about.early_bird = true;
    assert_eq!(taken(&about, r#"{"supported-major":2}"#), "2.2.1");
}

#[test]
fn t5_what_is_not_known_to_run_is_started() {
    let mut about = offered("", "2.2.1");
    about.current = None;
    assert_eq!(taken(&about, "{}"), "2.2.1");
    assert!(decide(&about, "{}").reason().ends_with("nothing is known to run"));
}

#[test]
fn t6_the_version_that_runs_is_left_alone_also_when_it_is_not_well() {
    let mut about = offered("1.7.93-SNAPSHOT", "1.7.93-SNAPSHOT");
    assert_eq!(
        stays(&about, "{}"),
        "1.7.93-SNAPSHOT already runs; it is the latest version"
    );
    about.healthy = false;
    assert!(stays(&about, "{}").contains("already runs"));
}

#[test]
fn t7_a_blocked_version_is_not_taken_until_the_block_is_over() {
    let mut about = offered("1.7.92-SNAPSHOT", "1.7.93-SNAPSHOT");
    let block = |until: &str| {
        vec![Blocked {
            version: "1.7.93-SNAPSHOT".into(),
            until: moment(until),
        }]
    };
    about.blocked = block("2026-02-17T12:00:00Z");
    assert!(stays(&about, "{}").ends_with("is blocked until Tuesday 2026-02-17 13:00"));
    // An operator who asks deletes the block.
    about.cause = Cause::Demand;
    assert!(stays(&about, "{}").contains("is blocked"));
    about.blocked = block("2026-02-17T10:00:00Z");
    assert_eq!(taken(&about, "{}"), "1.7.93-SNAPSHOT");
    about.blocked = block(NOON);
    assert_eq!(taken(&about, "{}"), "1.7.93-SNAPSHOT");
}

#[test]
fn early_birds_get_the_latest_when_there_is_nothing_early() {
    let mut about = offered("v4.0.7", "v4.0.8");
    about.early_bird = true;
    assert_eq!(taken(&about, "{}"), "v4.0.8");
    assert!(decide(&about, "{}").reason().contains("none is offered to early birds"));
    about.candidates.push(candidate(EARLY_BIRD, ""));
    assert_eq!(taken(&about, "{}"), "v4.0.8");
}

#[test]
fn others_do_not_get_the_early_version() {
    let mut about = offered("4.0.0", "4.0.0");
    about.candidates.push(candidate(EARLY_BIRD, "4.1.0-SNAPSHOT"));
    assert!(stays(&about, "{}").contains("already runs"));
}

#[test]
fn without_an_offer_everything_stays() {
    let mut about = offered("v4.0.7", "");
    about.candidates.push(candidate(ON_DISK, "v4.0.8"));
    for json in ["{}", r#"{"supported-major":2}"#] {
        assert_eq!(stays(&about, json), "the vendor offers no version for `production`");
    }
    about.candidates.clear();
    assert!(stays(&about, "{}").contains("offers no version"));
}

#[test]
fn the_supported_major_version_is_a_seat_belt() {
    for (supported, latest) in [("1", "2.0.0"), ("1", "2.0.0-SNAPSHOT"), ("\"1.9\"", "v2.0.0")] {
        let reason = stays(
            &offered("1.0.0", latest),
            &format!(r#"{{"supported-major":{supported}}}"#),
        );
        assert!(reason.contains("then raise supported-major"), "{reason}");
    }
    let reason = stays(&offered("1.0.0", "beta"), r#"{"supported-major":1}"#);
    assert!(reason.contains("Invalid version specifier encountered"), "{reason}");
    for (supported, latest) in [
        ("null", "2"),
        ("\"\"", "2"),
        ("2", "2.3.4-SNAPSHOT"),
        ("\"2\"", "2.3.4-SNAPSHOT"),
        ("4.1", "4.2.0"),
        ("\"4.1.0\"", "4.2.0"),
    ] {
        let json = format!(r#"{{"supported-major":{supported}}}"#);
        assert_eq!(taken(&offered("1.0.0", latest), &json), latest, "{json}");
    }
    assert_eq!(taken(&offered("1.0.0", "beta"), "{}"), "beta");
}

#[test]
fn the_seat_belt_holds_for_early_birds() {
    let mut about = offered("4.0.0", "4.0.1");
    about.candidates.push(candidate(EARLY_BIRD, "5.0.0"));
    about.early_bird = true;
    assert!(stays(&about, r#"{"supported-major":4}"#).contains("its major version 5"));
}

#[test]
fn a_v_in_front_is_no_other_version_and_no_trouble() {
    assert!(stays(&offered("4.0.8", "v4.0.8"), "{}").starts_with("4.0.8 already runs"));
    assert_eq!(taken(&offered("4.0.7", "v4.0.8"), r#"{"supported-major":4}"#), "v4.0.8");
}

#[test]
fn a_lower_version_is_taken_only_when_the_operator_allows_it() {
    let about = offered("v4.1.0", "v4.0.8");
    let reason = stays(&about, "{}");
    assert!(
        reason.ends_with("it is lower than v4.1.0, which runs; allow-downgrade = true takes it"),
        "{reason}"
    );
    assert_eq!(taken(&about, r#"{"allow-downgrade":true}"#), "v4.0.8");
    assert!(stays(&offered("4.1.0", "4.1.0-beta"), "{}").contains("lower"));
    // What cannot be compared is taken as the vendor says.
    assert_eq!(taken(&offered("4.1.0", "nightly"), "{}"), "nightly");
}

#[test]
fn what_does_not_answer_counts_as_the_version_that_proved_itself_last() {
    let mut about = offered("", "v4.0.8");
    about.current = None;
    about.last_good = Some("v4.1.0".into());
    assert!(stays(&about, "{}").contains("lower than v4.1.0, which ran last"));
    about.last_good = Some("v4.0.8".into());
    assert_eq!(taken(&about, "{}"), "v4.0.8");
}

#[test]
fn only_allowed_versions_are_taken_when_some_are_given() {
    let json = r#"{"allowed":["4.0.9","4.1.*"]}"#;
    assert!(stays(&offered("4.0.7", "v4.0.8"), json).ends_with("`allowed` has only 4.0.9, 4.1.*"));
    assert_eq!(taken(&offered("4.0.7", "v4.0.9"), json), "v4.0.9");
    assert_eq!(taken(&offered("4.0.7", "v4.1.3"), json), "v4.1.3");
    assert!(stays(&offered("4.0.7", "4.0.8"), r#"{"allowed":[]}"#).ends_with("allows none"));
}

#[test]
fn refused_versions_are_not_taken_until_the_operator_says() {
    let json = r#"{"refused":[{"version":"4.0.8","until":"2026-02-18T08:00:00+01:00","reason":"DPO is slow"},{"version":"5.*"}]}"#;
    let mut about = offered("4.0.7", "v4.0.8");
    let reason = stays(&about, json);
    assert!(
        reason.ends_with("`refused` says no to it until Wednesday 2026-02-18 08:00: DPO is slow"),
        "{reason}"
    );
    about.now = moment("2026-02-18T07:00:00Z");
    assert_eq!(taken(&about, json), "v4.0.8");
    assert!(stays(&offered("4.0.7", "5.0.1"), json).ends_with("`refused` says no to it"));
}

fn attempt(version: &str, at: &str, outcome: Outcome) -> Attempt {
    Attempt {
        version: version.into(),
        at: moment(at),
        outcome,
    }
}

#[test]
fn a_version_that_failed_is_left_alone_for_a_day() {
    let failed = |at| attempt("4.0.8", at, Outcome::Failed("Application startup failed".into()));
    let mut about = offered("v4.0.7", "v4.0.8");
    about.attempts = vec![failed("2026-02-17T04:30:00Z")];
    let reason = stays(&about, "{}");
    assert!(
        reason.contains(
            "it failed Tuesday 2026-02-17 05:30 (Application startup failed) and is tried again from Wednesday 2026-02-18 05:30"
        ),
        "{reason}"
    );
    assert_eq!(taken(&about, r#"{"retry-after-hours":0}"#), "v4.0.8");
    assert_eq!(taken(&about, r#"{"retry-after-hours":6}"#), "v4.0.8");
    stays(&about, r#"{"retry-after-hours":18446744073709551615}"#);
    about.now = moment("2026-02-18T04:30:00Z");
    assert_eq!(taken(&about, "{}"), "v4.0.8");
}

#[test]
fn an_operator_who_asks_gets_a_failed_version_tried_again() {
    let mut about = offered("v4.0.7", "v4.0.8");
    about.attempts = vec![attempt(
        "v4.0.8",
        "2026-02-17T10:00:00Z",
        Outcome::Failed("å".repeat(400)),
    )];
    assert!(stays(&about, "{}").contains('…'));
    about.cause = Cause::Demand;
    assert_eq!(taken(&about, "{}"), "v4.0.8");
}

#[test]
fn only_the_last_attempt_of_the_same_version_counts() {
    let mut about = offered("v4.0.7", "v4.0.8");
    about.attempts = vec![
        attempt("v4.0.9", "2026-02-17T10:30:00Z", Outcome::Failed("no".into())),
        attempt("v4.0.8", "2026-02-17T10:20:00Z", Outcome::Good),
        attempt("v4.0.8", "2026-02-17T10:10:00Z", Outcome::Failed("no".into())),
    ];
    assert_eq!(taken(&about, "{}"), "v4.0.8");
}

#[test]
fn wrong_settings_are_refused_by_the_name_of_their_key() {
    for (json, key) in [
        (
            r#"{"supported-major":"beta"}"#,
            "setting `supported-major`: Invalid version specifier",
        ),
        (
            r#"{"supported-major":true}"#,
            "setting `supported-major`: write a major version",
        ),
        (
            r#"{"supported-major":-1}"#,
            "setting `supported-major`: Invalid version specifier",
        ),
        (r#"{"allowed":"4.*"}"#, "setting `allowed`: invalid type"),
        (
            r#"{"allowed":["4.0.8","4*"]}"#,
            "setting `allowed[1]`: `4*` is no version",
        ),
        (
            r#"{"refused":[{"until":"2026-02-18T08:00:00Z"}]}"#,
            "setting `refused[0]`: missing field `version`",
        ),
        (
            r#"{"refused":[{"version":"4","until":"tomorrow"}]}"#,
            "setting `refused[0].until`: `tomorrow` is no date",
        ),
        (
            r#"{"refused":[{"version":"4","why":"x"}]}"#,
            "setting `refused[0].why`: unknown field",
        ),
        (
            r#"{"allow-downgrade":"yes"}"#,
            "setting `allow-downgrade`: invalid type",
        ),
        (
            r#"{"retry-after-hours":-1}"#,
            "setting `retry-after-hours`: invalid value",
        ),
        (r#"{"supported-majr":4}"#, "setting `supported-majr`: unknown field"),
    ] {
        let told = wrong(json);
        assert!(told.starts_with(key), "{json}: {told}");
    }
}

#[test]
fn every_reason_is_short_enough_to_be_kept() {
    let mut about = offered("v4.0.7", "v4.0.8");
    about.attempts = vec![attempt("v4.0.8", NOON, Outcome::Failed("x".repeat(100_000)))];
    assert!(stays(&about, "{}").len() < 2048);
}
