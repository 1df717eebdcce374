//! What an updater and monitoring ask: what runs here, how calls were answered, and the end of it.

use tokio_util::sync::CancellationToken;

use super::*;

#[tokio::test]
async fn an_updater_finds_the_version_where_it_looks_for_it() {
    let house = House::new().await;
    let (status, info) = answer(house.get("/manage/info")).await;
    assert_eq!(status, 200);
    let version = env!("CARGO_PKG_VERSION");
    assert_eq!(
        info["build"],
        json!({ "version": version, "artifact": "budstikke", "name": "budstikke", "group": "budstikke" })
    );
    assert_eq!(info["store"], json!({ "schema": budstikke_store::SCHEMA }));
    assert_eq!(
        (&info["name"], &info["version"], &info["organisation"]),
        (&json!("budstikke"), &json!(version), &json!("991825827"))
    );
}

#[tokio::test]
async fn nobody_stops_a_node_that_does_not_allow_it() {
    let house = House::new().await;
    let (status, body) = answer(house.post("/manage/shutdown")).await;
    let (unknown, mut expected) = answer(house.post("/manage/nowhere")).await;
    assert_eq!((status.as_u16(), unknown.as_u16()), (404, 404));
    for member in ["path", "timestamp"] {
        expected[member] = body[member].clone();
    }
    assert_eq!(body, expected, "as any path that is not there");
}

#[tokio::test]
async fn a_call_stops_a_node_that_allows_it_and_a_second_one_is_answered_too() {
    let house = House::furnished(|node| node.shutdown = Some(CancellationToken::new())).await;
    let shutdown = house.node.shutdown.clone().unwrap();
    for method in ["GET", "PUT", "DELETE"] {
        let method = method.parse().unwrap();
        let (status, body) = answer(house.client.request(method, house.url("/manage/shutdown"))).await;
        assert_eq!(
            (status.as_u16(), exception(&body)),
            (405, "HttpRequestMethodNotSupportedException")
        );
    }
    assert!(!shutdown.is_cancelled());
    for _ in 0..2 {
        let (status, body) = answer(house.post("/manage/shutdown")).await;
        assert_eq!(
            (status.as_u16(), body),
            (200, json!({ "message": "Shutting down, bye..." }))
        );
        assert!(shutdown.is_cancelled());
    }
}

#[tokio::test]
async fn answers_are_told_to_prometheus_with_or_without_an_address_service() {
    let house = House::new().await;
    let text = house.get("/manage/prometheus").send().await.unwrap().text().await;
    let text = text.unwrap();
    let lines: Vec<&str> = text.lines().filter(|line| !line.starts_with('#')).collect();
    assert_eq!(
        lines,
        [
            "budstikke_up 1",
            "budstikke_http_answers_total{status=\"2xx\"} 0",
            "budstikke_http_answers_total{status=\"3xx\"} 0",
            "budstikke_http_answers_total{status=\"4xx\"} 0",
            "budstikke_http_answers_total{status=\"5xx\"} 0",
        ]
    );
}
