use super::*;

fn refusal(document: &Value) -> SbdError {
    try_parse(document).unwrap_err()
}

#[test]
fn the_example_is_read_and_written_back_unchanged() {
    let sbd = parse(&letter());
    assert_eq!(written(&sbd), letter());
    assert_eq!(sbd.message_id().unwrap().as_str(), MESSAGE);
    assert_eq!(sbd.conversation_id().unwrap().as_str(), CONVERSATION);
    assert_eq!(
        sbd.process().unwrap().as_str(),
        "urn:no:difi:profile:arkivmelding:administrasjon:ver1.0"
    );
    assert_eq!(sbd.message_type().name, "arkivmelding");
    assert_eq!(
        sbd.document_type().unwrap().as_str(),
        "urn:no:difi:arkivmelding:xsd::arkivmelding"
    );
    assert_eq!(sbd.sender().unwrap().primary(), "991825827");
    assert_eq!(sbd.receiver().unwrap().primary(), "910076787");
    assert_eq!(sbd.expires().unwrap().as_str(), "2026-03-03T09:15:00+01:00");
    assert_eq!(sbd.primary_document(), Some("brev.pdf"));
    assert_eq!(sbd.security_level(), Some(3));
    assert!(sbd.standard_fits_type());
}

#[test]
fn the_body_may_come_before_the_header_and_is_written_after_it() {
    let document = letter();
    let reversed = format!(
        r#"{{"arkivmelding":{},"standardBusinessDocumentHeader":{}}}"#,
        document["arkivmelding"],
        header_text(&document)
    );
    let sbd = Sbd::parse(reversed.as_bytes(), &MessageTypes::standard()).unwrap();
    assert_eq!(sbd, parse(&document));
    let text = String::from_utf8(sbd.to_json().unwrap()).unwrap();
    assert!(
        text.starts_with("{\n  \"standardBusinessDocumentHeader\": {\n    \"headerVersion\""),
        "{text}"
    );
}

#[test]
fn the_header_alone_is_no_message() {
    let mut document = letter();
    document.as_object_mut().unwrap().remove("arkivmelding");
    assert_eq!(refusal(&document), SbdError::MissingBody);
    assert_eq!(refusal(&json!({ "arkivmelding": {} })), SbdError::MissingHeader);
    assert_eq!(refusal(&json!({})), SbdError::MissingHeader);
}

#[test]
fn a_third_member_is_one_too_many() {
    let mut document = letter();
    document["avtalt"] = json!({});
    assert_eq!(refusal(&document), SbdError::ExtraMember("avtalt".into()));
}

