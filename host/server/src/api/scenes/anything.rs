//! Whatever a client sends, it gets an answer that is its own fault or none, in JSON.

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use proptest::test_runner::{Config, TestCaseError, TestRunner};
use reqwest::Method;
use serde_json::json;

use super::*;

/// Stands for the id of a draft that is there.
const DRAFT: &str = "DRAFT";

/// Every path, with `{}` where an id goes.
const PATHS: [&str; 29] = [
    "/api/messages/out",
    "/api/messages/out/multipart",
    "/api/messages/out/{}",
    "/api/messages/in",
    "/api/messages/in/peek",
    "/api/messages/in/pop/{}",
    "/api/messages/in/{}",
    "/api/messages/in/{}/lock",
    "/api/conversations",
    "/api/conversations/queue",
    "/api/conversations/{}",
    "/api/conversations/messageId/{}",
    "/api/statuses",
    "/api/statuses/peek",
    "/api/statuses/{}",
    "/api/capabilities/{}",
    "/manage/health",
    "/manage/health/liveness",
    "/manage/health/readiness",
    "/manage/info",
    "/manage/set-aside",
    "/manage/set-aside/{}",
    "/manage/given-up",
    "/manage/given-up/{}",
    "/manage/nodes",
    "/manage/prometheus",
    "/manage/shutdown",
    "/api/{}",
    "/{}",
];

const PARAMETERS: [&str; 16] = [
    "page",
    "size",
    "sort",
    "id",
    "messageId",
    "conversationId",
    "serviceIdentifier",
    "receiverIdentifier",
    "process",
    "finished",
    "direction",
    "lastUpdateFrom",
    "lastUpdateTo",
    "fromDateTime",
    "toDateTime",
    "title",
];

#[derive(Debug, Clone)]
struct Asked {
    method: Method,
    path: &'static str,
    id: String,
    query: Vec<(String, String)>,
    content_type: String,
    disposition: Option<Vec<u8>>,
    body: Vec<u8>,
}

impl Asked {
    fn path_and_query(&self, draft: &str) -> String {
        let encoded = |text: &str| utf8_percent_encode(text, NON_ALPHANUMERIC).to_string();
        let id = if self.id == DRAFT { draft } else { &self.id };
        let query: Vec<String> = self
            .query
            .iter()
            .map(|(name, value)| format!("{}={}", encoded(name), encoded(value)))
            .collect();
        format!("{}?{}", self.path.replace("{}", &encoded(id)), query.join("&"))
    }
}

fn id() -> impl Strategy<Value = String> {
    prop_oneof![
        3 => Just(DRAFT.to_owned()),
        1 => "[0-9]{1,25}",
        1 => "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}",
        1 => select(vec!["0192:910076787", "910076787", "17912099997", "..", ".", "multipart"]).prop_map(str::to_owned),
        1 => any::<String>(),
    ]
}

fn value() -> impl Strategy<Value = String> {
    prop_oneof![
        1 => any::<String>(),
        1 => "-?[0-9]{1,22}",
        1 => "[0-9]{4}-[0-9]{2}-[0-9]{2}(T[0-9]{2}:[0-9]{2}:[0-9]{2}(Z|[+ -][0-9]{2}:[0-9]{2})?)?",
        2 => select(vec!["true", "OUTGOING", "id,desc", "lastUpdate,asc", "status", "'; DROP TABLE status; --", ""])
            .prop_map(str::to_owned),
    ]
}

/// A right message with one piece of its text exchanged, or none.
fn envelope() -> impl Strategy<Value = Vec<u8>> {
    let right = sbd("avtalt", &json!({ "identifier": "x", "content": [1] })).to_string();
    (any::<prop::sample::Index>(), 0usize..4, vec(any::<u8>(), 0..4)).prop_map(move |(at, cut, put)| {
        let mut text = right.clone().into_bytes();
        let at = at.index(text.len());
        text.splice(at..(at + cut).min(right.len()), put);
        text
    })
}

