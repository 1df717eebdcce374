//! Where in a TOML text something is wrong, so that an operator finds it.

use std::fmt;
use std::ops::Range;

use toml::de::{DeTable, DeValue};

/// What is wrong with a table in TOML. Whoever read the file adds its name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableError {
    /// From 1; `None` when it concerns the whole file.
    pub line: Option<usize>,
    /// Dotted name of the key; empty when it concerns the whole file.
    pub key: String,
    /// What is wrong.
    pub text: String,
}

impl TableError {
    pub(crate) fn of_toml(source: &str, error: &toml::de::Error) -> Self {
        error.span().map_or_else(
            || Self::whole(error.message()),
            |span| Self::at(source, &span, error.message()),
        )
    }

    pub(crate) fn at(source: &str, span: &Range<usize>, text: impl Into<String>) -> Self {
        let before = source.bytes().take(span.start);
        Self {
            line: Some(before.filter(|byte| *byte == b'\n').count() + 1),
            key: key_at(source, span.start).unwrap_or_default(),
            text: text.into(),
        }
    }

    pub(crate) fn whole(text: impl Into<String>) -> Self {
        Self {
            line: None,
            key: String::new(),
            text: text.into(),
        }
    }
}

impl fmt::Display for TableError {
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

impl std::error::Error for TableError {}

/// The dotted name of the key at a place, or of the value there.
fn key_at(source: &str, offset: usize) -> Option<String> {
    in_table(DeTable::parse(source).ok()?.get_ref(), offset)
}

fn in_table(table: &DeTable<'_>, offset: usize) -> Option<String> {
    let inside = table
        .iter()
        .find_map(|(name, value)| in_value(value.get_ref(), offset).map(|inner| format!("{}.{inner}", name.get_ref())));
    inside.or_else(|| {
        table
            .iter()
            .find(|(name, value)| name.span().contains(&offset) || value.span().contains(&offset))
            .map(|(name, _)| name.get_ref().to_string())
    })
}

fn in_value(value: &DeValue<'_>, offset: usize) -> Option<String> {
    match value {
        DeValue::Table(table) => in_table(table, offset),
        DeValue::Array(items) => items.iter().find_map(|item| in_value(item.get_ref(), offset)),
        _ => None,
    }
}
