//! The JSON of an answer as capabilities. What is not known is passed over; a strange record hides neither the others nor who the
//! receiver is. Spec: service registry, 4 and 8.4.

use std::collections::BTreeMap;

use budstikke_message::body::PostalAddress;
use budstikke_message::identifier::Identifier;
use budstikke_message::x509::Certificate;
use budstikke_registry::model::{PostAddress, ServiceRecord};
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::registry::{Addresses, Capability, DigitalAddress, RegistryError};

/// What a service is called whose record names none. Spec: service registry, 8.8.
const UNKNOWN: &str = "UNKNOWN";
/// Members that may be left out, and that some write as `null`.
const OPTIONAL: [&str; 6] = [
    "organisationNumber",
    "process",
    "documentTypes",
    "service",
    "kanVarsles",
    "fysiskPost",
];
/// Objects whose members may be `null` one by one.
const OBJECTS: [&str; 3] = ["service", "postAddress", "returnAddress"];

/// An answer as it was read.
pub(in crate::registry) struct Found {
    /// `infoRecord`, as it came.
    pub(super) info: Value,
    /// `serviceRecords`, as they came.
    pub(super) raw: Vec<Value>,
    /// Those that can be read, with their place among the others.
    pub(super) records: Vec<(usize, ServiceRecord)>,
    /// What they mean.
    pub(in crate::registry) capabilities: Vec<Capability>,
}

impl Found {
    /// `infoRecord`, as it came.
    pub(in crate::registry) fn info(&self) -> &Value {
        &self.info
    }

