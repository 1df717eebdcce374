use budstikke_sdk::http::Reach;
use serde_json::Value;

use super::*;
use crate::settings::from_json;
use crate::testing::{Fake, KONTO, M, OTHER, OWN, X, rest, rest_for_two, soap};

const Y: &str = "bbbbbbbb-bbbb-4bbb-8bbb-bbbbbbbbbbbb";

fn ask_path() -> String {
    format!("POST /api/v3/kontoer/{KONTO}/forsendelser/status/sok")
}

fn left(reference: &str) -> Left {
    Left {
        message_id: M.to_owned(),
        conversation_id: "c2a4f3a0-0d5b-4c0b-9b53-1f0f5f3ad701".to_owned(),
        document_type: "urn:no:difi:arkivmelding:xsd::arkivmelding".to_owned(),
        sender: OWN.to_owned(),
        receiver: OTHER.to_owned(),
        reference: reference.to_owned(),
        last_update: 0,
    }
}

fn answer(statuses: &[(&str, &str)]) -> String {
    let statuses: Vec<Value> = statuses
        .iter()
        .map(|(id, status)| json!({ "id": id, "sisteStatusEndring": "2026-03-02T10:00:00Z", "status": status }))
        .collect();
    json!({ "statuser": statuses }).to_string()
}

fn after(status: &str) -> Progress {
    let host = Fake::default();
    host.on(&ask_path(), 200, &answer(&[(X, status)]));
    track(&host, &rest(""), &[left(X)]).remove(0).unwrap()
}

fn told(progress: &Progress) -> Vec<&str> {
    progress.reports.iter().map(|report| report.status.as_str()).collect()
}

#[test]
fn v9_what_is_on_its_way_is_asked_about_again() {
    for status in [
        "MOTTATT",
        "AKSEPTERT",
        "VARSLET",
        "SENDT_PRINT",
        "PRINTET",
        "SENDT_DIGITALT",
        "SENDT_SDP",
        "LEVERT_SDP",
        "KLAR_FOR_MOTTAK",
        "MANUELT_HANDTERT",
        "SENDT_NHN_MOTTAKER",
        "LEVERT_NHN_MOTTAKER",
        "NOE_NYTT",
    ] {
        let progress = after(status);
        assert_eq!((told(&progress).len(), progress.track_after), (0, Some(60)), "{status}");
    }
}

#[test]
fn v9_read_is_the_end_and_makes_a_receipt_where_that_is_wanted() {
    let progress = after("LEST");
    assert_eq!((told(&progress), progress.track_after), (vec!["LEST"], None));
    assert!(
        progress.reports[0]
            .raw_receipt
            .as_ref()
            .unwrap()
            .contains("\"status\":\"LEST\"")
    );

    let host = Fake::default();
    host.now.set(1_774_438_200);
    let account = r#""kontoid":"11111111-1111-4111-8111-111111111111","integrasjon-id":"22222222-2222-4222-8222-222222222222","integrasjon-passord":"p""#;
    let settings = from_json(&format!(
        r#"{{"generate-arkivmelding-receipts":true,"ut":{{"endpoint-url":"https://svarut.test",{account}}}}}"#
    ))
    .unwrap();
    let other = Left {
        document_type: "urn:no:difi:avtalt:xsd::avtalt".to_owned(),
        ..left(Y)
    };
    host.on(&ask_path(), 200, &answer(&[(X, "LEST"), (Y, "LEST")]));
    let answers = track(&host, &settings, &[left(X), other]);
    assert!(answers.iter().all(|answer| told(answer.as_ref().unwrap()) == ["LEST"]));
    let generated = host.generated();
    assert_eq!(generated.len(), 1);
    let (reference, sbd) = &generated[0];
    assert_eq!(reference, &format!("{M}:LEST"));
    let header = &sbd["standardBusinessDocumentHeader"];
    assert_eq!(header["sender"][0]["identifier"]["value"], OTHER);
    assert_eq!(header["receiver"][0]["identifier"]["value"], OWN);
    let identification = &header["documentIdentification"];
    assert_eq!(identification["type"], "arkivmelding_kvittering");
    assert_eq!(
        identification["standard"],
        "urn:no:difi:arkivmelding:xsd::arkivmelding_kvittering"
    );
    assert_ne!(identification["instanceIdentifier"], M);
    let scope = &header["businessScope"]["scope"][0];
    assert_eq!(scope["instanceIdentifier"], "c2a4f3a0-0d5b-4c0b-9b53-1f0f5f3ad701");
    assert_eq!(scope["identifier"], "urn:no:difi:profile:arkivmelding:response:ver1.0");
    assert_eq!(
        sbd["arkivmelding_kvittering"],
        json!({ "receiptType": "OK", "relatedToMessageId": M, "messages": [] })
    );
}

#[test]
fn v9_a_message_without_an_id_is_looked_up_and_one_that_svarut_does_not_know_has_failed() {
    let find = format!("GET /api/v2/kontoer/{KONTO}/forsendelser?eksternRef={M}");
    let host = Fake::default();
    host.on(&find, 200, &json!({ "forsendelseIds": [X] }).to_string());
    host.on(&ask_path(), 200, &answer(&[(X, "LEST")]));
    let progress = track(&host, &rest(""), &[left("")]).remove(0).unwrap();
    assert_eq!(told(&progress), ["LEST"]);
    host.on(&find, 200, "{}");
    let gone = track(&host, &rest(""), &[left("")]).remove(0).unwrap();
    assert_eq!(told(&gone), ["FEIL"]);
    assert_eq!(
        gone.reports[0].description.as_deref(),
        Some("forsendelseId finnes ikke i SvarUt.")
    );
    host.on(&find, 500, "");
    assert!(
        !track(&host, &rest(""), &[left("")])
            .remove(0)
            .unwrap_err()
            .is_permanent()
    );
}

