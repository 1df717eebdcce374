//! `[[messages.types]]` and `[[messages.processes]]`: what the operator adds to the tables of eFormidling.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use budstikke_message::body::schema::BodySchema;
use budstikke_message::document_type::{Files, MessageType, MessageTypeError, MessageTypes};
use budstikke_message::identifier::ProcessId;
use budstikke_message::process::Processes;
use serde::Deserialize;

use super::Messages;

/// Largest schema that is read, bytes.
const SCHEMA_BYTES: u64 = 2 * 1024 * 1024;

/// `[[messages.types]]`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct OwnType {
    /// The name, and the member name of the body.
    pub r#type: String,
    /// The document type; ends in `::` and the name.
    pub standard: String,
    /// Whether there are files. Default: optional, none for a receipt.
    pub files: Option<FileUse>,
    /// Whether it is a kvittering, which comes without a container.
    #[serde(default)]
    pub receipt: bool,
    /// Whether the body's `hoveddokument` must name a file.
    #[serde(default)]
    pub needs_primary: bool,
    /// JSON Schema for the body.
    pub schema: Option<PathBuf>,
}

/// Whether a message has files.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FileUse {
    /// At least one.
    Required,
    /// With or without.
    Optional,
    /// Never.
    None,
}

impl From<FileUse> for Files {
    fn from(given: FileUse) -> Self {
        match given {
            FileUse::Required => Self::Required,
            FileUse::Optional => Self::Optional,
            FileUse::None => Self::None,
        }
    }
}

/// `[[messages.processes]]`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct OwnProcess {
    /// The process.
    pub id: String,
    /// The process that statuses and receipts travel in.
    pub response: String,
}

/// What is wrong with a row of one of the two lists.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("[[messages.{list}]] number {}: {key}: {text}", .number + 1)]
pub struct RowFault {
    /// `types` or `processes`.
    pub list: &'static str,
    /// From 0.
    pub number: usize,
    /// The key of the row.
    pub key: &'static str,
    /// What is wrong.
    pub text: String,
}

impl Messages {
    /// The message types that are known here: eFormidling's and the operator's. Reads the schemas.
    pub fn known_types(&self) -> Result<MessageTypes, Vec<RowFault>> {
        let mut types = MessageTypes::standard();
        let mut faults = Vec::new();
        for (number, own) in self.types.iter().enumerate() {
            if let Err((key, text)) = add(&mut types, own) {
                faults.push(RowFault {
                    list: "types",
                    number,
                    key,
                    text,
                });
            }
        }
        if faults.is_empty() { Ok(types) } else { Err(faults) }
    }

    /// The operator's processes.
    pub fn own_processes(&self) -> Result<Processes, Vec<RowFault>> {
        let mut processes = Processes::default();
        let mut faults = Vec::new();
        for (number, own) in self.processes.iter().enumerate() {
            if let Err(error) = processes.add(&own.id, &own.response) {
                faults.push(RowFault {
                    list: "processes",
                    number,
                    key: if own.response.parse::<ProcessId>().is_err() {
                        "response"
                    } else {
                        "id"
                    },
                    text: error.to_string(),
                });
            }
        }
        if faults.is_empty() { Ok(processes) } else { Err(faults) }
    }
}

fn add(types: &mut MessageTypes, own: &OwnType) -> Result<(), (&'static str, String)> {
    let mut row = MessageType::new(own.r#type.clone().into(), own.standard.clone().into());
    row.receipt = own.receipt;
    row.needs_primary = own.needs_primary;
    row.files = own
        .files
        .map_or(if own.receipt { Files::None } else { Files::Optional }, Files::from);
    if row.receipt && row.files != Files::None {
        return Err(("files", "a receipt has no files: leave it out, or say none".into()));
    }
    if row.needs_primary && row.files == Files::None {
        let text = "a message without files has no primary document";
        return Err(("needs-primary", text.into()));
    }
    if let Some(path) = &own.schema {
        let in_file = |error: String| ("schema", format!("{}: {error}", path.display()));
        let text = read(path).map_err(|error| in_file(error.to_string()))?;
        row.schema = Some(BodySchema::compile(&text).map_err(|error| in_file(error.to_string()))?);
    }
    types.add(row).map_err(|error| {
        let key = if matches!(error, MessageTypeError::Standard { .. }) {
            "standard"
        } else {
            "type"
        };
        (key, error.to_string())
    })
}

fn read(path: &Path) -> io::Result<Vec<u8>> {
    let mut text = Vec::new();
    File::open(path)?.take(SCHEMA_BYTES).read_to_end(&mut text)?;
    Ok(text)
}