    /// Whether it is about the receiver that was asked for. One that does not say is taken: what is sealed is bound to a certificate.
    pub(super) fn is_about(&self, asked: &str) -> bool {
        let text = |member: &str| self.info.get(member).and_then(Value::as_str);
        let Some(named) = text("identifier") else {
            return true;
        };
        let bare =
            |text: &str| Identifier::parse_any(text).map_or(text.to_owned(), |parsed| parsed.primary().to_owned());
        if bare(named).eq_ignore_ascii_case(&bare(asked)) {
            return true;
        }
        // Who asks for somebody's general practitioner is told the practitioner's own number, and whose it is.
        match (Identifier::parse_any(asked), Identifier::parse_any(named)) {
            (Ok(Identifier::Nhn(asked)), Ok(Identifier::Nhn(named))) if named.her_id().is_some() => asked
                .patient()
                .is_some_and(|patient| text("patient").is_none_or(|told| told == patient.number())),
            _ => false,
        }
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Answer {
    info_record: Map<String, Value>,
    service_records: Option<Vec<Value>>,
}

/// Reads the verified text of an answer.
pub(in crate::registry) fn read(text: &[u8]) -> Result<Found, RegistryError> {
    // serde's own text could repeat what it read.
    let answer: Answer = serde_json::from_slice(text).map_err(|error| {
        let place = format!("line {}, column {}", error.line(), error.column());
        RegistryError::Unusable(format!("it is not the JSON of a receiver ({place})"))
    })?;
    let raw = answer.service_records.unwrap_or_default();
    let mut records = Vec::with_capacity(raw.len());
    for (place, record) in raw.iter().enumerate() {
        if let Ok(record) = serde_json::from_value::<ServiceRecord>(lenient(record)) {
            records.push((place, record));
        } else {
            tracing::warn!(
                place,
                "a service record of the registry cannot be read; it is passed over"
            );
        }
    }
    let capabilities = records.iter().map(|(_, record)| capability(record)).collect();
    Ok(Found {
        info: Value::Object(answer.info_record),
        raw,
        records,
        capabilities,
    })
}

/// The record without those members that are `null` where nothing is meant by it.
fn lenient(record: &Value) -> Value {
    let mut record = record.clone();
    let Some(members) = record.as_object_mut() else {
        return record;
    };
    members.retain(|name, value| !(value.is_null() && OPTIONAL.contains(&name.as_str())));
    for name in OBJECTS {
        if let Some(inner) = members.get_mut(name).and_then(Value::as_object_mut) {
            inner.retain(|_, value| !value.is_null());
        }
    }
    record
}

fn capability(record: &ServiceRecord) -> Capability {
    let service = match record.service.identifier.trim() {
        "" => UNKNOWN,
        named => named,
    };
    Capability {
        process: record.process.clone(),
        service: service.to_owned(),
        document_types: record.document_types.clone(),
        certificate: certificate(record),
        address: address(record),
        addresses: addresses(record),
    }
}

/// What cannot be read is handed on as it is: the check of certificates refuses it, where none at all would be taken for a service
/// that does not seal.
fn certificate(record: &ServiceRecord) -> Option<Vec<u8>> {
    let pem = record.pem_certificate.as_deref().map(str::trim)?;
    if pem.is_empty() {
        return None;
    }
    match Certificate::from_pem(pem.as_bytes()) {
        Ok(certificate) => Some(certificate.der().to_vec()),
        Err(error) => {
            tracing::warn!(%error, service = record.service.identifier, "a certificate of the registry cannot be read");
            Some(pem.as_bytes().to_vec())
        }
    }
}

/// What services need beside the certificate, by the names of the registry.
fn address(record: &ServiceRecord) -> BTreeMap<String, String> {
    let service = &record.service;
    let post = record.post.as_ref();
    let health = record.health.as_ref();
    let texts = [
        ("endpointUrl", service.endpoint_url.clone()),
        ("serviceCode", service.service_code.clone()),
        ("serviceEditionCode", service.service_edition_code.clone()),
        ("securityLevel", service.security_level.map(|level| level.to_string())),
        ("resource", service.resource.clone()),
        ("orgnrPostkasse", post.and_then(|post| post.orgnr_postkasse.clone())),
        ("postkasseAdresse", post.and_then(|post| post.postkasse_adresse.clone())),
        ("mobilnummer", post.and_then(|post| post.mobilnummer.clone())),
        ("epostAdresse", post.and_then(|post| post.epost_adresse.clone())),
        ("kanVarsles", post.map(|post| post.kan_varsles.to_string())),
        ("fysiskPost", post.map(|post| post.fysisk_post.to_string())),
        ("spraak", post.and_then(|post| post.spraak.clone())),
        ("herId", health.map(|health| health.her_id.to_string())),
    ];
    texts
        .into_iter()
        .filter_map(|(name, value)| Some((name.to_owned(), value.filter(|value| !value.is_empty())?)))
        .collect()
}

fn addresses(record: &ServiceRecord) -> Addresses {
    let Some(post) = &record.post else {
        return Addresses::default();
    };
    Addresses {
        post: post.post_address.as_ref().map(postal),
        back: post.return_address.as_ref().map(postal),
        digital: Some(DigitalAddress {
            supplier: post.orgnr_postkasse.clone(),
            address: post.postkasse_adresse.clone(),
        }),
    }
}

fn postal(address: &PostAddress) -> PostalAddress {
    PostalAddress {
        name: address.name.clone(),
        street: address.street.clone(),
        postal_code: address.postal_code.clone(),
        postal_area: address.postal_area.clone(),
        country: address.country.clone(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(answer: &Value) -> Found {
        super::read(answer.to_string().as_bytes()).unwrap()
    }

    fn post(members: &Value) -> Value {
        let mut record = json!({ "organisationNumber": "05839012391", "process": "p", "documentTypes": ["urn:x::print"],
            "service": { "identifier": "STRANGE", "endpointUrl": "https://x" } });
        record
            .as_object_mut()
            .unwrap()
            .extend(members.as_object().unwrap().clone());
        json!({ "infoRecord": { "identifier": "05839012391" }, "serviceRecords": [record] })
    }

    #[test]
    fn a_strange_service_and_a_strange_record_hide_nothing() {
        let found = read(
            &json!({ "infoRecord": { "identifier": "910076787", "new": 1 }, "serviceRecords": [
            { "service": { "identifier": "STRANGE", "new": {} }, "process": "p", "documentTypes": ["d"], "new": [] },
            { "service": 7 },
            { "service": { "identifier": null }, "process": null, "documentTypes": null },
        ], "new": null }),
        );
        assert_eq!(found.info["identifier"], "910076787");
        assert_eq!(found.raw.len(), 3);
        let services: Vec<&str> = found.capabilities.iter().map(|one| one.service.as_str()).collect();
        assert_eq!(services, ["STRANGE", "UNKNOWN"]);
        assert_eq!(found.records[1].0, 2);
    }

    #[test]
    fn a_record_without_a_certificate_is_read() {
        let found = read(&json!({ "infoRecord": {}, "serviceRecords": [
            { "pemCertificate": null, "service": { "identifier": "STRANGE", "resource": "r", "securityLevel": null } }] }));
        assert_eq!(found.capabilities[0].certificate, None);
        assert_eq!(
            found.capabilities[0].address,
            BTreeMap::from([("resource".to_owned(), "r".to_owned())])
        );
        assert!(found.capabilities[0].addresses.is_empty());
    }

    #[test]
    fn a_certificate_that_cannot_be_read_is_not_no_certificate() {
        let found = read(&json!({ "infoRecord": {}, "serviceRecords": [{ "pemCertificate": "abc" }] }));
        assert_eq!(found.capabilities[0].certificate.as_deref(), Some(&b"abc"[..]));
    }

    #[test]
    fn addresses_that_are_left_out_are_empty_and_null_is_none() {
        let found = read(&post(
            &json!({ "orgnrPostkasse": "987464291", "postkasseAdresse": "kari#1", "returnAddress": null }),
        ));
        let addresses = &found.capabilities[0].addresses;
        let empty = addresses.post.as_ref().unwrap();
        assert_eq!((empty.name.as_str(), empty.country.as_str()), ("", ""));
        assert!(addresses.back.is_none());
        assert_eq!(addresses.digital.as_ref().unwrap().address.as_deref(), Some("kari#1"));
        let found = read(&post(
            &json!({ "orgnrPostkasse": null, "postAddress": { "name": "Kari", "street": null } }),
        ));
        assert_eq!(found.capabilities[0].addresses.post.as_ref().unwrap().name, "Kari");
    }

    #[test]
    fn an_answer_is_about_whom_it_names() {
        let about =
            |info: Value, asked: &str| read(&json!({ "infoRecord": info, "serviceRecords": [] })).is_about(asked);
        for (named, asked, same) in [
            ("910076787", "910076787", true),
            ("0192:910076787", "910076787", true),
            ("910076787", "974720760", false),
            ("05839012391", "05839012391", true),
            ("17912099997", "05839012391", false),
            ("her-id:1234567", "her-id:1234567", true),
            ("her-id:1234567", "her-id:1234568", false),
            ("her-id:1234567", "fastlege-for:05839012391", true),
            ("fastlege-for:17912099997", "fastlege-for:05839012391", false),
            ("910076787", "fastlege-for:05839012391", false),
        ] {
            assert_eq!(about(json!({ "identifier": named }), asked), same, "{named} {asked}");
        }
        for (patient, same) in [
            (json!("05839012391"), true),
            (json!("17912099997"), false),
            (Value::Null, true),
        ] {
            let info = json!({ "identifier": "her-id:1234567", "patient": patient });
            assert_eq!(about(info, "fastlege-for:05839012391"), same);
        }
        assert!(about(json!({}), "910076787"));
    }

    #[test]
    fn what_is_no_receiver_is_not_a_receiver_that_takes_nothing() {
        for text in [
            "",
            "{}",
            "[]",
            "<html/>",
            r#"{"infoRecord":null}"#,
            r#"{"status":"ok 05839012391"}"#,
        ] {
            let error = super::read(text.as_bytes()).err().unwrap();
            assert!(matches!(error, RegistryError::Unusable(_)), "{text}");
            assert!(!error.to_string().contains("05839012391"));
        }
        assert!(
            read(&json!({ "infoRecord": {}, "serviceRecords": null }))
                .capabilities
                .is_empty()
        );
    }
}
