//! An adapter's own settings: any TOML, with secrets anywhere in it.

use std::path::Path;

use serde::Deserialize;
use toml::{Table, Value};

use super::Secret;

/// A table that is nothing but `{ env = "…" }` or `{ file = "…" }` is a secret.
fn as_secret(table: &Table) -> Option<Secret> {
    let one = table.len() == 1
        && table
            .iter()
            .all(|(key, value)| matches!(key.as_str(), "env" | "file") && value.is_str());
    if one {
        Secret::deserialize(Value::Table(table.clone())).ok()
    } else {
        None
    }
}

/// Files of secrets lie relative to the folder of the configuration.
pub(super) fn resolve_paths(table: &mut Table, base: &Path) {
    for (_, value) in table.iter_mut() {
        resolve_value(value, base);
    }
}

fn resolve_value(value: &mut Value, base: &Path) {
    match value {
        Value::Table(inner) => {
            let file = inner.get("file").and_then(Value::as_str).map(|file| base.join(file));
            match (as_secret(inner), file) {
                (Some(_), Some(file)) => {
                    inner.insert("file".into(), Value::String(file.to_string_lossy().into_owned()));
                }
                (Some(_), None) => {}
                (None, _) => resolve_paths(inner, base),
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| resolve_value(item, base)),
        _ => {}
    }
}

/// The settings as JSON, every secret put in. The error names the key.
pub fn resolved(table: &Table) -> Result<serde_json::Value, (String, String)> {
    object(table, "")
}

fn object(table: &Table, path: &str) -> Result<serde_json::Value, (String, String)> {
    table
        .iter()
        .map(|(key, value)| {
            let path = if path.is_empty() {
                key.clone()
            } else {
                format!("{path}.{key}")
            };
            Ok((key.clone(), json(value, &path)?))
        })
        .collect::<Result<serde_json::Map<_, _>, _>>()
        .map(serde_json::Value::Object)
}

fn json(value: &Value, path: &str) -> Result<serde_json::Value, (String, String)> {
    Ok(match value {
        Value::Table(table) => match as_secret(table) {
            Some(secret) => secret.value().map_err(|error| (path.to_owned(), error))?.into(),
            None => object(table, path)?,
        },
        Value::Array(items) => items
            .iter()
            .map(|item| json(item, path))
            .collect::<Result<Vec<_>, _>>()?
            .into(),
        Value::String(text) => text.clone().into(),
        Value::Integer(number) => (*number).into(),
        Value::Float(number) => (*number).into(),
        Value::Boolean(flag) => (*flag).into(),
        Value::Datetime(time) => time.to_string().into(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_deep_in_the_settings_is_put_in() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("word"), "hush\n").unwrap();
        let mut table: Table = toml::from_str("a = 1\n[deep]\nword = { file = \"word\" }\nenv = \"plain\"").unwrap();
        resolve_paths(&mut table, folder.path());
        let json = resolved(&table).unwrap();
        assert_eq!(json["deep"]["word"], "hush");
        assert_eq!(json["deep"]["env"], "plain");
    }

    #[test]
    fn a_secret_in_a_list_is_put_in() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("word"), "hush\n").unwrap();
        let mut table: Table =
            toml::from_str("words = [\"plain\", { file = \"word\" }, [{ deep = { file = \"word\" } }]]\n[[door]]\nword = { file = \"word\" }")
                .unwrap();
        resolve_paths(&mut table, folder.path());
        let json = resolved(&table).unwrap();
        assert_eq!(
            json["words"],
            serde_json::json!(["plain", "hush", [{ "deep": "hush" }]])
        );
        assert_eq!(json["door"][0]["word"], "hush");
    }

    #[test]
    fn a_missing_secret_is_named_by_its_key() {
        let table: Table = toml::from_str("[deep]\nword = { env = \"BUDSTIKKE_NOT_SET\" }").unwrap();
        let (key, error) = resolved(&table).unwrap_err();
        assert_eq!(key, "deep.word");
        assert!(error.contains("BUDSTIKKE_NOT_SET"));
    }
}
