//! Subscriptions as the API keeps them.

use serde_json::json;

use super::*;

/// Nobody answers there.
const NOWHERE: &str = "http://127.0.0.1:1/hook";

impl House {
    fn subscribe(&self, subscription: &Value) -> RequestBuilder {
        self.post("/api/subscriptions").json(subscription)
    }

    fn change(&self, id: &Value, change: &Value) -> RequestBuilder {
        self.client
            .put(self.url(&format!("/api/subscriptions/{id}")))
            .json(change)
    }
}

fn everything(name: &str) -> Value {
    json!({ "name": name, "pushEndpoint": NOWHERE, "resource": "all", "event": "all" })
}

/// The codes of the fields that were refused, by field.
fn refused(body: &Value) -> Vec<(&str, &str)> {
    assert_eq!(
        body["exception"],
        "org.springframework.web.bind.MethodArgumentNotValidException"
    );
    let errors = body["errors"].as_array().unwrap().iter();
    errors
        .map(|error| {
            assert_eq!(error["objectName"], "subscription");
            (error["field"].as_str().unwrap(), error["code"].as_str().unwrap())
        })
        .collect()
}

#[tokio::test]
async fn a_subscription_is_stored_listed_changed_and_removed() {
    let house = House::new().await;
    let given = json!({ "name": "sak", "pushEndpoint": NOWHERE, "resource": "messages", "event": "status",
        "filter": "status=SENDT", "id": 77, "unknown": [1] });
    let (status, stored) = answer(house.subscribe(&given)).await;
    let id = stored["id"].clone();
    assert_eq!(
        (status.as_u16(), &stored),
        (
            200,
            &json!({ "id": id, "name": "sak", "pushEndpoint": NOWHERE, "resource": "messages", "event": "status",
                "filter": "status=SENDT" })
        )
    );
    let path = format!("/api/subscriptions/{id}");
    assert_eq!(answer(house.get(&path)).await, (StatusCode::OK, stored.clone()));
    answer(house.subscribe(&everything("arkiv"))).await;

    let (_, page) = answer(house.get("/api/subscriptions?size=1&page=1&sort=name,desc")).await;
    assert_eq!(page["content"][0]["name"], "arkiv");
    assert!(page["content"][0].get("filter").is_none());
    assert_eq!((&page["totalElements"], &page["last"]), (&json!(2), &json!(true)));
    let (_, page) = answer(house.get("/api/subscriptions")).await;
    assert_eq!((&page["content"][0], &page["sort"]["sorted"]), (&stored, &json!(false)));

    let changed = answer(house.change(&id, &json!({ "event": "all", "filter": null }))).await;
    assert_eq!(changed, (StatusCode::OK, Value::Null));
    let (_, now) = answer(house.get(&path)).await;
    assert_eq!((&now["event"], &now["filter"]), (&json!("all"), &json!("status=SENDT")));
    assert_eq!(now["name"], "sak");

    assert_eq!(answer(house.delete(&path)).await, (StatusCode::OK, Value::Null));
    for request in [
        house.get(&path),
        house.delete(&path),
        house.change(&id, &json!({ "event": "all" })),
        house.post(&format!(
            "{path}/replay?fromDateTime=2024-01-01T00:00:00Z&toDateTime=2024-01-02T00:00:00Z"
        )),
    ] {
        let (status, body) = answer(request).await;
        assert_eq!(
            (status.as_u16(), exception(&body)),
            (404, "SubscriptionNotFoundException")
        );
    }
    assert_eq!(answer(house.delete("/api/subscriptions")).await.0, 200);
    let (_, page) = answer(house.get("/api/subscriptions")).await;
    assert_eq!(page["totalElements"], 0);
    assert_eq!(answer(house.get("/api/subscriptions/abc")).await.0, 400);
}

#[tokio::test]
async fn name_and_endpoint_together_are_unique() {
    let house = House::new().await;
    let twin = "SubscriptionWithSameNameAndPushEndpointAlreadyExists";
    answer(house.subscribe(&everything("sak"))).await;
    let (status, body) = answer(house.subscribe(&everything("sak"))).await;
    assert_eq!((status.as_u16(), exception(&body)), (400, twin));
    let (_, other) = answer(house.subscribe(&everything("arkiv"))).await;
    let (status, body) = answer(house.change(&other["id"], &json!({ "name": "sak" }))).await;
    assert_eq!((status.as_u16(), exception(&body)), (400, twin));
    let same = house.change(&other["id"], &json!({ "name": "arkiv", "pushEndpoint": NOWHERE }));
    assert_eq!(answer(same).await.0, 200);
}

