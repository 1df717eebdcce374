//! What a receiver takes. Spec: messaging API, 4.

use std::sync::Arc;

use axum::extract::{Path, State};
use budstikke_message::document_type::MessageTypes;
use budstikke_message::identifier::{DocumentType, Identifier, without_person_numbers};
use http::StatusCode;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use super::bare;
use super::create::registry_fault;
use super::description::query::{Filter, Form, filter, query};
use super::description::refusals::refusals;
use super::error::{ApiError, ApiResult, kind, shortened};
use super::params::Params;
use crate::node::Node;
use crate::registry::{Capability, DigitalAddress, Question, WrittenAddress};

const FILTERS: &[Filter] = &[
    filter("securityLevel", Form::Number, "At this security level only, such as 3."),
    filter("process", Form::Text, "In this process only."),
];

query! { GetQuery: FILTERS; }

refusals! {
    GetRefusals: &[kind::IDENTIFIER_NOT_FOUND, kind::NO_SUCH_PATH, kind::REGISTRY_UNREACHABLE];
}

/// What a receiver takes.
#[derive(Serialize, ToSchema)]
#[schema(as = Capabilities)]
struct Answer {
    capabilities: Vec<Written>,
}

/// What a receiver takes in one process over one message service.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Capability)]
struct Written {
    process: String,
    /// Message service.
    service_identifier: String,
    /// Where the receiver lives; absent when the registry does not say.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    post_address: Option<WrittenAddress>,
    /// Where post goes back to; absent when the registry does not say.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    return_address: Option<WrittenAddress>,
    document_types: Vec<WrittenType>,
    /// The digital mailbox; absent when the registry does not say.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    digital_post_address: Option<WrittenMailbox>,
}

/// Everything that the registry knows of a receiver, in the registry's own JSON. More members are possible.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = ServiceRecord)]
struct WrittenRecord {
    /// Who the receiver is: `identifier`, `organizationName`, `entityType`.
    #[schema(value_type = Object)]
    info_record: Value,
    /// The best of `serviceRecords`.
    #[schema(value_type = Object)]
    service_record: Value,
    /// One for each process and service: `organisationNumber`, `pemCertificate`, `process`, `documentTypes`, `service` …
    #[schema(value_type = Vec<Object>)]
    service_records: Vec<Value>,
}

refusals! {
    RecordRefusals: &[kind::REGISTRY_UNREACHABLE, kind::INTERNAL];
}

/// A digital mailbox.
#[derive(Serialize, ToSchema)]
#[schema(as = DigitalPostAddress)]
struct WrittenMailbox {
    /// Organisation number of the mailbox supplier; absent when the registry does not say.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    supplier: Option<String>,
    /// The mailbox; absent when there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    address: Option<String>,
}

/// A document type.
#[derive(Serialize, ToSchema)]
#[schema(as = DocumentType)]
struct WrittenType {
    /// The message type; absent when it is not known here.
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    kind: Option<String>,
    /// What documentIdentification.standard must be.
    standard: String,
}

fn written(types: &MessageTypes, capability: Capability) -> Written {
    let document_types = capability.document_types.into_iter().map(|standard| {
        let parsed = standard.parse::<DocumentType>().ok();
        let kind = parsed.and_then(|parsed| types.of_document_type(&parsed).map(|row| row.name.to_string()));
        WrittenType { kind, standard }
    });
    Written {
        process: capability.process,
        service_identifier: capability.service,
        post_address: capability.addresses.post.map(WrittenAddress::from),
        return_address: capability.addresses.back.map(WrittenAddress::from),
        document_types: document_types.collect(),
        digital_post_address: capability
            .addresses
            .digital
            .map(|DigitalAddress { supplier, address }| WrittenMailbox { supplier, address }),
    }
}

/// What a receiver can take
///
/// Which processes and document types, and over which message service each would go.
#[utoipa::path(get, path = "/api/capabilities/{receiverIdentifier}", operation_id = "getCapabilities", tag = "capabilities",
    params(("receiverIdentifier" = String, Path, description = "Organisation or person number, such as 910076787."), GetQuery),
    responses((status = 200, description = "What it takes.", body = Answer), GetRefusals))]
