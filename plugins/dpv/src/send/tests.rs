use budstikke_sdk::http::Reach;

use super::*;
use crate::testing::{Asked, Fake, File, MESSAGE, NOW, file, settings};

const UPLOAD: &str = "POST /correspondence/upload";
const FIND: &str = "GET /correspondence?resourceId=eformidling-dpv-administrasjon&role=Sender&idempotentKey=6a1d5f0e-3c52-4c1b-8a0e-9f2b7d3c4e55";
const UPLOADED: &str = r#"{"correspondences":[{"correspondenceId":"c0ffee00-0000-4000-8000-000000000001",
    "status":"Initialized","recipient":"r","notifications":null,"novelty":1}],"attachmentIds":[]}"#;
const ID: &str = "c0ffee00-0000-4000-8000-000000000001";

use crate::testing::Letter as Message;

fn altinn() -> Fake {
    let host = Fake::default();
    host.now.set(NOW);
    host.on(UPLOAD, 200, UPLOADED);
    host
}

fn uploaded(host: &Fake, settings: &str, message: &Message) -> Asked {
    let sent = send(host, &crate::testing::settings(settings), message).unwrap();
    assert_eq!(
        (sent.reference.as_deref(), sent.track_after, sent.reports.len()),
        (Some(ID), Some(5), 0)
    );
    let [asked] = host.requests().try_into().expect("one request");
    asked
}

/// The fields of T15, with what another vector changes.
fn expected(changes: &[(&str, &str)]) -> Vec<(String, String)> {
    let text = "$correspondenceRecipientName$: Du har mottatt en melding fra Etat A.";
    let fields = [
        ("correspondence.resourceId", "eformidling-dpv-administrasjon"),
        ("correspondence.sender", "0192:991825827"),
        ("correspondence.sendersReference", MESSAGE),
        ("correspondence.messageSender", "Etat A"),
        ("correspondence.content.language", "nb"),
        ("correspondence.content.messageTitle", "Nye vinduer"),
        ("correspondence.content.messageSummary", "Nye vinduer"),
        ("correspondence.content.messageBody", "Nye vinduer"),
        ("correspondence.content.attachments[0].fileName", "plan.pdf"),
        ("correspondence.content.attachments[0].displayName", "Plan"),
        ("correspondence.content.attachments[0].isEncrypted", "false"),
        (
            "correspondence.content.attachments[0].sendersReference",
            "AttachmentReference_as123452",
        ),
        ("correspondence.requestedPublishTime", "2026-03-25T12:38:23+01:00"),
        ("correspondence.dueDateTime", "2026-04-01T12:38:23+01:00"),
        ("correspondence.propertyList.senderOrgNumber", "991825827"),
        ("correspondence.ignoreReservation", "false"),
        ("correspondence.isConfirmationNeeded", "false"),
        ("correspondence.isConfidential", "false"),
        ("correspondence.notification.notificationTemplate", "CustomMessage"),
        ("correspondence.notification.notificationChannel", "EmailAndSms"),
        (
            "correspondence.notification.requestedSendTime",
            "2026-03-25T12:43:23+01:00",
        ),
        ("correspondence.notification.emailSubject", "Melding mottatt i Altinn"),
        ("correspondence.notification.emailContentType", "Plain"),
        ("correspondence.notification.emailBody", text),
        ("correspondence.notification.smsBody", text),
        ("correspondence.notification.sendReminder", "true"),
        ("correspondence.notification.reminderNotificationChannel", "EmailAndSms"),
        (
            "correspondence.notification.reminderEmailSubject",
            "Melding mottatt i Altinn",
        ),
        ("correspondence.notification.reminderEmailContentType", "Plain"),
        ("correspondence.notification.reminderEmailBody", text),
        ("correspondence.notification.reminderSmsBody", text),
        ("recipients[0]", "urn:altinn:organization:identifier-no:910076787"),
        ("idempotentKey", MESSAGE),
    ];
    let change = |(name, value): (&str, &str)| {
        let changed = changes.iter().find(|(other, _)| *other == name);
        (name.to_owned(), changed.map_or(value, |(_, value)| value).to_owned())
    };
    fields.map(change).into()
}

