//! ELMA, a Peppol SMP: what an organisation is registered to receive. Spec: service registry, 5.1 and 6.2.
//!
//! First the service group of the participant, which lists document types; then the metadata of those that matter. The locator
//! of the settings is asked and no other place: links in an answer are read for the document type in them and never followed.
//!
//! The XML signature of the metadata is not verified. It comes with its own certificate, which nobody checks the trust of, so that
//! it says nothing about who made it; TLS to the locator does. For that the answer is held against the question: participant and
//! document type must be those that were asked for.

use std::collections::BTreeMap;

use async_trait::async_trait;
use budstikke_message::identifier::{DocumentType, OrganisationNumber, ProcessId};
use percent_encoding::percent_decode_str;
use reqwest::StatusCode;
use roxmltree::Node;

use super::open::OpenError;
use super::settings::{Elma as Settings, Pace};
use super::wire::Wire;
use super::xml::{self, children, text};
use super::{RegisterError, Registered, Registrations};

/// Its name in errors.
pub(super) const NAME: &str = "ELMA";
const PARTICIPANT_SCHEME: &str = "iso6523-actorid-upis";

/// The client.
pub(super) struct Elma {
    wire: Wire,
    icd: String,
}

impl Elma {
    pub(super) fn new(settings: &Settings, pace: &Pace) -> Result<Self, OpenError> {
        Ok(Self {
            wire: Wire::new(NAME, &settings.url, pace)?.quoting(),
            icd: settings.icd.clone(),
        })
    }
}

#[async_trait]
impl Registrations for Elma {
    async fn by_document_type(
        &self,
        number: &OrganisationNumber,
        document_types: &[DocumentType],
    ) -> Result<Registered, RegisterError> {
        let value = format!("{}:{number}", self.icd);
        let participant = format!("{PARTICIPANT_SCHEME}::{value}");
        let mut all = Registered::new();
        let request = self.wire.get(&[&participant]);
        let Some(group) = self.wire.find(request, &[StatusCode::NOT_FOUND]).await? else {
            return Ok(all);
        };
        let listed = listed(&group).map_err(|detail| self.wire.unusable(detail))?;
        for wanted in document_types {
            let Some(scheme) = listed.get(wanted.as_str()) else {
                continue;
            };
            let name = format!("{scheme}::{wanted}");
            let request = self.wire.get(&[&participant, "services", &name]);
            // Listed a moment ago and taken away since: not registered with it.
            if let Some(metadata) = self.wire.find(request, &[StatusCode::NOT_FOUND]).await? {
                let found = registered(&metadata, &value, wanted.as_str());
                let found = found.map_err(|detail| self.wire.unusable(detail))?;
                if !found.is_empty() {
                    all.insert(wanted.clone(), found.into_iter().collect());
                }
            }
        }
        Ok(all)
    }
}

/// The document types of a service group, each with its scheme.
fn listed(group: &[u8]) -> Result<BTreeMap<String, String>, String> {
    xml::read(group, |root| {
        if root.tag_name().name() != "ServiceGroup" {
            return Err("it is no ServiceGroup".to_owned());
        }
        let references = root
            .descendants()
            .filter(|node| node.tag_name().name() == "ServiceMetadataReference");
        references
            .map(|reference| {
                let link = reference.attribute("href").unwrap_or_default();
                // An unreadable reference may be the one that matters: leaving it out would change the route.
                let (_, name) = link
                    .split_once("/services/")
                    .ok_or("a ServiceMetadataReference has no href with /services/ in it")?;
                let name = percent_decode_str(name)
                    .decode_utf8()
                    .map_err(|_| "the href of a ServiceMetadataReference is not UTF-8")?;
                let (scheme, identifier) = name
                    .split_once("::")
                    .ok_or("the href of a ServiceMetadataReference names no document type")?;
                Ok((identifier.to_owned(), scheme.to_owned()))
            })
            .collect()
    })
}

/// The first process identifier of every process element.
fn registered(metadata: &[u8], participant: &str, document_type: &str) -> Result<Vec<ProcessId>, String> {
    xml::read(metadata, |root| {
        let service = match root.tag_name().name() {
            "ServiceMetadata" => Some(root),
            "SignedServiceMetadata" => children(root, "ServiceMetadata").next(),
            _ => None,
        };
        let service = service.ok_or("it is no ServiceMetadata")?;
        let information = children(service, "ServiceInformation")
            .next()
            .ok_or("ServiceMetadata has no ServiceInformation, or points to another SMP")?;
        for (name, expected) in [
            ("ParticipantIdentifier", participant),
            ("DocumentIdentifier", document_type),
        ] {
            if children(information, name).next().and_then(text) != Some(expected) {
                return Err(format!("{name} is not the one that was asked for"));
            }
        }
        let lists = children(information, "ProcessList");
        let processes = lists.flat_map(|list| children(list, "Process"));
        Ok(processes.filter_map(process).collect())
    })
}

