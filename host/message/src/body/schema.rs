//! A JSON Schema for the body of a message type, given by the operator.
//!
//! Draft 4 to 2020-12, told by `$schema`; 2020-12 when that is missing. Nothing is fetched: a reference must stay inside the
//! schema or name a published meta-schema. Patterns run in time linear in the text; look-around and back-references are
//! refused.

use std::fmt;
use std::sync::Arc;

use jsonschema::error::ValidationErrorKind;
use jsonschema::paths::{Location, LocationSegment};
use jsonschema::{PatternOptions, ValidationError, Validator};
use serde_json::{Map, Value};

use super::check::MAX_VIOLATIONS;
use crate::violation::{Violation, code};

/// Longest schema, in bytes.
const MAX_BYTES: usize = 1024 * 1024;
/// Most memory that one compiled pattern may take, in bytes.
const PATTERN_BYTES: usize = 1024 * 1024;
/// Bodies with more values than this are told their first violation only.
const MANY_VALUES: usize = 10_000;
/// Longest text of a violation, and longest member name in its path, in characters.
const MAX_MESSAGE: usize = 300;
const MAX_NAME: usize = 100;
/// Most members of a path.
const MAX_DEPTH: usize = 20;

/// What the rules of a schema are called where fagsystemer know them by another name.
const CODES: [(&str, &str); 12] = [
    ("required", code::NOT_NULL),
    ("type", code::TYPE_MISMATCH),
    ("enum", code::ONE_OF),
    ("const", code::ONE_OF),
    ("minLength", code::SIZE),
    ("maxLength", code::SIZE),
    ("minItems", code::SIZE),
    ("maxItems", code::SIZE),
    ("minProperties", code::SIZE),
    ("maxProperties", code::SIZE),
    ("pattern", code::PATTERN),
    ("propertyNames", code::PATTERN),
];

/// The others keep their own names.
const KEYWORDS: [&str; 15] = [
    "additionalItems",
    "additionalProperties",
    "anyOf",
    "contains",
    "contentEncoding",
    "contentMediaType",
    "exclusiveMaximum",
    "exclusiveMinimum",
    "format",
    "maximum",
    "minimum",
    "multipleOf",
    "not",
    "oneOf",
    "uniqueItems",
];

/// Why a schema cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SchemaError {
    /// A schema of a megabyte is a mistake.
    #[error("the schema is longer than {MAX_BYTES} bytes")]
    TooLarge,
    /// Not JSON; the text says line and column.
    #[error("the schema is no JSON: {0}")]
    Json(String),
    /// A reference that leads out of the schema.
    #[error("the schema refers to something outside itself, and nothing is fetched: {0}")]
    Reference(String),
    /// Not a schema of its draft, or a pattern that is not taken.
    #[error("at {place} of the schema: {fault}")]
    Invalid {
        /// JSON pointer into the schema.
        place: String,
        /// What is wrong there.
        fault: String,
    },
}

/// A schema that bodies can be held against. Cheap to clone; equal to its clones only.
#[derive(Clone)]
pub struct BodySchema(Arc<Validator>);

impl BodySchema {
    /// Compiles a schema.
    pub fn compile(text: &[u8]) -> Result<Self, SchemaError> {
        if text.len() > MAX_BYTES {
            return Err(SchemaError::TooLarge);
        }
        let schema: Value = serde_json::from_slice(text).map_err(|error| SchemaError::Json(error.to_string()))?;
        let validator = jsonschema::options()
            .with_pattern_options(PatternOptions::regex().size_limit(PATTERN_BYTES))
            .offline()
            .build(&schema)
            .map_err(|error| refusal(&error))?;
        Ok(Self(Arc::new(validator)))
    }

    /// Every rule that the body breaks, at most a hundred; only the first one when the body is very large. `path` is the
    /// member name of the body.
    pub fn check(&self, body: &Map<String, Value>, path: &str) -> Vec<Violation> {
        let body = Value::Object(body.clone());
        if self.0.is_valid(&body) {
            return Vec::new();
        }
        if count(&body, MANY_VALUES) >= MANY_VALUES {
            let first = self.0.validate(&body).err();
            return first.iter().map(|error| violation(error, path)).collect();
        }
        let errors = self.0.iter_errors(&body).take(MAX_VIOLATIONS);
        errors.map(|error| violation(&error, path)).collect()
    }
}

