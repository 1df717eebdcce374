use budstikke_policy_sdk::testing::{Oslo, moment, updates};
use budstikke_policy_sdk::{
    Calendar, Candidate, Cause, Choice, Civil, Decision, LATEST, Policy as _, Situation, settings,
};

use crate::{Settings, WindowPolicy, waves};

/// Bottlerocket's, with an end.
const WAVES: &str = r#"{"waves":[{"percent":1,"after-hours":4},{"percent":5,"after-hours":24},{"percent":15,"after-hours":48},
    {"percent":40,"after-hours":96},{"percent":60,"after-hours":120},{"percent":90,"after-hours":144},{"percent":100,"after-hours":168}]}"#;
const NIGHTS: &str = r#"{"windows":[{"days":["mon","tue","wed","thu","fri"],"from":"22:00","to":"05:00"}]}"#;

fn about(now: &str) -> Situation {
    Situation {
        organisation: "991825827".into(),
        now: moment(now),
        cause: Cause::Schedule,
        current: Some("v4.0.7".into()),
        candidates: vec![Candidate {
            version: "v4.0.8".into(),
            channel: LATEST.into(),
            released: Some(moment("2026-02-16T08:00:00Z")),
            schema: None,
        }],
        proposal: Some(Decision::update("v4.0.8", "newest")),
        ..Situation::default()
    }
}

fn decide(about: &Situation, json: &str) -> Decision {
    let settings = settings(json).unwrap();
    WindowPolicy::check(&settings).unwrap();
    WindowPolicy::decide(about, &Oslo, &settings).unwrap()
}

/// The moment that an update is put off to.
fn put_off(about: &Situation, json: &str) -> u64 {
    let decision = decide(about, json);
    match updates(&decision) {
        Some(("v4.0.8", Some(moment))) => moment,
        _ => panic!("{decision:?}"),
    }
}

fn passes(about: &Situation, json: &str) -> String {
    match decide(about, json) {
        Decision::Pass(reason) => reason,
        other => panic!("{other:?}"),
    }
}

#[test]
fn only_a_proposal_to_update_is_looked_at() {
    let mut about = about("2026-02-17T11:00:00Z");
    for proposal in [
        None,
        Some(Decision::stay("x")),
        Some(Decision::go_back("x")),
        Some(Decision::pass("x")),
    ] {
        about.proposal = proposal;
        passes(&about, NIGHTS);
    }
}

#[test]
fn without_rules_everything_passes() {
    assert_eq!(
        passes(&about("2026-02-17T11:00:00Z"), "{}"),
        "nothing speaks against that moment"
    );
}

#[test]
fn outside_the_windows_an_update_waits_for_the_next_one() {
    let tuesday_noon = about("2026-02-17T11:00:00Z");
    assert_eq!(
        decide(&tuesday_noon, NIGHTS),
        Decision::update_from(
            "v4.0.8",
            moment("2026-02-17T21:00:00Z"),
            "newest; not before Tuesday 2026-02-17 22:00: updates are made mon, tue, wed, thu, fri 22:00-05:00"
        )
    );
}

#[test]
fn a_window_that_passes_midnight_belongs_to_the_day_on_which_it_opens() {
    passes(&about("2026-02-17T21:00:00Z"), NIGHTS);
    passes(&about("2026-02-18T03:59:59Z"), NIGHTS);
    assert_eq!(
        put_off(&about("2026-02-18T04:00:00Z"), NIGHTS),
        moment("2026-02-18T21:00:00Z")
    );
    // Saturday at three is Friday's night; Monday at three is nobody's.
    passes(&about("2026-02-21T02:00:00Z"), NIGHTS);
    assert_eq!(
        put_off(&about("2026-02-23T02:00:00Z"), NIGHTS),
        moment("2026-02-23T21:00:00Z")
    );
    assert_eq!(
        put_off(&about("2026-02-21T12:00:00Z"), NIGHTS),
        moment("2026-02-23T21:00:00Z")
    );
}

