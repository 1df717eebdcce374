//! A process and an organisation as they are written; every way in reads them here.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use budstikke_message::identifier::{DocumentType, OrganisationNumber, ProcessId};
use budstikke_message::x509::Certificate;
use serde::{Deserialize, Serialize};

use crate::data::{Override, OverrideDecision, OwnOrganisation, Process};
use crate::registers::Address;

/// Longest name, line and reason, in characters.
const LONGEST: usize = 500;

/// A process, whole, as it is written in TOML.
#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct ProcessDocument {
    pub(crate) identifier: String,
    pub(crate) service_code: Option<String>,
    pub(crate) service_edition_code: Option<String>,
    pub(crate) resource: Option<String>,
    pub(crate) category: String,
    pub(crate) document_types: Vec<String>,
}

impl ProcessDocument {
    /// As it is kept.
    pub(crate) fn of(process: &Process) -> Self {
        Self {
            identifier: process.identifier.to_string(),
            service_code: process.service_code.clone(),
            service_edition_code: process.service_edition_code.clone(),
            resource: process.resource.clone(),
            category: process.category.clone(),
            document_types: process.document_types.iter().map(ToString::to_string).collect(),
        }
    }

    /// Checks everything. Faults are keys below the process, with what is wrong.
    pub(crate) fn read(self) -> Result<Process, Vec<(String, String)>> {
        let mut faults: Vec<(String, String)> = Vec::new();
        let identifier = self.identifier.parse::<ProcessId>();
        if let Err(error) = &identifier {
            faults.push(("identifier".into(), error.to_string()));
        }
        if let Some(what) = unfit_category(&self.category) {
            faults.push(("category".into(), what));
        }
        for (key, text) in [
            ("service-code", &self.service_code),
            ("service-edition-code", &self.service_edition_code),
            ("resource", &self.resource),
        ] {
            let what = text.as_deref().and_then(unfit);
            faults.extend(what.map(|what| (key.to_owned(), what)));
        }
        let mut document_types = Vec::new();
        for (at, name) in self.document_types.iter().enumerate() {
            match name.parse::<DocumentType>() {
                Ok(known) => document_types.push(known),
                Err(error) => faults.push((format!("document-types[{at}]"), error.to_string())),
            }
        }
        match identifier {
            Ok(identifier) if faults.is_empty() => Ok(Process {
                id: 0,
                identifier,
                service_code: self.service_code,
                service_edition_code: self.service_edition_code,
                resource: self.resource,
                category: self.category,
                document_types,
            }),
            _ => Err(faults),
        }
    }
}

/// What is wrong with a category. Which ones have rules is for the rules to say.
fn unfit_category(text: &str) -> Option<String> {
    let fits = (1..=40).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_uppercase() || byte == b'_');
    (!fits).then(|| "must be a name in capital letters, such as ARKIVMELDING".to_owned())
}

/// An organisation, whole.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "camelCase")]
pub struct OrganisationDocument {
    /// Nine digits.
    pub number: String,
    /// Name.
    pub name: Option<String>,
    /// Organisasjonsform.
    pub form: Option<String>,
    /// Where post goes.
    pub address: Option<AddressDocument>,
    /// Processes that it is registered for; missing: the outside register is asked.
    pub registrations: Option<Vec<String>>,
    /// PEM, by use.
    pub certificates: BTreeMap<String, String>,
    /// What an operator has decided.
    pub overrides: Vec<OverrideDocument>,
}

/// Where post goes. Without its content in `Debug`.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "camelCase")]
pub struct AddressDocument {
    /// Lines.
    pub lines: Vec<String>,
    /// Postnummer.
    #[serde(alias = "postal-code")]
    pub postal_code: Option<String>,
    /// Poststed.
    #[serde(alias = "postal-area")]
    pub postal_area: Option<String>,
    /// Country.
    pub country: Option<String>,
}

impl std::fmt::Debug for AddressDocument {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("AddressDocument").finish_non_exhaustive()
    }
}

/// A decision: exactly one of `only`, `never` and `closed`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "camelCase")]
pub struct OverrideDocument {
    /// Missing: for all processes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub process: Option<String>,
    /// This service and no other.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub only: Option<String>,
    /// Any service but this one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub never: Option<String>,
    /// Nothing at all.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub closed: bool,
    /// Why.
    pub reason: String,
}

