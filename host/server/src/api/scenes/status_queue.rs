//! The queue of statuses that one fagsystem empties.

use budstikke_store::Direction;
use serde_json::json;

use super::*;

impl House {
    async fn registered(&self, message_id: &str, status: Status) {
        let status = NewStatus::plain(status, Node::now());
        let registered = self
            .node
            .store
            .register_status(message_id, Direction::Outgoing, status)
            .await;
        assert_eq!(registered.unwrap(), Some(true));
    }
}

#[tokio::test]
async fn statuses_wait_in_their_order_until_each_is_deleted() {
    let house = House::new().await;
    house.node.store.feed_status_queue(vec!["S".into()]).await.unwrap();
    let (one, other) = (
        house.draft(sbd("avtalt", &json!({}))).await,
        house.draft(sbd("avtalt", &json!({}))).await,
    );
    house.registered(&one, Status::Sendt).await;
    let (_, list) = answer(house.get("/api/statuses")).await;
    let mut seen = Vec::new();
    for entry in list["content"].as_array().unwrap() {
        let (status, oldest) = answer(house.get("/api/statuses/peek")).await;
        assert_eq!((status, &oldest), (StatusCode::OK, entry));
        assert_eq!(answer(house.get("/api/statuses/peek")).await.1, oldest);
        let path = format!("/api/statuses/{}", oldest["id"]);
        assert_eq!(answer(house.delete(&path)).await, (StatusCode::OK, Value::Null));
        assert_eq!(answer(house.delete(&path)).await, (StatusCode::NOT_FOUND, Value::Null));
        seen.push((oldest["messageId"].clone(), oldest["status"].clone()));
    }
    assert_eq!(
        seen,
        [
            (json!(one), json!("OPPRETTET")),
            (json!(other), json!("OPPRETTET")),
            (json!(one), json!("SENDT"))
        ]
    );
    assert_eq!(answer(house.get("/api/statuses/peek")).await.0, 204);
    assert_eq!(answer(house.get("/api/statuses")).await.1, list);
}

#[tokio::test]
async fn only_the_services_of_the_configuration_feed_the_queue() {
    let house = House::new().await;
    house.draft(sbd("avtalt", &json!({}))).await;
    assert_eq!(answer(house.get("/api/statuses/peek")).await.0, 204);
    house.node.store.feed_status_queue(vec!["OTHER".into()]).await.unwrap();
    let id = house.draft(sbd("avtalt", &json!({}))).await;
    assert_eq!(answer(house.get("/api/statuses/peek")).await.0, 204);
    house.node.store.feed_status_queue(vec!["S".into()]).await.unwrap();
    house.registered(&id, Status::Sendt).await;
    house.registered(&id, Status::Levert).await;
    let (_, oldest) = answer(house.get("/api/statuses/peek")).await;
    assert_eq!(oldest["status"], "SENDT");
    // A status that is registered again is dropped, and so is its entry.
    let again = NewStatus::plain(Status::Sendt, Node::now());
    let registered = house.node.store.register_status(&id, Direction::Outgoing, again).await;
    assert_eq!(registered.unwrap(), Some(false));
    answer(house.delete(&format!("/api/statuses/{}", oldest["id"]))).await;
    assert_eq!(answer(house.get("/api/statuses/peek")).await.1["status"], "LEVERT");
}

#[tokio::test]
async fn an_erased_conversation_leaves_no_hole_in_the_queue() {
    let house = House::new().await;
    house.node.store.feed_status_queue(vec!["S".into()]).await.unwrap();
    let (one, other) = (
        house.draft(sbd("avtalt", &json!({}))).await,
        house.draft(sbd("avtalt", &json!({}))).await,
    );
    let erased = house.delete(&format!("/api/conversations/messageId/{one}"));
    assert_eq!(answer(erased).await.0, 200);
    let (status, oldest) = answer(house.get("/api/statuses/peek")).await;
    assert_eq!((status.as_u16(), &oldest["messageId"]), (200, &json!(other)));
    assert_eq!(answer(house.delete("/api/statuses/abc")).await.0, 400);
}
