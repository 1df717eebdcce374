//! The proxy and Correspondence: who gets through, and what becomes of a letter.

mod rules;
mod writer;

use budstikke_doubles::{CorrespondenceStatus, DPV_SCOPE, Fault, Publishing, READ_SCOPE, RecipientState, Route};
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};
use uuid::Uuid;

use self::writer::{KEY, Letter, PERSON, Writer, altinn, file_of, maskinporten, post_office};
use crate::caller::{OTHER, OWN};

#[tokio::test]
async fn t25_the_proxy_lets_through_only_altinn_tokens_with_the_scope_of_who_is_on_the_list() {
    let doubles = post_office(|config| {
        config.correspondence.access_list = Some(vec![OWN.parse().unwrap()]);
    })
    .await;
    let url = format!("{}/correspondence/{KEY}", doubles.correspondence_url());
    let ask = async |token: Option<String>| {
        let request = reqwest::Client::new().get(&url);
        let request = token.into_iter().fold(request, RequestBuilder::bearer_auth);
        let response = request.send().await.unwrap();
        let status = response.status().as_u16();
        let body: Value = response.json().await.unwrap();
        (status, body["detail"].as_str().unwrap().to_owned())
    };
    let not_authenticated = (401, "Proxy AuthN error : Not Authenticated".to_owned());
    let denied = (403, "Proxy AuthZ error : Access Denied".to_owned());
    assert_eq!(ask(None).await, not_authenticated);
    assert_eq!(
        ask(Some(maskinporten(&doubles, OWN, DPV_SCOPE).await)).await,
        not_authenticated
    );
    assert_eq!(ask(Some(altinn(&doubles, OWN, READ_SCOPE).await)).await, denied);
    assert_eq!(ask(Some(altinn(&doubles, OTHER, DPV_SCOPE).await)).await, denied);
    let (status, detail) = ask(Some(altinn(&doubles, OWN, DPV_SCOPE).await)).await;
    assert_eq!((status, detail.contains("Proxy")), (404, false));
}

#[tokio::test]
async fn a_letter_comes_in_whole_and_is_published_at_once() {
    let doubles = post_office(|_| {}).await;
    let writer = Writer::new(&doubles).await;
    let letter = Letter::new().announces(0, "plan.pdf").announces(1, "kart.png");
    let letter = letter.brings("plan.pdf", b"first").brings("kart.png", b"second");
    let fields = letter.fields.clone();
    let id = writer.sent(letter).await;

    let came = doubles.correspondences().get(id).unwrap();
    assert_eq!(came.fields, fields);
    assert_eq!(came.field("Correspondence.Content.MessageTitle"), Some("Nye vinduer"));
    let files: Vec<_> = came
        .files
        .iter()
        .map(|file| (file.name.as_str(), file.read().unwrap()))
        .collect();
    assert_eq!(
        files,
        [("plan.pdf", b"first".to_vec()), ("kart.png", b"second".to_vec())]
    );
    assert_eq!(came.files[0].media_type.as_deref(), Some("application/octet-stream"));
    assert_eq!(
        (came.consumer.number(), came.idempotent_key),
        (OWN, Some(KEY.parse().unwrap()))
    );

    let overview = writer.json(&format!("/correspondence/{id}")).await;
    assert_eq!(overview["status"], "Published");
    assert!(overview["created"].is_string() && overview["published"].is_string() && overview["read"].is_null());
    let details = writer.json(&format!("/correspondence/{id}/details")).await;
    assert_eq!(details["statusHistory"][1]["status"], "Published");
    let attachment = came.files[1].id;
    let described = writer.json(&format!("/attachment/{attachment}/details")).await;
    assert_eq!(described["fileName"], "kart.png");
    let path = format!("/correspondence/{id}/attachment/{attachment}/download");
    assert_eq!(writer.get(&path).await.bytes().await.unwrap(), "second");
    assert_eq!(doubles.count(Route::CorrespondenceAttachment), 1);
    assert_eq!(doubles.count(Route::CorrespondenceUpload), 1);

    doubles.clear();
    assert!(doubles.correspondences().all().is_empty() && came.files[0].read().is_err());
}

