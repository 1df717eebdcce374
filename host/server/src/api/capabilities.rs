//! What a receiver takes. Spec: messaging API, 4.

use std::sync::Arc;

use axum::extract::{Path, State};
use budstikke_message::document_type::MessageTypes;
use budstikke_message::identifier::{DocumentType, Identifier};
use serde::Serialize;

use super::create::unreachable_registry;
use super::error::{ApiError, ApiResult, kind, shortened};
use super::json;
use super::params::Params;
use crate::node::Node;
use crate::registry::{Capability, RegistryError};

#[derive(Serialize)]
struct Answer {
    capabilities: Vec<Written>,
}

#[derive(Serialize, Debug, PartialEq)]
#[serde(rename_all = "camelCase")]
struct Written {
    process: String,
    service_identifier: String,
    document_types: Vec<WrittenType>,
}

#[derive(Serialize, Debug, PartialEq)]
struct WrittenType {
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    kind: Option<String>,
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
        document_types: document_types.collect(),
    }
}

/// `GET /api/capabilities/{receiverIdentifier}`
pub(super) async fn get(State(node): State<Arc<Node>>, Path(receiver): Path<String>, params: Params) -> ApiResult {
    params.refuse_near_misses(&["securityLevel", "process"])?;
    let level = params.number::<u8>("securityLevel")?;
    let process = params.filter("process")?;
    // Full identifiers do as well.
    let bare = Identifier::parse_any(&receiver).map_or(receiver.clone(), |parsed| parsed.primary().to_owned());
    match node.registry.capabilities(&bare, process.as_deref(), level).await {
        Ok(found) => {
            let capabilities = found
                .into_iter()
                .map(|capability| written(&node.types, capability))
                .collect();
            json(&Answer { capabilities })
        }
        Err(error @ RegistryError::Unreachable(_)) => Err(unreachable_registry(&error)),
        Err(refusal) => {
            let text = format!(
                "Nothing is known for the identifier {}: {refusal}.",
                shortened(&receiver)
            );
            Err(ApiError::new(kind::IDENTIFIER_NOT_FOUND, text))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
            certificate: None,
            address: std::collections::BTreeMap::default(),
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
