//! What is wrong with a file.

use std::fmt;
use std::path::{Path, PathBuf};

use crate::place::place_of;
use crate::told::Told;

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The file.
    pub file: PathBuf,
    /// From 1.
    pub line: Option<usize>,
    /// Dotted name; empty when it concerns the whole file.
    pub key: String,
    /// What is wrong.
    pub text: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.file.display())?;
        if let Some(line) = self.line {
            write!(f, ":{line}")?;
        }
        if !self.key.is_empty() {
            write!(f, ": {}", self.key)?;
        }
        write!(f, ": {}", self.text)
    }
}

/// Everything that is wrong, in the order of the file.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Problems(pub Vec<Problem>);

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, problem) in self.0.iter().enumerate() {
            if index > 0 {
                writeln!(f)?;
            }
            write!(f, "{problem}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Problems {}

impl Problems {
    /// A single problem.
    pub fn one(file: &Path, line: Option<usize>, key: &str, text: String) -> Self {
        Self(vec![Problem {
            file: file.to_owned(),
            line,
            key: key.to_owned(),
            text,
        }])
    }

    /// True when nothing is wrong.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn of_toml(file: &Path, text: &str, error: &toml::de::Error) -> Self {
        let told = Told::of(text, error);
        Self::one(file, told.line, &told.key, told.text)
    }

    /// Adds a problem with a key of the file; the line is looked up. A number in the key can stand for the element of a list.
    pub fn add(&mut self, file: &Path, text: &str, key: &[&str], what: impl Into<String>) {
        let (line, numbers) = place_of(text, key);
        let names = key.iter().enumerate().filter(|(at, _)| !numbers.contains(at));
        self.0.push(Problem {
            file: file.to_owned(),
            line,
            key: names.map(|(_, name)| *name).collect::<Vec<_>>().join("."),
            text: what.into(),
        });
    }
}
