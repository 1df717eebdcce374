//! Every fault, as a client meets it.

use std::time::{Duration, Instant};

use budstikke_doubles::{DPO_RESOURCE, Doubles, Fault, Organisation, RecipientStatus, Route, TransferStatus};
use md5::{Digest as _, Md5};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use uuid::Uuid;

use crate::caller::{Caller, OTHER, OWN, code, maskinporten_token, problem, start};

fn recipient_status(doubles: &Doubles, id: Uuid) -> RecipientStatus {
    let other: Organisation = OTHER.parse().unwrap();
    doubles.transfer(id).unwrap().recipient(&other).unwrap().status
}

async fn sender_and_receiver(doubles: &Doubles) -> (Caller, Caller) {
    (Caller::new(doubles, OWN).await, Caller::new(doubles, OTHER).await)
}

#[tokio::test]
async fn a_status_comes_as_often_as_said_and_nothing_happens() {
    let doubles = start(|_| {}).await;
    let (sender, _) = sender_and_receiver(&doubles).await;
    let id = sender.announced(&sender.announcement(OTHER)).await;
    doubles.faults().times(2, Route::Upload, Fault::Status(503));
    for _ in 0..2 {
        assert_eq!(problem(sender.upload(id, vec![1; 3 << 20]).await).await, (503, None));
        assert_eq!(doubles.transfer(id).unwrap().status, TransferStatus::Initialized);
    }
    assert_eq!(sender.upload(id, "x").await.status(), 200);
    assert_eq!(doubles.count(Route::Upload), 3);
}

#[tokio::test]
async fn an_answer_is_given_word_for_word() {
    let doubles = start(|_| {}).await;
    let (_, receiver) = sender_and_receiver(&doubles).await;
    let fault = Fault::Answer {
        status: 429,
        body: "NoJson".to_owned(),
        content_type: "text/html".to_owned(),
        retry_after: Some(7),
    };
    doubles.faults().always(Route::List, fault);
    for _ in 0..3 {
        let response = receiver.get(&format!("/filetransfer?resourceId={DPO_RESOURCE}")).await;
        assert_eq!(response.status(), 429);
        assert_eq!(response.headers()["retry-after"], "7");
        assert_eq!(response.headers()["content-type"], "text/html");
        assert_eq!(response.text().await.unwrap(), "NoJson");
    }
    doubles.faults().clear();
    assert!(receiver.waiting().await.is_empty());
}

#[tokio::test]
async fn a_delay_holds_the_answer_back() {
    let doubles = start(|_| {}).await;
    doubles
        .faults()
        .once(Route::Token, Fault::Delay(Duration::from_millis(400)));
    let started = Instant::now();
    maskinporten_token(&doubles, OWN, OWN, "altinn:broker.read").await;
    assert!(started.elapsed() >= Duration::from_millis(400));
}

#[tokio::test]
async fn an_upload_cut_in_the_middle_leaves_the_transfer_open() {
    let doubles = start(|_| {}).await;
    let (sender, _) = sender_and_receiver(&doubles).await;
    let id = sender.announced(&sender.announcement(OTHER)).await;
    doubles
        .faults()
        .once(Route::Upload, Fault::CutRequestBody { after: 100_000 });
    // A body shorter than the cut is also cut.
    doubles
        .faults()
        .once(Route::Upload, Fault::CutRequestBody { after: 100_000 });
    for size in [8 << 20, 10] {
        let error = sender.upload_request(id, vec![1; size]).send().await.unwrap_err();
        assert!(error.is_request() || error.is_body(), "{error:?}");
        assert_eq!(doubles.transfer(id).unwrap().status, TransferStatus::UploadStarted);
    }
    let cut = doubles
        .requests()
        .into_iter()
        .rfind(|request| request.route == Some(Route::Upload))
        .unwrap();
    assert_eq!((cut.status, cut.fault), (None, Some("cut-request-body")));
    assert_eq!(sender.upload(id, "x").await.status(), 200);
    assert_eq!(doubles.transfer(id).unwrap().read().unwrap(), b"x");
}

#[tokio::test]
async fn a_call_cut_before_its_body_has_no_effect() {
    let doubles = start(|_| {}).await;
    let (sender, receiver) = sender_and_receiver(&doubles).await;
    doubles
        .faults()
        .once(Route::Initialise, Fault::CutRequestBody { after: 0 });
    let request = sender.request(reqwest::Method::POST, &sender.write, "/filetransfer/");
    assert!(request.json(&sender.announcement(OTHER)).send().await.is_err());
    assert!(doubles.transfers().is_empty());

    let id = doubles.publish(OWN, OTHER, DPO_RESOURCE, None, b"x").unwrap();
    receiver.download(id).await.bytes().await.unwrap();
    doubles
        .faults()
        .once(Route::Confirm, Fault::CutRequestBody { after: 5 });
    let path = format!("/filetransfer/{id}/confirmdownload");
    assert!(
        receiver
            .request(reqwest::Method::POST, &receiver.read, &path)
            .send()
            .await
            .is_err()
    );
    assert_eq!(recipient_status(&doubles, id), RecipientStatus::DownloadStarted);
}

