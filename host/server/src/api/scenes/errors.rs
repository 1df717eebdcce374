//! What a client can get wrong in a path, a query, a method or a type of content.

use reqwest::Method;
use serde_json::json;

use super::*;

#[tokio::test]
async fn what_is_wrong_in_a_path_or_a_query_is_a_clients_error() {
    let house = House::new().await;
    let too_large = "99999999999999999999";
    for path in [
        format!("/api/conversations/{too_large}"),
        "/api/conversations/abc".into(),
        "/api/conversations/1.5".into(),
        "/api/conversations/%00".into(),
        "/api/conversations/%FF".into(),
        "/api/conversations/messageId/%FF".into(),
        "/api/conversations/messageId/a%00b".into(),
        "/api/conversations?messageId=%FF".into(),
        "/api/conversations?messageId=a%00".into(),
        "/api/conversations?finished=perhaps".into(),
        "/api/conversations?pollable=1".into(),
        "/api/conversations?direction=SIDEWAYS".into(),
        "/api/conversations?lastUpdateFrom=2026-02-30".into(),
        "/api/conversations?lastUpdateTo=2026-03-02T09:15:00Z".into(),
        "/api/conversations?sort=lastUpdated,desc".into(),
        "/api/conversations/queue?sort=nonsense".into(),
        format!("/api/statuses?id={too_large}"),
        "/api/statuses?id=abc".into(),
        "/api/statuses?fromDateTime=yesterday".into(),
        "/api/statuses?fromDateTime=2026-03-02&toDateTime=2026-03-03".into(),
        "/api/statuses/some-id?sort=%00".into(),
        "/api/statuses/some-id?sort=nonsense".into(),
        "/api/messages/out?serviceIdentifier=no%20service".into(),
        "/api/messages/out?sort=nonsense".into(),
        "/api/messages/in?sort=nonsense".into(),
        "/api/messages/in?messageid=x".into(),
        "/api/messages/in/peek?serviceIdentifier=%FF".into(),
        "/api/messages/in/pop/%FF".into(),
        "/api/capabilities/%FF".into(),
        "/api/capabilities/910076787?securityLevel=high".into(),
        "/api/capabilities/910076787?securityLevel=-1".into(),
        "/manage/set-aside/abc".into(),
    ] {
        let (status, body) = answer(house.get(&path)).await;
        assert_eq!(status, 400, "{path}: {body}");
        assert_eq!(body["path"], path.split('?').next().unwrap());
        assert!(!body["message"].as_str().unwrap().is_empty());
        assert!(!body["hint"].as_str().unwrap().is_empty());
    }
    for path in [
        "/api/conversations/abc",
        "/api/conversations/%FF",
        "/api/statuses/abc",
        "/manage/set-aside/abc",
    ] {
        assert_eq!(answer(house.delete(path)).await.0, 400, "{path}");
    }
}

#[tokio::test]
async fn pages_that_make_no_sense_fall_back() {
    let house = House::new().await;
    for query in [
        "page=-1&size=-1",
        "page=x&size=y",
        "page=99999999999999999999&size=99999999999999999999",
        "size=0",
    ] {
        let (status, page) = answer(house.get(&format!("/api/conversations?{query}"))).await;
        assert_eq!(
            (status.as_u16(), page["size"].as_u64(), page["number"].as_u64()),
            (200, Some(10), Some(0)),
            "{query}"
        );
    }
    let (status, page) = answer(house.get("/api/statuses?page=18446744073709551615&size=2000")).await;
    assert_eq!((status.as_u16(), page["numberOfElements"].as_u64()), (200, Some(0)));
}

#[tokio::test]
async fn unknown_paths_methods_and_types_of_content_are_told_apart() {
    let house = House::new().await;
    for (request, status, expected) in [
        (house.get("/nothing"), 404, "NoResourceFoundException"),
        (house.get("/api"), 404, "NoResourceFoundException"),
        (house.get("/api/messages/out/"), 404, "NoResourceFoundException"),
        (
            house.delete("/api/messages/in"),
            405,
            "HttpRequestMethodNotSupportedException",
        ),
        (
            house.client.put(house.url("/api/statuses/1")),
            405,
            "HttpRequestMethodNotSupportedException",
        ),
        (
            house.post("/api/messages/out").body("{}"),
            415,
            "HttpMediaTypeNotSupportedException",
        ),
        (
            house
                .post("/api/messages/out")
                .header("content-type", "application/xml")
                .body("<a/>"),
            415,
            "HttpMediaTypeNotSupportedException",
        ),
        (
            house.post("/api/messages/out/multipart").body("x"),
            415,
            "HttpMediaTypeNotSupportedException",
        ),
        (
            house
                .post("/api/messages/out/multipart")
                .header("content-type", "multipart/form-data")
                .body("x"),
            400,
            "MultipartException",
        ),
    ] {
        let (got, body) = answer(request).await;
        assert_eq!((got.as_u16(), exception(&body)), (status, expected), "{body}");
    }
}

#[tokio::test]
async fn json_that_cannot_be_read_is_a_clients_error() {
    let house = House::new().await;
    let deep = "[".repeat(10_000);
    let header = sbd("avtalt", &json!({}))["standardBusinessDocumentHeader"].clone();
    for (body, expected) in [
        ("", "HttpMessageNotReadableException"),
        ("{", "HttpMessageNotReadableException"),
        ("null", "HttpMessageNotReadableException"),
        (deep.as_str(), "HttpMessageNotReadableException"),
        (
            "{\"standardBusinessDocumentHeader\": 1, \"avtalt\": {}}",
            "HttpMessageNotReadableException",
        ),
        (
            "{\"standardBusinessDocumentHeader\": {\"sender\": {}}, \"avtalt\": {}}",
            "HttpMessageNotReadableException",
        ),
        ("{\"avtalt\": {}}", "HttpMessageNotReadableException"),
        (
            &json!({ "standardBusinessDocumentHeader": header }).to_string(),
            "MissingMessageTypeException",
        ),
        (
            &json!({ "standardBusinessDocumentHeader": header, "avtalt": 1 }).to_string(),
            "HttpMessageNotReadableException",
        ),
    ] {
        let request = house
            .post("/api/messages/out")
            .header("content-type", "application/json")
            .body(body.to_owned());
        let (status, answered) = answer(request).await;
        assert_eq!(
            (status.as_u16(), exception(&answered)),
            (400, expected),
            "{body:.80}: {answered}"
        );
    }
}

#[tokio::test]
async fn options_tell_the_methods_and_head_answers_without_a_body() {
    let house = House::new().await;
    let options = |path: &str| house.client.request(Method::OPTIONS, house.url(path)).send();
    let response = options("/api/conversations/1").await.unwrap();
    assert_eq!(response.status(), 200);
    assert_eq!(response.headers()["allow"], "GET,HEAD,DELETE");
    assert_eq!(response.text().await.unwrap(), "");
    assert_eq!(options("/api/nothing").await.unwrap().status(), 404);
    let head = house.client.head(house.url("/api/statuses")).send().await.unwrap();
    assert_eq!(
        (head.status().as_u16(), head.headers()["content-type"].to_str().unwrap()),
        (200, "application/json")
    );
    let peek = house
        .client
        .head(house.url("/api/messages/in/peek"))
        .send()
        .await
        .unwrap();
    assert_eq!(
        (peek.status().as_u16(), peek.headers()["allow"].to_str().unwrap()),
        (405, "GET")
    );
}
