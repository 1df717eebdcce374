//! Files of rows: TOML, or CSV of one kind of row. Everything that is wrong is told at once, by line and column or key.

mod csv_file;
mod documents;
mod toml_file;

use std::fmt;

use super::Import;
use crate::data::Snapshot;

pub(crate) use documents::ProcessDocument;
pub use documents::{AddressDocument, OrganisationDocument, OverrideDocument};

/// Faults that are told. Of those that come after them only how many there are.
const TOLD: usize = 100;

/// Formats of files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// Columns: those of processes, or those of organisations.
    Csv,
    /// `[[processes]]`, `document-types`, `[[organisations]]`.
    Toml,
}

/// One thing that is wrong with a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// From 1.
    pub line: Option<usize>,
    /// Name of the column, or dotted name of the key; empty when it concerns the whole line.
    pub key: String,
    /// What is wrong. Never the value: it can be a secret that somebody put into the wrong file.
    pub text: String,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(line) = self.line {
            write!(f, "line {line}: ")?;
        }
        if !self.key.is_empty() {
            write!(f, "{}: ", self.key)?;
        }
        f.write_str(&self.text)
    }
}

/// Everything that is wrong with a file, as far as anybody wants to read it.
#[derive(Default)]
struct Faults {
    told: Vec<Fault>,
    more: usize,
}

impl Faults {
    fn add(&mut self, line: Option<usize>, key: impl Into<String>, text: impl Into<String>) {
        if self.told.len() < TOLD {
            self.told.push(Fault {
                line,
                key: key.into(),
                text: text.into(),
            });
        } else {
            self.more += 1;
        }
    }

    /// What was read, when nothing is wrong.
    fn or<T>(mut self, read: T) -> Result<T, Vec<Fault>> {
        if self.told.is_empty() {
            return Ok(read);
        }
        if self.more > 0 {
            self.told.push(Fault {
                line: None,
                key: String::new(),
                text: format!("and {} more faults", self.more),
            });
        }
        Err(self.told)
    }
}

/// Reads a file. Rows of TOML are whole and replace what is there under their names. A CSV file says nothing about columns that it
/// does not have: for those, what is in `current` stays. Of many faults the first hundred are told.
pub fn read(text: &str, format: Format, current: &Snapshot) -> Result<Import, Vec<Fault>> {
    match format {
        Format::Csv => csv_file::read(text, current),
        Format::Toml => toml_file::read(text),
    }
}

#[cfg(test)]
mod tests;
