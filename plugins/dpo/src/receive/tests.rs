use budstikke_sdk::Delivery;

use super::*;
use crate::testing::{CUSTOMER, Fake, OWN, archive, file, listing, overview, settings};

const UUID: &str = "7b1c8a52-0000-4000-8000-000000000000";
const MORNING: &str = "2026-03-25T11:30:00Z";

fn poll(host: &Fake) -> Received {
    receive(host, &settings("")).unwrap()
}

/// A poll that the host kills in one of its calls.
fn killed(host: &Fake, call: &str) {
    *host.deadly.borrow_mut() = Some(call.to_owned());
    let poll = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| poll(host)));
    assert!(poll.is_err(), "the poll came through without {call}");
}

fn ids(host: &Fake) -> Vec<String> {
    host.delivered().into_iter().map(|(id, ..)| id).collect()
}

#[test]
fn t8_an_arkivmelding_is_fetched_handed_over_and_confirmed() {
    let host = Fake::default();
    host.lists(&[], &["aa11"]).transfer("aa11", MORNING);
    let received = poll(&host);
    assert_eq!((received.handled, received.problems, received.more), (1, vec![], false));
    assert_eq!(
        host.calls(),
        [
            listing("DownloadStarted").as_str(),
            listing("Initialized").as_str(),
            "GET /filetransfer/aa11",
            "GET /filetransfer/aa11/download",
            "POST /filetransfer/aa11/confirmdownload",
        ]
    );
    assert_eq!(
        host.delivered(),
        [("aa11".to_owned(), "sbd of aa11".to_owned(), Some("sealed".to_owned()))]
    );
    assert!(
        host.tokens()
            .iter()
            .all(|token| token == "altinn:broker.read for 0192:991825827 #1")
    );
    assert!(host.state_keys().is_empty(), "a handled transfer is forgotten");
}

#[test]
fn t11_a_status_has_no_package_and_strange_entries_are_passed_over() {
    let host = Fake::default();
    host.lists(&[], &["aa"])
        .on("GET /filetransfer/aa", 200, &overview(UUID, MORNING));
    host.gives(
        "GET /filetransfer/aa/download",
        archive(&[
            file("manifest.xml", "<m/>"),
            file("SBD.JSON", "no"),
            file("sbd.json", "status"),
        ]),
    );
    host.on("POST /filetransfer/aa/confirmdownload", 200, "")
        .delivery(Ok(Delivery::Status));
    assert_eq!(poll(&host).handled, 1);
    assert_eq!(host.delivered(), [("aa".to_owned(), "status".to_owned(), None)]);
}

#[test]
fn every_outcome_of_the_host_is_confirmed() {
    for outcome in [
        Delivery::AlreadyKnown,
        Delivery::Expired,
        Delivery::SetAside("odd".to_owned()),
        Delivery::Other("later".to_owned()),
    ] {
        let host = Fake::default();
        host.lists(&[], &["aa"]).transfer("aa", MORNING).delivery(Ok(outcome));
        assert_eq!(poll(&host).handled, 1);
        assert_eq!(host.calls().last().unwrap(), "POST /filetransfer/aa/confirmdownload");
    }
}

#[test]
fn t10_what_can_never_be_used_is_set_aside_with_its_content_and_confirmed() {
    let packages = [
        (file("sbd.zip", "no zip"), "not-a-zip: not a zip"),
        (
            archive(&[file("asic.zip", "x")]),
            "no-sbd: there is no sbd.json in the package",
        ),
        (
            archive(&[file("content.xml", "<x/>")]),
            "no-sbd: the SBD is in the old XML form (content.xml), which is not supported",
        ),
        (archive(&[file("sbd.json", "{}")]), "sbd: no business message"),
    ];
    for (package, reason) in packages {
        let host = Fake::default();
        host.lists(&[], &["aa"])
            .on("GET /filetransfer/aa", 200, &overview(UUID, MORNING));
        host.gives("GET /filetransfer/aa/download", package)
            .on("POST /filetransfer/aa/confirmdownload", 204, "");
        host.delivery(Err(Failure::permanent("sbd", "no business message")));
        let received = poll(&host);
        assert_eq!((received.handled, received.problems), (1, vec![]));
        assert_eq!(host.aside(), [("aa".to_owned(), reason.to_owned())]);
        assert_eq!(host.calls().last().unwrap(), "POST /filetransfer/aa/confirmdownload");
    }
}

