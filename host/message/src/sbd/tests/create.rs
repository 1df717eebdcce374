use super::*;

fn filled(document: &Value, channel: Option<&str>) -> Sbd {
    let mut sbd = parse(document);
    sbd.fill_defaults(&own(), now(), DAY, channel).unwrap();
    sbd
}

fn with_sender(value: &str) -> Value {
    let mut document = letter();
    header(&mut document)["sender"][0]["identifier"]["value"] = value.into();
    document
}

fn sender(document: &Value) -> String {
    filled(document, None).sender().unwrap().as_str().to_owned()
}

fn bare() -> Value {
    let mut document = letter();
    header(&mut document).as_object_mut().unwrap().remove("sender");
    *identification(&mut document) =
        json!({ "standard": "urn:no:difi:arkivmelding:xsd::arkivmelding", "type": "arkivmelding" });
    *scope(&mut document) =
        json!([{ "type": "ConversationId", "identifier": "p" }, { "type": "SenderRef", "instanceIdentifier": "" }]);
    document
}

#[test]
fn a_complete_message_is_left_as_it_is() {
    assert_eq!(written(&filled(&letter(), None)), letter());
}

#[test]
fn what_the_client_left_out_is_filled_in() {
    let sbd = filled(&bare(), None);
    let envelope = sbd.envelope().unwrap();
    assert_eq!(envelope.sender.as_str(), "0192:991825827");
    assert_eq!(envelope.created.as_str(), "2026-03-02T09:15:00+01:00");
    assert_eq!(envelope.expires.as_str(), "2026-03-03T09:15:00+01:00");
    assert_ne!(envelope.message_id.as_str(), envelope.conversation_id.as_str());
    assert!(
        !sbd.scope(ScopeKind::SenderRef)
            .unwrap()
            .instance_identifier()
            .unwrap()
            .is_empty()
    );
}

#[test]
fn the_default_deadline_is_written_with_the_offset_of_its_own_date() {
    let mut sbd = parse(&bare());
    let eve: Timestamp = "2026-03-28T11:00:00Z".parse().unwrap();
    sbd.fill_defaults(&own(), eve, DAY, None).unwrap();
    assert_eq!(sbd.expires().unwrap().as_str(), "2026-03-29T13:00:00+02:00");
}

#[test]
fn a_deadline_beyond_time_itself_is_the_end_of_time() {
    let mut sbd = parse(&bare());
    sbd.fill_defaults(&own(), now(), Duration::MAX, None).unwrap();
    assert!(sbd.expires().unwrap().instant() > now());
}

#[test]
fn the_owner_sends_on_behalf_of_other_organisations() {
    assert_eq!(sender(&with_sender("0192:991825827")), "0192:991825827");
    assert_eq!(sender(&with_sender("0192:910076787")), "0192:991825827:910076787");
    assert_eq!(sender(&with_sender("910076787")), "0192:991825827:910076787");
    assert_eq!(
        sender(&with_sender("0192:991825827:910076787")),
        "0192:991825827:910076787"
    );
    assert_eq!(
        filled(&with_sender("0192:974720760"), None)
            .sender()
            .unwrap()
            .sender_part(),
        "974720760"
    );
}

#[test]
fn a_sender_that_is_no_organisation_is_left_alone() {
    let mut document = letter();
    header(&mut document)["sender"][0]["identifier"] = json!({ "value": "her-id:1", "authority": "nhn-actorid" });
    assert_eq!(sender(&document), "her-id:1");
}

#[test]
fn the_configured_channel_is_added_or_filled_in() {
    let sbd = filled(&letter(), Some("foo-42"));
    assert_eq!(sbd.message_channel(), Some("foo-42"));
    assert!(
        !sbd.scope(ScopeKind::MessageChannel)
            .unwrap()
            .instance_identifier()
            .unwrap()
            .is_empty()
    );

    let mut document = letter();
    scope(&mut document)
        .as_array_mut()
        .unwrap()
        .push(json!({ "type": "MessageChannel", "identifier": "" }));
    let sbd = filled(&document, Some("foo-42"));
    assert_eq!(sbd.message_channel(), Some("foo-42"));
    assert_eq!(sbd.scopes().len(), 2);
}

