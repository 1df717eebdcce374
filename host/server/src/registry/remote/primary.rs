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

    #[derive(Deserialize)]
    struct Cases {
        case: Vec<Case>,
    }

    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Case {
        records: Vec<(String, String)>,
        primary: Option<usize>,
    }

    #[test]
    fn the_primary_record_is_that_of_the_cases() {
        let cases: Cases = toml::from_str(include_str!("primary_cases.toml")).unwrap();
        assert!(!cases.case.is_empty());
        for case in cases.case {
            let records: Vec<ServiceRecord> = case
                .records
                .iter()
                .map(|(service, process)| ServiceRecord {
                    process: process.clone(),
                    service: Service {
                        identifier: service.clone(),
                        ..Service::default()
                    },
                    ..ServiceRecord::default()
                })
                .collect();
            let primary = Primary::new().unwrap().of(&records.iter());
            assert_eq!(primary, case.primary, "{:?}", case.records);
        }
    }
}
