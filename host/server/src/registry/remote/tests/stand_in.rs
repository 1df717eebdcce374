//! A small address service: it says what it is told to say, signed or not, and remembers what it was asked.

use std::net::SocketAddr;
use std::sync::{Arc, LazyLock, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::response::Response;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use budstikke_message::keystore::PrivateKey;
use der::asn1::UintRef;
use der::{Decode as _, Sequence};
use rcgen::{KeyPair, PKCS_RSA_SHA256, RsaKeySize};
use serde_json::{Value, json};
use tokio::runtime::Runtime;
use x509_cert::spki::SubjectPublicKeyInfoRef;

/// A key that answers are signed with, and what is published of it.
pub(crate) struct Signer {
    pub(crate) kid: &'static str,
    key: PrivateKey,
}

fn signer(kid: &'static str) -> Signer {
    let key = KeyPair::generate_rsa_for(&PKCS_RSA_SHA256, RsaKeySize::_2048).unwrap();
    Signer {
        kid,
        key: PrivateKey::from_pkcs8(&key.serialize_der()).unwrap(),
    }
}

/// Making keys takes a while.
pub(crate) static FIRST: LazyLock<Arc<Signer>> = LazyLock::new(|| Arc::new(signer("first")));
pub(crate) static SECOND: LazyLock<Arc<Signer>> = LazyLock::new(|| Arc::new(signer("second")));

#[derive(Sequence)]
struct RsaKey<'a> {
    n: UintRef<'a>,
    e: UintRef<'a>,
}

impl Signer {
    fn jwk(&self) -> Value {
        let der = self.key.public_key_der().unwrap();
        let info = SubjectPublicKeyInfoRef::try_from(der.as_slice()).unwrap();
        let key = RsaKey::from_der(info.subject_public_key.raw_bytes()).unwrap();
        let number = |number: UintRef<'_>| URL_SAFE_NO_PAD.encode(number.as_bytes());
        json!({ "kty": "RSA", "n": number(key.n), "e": number(key.e), "use": "sig", "alg": "RS256", "kid": self.kid })
    }

    pub(crate) fn sign(&self, header: &Value, payload: &[u8]) -> String {
        let signed = format!(
            "{}.{}",
            URL_SAFE_NO_PAD.encode(header.to_string()),
            URL_SAFE_NO_PAD.encode(payload)
        );
        let signature = self.key.sign_rs256(signed.as_bytes()).unwrap();
        format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature))
    }
}

/// What it says to every question.
#[derive(Clone)]
pub(crate) enum Says {
    /// A good answer, in the form that was asked for, about whoever was asked for.
    Good(Value),
    /// A good answer about whom it names.
    About(Value),
    /// A good answer without a signature.
    Unsigned(Value),
    /// These bytes with 200.
    Bytes(Vec<u8>),
    /// An error.
    Error(u16, Value),
    /// Its own 404.
    NotThere,
    /// Nothing.
    Hang,
}

/// A request as it came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Seen {
    /// Below the base, with the query.
    pub(crate) place: String,
    pub(crate) accept: Option<String>,
    pub(crate) beta: Option<String>,
    pub(crate) authorization: Option<String>,
}

pub(crate) struct Life {
    pub(crate) says: Mutex<Says>,
    pub(crate) signer: Mutex<Arc<Signer>>,
    pub(crate) published: Mutex<Vec<Arc<Signer>>>,
    /// Until its keys are told.
    pub(crate) keys_after: Mutex<Duration>,
    seen: Mutex<Vec<Seen>>,
}

/// It runs until it is killed, connections and all.
pub(crate) struct StandIn {
    address: SocketAddr,
    pub(crate) life: Arc<Life>,
    runtime: Option<Runtime>,
}