fn body() -> impl Strategy<Value = Vec<u8>> {
    let part = (
        select(vec![
            "name=sbd",
            "name=t; filename=a.txt",
            "filename=arkivmelding.xml",
            "x",
        ]),
        envelope(),
    );
    let form = vec(part, 0..4).prop_map(|parts| {
        let mut form = Vec::new();
        for (disposition, content) in parts {
            form.extend_from_slice(format!("--B\r\nContent-Disposition: form-data; {disposition}\r\n\r\n").as_bytes());
            form.extend_from_slice(&content);
            form.extend_from_slice(b"\r\n");
        }
        form.extend_from_slice(b"--B--");
        form
    });
    prop_oneof![vec(any::<u8>(), 0..200), envelope(), form]
}

fn asked() -> impl Strategy<Value = Asked> {
    let methods = [
        Method::GET,
        Method::POST,
        Method::PUT,
        Method::DELETE,
        Method::PATCH,
        Method::HEAD,
        Method::OPTIONS,
    ];
    let names = prop_oneof![4 => select(PARAMETERS.to_vec()).prop_map(str::to_owned), 1 => any::<String>()];
    let types = select(vec![
        "application/json",
        "multipart/form-data; boundary=B",
        "text/plain",
        "multipart/form-data",
    ]);
    let disposition = prop_oneof![
        "attachment; filename=\"[a-z/ .]{0,12}\"".prop_map(String::into_bytes),
        vec(0x20u8..0x7f, 0..40),
        vec(0x80u8..=0xff, 0..40),
    ];
    (
        select(methods.to_vec()),
        select(PATHS.to_vec()),
        id(),
        vec((names, value()), 0..4),
        types.prop_map(str::to_owned),
        prop::option::of(disposition),
        body(),
    )
        .prop_map(|(method, path, id, query, content_type, disposition, body)| Asked {
            method,
            path,
            id,
            query,
            content_type,
            disposition,
            body,
        })
}

async fn is_answered_well(house: &House, asked: Asked) -> Result<(), TestCaseError> {
    let draft = house.draft(sbd("avtalt", &json!({}))).await;
    let path = asked.path_and_query(&draft);
    let mut request = house
        .client
        .request(asked.method.clone(), house.url(&path))
        .header("content-type", asked.content_type)
        .body(asked.body);
    if let Some(disposition) = asked.disposition {
        request = request.header("content-disposition", disposition);
    }
    let response = request
        .send()
        .await
        .map_err(|error| TestCaseError::fail(error.to_string()))?;
    let (status, text) = (response.status(), response.text().await.unwrap());
    prop_assert!(!status.is_server_error(), "{} {path}: {status} {text}", asked.method);
    // The only refusal without a word: the empty queue of statuses. HEAD has no body either.
    let silent = asked.method == Method::HEAD || (asked.method == Method::DELETE && asked.path == "/api/statuses/{}");
    if status.is_client_error() && !(silent && text.is_empty()) {
        let body: Value =
            serde_json::from_str(&text).map_err(|error| TestCaseError::fail(format!("{path}: {error}")))?;
        prop_assert_eq!(body["status"].as_u64(), Some(u64::from(status.as_u16())));
        for member in ["timestamp", "error", "exception", "message", "path", "hint"] {
            prop_assert!(body[member].is_string(), "{}: {}", member, body);
        }
    }
    Ok(())
}

#[test]
fn any_request_is_answered_and_no_refusal_is_without_a_word() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let house = runtime.block_on(House::new());
    let config = Config {
        cases: 400,
        failure_persistence: None,
        ..Config::default()
    };
    TestRunner::new(config)
        .run(&asked(), |asked| runtime.block_on(is_answered_well(&house, asked)))
        .unwrap();
}

#[tokio::test]
async fn a_message_that_gets_too_large_when_it_is_stored_is_refused_at_once() {
    let house = House::new().await;
    let mut content: Value = vec![1; 100_000].into();
    for _ in 0..100 {
        content = json!([content]);
    }
    let small = sbd("avtalt", &json!({ "identifier": "x", "content": content }));
    let (status, body) = answer(house.create(&small)).await;
    assert_eq!(
        (status.as_u16(), exception(&body)),
        (400, "HttpMessageNotReadableException")
    );
    assert!(
        body["message"].as_str().unwrap().contains("when it is written"),
        "{body}"
    );
}
