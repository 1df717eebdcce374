//! A registry that is the operator's own list.

use std::collections::HashMap;

use anyhow::Context as _;
use async_trait::async_trait;
use budstikke_message::x509::Certificate;

use super::{Capability, Registry, RegistryError};
use crate::config;

/// `[[registry.receivers]]`
pub struct TomlRegistry {
    receivers: HashMap<String, Vec<Listed>>,
}

struct Listed {
    capability: Capability,
    security_levels: Vec<u8>,
}

impl TomlRegistry {
    /// Reads the certificates that the list names.
    pub fn new(list: &config::Registry) -> anyhow::Result<Self> {
        let mut receivers: HashMap<String, Vec<Listed>> = HashMap::new();
        for receiver in &list.receivers {
            let listed = receivers.entry(receiver.identifier.clone()).or_default();
            for capability in &receiver.capabilities {
                let certificate = capability
                    .certificate
                    .as_ref()
                    .map(|path| {
                        let text = std::fs::read(path).with_context(|| path.display().to_string())?;
                        let certificate = Certificate::from_pem(&text).with_context(|| path.display().to_string())?;
                        Ok::<_, anyhow::Error>(certificate.der().to_vec())
                    })
                    .transpose()?;
                for process in &capability.processes {
                    listed.push(Listed {
                        capability: Capability {
                            process: process.clone(),
                            service: capability.service.clone(),
                            document_types: capability.document_types.clone(),
                            certificate: certificate.clone(),
                            address: capability.address.clone(),
                        },
                        security_levels: capability.security_levels.clone(),
                    });
                }
            }
        }
        Ok(Self { receivers })
    }
}

#[async_trait]
impl Registry for TomlRegistry {
    async fn capabilities(
        &self,
        receiver: &str,
        process: Option<&str>,
        security_level: Option<u8>,
    ) -> Result<Vec<Capability>, RegistryError> {
        let listed = self
            .receivers
            .get(receiver)
            .ok_or_else(|| RegistryError::UnknownReceiver(receiver.to_owned()))?;
        let found: Vec<Capability> = listed
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
                receiver: receiver.to_owned(),
                process: process.unwrap_or("any").to_owned(),
                level: security_level,
            });
        }
        Ok(found)
    }
}