#[test]
fn e10_what_failed_at_ks_has_failed() {
    for status in ["AVVIST", "IKKE_LEVERT", "FEILET_UNDER_MOTTAK"] {
        let progress = after(status);
        assert_eq!((told(&progress), progress.track_after), (vec!["FEIL"], None));
        assert_eq!(progress.reports[0].description, Some(format!("SvarUt: {status}")));
        assert!(progress.reports[0].raw_receipt.as_ref().unwrap().contains(status));
    }
    assert_eq!(told(&after("SLETTET")), ["ANNET"]);
}

#[test]
fn many_messages_are_one_question_for_each_sender() {
    let host = Fake::default();
    let other = Left {
        sender: "0192:991825827:987464291".to_owned(),
        ..left(Y)
    };
    let stranger = Left {
        sender: "0192:974720760".to_owned(),
        ..left(Y)
    };
    let others_path = ask_path().replace('1', "3");
    host.on(&ask_path(), 200, &answer(&[(X, "LEST"), (Y, "AVVIST")])).on(
        &others_path,
        200,
        &answer(&[(&Y.to_uppercase(), "LEST")]),
    );
    let answers = track(&host, &rest_for_two(), &[left(Y), other, stranger, left(X)]);
    assert_eq!(told(answers[0].as_ref().unwrap()), ["FEIL"]);
    assert_eq!(told(answers[1].as_ref().unwrap()), ["LEST"]);
    assert!(answers[2].as_ref().unwrap_err().detail().contains("974720760"));
    assert_eq!(told(answers[3].as_ref().unwrap()), ["LEST"]);
    assert_eq!(host.calls(), [ask_path(), others_path]);
    assert_eq!(host.posted()[0].json(), json!({ "id": [X, Y] }));
    assert_eq!(host.tokens()[1], "ks ks:fiks for 0192:987464291 #1");
}

#[test]
fn e11_two_messages_of_one_forsendelse_are_one_line_of_the_question() {
    let host = Fake::default();
    host.on(&ask_path(), 200, &answer(&[(X, "LEST")]));
    let answers = track(&host, &rest(""), &[left(X), left(X)]);
    assert!(answers.iter().all(|answer| told(answer.as_ref().unwrap()) == ["LEST"]));
    assert_eq!(host.posted()[0].json(), json!({ "id": [X] }));
}

#[test]
fn one_id_that_svarut_refuses_does_not_hide_the_others() {
    let host = Fake::default();
    host.on(&ask_path(), 400, "")
        .on(&ask_path(), 200, &answer(&[(X, "LEST")]))
        .on(&ask_path(), 400, "");
    let answers = track(&host, &rest(""), &[left(X), left(Y)]);
    assert_eq!(told(answers[0].as_ref().unwrap()), ["LEST"]);
    assert!(!answers[1].as_ref().unwrap_err().is_permanent());
}

#[test]
fn a_question_that_is_not_answered_says_nothing_about_the_messages() {
    for status in [401, 403, 429, 503] {
        let host = Fake::default();
        host.on(&ask_path(), status, "").on(&ask_path(), status, "");
        let answers = track(&host, &rest(""), &[left(X), left(Y)]);
        assert!(
            answers
                .iter()
                .all(|answer| !answer.as_ref().unwrap_err().is_permanent()),
            "{status}"
        );
    }
    let host = Fake::default();
    host.loses(&ask_path(), Reach::Unknown).on(&ask_path(), 200, "{}");
    assert!(track(&host, &rest(""), &[left(X)])[0].is_err());
    assert!(
        track(&host, &rest(""), &[left(X)])[0].is_err(),
        "a line that is missing"
    );
}

#[test]
fn a_message_is_asked_about_ever_less_often_and_not_for_ever() {
    let next = |age: u64| {
        let host = Fake::default();
        host.now.set(age);
        host.on(&ask_path(), 200, &answer(&[(X, "MOTTATT")]));
        track(&host, &rest(""), &[left(X)]).remove(0).unwrap().track_after
    };
    assert_eq!(
        [0, 15 * DAY, 30 * DAY, 90 * DAY - 1, 90 * DAY].map(next),
        [Some(60), Some(1830), Some(3600), Some(3600), None]
    );
}

#[test]
fn statuses_come_over_soap_too() {
    let host = Fake::default();
    let body = format!(
        "<s:Envelope xmlns:s=\"http://www.w3.org/2003/05/soap-envelope\"><s:Body><n:r xmlns:n=\"n\"><return>\
         <forsendelseStatus>LEST</forsendelseStatus><forsendelsesid>{X}</forsendelsesid>\
         <sisteStatusEndring>2026-03-02T10:00:00+01:00</sisteStatusEndring></return></n:r></s:Body></s:Envelope>"
    );
    host.on("retrieveForsendelseStatuser", 200, &body);
    let answers = track(&host, &soap(""), &[left(X), left(Y)]);
    let read = answers[0].as_ref().unwrap();
    assert_eq!(told(read), ["LEST"]);
    assert!(
        read.reports[0]
            .raw_receipt
            .as_ref()
            .unwrap()
            .contains("2026-03-02T10:00:00+01:00")
    );
    assert!(answers[1].is_err());
    let sent = &host.posted()[0].body;
    assert!(sent.contains(&format!(
        "<forsendelseider>{X}</forsendelseider><forsendelseider>{Y}</forsendelseider>"
    )));
}
