//! The life of a transfer, and every refusal.

use std::time::Duration;

use budstikke_doubles::{
    DPO_RESOURCE, DownloadMark, Organisation, READ_SCOPE, RecipientStatus, TransferStatus, WRITE_SCOPE,
};
use md5::{Digest as _, Md5};
use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::caller::{Caller, OTHER, OWN, STRANGER, code, exchange, maskinporten_token, problem, start};

#[tokio::test]
async fn a_transfer_lives_from_initialise_to_the_last_confirmation() {
    let doubles = start(|_| {}).await;
    let sender = Caller::new(&doubles, OWN).await;
    let receiver = Caller::new(&doubles, OTHER).await;

    let mut announcement = sender.announcement(OTHER);
    announcement["checksum"] = json!(hex::encode(Md5::digest(b"content")));
    announcement["propertyList"] = json!({ "key": "value" });
    let id = sender.announced(&announcement).await;
    assert_eq!(sender.overview(id).await["fileTransferStatus"], "Initialized");
    assert!(receiver.waiting().await.is_empty());
    let uploaded = sender.upload(id, "content").await;
    assert_eq!(uploaded.status(), 200);
    assert_eq!(
        uploaded.json::<Value>().await.unwrap()["fileTransferId"],
        id.to_string()
    );

    assert_eq!(receiver.waiting().await, [id]);
    let overview = receiver.overview(id).await;
    assert_eq!(overview["fileTransferId"], id.to_string());
    assert_eq!(overview["fileTransferStatus"], "Published");
    assert_eq!(overview["fileTransferSize"], 7);
    assert_eq!(overview["checksum"], announcement["checksum"]);
    assert_eq!(overview["sender"], format!("0192:{OWN}"));
    assert_eq!(
        overview["sendersFileTransferReference"],
        announcement["sendersFileTransferReference"]
    );
    assert_eq!(overview["propertyList"]["key"], "value");
    assert_eq!(overview["recipients"][0]["recipient"], format!("0192:{OTHER}"));
    assert_eq!(
        overview["recipients"][0]["currentRecipientFileTransferStatusCode"],
        "Initialized"
    );

    let download = receiver.download(id).await;
    assert_eq!(download.status(), 200);
    assert_eq!(download.headers()["content-length"], "7");
    assert_eq!(download.text().await.unwrap(), "content");
    assert!(receiver.waiting().await.is_empty());
    assert_eq!(
        receiver.list("status=Published&recipientStatus=DownloadStarted").await,
        [id]
    );

    let confirmed = receiver.confirm(id).await;
    assert_eq!(confirmed.status(), 204);
    let overview = sender.overview(id).await;
    assert_eq!(overview["fileTransferStatus"], "AllConfirmedDownloaded");
    assert_eq!(
        overview["recipients"][0]["currentRecipientFileTransferStatusCode"],
        "DownloadConfirmed"
    );
    assert_eq!(problem(receiver.confirm(id).await).await, code(400, 10));
    assert_eq!(doubles.transfer(id).unwrap().read().unwrap(), b"content");
}

#[tokio::test]
async fn a_second_confirmation_is_fine_while_another_recipient_is_missing() {
    let doubles = start(|_| {}).await;
    let sender = Caller::new(&doubles, OWN).await;
    let first = Caller::new(&doubles, OTHER).await;
    let second = Caller::on_behalf_of(&doubles, OWN, STRANGER).await;
    let mut announcement = sender.announcement(OTHER);
    announcement["recipients"] = json!([format!("0192:{OTHER}"), format!("0192:{STRANGER}")]);
    let id = sender.announced(&announcement).await;
    sender.upload(id, "x").await;
    first.download(id).await.bytes().await.unwrap();
    assert_eq!(first.confirm(id).await.status(), 204);
    assert_eq!(first.confirm(id).await.status(), 204);
    assert_eq!(doubles.transfer(id).unwrap().status, TransferStatus::Published);
    second.download(id).await.bytes().await.unwrap();
    assert_eq!(second.confirm(id).await.status(), 204);
    assert_eq!(
        doubles.transfer(id).unwrap().status,
        TransferStatus::AllConfirmedDownloaded
    );
}

