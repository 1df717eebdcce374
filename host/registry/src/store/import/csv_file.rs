//! A table of processes or of organisations, as a spreadsheet writes it. Lists in a cell have white space between them, lines of
//! an address a semicolon. An empty cell is nothing: without `registrations` the outside register is asked.

use std::collections::BTreeSet;

use csv::{ReaderBuilder, StringRecord, Trim};

use super::documents::{AddressDocument, OrganisationDocument, ProcessDocument};
use super::{Fault, Faults, Import};
use crate::data::Snapshot;

/// Columns of each kind of table; the first one says which it is.
const PROCESSES: [&str; 6] = [
    "identifier",
    "category",
    "service-code",
    "service-edition-code",
    "resource",
    "document-types",
];
const ORGANISATIONS: [&str; 8] = [
    "number",
    "name",
    "form",
    "address",
    "postal-code",
    "postal-area",
    "country",
    "registrations",
];
/// And one for each use of a certificate: `certificate:<use>`.
const CERTIFICATE: &str = "certificate:";
const NEEDED: [&str; 2] = ["identifier", "category"];

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Processes,
    Organisations,
}

struct Line<'a> {
    columns: &'a [String],
    cells: &'a StringRecord,
}

impl Line<'_> {
    /// `None`: the file has no such column.
    fn column(&self, name: &str) -> Option<&str> {
        let at = self.columns.iter().position(|column| column == name)?;
        self.cells.get(at)
    }

    /// Replaces a value when the file has a column for it.
    fn put(&self, name: &str, value: &mut Option<String>) {
        if let Some(cell) = self.column(name) {
            *value = Some(cell.to_owned()).filter(|cell| !cell.is_empty());
        }
    }

    fn list(&self, name: &str) -> Option<Vec<String>> {
        let cell = self.column(name)?;
        Some(cell.split_whitespace().map(str::to_owned).collect())
    }
}

pub(super) fn read(text: &str, current: &Snapshot) -> Result<Import, Vec<Fault>> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let head = text.lines().next().unwrap_or_default();
    // Spreadsheets write semicolons where a comma is in numbers.
    let delimiter = if head.contains(';') && !head.contains(',') {
        b';'
    } else {
        b','
    };
    let mut reader = ReaderBuilder::new()
        .delimiter(delimiter)
        .trim(Trim::All)
        .flexible(true)
        .from_reader(text.as_bytes());
    let columns = match reader.headers() {
        Ok(head) => head.iter().map(str::to_ascii_lowercase).collect::<Vec<_>>(),
        Err(error) => return alone(error.to_string()),
    };
    let kind = kind(&columns)?;
    let (mut import, mut faults) = (Import::default(), Faults::default());
    let mut seen = BTreeSet::new();
    for record in reader.records() {
        let cells = match record {
            Ok(cells) => cells,
            Err(error) => {
                let line = error.position().map(csv::Position::line).map(to_number);
                faults.add(line, "", error.to_string());
                continue;
            }
        };
        let line = cells.position().map(csv::Position::line).map(to_number);
        if cells.len() != columns.len() {
            let what = format!("has {} cells, the first line has {}", cells.len(), columns.len());
            faults.add(line, "", what);
            continue;
        }
        let cells = Line {
            columns: &columns,
            cells: &cells,
        };
        let name = cells.column(columns_of(kind)[0]).unwrap_or_default();
        if !seen.insert(name.to_owned()) {
            faults.add(line, columns_of(kind)[0], "stands in this file already");
            continue;
        }
        let wrong = match kind {
            Kind::Processes => process(&cells, current).read().map(|row| import.processes.push(row)),
            Kind::Organisations => organisation(&cells, current)
                .read()
                .map(|row| import.organisations.push(row)),
        };
        for (key, what) in wrong.err().into_iter().flatten() {
            faults.add(line, column_of(&key), what);
        }
    }
    faults.or(import)
}

/// One fault of the first line that leaves nothing to be read.
fn alone<T>(text: String) -> Result<T, Vec<Fault>> {
    let (line, key) = (Some(1), String::new());
    Err(vec![Fault { line, key, text }])
}

