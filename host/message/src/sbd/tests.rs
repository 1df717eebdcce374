mod create;
mod files;
mod parse;
mod properties;
mod reply;
mod rules;

use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::*;
use crate::document_type::MessageTypes;
use crate::identifier::OrganisationNumber;

const MESSAGE: &str = "5d9a7c1e-3b60-4a55-8f0e-6a1f7d2b9c10";
const CONVERSATION: &str = "c2a4f3a0-0d5b-4c0b-9b53-1f0f5f3ad701";
const DAY: Duration = Duration::from_hours(24);

fn now() -> Timestamp {
    "2026-03-02T08:15:00Z".parse().unwrap()
}

fn own() -> OrganisationNumber {
    "991825827".parse().unwrap()
}

/// The example of the spec, which is right in every way.
fn letter() -> Value {
    json!({
        "standardBusinessDocumentHeader": {
            "headerVersion": "1.0",
            "sender": [{ "identifier": { "value": "0192:991825827", "authority": "iso6523-actorid-upis" } }],
            "receiver": [{ "identifier": { "value": "0192:910076787", "authority": "iso6523-actorid-upis" } }],
            "documentIdentification": {
                "standard": "urn:no:difi:arkivmelding:xsd::arkivmelding",
                "typeVersion": "2.0",
                "instanceIdentifier": MESSAGE,
                "type": "arkivmelding",
                "creationDateAndTime": "2026-03-02T09:15:00+01:00"
            },
            "businessScope": { "scope": [{
                "type": "ConversationId",
                "instanceIdentifier": CONVERSATION,
                "identifier": "urn:no:difi:profile:arkivmelding:administrasjon:ver1.0",
                "scopeInformation": [{ "expectedResponseDateTime": "2026-03-03T09:15:00+01:00" }]
            }] }
        },
        "arkivmelding": { "sikkerhetsnivaa": 3, "hoveddokument": "brev.pdf" }
    })
}

fn header(document: &mut Value) -> &mut Value {
    &mut document["standardBusinessDocumentHeader"]
}

fn identification(document: &mut Value) -> &mut Value {
    &mut header(document)["documentIdentification"]
}

fn scope(document: &mut Value) -> &mut Value {
    &mut header(document)["businessScope"]["scope"]
}

/// The example with the header's type, the document type and the body of another message type.
fn of_type(name: &str, body: Value) -> Value {
    let mut document = letter();
    identification(&mut document)["type"] = name.into();
    identification(&mut document)["standard"] = MessageTypes::standard().get(name).unwrap().standard.clone().into();
    document.as_object_mut().unwrap().remove("arkivmelding");
    document[name] = body;
    document
}

fn try_parse(document: &Value) -> Result<Sbd, SbdError> {
    Sbd::parse(document.to_string().as_bytes(), &MessageTypes::standard())
}

fn parse(document: &Value) -> Sbd {
    try_parse(document).unwrap()
}

fn written(sbd: &Sbd) -> Value {
    serde_json::from_slice(&sbd.to_json().unwrap()).unwrap()
}

/// The document after its header has been written by hand and read back.
fn header_text(document: &Value) -> String {
    document["standardBusinessDocumentHeader"].to_string()
}