impl OrganisationDocument {
    /// As it is kept.
    pub fn of(number: &OrganisationNumber, organisation: &OwnOrganisation) -> Self {
        Self {
            number: number.to_string(),
            name: organisation.name.clone(),
            form: organisation.form.clone(),
            address: organisation.address.as_ref().map(|address| AddressDocument {
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
                .map(|(usage, certificate)| (usage.clone(), certificate.to_pem()))
                .collect(),
            overrides: organisation.overrides.iter().map(OverrideDocument::of).collect(),
        }
    }

    /// As a row of a file that an import takes; nothing only when it cannot be written.
    pub(crate) fn to_toml(&self) -> Option<String> {
        let mut row = toml::Table::try_from(self).ok()?;
        if let Some(toml::Value::Table(address)) = row.get_mut("address") {
            for (json, toml) in [("postalCode", "postal-code"), ("postalArea", "postal-area")] {
                let part = address.remove(json);
                part.map(|part| address.insert(toml.to_owned(), part));
            }
        }
        let mut file = toml::Table::new();
        file.insert(
            "organisations".into(),
            toml::Value::Array(vec![toml::Value::Table(row)]),
        );
        toml::to_string_pretty(&file).ok()
    }

    /// Checks everything. Faults are keys below the organisation, with what is wrong.
    pub fn read(self) -> Result<(OrganisationNumber, OwnOrganisation), Vec<(String, String)>> {
        let mut faults = Vec::new();
        let mut add = |key: String, what: String| faults.push((key, what));
        let number = self.number.parse::<OrganisationNumber>();
        if number.is_err() {
            add("number".into(), "must be nine digits".into());
        }
        let texts = [("name", self.name.as_deref()), ("form", self.form.as_deref())];
        for (key, text) in texts {
            if let Some(what) = text.and_then(unfit) {
                add(key.into(), what);
            }
        }
        let address = self.address.map(|document| {
            let parts = [&document.postal_code, &document.postal_area, &document.country];
            for text in document.lines.iter().chain(parts.into_iter().flatten()) {
                if let Some(what) = unfit(text) {
                    add("address".into(), what);
                }
            }
            Address {
                lines: document.lines,
                postal_code: document.postal_code,
                postal_area: document.postal_area,
                country: document.country,
            }
        });
        let mut registrations = self.registrations.as_ref().map(|_| std::collections::BTreeSet::new());
        for (at, name) in self.registrations.iter().flatten().enumerate() {
            match name.parse::<ProcessId>() {
                Ok(process) => {
                    registrations.get_or_insert_default().insert(process);
                }
                Err(error) => add(format!("registrations[{at}]"), error.to_string()),
            }
        }
        let mut certificates = BTreeMap::new();
        for (usage, text) in self.certificates {
            match certificate(&usage, &text) {
                Ok(certificate) => {
                    certificates.insert(usage, certificate);
                }
                Err(what) => add(format!("certificates.{usage}"), what),
            }
        }
        let mut overrides = Vec::new();
        for (at, document) in self.overrides.into_iter().enumerate() {
            match document.read() {
                Ok(decided) => overrides.push(decided),
                Err((key, what)) => add(format!("overrides[{at}].{key}"), what),
            }
        }
        match number {
            Ok(number) if faults.is_empty() => Ok((
                number,
                OwnOrganisation {
                    name: self.name,
                    form: self.form,
                    address,
                    registrations,
                    certificates,
                    overrides,
                },
            )),
            _ => Err(faults),
        }
    }
}

impl std::fmt::Display for OverrideDocument {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match (&self.only, &self.never) {
            (Some(service), _) => write!(f, "only {service}")?,
            (None, Some(service)) => write!(f, "never {service}")?,
            (None, None) => f.write_str("closed")?,
        }
        write!(
            f,
            " for {}: {}",
            self.process.as_deref().unwrap_or("all processes"),
            self.reason
        )
    }
}

impl OverrideDocument {
    fn of(decided: &Override) -> Self {
        let mut document = Self {
            process: decided.process.as_ref().map(ToString::to_string),
            reason: decided.reason.clone(),
            ..Self::default()
        };
        match &decided.decision {
            OverrideDecision::Only(service) => document.only = Some(service.to_string()),
            OverrideDecision::Never(service) => document.never = Some(service.to_string()),
            OverrideDecision::Closed => document.closed = true,
        }
        document
    }

    fn read(self) -> Result<Override, (&'static str, String)> {
        let process = self.process.map(|name| name.parse()).transpose();
        let decision = match (self.only, self.never, self.closed) {
            (Some(service), None, false) => {
                OverrideDecision::Only(service.parse().map_err(|error| ("only", told(error)))?)
            }
            (None, Some(service), false) => {
                OverrideDecision::Never(service.parse().map_err(|error| ("never", told(error)))?)
            }
            (None, None, true) => OverrideDecision::Closed,
            _ => return Err(("only", "needs exactly one of only, never and closed = true".into())),
        };
        if self.reason.trim().is_empty() {
            return Err(("reason", "must say why: answers repeat it".into()));
        }
        if let Some(what) = unfit(&self.reason) {
            return Err(("reason", what));
        }
        Ok(Override {
            process: process.map_err(|error| ("process", told(error)))?,
            decision,
            reason: self.reason,
        })
    }
}

fn told(error: budstikke_message::identifier::NameError) -> String {
    error.to_string()
}

/// What is wrong with a text for people.
fn unfit(text: &str) -> Option<String> {
    if text.chars().count() > LONGEST {
        Some(format!("is longer than {LONGEST} characters"))
    } else if text.chars().any(char::is_control) {
        Some("holds a control character".into())
    } else {
        None
    }
}

/// A certificate in PEM, or its base64 alone.
fn certificate(usage: &str, text: &str) -> Result<Certificate, String> {
    let named = !usage.is_empty() && usage.len() <= 32 && usage.bytes().all(|byte| byte.is_ascii_graphic());
    if !named {
        return Err("the use must be a name of at most 32 letters and digits".into());
    }
    if text.contains("-----BEGIN") {
        return Certificate::from_pem(text.as_bytes()).map_err(|error| error.to_string());
    }
    let base64: String = text.chars().filter(|c| !c.is_whitespace()).collect();
    let der = STANDARD
        .decode(base64)
        .map_err(|_| "is neither PEM nor base64".to_owned())?;
    Certificate::from_der(&der).map_err(|error| error.to_string())
}
