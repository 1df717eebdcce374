//! What every answer has in common, and what lists are asked.

use serde_json::json;

use super::*;

#[tokio::test]
async fn every_answer_has_the_security_headers_and_every_error_a_body() {
    let house = House::new().await;
    let response = house.get("/api/nothing").send().await.unwrap();
    assert_eq!(response.headers()["x-content-type-options"], "nosniff");
    assert_eq!(response.headers()["x-frame-options"], "DENY");
    assert_eq!(
        response.headers()["cache-control"],
        "no-cache, no-store, max-age=0, must-revalidate"
    );
    let body: Value = response.json().await.unwrap();
    assert_eq!(
        (body["status"].as_u64(), body["path"].as_str()),
        (Some(404), Some("/api/nothing"))
    );
    assert!(body["timestamp"].as_str().unwrap().len() > 20);
    for (request, status) in [
        (house.get("/api/conversations/"), 404),
        (house.client.patch(house.url("/api/conversations")), 405),
        (house.client.head(house.url("/api/messages/in/peek")), 405),
        (house.get("/api/conversations/abc"), 400),
        (house.get("/api/conversations?sort=nonsense"), 400),
        (house.get("/api/messages/in/peek?messageID=1"), 400),
        (house.get("/api/statuses/peek"), 204),
        (house.delete("/api/statuses/1"), 404),
        (house.delete("/api/messages/out/unknown"), 200),
        (house.get("/manage/health/liveness"), 200),
        (house.get("/manage/health"), 200),
        (house.get("/manage/info"), 200),
        (house.get("/manage/set-aside"), 200),
    ] {
        let (request, name) = (request.build().unwrap(), status);
        let path = request.url().path().to_owned();
        let response = house.client.execute(request).await.unwrap();
        assert_eq!(response.status(), name, "{path}");
        if path == "/api/statuses/1" {
            assert_eq!(response.text().await.unwrap(), "");
        }
    }
}

#[tokio::test]
async fn every_list_can_be_sorted_by_every_property_that_it_names() {
    let house = House::new().await;
    for (path, sortable) in [
        ("/api/messages/out", crate::api::outgoing::SORTABLE),
        ("/api/messages/in", crate::api::incoming::SORTABLE),
        ("/api/conversations", crate::api::conversations::SORTABLE),
        ("/api/conversations/queue", crate::api::conversations::SORTABLE),
        ("/api/statuses", crate::api::statuses::SORTABLE),
    ] {
        for (property, _) in sortable {
            let (status, body) = answer(house.get(&format!("{path}?sort={property},desc&size=1"))).await;
            assert_eq!(status, 200, "{path} by {property}: {body}");
            assert_eq!(body["sort"]["sorted"], true);
        }
    }
}

#[tokio::test]
async fn conversations_are_found_by_day_and_statuses_by_time() {
    let house = House::new().await;
    house.draft(sbd("avtalt", &json!({}))).await;
    let today = crate::api::time::now().get(..10).unwrap().to_owned();
    for (query, found) in [
        (format!("conversations?lastUpdateFrom={today}&lastUpdateTo={today}"), 1),
        (format!("conversations?lastUpdateFrom={today}"), 1),
        ("conversations?lastUpdateTo=2024-12-31".to_owned(), 0),
        ("conversations?finished=true".to_owned(), 0),
        (
            "conversations?senderIdentifier=991825827&direction=OUTGOING&pollable=false".to_owned(),
            1,
        ),
        (
            "statuses?fromDateTime=2024-01-01T00:00:00%2B01:00&toDateTime=2024-12-31T00:00:00Z".to_owned(),
            0,
        ),
        ("statuses?fromDateTime=2099-01-01T00:00:00Z".to_owned(), 1),
        ("statuses?status=OPPRETTET".to_owned(), 1),
    ] {
        let (status, page) = answer(house.get(&format!("/api/{query}"))).await;
        assert_eq!(
            (status.as_u16(), page["totalElements"].as_u64()),
            (200, Some(found)),
            "{query}"
        );
    }
    assert_eq!(
        answer(house.get("/api/conversations?lastUpdateFrom=yesterday")).await.0,
        400
    );
}
