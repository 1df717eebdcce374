//! The API as clients and operators meet it.

mod administering;
mod asking;
mod failing;
mod fake;
mod importing;
pub(crate) mod keys;
mod paging;
mod tokens;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use axum::Router;
use axum::body::Body;
use http::{HeaderMap, Method, Request, StatusCode};
use http_body_util::BodyExt as _;
use serde_json::Value;
use tower::ServiceExt as _;

use super::*;
use fake::{Directory, Gate};
use keys::Issuer;

/// An address service of a test's own.
struct House {
    api: Arc<Api>,
    router: Router,
    issuer: Issuer,
    folder: tempfile::TempDir,
}

/// An answer, read.
struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    body: Vec<u8>,
}

impl Answer {
    fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|_| panic!("no JSON: {}", self.text()))
    }

    fn text(&self) -> String {
        String::from_utf8(self.body.clone()).unwrap()
    }

    fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }
}

impl House {
    async fn with(lookups: Directory, clients: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let issuer = Issuer::start().await;
        let clients: crate::config::Clients = toml::from_str(&clients.replace("ISSUER", issuer.url())).unwrap();
        let own = OwnData::open(budstikke_store::Place::File(folder.path().join("registry.db"))).await;
        let all = BTreeSet::from(["eformidling:dpe".to_owned()]);
        let api = Arc::new(Api {
            lookups: Arc::new(lookups),
            clients: Clients::new(&clients, all.clone()).unwrap(),
            signer: Signer::new(keys::identity()).unwrap(),
            sas_token: Some(SasToken {
                key: Zeroizing::new("the key".into()),
                scopes: BTreeSet::from(["eformidling:dpe".into(), "move/dpe.read".into()]),
            }),
            own: own.unwrap(),
            admin: Some(Arc::new(Gate)),
            operator_scopes: all,
            metrics: Metrics::default(),
            draining: AtomicBool::new(false),
        });
        Self {
            router: api.router(CONTEXT_PATH, true),
            api,
            issuer,
            folder,
        }
    }

    async fn new() -> Self {
        Self::with(Directory::default(), "[[issuers]]\nurl = 'ISSUER'").await
    }

    async fn call(&self, request: Request<Body>) -> Answer {
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (head, body) = response.into_parts();
        Answer {
            status: head.status,
            headers: head.headers,
            body: body.collect().await.unwrap().to_bytes().to_vec(),
        }
    }

    /// As a client with a good token.
    async fn get(&self, path: &str, headers: &[(&str, &str)]) -> Answer {
        let token = keys::token(&keys::claims(self.issuer.url()));
        self.get_with(path, Some(&token), headers).await
    }

    async fn get_with(&self, path: &str, token: Option<&str>, headers: &[(&str, &str)]) -> Answer {
        let mut request = Request::get(format!("{CONTEXT_PATH}{path}"));
        if let Some(token) = token {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        self.call(request.body(Body::empty()).unwrap()).await
    }

    /// As an operator.
    async fn admin(&self, method: Method, path: &str, kind: &str, body: &str) -> Answer {
        let request = Request::builder()
            .method(method)
            .uri(format!("{CONTEXT_PATH}{path}"))
            .header("authorization", "Basic admin")
            .header("content-type", kind)
            .body(Body::from(body.to_owned()))
            .unwrap();
        self.call(request).await
    }

    async fn admin_json(&self, method: Method, path: &str, body: &Value) -> Answer {
        self.admin(method, path, "application/json", &body.to_string()).await
    }
}
