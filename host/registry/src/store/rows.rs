//! Rows of the database as values that can only be right, and back.

use std::collections::BTreeMap;
use std::fmt;

use budstikke_message::identifier::{DocumentType, OrganisationNumber};
use budstikke_message::x509::Certificate;
use budstikke_store::registry::{AddressRow, DecisionRow, OrganisationRow, OverrideRow, ProcessRow, RegistryRows};

use crate::data::{Override, OverrideDecision, OwnOrganisation, Process, Snapshot};
use crate::registers::Address;

/// Something in the database that this program cannot read. Only another program can have written it.
#[derive(Debug, thiserror::Error)]
#[error("own data of {place} cannot be read: {why}")]
pub struct Unreadable {
    place: String,
    why: String,
}

fn unreadable<E: fmt::Display>(place: &str) -> impl Fn(E) -> Unreadable {
    move |why| Unreadable {
        place: place.to_owned(),
        why: why.to_string(),
    }
}

pub(super) fn snapshot(rows: RegistryRows) -> Result<Snapshot, Unreadable> {
    let mut snapshot = Snapshot {
        change: rows.change,
        ..Snapshot::default()
    };
    for row in rows.processes {
        let process = process(row)?;
        snapshot.processes.insert(process.identifier.clone(), process);
    }
    for name in rows.document_types {
        let known = name.parse().map_err(unreadable(&format!("document type {name}")))?;
        snapshot.document_types.insert(known);
    }
    for row in rows.organisations {
        let (number, organisation) = organisation(row)?;
        snapshot.organisations.insert(number, organisation);
    }
    Ok(snapshot)
}

fn process(row: ProcessRow) -> Result<Process, Unreadable> {
    let place = format!("process {}", row.identifier);
    let types: Result<Vec<DocumentType>, _> = row.document_types.iter().map(|name| name.parse()).collect();
    Ok(Process {
        id: row.id,
        identifier: row.identifier.parse().map_err(unreadable(&place))?,
        service_code: row.service_code,
        service_edition_code: row.service_edition_code,
        resource: row.resource,
        category: row.category,
        document_types: types.map_err(unreadable(&place))?,
    })
}

fn organisation(row: OrganisationRow) -> Result<(OrganisationNumber, OwnOrganisation), Unreadable> {
    let place = format!("organisation {}", row.number);
    let number = row.number.parse().map_err(unreadable(&place))?;
    let mut certificates = BTreeMap::new();
    for (usage, der) in row.certificates {
        let certificate = Certificate::from_der(&der).map_err(unreadable(&place))?;
        certificates.insert(usage, certificate);
    }
    let registrations = row
        .registrations
        .map(|names| names.iter().map(|name| name.parse()).collect());
    let overrides: Result<Vec<Override>, Unreadable> =
        row.overrides.into_iter().map(|row| decided(row, &place)).collect();
    let organisation = OwnOrganisation {
        name: row.name,
        form: row.form,
        address: row.address.map(|row| Address {
            lines: row.lines,
            postal_code: row.postal_code,
            postal_area: row.postal_area,
            country: row.country,
        }),
        registrations: registrations.transpose().map_err(unreadable(&place))?,
        certificates,
        overrides: overrides?,
    };
    Ok((number, organisation))
}

fn decided(row: OverrideRow, place: &str) -> Result<Override, Unreadable> {
    Ok(Override {
        process: row
            .process
            .map(|name| name.parse())
            .transpose()
            .map_err(unreadable(place))?,
        decision: match row.decision {
            DecisionRow::Only(service) => OverrideDecision::Only(service.parse().map_err(unreadable(place))?),
            DecisionRow::Never(service) => OverrideDecision::Never(service.parse().map_err(unreadable(place))?),
            DecisionRow::Closed => OverrideDecision::Closed,
        },
        reason: row.reason,
    })
}

pub(super) fn of_process(process: &Process) -> ProcessRow {
    ProcessRow {
        id: process.id,
        identifier: process.identifier.to_string(),
        service_code: process.service_code.clone(),
        service_edition_code: process.service_edition_code.clone(),
        resource: process.resource.clone(),
        category: process.category.clone(),
        document_types: process.document_types.iter().map(ToString::to_string).collect(),
    }
}

pub(super) fn of_organisation(number: &OrganisationNumber, organisation: &OwnOrganisation) -> OrganisationRow {
    OrganisationRow {
        number: number.to_string(),
        name: organisation.name.clone(),
        form: organisation.form.clone(),
        address: organisation.address.as_ref().map(|address| AddressRow {
            lines: address.lines.clone(),
            postal_code: address.postal_code.clone(),
            postal_area: address.postal_area.clone(),
            country: address.country.clone(),
        }),
        registrations: organisation
            .registrations
            .as_ref()
            .map(|processes| processes.iter().map(ToString::to_string).collect()),
        certificates: organisation
            .certificates
            .iter()
            .map(|(usage, certificate)| (usage.clone(), certificate.der().to_vec()))
            .collect(),
        overrides: organisation
            .overrides
            .iter()
            .map(|decided| OverrideRow {
                process: decided.process.as_ref().map(ToString::to_string),
                decision: match &decided.decision {
                    OverrideDecision::Only(service) => DecisionRow::Only(service.to_string()),
                    OverrideDecision::Never(service) => DecisionRow::Never(service.to_string()),
                    OverrideDecision::Closed => DecisionRow::Closed,
                },
                reason: decided.reason.clone(),
            })
            .collect(),
    }
}