#[test]
fn the_nearest_of_several_windows_is_taken() {
    let json = r#"{"windows":[{"days":["sat"],"from":"08:00","to":"16:00"},{"days":["thu"],"from":"23:30","to":"23:45"},
        {"days":["thu"],"from":"20:00","to":"20:15"}]}"#;
    assert_eq!(
        put_off(&about("2026-02-17T11:00:00Z"), json),
        moment("2026-02-19T19:00:00Z")
    );
    assert_eq!(
        put_off(&about("2026-02-19T19:15:00Z"), json),
        moment("2026-02-19T22:30:00Z")
    );
    assert_eq!(
        put_off(&about("2026-02-19T22:45:00Z"), json),
        moment("2026-02-21T07:00:00Z")
    );
    assert_eq!(
        put_off(&about("2026-02-21T15:00:00Z"), json),
        moment("2026-02-26T19:00:00Z")
    );
}

#[test]
fn a_window_from_a_time_to_the_same_time_is_a_whole_day() {
    let json = r#"{"windows":[{"days":["tue"],"from":"00:00","to":"00:00"}]}"#;
    passes(&about("2026-02-16T23:00:00Z"), json);
    passes(&about("2026-02-17T22:59:59Z"), json);
    assert_eq!(
        put_off(&about("2026-02-17T23:00:00Z"), json),
        moment("2026-02-23T23:00:00Z")
    );
}

#[test]
fn windows_follow_the_clocks_on_the_days_when_they_change() {
    let json = r#"{"windows":[{"from":"02:30","to":"04:00"}]}"#;
    // The night to 29 March has no half past two: the window opens at half past three.
    assert_eq!(
        put_off(&about("2026-03-28T12:00:00Z"), json),
        moment("2026-03-29T01:30:00Z")
    );
    assert_eq!(
        put_off(&about("2026-03-29T12:00:00Z"), json),
        moment("2026-03-30T00:30:00Z")
    );
    // The night to 25 October has it twice: the window opens at the first.
    assert_eq!(
        put_off(&about("2026-10-24T12:00:00Z"), json),
        moment("2026-10-25T00:30:00Z")
    );
    passes(&about("2026-10-25T02:59:59Z"), json);
    assert_eq!(
        put_off(&about("2026-10-25T03:00:00Z"), json),
        moment("2026-10-26T01:30:00Z")
    );
}

#[test]
fn a_window_that_the_clocks_leave_out_does_not_open_that_day() {
    let hour = r#"{"windows":[{"from":"02:00","to":"03:00"}]}"#;
    assert_eq!(
        put_off(&about("2026-03-28T12:00:00Z"), hour),
        moment("2026-03-30T00:00:00Z")
    );
    let sundays = r#"{"windows":[{"days":["sun"],"from":"02:15","to":"02:45"}]}"#;
    // Half an hour later in the day, as long as it is.
    assert_eq!(
        put_off(&about("2026-03-28T12:00:00Z"), sundays),
        moment("2026-03-29T01:15:00Z")
    );
}

/// A place without days.
struct Nowhere;

impl Calendar for Nowhere {
    fn civil(&self, moment: u64) -> Civil {
        Oslo.civil(moment)
    }

    fn moment(&self, _civil: Civil) -> Option<u64> {
        None
    }
}

#[test]
fn when_no_window_ever_opens_everything_stays_and_that_is_said() {
    let about = about("2026-02-17T11:00:00Z");
    let decision = WindowPolicy::decide(&about, &Nowhere, &settings(NIGHTS).unwrap()).unwrap();
    let told = "newest, but no window opens in the 14 days after Tuesday 2026-02-17 12:00";
    assert_eq!(decision, Decision::stay(told));
}

