//! What a parser has to say, without the value that it met: that can be a secret, or a person number.

use std::ops::Range;

use toml::de::DeValue;

use super::{key_at, line_at};

/// What stands for a value that is not told.
const HIDDEN: &str = "the value";
/// Errors that name keys only.
const OF_KEYS: [&str; 3] = ["unknown field", "missing field", "duplicate"];

/// What is wrong with a TOML text, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Told {
    /// From 1.
    pub line: Option<usize>,
    /// Dotted name of the key; empty when it concerns the whole text.
    pub key: String,
    /// What is wrong. Without the value.
    pub text: String,
}

impl Told {
    /// What a parser says of a text.
    pub fn of(text: &str, error: &toml::de::Error) -> Self {
        let span = error.span();
        let start = span.as_ref().map(|span| span.start);
        Self {
            line: start.map(|start| line_at(text, start)),
            key: start.and_then(|start| key_at(text, start)).unwrap_or_default(),
            text: without_quoted(&without_values(error.message()), text, span),
        }
    }
}

/// An error of `serde` without the value that it quotes.
pub fn without_values(message: &str) -> String {
    for (kind, keeps_type) in [
        ("invalid type: ", true),
        ("invalid value: ", true),
        ("unknown variant ", false),
    ] {
        let Some((before, rest)) = message.split_once(kind) else {
            continue;
        };
        // The last one: the value can hold these words too.
        let (found, expected) = rest.rsplit_once(", expected ").unwrap_or((rest, "something else"));
        let name = if keeps_type {
            found.split(['"', '`']).next().unwrap_or_default()
        } else {
            ""
        };
        return format!("{before}{}, expected {expected}", format!("{kind}{name}").trim_end());
    }
    message.to_owned()
}

/// Hides what a message quotes from the place that it is about. Hints that it quotes stay.
fn without_quoted(message: &str, text: &str, span: Option<Range<usize>>) -> String {
    if OF_KEYS.iter().any(|begin| message.starts_with(begin)) {
        return message.to_owned();
    }
    let written = span.and_then(|span| text.get(span)).unwrap_or_default();
    let mut message = message.to_owned();
    let content = DeValue::parse(written).ok();
    if let Some(content) = content.as_ref().and_then(|value| value.get_ref().as_str())
        && !content.trim().is_empty()
    {
        for mark in ['`', '"'] {
            message = message.replace(&format!("{mark}{content}{mark}"), HIDDEN);
        }
    }
    for mark in ['`', '"'] {
        let mut told = String::new();
        for (number, part) in message.split(mark).enumerate() {
            match number % 2 {
                1 if !part.is_empty() && written.contains(part) => told.push_str(HIDDEN),
                1 => told.extend([mark.to_string().as_str(), part, mark.to_string().as_str()]),
                _ => told.push_str(part),
            }
        }
        // An odd mark is part of the words.
        if message.matches(mark).count().is_multiple_of(2) {
            message = told;
        }
    }
    message
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde::Deserialize;

    use super::*;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields, rename_all = "kebab-case")]
    #[expect(dead_code, reason = "only errors matter")]
    struct File {
        number: Option<u32>,
        kind: Option<Kind>,
        #[serde(default)]
        names: BTreeMap<String, Vec<u32>>,
        custom: Option<Custom>,
    }

    #[derive(Debug, Deserialize)]
    #[serde(rename_all = "kebab-case")]
    enum Kind {
        One,
        Two,
    }

    #[derive(Debug)]
    struct Custom;

    impl<'de> Deserialize<'de> for Custom {
        fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
            let text = String::deserialize(from)?;
            Err(serde::de::Error::custom(format!("`{text}` is no time; write `30s`")))
        }
    }

    fn told(text: &str) -> String {
        let told = Told::of(text, &toml::from_str::<File>(text).unwrap_err());
        format!("{}: {}: {}", told.line.unwrap(), told.key, told.text)
    }

    #[test]
    fn line_and_key_are_named_and_the_value_is_not() {
        for (text, expected) in [
            ("number = 'hush'", "1: number: invalid type: string, expected u32"),
            ("number = -5839", "1: number: invalid value: integer, expected u32"),
            (
                "number = ', expected u32'",
                "1: number: invalid type: string, expected u32",
            ),
            ("\nkind = 'hush'", "2: kind: unknown variant, expected `one` or `two`"),
            (
                "[names]\na = [1, 'hush']",
                "2: names.a: invalid type: string, expected u32",
            ),
            ("custom = 'hush'", "1: custom: the value is no time; write `30s`"),
            ("custom = 'hu`sh'", "1: custom: the value is no time; write `30s`"),
            (
                "custom = \"hu\\u0073h\"",
                "1: custom: the value is no time; write `30s`",
            ),
            ("colour = 'hush'", "1: colour: unknown field `colour`, expected one of "),
        ] {
            let found = told(text);
            assert!(found.starts_with(expected), "{text}: {found}");
            assert!(!found.contains("hu"), "{found}");
        }
    }

    #[test]
    fn the_place_in_an_error_of_json_stays() {
        let error = serde_json::from_str::<File>("{\"number\": \"hush\"}").unwrap_err();
        assert_eq!(
            without_values(&error.to_string()),
            "invalid type: string, expected u32 at line 1 column 17"
        );
        assert_eq!(without_values("is too long"), "is too long");
    }
}