#[test]
fn a_member_that_stands_twice_is_refused() {
    let head = header_text(&letter());
    for text in [
        format!(
            r#"{{"standardBusinessDocumentHeader":{head},"standardBusinessDocumentHeader":{head},"arkivmelding":{{}}}}"#
        ),
        format!(r#"{{"standardBusinessDocumentHeader":{head},"arkivmelding":{{}},"arkivmelding":{{}}}}"#),
    ] {
        let refused = Sbd::parse(text.as_bytes(), &MessageTypes::standard());
        assert!(matches!(refused, Err(SbdError::Duplicate(_))), "{refused:?}");
    }
}

#[test]
fn a_body_that_no_message_type_names_is_refused() {
    for name in ["melding", "Arkivmelding", "feil"] {
        let mut document = letter();
        document.as_object_mut().unwrap().remove("arkivmelding");
        document[name] = json!({});
        assert_eq!(refusal(&document), SbdError::UnknownMessageType(name.into()));
    }
}

#[test]
fn an_added_message_type_is_read_too() {
    let mut types = MessageTypes::standard();
    types
        .add(MessageType::new("byggesak".into(), "urn:no:acme:xsd::byggesak".into()))
        .unwrap();
    let document = json!({ "standardBusinessDocumentHeader": {}, "byggesak": { "fritt": [1, null] } });
    let sbd = Sbd::parse(document.to_string().as_bytes(), &types).unwrap();
    assert_eq!(sbd.body()["fritt"], json!([1, null]));
}

#[test]
fn header_and_body_must_be_of_one_type() {
    let mut document = letter();
    identification(&mut document)["type"] = "avtalt".into();
    assert_eq!(
        refusal(&document),
        SbdError::TypeMismatch {
            member: "arkivmelding".into(),
            declared: "avtalt".into()
        }
    );
}

#[test]
fn a_type_in_capitals_is_written_as_it_can_be_read_back() {
    let mut document = letter();
    identification(&mut document)["type"] = "ARKIVMELDING".into();
    assert_eq!(written(&parse(&document)), letter());
}

#[test]
fn a_value_of_the_wrong_kind_is_named_by_its_path() {
    type Spoil = fn(&mut Value);
    let cases: [(Spoil, &str, Kind, Kind); 6] = [
        (|d| header(d)["sender"] = json!({}), ".sender", Kind::List, Kind::Object),
        (
            |d| header(d)["sender"] = json!([null]),
            ".sender[0]",
            Kind::Object,
            Kind::Null,
        ),
        (
            |d| identification(d)["type"] = json!([]),
            ".documentIdentification.type",
            Kind::Text,
            Kind::List,
        ),
        (
            |d| identification(d)["multipleType"] = json!("x"),
            ".documentIdentification.multipleType",
            Kind::Boolean,
            Kind::Text,
        ),
        (
            |d| header(d)["manifest"] = json!({ "numberOfItems": 1.5 }),
            ".manifest.numberOfItems",
            Kind::WholeNumber,
            Kind::Number,
        ),
        (
            |d| header(d)["businessScope"] = json!(1),
            ".businessScope",
            Kind::Object,
            Kind::Number,
        ),
    ];
    for (spoil, path, expected, found) in cases {
        let mut document = letter();
        spoil(&mut document);
        let path = format!("standardBusinessDocumentHeader{path}");
        assert_eq!(refusal(&document), SbdError::WrongKind { path, expected, found });
    }
    let mut document = letter();
    document["arkivmelding"] = Value::Null;
    assert!(matches!(refusal(&document), SbdError::WrongKind { path, .. } if path == "arkivmelding"));
}

#[test]
fn a_broken_date_time_is_named_by_its_path() {
    let mut document = letter();
    scope(&mut document)[0]["scopeInformation"][0]["expectedResponseDateTime"] = "i morgen".into();
    let path = "standardBusinessDocumentHeader.businessScope.scope[0].scopeInformation[0].expectedResponseDateTime";
    assert_eq!(refusal(&document).path(), Some(path));
}

#[test]
fn unknown_members_are_ignored_and_null_ones_left_out() {
    let mut document = letter();
    header(&mut document)["ukjent"] = json!({ "a": 1 });
    header(&mut document)["manifest"] = Value::Null;
    identification(&mut document)["multipleType"] = Value::Null;
    document["arkivmelding"]["dpv"] = Value::Null;
    assert_eq!(written(&parse(&document)), letter());
}

#[test]
fn a_number_does_where_text_is_expected() {
    let mut document = letter();
    header(&mut document)["headerVersion"] = json!(1.0);
    assert_eq!(written(&parse(&document)), letter());
}

#[test]
fn free_content_survives_in_the_order_it_came() {
    let content = json!({ "z": null, "a": [1, 2.5, "æ\u{1}", { "ukjent": null }], "b": { "d": 1, "c": 0.1 } });
    let sbd = parse(&of_type("avtalt", json!({ "identifier": "x", "content": content })));
    assert_eq!(written(&sbd)["avtalt"]["content"].to_string(), content.to_string());
}

#[test]
fn raw_line_breaks_in_strings_are_read() {
    let text = letter().to_string().replace("brev.pdf", "brev\n\t.pdf");
    let sbd = Sbd::parse(text.as_bytes(), &MessageTypes::standard()).unwrap();
    assert_eq!(sbd.primary_document(), Some("brev\n\t.pdf"));
}

#[test]
fn times_are_kept_as_written_and_get_norwegian_offsets_where_they_have_none() {
    for (given, kept) in [
        ("2026-01-15T10:00:00Z", "2026-01-15T10:00:00Z"),
        ("2026-01-15T10:00:00", "2026-01-15T10:00:00+01:00"),
        ("2026-07-15T10:00:00.5", "2026-07-15T10:00:00.5+02:00"),
    ] {
        let mut document = letter();
        identification(&mut document)["creationDateAndTime"] = given.into();
        let written = written(&parse(&document));
        assert_eq!(
            written["standardBusinessDocumentHeader"]["documentIdentification"]["creationDateAndTime"],
            kept
        );
    }
}

#[test]
fn every_member_of_the_header_is_written_back() {
    let mut document = letter();
    header(&mut document)["sender"][0]["contactInformation"] = json!([{
        "contact": "Kari", "emailAddress": "k@example.no", "faxNumber": "1", "telephoneNumber": "2", "contactTypeIdentifier": "x"
    }]);
    identification(&mut document)["multipleType"] = json!(false);
    header(&mut document)["manifest"] = json!({ "numberOfItems": 1, "manifestItem": [{
        "mimeTypeQualifierCode": "a", "uniformResourceIdentifier": "b", "description": "c", "languageCode": "d"
    }] });
    scope(&mut document)[0]["scopeInformation"][0]["requestingDocumentCreationDateTime"] =
        "2026-03-02T09:15:00Z".into();
    scope(&mut document)[0]["scopeInformation"][0]["requestingDocumentInstanceIdentifier"] = "x".into();
    assert_eq!(written(&parse(&document)), document);
}

#[test]
fn an_oversized_document_is_refused_before_it_is_read() {
    let refused = Sbd::parse(&vec![b' '; MAX_BYTES + 1], &MessageTypes::standard());
    assert_eq!(
        refused,
        Err(SbdError::TooLarge {
            limit: MAX_BYTES,
            actual: MAX_BYTES + 1
        })
    );
}

#[test]
fn the_log_form_shows_neither_content_nor_parties() {
    let document = of_type("avtalt", json!({ "identifier": "hemmelig" }));
    let text = format!("{:?}", parse(&document));
    assert!(text.contains(MESSAGE));
    assert!(!text.contains("hemmelig") && !text.contains("991825827"), "{text}");
}

#[test]
fn a_message_that_could_not_be_read_back_is_refused() {
    let mut document = of_type("avtalt", json!({ "identifier": "x" }));
    let mut content: Value = vec![1; 100_000].into();
    for _ in 0..100 {
        content = json!([content]);
    }
    document["avtalt"]["content"] = content;
    assert!(document.to_string().len() < 300_000);
    let error = try_parse(&document).unwrap_err();
    assert_eq!(error, SbdError::TooLargeWritten { limit: MAX_BYTES });
}
