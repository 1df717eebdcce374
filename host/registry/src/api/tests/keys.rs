//! Keys, and an issuer of tokens.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, LazyLock, Mutex};

use axum::routing::get;
use axum::{Json, Router};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use budstikke_message::keystore::{Identity, Keystore};
use jiff::Timestamp;
use rcgen::{CertificateParams, KeyPair, PKCS_RSA_SHA256, RsaKeySize};
use serde_json::{Value, json};

use crate::api::signing::Signer;

fn made() -> Arc<Identity> {
    let key = KeyPair::generate_rsa_for(&PKCS_RSA_SHA256, RsaKeySize::_2048).unwrap();
    let certificate = CertificateParams::default().self_signed(&key).unwrap();
    let pem = format!("{}{}", key.serialize_pem(), certificate.pem());
    Arc::new(Keystore::from_pem(pem.as_bytes()).unwrap())
}

static SIGNING: LazyLock<Arc<Identity>> = LazyLock::new(made);
static ISSUING: LazyLock<Arc<Identity>> = LazyLock::new(made);
static LATER: LazyLock<Arc<Identity>> = LazyLock::new(made);

/// What answers are signed with.
pub(crate) fn identity() -> Arc<Identity> {
    Arc::clone(&SIGNING)
}

/// The keys that issuers sign with.
pub(crate) fn issuing() -> Arc<Identity> {
    Arc::clone(&ISSUING)
}

/// The key that an issuer changes to.
pub(crate) fn later() -> Arc<Identity> {
    Arc::clone(&LATER)
}

/// The public half as a JWK with a `kid` of its own.
pub(crate) fn jwk(identity: &Arc<Identity>, kid: &str) -> Value {
    let mut key = Signer::new(Arc::clone(identity)).unwrap().jwks()["keys"][0].clone();
    key["kid"] = json!(kid);
    key
}

/// A compact JWS of this header and these claims.
pub(crate) fn signed(identity: &Identity, header: &Value, claims: &Value) -> String {
    let text = [header, claims]
        .map(|part| URL_SAFE_NO_PAD.encode(part.to_string()))
        .join(".");
    let signature = identity.key().sign_rs256(text.as_bytes()).unwrap();
    format!("{text}.{}", URL_SAFE_NO_PAD.encode(signature))
}

/// What a good token says.
pub(crate) fn claims(issuer: &str) -> Value {
    let now = Timestamp::now().as_second();
    json!({
        "iss": issuer, "exp": now + 120, "iat": now, "aud": "unimportant",
        "scope": "eformidling:dpo eformidling:dpe", "consumer": { "authority": "iso6523-actorid-upis", "ID": "0192:991825827" },
    })
}

/// An issuer on a port of this machine.
pub(crate) struct Issuer {
    url: String,
    keys: Arc<Mutex<Vec<Value>>>,
    pub(crate) asked: Arc<AtomicUsize>,
    pub(crate) server: tokio::task::JoinHandle<()>,
}

impl Issuer {
    pub(crate) async fn start() -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/", listener.local_addr().unwrap());
        let keys = Arc::new(Mutex::new(vec![jwk(&issuing(), "first")]));
        let asked = Arc::new(AtomicUsize::new(0));
        let (shown, counted) = (Arc::clone(&keys), Arc::clone(&asked));
        let set = move || {
            counted.fetch_add(1, Ordering::SeqCst);
            let keys = shown.lock().unwrap().clone();
            async move { Json(json!({ "keys": keys })) }
        };
        let document = json!({ "issuer": url, "jwks_uri": format!("{url}jwks") });
        let found = move || async move { Json(document) };
        let router = Router::new()
            .route("/jwks", get(set))
            // The first of the two places is empty, as with issuers that know OpenID only.
            .route("/.well-known/openid-configuration", get(found));
        let server = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self {
            url,
            keys,
            asked,
            server,
        }
    }

    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    pub(crate) fn show(&self, keys: Vec<Value>) {
        *self.keys.lock().unwrap() = keys;
    }
}

/// A token of such an issuer.
pub(crate) fn token(claims: &Value) -> String {
    signed(&issuing(), &json!({ "alg": "RS256", "kid": "first" }), claims)
}