#[tokio::test]
async fn confirming_needs_a_published_and_downloaded_transfer() {
    let doubles = start(|_| {}).await;
    let sender = Caller::new(&doubles, OWN).await;
    let receiver = Caller::new(&doubles, OTHER).await;
    let id = sender.announced(&sender.announcement(OTHER)).await;
    assert_eq!(problem(receiver.confirm(id).await).await, code(400, 3));
    assert_eq!(problem(receiver.download(id).await).await, code(403, 7));
    sender.upload(id, "x").await;
    assert_eq!(problem(receiver.confirm(id).await).await, code(400, 19));
    assert_eq!(problem(receiver.confirm(Uuid::new_v4()).await).await, code(404, 1));
}

#[tokio::test]
async fn slashes_matter() {
    let doubles = start(|_| {}).await;
    let sender = Caller::new(&doubles, OWN).await;
    let announcement = sender.announcement(OTHER);
    let without = sender
        .request(Method::POST, &sender.write, "/filetransfer")
        .json(&announcement)
        .send()
        .await
        .unwrap();
    assert_eq!(without.status(), 404);
    let with = sender.get(&format!("/filetransfer/?resourceId={DPO_RESOURCE}")).await;
    assert_eq!(with.status(), 404);
    assert!(doubles.transfers().is_empty());
}

#[tokio::test]
async fn every_member_of_an_announcement_is_checked() {
    let doubles = start(|_| {}).await;
    let sender = Caller::new(&doubles, OWN).await;
    let eleven: serde_json::Map<String, Value> = (0..11).map(|n| (n.to_string(), json!("v"))).collect();
    let wrong = [
        ("fileName", json!("")),
        ("fileName", json!("a".repeat(256))),
        ("fileName", json!(null)),
        ("resourceId", json!("")),
        ("sendersFileTransferReference", json!("")),
        ("sendersFileTransferReference", json!("a".repeat(4097))),
        ("sender", json!(OWN)),
        ("sender", json!(null)),
        ("recipients", json!([])),
        ("recipients", json!([format!("0192:{OTHER}"), "0192:12"])),
        ("propertyList", Value::Object(eleven)),
        ("propertyList", json!({ "k".repeat(51): "v" })),
        ("propertyList", json!({ "k": "v".repeat(301) })),
        ("checksum", json!("abc")),
        ("checksum", json!("A".repeat(32))),
    ];
    for (member, value) in wrong {
        let mut announcement = sender.announcement(OTHER);
        announcement[member] = value.clone();
        let response = sender.initialise(&announcement).await;
        assert_eq!(response.status(), 400, "{member} {value}");
        let body: Value = response.json().await.unwrap();
        assert!(body["errors"][member].is_array(), "{member} {value}: {body}");
    }
    let mut announcement = sender.announcement(OTHER);
    announcement["recipients"] = json!("0192:910076787");
    assert_eq!(sender.initialise(&announcement).await.status(), 400);
    let mut announcement = sender.announcement(OTHER);
    announcement["disableVirusScan"] = json!(true);
    assert_eq!(problem(sender.initialise(&announcement).await).await, code(400, 20));
    let mut announcement = sender.announcement(OTHER);
    announcement["resourceId"] = json!("unknown");
    assert_eq!(problem(sender.initialise(&announcement).await).await, code(403, 5));
    let mut announcement = sender.announcement(OTHER);
    announcement["sender"] = json!(format!("0192:{STRANGER}"));
    assert_eq!(problem(sender.initialise(&announcement).await).await, code(401, 6));
    assert!(doubles.transfers().is_empty());
}

