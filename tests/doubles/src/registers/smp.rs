//! ELMA, a Peppol SMP in the form of Busdox (Spec: service registry, 6.2). Its metadata is not signed.

use std::fmt::Write as _;
use std::sync::Arc;

use axum::Router;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;

use crate::server::House;

const PARTICIPANT: &str = "iso6523-actorid-upis::0192:";
const DOCUMENT_TYPE: &str = "busdox-docid-qns::";
/// A process that every registration also has in this register, before the others.
const OTHER: &str = "urn:fdc:peppol.eu:2017:poacc:billing:01:1.0";

pub(super) fn router() -> Router<Arc<House>> {
    Router::new()
        .route("/smp/{participant}", get(group))
        .route("/smp/{participant}/services/{document_type}", get(metadata))
}

async fn group(State(house): State<Arc<House>>, Path(participant): Path<String>) -> Response {
    let known = house.registers.known();
    let registrations = participant
        .strip_prefix(PARTICIPANT)
        .and_then(|number| known.registrations.get(number));
    let Some(registrations) = registrations else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let base = format!("http://smp.example.no/{}/services/", encoded(&participant));
    let references = registrations.keys().fold(String::new(), |mut text, document_type| {
        let name = encoded(&format!("{DOCUMENT_TYPE}{document_type}"));
        let _ = write!(text, "<ns3:ServiceMetadataReference href=\"{base}{name}\"/>");
        text
    });
    xml(&format!(
        "<ns3:ServiceGroup xmlns:ns2=\"http://busdox.org/transport/identifiers/1.0/\" \
         xmlns:ns3=\"http://busdox.org/serviceMetadata/publishing/1.0/\">\
         <ns2:ParticipantIdentifier scheme=\"iso6523-actorid-upis\">{}</ns2:ParticipantIdentifier>\
         <ns3:ServiceMetadataReferenceCollection>{references}</ns3:ServiceMetadataReferenceCollection></ns3:ServiceGroup>",
        identifier(&participant),
    ))
}

async fn metadata(
    State(house): State<Arc<House>>,
    Path((participant, document_type)): Path<(String, String)>,
) -> Response {
    let known = house.registers.known();
    let processes = participant
        .strip_prefix(PARTICIPANT)
        .and_then(|number| known.registrations.get(number))
        .and_then(|registrations| registrations.get(document_type.strip_prefix(DOCUMENT_TYPE)?));
    let Some(processes) = processes else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let all = std::iter::once(OTHER).chain(processes.iter().map(String::as_str));
    let list = all.fold(String::new(), |mut text, process| {
        let _ = write!(
            text,
            "<ns3:Process><ns2:ProcessIdentifier scheme=\"cenbii-procid-ubl\">{process}</ns2:ProcessIdentifier>\
             <ns3:ServiceEndpointList/></ns3:Process>",
        );
        text
    });
    xml(&format!(
        "<ns3:SignedServiceMetadata xmlns:ns2=\"http://busdox.org/transport/identifiers/1.0/\" \
         xmlns:ns3=\"http://busdox.org/serviceMetadata/publishing/1.0/\"><ns3:ServiceMetadata><ns3:ServiceInformation>\
         <ns2:ParticipantIdentifier scheme=\"iso6523-actorid-upis\">{}</ns2:ParticipantIdentifier>\
         <ns2:DocumentIdentifier scheme=\"busdox-docid-qns\">{}</ns2:DocumentIdentifier>\
         <ns3:ProcessList>{list}</ns3:ProcessList></ns3:ServiceInformation></ns3:ServiceMetadata></ns3:SignedServiceMetadata>",
        identifier(&participant),
        identifier(&document_type),
    ))
}

/// What is behind the first `::`.
fn identifier(name: &str) -> &str {
    name.split_once("::").map_or(name, |(_, identifier)| identifier)
}

/// As Java's `URLEncoder` does it.
fn encoded(text: &str) -> String {
    text.replace(':', "%3A").replace('/', "%2F").replace('#', "%23")
}

fn xml(text: &str) -> Response {
    let text = format!("<?xml version=\"1.0\" encoding=\"UTF-8\" standalone=\"yes\"?>\n{text}");
    ([(CONTENT_TYPE, "application/xml")], text).into_response()
}
