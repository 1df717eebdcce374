//! The description of the API and what the API does: one says what the other does, in every scene.

use std::collections::BTreeSet;

use reqwest::Method;

use super::*;
use crate::api::description::tests::document_with;

/// With the message types that some scenes add.
static DOCUMENT: LazyLock<Value> = LazyLock::new(|| document_with(&example_messages().known_types().unwrap()));

/// The description of a path, by the path of a request: fixed segments go before parameters.
fn described(path: &str) -> Option<&'static Value> {
    let fits = |template: &str| {
        let (given, wanted): (Vec<&str>, Vec<&str>) = (path.split('/').collect(), template.split('/').collect());
        let segments = given.iter().zip(&wanted);
        let same = segments.filter(|(given, wanted)| wanted.starts_with('{') && !given.is_empty() || given == wanted);
        given.len() == wanted.len() && same.count() == wanted.len()
    };
    let paths = DOCUMENT["paths"].as_object().unwrap();
    let fitting = paths.iter().filter(|(template, _)| fits(template));
    fitting
        .min_by_key(|(template, _)| template.matches('{').count())
        .map(|(_, item)| item)
}

/// Fails when a described operation answers with a status or an error that its description does not name.
pub(super) fn assert_known(method: &Method, path: &str, status: StatusCode, body: &Value) {
    let operation = described(path).and_then(|item| item.get(method.as_str().to_lowercase()));
    let Some(operation) = operation else {
        return;
    };
    let response = &operation["responses"][status.as_str()];
    assert!(response.is_object(), "{method} {path}: {status} is not described");
    if let Some(exception) = body.get("exception").and_then(Value::as_str) {
        let text = response["description"].as_str().unwrap();
        assert!(
            text.contains(&format!("`{exception}`")),
            "{method} {path}: {status} {exception} is not described"
        );
    } else if !body.is_null() {
        let schema = &response["content"]["application/json"]["schema"];
        assert_members_are_described(body, schema, path);
    }
}

/// Fails when an answer has a member that its schema does not name, or lacks one that it must have.
fn assert_members_are_described(value: &Value, schema: &Value, place: &str) {
    let schema = match schema["$ref"].as_str() {
        Some(reference) => DOCUMENT.pointer(reference.trim_start_matches('#')).unwrap(),
        None => schema,
    };
    if let Some(parts) = schema["allOf"].as_array() {
        let parts: Vec<&Value> = parts
            .iter()
            .map(|part| match part["$ref"].as_str() {
                Some(reference) => DOCUMENT.pointer(reference.trim_start_matches('#')).unwrap(),
                None => part,
            })
            .collect();
        for (name, value) in value.as_object().unwrap() {
            let member = parts.iter().find_map(|part| part["properties"].get(name));
            assert_members_are_described(value, member.unwrap_or_else(|| panic!("{place}.{name}")), name);
        }
        return;
    }
    match value {
        Value::Object(members) => {
            for name in schema["required"].as_array().into_iter().flatten() {
                assert!(members.contains_key(name.as_str().unwrap()), "{place} has no {name}");
            }
            let Some(properties) = schema["properties"].as_object() else {
                return;
            };
            for (name, value) in members {
                let member = properties
                    .get(name)
                    .unwrap_or_else(|| panic!("{place}.{name} is not described"));
                assert_members_are_described(value, member, name);
            }
        }
        Value::Array(items) => {
            for item in items {
                assert_members_are_described(item, &schema["items"], place);
            }
        }
        _ => {}
    }
}

#[tokio::test]
async fn every_path_takes_the_methods_that_are_described_and_no_others() {
    let house = House::new().await;
    for (path, item) in DOCUMENT["paths"].as_object().unwrap() {
        let mut expected: BTreeSet<String> = item
            .as_object()
            .unwrap()
            .keys()
            .map(|method| method.to_uppercase())
            .collect();
        if expected.contains("GET") && path != "/api/messages/in/peek" {
            expected.insert("HEAD".into());
        }
        let path = path.replace(['{', '}'], "");
        let wrong = house.client.patch(house.url(&path)).send().await.unwrap();
        assert_eq!(wrong.status(), 405, "{path}");
        if path == "/api/messages/in/peek" {
            // HEAD has a handler of its own there, which refuses it.
            expected.insert("HEAD".into());
        }
        let allowed: BTreeSet<String> = wrong.headers()["allow"]
            .to_str()
            .unwrap()
            .split(',')
            .map(str::to_owned)
            .collect();
        assert_eq!(allowed, expected, "{path}");
    }
}

#[test]
fn no_route_goes_past_the_description() {
    let source = include_str!("../mod.rs");
    assert!(source.contains(".routes(routes!("));
    for way in [".route(", ".route_service(", ".nest_service(", ".fallback_service("] {
        assert!(!source.contains(way), "{way} adds a route without a description");
    }
}

#[tokio::test]
async fn the_description_and_its_page_are_served() {
    let house = House::new().await;
    let (status, document) = answer(house.get("/openapi.json")).await;
    assert_eq!((status.as_u16(), document["openapi"].as_str()), (200, Some("3.1.0")));
    assert_eq!(document["components"]["securitySchemes"]["basic"]["scheme"], "basic");
    let page = house.get("/docs").send().await.unwrap();
    assert_eq!(page.url().path(), "/docs/index.html");
    let policy = page.headers()["content-security-policy"].to_str().unwrap().to_owned();
    assert!(policy.starts_with("default-src 'none'; script-src 'self'"), "{policy}");
    assert!(page.text().await.unwrap().contains("swagger-ui-bundle.js"));
    let script = house.get("/docs/swagger-ui-bundle.js").send().await.unwrap();
    assert_eq!(script.headers()["content-type"], "text/javascript; charset=utf-8");
    assert!(script.bytes().await.unwrap().len() > 500_000);
    assert_eq!(answer(house.get("/docs/secret.txt")).await.0, 404);
}

#[tokio::test]
async fn the_description_names_the_message_types_of_this_installation() {
    let house = House::new().await;
    let (_, document) = answer(house.get("/openapi.json")).await;
    let schemas = document["components"]["schemas"].as_object().unwrap();
    let envelope = &schemas["StandardBusinessDocument"]["properties"];
    for row in house.node.types.iter() {
        assert_eq!(envelope.get(&*row.name).is_some(), row.readable, "{}", row.name);
        for field in row.body {
            assert!(
                schemas[&*row.name]["properties"].get(field.name).is_some(),
                "{}.{}",
                row.name,
                field.name
            );
        }
    }
}