#[test]
fn an_operator_who_asks_need_not_wait_for_a_window() {
    let mut about = about("2026-02-17T11:00:00Z");
    about.cause = Cause::Demand;
    assert!(passes(&about, NIGHTS).ends_with("it was asked for, so that windows do not count"));
    let strict = NIGHTS.replacen('{', r#"{"demand-ignores-window":false,"#, 1);
    assert_eq!(put_off(&about, &strict), moment("2026-02-17T21:00:00Z"));
}

const CHRISTMAS: &str = r#""freezes":[{"from":"2026-12-28","to":"2027-01-03"},{"from":"2026-12-20","to":"2026-12-27","reason":"Christmas"}]"#;

#[test]
fn nothing_is_changed_on_frozen_days_the_last_one_included() {
    let json = format!("{{{CHRISTMAS}}}");
    passes(&about("2026-12-19T22:59:59Z"), &json);
    let mut first = about("2026-12-19T23:00:00Z");
    let told = "newest; not before Monday 2027-01-04 00:00: nothing is changed from 2026-12-20 to 2026-12-27 (Christmas); \
                nothing is changed from 2026-12-28 to 2027-01-03";
    assert_eq!(
        decide(&first, &json),
        Decision::update_from("v4.0.8", moment("2027-01-03T23:00:00Z"), told)
    );
    first.cause = Cause::Demand;
    assert_eq!(put_off(&first, &json), moment("2027-01-03T23:00:00Z"));
    passes(&about("2027-01-03T23:00:00Z"), &json);
}

#[test]
fn after_a_freeze_an_update_waits_for_a_window() {
    let json = NIGHTS.replacen('{', &format!("{{{CHRISTMAS},"), 1);
    // Saturday noon; the next window would be that of Monday, which is frozen as all until 4 January.
    assert_eq!(
        put_off(&about("2026-12-19T12:00:00Z"), &json),
        moment("2027-01-04T21:00:00Z")
    );
}

#[test]
fn a_window_that_opens_in_a_freeze_is_open_at_its_end() {
    let json = r#"{"windows":[{"days":["fri"],"from":"22:00","to":"05:00"}],"freezes":[{"from":"2026-02-20","to":"2026-02-20"}]}"#;
    assert_eq!(
        put_off(&about("2026-02-17T12:00:00Z"), json),
        moment("2026-02-20T23:00:00Z")
    );
}

#[test]
fn an_organisation_waits_for_its_wave() {
    let about = about("2026-02-16T08:00:00Z");
    let wave = waves::wave_of(&settings::<Settings>(WAVES).unwrap().waves, "991825827", "v4.0.8").unwrap();
    let begins = moment("2026-02-16T08:00:00Z") + wave.after_hours * 3600;
    assert_eq!(put_off(&about, WAVES), begins);
    let told = format!("the wave of the first {} % begins", wave.percent);
    assert!(decide(&about, WAVES).reason().contains(&told));
    let later = Situation { now: begins, ..about };
    assert!(passes(&later, WAVES).ends_with("its wave has begun"));
}

#[test]
fn waves_hold_for_an_operator_who_asks_and_windows_come_after_them() {
    let json = r#"{"waves":[{"percent":100,"after-hours":30}],"windows":[{"from":"22:00","to":"05:00"}]}"#;
    let mut about = about("2026-02-16T21:30:00Z");
    assert_eq!(put_off(&about, json), moment("2026-02-17T21:00:00Z"));
    about.cause = Cause::Demand;
    assert_eq!(put_off(&about, json), moment("2026-02-17T14:00:00Z"));
}

#[test]
fn without_a_release_date_waves_do_not_count_and_that_is_said() {
    let mut about = about("2026-02-16T08:00:00Z");
    about.candidates[0].released = None;
    assert!(passes(&about, WAVES).contains("nobody knows when it was released"));
    about.candidates.clear();
    passes(&about, WAVES);
}

#[test]
fn a_place_in_the_queue_is_the_same_everywhere_and_another_for_each_version() {
    // FNV-1a of `991825827:4.0.8`, computed by another program.
    assert_eq!(waves::place("991825827", "v4.0.8"), PLACE_OF_4_0_8);
    assert_eq!(waves::place("991825827", "4.0.8"), PLACE_OF_4_0_8);
    assert_ne!(waves::place("991825827", "4.0.9"), PLACE_OF_4_0_8);
}

const PLACE_OF_4_0_8: u64 = 6_980;

#[test]
fn waves_are_as_large_as_they_say() {
    let waves = settings::<Settings>(WAVES).unwrap().waves;
    let organisations: Vec<String> = (0..20_000_u32)
        .map(|number| (910_000_000 + number * 37).to_string())
        .collect();
    for wave in &waves {
        let within = organisations
            .iter()
            .filter(|organisation| {
                waves::wave_of(&waves, organisation, "4.0.8").is_some_and(|found| found.percent <= wave.percent)
            })
            .count();
        let expected = 200 * usize::from(wave.percent);
        assert!(within.abs_diff(expected) < 300, "{wave:?}: {within}");
    }
}

#[test]
fn an_update_that_was_put_off_before_is_not_put_forward() {
    let mut about = about("2026-02-17T22:00:00Z");
    let later = |at: &str| {
        Some(Decision::Update(Choice {
            version: "v4.0.8".into(),
            reason: "newest".into(),
            not_before: Some(moment(at)),
        }))
    };
    about.proposal = later("2026-02-18T02:00:00Z");
    passes(&about, NIGHTS);
    about.proposal = later("2026-02-18T12:00:00Z");
    assert_eq!(put_off(&about, NIGHTS), moment("2026-02-18T21:00:00Z"));
}

#[test]
fn wrong_settings_are_refused_by_the_name_of_their_key() {
    let wrong = |json: &str| match settings::<Settings>(json) {
        Ok(settings) => WindowPolicy::check(&settings).unwrap_err(),
        Err(error) => error,
    };
    for (json, told) in [
        (
            r#"{"windows":[{"from":"22:00"}]}"#,
            "setting `windows[0]`: missing field `to`",
        ),
        (
            r#"{"windows":[{"from":"22:00","to":"24:00"}]}"#,
            "setting `windows[0].to`: `24:00` is no time of day",
        ),
        (
            r#"{"windows":[{"from":"9:00","to":"10:00"}]}"#,
            "setting `windows[0].from`: `9:00` is no time of day",
        ),
        (
            r#"{"windows":[{"days":["monday"],"from":"22:00","to":"23:00"}]}"#,
            "setting `windows[0].days[0]`: unknown variant `monday`, expected one of `mon`",
        ),
        (
            r#"{"windows":[{"days":[],"from":"22:00","to":"23:00"}]}"#,
            "setting `windows[0].days`: name a day",
        ),
        (
            r#"{"windows":[{"day":["mon"],"from":"22:00","to":"23:00"}]}"#,
            "setting `windows[0].day`: unknown field",
        ),
        (
            r#"{"freezes":[{"from":"2026-12-24","to":"2026-02-30"}]}"#,
            "setting `freezes[0].to`: `2026-02-30` is no day",
        ),
        (
            r#"{"freezes":[{"from":"2026-12-24","to":"2026-12-23"}]}"#,
            "setting `freezes[0].to`: 2026-12-23 is before 2026-12-24",
        ),
        (
            r#"{"waves":[{"percent":101,"after-hours":1}]}"#,
            "setting `waves[0].percent`: the last wave takes all",
        ),
        (
            r#"{"waves":[{"percent":300,"after-hours":1}]}"#,
            "setting `waves[0].percent`: invalid value",
        ),
        (
            r#"{"waves":[{"percent":50,"after-hours":1}]}"#,
            "setting `waves[0].percent`: the last wave takes all",
        ),
        (
            r#"{"waves":[{"percent":50,"after-hours":1},{"percent":50,"after-hours":2}]}"#,
            "setting `waves[1].percent`: must be more",
        ),
        (
            r#"{"waves":[{"percent":50,"after-hours":3},{"percent":100,"after-hours":2}]}"#,
            "setting `waves[1].after-hours`: must not be less",
        ),
        (
            r#"{"waves":[{"percent":100,"hours":2}]}"#,
            "setting `waves[0].hours`: unknown field",
        ),
        (
            r#"{"demand-ignores-window":1}"#,
            "setting `demand-ignores-window`: invalid type",
        ),
        (r#"{"window":[]}"#, "setting `window`: unknown field"),
    ] {
        assert!(wrong(json).starts_with(told), "{json}: {}", wrong(json));
    }
}