/// A name that is not one of ours cannot be one of those that are looked for.
fn process(process: Node<'_, '_>) -> Option<ProcessId> {
    children(process, "ProcessIdentifier")
        .next()
        .and_then(text)?
        .parse()
        .ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const GROUP: &str = r#"<smp:ServiceGroup xmlns:smp="http://busdox.org/serviceMetadata/publishing/1.0/">
        <smp:ServiceMetadataReferenceCollection>
          <smp:ServiceMetadataReference href="http://smp.example.no/iso6523-actorid-upis%3A%3A0192%3A910076787/services/busdox-docid-qns%3A%3Aurn%3Ano%3Adifi%3Aarkivmelding%3Axsd%3A%3Aarkivmelding"/>
        </smp:ServiceMetadataReferenceCollection></smp:ServiceGroup>"#;

    #[test]
    fn the_document_type_is_behind_the_first_double_colon_of_a_reference() {
        let listed = listed(GROUP.as_bytes()).unwrap();
        let expected = (
            "urn:no:difi:arkivmelding:xsd::arkivmelding".to_owned(),
            "busdox-docid-qns".to_owned(),
        );
        assert_eq!(listed.into_iter().collect::<Vec<_>>(), [expected]);
    }

    #[test]
    fn a_group_that_cannot_be_read_whole_is_not_an_empty_one() {
        for group in [
            "",
            "<html/>",
            "<ServiceGroup>",
            "<!DOCTYPE a><ServiceGroup/>",
            "<ServiceGroup><ServiceMetadataReference/></ServiceGroup>",
            r#"<ServiceGroup><ServiceMetadataReference href="x/services/y"/></ServiceGroup>"#,
            r#"<ServiceGroup><ServiceMetadataReference href="x/services/a%3A%3A%FF"/></ServiceGroup>"#,
        ] {
            assert!(listed(group.as_bytes()).is_err(), "{group}");
        }
        assert_eq!(listed(b"<ServiceGroup/>"), Ok(BTreeMap::new()));
    }

    fn metadata(participant: &str, document_type: &str, processes: &str) -> String {
        format!(
            "<s:SignedServiceMetadata xmlns:s='s' xmlns:i='i'><s:ServiceMetadata><s:ServiceInformation>
               <i:ParticipantIdentifier scheme='iso6523-actorid-upis'>{participant}</i:ParticipantIdentifier>
               <i:DocumentIdentifier scheme='busdox-docid-qns'> {document_type}
               </i:DocumentIdentifier><s:ProcessList>{processes}</s:ProcessList>
             </s:ServiceInformation></s:ServiceMetadata><Signature/></s:SignedServiceMetadata>"
        )
    }

    #[test]
    fn the_first_identifier_of_every_process_counts() {
        let processes = "<s:Process><i:ProcessIdentifier scheme='x'>urn:a</i:ProcessIdentifier>
            <i:ProcessIdentifier>urn:never</i:ProcessIdentifier></s:Process>
            <s:Process><i:ProcessIdentifier>urn:b</i:ProcessIdentifier></s:Process><s:Process/>";
        let found = registered(metadata("0192:1", "d", processes).as_bytes(), "0192:1", "d").unwrap();
        assert_eq!(found, ["urn:a".parse().unwrap(), "urn:b".parse().unwrap()]);
    }

    #[test]
    fn metadata_of_somebody_or_something_else_is_not_used() {
        let metadata = metadata("0192:1", "d", "");
        let found = |participant, document_type| registered(metadata.as_bytes(), participant, document_type);
        assert_eq!(found("0192:1", "d"), Ok(Vec::new()));
        assert!(found("0192:2", "d").unwrap_err().contains("ParticipantIdentifier"));
        assert!(found("0192:1", "e").unwrap_err().contains("DocumentIdentifier"));
        let moved = "<ServiceMetadata><Redirect href='https://elsewhere.example'/></ServiceMetadata>";
        assert!(
            registered(moved.as_bytes(), "0192:1", "d")
                .unwrap_err()
                .contains("another SMP")
        );
    }
}
