//! Which of a receiver's records is the primary one. Spec: service registry, 8.6.

use budstikke_registry::model::ServiceRecord;
use serde::Deserialize;

use super::reading::Found;
use crate::registry::{Record, RegistryError};

const TABLE: &str = include_str!("primary.toml");

/// The rows of `primary.toml`.
#[derive(Debug, Deserialize)]
pub(in crate::registry) struct Primary {
    row: Vec<Row>,
}

/// What a record must have; the first record of the first row that fits is the primary one.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    service: Option<String>,
    process: Option<String>,
}

impl Primary {
    /// Reads the table.
    pub(in crate::registry) fn new() -> Result<Self, toml::de::Error> {
        toml::from_str(TABLE)
    }

    /// Everything that was found. Without a primary record the receiver is unknown. Spec: service registry, 8.8.
    pub(in crate::registry) fn record(&self, found: &Found) -> Result<Record, RegistryError> {
        let primary = self.of(&found.records.iter().map(|(_, record)| record));
        let primary = primary.and_then(|place| found.records.get(place));
        let primary = primary.and_then(|(place, _)| found.raw.get(*place));
        Ok(Record {
            info: found.info.clone(),
            primary: primary.cloned().ok_or(RegistryError::UnknownReceiver(None))?,
            all: found.raw.clone(),
        })
    }

    /// The place of the primary record; none when no row fits any.
    fn of<'a>(&self, records: &(impl Iterator<Item = &'a ServiceRecord> + Clone)) -> Option<usize> {
        self.row.iter().find_map(|row| {
            records.clone().position(|record| {
                row.service
                    .as_ref()
                    .is_none_or(|service| *service == record.service.identifier)
                    && row.process.as_ref().is_none_or(|process| *process == record.process)
            })
        })
    }
}

#[cfg(test)]
mod tests {
    use budstikke_registry::model::Service;

    use super::*;

    const DEFAULT: &str = "urn:no:difi:profile:arkivmelding:administrasjon:ver1.0";

    fn primary(records: &[(&str, &str)]) -> Option<usize> {
        let records: Vec<ServiceRecord> = records
            .iter()
            .map(|(service, process)| ServiceRecord {
                process: (*process).into(),
                service: Service {
                    identifier: (*service).into(),
                    ..Service::default()
                },
                ..ServiceRecord::default()
            })
            .collect();
        Primary::new().unwrap().of(&records.iter())
    }

    #[test]
    fn post_to_citizens_comes_first_then_the_default_process_then_einnsyn() {
        assert_eq!(primary(&[("DPE", "e"), ("DPO", DEFAULT), ("DPI", "d")]), Some(2));
        assert_eq!(primary(&[("DPE", "e"), ("DPO", DEFAULT)]), Some(1));
        assert_eq!(primary(&[("DPO", "other"), ("DPE", "e")]), Some(1));
        assert_eq!(primary(&[("DPO", DEFAULT)]), Some(0));
    }

    #[test]
    fn other_records_are_no_primary_ones() {
        assert_eq!(primary(&[("DPO", "other")]), None);
        assert_eq!(primary(&[]), None);
    }
}
