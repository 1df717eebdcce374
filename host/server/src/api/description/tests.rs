//! The description and the code say the same.

use std::collections::BTreeSet;

use serde_json::Value;

use super::*;
use crate::api::routes;

fn document() -> Value {
    document_with(&MessageTypes::standard())
}

/// The description of an installation with these message types.
pub(in crate::api) fn document_with(types: &MessageTypes) -> Value {
    let (_, document) = routes().split_for_parts();
    serde_json::from_slice(&Description::new(document, types).0).unwrap()
}

/// Path, method and description of each operation.
fn operations(document: &Value) -> Vec<(&str, &str, &Value)> {
    let paths = document["paths"].as_object().unwrap();
    paths
        .iter()
        .flat_map(|(path, item)| {
            item.as_object()
                .unwrap()
                .iter()
                .map(move |(method, operation)| (path.as_str(), method.as_str(), operation))
        })
        .collect()
}

#[test]
fn every_error_of_the_table_is_named_by_an_operation_under_its_status() {
    let document = document();
    let named: BTreeSet<(String, String)> = operations(&document)
        .iter()
        .flat_map(|(_, _, operation)| operation["responses"].as_object().unwrap())
        .flat_map(|(status, response)| {
            let text = response["description"].as_str().unwrap();
            let names = text.split('`').skip(1).step_by(2);
            names
                .map(|name| (status.clone(), name.rsplit('.').next().unwrap().to_owned()))
                .collect::<Vec<_>>()
        })
        .collect();
    for kind in kind::ALL {
        let name = kind.name.rsplit('.').next().unwrap().to_owned();
        let status = kind.status.as_u16().to_string();
        assert!(named.contains(&(status.clone(), name.clone())), "{status} {name}");
    }
}

#[test]
fn every_operation_has_a_name_of_its_own_a_group_and_a_summary() {
    let document = document();
    let mut names = BTreeSet::new();
    let groups: BTreeSet<&str> = TAGS.iter().map(|(name, _)| *name).collect();
    for (path, method, operation) in operations(&document) {
        let name = operation["operationId"].as_str().unwrap();
        assert!(names.insert(name), "{name} stands twice");
        assert!(!operation["summary"].as_str().unwrap().is_empty(), "{method} {path}");
        for tag in operation["tags"].as_array().unwrap() {
            assert!(groups.contains(tag.as_str().unwrap()), "{method} {path}: {tag}");
        }
    }
}

#[test]
fn every_reference_leads_somewhere() {
    fn references(value: &Value, found: &mut BTreeSet<String>) {
        match value {
            Value::Object(members) => {
                found.extend(members.get("$ref").and_then(Value::as_str).map(str::to_owned));
                members.values().for_each(|value| references(value, found));
            }
            Value::Array(items) => items.iter().for_each(|value| references(value, found)),
            _ => {}
        }
    }
    let document = document();
    let mut found = BTreeSet::new();
    references(&document, &mut found);
    assert!(found.len() > 20);
    for reference in found {
        assert!(
            document.pointer(reference.trim_start_matches('#')).is_some(),
            "{reference}"
        );
    }
}
