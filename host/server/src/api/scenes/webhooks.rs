//! What subscribers hear.

use std::time::{Duration, Instant};

use budstikke_store::{Arrival, Direction};
use serde_json::json;
use tokio_util::sync::{CancellationToken, DropGuard};

use super::subscriber::{PATIENCE, Subscriber};
use super::*;
use crate::webhooks;

impl House {
    /// Subscribers are told until the guard goes.
    fn tells(&self) -> DropGuard {
        let stop = CancellationToken::new();
        tokio::spawn(webhooks::run(self.node.clone(), stop.clone()));
        stop.drop_guard()
    }

    /// A subscription of which the ping has been heard; its id and its secret.
    async fn subscribed(&self, subscriber: &Subscriber, filter: Option<&str>) -> (Value, String) {
        let given = json!({ "name": "sak", "pushEndpoint": subscriber.url, "resource": "all", "event": "all",
            "filter": filter });
        let response = self.post("/api/subscriptions").json(&given).send().await.unwrap();
        assert_eq!(response.headers()["budstikke-ping"], "200");
        let secret = response.headers()["budstikke-signing-secret"]
            .to_str()
            .unwrap()
            .to_owned();
        subscriber.forget();
        (response.json::<Value>().await.unwrap()["id"].clone(), secret)
    }

    async fn gets(&self, message_id: &str, status: Status) {
        let status = NewStatus::plain(status, Node::now());
        let registered = self
            .node
            .store
            .register_status(message_id, Direction::Outgoing, status)
            .await;
        assert_eq!(registered.unwrap(), Some(true));
    }

    async fn report(&self) -> Value {
        answer(self.get("/manage/webhooks")).await.1["content"].clone()
    }

