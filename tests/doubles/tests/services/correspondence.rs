//! The proxy and Correspondence: who gets through, what is refused, and what becomes of a letter.

use std::time::Duration;

use budstikke_doubles::{
    CorrespondenceStatus, DPV_SCOPE, Doubles, DoublesConfig, Fault, Publishing, READ_SCOPE, RecipientState, Route,
    WRITE_SCOPE,
};
use reqwest::multipart::{Form, Part};
use reqwest::{Method, RequestBuilder, Response};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::caller::{OTHER, OWN, ask_token, claims, client_id, exchange, header, organisation, sign, start};

const PERSON: &str = "15847010042";
const KEY: &str = "6a1d5f0e-3c52-4c1b-8a0e-9f2b7d3c4e55";

async fn post_office(change: impl FnOnce(&mut DoublesConfig)) -> Doubles {
    start(|config| {
        let scopes = [DPV_SCOPE, WRITE_SCOPE, READ_SCOPE];
        let client = |number| organisation(number).client(&client_id(number)).unwrap().scopes(scopes);
        config.clients = [OWN, OTHER].map(client).into();
        change(config);
    })
    .await
}

/// A Maskinporten token without a system user.
async fn maskinporten(doubles: &Doubles, number: &str, scope: &str) -> String {
    let mut claims = claims(doubles, number, number, scope);
    claims.as_object_mut().unwrap().remove("authorization_details");
    let answer: Value = ask_token(doubles, &sign(number, &header(number), &claims))
        .await
        .json()
        .await
        .unwrap();
    answer["access_token"].as_str().unwrap().to_owned()
}

async fn altinn(doubles: &Doubles, number: &str, scope: &str) -> String {
    exchange(doubles, &maskinporten(doubles, number, scope).await)
        .await
        .text()
        .await
        .unwrap()
}

struct Writer<'a> {
    doubles: &'a Doubles,
    token: String,
}

impl<'a> Writer<'a> {
    async fn new(doubles: &'a Doubles) -> Self {
        let token = altinn(doubles, OWN, DPV_SCOPE).await;
        Self { doubles, token }
    }

    fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let url = format!("{}{path}", self.doubles.correspondence_url());
        reqwest::Client::new().request(method, url).bearer_auth(&self.token)
    }

    async fn get(&self, path: &str) -> Response {
        self.request(Method::GET, path).send().await.unwrap()
    }

    async fn json(&self, path: &str) -> Value {
        self.get(path).await.error_for_status().unwrap().json().await.unwrap()
    }

    async fn post(&self, letter: Letter) -> Response {
        let request = self.request(Method::POST, "/correspondence/upload");
        request.multipart(letter.form()).send().await.unwrap()
    }

    /// Sends a good letter and gives its id.
    async fn sent(&self, letter: Letter) -> Uuid {
        let answer: Value = self
            .post(letter)
            .await
            .error_for_status()
            .unwrap()
            .json()
            .await
            .unwrap();
        answer["correspondences"][0]["correspondenceId"]
            .as_str()
            .unwrap()
            .parse()
            .unwrap()
    }

    async fn refused(&self, letter: Letter) -> (u16, Option<u64>) {
        let response = self.post(letter).await;
        let status = response.status().as_u16();
        assert_eq!(response.headers()["content-type"], "application/problem+json");
        let body: Value = response.json().await.unwrap();
        assert_eq!(body["status"], status);
        (status, body["errorCode"].as_u64())
    }
}

#[derive(Clone)]
struct Letter {
    fields: Vec<(String, String)>,
    files: Vec<(String, String, Vec<u8>)>,
}