pub(super) async fn get(State(node): State<Arc<Node>>, Path(receiver): Path<String>, params: Params) -> ApiResult {
    params.refuse_near_misses(FILTERS)?;
    let level = params.number::<u8>("securityLevel")?;
    let process = params.filter("process")?;
    // Full identifiers do as well.
    let bare = Identifier::parse_any(&receiver).map_or(receiver.clone(), |parsed| parsed.primary().to_owned());
    let question = Question {
        process: process.as_deref(),
        security_level: level,
        ..Question::about(&bare)
    };
    match node.registry.capabilities(question).await {
        Ok(found) => {
            let capabilities = found
                .capabilities
                .into_iter()
                .map(|capability| written(&node.types, capability))
                .collect();
            super::json(&Answer { capabilities })
        }
        Err(error) if error.is_fault_about(question) => Err(registry_fault(&error)),
        Err(refusal) => {
            let asked = without_person_numbers(&shortened(&receiver));
            let text = format!("Nothing is known for the identifier {asked}: {refusal}.");
            Err(ApiError::new(kind::IDENTIFIER_NOT_FOUND, text))
        }
    }
}

/// The registry's record of a receiver
///
/// In the registry's own JSON. Organisation or person number; full identifiers do as well.
// Spec: messaging API, 2; service registry, 8.8.
#[utoipa::path(get, path = "/servicerecord/{identifier}", operation_id = "getServiceRecord", tag = "capabilities",
    params(("identifier" = String, Path, description = "Organisation or person number of the receiver.")),
    responses((status = 200, description = "The record.", body = WrittenRecord),
        (status = 404, description = "The registry does not know the receiver. Without a body."), RecordRefusals))]
pub(super) async fn record(State(node): State<Arc<Node>>, Path(receiver): Path<String>) -> ApiResult {
    let bare_number = Identifier::parse_any(&receiver).map_or(receiver.clone(), |parsed| parsed.primary().to_owned());
    match node.registry.record(&bare_number).await {
        Ok(record) => super::json(&WrittenRecord {
            info_record: record.info,
            service_record: record.primary,
            service_records: record.all,
        }),
        Err(error) if error.is_fault() => Err(registry_fault(&error)),
        Err(_) => Ok(bare(StatusCode::NOT_FOUND)),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::registry::{Addresses, DigitalAddress};

    #[test]
    fn addresses_stand_where_the_registry_gives_them() {
        let capability = Capability {
            process: "urn:p".into(),
            service: "POST".into(),
            addresses: Addresses {
                post: Some(budstikke_message::body::PostalAddress {
                    name: "Kari".into(),
                    street: "C/O X;Gata 1".into(),
                    postal_code: "0001".into(),
                    postal_area: "Oslo".into(),
                    country: String::new(),
                }),
                back: None,
                digital: Some(DigitalAddress {
                    supplier: Some("987464291".into()),
                    address: Some("kari.nordmann#ABCD".into()),
                }),
            },
            ..Capability::default()
        };
        assert_eq!(
            serde_json::to_value(written(&MessageTypes::standard(), capability)).unwrap(),
            json!({ "process": "urn:p", "serviceIdentifier": "POST", "documentTypes": [],
                "postAddress": { "name": "Kari", "street": "C/O X;Gata 1", "postalCode": "0001", "postalArea": "Oslo",
                    "country": "" },
                "digitalPostAddress": { "supplier": "987464291", "address": "kari.nordmann#ABCD" } })
        );
    }

    #[test]
    fn the_type_of_a_document_type_is_told_when_it_is_known() {
        let capability = Capability {
            process: "urn:p".into(),
            service: "POST".into(),
            document_types: vec![
                "urn:no:difi:arkivmelding:xsd::arkivmelding".into(),
                "plain".into(),
                "urn:x::other".into(),
            ],
            ..Capability::default()
        };
        assert_eq!(
            serde_json::to_value(written(&MessageTypes::standard(), capability)).unwrap(),
            serde_json::json!({ "process": "urn:p", "serviceIdentifier": "POST", "documentTypes": [
                { "type": "arkivmelding", "standard": "urn:no:difi:arkivmelding:xsd::arkivmelding" },
                { "standard": "plain" },
                { "standard": "urn:x::other" },
            ] })
        );
    }
}
