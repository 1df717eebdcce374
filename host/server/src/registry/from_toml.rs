//! A registry that is the operator's own list.

use std::collections::HashMap;
use std::path::PathBuf;

use anyhow::Context as _;
use async_trait::async_trait;
use budstikke_message::body::PostalAddress;
use budstikke_message::x509::Certificate;
use serde_json::Value;

use super::{Addresses, Answer, Capability, DigitalAddress, Question, Record, Registry, RegistryError, Source, record};
use crate::config;

/// `[registry]`
pub struct TomlRegistry {
    receivers: HashMap<String, Receiver>,
    without_receiver: Vec<Capability>,
}

#[derive(Default)]
struct Receiver {
    name: Option<String>,
    listed: Vec<Listed>,
}

struct Listed {
    capability: Capability,
    security_levels: Vec<u8>,
}

impl TomlRegistry {
    /// Reads the certificates that the list names.
    pub fn new(list: &config::Registry) -> anyhow::Result<Self> {
        let mut receivers: HashMap<String, Receiver> = HashMap::new();
        for receiver in &list.receivers {
            let entry = receivers.entry(receiver.identifier.clone()).or_default();
            if receiver.name.is_some() {
                entry.name.clone_from(&receiver.name);
            }
            for capability in &receiver.capabilities {
                let listed = Capability {
                    service: capability.service.clone(),
                    document_types: capability.document_types.clone(),
                    certificate: certificate(capability.certificate.as_ref())?,
                    address: capability.address.clone(),
                    addresses: addresses(capability),
                    process: String::new(),
                };
                entry.listed.extend(capability.processes.iter().map(|process| Listed {
                    capability: in_process(&listed, process),
                    security_levels: capability.security_levels.clone(),
                }));
            }
        }
        let mut without_receiver = Vec::new();
        for row in &list.without_receiver {
            let listed = Capability {
                service: row.service.clone(),
                document_types: row.document_types.clone(),
                certificate: certificate(row.certificate.as_ref())?,
                address: row.address.clone(),
                ..Capability::default()
            };
            without_receiver.extend(row.processes.iter().map(|process| in_process(&listed, process)));
        }
        Ok(Self {
            receivers,
            without_receiver,
        })
    }

    /// Whether a receiver stands in the list.
    pub fn knows(&self, identifier: &str) -> bool {
        self.receivers.contains_key(identifier)
    }

    fn receiver(&self, identifier: &str) -> Result<&Receiver, RegistryError> {
        self.receivers
            .get(identifier)
            .ok_or(RegistryError::UnknownReceiver(None))
    }
}

fn own(capabilities: Vec<Capability>) -> Answer {
    Answer {
        capabilities,
        source: Source::OwnList,
    }
}

fn in_process(capability: &Capability, process: &str) -> Capability {
    Capability {
        process: process.to_owned(),
        ..capability.clone()
    }
}

fn certificate(path: Option<&PathBuf>) -> anyhow::Result<Option<Vec<u8>>> {
    let Some(path) = path else { return Ok(None) };
    let text = std::fs::read(path).with_context(|| path.display().to_string())?;
    let certificate = Certificate::from_pem(&text).with_context(|| path.display().to_string())?;
    Ok(Some(certificate.der().to_vec()))
}

fn addresses(given: &config::Capability) -> Addresses {
    let postal = |address: &config::PostalAddress| PostalAddress {
        name: address.name.clone(),
        street: address.street.clone(),
        postal_code: address.postal_code.clone(),
        postal_area: address.postal_area.clone(),
        country: address.country.clone(),
    };
    Addresses {
        post: given.post_address.as_ref().map(postal),
        back: given.return_address.as_ref().map(postal),
        digital: given.digital_post_address.as_ref().map(|mailbox| DigitalAddress {
            supplier: Some(mailbox.supplier.clone()),
            address: Some(mailbox.address.clone()),
        }),
    }
}

#[async_trait]
impl Registry for TomlRegistry {
    async fn capabilities(&self, question: Question<'_>) -> Result<Answer, RegistryError> {
        let Question {
            process,
            security_level,
            ..
        } = question;
        let found: Vec<Capability> = self
            .receiver(question.receiver)?
            .listed
            .iter()
            .filter(|listed| process.is_none_or(|process| listed.capability.process == process))
            .filter(|listed| {
                listed.security_levels.is_empty()
                    || security_level.is_none_or(|level| listed.security_levels.contains(&level))
            })
            .map(|listed| listed.capability.clone())
            .collect();
        if found.is_empty() {
            return Err(RegistryError::NotAccepted {
                process: process.unwrap_or("any").to_owned(),
                level: security_level,
            });
        }
        Ok(own(found))
    }

