//! What is sent.

use budstikke_sdk::Failure;

use super::{Message, UPLOAD, altinn, uploaded};
use crate::send::send;
use crate::testing::{Fake, File, MESSAGE, file, settings};

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
        ["files that arkivmelding.xml does not name do not go to Altinn: 1"]
    );
}