#[test]
fn a_message_for_another_channel_is_refused_and_unchanged() {
    let mut document = bare();
    scope(&mut document)
        .as_array_mut()
        .unwrap()
        .push(json!({ "type": "MessageChannel", "identifier": "foo-43" }));
    let mut sbd = parse(&document);
    let before = sbd.clone();
    let refused = sbd.fill_defaults(&own(), now(), DAY, Some("foo-42"));
    assert_eq!(
        refused,
        Err(DefaultsError::ChannelMismatch {
            configured: "foo-42".into(),
            given: "foo-43".into()
        })
    );
    assert_eq!(sbd, before);
}

#[test]
fn without_a_configured_channel_the_messages_own_is_kept() {
    let mut document = letter();
    scope(&mut document)
        .as_array_mut()
        .unwrap()
        .push(json!({ "type": "MessageChannel", "identifier": "foo-43" }));
    assert_eq!(filled(&document, None).message_channel(), Some("foo-43"));
    assert_eq!(filled(&document, Some("")).message_channel(), Some("foo-43"));
}

#[test]
fn a_channel_has_at_most_25_plain_characters() {
    for channel in ["a b", "æ", "abcdefghijklmnopqrstuvwxyz"] {
        assert_eq!(
            parse(&letter()).fill_defaults(&own(), now(), DAY, Some(channel)),
            Err(DefaultsError::ChannelName)
        );
    }
    filled(&letter(), Some("abcdefghijklmnopqrstuvwxy"));
}

#[test]
fn without_a_conversation_there_is_nowhere_to_put_the_deadline() {
    let mut document = letter();
    *scope(&mut document) = json!([{ "type": "SenderRef" }]);
    assert_eq!(
        parse(&document).fill_defaults(&own(), now(), DAY, None),
        Err(DefaultsError::NoConversation)
    );
}

#[test]
fn a_dialogmelding_without_conversation_is_its_own_conversation() {
    let mut document = of_type("dialogmelding", json!({}));
    scope(&mut document)[0]
        .as_object_mut()
        .unwrap()
        .remove("instanceIdentifier");
    assert_eq!(filled(&document, None).conversation_id().unwrap().as_str(), MESSAGE);
}

#[test]
fn print_gets_its_colour_and_class() {
    let sbd = filled(&of_type("print", json!({})), None);
    assert_eq!(sbd.body()["utskriftsfarge"], "SORT_HVIT");
    assert_eq!(sbd.body()["posttype"], "B_OEKONOMI");
}

#[test]
fn a_reference_written_as_the_documentation_shows_it_is_kept() {
    let mut document = letter();
    let references = json!([
        { "type": "SenderRef", "identifier": "sak 1" },
        { "type": "ReceiverRef", "identifier": "sak 2", "instanceIdentifier": "sak 3" },
        { "type": "JournalpostId", "identifier": "4" }
    ]);
    scope(&mut document)
        .as_array_mut()
        .unwrap()
        .extend(references.as_array().unwrap().clone());
    let sbd = filled(&document, None);
    let reference = |kind| sbd.scope(kind).unwrap().instance_identifier().unwrap();
    assert_eq!(reference(ScopeKind::SenderRef), "sak 1");
    assert_eq!(reference(ScopeKind::ReceiverRef), "sak 3");
    assert!(crate::identifier::is_uuid(reference(ScopeKind::JournalpostId)));
}

#[test]
fn the_items_of_a_manifest_are_counted() {
    let mut document = letter();
    header(&mut document)["manifest"] = json!({ "manifestItem": [{}, {}] });
    assert_eq!(
        written(&filled(&document, None))["standardBusinessDocumentHeader"]["manifest"]["numberOfItems"],
        2
    );
}

#[test]
fn a_message_that_outgrows_its_limit_with_its_defaults_is_refused() {
    let mut document = letter();
    let scopes = scope(&mut document).as_array_mut().unwrap();
    scopes.extend((0..75_000).map(|_| json!({ "type": "SenderRef" })));
    let mut sbd = parse(&document);
    assert_eq!(
        sbd.fill_defaults(&own(), now(), DAY, None),
        Err(DefaultsError::TooLarge)
    );
}
