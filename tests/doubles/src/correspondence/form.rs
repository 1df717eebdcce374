//! The form of an upload: text parts and files, in their order (Spec: DPO and DPV, 4.6).

use std::path::Path;

use axum::extract::Multipart;
use axum::extract::multipart::Field;
use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use tempfile::{Builder, TempPath};
use tokio::fs::File;
use tokio::io::AsyncWriteExt as _;

use super::problem::Problem;

/// Longest text part, in bytes. A body has at most 30 000 characters.
const LONGEST_TEXT: usize = 1 << 20;

/// A file of the form. It goes away unless it is taken.
#[derive(Debug)]
pub(crate) struct Part {
    pub(crate) field: String,
    pub(crate) name: String,
    pub(crate) media_type: Option<String>,
    pub(crate) size: u64,
    pub(crate) stored: TempPath,
}

/// The whole form.
#[derive(Debug, Default)]
pub(crate) struct Form {
    pub(crate) fields: Vec<(String, String)>,
    pub(crate) files: Vec<Part>,
}

impl Form {
    /// Reads a form to its end; files go to the folder.
    pub(crate) async fn read(mut parts: Multipart, dir: &Path) -> Result<Self, Problem> {
        let mut form = Self::default();
        while let Some(part) = parts.next_field().await.map_err(|error| broken(&error))? {
            let name = part.name().unwrap_or_default().to_owned();
            match part.file_name().map(str::to_owned) {
                Some(file_name) => form.files.push(store(part, name, file_name, dir).await?),
                None => form.fields.push((name, text(part).await?)),
            }
        }
        Ok(form)
    }

    /// The first text part of that name. Case does not matter, and an empty part is none.
    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        let mut named = self.fields.iter().filter(|(field, _)| field.eq_ignore_ascii_case(name));
        named
            .next()
            .map(|(_, value)| value.as_str())
            .filter(|value| !value.is_empty())
    }

    /// `true` or `false`; false when absent.
    pub(crate) fn flag(&self, faults: &mut Faults, name: &str) -> bool {
        match self.text(name) {
            None => false,
            Some(text) if text.eq_ignore_ascii_case("true") => true,
            Some(text) if text.eq_ignore_ascii_case("false") => false,
            Some(_) => {
                faults.add(name, "The value must be true or false");
                false
            }
        }
    }

    /// An ISO 8601 time; without a zone it is UTC.
    pub(crate) fn time(&self, faults: &mut Faults, name: &str) -> Option<Timestamp> {
        let text = self.text(name)?;
        let bare = || text.parse::<DateTime>().ok()?.to_zoned(TimeZone::UTC).ok();
        let time = text.parse().ok().or_else(|| Some(bare()?.timestamp()));
        if time.is_none() {
            faults.add(name, "The value is not a time");
        }
        time
    }

    /// A text that must be there, of at most so many characters.
    pub(crate) fn required(&self, faults: &mut Faults, name: &str, longest: usize) -> String {
        let value = self.text(name).unwrap_or_default();
        if !(1..=longest).contains(&characters(value)) {
            faults.add(name, &format!("The field must have 1 to {longest} characters"));
        }
        value.to_owned()
    }

    /// A text that may be absent, of at most so many characters.
    pub(crate) fn optional(&self, faults: &mut Faults, name: &str, longest: usize) -> Option<&str> {
        let value = self.text(name)?;
        if characters(value) > longest {
            faults.add(name, &format!("The field can have at most {longest} characters"));
        }
        Some(value)
    }

    /// The elements of a list: `recipients[0]`, `recipients[1]`, …
    pub(crate) fn list(&self, name: &str) -> Vec<String> {
        let element = |place: usize| self.text(&format!("{name}[{place}]")).map(str::to_owned);
        (0..).map_while(element).collect()
    }
}

/// Characters as Altinn counts them: UTF-16.
pub(crate) fn characters(text: &str) -> usize {
    text.encode_utf16().count()
}

/// What is wrong with fields.
#[derive(Debug, Default)]
pub(crate) struct Faults(Vec<(String, String)>);

impl Faults {
    pub(crate) fn add(&mut self, field: &str, reason: &str) {
        self.0.push((field.to_owned(), reason.to_owned()));
    }

    /// An error when there are any.
    pub(crate) fn none(self) -> Result<(), Problem> {
        if self.0.is_empty() {
            Ok(())
        } else {
            Err(Problem::Invalid(self.0))
        }
    }
}

fn broken(error: &dyn std::fmt::Display) -> Problem {
    Problem::Invalid(vec![("body".to_owned(), format!("The form cannot be read: {error}"))])
}

async fn text(mut part: Field<'_>) -> Result<String, Problem> {
    let mut bytes = Vec::new();
    while let Some(piece) = part.chunk().await.map_err(|error| broken(&error))? {
        bytes.extend_from_slice(&piece);
        if bytes.len() > LONGEST_TEXT {
            return Err(broken(&"a text is too long"));
        }
    }
    String::from_utf8(bytes).map_err(|_| broken(&"a text is not UTF-8"))
}

async fn store(mut part: Field<'_>, field: String, name: String, dir: &Path) -> Result<Part, Problem> {
    let internal = |error: std::io::Error| Problem::Internal(error.to_string());
    let media_type = part.content_type().map(str::to_owned);
    let made = Builder::new().prefix("letter-").tempfile_in(dir).map_err(internal)?;
    let (file, stored) = made.into_parts();
    let mut file = File::from_std(file);
    let mut size = 0;
    while let Some(piece) = part.chunk().await.map_err(|error| broken(&error))? {
        size += piece.len() as u64;
        file.write_all(&piece).await.map_err(internal)?;
    }
    file.flush().await.map_err(internal)?;
    Ok(Part {
        field,
        name,
        media_type,
        size,
        stored,
    })
}
