//! A forsendelse as the JSON of SvarUt's REST version 3. What is not known is left out.
//!
//! Spec: DPF and DPFIO, 5 and 6.2.

use serde_json::{Map, Value, json};

use crate::forsendelse::{Address, Document, Forsendelse, Metadata, Party};
use crate::oslo::XmlDate;
use crate::settings::Settings;

/// Characters of a line of an address, and of a place.
const LINE: usize = 70;
/// Characters of a name, and of a case worker.
const NAME: usize = 100;
/// Entries of ekstraMetadata, and the characters of their keys and values.
const EXTRA: usize = 20;
const EXTRA_KEY: usize = 100;
const EXTRA_VALUE: usize = 500;
/// The first year that SvarUt takes.
const FIRST_YEAR: i64 = 1000;

/// The part `forsendelse`. What does not fit and is left out is told to `warn`, without content.
pub(crate) fn write<F>(settings: &Settings, forsendelse: &Forsendelse<'_, F>, mut warn: impl FnMut(&str)) -> Vec<u8> {
    let out = settings.out.as_ref();
    let wishes = &forsendelse.wishes;
    let reference = wishes.sender_reference.as_ref();
    let reference = reference.filter(|text| text.chars().count() <= NAME);
    let documents: Vec<Value> = forsendelse.documents.iter().map(document).collect();
    let mut body = object([
        ("tittel", json!(forsendelse.title)),
        ("mottaker", receiver(&forsendelse.receiver)),
        ("kryptert", json!(settings.encrypted)),
        ("kunDigitalLevering", json!(out.is_some_and(|out| out.digital_only))),
        (
            "sikkerhetsniva",
            json!(if wishes.is_level_4() { "HOYESTE" } else { "BETYDELIG" }),
        ),
        ("utskriftskonfigurasjon", json!({ "tosidig": true })),
        (
            "konteringskode",
            json!(out.and_then(|out| out.accounting_code.as_ref())),
        ),
        ("eksternReferanse", json!(forsendelse.reference)),
        ("korrelasjonsid", json!(reference)),
        ("forsendelsestype", json!(wishes.kind)),
        ("svarPaForsendelseId", json!(wishes.answers)),
        ("svarSendesTil", sender(&forsendelse.answers_to)),
    ]);
    body.insert(
        "metadataFraAvleverendeSystem".to_owned(),
        metadata(&forsendelse.metadata, &mut warn),
    );
    body.insert("dokumenter".to_owned(), Value::Array(documents));
    Value::Object(body).to_string().into_bytes()
}

/// The members that are not null.
fn object<const N: usize>(members: [(&str, Value); N]) -> Map<String, Value> {
    let known = members.into_iter().filter(|(_, value)| !value.is_null());
    known.map(|(name, value)| (name.to_owned(), value)).collect()
}

/// Without an address nothing can be printed, but it can be delivered.
fn receiver(party: &Party) -> Value {
    Value::Object(object([
        ("navn", json!(name(party))),
        ("digitalId", json!(party.number)),
        ("adresse", address(party.address.as_ref())),
    ]))
}

/// The address is required. Without one KS uses that of the konto.
fn sender(party: &Party) -> Value {
    let address = address(party.address.as_ref());
    if address.is_null() {
        return Value::Null;
    }
    json!({ "navn": name(party), "type": "ORGANISASJON", "digitalId": party.number, "adresse": address })
}

fn name(party: &Party) -> String {
    let name = party.name.as_deref().filter(|name| !name.trim().is_empty());
    cut(name.unwrap_or(&party.number), NAME)
}

/// Null when the line or the place is missing.
fn address(address: Option<&Address>) -> Value {
    let Some(address) = address else {
        return Value::Null;
    };
    let (Some(line), Some(place)) = (&address.line, &address.place) else {
        return Value::Null;
    };
    let mut lines = folded(line).into_iter();
    let country = address.country.as_deref().map(str::trim);
    let foreign =
        country.filter(|code| code.len() == 2 && *code != "NO" && code.bytes().all(|b| b.is_ascii_uppercase()));
    Value::Object(object([
        ("adresselinje1", json!(lines.next())),
        ("adresselinje2", json!(lines.next())),
        ("adresselinje3", json!(lines.next())),
        ("postnummer", json!(address.code.as_deref().map(|code| cut(code, 20)))),
        ("poststed", json!(cut(place, LINE))),
        ("landkode", json!(foreign)),
    ]))
}

/// A long line as at most three, broken between words.
fn folded(line: &str) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in line.split_whitespace() {
        let last = lines.len() - 1;
        let length = lines[last].chars().count();
        if length == 0 {
            lines[last] = cut(word, LINE);
        } else if length + 1 + word.chars().count() <= LINE {
            lines[last].push(' ');
            lines[last].push_str(word);
        } else if lines.len() < 3 {
            lines.push(cut(word, LINE));
        }
    }
    lines
}

fn cut(text: &str, most: usize) -> String {
    text.chars().take(most).collect()
}

fn document<F>(document: &Document<'_, F>) -> Value {
    Value::Object(object([
        ("filnavn", json!(document.name)),
        ("mimeType", json!(document.media_type)),
        ("skalEkskluderesFraUtskrift", json!(document.not_printed)),
    ]))
}

