//! What is wrong with a configuration: file, line, key, and what to do.

use std::fmt;
use std::path::{Path, PathBuf};

use budstikke_message::identifier::OrganisationNumber;
use toml::de::{DeTable, DeValue};

use super::Config;

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

    pub(super) fn of_toml(file: &Path, text: &str, error: &toml::de::Error) -> Self {
        let start = error.span().map(|span| span.start);
        let line = start.map(|start| line_at(text, start));
        let key = start.and_then(|start| key_at(text, start)).unwrap_or_default();
        Self::one(file, line, &key, error.message().to_owned())
    }

    /// Adds a problem with a key of the file; the line is looked up.
    pub fn add(&mut self, file: &Path, text: &str, key: &[&str], what: impl Into<String>) {
        self.0.push(Problem {
            file: file.to_owned(),
            line: line_of(text, key),
            key: key.join("."),
            text: what.into(),
        });
    }
}

fn line_at(text: &str, offset: usize) -> usize {
    text.bytes().take(offset).filter(|byte| *byte == b'\n').count() + 1
}

/// The dotted name of the key at a place of the file, or of the value there.
fn key_at(text: &str, offset: usize) -> Option<String> {
    let document = DeTable::parse(text).ok()?;
    in_table(document.get_ref(), offset)
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

/// The line of a key, or of the deepest part of its path that is there.
fn line_of(text: &str, key: &[&str]) -> Option<usize> {
    let document = DeTable::parse(text).ok()?;
    let mut line = None;
    let mut table = document.get_ref();
    for part in key {
        let Some((name, value)) = table.iter().find(|(name, _)| name.get_ref() == part) else {
            break;
        };
        line = Some(line_at(text, name.span().start));
        match value.get_ref() {
            DeValue::Table(inner) => table = inner,
            _ => break,
        }
    }
    line
}

/// What a parser cannot see: names that must fit together, numbers that must be in range, files that must be there.
pub(super) fn sense(config: &Config, file: &Path, text: &str) -> Problems {
    let mut problems = Problems::default();
    let mut add = |key: &[&str], what: String| problems.add(file, text, key, what);
    if config.organisation.number.parse::<OrganisationNumber>().is_err() {
        add(&["organisation", "number"], "must be nine digits".into());
    }
    if !config.organisation.keystore.path.is_file() {
        let what = format!("no such file: {}", config.organisation.keystore.path.display());
        add(&["organisation", "keystore"], what);
    }
    for (key, value, range) in [
        (
            "lifetime-hours",
            u64::from(config.messages.lifetime_hours),
            1..=24 * 365,
        ),
        ("lock-minutes", u64::from(config.messages.lock_minutes), 1..=24 * 60),
        ("concurrency", config.messages.concurrency as u64, 1..=1000),
    ] {
        if !range.contains(&value) {
            add(
                &["messages", key],
                format!("must be from {} to {}", range.start(), range.end()),
            );
        }
    }
    if config.messages.retry_seconds.is_empty() || config.messages.retry_seconds.contains(&0) {
        add(
            &["messages", "retry-seconds"],
            "must be one or more numbers of at least 1".into(),
        );
    }
    if config.plugins.poll_seconds == 0 {
        add(&["plugins", "poll-seconds"], "must be at least 1".into());
    }
    for (name, profile) in &config.tokens {
        let keystore = profile.keystore.as_ref().map(|keystore| &keystore.path);
        for (key, path) in [("keystore", keystore), ("jwk", profile.jwk.as_ref())] {
            if let Some(path) = path.filter(|path| !path.is_file()) {
                add(&["tokens", name, key], format!("no such file: {}", path.display()));
            }
        }
        for (key, url) in [
            ("url", Some(&profile.url)),
            ("exchange-url", profile.exchange_url.as_ref()),
        ] {
            if let Some(url) = url
                && reqwest::Url::parse(url).is_err()
            {
                add(&["tokens", name, key], format!("is no URL: {url}"));
            }
        }
        if profile.jwk.is_some() && profile.keystore.is_some() {
            add(&["tokens", name, "jwk"], "give either jwk or keystore, not both".into());
        }
        if let Some(own) = &profile.own_system_user
            && !profile.system_users.contains_key(own)
        {
            add(
                &["tokens", name, "own-system-user"],
                format!("{own} is not among system-users"),
            );
        }
    }
    let mut served: Vec<(&str, &str)> = Vec::new();
    for (name, adapter) in config.adapters.iter().filter(|(_, adapter)| adapter.enabled) {
        if adapter.component.contains(['/', '\\']) || adapter.component.is_empty() {
            add(
                &["adapters", name, "component"],
                "must be the name of a file in the plugin folder".into(),
            );
        }
        if adapter.services.is_empty() {
            add(&["adapters", name, "services"], "must name at least one service".into());
        }
        if let Some(path) = adapter.extra_authorities.as_ref().filter(|path| !path.is_file()) {
            add(
                &["adapters", name, "extra-authorities"],
                format!("no such file: {}", path.display()),
            );
        }
        for profile in adapter
            .grants
            .tokens
            .iter()
            .filter(|profile| !config.tokens.contains_key(*profile))
        {
            add(
                &["adapters", name, "grants", "tokens"],
                format!("there is no [tokens.{profile}]"),
            );
        }
        for service in &adapter.services {
            if let Some((other, _)) = served.iter().find(|(_, taken)| taken == service) {
                add(
                    &["adapters", name, "services"],
                    format!("{service} is served by [adapters.{other}] already"),
                );
            }
            served.push((name, service));
        }
    }
    for (number, receiver) in config.registry.receivers.iter().enumerate() {
        for capability in &receiver.capabilities {
            if let Some(path) = capability.certificate.as_ref().filter(|path| !path.is_file()) {
                // By its place: the identifier can be a person's.
                let what = format!("receiver number {}: no such file: {}", number + 1, path.display());
                add(&["registry", "receivers"], what);
            }
        }
    }
    problems
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_problem_names_file_line_and_key() {
        let text = "[organisation]\nnumber = \"12\"\n\n[adapters.dpo]\ncomponent = \"x\"\n";
        let mut problems = Problems::default();
        problems.add(Path::new("b.toml"), text, &["adapters", "dpo", "component"], "is bad");
        problems.add(
            Path::new("b.toml"),
            text,
            &["adapters", "dpo", "services"],
            "is missing",
        );
        assert_eq!(
            problems.to_string(),
            "b.toml:5: adapters.dpo.component: is bad\nb.toml:4: adapters.dpo.services: is missing"
        );
    }
}