impl PartialEq for BodySchema {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl fmt::Debug for BodySchema {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("BodySchema")
    }
}

fn refusal(error: &ValidationError<'_>) -> SchemaError {
    if let ValidationErrorKind::Referencing(error) = error.kind() {
        return SchemaError::Reference(cut(&error.to_string(), MAX_MESSAGE));
    }
    let place = match error.instance_path().as_str() {
        "" => "the top".to_owned(),
        place => cut(place, MAX_MESSAGE),
    };
    SchemaError::Invalid {
        place,
        fault: cut(&error.to_string(), MAX_MESSAGE),
    }
}

fn violation(error: &ValidationError<'_>, path: &str) -> Violation {
    let field = below(path, error.instance_path());
    if let ValidationErrorKind::Required { property } = error.kind() {
        let name = cut(property.as_str().unwrap_or_default(), MAX_NAME);
        return Violation::missing(format!("{field}.{name}"));
    }
    let place = error.schema_path().as_str();
    let keyword = match error.kind() {
        // The schema `false` has no keyword; it stands in the place of one, such as `additionalProperties`.
        ValidationErrorKind::FalseSchema => place.rsplit('/').next().unwrap_or_default(),
        kind => kind.keyword(),
    };
    let code = CODES
        .iter()
        .find_map(|(name, code)| (*name == keyword).then_some(*code))
        .or_else(|| KEYWORDS.iter().find(|name| **name == keyword).copied())
        .unwrap_or("schema");
    let violation = Violation::new(field, code, cut(&error.masked().to_string(), MAX_MESSAGE));
    match error.instance().as_ref() {
        Value::String(text) => violation.rejecting(text),
        Value::Number(number) => violation.rejecting(&number.to_string()),
        Value::Bool(flag) => violation.rejecting(&flag.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => violation,
    }
}

/// The way to a member as the API writes it: `byggesak.parter[0].navn`.
fn below(path: &str, place: &Location) -> String {
    let mut field = path.to_owned();
    for segment in place.iter().take(MAX_DEPTH) {
        match segment {
            LocationSegment::Property(name) => {
                field.push('.');
                field.push_str(&cut(&name, MAX_NAME));
            }
            LocationSegment::Index(number) => field.extend(["[", &number.to_string(), "]"]),
        }
    }
    field
}

/// How many values there are, counted up to `enough`.
fn count(value: &Value, enough: usize) -> usize {
    let inner: Box<dyn Iterator<Item = &Value>> = match value {
        Value::Array(items) => Box::new(items.iter()),
        Value::Object(members) => Box::new(members.values()),
        _ => return 1,
    };
    let mut found = 1;
    for value in inner {
        if found >= enough {
            break;
        }
        found += count(value, enough - found);
    }
    found
}

fn cut(text: &str, characters: usize) -> String {
    text.chars().take(characters).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn schema(schema: &Value) -> Result<BodySchema, SchemaError> {
        BodySchema::compile(schema.to_string().as_bytes())
    }

    fn broken(rules: &Value, body: Value) -> Vec<(String, &'static str)> {
        let Value::Object(body) = body else {
            panic!("a body is an object")
        };
        let mut found: Vec<_> = schema(rules)
            .unwrap()
            .check(&body, "byggesak")
            .into_iter()
            .map(|violation| (violation.field, violation.code))
            .collect();
        found.sort();
        found
    }

    fn one(field: &str, code: &'static str) -> Vec<(String, &'static str)> {
        vec![(field.to_owned(), code)]
    }

    #[test]
    fn every_rule_has_the_name_that_fagsystemer_know_or_its_own() {
        for (rules, body, expected) in [
            (json!({ "required": ["a"] }), json!({}), one("byggesak.a", "NotNull")),
            (
                json!({ "properties": { "a": { "type": "string" } } }),
                json!({ "a": 1 }),
                one("byggesak.a", "typeMismatch"),
            ),
            (
                json!({ "properties": { "a": { "enum": ["x"] } } }),
                json!({ "a": "y" }),
                one("byggesak.a", "OneOf"),
            ),
            (
                json!({ "properties": { "a": { "items": { "properties": { "b": { "maxLength": 1 } } } } } }),
                json!({ "a": [{}, { "b": "xy" }] }),
                one("byggesak.a[1].b", "Size"),
            ),
            (
                json!({ "properties": { "a": { "pattern": "^[a-z]+$" } } }),
                json!({ "a": "1" }),
                one("byggesak.a", "Pattern"),
            ),
            (
                json!({ "properties": { "a": { "minimum": 3 } } }),
                json!({ "a": 2 }),
                one("byggesak.a", "minimum"),
            ),
            (
                json!({ "additionalProperties": false }),
                json!({ "a": 2 }),
                one("byggesak", "additionalProperties"),
            ),
            (json!({ "not": {} }), json!({}), one("byggesak", "not")),
            (
                json!({ "dependentRequired": { "a": ["b"] } }),
                json!({ "a": 1 }),
                one("byggesak.b", "NotNull"),
            ),
        ] {
            assert_eq!(broken(&rules, body), expected, "{rules}");
        }
    }

    #[test]
    fn a_body_that_matches_breaks_nothing_in_any_draft() {
        for draft in [
            "http://json-schema.org/draft-04/schema#",
            "http://json-schema.org/draft-07/schema#",
            "https://json-schema.org/draft/2019-09/schema",
            "https://json-schema.org/draft/2020-12/schema",
        ] {
            let rules = json!({ "$schema": draft, "type": "object", "properties": { "a": { "$ref": "#/definitions/b" } },
                "definitions": { "b": { "type": "integer" } } });
            assert_eq!(broken(&rules, json!({ "a": 1, "c": null })), []);
            assert_eq!(broken(&rules, json!({ "a": "1" })), one("byggesak.a", "typeMismatch"));
        }
    }

    #[test]
    fn a_reference_that_leads_outside_is_refused() {
        for reference in ["https://example.com/other.json", "other.json", "file:///etc/passwd"] {
            let refused = schema(&json!({ "$ref": reference })).unwrap_err();
            assert!(matches!(refused, SchemaError::Reference(_)), "{reference}: {refused}");
        }
        let refused = schema(&json!({ "$schema": "https://example.com/own-draft" }));
        assert!(refused.is_err(), "{refused:?}");
    }

    #[test]
    fn what_is_no_schema_is_told_by_its_place() {
        assert!(matches!(BodySchema::compile(b"{\n \"a\" "), Err(SchemaError::Json(text)) if text.contains("line 2")));
        let refused = schema(&json!({ "properties": { "a": { "type": "tekst" } } })).unwrap_err();
        assert!(
            matches!(&refused, SchemaError::Invalid { place, .. } if place == "/properties/a/type"),
            "{refused}"
        );
        assert_eq!(
            BodySchema::compile(&vec![b' '; MAX_BYTES + 1]),
            Err(SchemaError::TooLarge)
        );
    }

    #[test]
    fn patterns_that_could_run_for_ever_are_refused() {
        for pattern in ["(?=a)b", "(a)\\1", "(a{1000}){1000}"] {
            let refused = schema(&json!({ "properties": { "a": { "pattern": pattern } } }));
            assert!(refused.is_err(), "{pattern}");
        }
        let rules = json!({ "properties": { "a": { "pattern": "^(a+)+$" } } });
        let text = format!("{}!", "a".repeat(100_000));
        assert_eq!(broken(&rules, json!({ "a": text })), one("byggesak.a", "Pattern"));
    }

    #[test]
    fn a_body_of_nonsense_gives_a_bounded_list() {
        let rules = json!({ "properties": { "a": { "items": { "type": "string" } } } });
        let numbers = |many: usize| json!({ "a": vec![0; many] });
        assert_eq!(broken(&rules, numbers(1000)).len(), 100);
        assert_eq!(broken(&rules, numbers(MANY_VALUES)).len(), 1);
    }

    #[test]
    fn the_text_of_a_violation_holds_no_value() {
        let Value::Object(body) = json!({ "fnr": "17912099997" }) else {
            panic!()
        };
        let rules = schema(&json!({ "properties": { "fnr": { "maxLength": 3 } } })).unwrap();
        let found = rules.check(&body, "byggesak");
        assert!(!found[0].message.contains("17912099997"), "{found:?}");
        assert_eq!(found[0].rejected_value.as_deref(), Some("17912099997"));
    }
}
