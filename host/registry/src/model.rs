//! The JSON of look-ups, written by the server and read by the client. Spec: service registry, 4.
//!
//! Writers give every member, with `null` for what is not known. Readers ignore what they do not know and can do without any
//! member: a strange service must not hide who the receiver is.

use serde::{Deserialize, Serialize};

/// The answer of `GET /identifier/…` and `GET /info/…`.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Lookup {
    /// Who the receiver is.
    pub info_record: InfoRecord,
    /// How it can be reached.
    #[serde(default)]
    pub service_records: Vec<ServiceRecord>,
}

/// Who a receiver is. Members that a kind of receiver never has are left out.
#[derive(Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct InfoRecord {
    /// Organisation number, person number, or `her-id:…`.
    #[serde(default)]
    pub identifier: String,
    /// Name of an organisation or unit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub organization_name: Option<String>,
    /// Where post to an organisation goes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub postadresse: Option<Postadresse>,
    /// What kind of receiver it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub entity_type: Option<EntityType>,
    /// The health unit above.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent_her_id: Option<u64>,
    /// The health unit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub her_id: Option<u64>,
    /// Name of the health unit above.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent_organization_name: Option<String>,
    /// Organisation of a health unit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub organization_number: Option<String>,
    /// Person number, when somebody's fastlege was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub patient: Option<String>,
}

/// `infoRecord.entityType`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EntityType {
    /// Organisasjonsform, `citizen`, `NorskHelsenett` or `FIKSIO`.
    pub name: String,
}

/// `infoRecord.postadresse`: what is not known is left out.
#[derive(Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Postadresse {
    /// Lines of the address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub adresse: Option<String>,
    /// Postnummer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub postnummer: Option<String>,
    /// Poststed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub poststed: Option<String>,
    /// Land.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub land: Option<String>,
}

/// How a receiver can be reached in one process over one service.
#[derive(Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ServiceRecord {
    /// The receiver, whatever it is.
    pub organisation_number: String,
    /// What messages are sealed to.
    pub pem_certificate: Option<String>,
    /// The process.
    pub process: String,
    /// Document types that go this way.
    pub document_types: Vec<String>,
    /// The service.
    pub service: Service,
    /// What post to a citizen needs; all members or none.
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    pub post: Option<Post>,
    /// What a dialogue with the health service needs; all members or none.
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    pub health: Option<Health>,
}

/// `service` of a record.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Service {
    /// Its name, such as those that adapters serve. Any text.
    pub identifier: String,
    /// Where it is; for a queue its suffix.
    pub endpoint_url: Option<String>,
    /// Altinn 2's code.
    pub service_code: Option<String>,
    /// Altinn 2's edition.
    pub service_edition_code: Option<String>,
    /// The level that the receiver is registered with.
    pub security_level: Option<u8>,
    /// Altinn 3's resource.
    pub resource: Option<String>,
}

/// Members of post to citizens.
#[derive(Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Post {
    /// Organisation number of the mailbox or print supplier. A record has all of these members when it has this one.
    #[serde(deserialize_with = "present")]
    pub orgnr_postkasse: Option<String>,
    /// The mailbox.
    #[serde(default)]
    pub postkasse_adresse: Option<String>,
    /// Mobile number.
    #[serde(default)]
    pub mobilnummer: Option<String>,
    /// Whether the person can be notified.
    #[serde(default)]
    pub kan_varsles: bool,
    /// E-mail.
    #[serde(default)]
    pub epost_adresse: Option<String>,
    /// True: it is printed.
    #[serde(default)]
    pub fysisk_post: bool,
    /// Language that the person prefers.
    #[serde(default)]
    pub spraak: Option<String>,
    /// Where the person lives. Read as five empty members where it is left out, as clients expect; `null` is none.
    #[serde(default = "empty_address")]
    pub post_address: Option<PostAddress>,
    /// Where letters go back to. Read as `post_address`.
    #[serde(default = "empty_address")]
    pub return_address: Option<PostAddress>,
}

/// A postal address.
#[derive(Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct PostAddress {
    /// Who lives there.
    pub name: String,
    /// Lines; `;` between them.
    pub street: String,
    /// Postnummer.
    pub postal_code: String,
    /// Poststed.
    pub postal_area: String,
    /// Country as text.
    pub country: String,
}

/// Members of the health service.
#[derive(Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Health {
    /// The unit.
    pub her_id: u64,
    /// Whose fastlege it is.
    #[serde(default)]
    pub patient: Option<Patient>,
}

/// A patient.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Patient {
    /// Person number.
    pub fnr: String,
    /// Given name.
    pub first_name: String,
    /// Middle name.
    #[serde(default)]
    pub middle_name: Option<String>,
    /// Family name.
    pub last_name: String,
}

/// Reads a member that must be there, also as `null`: with it, serde does not take a missing one for `None`.
fn present<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    Option::deserialize(deserializer)
}

#[allow(clippy::unnecessary_wraps, reason = "serde wants the type of the member")]
fn empty_address() -> Option<PostAddress> {
    Some(PostAddress::default())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn read(record: Value) -> ServiceRecord {
        serde_json::from_value(record).unwrap()
    }

    #[test]
    fn a_record_without_post_has_no_members_of_post() {
        let record =
            read(json!({ "organisationNumber": "910076787", "service": { "identifier": "STRANGE" }, "new": 1 }));
        assert!(record.post.is_none() && record.health.is_none());
        assert_eq!(record.service.identifier, "STRANGE");
        let written = serde_json::to_value(&record).unwrap();
        assert_eq!(
            written,
            json!({ "organisationNumber": "910076787", "pemCertificate": null, "process": "", "documentTypes": [],
                "service": { "identifier": "STRANGE", "endpointUrl": null, "serviceCode": null, "serviceEditionCode": null,
                    "securityLevel": null, "resource": null } })
        );
    }

    #[test]
    fn an_address_that_is_left_out_is_empty_and_null_is_none() {
        let post = read(json!({ "orgnrPostkasse": null, "postAddress": null }))
            .post
            .unwrap();
        assert!(post.post_address.is_none());
        assert!(post.return_address == Some(PostAddress::default()));
    }
}