/// Spec: messaging API, 13, vector 21.
#[tokio::test]
async fn an_unknown_event_is_told_with_the_events_that_exist() {
    let house = House::new().await;
    let mut given = everything("sak");
    given["event"] = json!("nonexistent");
    let (status, body) = answer(house.subscribe(&given)).await;
    assert_eq!((status.as_u16(), refused(&body)), (400, vec![("event", "OneOf")]));
    let error = &body["errors"][0];
    assert!(
        error["defaultMessage"].as_str().unwrap().contains("[all, status]"),
        "{error}"
    );
    assert_eq!(
        error["codes"],
        json!(["OneOf.subscription.event", "OneOf.event", "OneOf"])
    );
    assert_eq!(error["rejectedValue"], "nonexistent");
}

#[tokio::test]
async fn every_broken_rule_is_told_with_its_member() {
    let house = House::new().await;
    let (_, body) = answer(house.subscribe(&json!({}))).await;
    assert_eq!(
        refused(&body),
        ["name", "pushEndpoint", "resource", "event"].map(|name| (name, "NotNull"))
    );
    let (_, stored) = answer(house.subscribe(&everything("sak"))).await;
    for (member, value, code) in [
        ("name", json!(""), "Size"),
        ("name", json!("x".repeat(256)), "Size"),
        ("name", json!(5), "typeMismatch"),
        ("pushEndpoint", json!("sak"), "URL"),
        ("pushEndpoint", json!("ftp://sak.example.no"), "URL"),
        ("pushEndpoint", json!("http://user:hemmelig@sak.example.no"), "URL"),
        ("pushEndpoint", json!("http://169.254.169.254/latest/meta-data"), "URL"),
        ("pushEndpoint", json!("http://[fe80::1]/"), "URL"),
        ("pushEndpoint", json!("http://[fd00:ec2::254]/"), "URL"),
        ("pushEndpoint", json!("http://0.0.0.0/"), "URL"),
        ("resource", json!("Messages"), "OneOf"),
        ("event", json!("ALL"), "OneOf"),
        ("filter", json!(""), "WebhookFilter"),
        ("filter", json!("messageId=1"), "WebhookFilter"),
        ("signingSecret", json!("short"), "Size"),
    ] {
        let mut given = everything("other");
        given[member] = value.clone();
        for request in [
            house.subscribe(&given),
            house.change(&stored["id"], &json!({ member: value })),
        ] {
            let (status, body) = answer(request).await;
            assert_eq!(
                (status.as_u16(), refused(&body)),
                (400, vec![(member, code)]),
                "{value}"
            );
            assert!(!body.to_string().contains("hemmelig"), "{body}");
        }
    }
    for (body, kind) in [("{", "json"), ("[]", "json"), ("{}", "plain")] {
        let request = house
            .post("/api/subscriptions")
            .header(
                "content-type",
                if kind == "json" {
                    "application/json"
                } else {
                    "text/plain"
                },
            )
            .body(body);
        let status = answer(request).await.0.as_u16();
        assert_eq!(status, if kind == "json" { 400 } else { 415 }, "{body}");
    }
    let (_, page) = answer(house.get("/api/subscriptions")).await;
    assert_eq!(page["content"], json!([stored]));
}

#[tokio::test]
async fn the_operators_list_holds_for_new_endpoints_and_changed_ones() {
    let house = House::telling(config::Webhooks {
        allow: Some(vec!["http://127.0.0.1:1".parse().unwrap()]),
        ..config::Webhooks::default()
    })
    .await;
    let (status, stored) = answer(house.subscribe(&everything("sak"))).await;
    assert_eq!(status, 200);
    let elsewhere = json!({ "pushEndpoint": "http://127.0.0.1:2/hook" });
    let (status, body) = answer(house.change(&stored["id"], &elsewhere)).await;
    assert_eq!((status.as_u16(), refused(&body)), (400, vec![("pushEndpoint", "URL")]));
}
