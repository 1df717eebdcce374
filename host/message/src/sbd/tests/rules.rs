use super::*;

const BASE: &str = "standardBusinessDocumentHeader";

fn broken(document: &Value) -> Vec<(String, &'static str)> {
    let violations = parse(document).validate(now());
    violations
        .into_iter()
        .map(|violation| (violation.field, violation.code))
        .collect()
}

/// The one rule that the spoilt example breaks, its path without the header's own name.
fn only(spoil: impl FnOnce(&mut Value)) -> (String, &'static str) {
    let mut document = letter();
    spoil(&mut document);
    let found = broken(&document);
    assert_eq!(found.len(), 1, "{found:?}");
    let (field, code) = found.into_iter().next().unwrap();
    (field.strip_prefix(&format!("{BASE}.")).unwrap().to_owned(), code)
}

fn remove(object: &mut Value, name: &str) {
    object.as_object_mut().unwrap().remove(name).unwrap();
}

#[test]
fn the_example_breaks_no_rule() {
    assert_eq!(broken(&letter()), []);
}

#[test]
fn what_is_filled_in_later_may_be_absent() {
    let mut document = letter();
    remove(header(&mut document), "sender");
    remove(identification(&mut document), "instanceIdentifier");
    remove(identification(&mut document), "creationDateAndTime");
    remove(&mut scope(&mut document)[0], "instanceIdentifier");
    remove(&mut scope(&mut document)[0], "scopeInformation");
    assert_eq!(broken(&document), []);
}

#[test]
fn required_members_are_missed_one_by_one() {
    assert_eq!(
        only(|d| remove(header(d), "headerVersion")),
        ("headerVersion".into(), "NotNull")
    );
    assert_eq!(only(|d| remove(header(d), "receiver")), ("receiver".into(), "NotNull"));
    assert_eq!(
        only(|d| remove(header(d), "documentIdentification")),
        ("documentIdentification".into(), "NotNull")
    );
    assert_eq!(
        only(|d| remove(header(d), "businessScope")),
        ("businessScope".into(), "NotNull")
    );
    for name in ["standard", "type", "typeVersion"] {
        assert_eq!(
            only(|d| remove(identification(d), name)),
            (format!("documentIdentification.{name}"), "NotNull")
        );
    }
    assert_eq!(
        only(|d| remove(&mut header(d)["sender"][0], "identifier")),
        ("sender[0].identifier".into(), "NotNull")
    );
    for name in ["value", "authority"] {
        let missing = only(|d| remove(&mut header(d)["receiver"][0]["identifier"], name));
        assert_eq!(missing, (format!("receiver[0].identifier.{name}"), "NotNull"));
    }
}

#[test]
fn a_header_type_that_is_unknown_is_a_violation_with_its_value() {
    let mut document = letter();
    identification(&mut document)["type"] = "melding".into();
    let violations = parse(&document).validate(now());
    assert_eq!(violations.len(), 1);
    assert_eq!(
        violations[0].field,
        "standardBusinessDocumentHeader.documentIdentification.type"
    );
    assert_eq!(violations[0].code, "MessageType");
    assert_eq!(violations[0].rejected_value.as_deref(), Some("melding"));
}

#[test]
fn ids_must_be_uuids_in_full() {
    for id in ["1-2-3-4-5", "", "x"] {
        let wrong = only(|d| identification(d)["instanceIdentifier"] = id.into());
        assert_eq!(wrong, ("documentIdentification.instanceIdentifier".into(), "UUID"));
    }
    let wrong = only(|d| scope(d)[0]["instanceIdentifier"] = "1-1-1-1-1".into());
    assert_eq!(
        wrong,
        (
            "businessScope.scope[0].instanceIdentifier".into(),
            "SbdScopeConditionalInstanceIdentifierUuid"
        )
    );
}

#[test]
fn references_need_not_be_uuids() {
    let mut document = letter();
    for kind in ["SenderRef", "ReceiverRef", "PARENT_ID"] {
        scope(&mut document)
            .as_array_mut()
            .unwrap()
            .push(json!({ "type": kind, "instanceIdentifier": "fri tekst" }));
    }
    assert_eq!(broken(&document), []);
}

#[test]
fn a_deadline_must_be_in_the_future() {
    for deadline in [
        "2026-03-02T09:15:00+01:00",
        "2026-03-02T08:14:59Z",
        "2020-01-01T00:00:00",
    ] {
        let wrong = only(|d| scope(d)[0]["scopeInformation"][0]["expectedResponseDateTime"] = deadline.into());
        assert_eq!(
            wrong,
            (
                "businessScope.scope[0].scopeInformation[0].expectedResponseDateTime".into(),
                "Future"
            )
        );
    }
}

