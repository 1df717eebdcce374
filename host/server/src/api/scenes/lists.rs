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
        (house.delete("/api/conversations/1"), 200),
        (house.delete("/api/conversations/messageId/unknown"), 200),
        (house.delete("/api/messages/in/unknown"), 404),
        (house.get("/manage/health/liveness"), 200),
        (house.get("/manage/health"), 200),
        (house.get("/manage/info"), 200),
        (house.get("/manage/set-aside"), 200),
        (house.get("/manage/given-up"), 200),
        (house.post("/manage/given-up/unknown"), 404),
        (house.delete("/manage/given-up/unknown"), 404),
        (house.get("/manage/nodes"), 200),
        (house.get("/manage/prometheus"), 200),
        (house.get("/manage/webhooks"), 200),
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
        ("/api/subscriptions", crate::api::subscriptions::SORTABLE),
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
        (
            "conversations?lastUpdateFrom=2024-01-01&lastUpdateTo=2024-12-31".to_owned(),
            0,
        ),
        ("conversations?lastUpdateFrom=2024-01-01".to_owned(), 1),
        (
            "statuses?fromDateTime=2024-01-01T00:00:00Z&toDateTime=2099-12-31T00:00:00Z".to_owned(),
            1,
        ),
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

#[tokio::test]
async fn a_damaged_message_is_left_out_of_the_list_and_named() {
    let house = House::new().await;
    let good = house.draft(sbd("avtalt", &json!({}))).await;
    let damaged = house
        .draft_with(sbd("avtalt", &json!({})), |sealed| sealed.reverse())
        .await;
    let other = house.draft(sbd("avtalt", &json!({}))).await;
    let response = house.get("/api/messages/out").send().await.unwrap();
    assert_eq!(response.status(), 200);
    assert_eq!(response.headers()["budstikke-unreadable"], damaged.as_str());
    let page: Value = response.json().await.unwrap();
    let id = |row: usize| {
        page["content"][row]["standardBusinessDocumentHeader"]["documentIdentification"]["instanceIdentifier"].clone()
    };
    assert_eq!((id(0), id(1)), (json!(good), json!(other)));
    assert_eq!(
        (page["numberOfElements"].as_u64(), page["totalElements"].as_u64()),
        (Some(2), Some(3))
    );
    let (status, _) = answer(house.get(&format!("/api/messages/out/{damaged}"))).await;
    assert_eq!(status, 500);
    let (_, page) = answer(house.get("/api/messages/out?page=1&size=2")).await;
    assert_eq!(page["content"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn a_page_that_is_larger_than_what_is_held_comes_whole_and_in_order() {
    let house = House::new().await;
    let large = "x".repeat(1_500_000);
    let mut ids = Vec::new();
    for number in 0..5 {
        ids.push(
            house
                .draft(sbd(
                    "avtalt",
                    &json!({ "content": large, "identifier": number.to_string() }),
                ))
                .await,
        );
    }
    let (_, page) = answer(house.get("/api/messages/out?size=2000&sort=id")).await;
    let numbers: Vec<&str> = page["content"]
        .as_array()
        .unwrap()
        .iter()
        .map(|sbd| sbd["avtalt"]["identifier"].as_str().unwrap())
        .collect();
    assert_eq!(numbers, ["0", "1", "2", "3", "4"]);
    assert_eq!(page["content"][4]["avtalt"]["content"], large.as_str());
    assert_eq!(page["numberOfElements"], 5);

    for id in &ids {
        let receipt = NewStatus::plain(Status::Feil, Node::now()).with_receipt(large.clone());
        house
            .node
            .store
            .register_status(id, budstikke_store::Direction::Outgoing, receipt)
            .await
            .unwrap();
    }
    let (_, page) = answer(house.get("/api/statuses?status=FEIL&size=2000")).await;
    assert_eq!(page["numberOfElements"], 5);
    let rows = page["content"].as_array().unwrap();
    assert!(rows.iter().all(|row| row["rawReceipt"] == large.as_str()));
    assert!(
        rows.windows(2)
            .all(|pair| pair[0]["id"].as_i64() < pair[1]["id"].as_i64())
    );
    let (_, page) = answer(house.get("/api/conversations")).await;
    assert!(page["content"][0]["messageStatuses"][1].get("rawReceipt").is_none());
}
