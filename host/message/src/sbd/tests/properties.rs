use proptest::collection::{btree_map, vec};
use proptest::option;
use proptest::prelude::*;

use super::*;

/// Any JSON, a few levels deep.
fn content() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>()
            .prop_filter("JSON has no infinity", |number| number.is_finite())
            .prop_map(Value::from),
        any::<String>().prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 32, 5, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..5).prop_map(Value::from),
            btree_map(any::<String>(), inner, 0..5).prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

/// A member that is there or not, is null or any text.
fn text() -> impl Strategy<Value = Value> {
    option::of(any::<String>()).prop_map(Value::from)
}

fn time() -> impl Strategy<Value = Value> {
    let offset = prop_oneof![Just(""), Just("Z"), Just("+01:00"), Just("-03:30")];
    (1990i16..2100, 1i8..=12, 1i8..=28, 0i8..24, 0i8..60, offset)
        .prop_map(|(y, m, d, h, min, offset)| format!("{y:04}-{m:02}-{d:02}T{h:02}:{min:02}:00{offset}").into())
}

prop_compose! {
    fn document()(
        version in text(), value in text(), authority in text(), standard in text(), id in text(), many in any::<bool>(),
        created in time(), deadline in time(), kinds in vec(text(), 0..4), process in text(), contact in text(),
        content in content(), extra in content(),
    ) -> Value {
        let scopes: Vec<_> = kinds.into_iter().map(|kind| json!({
            "type": kind, "identifier": process, "scopeInformation": [{ "expectedResponseDateTime": deadline }]
        })).collect();
        json!({
            "standardBusinessDocumentHeader": {
                "headerVersion": version,
                "sender": [{ "identifier": { "value": value, "authority": authority }, "contactInformation": [{ "contact": contact }] }],
                "documentIdentification": {
                    "standard": standard, "instanceIdentifier": id, "type": "avtalt", "multipleType": many,
                    "creationDateAndTime": created
                },
                "businessScope": { "scope": scopes },
                "ukjent": extra
            },
            "avtalt": { "identifier": standard, "content": content }
        })
    }
}

/// The JSON pointers of a value and of all that it holds.
fn paths(value: &Value, path: &str, found: &mut Vec<String>) {
    found.push(path.to_owned());
    match value {
        Value::Object(members) => members
            .iter()
            .for_each(|(name, member)| paths(member, &format!("{path}/{name}"), found)),
        Value::Array(items) => items
            .iter()
            .enumerate()
            .for_each(|(number, item)| paths(item, &format!("{path}/{number}"), found)),
        _ => {}
    }
}

proptest! {
    #[test]
    fn what_is_written_reads_back_the_same(document in document()) {
        let sbd = parse(&document);
        let again = Sbd::parse(&sbd.to_json().unwrap(), &MessageTypes::standard()).unwrap();
        prop_assert!(again == sbd, "{}", String::from_utf8_lossy(&again.to_json().unwrap()));
    }

    #[test]
    fn any_document_can_be_checked_and_filled_without_harm(document in document()) {
        let mut sbd = parse(&document);
        let _ = sbd.validate(now());
        let _ = sbd.validate_body();
        let _ = sbd.fill_defaults(&own(), now(), DAY, Some("foo-42"));
        let _ = sbd.envelope();
    }

    #[test]
    fn what_is_filled_in_reads_back_the_same(document in document()) {
        let mut sbd = parse(&document);
        if sbd.fill_defaults(&own(), now(), DAY, Some("foo-42")).is_ok() {
            let again = Sbd::parse(&sbd.to_json().unwrap(), &MessageTypes::standard()).unwrap();
            prop_assert!(again == sbd, "{}", String::from_utf8_lossy(&again.to_json().unwrap()));
        }
    }

    #[test]
    fn a_message_with_one_value_exchanged_is_refused_or_reads_back(at in any::<prop::sample::Index>(), other in content()) {
        let mut document = letter();
        let mut values = Vec::new();
        paths(&document, "", &mut values);
        let path: &String = at.get(&values);
        *document.pointer_mut(path).unwrap() = other;
        let Ok(mut sbd) = try_parse(&document) else { return Ok(()) };
        prop_assert!(sbd.validate(now()).len() + sbd.validate_body().len() <= 200);
        let _ = sbd.fill_defaults(&own(), now(), DAY, None);
        prop_assert!(Sbd::parse(&sbd.to_json().unwrap(), &MessageTypes::standard()).unwrap() == sbd);
    }

    #[test]
    fn whatever_the_client_leaves_out_of_the_optional_the_envelope_is_complete(left_out in vec(any::<bool>(), 5)) {
        let mut document = letter();
        let optional = [
            ("/standardBusinessDocumentHeader", "sender"),
            ("/standardBusinessDocumentHeader/documentIdentification", "instanceIdentifier"),
            ("/standardBusinessDocumentHeader/documentIdentification", "creationDateAndTime"),
            ("/standardBusinessDocumentHeader/businessScope/scope/0", "instanceIdentifier"),
            ("/standardBusinessDocumentHeader/businessScope/scope/0", "scopeInformation"),
        ];
        for ((path, name), _) in optional.iter().zip(left_out).filter(|(_, left_out)| *left_out) {
            document.pointer_mut(path).unwrap().as_object_mut().unwrap().remove(*name);
        }
        let mut sbd = parse(&document);
        prop_assert_eq!(sbd.validate(now()), []);
        sbd.fill_defaults(&own(), now(), DAY, Some("foo-42")).unwrap();
        prop_assert_eq!(sbd.validate(now()), []);
        prop_assert!(sbd.envelope().is_ok());
    }

    #[test]
    fn any_bytes_are_read_or_refused(bytes in vec(any::<u8>(), 0..500)) {
        let _ = Sbd::parse(&bytes, &MessageTypes::standard());
    }

    #[test]
    fn any_damage_to_a_message_is_read_or_refused(at in 0usize..2000, bytes in vec(any::<u8>(), 0..4)) {
        let mut text = letter().to_string().into_bytes();
        let at = at.min(text.len());
        let end = (at + bytes.len()).min(text.len());
        text.splice(at..end, bytes);
        let _ = Sbd::parse(&text, &MessageTypes::standard());
    }

    #[test]
    fn any_text_is_an_identifier_or_refused(text in any::<String>()) {
        if let Ok(id) = crate::identifier::Identifier::parse_any(&text) {
            let again = crate::identifier::Identifier::parse_qualified(&id.qualified()).unwrap();
            prop_assert_eq!(again, id);
        }
    }

    #[test]
    fn any_text_is_a_date_time_or_refused(text in "[0-9TZ:.+-]{0,40}|\\PC{0,40}") {
        if let Ok(time) = text.parse::<crate::datetime::DateTime>() {
            prop_assert_eq!(time.as_str().parse(), Ok(time.clone()));
        }
    }
}
