//! Checks a body against its table.

use serde_json::{Map, Value};

use super::{ADDRESS, Field, Kind};
use crate::datetime::{self, DateTime};
use crate::violation::{Violation, code};

/// Most violations that are collected; a client that gets this many has enough to do.
pub(super) const MAX_VIOLATIONS: usize = 100;

/// Every rule of the table that the body breaks, at most a hundred. `path` is the member name of the body.
pub fn check(fields: &[Field], body: &Map<String, Value>, path: &str) -> Vec<Violation> {
    let mut found = Vec::new();
    members(fields, body, path, &mut found);
    found.truncate(MAX_VIOLATIONS);
    found
}

/// Fills members that the client left out and that have a default.
pub fn fill_defaults(fields: &[Field], body: &mut Map<String, Value>) {
    for field in fields {
        if let Some(default) = field.default
            && body.get(field.name).is_none_or(Value::is_null)
        {
            body.insert(field.name.to_owned(), default.into());
        }
    }
}

fn members(fields: &[Field], object: &Map<String, Value>, path: &str, found: &mut Vec<Violation>) {
    for field in fields {
        if found.len() >= MAX_VIOLATIONS {
            return;
        }
        let path = format!("{path}.{}", field.name);
        match object.get(field.name) {
            None | Some(Value::Null) if field.required => found.push(Violation::missing(path)),
            None | Some(Value::Null) => {}
            Some(value) => one(field.kind, value, &path, found),
        }
    }
}

fn one(kind: Kind, value: &Value, path: &str, found: &mut Vec<Violation>) {
    if found.len() >= MAX_VIOLATIONS {
        return;
    }
    match (kind, value) {
        // Numbers and booleans do as text, as they do for the Java integrasjonspunkt.
        (Kind::Any, _)
        | (Kind::Boolean, Value::Bool(_))
        | (Kind::Text, Value::String(_) | Value::Number(_) | Value::Bool(_)) => {}
        (Kind::OneOf(allowed), Value::String(text)) => {
            if !allowed.contains(&text.as_str()) {
                found.push(not_one_of(path, &allowed.join(", ")).rejecting(text));
            }
        }
        (Kind::Integer, value) if integer(value).is_some() => {}
        (Kind::IntegerOneOf(allowed), value) if integer(value).is_some() => {
            if !integer(value).is_some_and(|number| allowed.contains(&number)) {
                let allowed: Vec<_> = allowed.iter().map(ToString::to_string).collect();
                found.push(not_one_of(path, &allowed.join(", ")).rejecting(&plain(value)));
            }
        }
        (Kind::Date, Value::String(text)) => {
            if datetime::parse_date(text).is_err() {
                found.push(mismatch(path, "a date such as 2026-03-02").rejecting(text));
            }
        }
        (Kind::DateTime, Value::String(text)) => {
            if text.parse::<DateTime>().is_err() {
                found.push(mismatch(path, "a date-time such as 2026-03-02T09:15:00+01:00").rejecting(text));
            }
        }
        (Kind::Object(fields), Value::Object(object)) => members(fields, object, path, found),
        (Kind::Address, Value::Object(object)) => address(object, path, found),
        (Kind::List(fields), Value::Array(items)) => {
            for (number, item) in items.iter().enumerate() {
                one(Kind::Object(fields), item, &format!("{path}[{number}]"), found);
            }
        }
        (Kind::TextMap, Value::Object(object)) => {
            for (name, value) in object {
                one(Kind::Text, value, &entry(path, name), found);
            }
        }
        (Kind::Map(fields), Value::Object(object)) => {
            for (name, value) in object {
                one(Kind::Object(fields), value, &entry(path, name), found);
            }
        }
        (kind, _) => found.push(mismatch(path, expected(kind))),
    }
}

/// An address needs its first line, and a Norwegian one also a postal code and area. Norwegian is an absent country,
/// `Norge` and `Norway`; `NO` and the empty text count as foreign. Spec: documents and packaging, 4.6.
fn address(object: &Map<String, Value>, path: &str, found: &mut Vec<Violation>) {
    members(ADDRESS, object, path, found);
    let text = |name: &str| object.get(name).and_then(Value::as_str);
    let norwegian = text("land").is_none_or(|land| ["norge", "norway"].contains(&land.to_lowercase().as_str()));
    let needed: &[&str] = if norwegian {
        &["adresselinje1", "postnummer", "poststed"]
    } else {
        &["adresselinje1"]
    };
    for name in needed {
        let path = format!("{path}.{name}");
        let reported = found.iter().any(|violation| violation.field == path);
        let blank = match object.get(*name) {
            None | Some(Value::Null) => true,
            Some(value) => value.as_str().is_some_and(|text| text.trim().is_empty()),
        };
        if blank && !reported {
            found.push(Violation::missing(path));
        }
    }
}

/// A whole number, written as a number or as text.
pub(crate) fn integer(value: &Value) -> Option<i64> {
    match value {
        Value::Number(number) => number.as_i64(),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    }
}

fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

fn entry(path: &str, name: &str) -> String {
    let short: String = name.chars().take(100).collect();
    format!("{path}[{short}]")
}

fn not_one_of(path: &str, allowed: &str) -> Violation {
    Violation::new(path, code::ONE_OF, format!("must be one of {allowed}"))
}

fn mismatch(path: &str, expected: &str) -> Violation {
    Violation::new(path, code::TYPE_MISMATCH, format!("must be {expected}"))
}

fn expected(kind: Kind) -> &'static str {
    match kind {
        Kind::Text | Kind::OneOf(_) => "text",
        Kind::Integer | Kind::IntegerOneOf(_) => "a whole number",
        Kind::Boolean => "true or false",
        Kind::Date => "a date such as 2026-03-02",
        Kind::DateTime => "a date-time such as 2026-03-02T09:15:00+01:00",
        Kind::Object(_) | Kind::Address | Kind::TextMap | Kind::Map(_) => "an object",
        Kind::List(_) => "a list",
        Kind::Any => "any value",
    }
}

#[cfg(test)]
#[path = "check_tests.rs"]
mod tests;
