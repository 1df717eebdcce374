//! A value that may be written in the file, or better: elsewhere.

use std::path::{Path, PathBuf};

use serde::Deserialize;

/// `"text"`, `{ env = "NAME" }` or `{ file = "path" }`. Never printed.
#[derive(Clone, Deserialize)]
#[serde(untagged, expecting = "expected a text, { env = \"NAME\" } or { file = \"path\" }")]
pub enum Secret {
    /// In the file itself.
    Plain(String),
    /// In an environment variable.
    Env(InEnv),
    /// In a file of its own; one trailing line break is cut.
    File(InFile),
}

/// `{ env = "NAME" }`
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InEnv {
    env: String,
}

/// `{ file = "path" }`
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InFile {
    file: PathBuf,
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret")
    }
}

impl Secret {
    /// The value, or why it cannot be had.
    pub fn value(&self) -> Result<String, String> {
        match self {
            Self::Plain(value) => Ok(value.clone()),
            Self::Env(InEnv { env }) => {
                std::env::var(env).map_err(|_| format!("the environment variable {env} is not set"))
            }
            Self::File(InFile { file }) => {
                let text = std::fs::read_to_string(file).map_err(|error| format!("{}: {error}", file.display()))?;
                Ok(text
                    .strip_suffix('\n')
                    .map_or(text.as_str(), |rest| rest.strip_suffix('\r').unwrap_or(rest))
                    .into())
            }
        }
    }

    /// The file that it stands in, when it has one of its own.
    pub fn path(&self) -> Option<&Path> {
        match self {
            Self::File(InFile { file }) => Some(file),
            Self::Plain(_) | Self::Env(_) => None,
        }
    }

    /// Makes the path of its file count from a folder.
    pub fn resolve_path(&mut self, base: &Path) {
        if let Self::File(InFile { file }) = self {
            *file = base.join(&*file);
        }
    }
}
