//! An organisation's system that calls the doubles as a real one would.

use std::sync::OnceLock;
use std::time::{SystemTime, UNIX_EPOCH};

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{RSA_PKCS1_SHA256, RsaKeyPair};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use budstikke_doubles::{
    Client, DPO_RESOURCE, Doubles, DoublesConfig, READ_SCOPE, SystemUser, TestOrganisation, WRITE_SCOPE,
};
use reqwest::{Response, StatusCode};
use serde_json::{Value, json};
use uuid::Uuid;

pub(crate) const OWN: &str = "991825827";
pub(crate) const OTHER: &str = "910076787";
pub(crate) const STRANGER: &str = "987464291";

/// The two organisations with their keys (PEM), made once for all tests.
fn made(number: &str) -> &'static (TestOrganisation, String) {
    static MADE: OnceLock<Vec<(TestOrganisation, String)>> = OnceLock::new();
    let made = MADE.get_or_init(|| {
        let dir = tempfile::tempdir().unwrap();
        let make = |number| {
            let organisation = TestOrganisation::create(dir.path(), number).unwrap();
            let key = std::fs::read_to_string(organisation.key_path()).unwrap();
            (organisation, key)
        };
        [OWN, OTHER].map(make).to_vec()
    });
    made.iter()
        .find(|(organisation, _)| organisation.number() == number)
        .unwrap()
}

pub(crate) fn organisation(number: &str) -> &'static TestOrganisation {
    &made(number).0
}

/// Certificate and key, in PEM.
pub(crate) fn identity_pem(number: &str) -> String {
    let (organisation, key) = made(number);
    format!("{}{key}", organisation.certificate_pem())
}

pub(crate) fn user_name(number: &str) -> String {
    format!("{number}_integrasjonspunkt_systembruker_{number}")
}

pub(crate) fn der_of_pem(pem: &str) -> Vec<u8> {
    let text: String = pem.lines().filter(|line| !line.starts_with("---")).collect();
    STANDARD.decode(text).unwrap()
}

pub(crate) fn key(number: &str) -> RsaKeyPair {
    RsaKeyPair::from_pkcs8(&der_of_pem(&made(number).1)).unwrap()
}

pub(crate) fn client_id(number: &str) -> String {
    format!("client-{number}")
}

/// Doubles with one client for each of the two organisations, and three system users.
pub(crate) async fn start(change: impl FnOnce(&mut DoublesConfig)) -> Doubles {
    let clients: Vec<Client> = [OWN, OTHER]
        .iter()
        .map(|number| organisation(number).client(&client_id(number)).unwrap())
        .collect();
    let system_users = [OWN, OTHER, STRANGER]
        .iter()
        .map(|number| SystemUser::new(number, &user_name(number)).unwrap())
        .collect();
    let mut config = DoublesConfig {
        clients,
        system_users,
        ..DoublesConfig::default()
    };
    change(&mut config);
    Doubles::start(config).await.unwrap()
}

pub(crate) fn now() -> i64 {
    i64::try_from(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()).unwrap()
}

pub(crate) fn header(number: &str) -> Value {
    json!({ "alg": "RS256", "x5c": [STANDARD.encode(der_of_pem(organisation(number).certificate_pem()))] })
}

/// Claims of a good assertion. `acting` is the organisation of the system user.
pub(crate) fn claims(doubles: &Doubles, number: &str, acting: &str, scope: &str) -> Value {
    json!({
        "aud": doubles.audience(), "iss": client_id(number), "scope": scope, "jti": Uuid::new_v4().to_string(),
        "iat": now(), "exp": now() + 120,
        "authorization_details": [{
            "type": "urn:altinn:systemuser",
            "systemuser_org": { "authority": "iso6523-actorid-upis", "ID": format!("0192:{acting}") },
            "externalRef": user_name(acting),
        }],
    })
}

pub(crate) fn sign(number: &str, header: &Value, claims: &Value) -> String {
    let signed = [header, claims]
        .map(|part| URL_SAFE_NO_PAD.encode(part.to_string()))
        .join(".");
    let key = key(number);
    let mut signature = vec![0; key.public_modulus_len()];
    key.sign(
        &RSA_PKCS1_SHA256,
        &SystemRandom::new(),
        signed.as_bytes(),
        &mut signature,
    )
    .unwrap();
    format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature))
}

pub(crate) async fn ask_token(doubles: &Doubles, assertion: &str) -> Response {
    let form = [
        ("grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer"),
        ("assertion", assertion),
    ];
    reqwest::Client::new()
        .post(doubles.token_url())
        .form(&form)
        .send()
        .await
        .unwrap()
}

pub(crate) async fn maskinporten_token(doubles: &Doubles, number: &str, acting: &str, scope: &str) -> String {
    let assertion = sign(number, &header(number), &claims(doubles, number, acting, scope));
    let answer: Value = ask_token(doubles, &assertion)
        .await
        .error_for_status()
        .unwrap()
        .json()
        .await
        .unwrap();
    answer["access_token"].as_str().unwrap().to_owned()
}