#[tokio::test]
async fn recipients_can_be_unknown_reserved_or_without_roles() {
    let doubles = post_office(|_| {}).await;
    let post = doubles.correspondences();
    let writer = Writer::new(&doubles).await;
    let to_person = || Letter::new().with("recipients[0]", &format!("urn:altinn:person:identifier-no:{PERSON}"));
    post.recipient(PERSON, RecipientState::Reserved);
    let response = writer.post(to_person()).await;
    assert_eq!(response.status(), 422);
    let body: Value = response.json().await.unwrap();
    assert_eq!(body["errorCode"], 1030);
    assert!(
        body["detail"].as_str().unwrap().contains(PERSON),
        "Altinn names the person"
    );
    writer
        .sent(to_person().with("correspondence.ignoreReservation", "true"))
        .await;

    post.recipient(OTHER, RecipientState::Unknown);
    let letter = || Letter::new().with("idempotentKey", "");
    assert_eq!(writer.refused(letter()).await, (404, Some(1029)));
    post.recipient(OTHER, RecipientState::WithoutRoles);
    let secret = letter().with("correspondence.resourceId", "eformidling-dpv-taushetsbelagt");
    assert_eq!(
        writer
            .refused(secret.with("correspondence.isConfidential", "true"))
            .await,
        (400, Some(1044))
    );
    writer.sent(letter()).await;
}

#[tokio::test]
async fn a_key_is_taken_once_and_finds_its_letter_for_who_asks_as_the_sender() {
    let doubles = post_office(|_| {}).await;
    let writer = Writer::new(&doubles).await;
    let id = writer.sent(Letter::new()).await;
    assert_eq!(writer.refused(Letter::new()).await, (409, Some(1034)));
    // The key comes before everything else.
    assert_eq!(
        writer
            .refused(Letter::new().with("correspondence.resourceId", "x"))
            .await,
        (409, Some(1034))
    );

    let list = |query: &str| format!("/correspondence?{query}");
    let resource = "resourceId=eformidling-dpv-administrasjon";
    let found = json!({ "ids": [id] });
    let none = json!({ "ids": [] });
    for (query, expected) in [
        (format!("{resource}&role=Sender&idempotentKey={KEY}"), &found),
        (format!("{resource}&role=Sender&sendersReference={KEY}"), &found),
        (format!("{resource}&idempotentKey={KEY}"), &none),
        (format!("{resource}&role=Recipient&idempotentKey={KEY}"), &none),
        (
            format!("{resource}&role=Sender&idempotentKey={}", Uuid::new_v4()),
            &none,
        ),
        (
            format!("resourceId=eformidling-dpv-taushetsbelagt&role=Sender&idempotentKey={KEY}"),
            &none,
        ),
    ] {
        assert_eq!(writer.json(&list(&query)).await, *expected, "{query}");
    }
    for query in [
        format!("sendersReference={KEY}"),
        format!("{resource}&role=Postman"),
        format!("{resource}&idempotentKey=x"),
    ] {
        assert_eq!(writer.get(&list(&query)).await.status(), 400, "{query}");
    }
}