#[test]
fn parties_must_be_identifiers_under_a_known_authority() {
    let wrong = only(|d| header(d)["sender"][0]["identifier"]["value"] = "her-id:1".into());
    assert_eq!(wrong, ("sender[0].identifier.value".into(), "SenderValue"));
    let wrong = only(|d| header(d)["receiver"][0]["identifier"]["value"] = "17912099996".into());
    assert_eq!(wrong, ("receiver[0].identifier.value".into(), "ReceiverValue"));
    let wrong = only(|d| header(d)["sender"][0]["identifier"]["authority"] = "foo".into());
    assert_eq!(wrong, ("sender[0].identifier.authority".into(), "OneOf"));
}

#[test]
fn there_is_at_most_one_sender() {
    let wrong = only(|d| {
        let first = header(d)["sender"][0].clone();
        header(d)["sender"].as_array_mut().unwrap().push(first);
    });
    assert_eq!(wrong, ("sender".into(), "Size"));
}

#[test]
fn there_must_be_a_conversation_with_a_process() {
    assert_eq!(only(|d| *scope(d) = json!([])), ("businessScope.scope".into(), "Size"));
    assert_eq!(
        only(|d| *scope(d) = json!([{ "type": "SenderRef" }])),
        ("businessScope.scope".into(), "NotNull")
    );
    assert_eq!(
        only(|d| remove(&mut scope(d)[0], "identifier")),
        ("businessScope.scope[0].identifier".into(), "NotNull")
    );
    let empty = only(|d| scope(d)[0]["identifier"] = "".into());
    assert_eq!(empty, ("businessScope.scope[0].identifier".into(), "Pattern"));
}

#[test]
fn a_scope_of_unknown_type_is_refused() {
    let add = |extra: Value| only(|d| scope(d).as_array_mut().unwrap().push(extra));
    assert_eq!(
        add(json!({ "type": "Ukjent" })),
        ("businessScope.scope[1].type".into(), "OneOf")
    );
    assert_eq!(add(json!({})), ("businessScope.scope[1].type".into(), "NotNull"));
}

#[test]
fn a_manifest_must_have_whole_items() {
    assert_eq!(
        only(|d| header(d)["manifest"] = json!({})),
        ("manifest.manifestItem".into(), "Size")
    );
    let item = json!({ "manifestItem": [{ "mimeTypeQualifierCode": "x" }] });
    let wrong = only(|d| header(d)["manifest"] = item);
    assert_eq!(
        wrong,
        ("manifest.manifestItem[0].uniformResourceIdentifier".into(), "NotNull")
    );
    let wrong = only(|d| header(d)["sender"][0]["contactInformation"] = json!([{}]));
    assert_eq!(wrong, ("sender[0].contactInformation[0].contact".into(), "NotNull"));
}

#[test]
fn only_print_may_come_without_a_receiver() {
    let mut document = of_type("print", json!({}));
    remove(header(&mut document), "receiver");
    assert_eq!(broken(&document), []);
    assert_eq!(parse(&document).envelope().unwrap().receiver, None);
}

#[test]
fn a_standard_of_another_type_does_not_fit() {
    let mut document = letter();
    identification(&mut document)["standard"] = "foo::bar".into();
    assert!(!parse(&document).standard_fits_type());
    identification(&mut document)["standard"] = "urn:no:difi:einnsyn:xsd:innsyn::arkivmelding".into();
    assert!(parse(&document).standard_fits_type());
}

#[test]
fn the_body_is_checked_against_its_own_table() {
    let sbd = parse(&of_type("innsynskrav", json!({ "orgnr": "910076787" })));
    let violations = sbd.validate_body();
    assert_eq!(violations.len(), 1);
    assert_eq!(
        (violations[0].field.as_str(), violations[0].code),
        ("innsynskrav.epost", "NotNull")
    );
}

#[test]
fn the_envelope_holds_what_the_header_says() {
    let envelope = parse(&letter()).envelope().unwrap();
    assert_eq!(envelope.message_id.as_str(), MESSAGE);
    assert_eq!(envelope.message_type, "arkivmelding");
    assert_eq!(envelope.receiver.unwrap().primary(), "910076787");
    assert_eq!(envelope.channel, None);
}

#[test]
fn an_incomplete_header_gives_no_envelope_but_what_is_missing() {
    let mut document = letter();
    remove(identification(&mut document), "instanceIdentifier");
    remove(&mut scope(&mut document)[0], "scopeInformation");
    let missing: Vec<_> = parse(&document)
        .envelope()
        .unwrap_err()
        .into_iter()
        .map(|violation| violation.field)
        .collect();
    assert_eq!(
        missing,
        [
            format!("{BASE}.documentIdentification.instanceIdentifier"),
            format!("{BASE}.businessScope.scope")
        ]
    );
}

#[test]
fn a_header_of_nonsense_gives_a_bounded_list() {
    let mut document = letter();
    *scope(&mut document) = Value::Array(vec![json!({}); 5000]);
    assert_eq!(broken(&document).len(), 100);
}