    async fn without_receiver(&self, process: &str) -> Result<Answer, RegistryError> {
        let rows = self.without_receiver.iter().filter(|row| row.process == process);
        let found: Vec<Capability> = rows.cloned().collect();
        if found.is_empty() {
            return Err(RegistryError::NeedsReceiver(process.to_owned()));
        }
        Ok(Answer {
            capabilities: found,
            source: Source::WithoutReceiver,
        })
    }

    /// The list has an order of preference, so its first record is the primary one.
    async fn record(&self, receiver: &str) -> Result<Record, RegistryError> {
        let found = self.receiver(receiver)?;
        let all: Vec<_> = found
            .listed
            .iter()
            .map(|listed| {
                let level = match *listed.security_levels.as_slice() {
                    [only] => Some(only),
                    _ => None,
                };
                record::service(receiver, &listed.capability, level)
            })
            .collect();
        let primary = all.first().cloned();
        Ok(Record {
            info: record::info(receiver, found.name.as_deref(), None),
            primary: primary.ok_or(RegistryError::UnknownReceiver(None))?,
            all,
        })
    }

    /// Its address is the first one that a row of it has.
    async fn info(&self, receiver: &str) -> Result<Value, RegistryError> {
        let found = self.receiver(receiver)?;
        let mut addresses = found.listed.iter().map(|listed| &listed.capability.addresses.post);
        let address = addresses.find_map(Option::as_ref);
        Ok(record::info(receiver, found.name.as_deref(), address))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIST: &str = r#"
        [[receivers]]
        identifier = "910076787"
        name = "Eksempeletaten"
        [[receivers.capabilities]]
        processes = ["urn:a", "urn:b"]
        service = "ONE"
        document-types = ["urn:x::brev"]
        security-levels = [3]
        [[receivers.capabilities]]
        processes = ["urn:a"]
        service = "TWO"
        document-types = ["urn:x::brev"]
        security-levels = [4]
        post-address = { name = "Kari", street = "Gata 1;Oppgang B", postal-code = "0001", postal-area = "Oslo" }

        [[without-receiver]]
        processes = ["urn:a"]
        service = "TWO"
        document-types = ["urn:x::print"]
    "#;

    fn registry() -> TomlRegistry {
        TomlRegistry::new(&toml::from_str(LIST).unwrap()).unwrap()
    }

    #[tokio::test]
    async fn the_first_that_fits_process_and_level_comes_first() {
        let registry = registry();
        let question = |receiver, process, security_level| Question {
            process,
            security_level,
            ..Question::about(receiver)
        };
        let services = async |process, level| -> Vec<String> {
            let found = registry
                .capabilities(question("910076787", process, level))
                .await
                .unwrap();
            assert_eq!(found.source, Source::OwnList);
            found
                .capabilities
                .into_iter()
                .map(|capability| capability.service)
                .collect()
        };
        assert_eq!(services(None, None).await, ["ONE", "ONE", "TWO"]);
        assert_eq!(services(Some("urn:a"), Some(4)).await, ["TWO"]);
        let refused = registry
            .capabilities(question("910076787", Some("urn:b"), Some(4)))
            .await;
        assert!(matches!(refused, Err(RegistryError::NotAccepted { .. })));
        let refused = registry.capabilities(question("1", None, None)).await;
        assert!(matches!(refused, Err(RegistryError::UnknownReceiver(_))));
    }

    #[tokio::test]
    async fn messages_without_a_receiver_have_a_list_of_their_own() {
        let registry = registry();
        let Answer { capabilities, source } = registry.without_receiver("urn:a").await.unwrap();
        assert_eq!((capabilities.len(), capabilities[0].service.as_str()), (1, "TWO"));
        assert_eq!(source, Source::WithoutReceiver);
        let refused = registry.without_receiver("urn:b").await;
        assert!(matches!(refused, Err(RegistryError::NeedsReceiver(process)) if process == "urn:b"));
    }

    #[tokio::test]
    async fn a_record_has_everything_and_the_preferred_one_first() {
        let record = registry().record("910076787").await.unwrap();
        assert_eq!(record.info["organizationName"], "Eksempeletaten");
        assert_eq!(record.all.len(), 3);
        assert_eq!(record.primary, record.all[0]);
        assert_eq!(record.primary["service"]["securityLevel"], 3);
        assert_eq!(record.all[2]["postAddress"]["street"], "Gata 1;Oppgang B");
        assert_eq!(record.all[2]["postAddress"]["country"], "");
        let info = registry().info("910076787").await.unwrap();
        assert_eq!(info["organizationName"], "Eksempeletaten");
        assert_eq!(info["postadresse"]["adresse"], "Gata 1;Oppgang B");
        assert_eq!(info["postadresse"].get("land"), None);
    }
}
