//! Values by name, from several files and the environment, with the place that each comes from.

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::time::Duration;

use budstikke_settings::{Problem, Problems};
use url::Url;

use super::text::{Entry, parse};

/// How often a placeholder may stand in what a placeholder stands for.
const DEPTH: usize = 10;

/// A name as names are compared.
pub(super) fn canonical(name: &str) -> String {
    name.chars()
        .filter(|c| *c != '-' && *c != '_')
        .flat_map(char::to_lowercase)
        .collect()
}

/// The environment variable of a name.
fn variable(canonical: &str) -> String {
    let name: String = canonical
        .chars()
        .filter(|c| *c != ']')
        .map(|c| {
            if c == '.' || c == '[' {
                '_'
            } else {
                c.to_ascii_uppercase()
            }
        })
        .collect();
    name
}

pub(super) struct Source {
    pub(super) file: PathBuf,
    pub(super) entries: Vec<(String, Entry)>,
}

impl Source {
    pub(super) fn read(file: &Path) -> Result<Self, Problems> {
        let told = |line, text| Problems::one(file, line, "", text);
        let bytes = std::fs::read(file).map_err(|error| told(None, format!("cannot be read: {error}")))?;
        // Older files are in ISO 8859-1, of which every byte is a character.
        let text = String::from_utf8(bytes)
            .unwrap_or_else(|error| error.into_bytes().iter().map(|byte| char::from(*byte)).collect());
        let entries = parse(&text).map_err(|(line, error)| told(Some(line), error))?;
        Ok(Self {
            file: file.to_owned(),
            entries: entries
                .into_iter()
                .map(|entry| (canonical(&entry.name), entry))
                .collect(),
        })
    }

    /// The last one counts, as in Java.
    fn get(&self, name: &str) -> Option<&Entry> {
        let found = self.entries.iter().rev().find(|(known, _)| known == name);
        found.map(|(_, entry)| entry)
    }
}

/// Where a value comes from.
#[derive(Clone)]
pub(super) struct Origin {
    pub(super) file: PathBuf,
    pub(super) line: Option<usize>,
    pub(super) name: String,
}

pub(super) struct Reader<'a> {
    pub(super) sources: Vec<Source>,
    pub(super) variables: &'a dyn Fn(&str) -> Option<String>,
    pub(super) problems: Vec<Problem>,
    pub(super) asked: HashSet<String>,
}

impl Reader<'_> {
    fn find(&self, canonical: &str) -> Option<(String, Origin)> {
        let of = |source: &Source| {
            source.get(canonical).map(|entry| {
                let origin = Origin {
                    file: source.file.clone(),
                    line: Some(entry.line),
                    name: entry.name.clone(),
                };
                (entry.value.clone(), origin)
            })
        };
        let mut sources = self.sources.iter();
        // The file in the working directory beats everything; the environment beats what stands beside it.
        if let Some(found) = sources.next().and_then(of) {
            return Some(found);
        }
        let name = variable(canonical);
        if let Some(value) = (self.variables)(&name) {
            let origin = Origin {
                file: PathBuf::from("environment"),
                line: None,
                name,
            };
            return Some((value, origin));
        }
        sources.find_map(of)
    }

    pub(super) fn origin_of(&self, name: &str) -> Origin {
        Origin {
            file: self
                .sources
                .first()
                .map(|source| source.file.clone())
                .unwrap_or_default(),
            line: None,
            name: name.to_owned(),
        }
    }

    pub(super) fn problem(&mut self, origin: Origin, text: impl Into<String>) {
        self.problems.push(Problem {
            file: origin.file,
            line: origin.line,
            key: origin.name,
            text: text.into(),
        });
    }

    fn resolve(&self, value: &str, depth: usize) -> Result<String, String> {
        let Some(start) = value.find("${") else {
            return Ok(value.to_owned());
        };
        if depth == DEPTH {
            return Err("its placeholders stand for each other".into());
        }
        let end = value[start..].find('}').map(|end| start + end);
        let end = end.ok_or("a placeholder has no `}`")?;
        let inside = &value[start + 2..end];
        let (name, default) = inside
            .split_once(':')
            .map_or((inside, None), |(name, default)| (name, Some(default)));
        let found = self.find(&canonical(name)).map(|(value, _)| value);
        let found = found.or_else(|| default.map(ToOwned::to_owned));
        let found = found.ok_or_else(|| format!("the placeholder ${{{name}}} stands for nothing"))?;
        let resolved = format!(
            "{}{}{}",
            &value[..start],
            self.resolve(&found, depth + 1)?,
            &value[end + 1..]
        );
        self.resolve(&resolved, depth + 1)
    }

    /// A value and where it stands; empty ones are as good as none.
    pub(super) fn text(&mut self, name: &str) -> Option<(String, Origin)> {
        let canonical = canonical(name);
        self.asked.insert(canonical.clone());
        let (value, origin) = self.find(&canonical)?;
        match self.resolve(&value, 0) {
            Ok(value) if value.trim().is_empty() => None,
            Ok(value) => Some((value.trim().to_owned(), origin)),
            Err(error) => {
                self.problem(origin, error);
                None
            }
        }
    }

    pub(super) fn read<T>(&mut self, name: &str, what: &str, read: impl Fn(&str) -> Option<T>) -> Option<T> {
        let (value, origin) = self.text(name)?;
        let read = read(&value);
        if read.is_none() {
            self.problem(origin, format!("must be {what}"));
        }
        read
    }

    pub(super) fn flag(&mut self, name: &str, default: bool) -> bool {
        let read = |value: &str| match value.to_ascii_lowercase().as_str() {
            "true" | "on" | "yes" | "1" => Some(true),
            "false" | "off" | "no" | "0" => Some(false),
            _ => None,
        };
        self.read(name, "true or false", read).unwrap_or(default)
    }

    pub(super) fn millis(&mut self, name: &str, default: u64) -> Duration {
        let read = |value: &str| value.parse().ok().filter(|millis| *millis > 0);
        let what = "a number of milliseconds greater than 0";
        Duration::from_millis(self.read(name, what, read).unwrap_or(default))
    }

    pub(super) fn count(&mut self, name: &str, default: u32) -> u32 {
        let read = |value: &str| value.parse().ok().filter(|count| *count > 0);
        self.read(name, "a number greater than 0", read).unwrap_or(default)
    }

    pub(super) fn url(&mut self, name: &str) -> Option<String> {
        self.read(name, "a URL that begins with http:// or https://", |value| {
            let url = Url::parse(value).ok()?;
            ["http", "https"].contains(&url.scheme()).then(|| value.to_owned())
        })
    }

    /// `name=a,b`, or `name[0]=a` and so on.
    pub(super) fn list(&mut self, name: &str) -> Vec<(String, Origin)> {
        if let Some((value, origin)) = self.text(name) {
            let parts = value.split(',').map(str::trim).filter(|part| !part.is_empty());
            return parts.map(|part| (part.to_owned(), origin.clone())).collect();
        }
        (0..)
            .map_while(|index| self.text(&format!("{name}[{index}]")))
            .collect()
    }
}
