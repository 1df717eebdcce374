use budstikke_sdk::http::Reach;

use super::*;
use crate::testing::{Fake, NOW, PERSON, left, settings};

const DAY: u64 = SECONDS_OF_A_DAY;
const MINUTE: u64 = 60;

fn look(host: &Fake, settings: &str, message: Left) -> Result<Progress, Failure> {
    track(host, Ok(crate::testing::settings(settings)), &[message]).remove(0)
}

fn answers(status: u16, body: &str) -> Fake {
    let host = Fake::default();
    host.now.set(NOW);
    host.on("GET /correspondence/aa", status, body);
    host
}

/// The statuses, and whether it is asked about again.
fn after(status: u16, body: &str) -> (Vec<String>, bool) {
    let progress = look(&answers(status, body), "", left("aa")).unwrap();
    let statuses = progress.reports.into_iter().map(|report| report.status).collect();
    (statuses, progress.track_after.is_some())
}

#[test]
fn t21_times_and_statuses_of_an_overview_are_statuses_of_the_message() {
    let (created, published, read) = (
        r#""created":"2026-03-25T11:38:24.2""#,
        r#""published":"2026-03-25T11:38:25.297889""#,
        r#""read":"2026-03-25T12:00:00Z""#,
    );
    for (body, statuses, again) in [
        (format!("{{{created}}}"), vec![], true),
        (format!("{{{created},{published}}}"), vec!["LEVERT"], true),
        (
            format!("{{{created},{published},{read}}}"),
            vec!["LEVERT", "LEST"],
            false,
        ),
        (
            format!(r#"{{{created},{published},"status":"PurgedByRecipient"}}"#),
            vec!["LEVERT", "ANNET"],
            false,
        ),
        (
            format!(r#"{{{created},{published},"status":"PurgedByAltinn"}}"#),
            vec!["LEVERT", "ANNET"],
            false,
        ),
        (format!(r#"{{{created},"status":"Published"}}"#), vec![], true),
        (
            format!(r#"{{{created},{published},"read":null,"status":"Fetched"}}"#),
            vec!["LEVERT"],
            true,
        ),
        (format!(r#"{{{created},"status":"Failed"}}"#), vec!["FEIL"], false),
        (format!(r#"{{{created},"status":"Reserved"}}"#), vec!["FEIL"], false),
        (
            format!(r#"{{{created},{published},"status":"Archived"}}"#),
            vec!["LEVERT", "ANNET"],
            true,
        ),
        (
            format!(r#"{{{published},{read},"status":"Confirmed"}}"#),
            vec!["LEVERT", "LEST", "ANNET"],
            false,
        ),
        (
            format!(r#"{{{published},"status":"Nytt"}}"#),
            vec!["LEVERT", "ANNET"],
            true,
        ),
    ] {
        let (reported, asked) = after(200, &body);
        assert_eq!(
            (reported, asked),
            (statuses.into_iter().map(str::to_owned).collect(), again),
            "{body}"
        );
    }
}

#[test]
fn t21_what_is_gone_is_annet_and_other_errors_say_nothing() {
    for status in [404, 410] {
        let progress = look(&answers(status, ""), "", left("aa")).unwrap();
        assert_eq!(progress.reports[0].status, "ANNET");
        assert_eq!(
            progress.reports[0].description.as_deref(),
            Some("The message was deleted in Altinn")
        );
        assert_eq!(progress.track_after, None);
    }
    let told = r#"{"status":404,"detail":"why","errorCode":1001}"#;
    assert_eq!(after(404, told), (vec!["ANNET".to_owned()], false));
    for body in ["<html>nginx", r#"{"status":404,"error":"Not Found"}"#] {
        assert!(
            look(&answers(404, body), "", left("aa")).is_err(),
            "an address that is wrong says nothing about a letter"
        );
    }
    for status in [400, 403, 500, 503] {
        assert!(
            !look(&answers(status, ""), "", left("aa")).unwrap_err().is_permanent(),
            "{status}"
        );
    }
}

#[test]
fn t21_without_an_id_there_is_nothing_to_ask_about() {
    let host = Fake::default();
    let message = Left {
        reference: None,
        ..left("")
    };
    let progress = look(&host, "", message).unwrap();
    assert_eq!((progress.reports.len(), progress.track_after), (0, None));
    assert_eq!(look(&host, "", left("../x")).unwrap_err().code(), Some("reference"));
    assert!(host.calls().is_empty());
}

#[test]
fn t22_a_description_has_altinns_time_with_its_offset() {
    let body = r#"{"published":"2025-10-06T08:04:49.2","read":"2025-10-06T08:04:49.297889"}"#;
    let progress = look(&answers(200, body), "", left("aa")).unwrap();
    let described: Vec<_> = progress
        .reports
        .into_iter()
        .filter_map(|report| report.description)
        .collect();
    assert_eq!(
        described,
        [
            "Altinn: published 2025-10-06T08:04:49.2Z",
            "Altinn: read 2025-10-06T08:04:49.297889Z"
        ]
    );
}

#[test]
fn a_failed_letter_says_why_and_names_no_person() {
    let body = format!(
        r#"{{"status":"Failed","statusText":"Malware, {PERSON}","statusChanged":"2025-10-06T08:04:49",
        "content":{{"messageTitle":"hemmelig"}}}}"#
    );
    let progress = look(&answers(200, &body), "", left("aa")).unwrap();
    let [report] = progress.reports.as_slice() else {
        panic!("one report")
    };
    assert_eq!(
        report.description.as_deref(),
        Some("Altinn did not deliver the message: it failed 2025-10-06T08:04:49Z (Malware, …)")
    );
    assert_eq!(report.raw_receipt, None, "an overview repeats what the letter says");
}

#[test]
fn t23_the_longer_nothing_happens_the_rarer_are_the_looks() {
    let settings = settings("");
    for (age, minutes) in [
        (0, 1),
        (15 * DAY, 30),
        (45 * DAY, 60),
        (30 * DAY, 60),
        (30 * DAY - 1, 59),
    ] {
        assert_eq!(interval(&settings, age), minutes, "{age}");
    }
    let next = |age| u64::from(next_look(&settings, age).unwrap());
    assert_eq!(next(0), MINUTE);
    // Looked at a minute before 60 days: due at 60 days.
    assert_eq!(next(60 * DAY - MINUTE), MINUTE);
    // Looked at two minutes before: not due one minute later.
    assert!(next(60 * DAY - 2 * MINUTE) > MINUTE);
    // Looked at a minute before: due when a look comes two minutes after 60 days, three minutes later.
    assert!(next(60 * DAY - MINUTE) <= 3 * MINUTE);
    assert_eq!(next(60 * DAY), 60 * MINUTE);
    // Two looks are never right after one another.
    assert_eq!(next(59), SOONEST);
}

#[test]
fn t23_threshold_and_longest_interval_are_settings() {
    let settings = settings(r#","tracking-threshold-days":10,"tracking-longest-minutes":11"#);
    assert_eq!(
        [0, 5 * DAY, 10 * DAY, 99 * DAY].map(|age| interval(&settings, age)),
        [1, 6, 11, 11]
    );
    let always = crate::testing::settings(r#","tracking-longest-minutes":1"#);
    assert_eq!([0, 5 * DAY, 99 * DAY].map(|age| interval(&always, age)), [1, 1, 1]);
}

#[test]
fn a_letter_that_nobody_opens_is_given_up_some_day() {
    let unread = r#"{"published":"2026-03-25T11:38:25Z","status":"Published"}"#;
    let age = |days: u64| Left {
        last_update: NOW - days * DAY,
        ..left("aa")
    };
    assert!(look(&answers(200, unread), "", age(364)).unwrap().track_after.is_some());
    assert_eq!(look(&answers(200, unread), "", age(365)).unwrap().track_after, None);
    let early = r#","days-of-tracking":3"#;
    assert_eq!(look(&answers(200, unread), early, age(3)).unwrap().track_after, None);
}

#[test]
fn a_delivered_arkivmelding_gives_a_receipt_if_the_operator_wants_it() {
    let published = r#"{"published":"2026-03-25T11:38:25Z"}"#;
    let receipts = r#","generate-arkivmelding-receipts":true"#;
    let host = answers(200, published);
    look(&host, "", left("aa")).unwrap();
    assert!(host.generated().is_empty());

    let host = answers(200, published);
    host.on("GET /correspondence/aa", 200, published);
    for _ in 0..2 {
        let progress = look(&host, receipts, left("aa")).unwrap();
        assert_eq!(progress.reports[0].status, "LEVERT");
    }
    assert_eq!(host.generated().len(), 1);

    let host = answers(200, r#"{"status":"Initialized"}"#);
    look(&host, receipts, left("aa")).unwrap();
    assert!(host.generated().is_empty());

    let host = answers(200, published);
    host.takes_no_receipts(Failure::temporary("the store is busy"));
    assert!(
        !look(&host, receipts, left("aa")).unwrap_err().is_permanent(),
        "LEVERT comes with its receipt"
    );

    let host = answers(200, published);
    host.takes_no_receipts(Failure::permanent("sbd", "it has no receiver"));
    let progress = look(&host, receipts, left("aa")).unwrap();
    assert_eq!(
        (progress.reports[0].status.as_str(), host.warnings().len()),
        ("LEVERT", 1)
    );
}

#[test]
fn each_has_an_answer_of_its_own() {
    let host = Fake::default();
    host.now.set(NOW);
    host.on("GET /correspondence/aa", 200, r#"{"published":"2026-03-25T11:38:25Z"}"#)
        .on("GET /correspondence/bb", 500, "")
        .on("GET /correspondence/cc", 200, "<html>")
        .on("GET /correspondence/dd", 404, "");
    let messages = ["aa", "bb", "cc", "dd"].map(left);
    let answers = track(&host, Ok(settings("")), &messages);
    let good: Vec<_> = answers.iter().map(Result::is_ok).collect();
    assert_eq!(good, [true, false, false, true]);
    let answers = track(&host, Err(Failure::permanent("settings", "x")), &messages);
    assert_eq!(answers.iter().filter(|answer| answer.is_err()).count(), 4);
}

#[test]
fn an_outage_is_met_once_and_slow_answers_leave_the_rest_for_later() {
    let messages = || ["aa", "bb"].map(left);
    let host = Fake::default();
    host.breaks("GET /correspondence/aa", Reach::Unknown);
    let told = track(&host, Ok(settings("")), &messages());
    assert!(told.iter().all(|answer| matches!(answer, Err(Failure::Temporary(_)))));
    assert_eq!(host.calls(), ["GET /correspondence/aa"]);

    let host = Fake::default();
    host.busy("GET /correspondence/aa", 429, 30);
    assert!(track(&host, Ok(settings("")), &messages()).iter().all(Result::is_err));
    assert_eq!(host.calls().len(), 1);

    let host = answers(200, "{}");
    host.pace.set(PATIENCE + 1);
    let answers = track(&host, Ok(settings("")), &messages());
    assert!(answers[0].is_ok() && !answers[1].as_ref().unwrap_err().is_permanent());
    assert_eq!(host.calls().len(), 1);
}