fn to_number(line: u64) -> usize {
    usize::try_from(line).unwrap_or(usize::MAX)
}

fn columns_of(kind: Kind) -> &'static [&'static str] {
    match kind {
        Kind::Processes => &PROCESSES,
        Kind::Organisations => &ORGANISATIONS,
    }
}

/// The column that a key of a document stands in.
fn column_of(key: &str) -> String {
    match key.split_once('.') {
        Some(("certificates", usage)) => format!("{CERTIFICATE}{usage}"),
        _ => key.split('[').next().unwrap_or_default().to_owned(),
    }
}

/// What the columns say, when all of them belong to one kind of table.
fn kind(columns: &[String]) -> Result<Kind, Vec<Fault>> {
    let has = |name: &str| columns.iter().any(|column| column == name);
    let kind = match (has(PROCESSES[0]), has(ORGANISATIONS[0])) {
        (true, false) => Kind::Processes,
        (false, true) => Kind::Organisations,
        _ => {
            let what = "the first line must name the columns, with identifier (processes) or number (organisations) among them";
            return alone(what.into());
        }
    };
    let mut faults = Faults::default();
    for (at, column) in columns.iter().enumerate() {
        let certificate = kind == Kind::Organisations && column.starts_with(CERTIFICATE);
        if !columns_of(kind).contains(&column.as_str()) && !certificate {
            let what = format!("is no column; columns are {}", columns_of(kind).join(", "));
            faults.add(Some(1), column, what);
        }
        if columns.iter().take(at).any(|other| other == column) {
            faults.add(Some(1), column, "is there twice");
        }
    }
    if kind == Kind::Processes {
        for missing in NEEDED.into_iter().filter(|name| !has(name)) {
            faults.add(Some(1), missing, "this column is missing");
        }
    }
    faults.or(kind)
}

fn process(line: &Line<'_>, current: &Snapshot) -> ProcessDocument {
    let identifier = line.column("identifier").unwrap_or_default().to_owned();
    let known = identifier.parse().ok().and_then(|id| current.processes.get(&id));
    let mut document = known.map(ProcessDocument::of).unwrap_or_default();
    document.identifier = identifier;
    line.column("category")
        .unwrap_or_default()
        .clone_into(&mut document.category);
    line.put("service-code", &mut document.service_code);
    line.put("service-edition-code", &mut document.service_edition_code);
    line.put("resource", &mut document.resource);
    if let Some(types) = line.list("document-types") {
        document.document_types = types;
    }
    document
}

fn organisation(line: &Line<'_>, current: &Snapshot) -> OrganisationDocument {
    let number = line.column("number").unwrap_or_default();
    let known = number.parse().ok().and_then(|number| {
        let known = current.organisations.get(&number)?;
        Some(OrganisationDocument::of(&number, known))
    });
    let mut document = known.unwrap_or_default();
    number.clone_into(&mut document.number);
    line.put("name", &mut document.name);
    line.put("form", &mut document.form);
    let mut address = document.address.take().unwrap_or_default();
    if let Some(lines) = line.column("address") {
        let lines = lines.split(';').map(str::trim).filter(|line| !line.is_empty());
        address.lines = lines.map(str::to_owned).collect();
    }
    line.put("postal-code", &mut address.postal_code);
    line.put("postal-area", &mut address.postal_area);
    line.put("country", &mut address.country);
    document.address = Some(address).filter(|address| *address != AddressDocument::default());
    if let Some(processes) = line.list("registrations") {
        document.registrations = Some(processes).filter(|processes| !processes.is_empty());
    }
    for column in line.columns {
        if let Some(usage) = column.strip_prefix(CERTIFICATE) {
            // Names of columns are read without regard to capital letters; those of services are in capitals.
            let usage = usage.trim().to_ascii_uppercase();
            match line.column(column).filter(|cell| !cell.is_empty()) {
                Some(text) => document.certificates.insert(usage, text.to_owned()),
                None => document.certificates.remove(&usage),
            };
        }
    }
    document
}
