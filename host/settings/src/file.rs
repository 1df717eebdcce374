//! A file of configuration, from its bytes to a value that makes sense.

use std::path::Path;

use serde::de::DeserializeOwned;

use crate::Problems;

/// What a whole file is read into.
pub trait File: DeserializeOwned {
    /// Makes relative paths count from the folder of the file.
    fn resolve_paths(&mut self, base: &Path);
    /// Everything that a parser cannot see.
    fn sense(&self, file: &Path, text: &str) -> Problems;
}

/// Reads a file; relative paths in it count from its folder.
pub fn read<F: File>(path: &Path) -> Result<F, Problems> {
    let text = std::fs::read_to_string(path)
        .map_err(|error| Problems::one(path, None, "", format!("cannot be read: {error}")))?;
    parse(&text, path)
}

/// Reads the text of the file at `path`.
pub fn parse<F: File>(text: &str, path: &Path) -> Result<F, Problems> {
    let mut config: F = toml::from_str(text).map_err(|error| Problems::of_toml(path, text, &error))?;
    config.resolve_paths(path.parent().unwrap_or(Path::new("")));
    let problems = config.sense(path, text);
    if problems.is_empty() { Ok(config) } else { Err(problems) }
}