#[tokio::test]
async fn a_download_cut_in_the_middle_gives_the_bytes_before_and_does_not_count() {
    let doubles = start(|_| {}).await;
    let (_, receiver) = sender_and_receiver(&doubles).await;
    let content: Vec<u8> = (0..1_000_000_u32).map(|n| n.to_le_bytes()[0]).collect();
    let id = doubles.publish(OWN, OTHER, DPO_RESOURCE, None, &content).unwrap();
    for after in [100_000_usize, 0, content.len() - 1] {
        doubles
            .faults()
            .once(Route::Download, Fault::CutResponseBody { after: after as u64 });
        let mut response = receiver.download(id).await;
        assert_eq!(response.headers()["content-length"], "1000000");
        let mut got = Vec::new();
        let error = loop {
            match response.chunk().await {
                Ok(Some(piece)) => got.extend_from_slice(&piece),
                Ok(None) => panic!("the download ended well"),
                Err(error) => break error,
            }
        };
        assert!(error.is_body() || error.is_decode(), "{error:?}");
        assert_eq!(got, content[..after]);
        assert_eq!(recipient_status(&doubles, id), RecipientStatus::Initialized);
    }
    assert_eq!(receiver.download(id).await.bytes().await.unwrap(), content);
    assert_eq!(recipient_status(&doubles, id), RecipientStatus::DownloadStarted);
}

#[tokio::test]
async fn a_cut_answer_to_a_json_call_comes_after_the_work() {
    let doubles = start(|_| {}).await;
    let (sender, _) = sender_and_receiver(&doubles).await;
    doubles
        .faults()
        .once(Route::Initialise, Fault::CutResponseBody { after: 5 });
    let response = sender.initialise(&sender.announcement(OTHER)).await;
    assert_eq!(response.status(), 200);
    assert!(response.bytes().await.is_err());
    assert_eq!(doubles.transfers().len(), 1);
}

#[tokio::test]
async fn a_lost_answer_leaves_its_effect() {
    let doubles = start(|_| {}).await;
    let (sender, receiver) = sender_and_receiver(&doubles).await;
    let id = sender.announced(&sender.announcement(OTHER)).await;
    doubles.faults().once(Route::Upload, Fault::AnswerLost);
    assert!(sender.upload_request(id, "content").send().await.is_err());
    assert_eq!(doubles.transfer(id).unwrap().status, TransferStatus::Published);
    assert_eq!(problem(sender.upload(id, "content").await).await, code(409, 4));

    doubles.faults().once(Route::Download, Fault::AnswerLost);
    let path = format!("/filetransfer/{id}/download");
    assert!(
        receiver
            .request(reqwest::Method::GET, &receiver.read, &path)
            .send()
            .await
            .is_err()
    );
    assert_eq!(recipient_status(&doubles, id), RecipientStatus::DownloadStarted);

    doubles.faults().once(Route::Confirm, Fault::AnswerLost);
    let path = format!("/filetransfer/{id}/confirmdownload");
    assert!(
        receiver
            .request(reqwest::Method::POST, &receiver.read, &path)
            .send()
            .await
            .is_err()
    );
    assert_eq!(problem(receiver.confirm(id).await).await, code(400, 10));
}

#[tokio::test]
async fn a_virus_fails_the_transfer_after_a_good_answer() {
    let doubles = start(|config| config.virus_scan_delay = Duration::from_millis(100)).await;
    let (sender, receiver) = sender_and_receiver(&doubles).await;
    doubles.faults().once(Route::Upload, Fault::VirusFound);
    let id = sender.send(OTHER, b"x").await;
    let failed = |all: &[budstikke_doubles::Transfer]| all.iter().all(|one| one.status == TransferStatus::Failed);
    assert!(doubles.wait_for(Duration::from_secs(5), failed).await);
    assert_eq!(sender.overview(id).await["fileTransferStatus"], "Failed");
    assert!(receiver.waiting().await.is_empty());
}

#[tokio::test]
async fn a_revoked_token_stays_refused_and_a_new_one_works() {
    let doubles = start(|_| {}).await;
    let (_, receiver) = sender_and_receiver(&doubles).await;
    doubles.faults().once(Route::List, Fault::TokenRevoked);
    for _ in 0..2 {
        let response = receiver.get(&format!("/filetransfer?resourceId={DPO_RESOURCE}")).await;
        assert!(
            response.headers()["www-authenticate"]
                .to_str()
                .unwrap()
                .contains("invalid_token")
        );
        assert_eq!(problem(response).await, (401, None));
    }
    assert!(Caller::new(&doubles, OTHER).await.waiting().await.is_empty());
}

