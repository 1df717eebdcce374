//! Making a record as its template says. Spec: service registry, 4.2, 5.2 and 5.5.

use super::certificate;
use super::error::LookupError;
use super::facts::level_of;
use super::inquiry::Inquiry;
use super::receiver::Receiver;
use super::settings::ServiceSettings;
use crate::data::Process;
use crate::model::{Health, Patient, Post, PostAddress, Service, ServiceRecord};
use crate::registers::{Address, Resident};
use crate::rules::{CertificateFrom, Codes, Endpoint, LevelFrom, Members, Template};

/// Makes one record. What the template needs and is not there is an error: half a record would be sent to.
pub(super) async fn make(
    inquiry: &Inquiry<'_>,
    template: &Template,
    process: &Process,
) -> Result<ServiceRecord, LookupError> {
    let document_types = template.takes(&process.identifier, &process.document_types);
    if document_types.is_empty() {
        return Err(LookupError::not_set_up(format!(
            "the process {} has no document type for the record {}",
            process.identifier, template.name
        )));
    }
    let settings = settings(inquiry, template)?;
    let (post, health) = match template.members {
        None => (None, None),
        Some(Members::Mailbox) => (Some(mailbox(inquiry).await?), None),
        Some(Members::Print) => (Some(print(inquiry).await?), None),
        Some(Members::Health) => (None, Some(health(inquiry).await?)),
    };
    Ok(ServiceRecord {
        organisation_number: receiver(inquiry).await?,
        pem_certificate: pem(inquiry, template, settings).await?,
        process: process.identifier.to_string(),
        document_types,
        service: Service {
            endpoint_url: Some(endpoint(inquiry, template, process, settings)?),
            security_level: level(inquiry, template, process).await?,
            ..codes(inquiry, template, process, settings)?
        },
        post,
        health,
    })
}

fn settings<'a>(inquiry: &'a Inquiry<'_>, template: &Template) -> Result<Option<&'a ServiceSettings>, LookupError> {
    let settings = inquiry.directory.services.get(&template.service);
    if settings.is_none() && template.needs_settings() {
        return Err(LookupError::not_set_up(format!(
            "there are no settings of the service {}",
            template.service
        )));
    }
    Ok(settings)
}

async fn receiver(inquiry: &Inquiry<'_>) -> Result<String, LookupError> {
    Ok(match &inquiry.receiver {
        Receiver::Organisation(number) => number.to_string(),
        Receiver::Person(person) => person.number().to_owned(),
        Receiver::Account(account) => account.as_str().to_owned(),
        Receiver::Health(_) => inquiry
            .unit()
            .await?
            .map(|unit| unit.organisation.clone())
            .unwrap_or_default(),
    })
}

fn endpoint(
    inquiry: &Inquiry<'_>,
    template: &Template,
    process: &Process,
    settings: Option<&ServiceSettings>,
) -> Result<String, LookupError> {
    let (found, missing) = match (template.endpoint, &inquiry.receiver) {
        (Endpoint::Account, Receiver::Account(account)) => (Some(account.as_str().to_owned()), String::new()),
        (Endpoint::Account, _) => (None, "a record asks of others what only accounts have".to_owned()),
        (Endpoint::Service, _) => (
            settings.and_then(|settings| settings.endpoint_url.clone()),
            format!("the settings of the service {} have no endpoint-url", template.service),
        ),
        (Endpoint::ProcessCode, _) => (
            process.service_code.clone(),
            format!("the process {} has no service code", process.identifier),
        ),
    };
    found.ok_or_else(|| LookupError::not_set_up(missing))
}

fn codes(
    inquiry: &Inquiry<'_>,
    template: &Template,
    process: &Process,
    settings: Option<&ServiceSettings>,
) -> Result<Service, LookupError> {
    let service = Service {
        identifier: template.service.to_string(),
        ..Service::default()
    };
    let of_row = |row: &Process| Service {
        service_code: row.service_code.clone(),
        service_edition_code: row.service_edition_code.clone(),
        resource: row.resource.clone(),
        ..service.clone()
    };
    match template.codes {
        Codes::None => Ok(service),
        Codes::Protocol => Ok(Service {
            service_code: Some(process.identifier.to_string()),
            ..service
        }),
        Codes::Process => filled(of_row(process), || format!("the process {}", process.identifier)),
        Codes::DefaultProcess => {
            let name = inquiry.directory.settings.default_process.as_ref();
            let row = name.and_then(|name| inquiry.data.processes.get(name));
            let row = row.ok_or_else(|| LookupError::not_set_up("the default process stands in no table"))?;
            filled(of_row(row), || format!("the default process {}", row.identifier))
        }
        Codes::Service => {
            let of_settings = Service {
                service_code: settings.and_then(|settings| settings.service_code.clone()),
                service_edition_code: settings.and_then(|settings| settings.service_edition_code.clone()),
                resource: settings.and_then(|settings| settings.resource.clone()),
                ..service
            };
            filled(of_settings, || format!("[services.{}]", template.service))
        }
    }
}

/// A service of Altinn 3 has a resource, one of Altinn 2 a code with its edition. With neither it cannot be sent to.
fn filled(service: Service, whose: impl FnOnce() -> String) -> Result<Service, LookupError> {
    let of_altinn_2 = service.service_code.is_some() && service.service_edition_code.is_some();
    if service.resource.is_some() || of_altinn_2 {
        return Ok(service);
    }
    Err(LookupError::not_set_up(format!(
        "{} has neither a resource nor a service code with its edition",
        whose()
    )))
}

