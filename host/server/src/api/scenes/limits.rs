//! How much one request may bring.

use std::time::Duration;

use reqwest::multipart::{Form, Part};
use serde_json::json;

use super::*;
use crate::config::ServerLimits;

fn form(files: &[usize]) -> Form {
    let sbd = sbd("arkivmelding", &json!({})).to_string();
    let sbd = Part::text(sbd).mime_str("application/json").unwrap();
    files
        .iter()
        .enumerate()
        .fold(Form::new().part("sbd", sbd), |form, (number, size)| {
            let file = Part::bytes(vec![b'x'; *size]).file_name(format!("{number}.txt"));
            form.part(format!("f{number}"), file)
        })
}

async fn one_shot(house: &House, files: &[usize]) -> (StatusCode, Value) {
    answer(house.post("/api/messages/out/multipart").multipart(form(files))).await
}

/// Past the limits: what is refused then is refused for something else.
fn within(told: &(StatusCode, Value)) {
    assert_eq!(exception(&told.1), "ServiceNotEnabledException", "{told:?}");
}

#[tokio::test]
async fn a_form_has_so_many_parts_of_so_many_bytes_each_and_together() {
    let house = House::with(ServerLimits {
        parts: 4,
        part_bytes: 2000,
        request_bytes: 5000,
        ..ServerLimits::default()
    })
    .await;
    within(&one_shot(&house, &[2000, 10, 10]).await);
    let (status, body) = one_shot(&house, &[2001]).await;
    assert_eq!(
        (status.as_u16(), exception(&body)),
        (400, "MultipartFileToLargeException")
    );
    assert!(body["message"].as_str().unwrap().contains("2000 bytes"), "{body}");
    let (status, body) = one_shot(&house, &[1; 4]).await;
    assert_eq!(
        (status.as_u16(), exception(&body)),
        (413, "MaxUploadSizeExceededException")
    );
    assert!(body["message"].as_str().unwrap().contains("4 parts"), "{body}");
    let (status, body) = one_shot(&house, &[1900; 3]).await;
    assert_eq!(
        (status.as_u16(), exception(&body)),
        (413, "MaxUploadSizeExceededException")
    );
    assert!(body["message"].as_str().unwrap().contains("5000 bytes"), "{body}");
    assert_eq!(house.files(), 0, "nothing stays");
}

#[tokio::test]
async fn json_has_so_many_bytes_alone_and_in_a_form() {
    let house = House::with(ServerLimits {
        json_bytes: 1024,
        ..ServerLimits::default()
    })
    .await;
    within(&answer(house.create(&sbd("arkivmelding", &json!({})))).await);
    let padded = sbd("arkivmelding", &json!({ "x": "y".repeat(1024) }));
    let (status, body) = answer(house.create(&padded)).await;
    assert_eq!(
        (status.as_u16(), exception(&body)),
        (413, "MaxUploadSizeExceededException")
    );
    let part = Part::text(padded.to_string()).mime_str("application/json").unwrap();
    let request = house
        .post("/api/messages/out/multipart")
        .multipart(Form::new().part("sbd", part));
    let (status, body) = answer(request).await;
    assert_eq!(
        (status.as_u16(), exception(&body)),
        (413, "MaxUploadSizeExceededException")
    );
}

#[tokio::test]
async fn a_client_that_is_silent_in_the_middle_of_a_body_is_told_so() {
    let house = House::with(ServerLimits {
        silence_time: Duration::from_millis(50),
        ..ServerLimits::default()
    })
    .await;
    let id = house.draft(sbd("arkivmelding", &json!({}))).await;
    let silent = || reqwest::Body::wrap_stream(futures::stream::pending::<std::io::Result<Vec<u8>>>());
    let json = house
        .post("/api/messages/out")
        .header("content-type", "application/json")
        .body(silent());
    let form = house
        .post("/api/messages/out/multipart")
        .header("content-type", "multipart/form-data; boundary=B")
        .body(silent());
    for request in [json, form, house.upload(&id, "a.txt", silent())] {
        let (status, body) = answer(request).await;
        assert_eq!((status.as_u16(), exception(&body)), (400, "ClientAbortException"));
    }
    assert_eq!(house.files(), 0, "nothing stays");
}

#[tokio::test]
async fn nobody_is_shown_a_stack_trace() {
    let house = House::new().await;
    for query in ["?trace", "?trace=true", "?trace=", "?x=1&trace"] {
        let (status, body) = answer(house.get(&format!("/api/nowhere{query}"))).await;
        assert_eq!(status, 404);
        assert!(body.get("trace").is_none(), "{body}");
    }
}