impl StandIn {
    pub(crate) fn new(says: Says) -> Self {
        let life = Arc::new(Life {
            says: Mutex::new(says),
            signer: Mutex::new(FIRST.clone()),
            published: Mutex::new(vec![FIRST.clone()]),
            keys_after: Mutex::default(),
            seen: Mutex::default(),
        });
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .unwrap();
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let address = listener.local_addr().unwrap();
        let router = Router::new().fallback(answer).with_state(life.clone());
        runtime.spawn(async move {
            let listener = tokio::net::TcpListener::from_std(listener).unwrap();
            axum::serve(listener, router).await.unwrap();
        });
        Self {
            address,
            life,
            runtime: Some(runtime),
        }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}/adressetjeneste", self.address)
    }

    pub(crate) fn says(&self, says: Says) {
        *self.life.says.lock().unwrap() = says;
    }

    /// Questions about receivers, in their order.
    pub(crate) fn asked(&self) -> Vec<Seen> {
        let seen = self.life.seen.lock().unwrap();
        let about = |seen: &&Seen| seen.place.starts_with("identifier/");
        seen.iter().filter(about).cloned().collect()
    }

    /// Their places.
    pub(crate) fn places(&self) -> Vec<String> {
        self.asked().into_iter().map(|seen| seen.place).collect()
    }

    /// What was accepted in answers to another question, such as `sastoken`.
    pub(crate) fn accepted(&self, place: &str) -> Vec<String> {
        let seen = self.life.seen.lock().unwrap();
        let asked = seen.iter().filter(|seen| seen.place == place);
        asked.filter_map(|seen| seen.accept.clone()).collect()
    }

    /// How often something else was asked for, such as `jwk`.
    pub(crate) fn count(&self, place: &str) -> usize {
        let seen = self.life.seen.lock().unwrap();
        seen.iter().filter(|seen| seen.place == place).count()
    }

    pub(crate) fn kill(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

impl Drop for StandIn {
    fn drop(&mut self) {
        self.kill();
    }
}

fn seen(request: &Request) -> Seen {
    let header = |name: &str| {
        let value = request.headers().get(name)?;
        Some(value.to_str().unwrap().to_owned())
    };
    let place = request.uri().path_and_query().unwrap().as_str();
    Seen {
        place: place.strip_prefix("/adressetjeneste/").unwrap_or(place).to_owned(),
        accept: header("accept"),
        beta: header("x-enable-beta-features"),
        authorization: header("authorization"),
    }
}

async fn answer(State(life): State<Arc<Life>>, request: Request) -> Response {
    let seen = seen(&request);
    let place = seen.place.clone();
    let accept = seen.accept.clone().unwrap_or_default();
    life.seen.lock().unwrap().push(seen);
    if place == "jwk" {
        let after = *life.keys_after.lock().unwrap();
        tokio::time::sleep(after).await;
        let published = life.published.lock().unwrap();
        let mut keys = vec![json!({ "kty": "EC", "crv": "P-256", "x": "", "y": "" })];
        keys.extend(published.iter().map(|signer| signer.jwk()));
        return plain(200, json!({ "keys": keys }).to_string());
    }
    if place == "token" {
        return plain(200, json!({ "access_token": "abc", "expires_in": 120 }).to_string());
    }
    let says = life.says.lock().unwrap().clone();
    let signed = accept.starts_with("application/jose");
    match says {
        Says::Good(value) => good(&life, about(value, &place).to_string().as_bytes(), signed),
        Says::About(value) => good(&life, value.to_string().as_bytes(), signed),
        Says::Unsigned(value) => plain(200, about(value, &place).to_string()),
        Says::NotThere => plain(404, not_there().to_string()),
        Says::Bytes(bytes) => plain(200, bytes),
        Says::Error(status, body) => plain(status, body.to_string()),
        Says::Hang => std::future::pending().await,
    }
}

/// The registry's own 404.
pub(crate) fn not_there() -> Value {
    json!({ "error_code": "", "error_description": "Entity not found" })
}

/// The answer with the number of whoever was asked for.
fn about(mut value: Value, place: &str) -> Value {
    let asked = place.strip_prefix("identifier/").or(place.strip_prefix("info/"));
    let asked = asked.unwrap_or_default();
    let asked = asked.split(['/', '?']).next().unwrap_or_default();
    if let Some(identifier) = value.pointer_mut("/infoRecord/identifier") {
        *identifier = asked.into();
    }
    value
}

fn good(life: &Life, text: &[u8], signed: bool) -> Response {
    if !signed {
        return plain(200, text.to_vec());
    }
    let signer = life.signer.lock().unwrap().clone();
    let header = json!({ "alg": "RS256", "kid": signer.kid, "x5c": ["AA=="] });
    plain(200, signer.sign(&header, text))
}

fn plain(status: u16, body: impl Into<Body>) -> Response {
    let mut response = Response::new(body.into());
    *response.status_mut() = axum::http::StatusCode::from_u16(status).unwrap();
    response
}
