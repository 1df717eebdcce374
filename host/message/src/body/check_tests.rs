use serde_json::json;

use super::*;
use crate::body::*;

fn broken(fields: &[Field], body: Value) -> Vec<(String, &'static str)> {
    let Value::Object(body) = body else {
        panic!("a body is an object")
    };
    check(fields, &body, "body")
        .into_iter()
        .map(|violation| (violation.field, violation.code))
        .collect()
}

fn one_violation(field: &str, code: &'static str) -> Vec<(String, &'static str)> {
    vec![(field.to_owned(), code)]
}

fn print() -> Value {
    json!({
        "hoveddokument": "brev.pdf",
        "mottaker": { "adresselinje1": "Gata 1", "postnummer": "0001", "poststed": "Oslo", "land": "Norge" },
        "retur": {
            "mottaker": { "adresselinje1": "Gata 2", "postnummer": "0001", "poststed": "Oslo" },
            "returhaandtering": "DIREKTE_RETUR"
        }
    })
}

#[test]
fn an_arkivmelding_needs_nothing_but_takes_only_levels_three_and_four() {
    assert_eq!(broken(ARKIVMELDING, json!({})), []);
    assert_eq!(
        broken(ARKIVMELDING, json!({ "sikkerhetsnivaa": "4", "ukjent": [] })),
        []
    );
    assert_eq!(
        broken(ARKIVMELDING, json!({ "sikkerhetsnivaa": 5 })),
        one_violation("body.sikkerhetsnivaa", "OneOf")
    );
    assert_eq!(
        broken(ARKIVMELDING, json!({ "sikkerhetsnivaa": [3] })),
        one_violation("body.sikkerhetsnivaa", "typeMismatch")
    );
    assert_eq!(
        broken(ARKIVMELDING, json!({ "dpv": { "varselTransportType": "Brevdue" } })),
        one_violation("body.dpv.varselTransportType", "OneOf")
    );
}

#[test]
fn digital_post_needs_its_title_language_and_dates() {
    let fields: Vec<_> = broken(DIGITAL, json!({ "digitalPostInfo": { "virkningsdato": "i morgen" } }));
    assert_eq!(
        fields,
        [
            ("body.hoveddokument".to_owned(), "NotNull"),
            ("body.sikkerhetsnivaa".to_owned(), "NotNull"),
            ("body.tittel".to_owned(), "NotNull"),
            ("body.spraak".to_owned(), "NotNull"),
            ("body.digitalPostInfo.virkningsdato".to_owned(), "typeMismatch"),
            ("body.digitalPostInfo.aapningskvittering".to_owned(), "NotNull"),
        ]
    );
}

#[test]
fn a_print_with_both_addresses_is_right() {
    assert_eq!(broken(PRINT, print()), []);
}

#[test]
fn a_norwegian_return_address_without_postal_code_is_refused() {
    let mut body = print();
    body["retur"]["mottaker"]["postnummer"] = Value::Null;
    assert_eq!(
        broken(PRINT, body.clone()),
        one_violation("body.retur.mottaker.postnummer", "NotNull")
    );
    body["retur"]["mottaker"]["land"] = "Sverige".into();
    assert_eq!(broken(PRINT, body), []);
}

#[test]
fn an_empty_address_member_counts_as_missing_and_an_empty_country_as_foreign() {
    let mut body = print();
    body["mottaker"] = json!({ "navn": "Kari", "adresselinje1": " ", "land": "NORWAY" });
    let fields: Vec<_> = broken(PRINT, body.clone())
        .into_iter()
        .map(|(field, _)| field)
        .collect();
    assert_eq!(
        fields,
        [
            "body.mottaker.adresselinje1",
            "body.mottaker.postnummer",
            "body.mottaker.poststed"
        ]
    );
    body["mottaker"] = json!({ "adresselinje1": "Gata 1", "land": "" });
    assert_eq!(broken(PRINT, body), []);
}

#[test]
fn a_return_without_an_address_is_a_violation() {
    let mut body = print();
    body["retur"] = json!({ "returhaandtering": "DIREKTE_RETUR" });
    assert_eq!(broken(PRINT, body), one_violation("body.retur.mottaker", "NotNull"));
}

#[test]
fn print_is_black_and_white_by_default() {
    let Value::Object(mut body) = json!({ "posttype": "A_PRIORITERT" }) else {
        panic!()
    };
    fill_defaults(PRINT, &mut body);
    assert_eq!(
        Value::Object(body),
        json!({ "posttype": "A_PRIORITERT", "utskriftsfarge": "SORT_HVIT" })
    );
}

#[test]
fn agreed_content_may_be_anything() {
    for content in [json!([1, null, { "a": {} }]), json!("tekst"), json!(false)] {
        assert_eq!(broken(AVTALT, json!({ "identifier": "x", "content": content })), []);
    }
}

#[test]
fn a_receipt_with_a_wrong_type_or_message_list_is_refused() {
    assert_eq!(
        broken(ARKIVMELDING_KVITTERING, json!({ "receiptType": "ok" })),
        one_violation("body.receiptType", "OneOf")
    );
    assert_eq!(
        broken(
            ARKIVMELDING_KVITTERING,
            json!({ "messages": [{ "code": "1" }, "tekst"] })
        ),
        one_violation("body.messages[1]", "typeMismatch")
    );
    assert_eq!(
        broken(EINNSYN_KVITTERING, json!({ "dokumentId": "1", "status": "{}" })),
        one_violation("body.referanseType", "NotNull")
    );
}

#[test]
fn every_status_of_the_life_cycle_is_a_status_of_the_message() {
    for status in crate::status::Status::all() {
        assert_eq!(broken(STATUS, json!({ "status": status.name() })), []);
    }
    assert_eq!(
        broken(STATUS, json!({ "status": "KANSKJE" })),
        one_violation("body.status", "OneOf")
    );
}

#[test]
fn metadata_of_attachments_is_checked_entry_by_entry() {
    let body = json!({
        "hoveddokument": "dialogmelding.xml",
        "pasient": { "fnr": "x", "fornavn": "A", "etternavn": "B" },
        "metadataFiler": { "a.pdf": { "issueDate": "2026-01-15T10:00:00Z" }, "b.pdf": { "issueDate": "2026" } }
    });
    assert_eq!(
        broken(DIALOGMELDING, body),
        one_violation("body.metadataFiler[b.pdf].issueDate", "typeMismatch")
    );
}

#[test]
fn a_body_of_nonsense_gives_a_bounded_list() {
    let items: Vec<_> = (0..1000).map(|number| json!(number)).collect();
    assert_eq!(broken(ARKIVMELDING_KVITTERING, json!({ "messages": items })).len(), 100);
}

#[test]
fn a_rejected_value_stays_out_of_the_log_text() {
    let violation = Violation::new("a", code::ONE_OF, "must be one of b").rejecting("17912099997");
    assert!(!format!("{violation} {violation:?}").contains("17912099997"));
}