/// Numbers have a least value, and zero is none. Spec: DPF and DPFIO, 14, sharp edge 22.
fn metadata(metadata: &Metadata, warn: &mut impl FnMut(&str)) -> Value {
    let year = |number: Option<i64>| json!(number.filter(|number| *number >= FIRST_YEAR));
    let number = |number: Option<i64>| json!(number.filter(|number| *number >= 1));
    let mut extra: Vec<Value> = Vec::new();
    for (key, value) in &metadata.extra {
        let entry = json!({ "key": key, "value": value });
        let fits = (1..=EXTRA_KEY).contains(&key.chars().count()) && (1..=EXTRA_VALUE).contains(&value.chars().count());
        if extra.contains(&entry) {
            continue;
        }
        if !fits || extra.len() == EXTRA {
            warn("an element of virksomhetsspesifikkeMetadata is more than SvarUt takes, and is left out");
            continue;
        }
        extra.push(entry);
    }
    Value::Object(object([
        ("saksaar", year(metadata.case_year)),
        ("sakssekvensnummer", number(metadata.case_number)),
        ("journalaar", year(metadata.year)),
        ("journalsekvensnummer", number(metadata.sequence_number)),
        ("journalpostnummer", number(metadata.number)),
        ("journalposttype", json!(metadata.kind)),
        ("journalstatus", json!(metadata.status)),
        ("journaldato", json!(metadata.date.as_ref().map(XmlDate::midnight))),
        (
            "dokumentetsDato",
            json!(metadata.document_date.as_ref().map(XmlDate::midnight)),
        ),
        ("tittel", json!(metadata.title)),
        (
            "saksbehandler",
            json!(metadata.case_worker.as_deref().map(|name| cut(name, NAME))),
        ),
        (
            "ekstraMetadata",
            if extra.is_empty() {
                Value::Null
            } else {
                Value::Array(extra)
            },
        ),
    ]))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn party(address: Option<Address>) -> Party {
        Party {
            number: "910076787".to_owned(),
            name: Some("Lillevik kommune".to_owned()),
            address,
        }
    }

    fn at(line: &str, place: &str) -> Address {
        let text = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        Address {
            line: text(line),
            code: text("4003"),
            place: text(place),
            country: text("Norge"),
        }
    }

    #[test]
    fn e5_an_address_that_is_not_whole_is_left_out() {
        let whole = json!({ "adresselinje1": "Rådhusplassen 1", "postnummer": "4003", "poststed": "Lillevik" });
        assert_eq!(
            receiver(&party(Some(at("Rådhusplassen 1", "Lillevik")))),
            json!({ "navn": "Lillevik kommune", "digitalId": "910076787", "adresse": whole })
        );
        for missing in [None, Some(at("", "Lillevik")), Some(at("Rådhusplassen 1", ""))] {
            let party = party(missing);
            assert_eq!(
                receiver(&party),
                json!({ "navn": "Lillevik kommune", "digitalId": "910076787" })
            );
            assert_eq!(sender(&party), Value::Null);
        }
        assert_eq!(sender(&party(Some(at("a", "b"))))["type"], "ORGANISASJON");
        let nameless = Party {
            name: None,
            ..party(None)
        };
        assert_eq!(receiver(&nameless)["navn"], "910076787");
    }

    #[test]
    fn a_long_line_becomes_several_and_a_foreign_country_its_code() {
        let word = "a".repeat(40);
        let mut long = at(&[word.as_str(); 4].join(" "), "b");
        long.country = Some("SE".to_owned());
        let written = address(Some(&long));
        assert_eq!(written["adresselinje1"], word.as_str());
        assert_eq!(written["adresselinje3"], word.as_str());
        assert_eq!(written["landkode"], "SE");
        assert_eq!(folded(&"b".repeat(100)), ["b".repeat(70)]);
    }

    #[test]
    fn e22_zero_is_no_number() {
        let zeros = Metadata {
            case_year: Some(0),
            case_number: Some(0),
            year: Some(999),
            sequence_number: Some(-1),
            number: Some(3_000_000_000),
            kind: "I",
            status: "R",
            ..Metadata::default()
        };
        assert_eq!(
            metadata(&zeros, &mut |_| {}),
            json!({ "journalpostnummer": 3_000_000_000_i64, "journalposttype": "I", "journalstatus": "R" })
        );
    }

    #[test]
    fn metadata_stays_within_the_limits_of_svarut() {
        let pair = |key: &str, value: &str| (key.to_owned(), value.to_owned());
        let mut extra = vec![
            pair("a", "1"),
            pair("a", "1"),
            pair("b", &"x".repeat(501)),
            pair("", "1"),
        ];
        extra.extend((0..30).map(|number| pair("n", &number.to_string())));
        let mut warnings = 0;
        let written = metadata(
            &Metadata {
                extra,
                ..Metadata::default()
            },
            &mut |_| warnings += 1,
        );
        assert_eq!(written["ekstraMetadata"].as_array().unwrap().len(), 20);
        assert_eq!(warnings, 2 + 11);
    }
}
