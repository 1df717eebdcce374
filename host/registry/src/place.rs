//! Where in a TOML text something is wrong, so that an operator finds it.

use std::fmt;
use std::ops::Range;

use budstikke_settings::{Told, key_at, line_at};

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
        let Told { line, key, text } = Told::of(source, error);
        Self { line, key, text }
    }

    pub(crate) fn at(source: &str, span: &Range<usize>, text: impl Into<String>) -> Self {
        Self {
            line: Some(line_at(source, span.start)),
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