#[tokio::test]
async fn a_test_decides_what_becomes_of_a_letter() {
    let doubles = post_office(|config| {
        config.correspondence.publishing = Publishing::ByHand;
        config.correspondence.bare_times = true;
    })
    .await;
    let writer = Writer::new(&doubles).await;
    let id = writer.sent(Letter::new()).await;
    let path = format!("/correspondence/{id}");
    let overview = writer.json(&path).await;
    assert_eq!(overview["status"], "Initialized");
    assert!(overview["published"].is_null());
    assert!(!overview["created"].as_str().unwrap().ends_with('Z'));
    for status in [
        CorrespondenceStatus::Published,
        CorrespondenceStatus::Read,
        CorrespondenceStatus::Archived,
        CorrespondenceStatus::Failed,
        CorrespondenceStatus::Reserved,
    ] {
        assert!(doubles.correspondences().change(id, status));
        assert_eq!(writer.json(&path).await["status"], format!("{status:?}"));
    }
    assert!(writer.json(&path).await["read"].is_string());
    assert!(
        doubles
            .correspondences()
            .change(id, CorrespondenceStatus::PurgedByRecipient)
    );
    assert_eq!(writer.get(&path).await.status(), 404);
    assert!(
        !doubles
            .correspondences()
            .change(Uuid::new_v4(), CorrespondenceStatus::Read)
    );
}

#[tokio::test]
async fn people_decide_it_at_the_door() {
    let doubles = post_office(|config| config.correspondence.purged_is_gone = false).await;
    let writer = Writer::new(&doubles).await;
    let id = writer.sent(Letter::new()).await;
    let door = format!("{}/correspondences", doubles.control_url());
    let say = async |wish: Value| {
        let request = reqwest::Client::new().post(&door).body(wish.to_string());
        request.send().await.unwrap().status().as_u16()
    };
    let shown: Value = reqwest::get(&door).await.unwrap().json().await.unwrap();
    assert_eq!(shown[0]["correspondenceId"], id.to_string());
    assert_eq!(shown[0]["fields"][0][1], "eformidling-dpv-administrasjon");
    assert_eq!(say(json!({ "id": id, "status": "PurgedByRecipient" })).await, 204);
    assert_eq!(
        writer.json(&format!("/correspondence/{id}")).await["status"],
        "PurgedByRecipient"
    );
    assert_eq!(say(json!({ "id": Uuid::new_v4(), "status": "Read" })).await, 404);
    assert_eq!(say(json!({ "id": id, "status": "Eaten" })).await, 400);
    assert_eq!(say(json!({ "recipient": OTHER, "state": "unknown" })).await, 204);
    assert_eq!(
        writer.refused(Letter::new().with("idempotentKey", "")).await,
        (404, Some(1029))
    );
}

#[tokio::test]
async fn faults_strike_letters_too() {
    let doubles = post_office(|_| {}).await;
    let mut writer = Writer::new(&doubles).await;
    doubles.faults().once(Route::CorrespondenceUpload, Fault::AnswerLost);
    let request = writer.request(Method::POST, "/correspondence/upload");
    assert!(request.multipart(Letter::new().form()).send().await.is_err());
    assert_eq!(
        doubles.correspondences().all().len(),
        1,
        "the letter came in all the same"
    );

    doubles
        .faults()
        .once(Route::CorrespondenceUpload, Fault::CutRequestBody { after: 500 });
    let request = writer.request(Method::POST, "/correspondence/upload");
    let cut = file_of("plan.pdf").with("idempotentKey", "");
    assert!(request.multipart(cut.form()).send().await.is_err());
    assert_eq!(doubles.correspondences().all().len(), 1);

    doubles.faults().once(Route::CorrespondenceUpload, Fault::VirusFound);
    let id = writer.sent(Letter::new().with("idempotentKey", "")).await;
    assert_eq!(
        doubles.correspondences().get(id).unwrap().status,
        CorrespondenceStatus::Failed
    );

    doubles.faults().once(Route::CorrespondenceOverview, Fault::Status(503));
    let path = format!("/correspondence/{id}");
    assert_eq!(writer.get(&path).await.status(), 503);
    doubles
        .faults()
        .once(Route::CorrespondenceOverview, Fault::TokenRevoked);
    for _ in 0..2 {
        let refused: Value = writer.get(&path).await.json().await.unwrap();
        assert_eq!(refused["detail"], "Proxy AuthN error : Not Authenticated");
    }
    writer.token = altinn(&doubles, OWN, DPV_SCOPE).await;
    assert_eq!(writer.get(&path).await.status(), 200);
}