pub(crate) async fn exchange(doubles: &Doubles, token: &str) -> Response {
    reqwest::Client::new()
        .get(doubles.exchange_url())
        .bearer_auth(token)
        .send()
        .await
        .unwrap()
}

/// A party with its two Altinn tokens.
pub(crate) struct Caller {
    http: reqwest::Client,
    base: String,
    pub(crate) read: String,
    pub(crate) write: String,
    number: String,
}

impl Caller {
    /// The organisation itself.
    pub(crate) async fn new(doubles: &Doubles, number: &str) -> Self {
        Self::on_behalf_of(doubles, number, number).await
    }

    pub(crate) async fn on_behalf_of(doubles: &Doubles, client: &str, acting: &str) -> Self {
        let mut tokens = Vec::new();
        for scope in [READ_SCOPE, WRITE_SCOPE] {
            let token = maskinporten_token(doubles, client, acting, scope).await;
            tokens.push(
                exchange(doubles, &token)
                    .await
                    .error_for_status()
                    .unwrap()
                    .text()
                    .await
                    .unwrap(),
            );
        }
        let write = tokens.pop().unwrap();
        let read = tokens.pop().unwrap();
        Self {
            http: reqwest::Client::new(),
            base: doubles.broker_url(),
            read,
            write,
            number: acting.to_owned(),
        }
    }

    pub(crate) fn announcement(&self, recipient: &str) -> Value {
        json!({
            "fileName": "sbd.zip", "resourceId": DPO_RESOURCE,
            "sendersFileTransferReference": Uuid::new_v4().to_string(),
            "sender": format!("0192:{}", self.number), "recipients": [format!("0192:{recipient}")],
            "propertyList": {}, "checksum": null, "disableVirusScan": null,
        })
    }

    pub(crate) fn request(&self, method: reqwest::Method, token: &str, path: &str) -> reqwest::RequestBuilder {
        self.http
            .request(method, format!("{}{path}", self.base))
            .bearer_auth(token)
    }

    pub(crate) async fn initialise(&self, announcement: &Value) -> Response {
        self.request(reqwest::Method::POST, &self.write, "/filetransfer/")
            .json(announcement)
            .send()
            .await
            .unwrap()
    }

    pub(crate) fn upload_request(&self, id: Uuid, body: impl Into<reqwest::Body>) -> reqwest::RequestBuilder {
        self.request(
            reqwest::Method::POST,
            &self.write,
            &format!("/filetransfer/{id}/upload"),
        )
        .header("Content-Type", "application/octet-stream")
        .body(body)
    }

    pub(crate) async fn upload(&self, id: Uuid, body: impl Into<reqwest::Body>) -> Response {
        self.upload_request(id, body).send().await.unwrap()
    }

    pub(crate) async fn announced(&self, announcement: &Value) -> Uuid {
        let response = self.initialise(announcement).await;
        assert_eq!(response.status(), StatusCode::OK);
        let body: Value = response.json().await.unwrap();
        body["fileTransferId"].as_str().unwrap().parse().unwrap()
    }

    /// Sends a file to a recipient and gives the transfer's id.
    pub(crate) async fn send(&self, recipient: &str, body: &'static [u8]) -> Uuid {
        let id = self.announced(&self.announcement(recipient)).await;
        let response = self.upload(id, body).await;
        assert_eq!(response.status(), StatusCode::OK);
        id
    }

    pub(crate) async fn get(&self, path: &str) -> Response {
        self.request(reqwest::Method::GET, &self.read, path)
            .send()
            .await
            .unwrap()
    }

    pub(crate) async fn overview(&self, id: Uuid) -> Value {
        self.get(&format!("/filetransfer/{id}"))
            .await
            .error_for_status()
            .unwrap()
            .json()
            .await
            .unwrap()
    }

    pub(crate) async fn download(&self, id: Uuid) -> Response {
        self.get(&format!("/filetransfer/{id}/download")).await
    }

    pub(crate) async fn confirm(&self, id: Uuid) -> Response {
        let path = format!("/filetransfer/{id}/confirmdownload");
        self.request(reqwest::Method::POST, &self.read, &path)
            .send()
            .await
            .unwrap()
    }

    pub(crate) async fn list(&self, filter: &str) -> Vec<Uuid> {
        let path = format!("/filetransfer?resourceId={DPO_RESOURCE}&{filter}");
        self.get(&path).await.error_for_status().unwrap().json().await.unwrap()
    }

    /// What a receiver polls for.
    pub(crate) async fn waiting(&self) -> Vec<Uuid> {
        self.list("status=Published&recipientStatus=Initialized").await
    }
}

/// Status and broker code of a problem.
pub(crate) async fn problem(response: Response) -> (u16, Option<String>) {
    let status = response.status().as_u16();
    assert_eq!(response.headers()["content-type"], "application/problem+json");
    let body: Value = response.json().await.unwrap();
    assert_eq!(body["status"], status);
    (status, body["code"].as_str().map(str::to_owned))
}

pub(crate) fn code(status: u16, number: u16) -> (u16, Option<String>) {
    (status, Some(format!("BRO-{number:05}")))
}
