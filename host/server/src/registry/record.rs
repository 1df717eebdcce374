//! What the registry knows of a receiver, in the JSON of eFormidling's own registry. Spec: service registry, 4.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use budstikke_message::body::PostalAddress;
use budstikke_message::identifier::Identifier;
use serde::Serialize;
use serde_json::{Map, Value, json};
use utoipa::ToSchema;

use super::Capability;

/// Characters of a line of PEM.
const PEM_LINE: usize = 64;

/// Everything about one receiver. Without `Debug`: it can say where a person lives.
#[derive(Clone, PartialEq)]
pub struct Record {
    /// Who it is: `infoRecord`.
    pub info: Value,
    /// The best of the service records.
    pub primary: Value,
    /// All of them, best first.
    pub all: Vec<Value>,
}

/// `infoRecord`: what is not known is left out.
pub(super) fn info(identifier: &str, name: Option<&str>, address: Option<&PostalAddress>) -> Value {
    let mut info = Map::new();
    info.insert("identifier".into(), identifier.into());
    if let Some(name) = name {
        info.insert("organizationName".into(), name.into());
    }
    let entity = match Identifier::parse_any(identifier) {
        Ok(Identifier::Person(_)) => Some("citizen"),
        Ok(Identifier::Nhn(_)) => Some("NorskHelsenett"),
        _ => None,
    };
    if let Some(entity) = entity {
        info.insert("entityType".into(), json!({ "name": entity }));
    }
    if let Some(address) = address {
        let members = [
            ("adresse", &address.street),
            ("postnummer", &address.postal_code),
            ("poststed", &address.postal_area),
            ("land", &address.country),
        ];
        let known = members.into_iter().filter(|(_, value)| !value.is_empty());
        let known: Map<String, Value> = known
            .map(|(name, value)| (name.into(), value.as_str().into()))
            .collect();
        info.insert("postadresse".into(), known.into());
    }
    Value::Object(info)
}

/// One of `serviceRecords`: what is not known is `null`. The members of post to citizens are there when there is an address.
pub(super) fn service(identifier: &str, capability: &Capability, security_level: Option<u8>) -> Value {
    let known = |name: &str| capability.address.get(name);
    let mut record = json!({
        "organisationNumber": identifier,
        "pemCertificate": capability.certificate.as_deref().map(pem),
        "process": capability.process,
        "documentTypes": capability.document_types,
        "service": {
            "identifier": capability.service,
            "endpointUrl": known("endpointUrl"),
            "serviceCode": known("serviceCode"),
            "serviceEditionCode": known("serviceEditionCode"),
            "securityLevel": security_level,
            "resource": known("resource"),
        },
    });
    let addresses = &capability.addresses;
    if addresses.is_empty() {
        return record;
    }
    let digital = addresses.digital.as_ref();
    let post = json!({
        "orgnrPostkasse": digital.and_then(|digital| digital.supplier.as_ref()),
        "postkasseAdresse": digital.and_then(|digital| digital.address.as_ref()),
        "mobilnummer": known("mobilnummer"),
        "kanVarsles": known("kanVarsles").is_some_and(|value| value == "true"),
        "epostAdresse": known("epostAdresse"),
        "fysiskPost": digital.is_none(),
        "spraak": known("spraak"),
        "postAddress": addresses.post.clone().map(WrittenAddress::from),
        "returnAddress": addresses.back.clone().map(WrittenAddress::from),
    });
    if let (Value::Object(record), Value::Object(post)) = (&mut record, post) {
        record.extend(post);
    }
    record
}

/// A postal address in the registry's JSON.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = RegisteredAddress)]
pub struct WrittenAddress {
    /// Who lives there.
    name: String,
    /// The lines of the address, with `;` between them.
    street: String,
    /// Postnummer.
    postal_code: String,
    /// Poststed.
    postal_area: String,
    /// As text.
    country: String,
}

impl From<PostalAddress> for WrittenAddress {
    fn from(address: PostalAddress) -> Self {
        Self {
            name: address.name,
            street: address.street,
            postal_code: address.postal_code,
            postal_area: address.postal_area,
            country: address.country,
        }
    }
}

fn pem(der: &[u8]) -> String {
    let base64 = STANDARD.encode(der);
    let mut text = String::from("-----BEGIN CERTIFICATE-----\n");
    let mut rest = base64.as_str();
    while let Some((line, more)) = rest.split_at_checked(PEM_LINE) {
        text.push_str(line);
        text.push('\n');
        rest = more;
    }
    if !rest.is_empty() {
        text.push_str(rest);
        text.push('\n');
    }
    text.push_str("-----END CERTIFICATE-----\n");
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::registry::{Addresses, DigitalAddress};

    fn capability() -> Capability {
        Capability {
            process: "urn:p".into(),
            service: "POST".into(),
            document_types: vec!["urn:x::brev".into()],
            ..Capability::default()
        }
    }

    #[test]
    fn an_organisation_without_a_certificate_has_null_for_it() {
        assert_eq!(
            service("910076787", &capability(), None),
            json!({ "organisationNumber": "910076787", "pemCertificate": null, "process": "urn:p",
                "documentTypes": ["urn:x::brev"],
                "service": { "identifier": "POST", "endpointUrl": null, "serviceCode": null, "serviceEditionCode": null,
                    "securityLevel": null, "resource": null } })
        );
        assert_eq!(
            info("910076787", Some("Eksempeletaten"), None),
            json!({ "identifier": "910076787", "organizationName": "Eksempeletaten" })
        );
    }

    #[test]
    fn a_citizen_has_a_mailbox_or_an_address() {
        let mut row = capability();
        row.addresses = Addresses {
            digital: Some(DigitalAddress {
                supplier: Some("987464291".into()),
                address: Some("kari.nordmann#ABCD".into()),
            }),
            ..Addresses::default()
        };
        row.address.insert("spraak".into(), "nb".into());
        let record = service("17912099997", &row, Some(4));
        assert_eq!(record["orgnrPostkasse"], "987464291");
        assert_eq!(record["postkasseAdresse"], "kari.nordmann#ABCD");
        assert_eq!(record["fysiskPost"], false);
        assert_eq!(record["spraak"], "nb");
        assert_eq!(record["postAddress"], Value::Null);
        assert_eq!(record["service"]["securityLevel"], 4);
        assert_eq!(
            info("17912099997", None, None)["entityType"],
            json!({ "name": "citizen" })
        );
    }

    #[test]
    fn a_certificate_is_written_as_pem() {
        assert_eq!(
            pem(&[0; 49]),
            format!(
                "-----BEGIN CERTIFICATE-----\n{}\nAA==\n-----END CERTIFICATE-----\n",
                "A".repeat(64)
            )
        );
        assert_eq!(
            pem(&[0; 48]),
            format!(
                "-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n",
                "A".repeat(64)
            )
        );
    }
}