    /// As soon as nothing waits for anybody.
    async fn has_told_everything(&self) {
        let started = Instant::now();
        while self
            .report()
            .await
            .as_array()
            .unwrap()
            .iter()
            .any(|report| report["pending"] != 0)
        {
            assert!(started.elapsed() < PATIENCE, "{}", self.report().await);
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
}

/// Spec: messaging API, 13, vector 1.
#[tokio::test]
async fn a_new_subscriber_gets_one_ping_that_is_signed_with_its_secret() {
    let (house, subscriber) = (House::new().await, Subscriber::new().await);
    let given = json!({ "name": "sak", "pushEndpoint": subscriber.url, "resource": "all", "event": "all" });
    let response = house.post("/api/subscriptions").json(&given).send().await.unwrap();
    assert_eq!(response.status(), 200);
    assert_eq!(response.headers()["budstikke-ping"], "200");
    let secret = response.headers()["budstikke-signing-secret"]
        .to_str()
        .unwrap()
        .to_owned();
    let body = response.text().await.unwrap();
    assert!(!body.contains(&secret) && !body.contains("ecret"), "{body}");

    let told = subscriber.told();
    assert_eq!(told.len(), 1);
    assert_eq!(told[0].header("content-type"), "application/json");
    assert_eq!(told[0].header("budstikke-attempt"), "1");
    assert!(told[0].header("budstikke-delivery").parse::<uuid::Uuid>().is_ok());
    let ping = told[0].json();
    assert_eq!(ping["event"], "ping");
    assert!(
        ping["createdTs"]
            .as_str()
            .unwrap()
            .parse::<budstikke_message::datetime::DateTime>()
            .is_ok()
    );
    assert_eq!(ping.as_object().unwrap().len(), 2);
    assert!(told[0].is_signed_with(&secret));
    assert!(!told[0].is_signed_with("another secret that is long"));
}

/// Spec: messaging API, 13, vector 2.
#[tokio::test]
async fn a_status_is_told_once_without_a_service_when_there_is_none() {
    let (house, subscriber) = (House::new().await, Subscriber::new().await);
    let (_, secret) = house.subscribed(&subscriber, None).await;
    let mut sbd = Sbd::parse(sbd("avtalt", &json!({})).to_string().as_bytes(), &house.node.types).unwrap();
    let lifetime = Duration::from_hours(24);
    sbd.fill_defaults(&house.node.own, Timestamp::now(), lifetime, None)
        .unwrap();
    let facts = facts_of(&sbd, "").unwrap();
    let (message_id, conversation_id) = (facts.message_id.clone(), facts.conversation_id.clone());
    let arrival = Arrival {
        sbd: sealed_sbd::seal(&house.node.vault, &message_id, &sbd).unwrap(),
        message_type: "avtalt".into(),
        facts,
        package: None,
        statuses: vec![NewStatus::plain(Status::Mottatt, 1_553_513_903_000).saying("some text")],
        queue: true,
        answer: None,
        related: None,
        reference: message_id.clone(),
        now: Node::now(),
    };
    assert!(house.node.store.arrive(arrival).await.unwrap());
    let _telling = house.tells();
    let told = subscriber.hears(1).await;
    house.has_told_everything().await;
    assert_eq!(subscriber.told().len(), 1);
    assert_eq!(told[0].header("content-type"), "application/json");
    assert_eq!(
        told[0].json(),
        json!({ "createdTs": "2019-03-25T12:38:23+01:00", "resource": "messages", "event": "status",
            "messageId": message_id, "conversationId": conversation_id, "direction": "INCOMING", "status": "MOTTATT",
            "description": "some text" })
    );
    assert!(told[0].is_signed_with(&secret));
}

#[tokio::test]
async fn a_subscriber_hears_what_its_filter_asks_for_in_the_order_of_registration() {
    let (house, subscriber) = (House::new().await, Subscriber::new().await);
    house
        .subscribed(
            &subscriber,
            Some("status=sendt,levert,LEST&direction=outgoing&serviceIdentifier=s"),
        )
        .await;
    let _telling = house.tells();
    let id = house.draft(sbd("avtalt", &json!({}))).await;
    for status in [Status::Sendt, Status::Mottatt, Status::Levert, Status::Lest] {
        house.gets(&id, status).await;
    }
    let told = subscriber.hears_statuses(&["SENDT", "LEVERT", "LEST"]).await;
    assert!(told.iter().all(|told| told.json()["serviceIdentifier"] == "S"));
    let mut keys: Vec<&str> = told.iter().map(|told| told.header("budstikke-delivery")).collect();
    keys.dedup();
    assert_eq!(keys.len(), 3);
}

#[tokio::test]
async fn what_is_not_taken_is_told_again_before_anything_else() {
    let (house, subscriber) = (House::new().await, Subscriber::new().await);
    house.subscribed(&subscriber, Some("status=SENDT,LEVERT")).await;
    subscriber.answering([500, 302, 404, 204]);
    let id = house.draft(sbd("avtalt", &json!({}))).await;
    house.gets(&id, Status::Sendt).await;
    house.gets(&id, Status::Levert).await;
    let _telling = house.tells();
    let told = subscriber
        .hears_statuses(&["SENDT", "SENDT", "SENDT", "SENDT", "LEVERT"])
        .await;
    let attempts: Vec<&str> = told.iter().map(|told| told.header("budstikke-attempt")).collect();
    assert_eq!(attempts, ["1", "2", "3", "4", "1"]);
    assert!(
        told[..4]
            .iter()
            .all(|again| again.header("budstikke-delivery") == told[0].header("budstikke-delivery"))
    );
    assert!(told[..4].iter().all(|again| again.body == told[0].body));
    house.has_told_everything().await;
    let report = house.report().await;
    assert_eq!(
        (&report[0]["lastError"], &report[0]["dropped"]),
        (&json!("answered 404"), &json!(0))
    );
}

#[tokio::test]
async fn a_dead_endpoint_and_a_silent_one_delay_nobody() {
    let house = House::new().await;
    let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let subscriber = Subscriber::new().await;
    house.subscribed(&subscriber, Some("status=SENDT")).await;
    for url in [
        "http://127.0.0.1:1".to_owned(),
        format!("http://{}", silent.local_addr().unwrap()),
    ] {
        let new = budstikke_store::NewSubscription {
            name: "other".into(),
            push_endpoint: url,
            resource: "all".into(),
            event: "all".into(),
            filter: None,
            secret: webhooks::SigningSecret::made()
                .unwrap()
                .seal(&house.node.vault)
                .unwrap(),
        };
        house.node.store.subscribe(new).await.unwrap();
    }
    let telling = house.tells();
    for number in 1..=3 {
        let id = house.draft(sbd("avtalt", &json!({}))).await;
        house.gets(&id, Status::Sendt).await;
        subscriber.hears(number).await;
    }
    let report = house.report().await;
    assert_eq!((&report[1]["pending"], &report[2]["pending"]), (&json!(6), &json!(6)));
    assert!(
        report[1]["lastError"].as_str().unwrap().starts_with("no answer: "),
        "{report}"
    );
    assert!(report[1].get("oldest").is_some() && report[1].get("lastErrorAt").is_some());
    drop(telling);
}

#[tokio::test]
async fn connecting_and_answering_have_an_end() {
    let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (short, long) = (Duration::from_millis(50), Duration::from_mins(2));
    // Over HTTPS a silent server is one that does not finish connecting.
    for (scheme, connect_time, read_time) in [("http", long, short), ("https", short, long)] {
        let house = House::telling(config::Webhooks {
            connect_time,
            read_time,
            ..config::Webhooks::default()
        })
        .await;
        let url = format!("{scheme}://{}", silent.local_addr().unwrap());
        let given = json!({ "name": "sak", "pushEndpoint": url, "resource": "all", "event": "all" });
        let response = house.post("/api/subscriptions").json(&given).send().await.unwrap();
        assert_eq!(response.status(), 200);
        assert_eq!(response.headers()["budstikke-ping"], "no answer in time", "{scheme}");
    }
}

#[tokio::test]
async fn a_ping_that_fails_is_told_and_the_subscription_stays() {
    let (house, subscriber) = (House::new().await, Subscriber::new().await);
    subscriber.answering([503]);
    let given = json!({ "name": "sak", "pushEndpoint": subscriber.url, "resource": "all", "event": "all",
        "signingSecret": "a secret of the client" });
    let response = house.post("/api/subscriptions").json(&given).send().await.unwrap();
    assert_eq!(
        (response.status().as_u16(), &response.headers()["budstikke-ping"]),
        (200, &"503".parse().unwrap())
    );
    assert!(response.headers().get("budstikke-signing-secret").is_none());
    assert!(subscriber.told()[0].is_signed_with("a secret of the client"));
    let path = house.url(&format!(
        "/api/subscriptions/{}",
        response.json::<Value>().await.unwrap()["id"]
    ));
    let change = async |change: Value| house.client.put(&path).json(&change).send().await.unwrap();

    let response = change(json!({ "pushEndpoint": "http://127.0.0.1:1" })).await;
    assert!(
        response.headers()["budstikke-ping"]
            .to_str()
            .unwrap()
            .starts_with("no answer: ")
    );
    let response = change(json!({ "pushEndpoint": subscriber.url, "signingSecret": "another secret of it" })).await;
    assert_eq!(response.headers()["budstikke-ping"], "200");
    assert!(subscriber.told()[1].is_signed_with("another secret of it"));
    let response = change(json!({ "pushEndpoint": subscriber.url, "name": "arkiv" })).await;
    assert!(response.headers().get("budstikke-ping").is_none());
    assert_eq!(subscriber.told().len(), 2);
}

#[tokio::test]
async fn events_move_to_the_new_endpoint_at_once() {
    let house = House::telling(config::Webhooks {
        retry_seconds: vec![3600],
        ..config::Webhooks::default()
    })
    .await;
    let (old, new) = (Subscriber::new().await, Subscriber::new().await);
    let (id, _) = house.subscribed(&old, None).await;
    old.answering([500]);
    let _telling = house.tells();
    house.draft(sbd("avtalt", &json!({}))).await;
    old.hears_statuses(&["OPPRETTET"]).await;
    let started = Instant::now();
    while house.report().await[0].get("lastError").is_none() {
        assert!(started.elapsed() < PATIENCE);
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let path = house.url(&format!("/api/subscriptions/{id}"));
    let moved = house.client.put(&path).json(&json!({ "pushEndpoint": new.url }));
    assert_eq!(answer(moved).await.0, 200);
    let told = new.hears(2).await;
    assert_eq!(
        (&told[0].json()["event"], &told[1].json()["status"]),
        (&json!("ping"), &json!("OPPRETTET"))
    );
    assert_eq!(told[1].header("budstikke-attempt"), "2");
}

#[tokio::test]
async fn an_event_that_nobody_took_in_time_is_given_up_and_counted() {
    let house = House::telling(config::Webhooks {
        keep_hours: 0,
        ..config::Webhooks::default()
    })
    .await;
    let subscriber = Subscriber::new().await;
    house.subscribed(&subscriber, None).await;
    house.draft(sbd("avtalt", &json!({}))).await;
    assert_eq!(house.report().await[0]["pending"], 1);
    tokio::time::sleep(Duration::from_millis(5)).await;
    let _telling = house.tells();
    house.has_told_everything().await;
    assert_eq!(house.report().await[0]["dropped"], 1);
    assert_eq!(subscriber.told().len(), 0);
}

#[tokio::test]
async fn a_time_is_told_again_under_new_names() {
    let (house, subscriber) = (House::new().await, Subscriber::new().await);
    let (id, _) = house.subscribed(&subscriber, Some("status=SENDT,LEVERT")).await;
    let _telling = house.tells();
    let message = house.draft(sbd("avtalt", &json!({}))).await;
    house.gets(&message, Status::Sendt).await;
    house.gets(&message, Status::Levert).await;
    let first = subscriber.hears_statuses(&["SENDT", "LEVERT"]).await;
    subscriber.forget();

    let replay = async |query: &str| answer(house.post(&format!("/api/subscriptions/{id}/replay{query}"))).await;
    let now = crate::api::time::written(Node::now() + 1000).replace('+', "%2B");
    let range = format!("?fromDateTime=2024-01-01T00:00:00Z&toDateTime={now}");
    assert_eq!(replay(&range).await, (StatusCode::OK, json!({ "queued": 2 })));
    let second = subscriber.hears_statuses(&["SENDT", "LEVERT"]).await;
    assert_eq!(second[0].body, first[0].body);
    assert_ne!(
        second[0].header("budstikke-delivery"),
        first[0].header("budstikke-delivery")
    );
    let past = "?fromDateTime=2024-01-01T00:00:00Z&toDateTime=2024-01-02T00:00:00Z";
    assert_eq!(replay(past).await, (StatusCode::OK, json!({ "queued": 0 })));
    for (query, name) in [
        ("", "fromDateTime"),
        ("?fromDateTime=2024-01-01T00:00:00Z", "toDateTime"),
        (
            "?fromDateTime=yesterday&toDateTime=2024-01-01T00:00:00Z",
            "fromDateTime",
        ),
        (
            "?fromDateTime=2024-01-02T00:00:00Z&toDateTime=2024-01-01T00:00:00Z",
            "fromDateTime",
        ),
        (
            "?fromdatetime=2024-01-02T00:00:00Z&toDateTime=2024-01-03T00:00:00Z",
            "fromDateTime",
        ),
    ] {
        let (status, body) = replay(query).await;
        assert_eq!(status, 400, "{query}");
        assert!(body["message"].as_str().unwrap().contains(name), "{body}");
    }
}