#[tokio::test]
async fn the_right_scope_and_a_system_user_are_needed() {
    let doubles = start(|config| config.token_life = Duration::from_secs(4)).await;
    let sender = Caller::new(&doubles, OWN).await;
    let announcement = sender.announcement(OTHER);
    let with = |token: String| {
        let request = sender
            .request(Method::POST, &token, "/filetransfer/")
            .json(&announcement);
        async move { problem(request.send().await.unwrap()).await }
    };
    assert_eq!(with("made-up".to_owned()).await, (401, None));
    assert_eq!(with(sender.read.clone()).await, (403, None));
    // A Maskinporten token that was not exchanged.
    assert_eq!(
        with(maskinporten_token(&doubles, OWN, OWN, WRITE_SCOPE).await).await,
        (401, None)
    );
    let reading = format!("/filetransfer/{}/download", Uuid::new_v4());
    let response = sender
        .request(Method::GET, &sender.write, &reading)
        .send()
        .await
        .unwrap();
    assert_eq!(problem(response).await, (403, None));
    tokio::time::sleep(Duration::from_millis(4100)).await;
    assert_eq!(with(sender.write.clone()).await, (401, None));

    let mut claims = crate::caller::claims(&doubles, OWN, OWN, WRITE_SCOPE);
    claims.as_object_mut().unwrap().remove("authorization_details");
    let assertion = crate::caller::sign(OWN, &crate::caller::header(OWN), &claims);
    let answer: Value = crate::caller::ask_token(&doubles, &assertion)
        .await
        .json()
        .await
        .unwrap();
    let token = exchange(&doubles, answer["access_token"].as_str().unwrap())
        .await
        .text()
        .await
        .unwrap();
    assert_eq!(with(token).await, code(401, 6));
}

#[tokio::test]
async fn others_see_nothing_of_a_transfer() {
    let doubles = start(|_| {}).await;
    let sender = Caller::new(&doubles, OWN).await;
    let stranger = Caller::on_behalf_of(&doubles, OWN, STRANGER).await;
    let id = sender.send(OTHER, b"x").await;
    assert_eq!(
        problem(stranger.get(&format!("/filetransfer/{id}")).await).await,
        code(404, 1)
    );
    assert_eq!(problem(stranger.download(id).await).await, code(404, 1));
    assert_eq!(problem(stranger.confirm(id).await).await, code(401, 6));
    assert_eq!(problem(stranger.upload(id, "y").await).await, code(401, 6));
    assert!(stranger.list("").await.is_empty());
    // The sender is no recipient.
    assert_eq!(problem(sender.download(id).await).await, code(404, 1));
}

#[tokio::test]
async fn a_list_shows_the_newest_hundred_or_the_oldest_when_asked() {
    let doubles = start(|_| {}).await;
    let receiver = Caller::new(&doubles, OTHER).await;
    let ids: Vec<Uuid> = (0..105)
        .map(|_| doubles.publish(OWN, OTHER, DPO_RESOURCE, None, b"x").unwrap())
        .collect();
    let newest: Vec<Uuid> = ids.iter().rev().take(100).copied().collect();
    assert_eq!(receiver.waiting().await, newest);
    let filter = "status=Published&recipientStatus=Initialized&orderAscending=true";
    assert_eq!(receiver.list(filter).await, ids[..100]);
    let hundredth = doubles.transfer(ids[99]).unwrap().created;
    let rest = receiver.list(&format!("orderAscending=true&from={hundredth}")).await;
    assert_eq!(rest, ids[99..]);
    let first = doubles.transfer(ids[0]).unwrap().created;
    assert_eq!(receiver.list(&format!("to={first}")).await, ids[..1]);
}