#[test]
fn t15_an_arkivmelding_is_one_request_with_exactly_these_parts() {
    let host = altinn();
    let asked = uploaded(&host, "", &Message::arkivmelding());
    assert_eq!(asked.call, UPLOAD);
    assert_eq!(
        asked.headers,
        [
            ("authorization", "Bearer token-1".to_owned()),
            ("accept", "application/json".to_owned())
        ]
    );
    assert_eq!(
        asked.content_type.as_deref(),
        Some("multipart/form-data; boundary=5d2a6c1e-6f0b-4a57-9c43-000000000001")
    );
    assert_eq!(asked.fields(), expected(&[]));
    let head = "Content-Disposition: form-data; name=\"attachments\"; filename=\"plan.pdf\"\r\n\
        Content-Type: application/octet-stream";
    assert_eq!(asked.files(), [(head.to_owned(), "%PDF-1.7".to_owned())]);
    assert_eq!(asked.parts.len(), 34);
    assert_eq!(host.tokens(), ["altinn eformidling:dpv #1"]);
}

#[test]
fn t16_a_digital_dpv_to_a_person_has_its_own_texts_and_overrides_a_reservation_for_information_only() {
    let person = "urn:altinn:person:identifier-no:15847010042";
    let texts = [
        ("correspondence.content.messageTitle", "a"),
        ("correspondence.content.messageSummary", "b"),
        ("correspondence.content.messageBody", "c"),
        ("correspondence.content.attachments[0].displayName", "Tittel"),
        ("correspondence.ignoreReservation", "true"),
        ("recipients[0]", person),
    ];
    assert_eq!(uploaded(&altinn(), "", &Message::digital()).fields(), expected(&texts));

    let vedtak = Message {
        process: "urn:no:difi:profile:digitalpost:vedtak:ver1.0",
        ..Message::digital()
    };
    let arkivmelding = Message {
        process: "urn:no:difi:profile:digitalpost:info:ver1.0",
        ..Message::arkivmelding()
    };
    for message in [vedtak, arkivmelding] {
        let asked = uploaded(&altinn(), "", &message);
        assert_eq!(
            asked.field("correspondence.ignoreReservation").as_deref(),
            Some("false")
        );
    }
    let empty = Message {
        body: r#"{"tittel":"a","sammendrag":"b","innhold":""}"#.to_owned(),
        ..Message::digital()
    };
    let body = uploaded(&altinn(), "", &empty).field("correspondence.content.messageBody");
    assert_eq!(body.as_deref(), Some("Ingen innhold"));
}

#[test]
fn t17_a_part_is_the_sender_by_number_and_name() {
    let host = altinn();
    host.names("987464291", Ok(Some("Etat B")));
    let message = Message {
        sender: "0192:991825827:987464291",
        ..Message::arkivmelding()
    };
    let asked = uploaded(&host, "", &message);
    let text = "$correspondenceRecipientName$: Du har mottatt en melding fra Etat B.";
    let changes = [
        ("correspondence.sender", "0192:991825827:987464291"),
        ("correspondence.propertyList.senderOrgNumber", "987464291"),
        ("correspondence.messageSender", "Etat B"),
        ("correspondence.notification.emailBody", text),
        ("correspondence.notification.smsBody", text),
        ("correspondence.notification.reminderEmailBody", text),
        ("correspondence.notification.reminderSmsBody", text),
    ];
    assert_eq!(asked.fields(), expected(&changes));
}

#[test]
fn the_name_is_that_of_the_sender_of_the_message_whoever_owns_the_installation() {
    let host = altinn();
    host.names("987464291", Ok(Some("Etat B")));
    let message = Message {
        sender: "0192:987464291",
        ..Message::arkivmelding()
    };
    assert_eq!(
        uploaded(&host, "", &message)
            .field("correspondence.messageSender")
            .as_deref(),
        Some("Etat B")
    );
}