async fn pem(
    inquiry: &Inquiry<'_>,
    template: &Template,
    settings: Option<&ServiceSettings>,
) -> Result<Option<String>, LookupError> {
    let found = match &template.certificate {
        CertificateFrom::None => return Ok(None),
        CertificateFrom::Account => {
            let account = inquiry.account().await?;
            return Ok(account.and_then(|account| Some(account.certificate.as_ref()?.to_pem())));
        }
        CertificateFrom::Use(name) => Some(inquiry.certificate(name).await?),
        CertificateFrom::Service => {
            let fixed = settings.and_then(|settings| settings.certificate.clone());
            return fixed.map(|fixed| Some(fixed.to_pem())).ok_or_else(|| {
                LookupError::not_set_up(format!(
                    "the settings of the service {} have no certificate",
                    template.service
                ))
            });
        }
        CertificateFrom::Mailbox => {
            let mailbox = inquiry.contact().await?.mailbox.as_ref();
            mailbox.map(|mailbox| mailbox.certificate.clone())
        }
        CertificateFrom::Printer => Some(inquiry.printer().await?.certificate.clone()),
        CertificateFrom::Unit => inquiry.unit().await?.and_then(|unit| unit.certificate.clone()),
    };
    let missing = || certificate::missing(template.service.as_str(), &inquiry.receiver.shown());
    found.map(|found| Some(found.to_pem())).ok_or_else(missing)
}

/// A receiver whose system is gone, though an operator's decision leads to it, has no level; one was not asked for in vain.
async fn level(inquiry: &Inquiry<'_>, template: &Template, process: &Process) -> Result<Option<u8>, LookupError> {
    let Some(LevelFrom::ReceiverSystem) = template.level else {
        return Ok(None);
    };
    let asked = inquiry.query.level;
    let found = level_of(inquiry.receiver_systems().await?, asked);
    if found.is_none() && asked.is_some() {
        return Err(LookupError::LevelNotAvailable {
            level: asked,
            process: process.identifier.clone(),
        });
    }
    Ok(found)
}

/// What all post to a citizen tells.
async fn contact(inquiry: &Inquiry<'_>) -> Result<Post, LookupError> {
    let contact = inquiry.contact().await?;
    Ok(Post {
        mobilnummer: contact.mobile.clone(),
        kan_varsles: contact.notifiable,
        epost_adresse: contact.email.clone(),
        spraak: contact.language.clone(),
        ..Post::default()
    })
}

async fn mailbox(inquiry: &Inquiry<'_>) -> Result<Post, LookupError> {
    let mailbox = inquiry.contact().await?.mailbox.as_ref();
    Ok(Post {
        orgnr_postkasse: mailbox.map(|mailbox| mailbox.supplier.clone()),
        postkasse_adresse: mailbox.map(|mailbox| mailbox.address.clone()),
        ..contact(inquiry).await?
    })
}

async fn print(inquiry: &Inquiry<'_>) -> Result<Post, LookupError> {
    let resident = inquiry.resident().await?.ok_or(LookupError::UnknownResident)?;
    let sender = inquiry.sender().await?;
    let back = sender
        .address
        .as_ref()
        .ok_or_else(|| LookupError::SenderWithoutAddress {
            organisation: sender.number.to_string(),
        })?;
    Ok(Post {
        orgnr_postkasse: Some(inquiry.printer().await?.supplier.clone()),
        fysisk_post: true,
        post_address: resident
            .address
            .as_ref()
            .map(|home| post_address(full_name(resident), home)),
        return_address: Some(post_address(sender.name.clone(), back)),
        ..contact(inquiry).await?
    })
}

fn full_name(resident: &Resident) -> String {
    let middle = resident.middle_name.as_deref();
    let names = [
        Some(resident.first_name.as_str()),
        middle,
        Some(resident.last_name.as_str()),
    ];
    let names: Vec<_> = names.into_iter().flatten().filter(|name| !name.is_empty()).collect();
    names.join(" ")
}

/// Clients split the street at `;` into the lines of a letter. Spec: service registry, 9.7 and 10.5.
fn post_address(name: String, address: &Address) -> PostAddress {
    PostAddress {
        name,
        street: address.lines.join(";"),
        postal_code: address.postal_code.clone().unwrap_or_default(),
        postal_area: address.postal_area.clone().unwrap_or_default(),
        country: address.country.clone().unwrap_or_default(),
    }
}

async fn health(inquiry: &Inquiry<'_>) -> Result<Health, LookupError> {
    let unit = inquiry.unit().await?;
    let patient = match &inquiry.receiver {
        Receiver::Health(nhn) => nhn.patient(),
        _ => None,
    };
    let patient = match patient {
        None => None,
        Some(person) => {
            let resident = inquiry.resident().await.map_err(|error| match error {
                LookupError::RegisterRejected { .. } => LookupError::PatientNotRetrievable,
                other => other,
            })?;
            let resident = resident.ok_or(LookupError::PatientNotRetrievable)?;
            Some(Patient {
                fnr: person.number().to_owned(),
                first_name: resident.first_name.clone(),
                middle_name: resident.middle_name.clone(),
                last_name: resident.last_name.clone(),
            })
        }
    };
    Ok(Health {
        her_id: unit.map(|unit| unit.her_id).unwrap_or_default(),
        patient,
    })
}