#[tokio::test]
async fn wrong_checksums_show_in_upload_overview_and_download() {
    let doubles = start(|_| {}).await;
    let (sender, receiver) = sender_and_receiver(&doubles).await;
    let mut announcement = sender.announcement(OTHER);
    let checksum = hex::encode(Md5::digest(b"content"));
    announcement["checksum"] = json!(checksum);
    let id = sender.announced(&announcement).await;
    doubles.faults().once(Route::Upload, Fault::WrongChecksum);
    assert_eq!(problem(sender.upload(id, "content").await).await, code(400, 9));

    let id = sender.announced(&announcement).await;
    sender.upload(id, "content").await;
    doubles.faults().once(Route::Overview, Fault::WrongChecksum);
    assert_ne!(receiver.overview(id).await["checksum"], checksum);
    assert_eq!(receiver.overview(id).await["checksum"], checksum);
    doubles.faults().once(Route::Download, Fault::WrongChecksum);
    assert_eq!(receiver.download(id).await.bytes().await.unwrap().as_ref(), b"contenu");
    assert_eq!(receiver.download(id).await.bytes().await.unwrap().as_ref(), b"content");
}

#[tokio::test]
async fn slow_bodies_crawl_both_ways() {
    let doubles = start(|_| {}).await;
    let (sender, receiver) = sender_and_receiver(&doubles).await;
    let slow = Fault::SlowBody {
        bytes_per_second: 10_000,
    };
    let id = sender.announced(&sender.announcement(OTHER)).await;
    doubles.faults().once(Route::Upload, slow.clone());
    let started = Instant::now();
    assert_eq!(sender.upload(id, vec![1; 5_000]).await.status(), 200);
    assert!(started.elapsed() >= Duration::from_millis(450));
    doubles.faults().once(Route::Download, slow);
    let started = Instant::now();
    assert_eq!(receiver.download(id).await.bytes().await.unwrap().len(), 5_000);
    assert!(started.elapsed() >= Duration::from_millis(450));
}

#[tokio::test]
async fn people_switch_faults_over_http() {
    let doubles = start(|_| {}).await;
    let (sender, _) = sender_and_receiver(&doubles).await;
    let http = reqwest::Client::new();
    let faults = format!("{}/faults", doubles.control_url());
    let post = |order: Value| http.post(&faults).body(order.to_string()).send();
    let response = post(json!({ "route": "initialise", "fault": "status", "status": 503, "times": 2 }))
        .await
        .unwrap();
    assert_eq!(response.status(), 200);
    assert_eq!(sender.initialise(&sender.announcement(OTHER)).await.status(), 503);
    let on: Value = http.get(&faults).send().await.unwrap().json().await.unwrap();
    assert_eq!(
        on,
        json!([{ "route": "initialise", "fault": "status", "times": 1, "status": 503 }])
    );
    assert_eq!(http.delete(&faults).send().await.unwrap().status(), 204);
    assert_eq!(sender.initialise(&sender.announcement(OTHER)).await.status(), 200);

    for wrong in [
        json!({ "route": "nowhere", "fault": "answer-lost" }),
        json!({ "route": "upload", "fault": "nonsense" }),
        json!({ "route": "upload", "fault": "status" }),
        json!({ "route": "upload", "fault": "status", "status": 99 }),
        json!({ "route": "upload", "fault": "delay" }),
        json!({ "route": "upload", "fault": "answer-lost", "typo": 1 }),
    ] {
        let response = post(wrong.clone()).await.unwrap();
        assert_eq!(response.status(), 400, "{wrong}");
        assert!(response.json::<Value>().await.unwrap()["error"].is_string());
    }
    assert_eq!(doubles.faults().pending(), 0);
}

#[tokio::test]
async fn dropped_doubles_are_gone_with_their_connections() {
    let doubles = start(|_| {}).await;
    let (_, receiver) = sender_and_receiver(&doubles).await;
    assert!(receiver.waiting().await.is_empty());
    doubles
        .faults()
        .once(Route::Exchange, Fault::Delay(Duration::from_mins(1)));
    let running = tokio::spawn(reqwest::get(doubles.exchange_url()));
    while doubles.count(Route::Exchange) < 5 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let address = doubles.address();
    drop(doubles);
    let running = tokio::time::timeout(Duration::from_secs(5), running).await;
    assert!(running.unwrap().unwrap().is_err());
    let path = format!("/filetransfer?resourceId={DPO_RESOURCE}");
    assert!(
        receiver
            .request(reqwest::Method::GET, &receiver.read, &path)
            .send()
            .await
            .is_err()
    );
    assert!(tokio::net::TcpListener::bind(address).await.is_ok());
}

#[tokio::test]
async fn a_cut_is_a_reset_and_not_a_proper_end() {
    let doubles = start(|_| {}).await;
    for fault in [Fault::AnswerLost, Fault::CutRequestBody { after: 0 }] {
        doubles.faults().once(Route::Exchange, fault);
        let mut tcp = tokio::net::TcpStream::connect(doubles.address()).await.unwrap();
        let head = "GET /authentication/api/v1/exchange/maskinporten HTTP/1.1\r\nHost: localhost\r\n\r\n";
        tcp.write_all(head.as_bytes()).await.unwrap();
        let error = tcp.read(&mut [0; 100]).await.unwrap_err();
        assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset);
    }
}