#[tokio::test]
async fn a_list_can_ask_for_a_role_and_refuses_what_it_does_not_know() {
    let doubles = start(|_| {}).await;
    let own = Caller::new(&doubles, OWN).await;
    let out = doubles.publish(OWN, OTHER, DPO_RESOURCE, None, b"x").unwrap();
    let inward = doubles.publish(OTHER, OWN, DPO_RESOURCE, Some("fag-1"), b"x").unwrap();
    assert_eq!(own.list("").await, [inward, out]);
    assert_eq!(own.list("role=Sender").await, [out]);
    assert_eq!(own.list("role=Recipient").await, [inward]);
    assert_eq!(own.waiting().await, [inward]);
    assert!(own.list("status=Failed").await.is_empty());
    for wrong in [
        "status=Nonsense",
        "recipientStatus=Nonsense",
        "from=yesterday",
        "role=Owner",
        "orderAscending=up",
    ] {
        let response = own
            .get(&format!("/filetransfer?resourceId={DPO_RESOURCE}&{wrong}"))
            .await;
        assert_eq!(problem(response).await, (400, None), "{wrong}");
    }
    assert_eq!(
        problem(own.get("/filetransfer?status=Published").await).await,
        (400, None)
    );
    assert_eq!(
        problem(own.get("/filetransfer?resourceId=unknown").await).await,
        code(403, 5)
    );
}

#[tokio::test]
async fn transfers_run_out_of_time() {
    let doubles = start(|config| config.limits.time_to_live = Duration::from_secs(2)).await;
    let receiver = Caller::new(&doubles, OTHER).await;
    let id = doubles.publish(OWN, OTHER, DPO_RESOURCE, None, b"x").unwrap();
    assert_eq!(receiver.waiting().await, [id]);
    tokio::time::sleep(Duration::from_millis(2100)).await;
    assert!(receiver.waiting().await.is_empty());
    assert_eq!(receiver.overview(id).await["fileTransferStatus"], "Purged");
    assert_eq!(problem(receiver.download(id).await).await, code(403, 7));
    assert!(doubles.transfer(id).unwrap().read().is_err());
}

#[tokio::test]
async fn a_download_can_count_from_its_start() {
    let doubles = start(|config| config.download_mark = DownloadMark::WhenRequested).await;
    let receiver = Caller::new(&doubles, OTHER).await;
    let id = doubles
        .publish(OWN, OTHER, DPO_RESOURCE, None, &vec![0; 4 << 20])
        .unwrap();
    drop(receiver.download(id).await);
    let other: Organisation = OTHER.parse().unwrap();
    assert_eq!(
        doubles.transfer(id).unwrap().recipient(&other).unwrap().status,
        RecipientStatus::DownloadStarted
    );
}

#[tokio::test]
async fn a_vendor_acts_for_its_customer() {
    let doubles = start(|_| {}).await;
    let vendor = Caller::on_behalf_of(&doubles, OWN, STRANGER).await;
    let receiver = Caller::new(&doubles, OTHER).await;
    let id = vendor.send(OTHER, b"x").await;
    assert_eq!(receiver.overview(id).await["sender"], format!("0192:{STRANGER}"));
}

#[tokio::test]
async fn people_can_look_at_transfers_and_requests() {
    let doubles = start(|_| {}).await;
    let sender = Caller::new(&doubles, OWN).await;
    let id = sender.send(OTHER, b"x").await;
    let look = |what: &str| {
        let url = format!("{}/{what}", doubles.control_url());
        async move { reqwest::get(url).await.unwrap().json::<Value>().await.unwrap() }
    };
    let transfers = look("transfers").await;
    assert_eq!(transfers[0]["fileTransferId"], id.to_string());
    let requests = look("requests").await;
    let uploads: Vec<&Value> = requests
        .as_array()
        .unwrap()
        .iter()
        .filter(|request| request["route"] == "upload")
        .collect();
    assert_eq!(uploads.len(), 1);
    assert_eq!(uploads[0]["status"], 200);
    assert_eq!(uploads[0]["path"], format!("/broker/api/v1/filetransfer/{id}/upload"));
    assert_eq!(doubles.count(budstikke_doubles::Route::Token), 2);
    assert_eq!(
        requests.as_array().unwrap().len(),
        6,
        "two tokens, two exchanges, initialise, upload"
    );
    doubles.clear();
    assert!(doubles.transfers().is_empty() && doubles.requests().is_empty());
    assert_eq!(
        maskinporten_token(&doubles, OWN, OWN, READ_SCOPE)
            .await
            .split('.')
            .count(),
        3
    );
}
