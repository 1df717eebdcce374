//! The front over real sockets, before an API that answers in one word.

mod limits;
mod tls;
mod who;

use std::net::SocketAddr;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::routing::{get, post};
use http::StatusCode;
use reqwest::{Client, RequestBuilder};
use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use super::{AnswerCounts, Front, Site};
use crate::config::{Role, Secret, Server, User};

/// How long a scene waits for what must come at once. Generous: the machine may be busy.
const PATIENCE: Duration = Duration::from_mins(1);

fn user(name: &str, password: &str, roles: &[Role]) -> User {
    let hash = bcrypt::hash_with_salt(password, 4, [7; 16]).unwrap().to_string();
    User {
        name: name.into(),
        password_hash: Secret::Plain(hash),
        roles: roles.to_vec(),
    }
}

fn open() -> Server {
    Server {
        open: true,
        ..Server::default()
    }
}

fn endless() -> Body {
    let piece = Bytes::from(vec![b'x'; 64 << 10]);
    Body::from_stream(futures::stream::repeat_with(move || {
        Ok::<_, std::convert::Infallible>(piece.clone())
    }))
}

fn api() -> Router {
    Router::new()
        .route("/api/here", get(async || "here"))
        .route("/api/endless", get(async || endless()))
        .route("/api/read", post(async |body: Bytes| body.len().to_string()))
        .route("/api/messages/in/peek", get(async || "locked"))
        .route("/conversations", get(async || "page"))
        .route("/manage", get(async || "managed"))
        .route("/manage/{*path}", get(async || "managed").post(async || "managed"))
}

/// A running front.
struct Place {
    address: SocketAddr,
    answers: AnswerCounts,
    stop: CancellationToken,
    served: JoinHandle<()>,
}

impl Place {
    async fn new(server: &Server) -> Self {
        Self::before(server, Site::integrasjonspunkt()).await
    }

    async fn before(server: &Server, site: Site) -> Self {
        let front = Front::new(server, site).unwrap_or_else(|errors| panic!("{errors:?}"));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (address, stop) = (listener.local_addr().unwrap(), CancellationToken::new());
        Self {
            address,
            answers: front.answers(),
            served: tokio::spawn(front.serve(listener, api(), stop.clone())),
            stop,
        }
    }

    fn get(&self, path: &str) -> RequestBuilder {
        Client::new().get(format!("http://{}{path}", self.address))
    }

    fn post(&self, path: &str) -> RequestBuilder {
        Client::new().post(format!("http://{}{path}", self.address))
    }

    async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address).await.unwrap()
    }

    /// Sends bytes, and reads until the server ends the connection.
    async fn told(&self, bytes: &[u8]) -> String {
        let mut stream = self.connect().await;
        stream.write_all(bytes).await.unwrap();
        String::from_utf8_lossy(&rest(&mut stream).await).into_owned()
    }
}

/// All that comes until the connection ends, in whatever way.
async fn rest(stream: &mut TcpStream) -> Vec<u8> {
    let mut bytes = Vec::new();
    let read = timeout(PATIENCE, async {
        // A reset is an end too.
        while let Ok(more) = stream.read_buf(&mut bytes).await
            && more > 0
        {}
    });
    read.await.expect("the server ends the connection");
    bytes
}

async fn status(request: RequestBuilder) -> StatusCode {
    request.send().await.unwrap().status()
}

/// Expects an error in the API's shape.
async fn refused(request: RequestBuilder, status: StatusCode, exception: &str) -> Value {
    let response = request.send().await.unwrap();
    assert_eq!(response.status(), status);
    assert_eq!(response.headers()["content-type"], "application/json");
    assert_eq!(response.headers()["x-frame-options"], "DENY");
    let body: Value = response.json().await.unwrap();
    assert_eq!(body["status"], status.as_u16());
    let name = body["exception"].as_str().unwrap().rsplit('.').next().unwrap();
    assert_eq!(name, exception);
    assert!(body["hint"].as_str().unwrap().len() > 20, "{body}");
    assert!(body.get("trace").is_none(), "{body}");
    body
}
