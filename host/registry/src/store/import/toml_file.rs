//! `[[processes]]`, `document-types` and `[[organisations]]`.

use std::cell::LazyCell;
use std::collections::BTreeSet;

use budstikke_message::identifier::DocumentType;
use budstikke_settings::{Lines, Told};
use serde::Deserialize;
use toml::Spanned;

use super::documents::{OrganisationDocument, ProcessDocument};
use super::{Fault, Faults, Import};

#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
struct File {
    processes: Vec<Spanned<ProcessDocument>>,
    document_types: Vec<Spanned<String>>,
    organisations: Vec<Spanned<OrganisationDocument>>,
}

pub(super) fn read(text: &str) -> Result<Import, Vec<Fault>> {
    let file: File = toml::from_str(text).map_err(|error| {
        let Told { line, key, text } = Told::of(text, &error);
        vec![Fault { line, key, text }]
    })?;
    let lines = LazyCell::new(|| Lines::of(text));
    let (mut import, mut faults) = (Import::default(), Faults::default());
    let mut seen = BTreeSet::new();
    let mut add = |offset: usize, list: &str, at: usize, wrong: Vec<(String, String)>| {
        for (key, text) in wrong {
            let key = format!("{list}[{at}].{key}").trim_end_matches('.').to_owned();
            faults.add(Some(lines.at(offset)), key, text);
        }
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
        let offset = row.span().start;
        match row.get_ref().parse::<DocumentType>() {
            Ok(known) => import.document_types.push(known),
            Err(error) => add(offset, "document-types", at, vec![(String::new(), error.to_string())]),
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
    faults.or(import)
}
