//! Members as the integrasjonspunkt writes them, however the client wrote them: it never writes null, and what is text or a
//! whole number in the table is that in the JSON. Spec: documents and packaging, 1.1.

use serde_json::{Map, Value};

use super::{ADDRESS, Field, Kind, integer};

/// Drops null members, and writes text as text and whole numbers as numbers, but not inside content whose shape is the
/// client's own.
pub fn drop_nulls(fields: &[Field], body: &mut Map<String, Value>) {
    body.retain(|_, value| !value.is_null());
    for field in fields {
        if let Some(value) = body.get_mut(field.name) {
            within(field.kind, value);
        }
    }
}

fn within(kind: Kind, value: &mut Value) {
    match (kind, value) {
        (Kind::Text, value @ (Value::Number(_) | Value::Bool(_))) => *value = value.to_string().into(),
        (Kind::Integer | Kind::IntegerOneOf(_), value @ Value::String(_)) => {
            if let Some(number) = integer(value) {
                *value = number.into();
            }
        }
        (Kind::TextMap, Value::Object(object)) => {
            for item in object.values_mut() {
                within(Kind::Text, item);
            }
        }
        (Kind::Object(fields), Value::Object(object)) => drop_nulls(fields, object),
        (Kind::Address, Value::Object(object)) => drop_nulls(ADDRESS, object),
        (Kind::List(fields), Value::Array(items)) => {
            for item in items {
                within(Kind::Object(fields), item);
            }
        }
        (Kind::Map(fields), Value::Object(object)) => {
            for item in object.values_mut() {
                within(Kind::Object(fields), item);
            }
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::body::{ARKIVMELDING, AVTALT, DIGITAL};

    #[test]
    fn null_members_go_but_agreed_content_stays_as_it_is() {
        let Value::Object(mut body) = json!({ "hoveddokument": null, "identifier": "x", "content": { "a": null } })
        else {
            panic!()
        };
        drop_nulls(AVTALT, &mut body);
        assert_eq!(
            Value::Object(body),
            json!({ "identifier": "x", "content": { "a": null } })
        );
    }

    #[test]
    fn text_is_written_as_text_and_a_whole_number_as_a_number() {
        let Value::Object(mut body) = json!({
            "hoveddokument": 12,
            "sikkerhetsnivaa": " 3",
            "dpv": { "varselTekst": false, "dagerTilSvarfrist": "kort", "varselType": true },
            "own": 12,
        }) else {
            panic!()
        };
        drop_nulls(ARKIVMELDING, &mut body);
        assert_eq!(
            Value::Object(body),
            json!({
                "hoveddokument": "12",
                "sikkerhetsnivaa": 3,
                "dpv": { "varselTekst": "false", "dagerTilSvarfrist": "kort", "varselType": true },
                "own": 12,
            })
        );
        let Value::Object(mut body) = json!({ "metadataFiler": { "brev.pdf": 1 } }) else {
            panic!()
        };
        drop_nulls(DIGITAL, &mut body);
        assert_eq!(Value::Object(body), json!({ "metadataFiler": { "brev.pdf": "1" } }));
    }

    #[test]
    fn null_members_of_known_objects_go_too() {
        let Value::Object(mut body) = json!({ "dpv": { "varselTekst": null, "varselType": "x" } }) else {
            panic!()
        };
        drop_nulls(ARKIVMELDING, &mut body);
        assert_eq!(Value::Object(body), json!({ "dpv": { "varselType": "x" } }));
    }
}