impl Letter {
    fn new() -> Self {
        let fields = [
            ("correspondence.resourceId", "eformidling-dpv-administrasjon"),
            ("correspondence.sendersReference", KEY),
            ("correspondence.messageSender", "Etat A"),
            ("correspondence.content.language", "nb"),
            ("correspondence.content.messageTitle", "Nye vinduer"),
            ("correspondence.content.messageSummary", "Nye vinduer"),
            ("correspondence.content.messageBody", "Nye vinduer"),
            ("correspondence.propertyList.senderOrgNumber", OWN),
            ("correspondence.isConfidential", "false"),
            ("correspondence.notification.notificationTemplate", "CustomMessage"),
            ("correspondence.notification.notificationChannel", "EmailAndSms"),
            ("correspondence.notification.emailSubject", "Melding"),
            ("correspondence.notification.emailBody", "Du har post"),
            ("correspondence.notification.smsBody", "Du har post"),
            ("correspondence.notification.sendReminder", "false"),
            ("recipients[0]", "urn:altinn:organization:identifier-no:910076787"),
            ("idempotentKey", KEY),
        ];
        Self {
            fields: fields.map(|(name, value)| (name.to_owned(), value.to_owned())).into(),
            files: Vec::new(),
        }
    }

    /// Another value; an empty one removes the field.
    fn with(mut self, name: &str, value: &str) -> Self {
        self.fields.retain(|(field, _)| field != name);
        if !value.is_empty() {
            self.fields.push((name.to_owned(), value.to_owned()));
        }
        self
    }

    fn announces(self, place: usize, name: &str) -> Self {
        let field = |member: &str| format!("correspondence.content.attachments[{place}].{member}");
        self.with(&field("fileName"), name)
            .with(&field("sendersReference"), "a")
    }

    fn brings(mut self, name: &str, bytes: &[u8]) -> Self {
        self.files
            .push(("attachments".to_owned(), name.to_owned(), bytes.to_vec()));
        self
    }

    fn form(self) -> Form {
        let form = self
            .fields
            .into_iter()
            .fold(Form::new(), |form, (name, value)| form.text(name, value));
        self.files.into_iter().fold(form, |form, (field, name, bytes)| {
            let part = Part::bytes(bytes)
                .file_name(name)
                .mime_str("application/octet-stream")
                .unwrap();
            form.part(field, part)
        })
    }
}

fn file_of(name: &str) -> Letter {
    Letter::new().announces(0, name).brings(name, b"x")
}

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
async fn every_rule_about_a_letter_has_its_number() {
    let doubles = post_office(|_| {}).await;
    doubles.correspondences().recipient(OTHER, RecipientState::Open);
    let writer = Writer::new(&doubles).await;
    let content = |member: &str| format!("correspondence.content.{member}");
    let long = |count| "a".repeat(count);
    let past = "2020-01-01T00:00:00+01:00";
    for (field, value, status, number) in [
        (content("messageTitle"), String::new(), 400, Some(1020)),
        (content("messageTitle"), "# Vedtak".to_owned(), 400, Some(1002)),
        (content("messageTitle"), long(256), 400, Some(1037)),
        (content("messageSummary"), long(256), 400, Some(1042)),
        (content("messageBody"), String::new(), 400, Some(1021)),
        (content("messageBody"), long(30_001), 400, Some(1022)),
        (content("language"), "de".to_owned(), 400, Some(1023)),
        (
            "correspondence.messageSender".to_owned(),
            "<b>A</b>".to_owned(),
            400,
            Some(1039),
        ),
        ("correspondence.messageSender".to_owned(), long(256), 400, None),
        (
            "correspondence.dueDateTime".to_owned(),
            past.to_owned(),
            400,
            Some(1008),
        ),
        ("correspondence.dueDateTime".to_owned(), "soon".to_owned(), 400, None),
        (
            "correspondence.resourceId".to_owned(),
            "unknown".to_owned(),
            400,
            Some(1036),
        ),
        ("correspondence.resourceId".to_owned(), String::new(), 400, None),
        (
            "correspondence.resourceId".to_owned(),
            "eformidling-dpv-taushetsbelagt".to_owned(),
            400,
            Some(1060),
        ),
        (
            "correspondence.isConfidential".to_owned(),
            "true".to_owned(),
            400,
            Some(1061),
        ),
        ("correspondence.isConfidential".to_owned(), "yes".to_owned(), 400, None),
        ("correspondence.sendersReference".to_owned(), String::new(), 400, None),
        ("idempotentKey".to_owned(), "not-a-uuid".to_owned(), 400, Some(1033)),
        ("idempotentKey".to_owned(), Uuid::nil().to_string(), 400, Some(1033)),
        ("recipients[0]".to_owned(), String::new(), 400, None),
        ("recipients[0]".to_owned(), "910076787".to_owned(), 400, None),
        (
            "recipients[1]".to_owned(),
            format!("urn:altinn:organization:identifier-no:{OWN}"),
            400,
            Some(1047),
        ),
        (
            "correspondence.notification.notificationChannel".to_owned(),
            "Pigeon".to_owned(),
            400,
            None,
        ),
        (
            "correspondence.notification.smsBody".to_owned(),
            String::new(),
            400,
            Some(3024),
        ),
        ("correspondence.notification.smsBody".to_owned(), long(2145), 400, None),
        (
            "correspondence.notification.sendReminder".to_owned(),
            "true".to_owned(),
            400,
            Some(3025),
        ),
        (
            "correspondence.propertyList.senderOrgNumber".to_owned(),
            long(301),
            400,
            None,
        ),
    ] {
        let refused = writer.refused(Letter::new().with(&field, &value)).await;
        assert_eq!(refused, (status, number), "{field} {value:.20}");
    }
    let later = |days: u64| (jiff::Timestamp::now() + Duration::from_secs(days * 86_400)).to_string();
    let early = Letter::new().with("correspondence.requestedPublishTime", &later(9));
    assert_eq!(
        writer
            .refused(early.with("correspondence.dueDateTime", &later(8)))
            .await,
        (400, Some(1009))
    );
    assert!(doubles.correspondences().all().is_empty());
}