#[test]
fn without_a_name_in_the_registry_the_setting_counts_and_else_nothing_is_sent() {
    for nameless in [None, Some(" ")] {
        let host = altinn();
        host.names("991825827", Ok(nameless));
        let asked = uploaded(&host, r#","sender-name":"Etaten""#, &Message::arkivmelding());
        assert_eq!(asked.field("correspondence.messageSender").as_deref(), Some("Etaten"));

        let host = altinn();
        host.names("991825827", Ok(nameless));
        let failure = send(&host, &settings(""), &Message::arkivmelding()).unwrap_err();
        assert_eq!((failure.code(), host.calls().len()), (Some("sender-name"), 0));
    }
    let host = altinn();
    host.names("991825827", Err(Failure::temporary("the registry is down")));
    let failure = send(&host, &settings(r#","sender-name":"Etaten""#), &Message::arkivmelding()).unwrap_err();
    assert!(!failure.is_permanent(), "the right name may come later");
    assert!(host.calls().is_empty());
}

#[test]
fn t18_without_a_reminder_or_a_due_date_their_parts_are_left_out() {
    let dpv = r#"{"dpv":{"varselType":"VarselDPVUtenRevarsel","dagerTilSvarfrist":0,"varselTransportType":"SMS",
        "varselTekst":"Melding fra $reporterName$"}}"#;
    let message = Message {
        body: dpv.to_owned(),
        ..Message::arkivmelding()
    };
    let asked = uploaded(&altinn(), "", &message);
    let mut fields = expected(&[
        ("correspondence.notification.notificationChannel", "Sms"),
        ("correspondence.notification.emailBody", "Melding fra Etat A"),
        ("correspondence.notification.smsBody", "Melding fra Etat A"),
        ("correspondence.notification.sendReminder", "false"),
    ]);
    fields.retain(|(name, _)| !name.contains(".reminder") && name != "correspondence.dueDateTime");
    assert_eq!(asked.fields(), fields);
    assert!(asked.field("correspondence.dueDateTime").is_none());
}

#[test]
fn t18_the_sensitive_resource_makes_a_message_confidential_with_a_text_of_its_own() {
    let dpv = r#"{"dpv":{"varselTekst":"apen","taushetsbelagtVarselTekst":"Hysj fra $reporterName$"}}"#;
    let message = Message {
        resource: Some("eformidling-dpv-taushetsbelagt"),
        body: dpv.to_owned(),
        ..Message::arkivmelding()
    };
    let asked = uploaded(&altinn(), "", &message);
    let field = |name: &str| asked.field(name).unwrap();
    assert_eq!(field("correspondence.isConfidential"), "true");
    assert_eq!(field("correspondence.resourceId"), "eformidling-dpv-taushetsbelagt");
    assert_eq!(field("correspondence.notification.smsBody"), "Hysj fra Etat A");
}

#[test]
fn t19_without_a_resource_nothing_is_called() {
    for resource in [None, Some(""), Some("  ")] {
        let host = altinn();
        let message = Message {
            resource,
            ..Message::arkivmelding()
        };
        let failure = send(&host, &settings(""), &message).unwrap_err();
        assert_eq!(failure.code(), Some("resource"));
        assert!(failure.detail().starts_with("the resource id for DPV is empty"));
        assert!(host.calls().is_empty() && host.tokens().is_empty());
        assert!(message.checkpoints.borrow().is_empty());
    }
}

#[test]
fn t20_a_refusal_is_final_and_an_outage_is_not() {
    for (status, permanent) in [
        (400, true),
        (403, true),
        (404, true),
        (422, true),
        (408, false),
        (429, false),
        (500, false),
        (502, false),
    ] {
        let host = Fake::default();
        host.on(UPLOAD, status, r#"{"errorCode":1036,"detail":"why"}"#);
        let failure = send(&host, &settings(""), &Message::arkivmelding()).unwrap_err();
        assert_eq!(failure.is_permanent(), permanent, "{status}");
        assert!(failure.detail().contains("why"), "{}", failure.detail());
        if permanent {
            assert_eq!(failure.code(), Some(format!("http-{status}").as_str()));
        }
    }
    let host = Fake::default();
    host.busy(UPLOAD, 503, 90);
    let Failure::Temporary(failure) = send(&host, &settings(""), &Message::arkivmelding()).unwrap_err() else {
        panic!("503 is temporary")
    };
    assert_eq!(failure.retry_after, Some(90));
}

#[test]
fn t20_a_key_that_was_used_leads_to_the_letter_that_is_there() {
    for body in [r#"{"errorCode":1034}"#, "", "<html>"] {
        let host = Fake::default();
        host.on(UPLOAD, 409, body)
            .on(FIND, 200, &format!(r#"{{"ids":["{ID}"]}}"#));
        let sent = send(&host, &settings(""), &Message::arkivmelding()).unwrap();
        assert_eq!((sent.reference.as_deref(), sent.track_after), (Some(ID), Some(5)));
        assert_eq!(host.calls(), [UPLOAD, FIND]);
    }
}

#[test]
fn t20_a_used_key_without_a_letter_is_sent_and_never_asked_about() {
    let host = Fake::default();
    host.on(UPLOAD, 409, r#"{"errorCode":1034}"#)
        .on(FIND, 200, r#"{"ids":[]}"#);
    let sent = send(&host, &settings(""), &Message::arkivmelding()).unwrap();
    assert_eq!((sent.reference, sent.track_after), (None, None));
    assert_eq!(host.warnings().len(), 1);
}

#[test]
fn a_look_up_that_fails_after_a_used_key_is_tried_again() {
    for (status, body) in [(500, ""), (400, ""), (200, "{}"), (200, r#"{"ids":["../x"]}"#)] {
        let host = Fake::default();
        host.on(UPLOAD, 409, r#"{"errorCode":1034}"#).on(FIND, status, body);
        let failure = send(&host, &settings(""), &Message::arkivmelding()).unwrap_err();
        assert!(!failure.is_permanent(), "{status} {body}");
    }
    let host = Fake::default();
    host.on(UPLOAD, 409, r#"{"errorCode":9999}"#);
    assert!(
        !send(&host, &settings(""), &Message::arkivmelding())
            .unwrap_err()
            .is_permanent()
    );
    assert_eq!(host.calls(), [UPLOAD], "another conflict says nothing about the key");
}

#[test]
fn an_upload_whose_answer_is_lost_is_looked_for_before_it_is_sent_again() {
    let host = Fake::default();
    let message = Message::arkivmelding();
    host.breaks(UPLOAD, Reach::Unknown);
    assert!(matches!(send(&host, &settings(""), &message), Err(Failure::Unknown(_))));
    host.on(FIND, 200, &format!(r#"{{"ids":["{ID}"]}}"#));
    let sent = send(&host, &settings(""), &message).unwrap();
    assert_eq!(sent.reference.as_deref(), Some(ID));
    assert_eq!(host.calls(), [UPLOAD, FIND]);

    let host = Fake::default();
    host.breaks(UPLOAD, Reach::NeverLeft);
    let message = Message::arkivmelding();
    assert!(matches!(
        send(&host, &settings(""), &message),
        Err(Failure::Temporary(_))
    ));
    host.on(FIND, 200, r#"{"ids":[]}"#).on(UPLOAD, 200, UPLOADED);
    assert_eq!(
        send(&host, &settings(""), &message).unwrap().reference.as_deref(),
        Some(ID)
    );
    assert_eq!(host.calls(), [UPLOAD, FIND, UPLOAD]);
}

#[test]
fn an_answer_that_does_not_say_leaves_it_open_whether_altinn_has_the_letter() {
    for body in [
        "",
        "null",
        "{}",
        r#"{"correspondences":null}"#,
        r#"{"correspondences":[]}"#,
    ] {
        let host = Fake::default();
        host.on(UPLOAD, 200, body);
        let result = send(&host, &settings(""), &Message::arkivmelding());
        assert!(matches!(result, Err(Failure::Unknown(_))), "{body}");
    }
}

#[test]
fn the_look_up_goes_by_the_resource_of_the_attempt_whatever_the_registry_says_now() {
    let host = Fake::default();
    let message = Message {
        resource: None,
        uncertain: true,
        ..Message::arkivmelding()
    };
    let begun = br#"{"resource":"eformidling-dpv-administrasjon","at":1}"#;
    message.save_checkpoint(CHECKPOINT, begun).unwrap();
    host.on(FIND, 200, &format!(r#"{{"ids":["{ID}"]}}"#));
    assert_eq!(
        send(&host, &settings(""), &message).unwrap().reference.as_deref(),
        Some(ID)
    );

    let uncertain = Message {
        uncertain: true,
        ..Message::arkivmelding()
    };
    host.on(FIND, 200, r#"{"ids":[]}"#).on(UPLOAD, 200, UPLOADED);
    send(&host, &settings(""), &uncertain).unwrap();
    assert_eq!(host.calls(), [FIND, FIND, UPLOAD]);
}

#[test]
fn a_look_up_that_fails_says_nothing_about_the_message() {
    let message = Message::arkivmelding();
    message
        .save_checkpoint(CHECKPOINT, br#"{"resource":"eformidling-dpv-administrasjon","at":1}"#)
        .unwrap();
    for status in [400, 403, 500] {
        let host = Fake::default();
        host.on(FIND, status, "");
        assert!(!send(&host, &settings(""), &message).unwrap_err().is_permanent());
        assert_eq!(host.calls(), [FIND]);
    }
}

#[test]
fn an_expired_message_is_looked_for_and_not_sent() {
    let message = Message {
        expires: NOW - 1,
        ..Message::arkivmelding()
    };
    let begun = |at: u64| format!(r#"{{"resource":"eformidling-dpv-administrasjon","at":{at}}}"#).into_bytes();
    let at_altinn = |found: &str| {
        let host = Fake::default();
        host.now.set(NOW);
        host.on(FIND, 200, found);
        host
    };
    message.save_checkpoint(CHECKPOINT, &begun(NOW - 10)).unwrap();
    let found = at_altinn(&format!(r#"{{"ids":["{ID}"]}}"#));
    assert_eq!(
        send(&found, &settings(""), &message).unwrap().reference.as_deref(),
        Some(ID)
    );
    let settling = send(&at_altinn(r#"{"ids":[]}"#), &settings(""), &message).unwrap_err();
    assert!(matches!(settling, Failure::Temporary(failure) if failure.retry_after == Some(60)));
    message.save_checkpoint(CHECKPOINT, &begun(NOW - 120)).unwrap();
    let host = at_altinn(r#"{"ids":[]}"#);
    assert_eq!(
        send(&host, &settings(""), &message).unwrap_err().code(),
        Some("expired")
    );
    assert_eq!(host.calls(), [FIND]);
}

#[test]
fn a_receipt_is_not_sent_and_counts_as_read() {
    let host = Fake::default();
    let sent = send(&host, &settings(""), &Message::receipt()).unwrap();
    let statuses: Vec<_> = sent.reports.iter().map(|report| report.status.as_str()).collect();
    assert_eq!(statuses, ["LEVERT", "LEST"]);
    assert_eq!((sent.reference, sent.track_after), (None, None));
    assert!(host.calls().is_empty() && host.tokens().is_empty());
}

#[test]
fn what_check_could_not_look_at_is_refused_before_any_call() {
    let host = altinn();
    let message = Message {
        files: vec![file("virus.exe", "x")],
        ..Message::digital()
    };
    assert_eq!(
        send(&host, &settings(""), &message).unwrap_err().code(),
        Some("file-type")
    );
    let message = Message {
        kind: "avtalt",
        ..Message::digital()
    };
    assert_eq!(
        send(&host, &settings(""), &message).unwrap_err().code(),
        Some("message-type")
    );
    assert!(host.calls().is_empty());
}

#[test]
fn several_files_keep_their_order_and_one_without_a_title_shows_its_name() {
    let untitled = File {
        title: None,
        ..file("b æøå.pdf", "2")
    };
    let message = Message {
        files: vec![file("a.pdf", "1"), untitled, file("c.txt", "3")],
        ..Message::digital()
    };
    let asked = uploaded(&altinn(), "", &message);
    let of = |place: usize, member: &str| {
        asked
            .field(&format!("correspondence.content.attachments[{place}].{member}"))
            .unwrap()
    };
    assert_eq!(
        [of(0, "fileName"), of(1, "fileName"), of(2, "fileName")],
        ["a.pdf", "b æøå.pdf", "c.txt"]
    );
    assert_eq!(of(1, "displayName"), "b æøå.pdf");
    let contents: Vec<_> = asked.files().into_iter().map(|(_, content)| content).collect();
    assert_eq!(contents, ["1", "2", "3"]);
    assert!(asked.files()[1].0.contains("filename=\"b æøå.pdf\""));
}

#[test]
fn files_that_arkivmelding_xml_does_not_name_stay_here_and_the_log_says_so() {
    let mut message = Message::arkivmelding();
    message.files.push(file("notat.docx", "x"));
    let host = altinn();
    assert_eq!(uploaded(&host, "", &message).files().len(), 1);
    assert_eq!(
        host.warnings(),
        ["1 files are not named in arkivmelding.xml and do not go to Altinn"]
    );
}