#[test]
fn a_package_that_broke_on_its_way_to_us_stays_at_altinn() {
    let broken = || file("sbd.zip", "no zip");
    for as_it_was_sent in [false, true] {
        let host = Fake::default();
        let checksum = if as_it_was_sent {
            host.md5(&broken()).unwrap()
        } else {
            "0".repeat(32)
        };
        let overview =
            format!(r#"{{"sendersFileTransferReference":"{UUID}","created":"{MORNING}","checksum":"{checksum}"}}"#);
        host.lists(&[], &["aa"])
            .on("GET /filetransfer/aa", 200, &overview)
            .gives("GET /filetransfer/aa/download", broken())
            .on("POST /filetransfer/aa/confirmdownload", 204, "");
        let received = poll(&host);
        assert_eq!(host.aside().len(), usize::from(as_it_was_sent));
        assert_eq!(received.problems.len(), usize::from(!as_it_was_sent));
    }
}

#[test]
fn a_temporary_failure_leaves_the_transfer_at_altinn_and_the_next_goes_on() {
    let host = Fake::default();
    host.lists(&[], &["aa", "bb"])
        .transfer("aa", MORNING)
        .transfer("bb", "2026-03-25T11:31:00Z");
    host.delivery(Err(Failure::temporary("the disk is full")));
    let received = poll(&host);
    assert_eq!(
        (received.handled, received.problems),
        (1, vec!["transfer aa: the disk is full".to_owned()])
    );
    let calls = host.calls();
    assert!(!calls.contains(&"POST /filetransfer/aa/confirmdownload".to_owned()));
    assert!(calls.contains(&"POST /filetransfer/bb/confirmdownload".to_owned()));
}

#[test]
fn a_download_that_was_never_confirmed_is_found_again() {
    let host = Fake::default();
    host.lists(&["aa"], &[]).transfer("aa", MORNING);
    assert_eq!(poll(&host).handled, 1);
    assert_eq!(ids(&host), ["aa"]);
}

#[test]
fn a_lost_confirmation_is_made_up_for_without_a_download() {
    let host = Fake::default();
    host.lists(&[], &["aa"])
        .on("GET /filetransfer/aa", 200, &overview(UUID, MORNING));
    host.gives("GET /filetransfer/aa/download", archive(&[file("sbd.json", "x")]));
    host.on("POST /filetransfer/aa/confirmdownload", 500, "down");
    let received = poll(&host);
    assert_eq!(received.handled, 0);
    assert!(received.problems[0].starts_with("transfer aa: not confirmed: "));
    host.calls();

    host.lists(&["aa"], &[])
        .on("POST /filetransfer/aa/confirmdownload", 204, "");
    let received = poll(&host);
    assert_eq!((received.handled, received.problems), (1, vec![]));
    assert_eq!(host.calls()[2..], ["POST /filetransfer/aa/confirmdownload"]);
    assert_eq!(ids(&host), ["aa"], "handed over once");
}

#[test]
fn a_second_confirmation_that_altinn_refuses_is_no_problem() {
    let host = Fake::default();
    host.lists(&["aa"], &[])
        .on("GET /filetransfer/aa", 200, &overview(UUID, MORNING));
    host.was_handled_before("aa")
        .on("POST /filetransfer/aa/confirmdownload", 400, "already confirmed");
    let received = poll(&host);
    assert_eq!((received.handled, received.problems), (1, vec![]));
    assert!(host.state_keys().is_empty());
}

#[test]
fn a_transfer_that_went_away_is_passed_over() {
    let host = Fake::default();
    host.lists(&[], &["aa", "bb"]).on("GET /filetransfer/aa", 404, "");
    host.on("GET /filetransfer/bb", 200, &overview(UUID, MORNING))
        .on("GET /filetransfer/bb/download", 404, "");
    let received = poll(&host);
    assert_eq!((received.handled, received.problems, received.more), (1, vec![], false));
    assert!(host.state_keys().is_empty());
}

#[test]
fn t14_the_oldest_is_handled_first_and_one_without_a_time_last() {
    let host = Fake::default();
    host.lists(&[], &["third", "none", "first", "second"]);
    host.transfer("third", "2026-03-25T11:30:00.5Z")
        .transfer("first", "2026-03-25T11:29:59Z");
    host.transfer("second", "2026-03-25T12:30:00+01:00")
        .transfer("none", "");
    assert_eq!(poll(&host).handled, 4);
    assert_eq!(ids(&host), ["first", "second", "third", "none"]);
}

#[test]
fn what_failed_before_does_not_hold_up_what_is_new() {
    let host = Fake::default();
    host.lists(&[], &["old"])
        .transfer("old", MORNING)
        .delivery(Err(Failure::temporary("later")));
    assert_eq!(poll(&host).handled, 0);
    host.lists(&["old"], &["new"])
        .transfer("new", "2026-03-26T11:30:00Z")
        .transfer("old", MORNING);
    assert_eq!(poll(&host).handled, 2);
    assert_eq!(ids(&host), ["new", "old"]);
    assert!(host.state_keys().is_empty());
}

#[test]
fn what_kills_the_call_does_not_hold_up_what_is_new() {
    let host = Fake::default();
    host.lists(&[], &["poison"]).transfer("poison", MORNING);
    killed(&host, "GET /filetransfer/poison/download");
    host.lists(&["poison"], &["new"])
        .transfer("new", "2026-03-26T11:30:00Z")
        .transfer("poison", MORNING);
    killed(&host, "GET /filetransfer/poison/download");
    assert_eq!(ids(&host), ["new"]);
}

#[test]
fn what_kills_the_call_does_not_hold_up_what_failed_before() {
    let host = Fake::default();
    host.pace.set(1);
    host.lists(&[], &["failed"])
        .transfer("failed", "2026-03-26T11:30:00Z")
        .delivery(Err(Failure::temporary("later")));
    poll(&host);
    host.lists(&["failed"], &["poison"])
        .transfer("poison", MORNING)
        .transfer("failed", "");
    killed(&host, "GET /filetransfer/poison/download");
    host.lists(&["failed", "poison"], &[]).transfer("poison", MORNING);
    killed(&host, "GET /filetransfer/poison/download");
    assert_eq!(ids(&host), ["failed"]);
}

#[test]
fn what_comes_and_is_handled_leaves_nothing_to_remember() {
    let host = Fake::default();
    host.lists(&[], &["aa", "bb"])
        .transfer("aa", MORNING)
        .transfer("bb", MORNING);
    assert_eq!(poll(&host).handled, 2);
    assert!(host.state_keys().is_empty());
    host.lists(&[], &["poison"]).transfer("poison", MORNING);
    killed(&host, "GET /filetransfer/poison/download");
    assert_eq!(host.state_keys(), [UNDER_WAY]);
    *host.deadly.borrow_mut() = None;
    host.lists(&[], &["poison"]).transfer("poison", MORNING);
    assert_eq!(poll(&host).handled, 1);
    assert!(host.state_keys().is_empty());
}

#[test]
fn what_kills_the_call_does_not_hold_up_the_other_subjects() {
    let host = Fake::default();
    host.with_subjects(&[OWN, CUSTOMER]);
    host.lists(&[], &["poison"]).transfer("poison", MORNING);
    killed(&host, "GET /filetransfer/poison/download");
    host.lists(&[], &["customers"]).transfer("customers", MORNING);
    host.lists(&["poison"], &[]);
    let earlier = host.tokens().len();
    killed(&host, "GET /filetransfer/poison/download");
    assert_eq!(ids(&host), ["customers"]);
    assert!(host.tokens()[earlier].contains(CUSTOMER));
}

#[test]
fn a_round_whose_time_is_spent_ends_and_asks_for_more() {
    let host = Fake::default();
    host.pace.set(MAX_ROUND / 4);
    host.lists(&[], &["aa", "bb", "cc"]);
    for id in ["aa", "bb", "cc"] {
        host.transfer(id, MORNING);
    }
    let received = poll(&host);
    assert_eq!(
        (received.handled, received.problems, received.more),
        (1, vec![], true),
        "the look alone took too long, and still one is handled"
    );
    host.lists(&[], &["bb", "cc"]);
    let received = poll(&host);
    assert_eq!((received.handled, received.more), (1, true));
    assert_eq!(ids(&host), ["aa", "bb"]);
}

#[test]
fn a_subject_that_takes_all_the_time_does_not_keep_the_others_waiting() {
    let host = Fake::default();
    host.with_subjects(&[OWN, CUSTOMER]).pace.set(MAX_ROUND / 2);
    for subject in [OWN, CUSTOMER, OWN] {
        host.lists(&[], &[]);
        assert!(poll(&host).more);
        assert!(host.tokens().last().unwrap().contains(subject));
    }
}

#[test]
fn what_cannot_be_confirmed_does_not_hold_up_what_is_new() {
    let host = Fake::default();
    let settings = settings(r#","max-per-poll":2"#);
    host.lists(&[], &["aa", "bb"]);
    for id in ["aa", "bb"] {
        host.on(&format!("POST /filetransfer/{id}/confirmdownload"), 500, "")
            .transfer(id, MORNING);
    }
    let received = receive(&host, &settings).unwrap();
    assert_eq!(
        (received.handled, received.more, received.problems.len()),
        (0, false, 2)
    );
    host.calls();
    host.lists(&["aa", "bb"], &["new"])
        .transfer("new", "2026-03-26T11:30:00Z");
    let received = receive(&host, &settings).unwrap();
    assert_eq!((received.handled, received.more), (2, true));
    assert_eq!(
        host.calls()[3..],
        ["new/download", "new/confirmdownload", "aa/confirmdownload"].map(|call| {
            let method = if call.ends_with("/download") { "GET" } else { "POST" };
            format!("{method} /filetransfer/{call}")
        })
    );
}

#[test]
fn when_nothing_can_be_confirmed_the_poll_ends_early_and_does_not_ask_for_more() {
    let host = Fake::default();
    let many: Vec<String> = (0..60).map(|number| format!("t{number:02}")).collect();
    host.lists(&many.iter().map(String::as_str).collect::<Vec<_>>(), &[]);
    for id in &many {
        host.was_handled_before(id)
            .on(&format!("POST /filetransfer/{id}/confirmdownload"), 503, "")
            .transfer(id, MORNING);
    }
    let received = poll(&host);
    assert_eq!(
        (received.handled, received.more, received.problems.len()),
        (0, false, 10)
    );
}

#[test]
fn no_more_than_the_share_is_handled_and_the_rest_is_announced() {
    let host = Fake::default();
    host.lists(&[], &["aa", "bb", "cc"]);
    for id in ["aa", "bb", "cc"] {
        host.transfer(id, MORNING);
    }
    let received = receive(&host, &settings(r#","max-per-poll":2"#)).unwrap();
    assert_eq!((received.handled, received.more), (2, true));
}

#[test]
fn when_nothing_can_be_handed_over_the_poll_ends_early_and_does_not_ask_for_more() {
    let host = Fake::default();
    let many: Vec<String> = (0..20).map(|number| format!("t{number:02}")).collect();
    host.lists(&[], &many.iter().map(String::as_str).collect::<Vec<_>>());
    for id in &many {
        host.transfer(id, MORNING)
            .delivery(Err(Failure::temporary("the store is down")));
    }
    let received = poll(&host);
    assert_eq!(
        (received.handled, received.more, received.problems.len()),
        (0, false, 10)
    );
}

#[test]
fn one_subject_that_fails_does_not_stop_the_others() {
    let host = Fake::default();
    host.with_subjects(&[OWN, CUSTOMER]);
    host.on(&listing("DownloadStarted"), 403, "")
        .on(&listing("Initialized"), 403, "no access");
    host.lists(&[], &["aa"]).transfer("aa", MORNING);
    let received = poll(&host);
    assert_eq!((received.handled, received.problems.len()), (1, 2));
    assert!(received.problems[1].contains("for 0192:991825827") && received.problems[1].contains("no access"));
    assert!(host.tokens().last().unwrap().contains(CUSTOMER));
}

#[test]
fn a_refused_token_is_renewed_in_the_middle_of_a_poll() {
    let host = Fake::default();
    host.on(&listing("DownloadStarted"), 401, "")
        .lists(&[], &["aa"])
        .transfer("aa", MORNING);
    assert_eq!(poll(&host).handled, 1);
    assert_eq!(host.refused(), ["token-1"]);
}

#[test]
fn problems_are_bounded() {
    let host = Fake::default();
    let subjects: Vec<String> = (0..40).map(|number| format!("0192:{number:09}")).collect();
    host.with_subjects(&subjects.iter().map(String::as_str).collect::<Vec<_>>());
    for _ in 0..40 {
        host.on(&listing("DownloadStarted"), 503, "")
            .on(&listing("Initialized"), 503, "");
    }
    let problems = poll(&host).problems;
    assert_eq!((problems.len(), problems[50].as_str()), (51, "and 30 more problems"));
}
