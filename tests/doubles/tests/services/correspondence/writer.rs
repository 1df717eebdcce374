//! An organisation that writes letters.

use budstikke_doubles::{DPV_SCOPE, Doubles, DoublesConfig, READ_SCOPE, WRITE_SCOPE};
use reqwest::multipart::{Form, Part};
use reqwest::{Method, RequestBuilder, Response};
use serde_json::Value;
use uuid::Uuid;

use crate::caller::{OTHER, OWN, ask_token, claims, client_id, exchange, header, organisation, sign, start};

pub(super) const PERSON: &str = "15847010042";
pub(super) const KEY: &str = "6a1d5f0e-3c52-4c1b-8a0e-9f2b7d3c4e55";

pub(super) async fn post_office(change: impl FnOnce(&mut DoublesConfig)) -> Doubles {
    start(|config| {
        let scopes = [DPV_SCOPE, WRITE_SCOPE, READ_SCOPE];
        let client = |number| organisation(number).client(&client_id(number)).unwrap().scopes(scopes);
        config.clients = [OWN, OTHER].map(client).into();
        change(config);
    })
    .await
}

/// A Maskinporten token without a system user.
pub(super) async fn maskinporten(doubles: &Doubles, number: &str, scope: &str) -> String {
    let mut claims = claims(doubles, number, number, scope);
    claims.as_object_mut().unwrap().remove("authorization_details");
    let answer: Value = ask_token(doubles, &sign(number, &header(number), &claims))
        .await
        .json()
        .await
        .unwrap();
    answer["access_token"].as_str().unwrap().to_owned()
}

pub(super) async fn altinn(doubles: &Doubles, number: &str, scope: &str) -> String {
    exchange(doubles, &maskinporten(doubles, number, scope).await)
        .await
        .text()
        .await
        .unwrap()
}

pub(super) struct Writer<'a> {
    pub(super) doubles: &'a Doubles,
    pub(super) token: String,
}

impl<'a> Writer<'a> {
    pub(super) async fn new(doubles: &'a Doubles) -> Self {
        let token = altinn(doubles, OWN, DPV_SCOPE).await;
        Self { doubles, token }
    }

    pub(super) fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let url = format!("{}{path}", self.doubles.correspondence_url());
        reqwest::Client::new().request(method, url).bearer_auth(&self.token)
    }

    pub(super) async fn get(&self, path: &str) -> Response {
        self.request(Method::GET, path).send().await.unwrap()
    }

    pub(super) async fn json(&self, path: &str) -> Value {
        self.get(path).await.error_for_status().unwrap().json().await.unwrap()
    }

    pub(super) async fn post(&self, letter: Letter) -> Response {
        let request = self.request(Method::POST, "/correspondence/upload");
        request.multipart(letter.form()).send().await.unwrap()
    }

    /// Sends a good letter and gives its id.
    pub(super) async fn sent(&self, letter: Letter) -> Uuid {
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

    pub(super) async fn refused(&self, letter: Letter) -> (u16, Option<u64>) {
        let response = self.post(letter).await;
        let status = response.status().as_u16();
        assert_eq!(response.headers()["content-type"], "application/problem+json");
        let body: Value = response.json().await.unwrap();
        assert_eq!(body["status"], status);
        (status, body["errorCode"].as_u64())
    }
}

#[derive(Clone)]
pub(super) struct Letter {
    pub(super) fields: Vec<(String, String)>,
    pub(super) files: Vec<(String, String, Vec<u8>)>,
}

impl Letter {
    pub(super) fn new() -> Self {
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
    pub(super) fn with(mut self, name: &str, value: &str) -> Self {
        self.fields.retain(|(field, _)| field != name);
        if !value.is_empty() {
            self.fields.push((name.to_owned(), value.to_owned()));
        }
        self
    }

    pub(super) fn announces(self, place: usize, name: &str) -> Self {
        let field = |member: &str| format!("correspondence.content.attachments[{place}].{member}");
        self.with(&field("fileName"), name)
            .with(&field("sendersReference"), "a")
    }

    pub(super) fn brings(mut self, name: &str, bytes: &[u8]) -> Self {
        self.files
            .push(("attachments".to_owned(), name.to_owned(), bytes.to_vec()));
        self
    }

    pub(super) fn form(self) -> Form {
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

pub(super) fn file_of(name: &str) -> Letter {
    Letter::new().announces(0, name).brings(name, b"x")
}