#[tokio::test]
async fn every_rule_about_files_has_its_number() {
    let doubles = post_office(|config| config.correspondence.max_file = 10).await;
    let writer = Writer::new(&doubles).await;
    for (letter, number) in [
        (file_of("virus.exe"), 2013),
        (file_of("uten"), 2013),
        (file_of("con.txt"), 2021),
        (file_of("a:b.pdf"), 2012),
        (file_of(&format!("{}.pdf", "a".repeat(252))), 2011),
        (Letter::new().announces(0, "plan.pdf").brings("plan.pdf", b""), 2004),
        (
            Letter::new()
                .announces(0, "plan.pdf")
                .brings("plan.pdf", b"more than ten"),
            2004,
        ),
        (Letter::new().announces(0, "plan.pdf"), 1005),
        (Letter::new().brings("plan.pdf", b"x"), 1005),
        (Letter::new().announces(0, "plan.pdf").brings("kart.pdf", b"x"), 1005),
    ] {
        assert_eq!(writer.refused(letter).await, (400, Some(number)));
    }
    let many = (0..101).fold(Letter::new(), |letter, place| {
        letter.announces(place, &format!("{place}.pdf"))
    });
    assert_eq!(writer.refused(many).await, (400, Some(1038)));
    let nameless = Letter::new().with("correspondence.content.attachments[0].sendersReference", "a");
    assert_eq!(
        writer.refused(nameless.brings("plan.pdf", b"x")).await,
        (400, Some(2010))
    );
    let mut elsewhere = file_of("plan.pdf");
    elsewhere.files[0].0 = "files".to_owned();
    assert_eq!(writer.refused(elsewhere).await, (400, Some(1005)));
}

#[tokio::test]
async fn files_are_paired_by_place_and_then_by_a_name_that_only_one_has() {
    let doubles = post_office(|_| {}).await;
    let writer = Writer::new(&doubles).await;
    let both = Letter::new().announces(0, "a.pdf").announces(1, "b.pdf");
    let crossed = writer.sent(both.brings("b.pdf", b"b").brings("a.pdf", b"a")).await;
    let files = doubles.correspondences().get(crossed).unwrap().files;
    assert_eq!(files[0].read().unwrap(), b"a");
    let twins = Letter::new()
        .with("idempotentKey", "")
        .announces(0, "b.pdf")
        .announces(1, "a.pdf");
    let ambiguous = twins.clone().brings("a.pdf", b"1").brings("a.pdf", b"2");
    assert_eq!(writer.refused(ambiguous).await, (400, Some(1005)));
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
