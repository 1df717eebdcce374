use super::*;
use crate::document_type::MessageType;
use crate::process::Processes;
use crate::status::Status;

fn none() -> Processes {
    Processes::default()
}

#[test]
fn a_status_goes_back_to_the_sender_with_the_same_ids() {
    let mut document = letter();
    scope(&mut document)
        .as_array_mut()
        .unwrap()
        .push(json!({ "type": "MessageChannel", "identifier": "foo-42" }));
    let reply = parse(&document)
        .status_reply(Status::Mottatt, &none(), now(), DAY)
        .unwrap();
    assert_eq!(reply.validate(now()), []);
    assert_eq!(reply.validate_body(), []);
    let envelope = reply.envelope().unwrap();
    assert_eq!(
        (envelope.message_id.as_str(), envelope.conversation_id.as_str()),
        (MESSAGE, CONVERSATION)
    );
    assert_eq!(envelope.sender.as_str(), "0192:910076787");
    assert_eq!(envelope.receiver.unwrap().as_str(), "0192:991825827");
    assert_eq!(
        envelope.process.as_str(),
        "urn:no:difi:profile:arkivmelding:response:ver1.0"
    );
    assert_eq!(envelope.document_type.as_str(), "urn:no:difi:eformidling:xsd::status");
    assert_eq!(envelope.created.as_str(), "2026-03-02T09:14:55+01:00");
    assert_eq!(envelope.expires.as_str(), "2026-03-03T09:15:00+01:00");
    assert_eq!(envelope.channel.as_deref(), Some("foo-42"));
    assert_eq!(written(&reply)["status"], json!({ "status": "MOTTATT" }));
    assert_eq!(parse(&written(&reply)), reply);
}

#[test]
fn receipts_are_answered_and_statuses_are_not() {
    let receipt = parse(&of_type("arkivmelding_kvittering", json!({ "receiptType": "OK" })));
    assert!(receipt.status_reply(Status::Levert, &none(), now(), DAY).is_ok());
    let status = receipt.status_reply(Status::Levert, &none(), now(), DAY).unwrap();
    assert_eq!(
        status.status_reply(Status::Mottatt, &none(), now(), DAY),
        Err(ReplyError::NoResponseProcess("status".into()))
    );
}

#[test]
fn each_family_is_answered_in_its_own_process() {
    for (name, process) in [
        ("avtalt", "avtalt:response"),
        ("innsynskrav", "einnsyn:response"),
        ("publisering", "einnsyn:response"),
    ] {
        let reply = parse(&of_type(name, json!({})))
            .status_reply(Status::Levert, &none(), now(), DAY)
            .unwrap();
        assert_eq!(
            reply.process().unwrap().as_str(),
            format!("urn:no:difi:profile:{process}:ver1.0")
        );
    }
}

#[test]
fn a_process_of_the_operators_is_answered_in_the_one_that_he_gives() {
    let mut own = Processes::default();
    own.add("urn:acme:byggesak", "urn:acme:svar").unwrap();
    let mut document = letter();
    scope(&mut document)[0]["identifier"] = json!("urn:acme:byggesak");
    let message = parse(&document);
    let reply = message.status_reply(Status::Levert, &own, now(), DAY).unwrap();
    assert_eq!(reply.process().unwrap().as_str(), "urn:acme:svar");
    let receipt = message.arkivmelding_receipt(&own, now(), DAY).unwrap();
    assert_eq!(receipt.process().unwrap().as_str(), "urn:acme:svar");
}

#[test]
fn a_type_of_the_operators_is_answered_where_its_process_is() {
    let mut types = MessageTypes::standard();
    types
        .add(MessageType::new("byggesak".into(), "urn:acme::byggesak".into()))
        .unwrap();
    let read = |process: &str| {
        let mut document = letter();
        identification(&mut document)["type"] = json!("byggesak");
        identification(&mut document)["standard"] = json!("urn:acme::byggesak");
        scope(&mut document)[0]["identifier"] = json!(process);
        document.as_object_mut().unwrap().remove("arkivmelding");
        document["byggesak"] = json!({});
        Sbd::parse(document.to_string().as_bytes(), &types).unwrap()
    };
    let known = read("urn:no:difi:profile:avtalt:avtalt:ver1.0").status_reply(Status::Levert, &none(), now(), DAY);
    assert_eq!(
        known.unwrap().process().unwrap().as_str(),
        "urn:no:difi:profile:avtalt:response:ver1.0"
    );
    let unknown = read("urn:acme:byggesak").status_reply(Status::Levert, &none(), now(), DAY);
    assert_eq!(unknown, Err(ReplyError::NoResponseProcess("byggesak".into())));
}

#[test]
fn a_message_without_its_parties_cannot_be_answered() {
    let mut document = letter();
    header(&mut document)["receiver"] = json!([]);
    let refused = parse(&document).status_reply(Status::Mottatt, &none(), now(), DAY);
    assert_eq!(refused, Err(ReplyError::Incomplete("receiver")));
}

#[test]
fn a_generated_receipt_refers_to_the_message_and_has_an_id_of_its_own() {
    let receipt = parse(&letter()).arkivmelding_receipt(&none(), now(), DAY).unwrap();
    let envelope = receipt.envelope().unwrap();
    assert_ne!(envelope.message_id.as_str(), MESSAGE);
    assert_eq!(envelope.conversation_id.as_str(), CONVERSATION);
    assert_eq!(envelope.sender.as_str(), "0192:910076787");
    assert_eq!(receipt.validate_body(), []);
    assert_eq!(
        written(&receipt)["arkivmelding_kvittering"],
        json!({ "receiptType": "OK", "relatedToMessageId": MESSAGE })
    );
}

#[test]
fn a_status_reports_on_the_message_with_its_own_id() {
    let report = parse(&of_type("status", json!({ "status": "LEVERT" })))
        .report()
        .unwrap();
    assert_eq!(
        (report.message_id.as_str(), report.status, report.description),
        (MESSAGE, Status::Levert, None)
    );
    assert_eq!(parse(&of_type("status", json!({ "status": "KANSKJE" }))).report(), None);
    assert_eq!(parse(&letter()).report(), None);
}

#[test]
fn a_receipt_reports_on_the_message_that_it_names() {
    for (receipt, status, description) in [
        ("OK", Status::Lest, "ArkivmeldingKvittering: OK"),
        ("WARNING", Status::Lest, "ArkivmeldingKvittering: WARNING"),
        ("NOE ANNET", Status::Lest, "ArkivmeldingKvittering: ukjent"),
        ("ERROR", Status::Feil, "ArkivmeldingKvittering: ERROR"),
        ("NOTSUPPORTED", Status::Feil, "ArkivmeldingKvittering: NOTSUPPORTED"),
    ] {
        let body = json!({ "receiptType": receipt, "relatedToMessageId": CONVERSATION });
        let report = parse(&of_type("arkivmelding_kvittering", body)).report().unwrap();
        assert_eq!(
            (report.message_id.as_str(), report.status),
            (CONVERSATION, status),
            "{receipt}"
        );
        assert_eq!(report.description.as_deref(), Some(description));
    }
    assert_eq!(
        parse(&of_type("arkivmelding_kvittering", json!({ "receiptType": "OK" }))).report(),
        None
    );
}
