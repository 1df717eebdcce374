//! Somebody who is told what happens.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use aws_lc_rs::hmac;
use axum::http::{HeaderMap, header};
use axum::response::IntoResponse as _;
use reqwest::StatusCode;
use serde_json::Value;

/// How long anything may take before it counts as lost.
pub(super) const PATIENCE: Duration = Duration::from_secs(30);

/// One request.
#[derive(Clone)]
pub(super) struct Told {
    headers: HeaderMap,
    pub(super) body: String,
}

impl Told {
    pub(super) fn header(&self, name: &str) -> &str {
        self.headers[name].to_str().unwrap()
    }

    pub(super) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap()
    }

    pub(super) fn is_signed_with(&self, secret: &str) -> bool {
        let (time, signature) = self.header("budstikke-signature").split_once(",v1=").unwrap();
        let signed = format!("{}.{}", time.strip_prefix("t=").unwrap(), self.body);
        let key = hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes());
        hmac::verify(&key, signed.as_bytes(), &hex::decode(signature).unwrap()).is_ok()
    }
}

/// Somebody who is told, and answers as prepared; 200 when nothing is.
#[derive(Clone, Default)]
pub(super) struct Subscriber {
    told: Arc<Mutex<Vec<Told>>>,
    answers: Arc<Mutex<VecDeque<u16>>>,
    pub(super) url: String,
}

impl Subscriber {
    pub(super) async fn new() -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let this = Self { url, ..Self::default() };
        let heard = this.clone();
        let router = axum::Router::new().fallback(async move |headers: HeaderMap, body: String| {
            heard.told.lock().unwrap().push(Told { headers, body });
            let status = heard.answers.lock().unwrap().pop_front().unwrap_or(200);
            let status = StatusCode::from_u16(status).unwrap();
            (status, [(header::LOCATION, "/elsewhere")], "x".repeat(200_000)).into_response()
        });
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        this
    }

    pub(super) fn answering(&self, answers: impl IntoIterator<Item = u16>) {
        self.answers.lock().unwrap().extend(answers);
    }

    pub(super) fn told(&self) -> Vec<Told> {
        self.told.lock().unwrap().clone()
    }

    /// Everything so far, as soon as there is so much.
    pub(super) async fn hears(&self, number: usize) -> Vec<Told> {
        let started = Instant::now();
        while self.told().len() < number {
            assert!(started.elapsed() < PATIENCE, "{} of {number} came", self.told().len());
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        self.told()
    }

    pub(super) async fn hears_statuses(&self, expected: &[&str]) -> Vec<Told> {
        let told = self.hears(expected.len()).await;
        let statuses: Vec<Value> = told.iter().map(|told| told.json()["status"].clone()).collect();
        assert_eq!(statuses, expected);
        told
    }

    pub(super) fn forget(&self) {
        self.told.lock().unwrap().clear();
    }
}
