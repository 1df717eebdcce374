//! `[[processes]]`, `document-types` and `[[organisations]]`.

use budstikke_message::identifier::{DocumentType, ProcessId};
use serde::Deserialize;
use toml::Spanned;

use super::documents::{OrganisationDocument, unfit};
use super::{Fault, Import};
use crate::data::Process;

#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
struct File {
    processes: Vec<Spanned<ProcessDocument>>,
    document_types: Vec<Spanned<String>>,
    organisations: Vec<Spanned<OrganisationDocument>>,
}

#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct ProcessDocument {
    pub(super) identifier: String,
    pub(super) service_code: Option<String>,
    pub(super) service_edition_code: Option<String>,
    pub(super) resource: Option<String>,
    pub(super) category: String,
    pub(super) document_types: Vec<String>,
}

impl ProcessDocument {
    /// Checks everything. Faults are keys below the process, with what is wrong.
    pub(super) fn read(self) -> Result<Process, Vec<(String, String)>> {
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
pub(crate) fn unfit_category(text: &str) -> Option<String> {
    let fits = (1..=40).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_uppercase() || byte == b'_');
    (!fits).then(|| "must be a name in capital letters, such as ARKIVMELDING".to_owned())
}

pub(super) fn read(text: &str) -> Result<Import, Vec<Fault>> {
    let line = |offset: usize| text.bytes().take(offset).filter(|byte| *byte == b'\n').count() + 1;
    let file: File = toml::from_str(text).map_err(|error| {
        vec![Fault {
            line: error.span().map(|span| line(span.start)),
            key: String::new(),
            text: error.message().to_owned(),
        }]
    })?;
    let (mut import, mut faults) = (Import::default(), Vec::new());
    let mut seen = std::collections::BTreeSet::new();
    let mut add = |offset: usize, list: &str, at: usize, wrong: Vec<(String, String)>| {
        faults.extend(wrong.into_iter().map(|(key, text)| Fault {
            line: Some(line(offset)),
            key: format!("{list}[{at}].{key}").trim_end_matches('.').to_owned(),
            text,
        }));
    };
    let twice = |key: &str| vec![(key.to_owned(), "stands in this file already".to_owned())];
    for (at, row) in file.processes.into_iter().enumerate() {
        let offset = row.span().start;
        match row.into_inner().read() {
            Ok(process) if !seen.insert(process.identifier.to_string()) => {
                add(offset, "processes", at, twice("identifier"));
            }
            Ok(process) => import.processes.push(process),
            Err(wrong) => add(offset, "processes", at, wrong),
        }
    }
    for (at, row) in file.document_types.into_iter().enumerate() {
        match row.get_ref().parse::<DocumentType>() {
            Ok(known) => import.document_types.push(known),
            Err(error) => add(
                row.span().start,
                "document-types",
                at,
                vec![(String::new(), error.to_string())],
            ),
        }
    }
    for (at, row) in file.organisations.into_iter().enumerate() {
        let offset = row.span().start;
        match row.into_inner().read() {
            Ok((number, _)) if !seen.insert(number.to_string()) => add(offset, "organisations", at, twice("number")),
            Ok(organisation) => import.organisations.push(organisation),
            Err(wrong) => add(offset, "organisations", at, wrong),
        }
    }
    if faults.is_empty() { Ok(import) } else { Err(faults) }
}
